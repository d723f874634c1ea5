// Comparing what is mirrored with what Stripe has: for Stripe can fail to emit an event at all.
//
// A walk reads Stripe's lists of products, prices, customers and subscriptions to their ends, and compares each object
// with its shadow; then it reads through the shadows for those that Stripe listed no more. A difference is repaired by
// nothing but an event of our own (stripe::kReconcileEvent) that goes the way of all events: the object's actor asks
// Stripe and takes its answer. So what a page showed may be old by then; and what comes of a repair, or of none, is
// seen where all events are seen.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/entity.hpp"
#include "domain/inbox.hpp"
#include "stripe/object_page.hpp"

namespace flexsync::sync {

// In the order in which they are compared: what others need comes first.
inline constexpr std::array<const char*, 4> kReconciledTypes = {"product", "price", "customer", "subscription"};

enum class Finding : std::uint8_t {
  equal,
  differs,   // from the shadow, or the shadow is marked
  absent,    // it is not here, though made since the connection exists
  gone,      // it is here, and Stripe lists it no more
  waiting,   // it differs or is not here, and an event about it is parked
  elsewhere  // not to be mirrored: of another environment, or older than the connection and never imported
};

std::string to_string(Finding finding);

// `listed` has all its items (stripe::with_more_items). `since`: when the connection was made. Tombstones are
// respected: what was deleted is never revived.
Finding compare(const stripe::ListedObject& listed, const KnownObject& known, const Scope& scope, Timestamp since);

// One object that is not equal.
struct Difference {
  ObjectKey object;
  StripeId product;   // of a price
  std::string claim;  // of a customer: which of ours its metadata says it is …
  std::string email;  // … or its e-mail may say
  Finding finding = Finding::differs;
  std::int64_t shadow_version = 0;  // 0: there is none
};

// Of a page of Stripe's list: those that are to be repaired.
std::vector<Difference> differences_of(const stripe::ObjectPage& page, const std::map<StripeId, KnownObject>& known,
                                       const Scope& scope, Timestamp since);

// How many of a page are what.
std::map<Finding, std::int64_t> tally(const stripe::ObjectPage& page, const std::map<StripeId, KnownObject>& known,
                                      const Scope& scope, Timestamp since);

// A shadow that is marked: Stripe is to be asked for it.
Difference marked_difference(const StripeObject& shadow);

// The same difference, found again by the same walk, is the same event.
IncomingEvent repair_of(const Difference& difference, const Scope& scope, Timestamp walk_began, Timestamp now);

// What Stripe listed, as hashes of 64 bits: a million objects are 8 MB. Two of one hash hide that one of them is gone
// until the other is, too.
class ListedObjects {
 public:
  void add(const std::string& object_type, const StripeId& id);
  bool has(const std::string& object_type, const StripeId& id);

 private:
  std::vector<std::uint64_t> hashes_;
  bool sorted_ = true;
};

// What a walk asks for next, and what it has found.
class ReconcileWalk {
 public:
  enum class Phase : std::uint8_t { listing, missing, end };

  explicit ReconcileWalk(Timestamp began) : began_(began) {}

  Phase phase() const { return phase_; }
  Timestamp began() const { return began_; }
  const std::string& type() const { return type_; }
  const std::string& after() const { return after_; }  // the id behind which the next page begins

  // When the first page of the type's list was true, by Stripe's clock: a shadow that is not older may be of an object
  // that was made since.
  Timestamp listed_from() const { return listed_from_.at(index_); }

  // A page of Stripe's list, true from then on, was compared; `known` of its objects are known here.
  void on_listed(const stripe::ObjectPage& page, Timestamp true_from, std::int64_t known);

  // Those of a page of shadows older than listed_from(), in order of their ids, that Stripe did not list. An empty page
  // ends the type. invalid_operation: not one object of ours was among what Stripe listed: another account's key, more
  // likely than a loss of all.
  Result<std::vector<Difference>> on_mirrored(const std::vector<MirroredObject>& page);

  std::int64_t compared() const { return compared_; }

 private:
  void next_type();

  Timestamp began_;
  Phase phase_ = Phase::listing;
  std::size_t index_ = 0;
  std::string type_ = kReconciledTypes[0];
  std::array<Timestamp, kReconciledTypes.size()> listed_from_{};
  std::string after_;
  ListedObjects listed_;
  std::int64_t compared_ = 0;
  std::int64_t recognised_ = 0;
};

}  // namespace flexsync::sync
