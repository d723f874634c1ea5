// How an event is read: nlohmann's SAX parser calls the Reader below, which keeps one small number per open
// bracket (its Place) and stores the few values whose (place, key) stands in kFields. All the rest is skipped
// without a copy, so an event's cost is the scan of its bytes. What the values mean is decided after the scan
// (envelope.cpp), because `object`, which says how to read `created`, may come last.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "stripe/envelope.hpp"

namespace flexsync::stripe::event {

enum class Place : std::uint8_t { root, data, object, product, related, elsewhere };

enum Field : std::uint8_t {
  kId,
  kObject,
  kType,
  kCreated,
  kApiVersion,
  kAccount,
  kContext,
  kLivemode,
  kSnapshotEvent,
  kData,
  kDataObject,
  kDataObjectId,
  kDataObjectObject,
  kDataObjectProduct,
  kDataObjectProductId,
  kRelated,
  kRelatedId,
  kRelatedType,
  kFieldCount,
  kNone = kFieldCount,
};

struct FieldRow {
  Place place;
  std::string_view key;
  const char* path;
  Place opens;  // what an object in this field is
};

constexpr std::array<FieldRow, kFieldCount> kFields = {{
    {Place::root, "id", "id", Place::elsewhere},
    {Place::root, "object", "object", Place::elsewhere},
    {Place::root, "type", "type", Place::elsewhere},
    {Place::root, "created", "created", Place::elsewhere},
    {Place::root, "api_version", "api_version", Place::elsewhere},
    {Place::root, "account", "account", Place::elsewhere},
    {Place::root, "context", "context", Place::elsewhere},
    {Place::root, "livemode", "livemode", Place::elsewhere},
    {Place::root, "snapshot_event", "snapshot_event", Place::elsewhere},
    {Place::root, "data", "data", Place::data},
    {Place::data, "object", "data.object", Place::object},
    {Place::object, "id", "data.object.id", Place::elsewhere},
    {Place::object, "object", "data.object.object", Place::elsewhere},
    {Place::object, "product", "data.object.product", Place::product},
    {Place::product, "id", "data.object.product.id", Place::elsewhere},
    {Place::root, "related_object", "related_object", Place::related},
    {Place::related, "id", "related_object.id", Place::elsewhere},
    {Place::related, "type", "related_object.type", Place::elsewhere},
}};

enum class Kind : std::uint8_t { absent, null, boolean, integer, number, string, array, object };

constexpr std::array<const char*, 8> kKindNames = {"nothing",  "null",     "a boolean", "a number",
                                                   "a number", "a string", "an array",  "an object"};

struct Value {
  bool seen = false;
  Kind kind = Kind::absent;
  bool boolean = false;
  std::int64_t integer = 0;
  std::string text;
};

Error invalid(const std::string& field, const std::string& why);

class Reader {
 public:
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  const Value& operator[](Field field) const { return values_[field]; }
  Error failure() const { return failure_; }

  bool null() { return scalar(Kind::null); }
  bool boolean(bool value) {
    slot().boolean = value;
    return scalar(Kind::boolean);
  }
  bool number_integer(std::int64_t value) {
    slot().integer = value;
    return scalar(Kind::integer);
  }
  bool number_unsigned(std::uint64_t value) {
    if (!std::in_range<std::int64_t>(value)) {
      return scalar(Kind::number);
    }
    return number_integer(static_cast<std::int64_t>(value));
  }
  bool number_float(nlohmann::json::number_float_t, const string_t&) { return scalar(Kind::number); }
  bool string(string_t& value) {
    if (field_ != kNone) {
      slot().text = std::move(value);
    }
    return scalar(Kind::string);
  }
  bool binary(binary_t&) { return false; }

  bool key(const string_t& name) {
    field_ = kNone;
    const auto place = places_[depth_ - 1];
    if (place == Place::elsewhere) {
      return true;
    }
    for (std::size_t i = 0; i < kFields.size(); ++i) {
      if (kFields[i].place == place && kFields[i].key == name) {
        field_ = static_cast<Field>(i);
        if (std::exchange(values_[i].seen, true)) {
          return stop(invalid(kFields[i].path, "is given twice"));
        }
      }
    }
    return true;
  }

  bool start_object(std::size_t) {
    const auto place = depth_ == 0 ? Place::root : field_ == kNone ? Place::elsewhere : kFields[field_].opens;
    return scalar(Kind::object) && open(place);
  }
  bool start_array(std::size_t) {
    if (depth_ == 0) {
      return stop(invalid("body", "must be a JSON object"));
    }
    return scalar(Kind::array) && open(Place::elsewhere);
  }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
    return stop(invalid("body", "is not valid JSON (at byte " + std::to_string(position) + ")"));
  }

 private:
  // Without a field the value falls into a slot that nobody reads.
  Value& slot() { return values_[field_]; }

  bool scalar(Kind kind) {
    if (depth_ == 0 && kind != Kind::object) {
      return stop(invalid("body", "must be a JSON object"));
    }
    slot().kind = kind;
    field_ = kNone;
    return true;
  }

  bool open(Place place) {
    if (depth_ == places_.size()) {
      return stop(invalid("body", "is nested deeper than " + std::to_string(kJsonDepthMax) + " levels"));
    }
    places_[depth_++] = place;
    return true;
  }

  bool close() {
    --depth_;
    return true;
  }

  bool stop(Error failure) {
    failure_ = std::move(failure);
    return false;
  }

  std::array<Value, kFieldCount + 1> values_;
  std::array<Place, kJsonDepthMax> places_{};
  std::size_t depth_ = 0;
  Field field_ = kNone;
  Error failure_;
};

}  // namespace flexsync::stripe::event
