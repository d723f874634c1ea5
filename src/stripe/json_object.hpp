// How Stripe's objects are read: a JSON object that knows where it stands, so that every reader can name the field that
// is wrong. What is read back from a stored canonical form goes the same way.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/decimal.hpp"
#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "domain/time.hpp"

namespace flexsync::stripe {

// Every reader throws an Error (validation_error: field and reason) for what it does not expect; read_outside returns
// it. Null and absent read alike. The document must outlive the object.
class JsonObject {
 public:
  // `kind` is what messages call the whole ("customer"), `path` is how far inside of it this is ("data.object").
  JsonObject(const nlohmann::json& value, const char* kind, std::string path = {});

  JsonObject as(const char* kind) const { return {*value_, kind, path_}; }  // the same, under another name

  const nlohmann::json& value() const { return *value_; }
  bool has(const char* key) const { return find(key) != nullptr; }
  [[noreturn]] void refuse(const char* key,
                           const std::string& why) const;  // what reads well, and is wrong all the same

  std::string text(const char* key) const;  // "" where there is none
  std::string required_text(const char* key) const;
  void require_object_type(std::string_view wanted) const;  // `object` is this word
  StripeId required_id(const char* key = "id") const;
  StripeId required_reference(const char* key) const;  // an id, or the object itself (expanded)
  bool flag(const char* key, bool otherwise) const;
  std::optional<std::int64_t> whole(const char* key) const;
  int count(const char* key) const;                                 // at least 1; 1 where there is none
  std::optional<Decimal> decimal(const char* key) const;            // a text, as Stripe writes what may have a fraction
  std::optional<Timestamp> time(const char* key) const;             // unix seconds
  std::map<std::string, std::string> texts(const char* key) const;  // metadata
  std::optional<JsonObject> object(const char* key) const;
  JsonObject required_object(const char* key) const;
  std::vector<JsonObject> objects(const char* key) const;  // an array of objects; empty where there is none

 private:
  friend std::string request_key(const JsonObject& event);

  const nlohmann::json* find(const char* key) const;  // null and absent: nullptr
  const nlohmann::json& required(const char* key) const;
  std::string path_of(const std::string& key) const;
  [[noreturn]] void refuse_path(const std::string& path, const std::string& why) const;
  [[noreturn]] void refuse_kind(const std::string& path, const char* wanted, const nlohmann::json& given) const;
  const std::string& text_of(const nlohmann::json& value, const std::string& key) const;

  const nlohmann::json* value_;
  const char* kind_;
  std::string path_;
};

// The whole text as one JSON document; an Error is thrown for what is none.
nlohmann::json parse_document(std::string_view text, const char* kind);

// event.request is {id, idempotency_key}, before 2017-05-25 an id alone, and null for what Stripe did by itself.
std::string request_key(const JsonObject& event);

template <class Read>
auto read_outside(std::string_view text, const char* kind, Read read)
    -> Result<decltype(read(std::declval<const JsonObject&>()))> {
  try {
    const auto document = parse_document(text, kind);
    return read(JsonObject(document, kind));
  } catch (const Error& error) {
    return tl::unexpected(error);
  }
}

// A canonical form of ours that cannot be read is no one's input: it throws.
template <class Read>
auto read_stored(const std::string& text, const char* kind, Read read) {
  try {
    const auto document = parse_document(text, kind);
    return read(JsonObject(document, kind));
  } catch (const Error& error) {
    throw std::runtime_error(std::string("a stored ") + kind + " state cannot be read: " + error.message);
  }
}

// What is empty is left out of a canonical form, so a field that is mirrored one day does not change every stored
// shadow.
void put(nlohmann::json& form, const char* key, const std::string& text);
void put(nlohmann::json& form, const char* key, const StripeId& id);
void put(nlohmann::json& form, const char* key, const std::map<std::string, std::string>& texts);
void put(nlohmann::json& form, const char* key, const std::optional<Decimal>& decimal);
void put(nlohmann::json& form, const char* key, const std::optional<Timestamp>& time);
void put_flag(nlohmann::json& form, const char* key, bool flag, bool otherwise);
void put_count(nlohmann::json& form, const char* key, int count);

}  // namespace flexsync::stripe
