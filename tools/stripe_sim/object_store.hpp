// The objects of one kind of one account, in the order they were made.
//
// A customer as a tree of JSON nodes costs about 4 kB, as text 700 bytes; a simulator that holds 100,000 customers and
// their events beside a server under test should leave the memory to that server. So objects are kept as text.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

using SharedText = std::shared_ptr<const std::string>;

// What Stripe's list routes take; the page's default and bounds are in listing.hpp.
struct ListQuery {
  std::size_t limit = 10;
  std::string starting_after;
  std::string ending_before;
  std::set<std::string> expand;  // what to embed in each object, without "data."
  std::optional<std::int64_t> created_gt;
  std::optional<std::int64_t> created_gte;
  std::optional<std::int64_t> created_lt;
  std::optional<std::int64_t> created_lte;
};

struct ListPage {
  std::vector<Json> items;  // newest first
  bool has_more = false;
};

class ObjectStore {
 public:
  using Filter = std::function<bool(const Json&)>;

  // `object` has id and created. `text` may be handed in where it exists already.
  void insert(const Json& object, SharedText text = nullptr);
  void replace(const Json& object);

  // The object stays readable as {id, object, deleted: true}, but is listed no more.
  void bury(const std::string& id, const std::string& object_name);
  void erase(const std::string& id);

  std::optional<Json> find(const std::string& id) const;
  SharedText find_text(const std::string& id) const;
  bool is_deleted(const std::string& id) const;

  // Throws StripeError when a cursor names no object; `noun` is for its message.
  ListPage list(const ListQuery& query, const Filter& filter, const std::string& noun) const;

  // Every object's text, oldest first, the buried ones included.
  std::vector<SharedText> all() const;
  std::size_t live_count() const { return live_; }

 private:
  struct Record {
    SharedText text;  // nothing: erased
    std::int64_t created = 0;
    bool deleted = false;
  };

  const Record* record(const std::string& id) const;
  std::size_t position_of(const std::string& id, const std::string& noun, const std::string& param) const;

  std::vector<Record> records_;
  std::unordered_map<std::string, std::size_t> positions_;
  std::size_t live_ = 0;
};

}  // namespace stripe_sim
