#include "sync/reconcile.hpp"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "domain/sha256.hpp"
#include "sync/customer.hpp"
#include "sync/identity.hpp"
#include "sync/plan.hpp"
#include "sync/price.hpp"
#include "sync/subscription.hpp"

namespace flexsync::sync {

namespace {

constexpr std::size_t kIdDigits = 32;

// A page may leave out what the shadow has (a price's tiers): what it shows decides.
bool is_as(const StripeObject& shadow, stripe::ObjectState listed) {
  std::visit([&](auto& object) { complete_from(shadow, object); }, listed);
  return stripe::to_canonical(listed) == shadow.state;
}

// Of a price. Whose shadow is empty does not say it: then it is looked up.
StripeId product_of(const StripeObject& shadow) {
  return shadow.object_type == "price" && !shadow.state.empty() ? stripe::price_from_canonical(shadow.state).product
                                                                : StripeId{};
}

// The id is the difference's own: of this object in this state, found by this walk.
StripeEventId repair_id(const Difference& difference, Timestamp walk_began) {
  const auto name = difference.object.type + '/' + difference.object.id.str() + '/' +
                    std::to_string(difference.shadow_version) + '/' + std::to_string(to_unix_micros(walk_began));
  return StripeEventId{"reconcile_" + sha256_hex(name).substr(0, kIdDigits)};
}

}  // namespace

std::string to_string(Finding finding) {
  switch (finding) {
    case Finding::equal:
      return "equal";
    case Finding::differs:
      return "differs";
    case Finding::absent:
      return "absent";
    case Finding::gone:
      return "gone";
    case Finding::waiting:
      return "waiting";
    case Finding::elsewhere:
      return "elsewhere";
  }
  throw std::invalid_argument("no such finding");
}

Finding compare(const stripe::ListedObject& listed, const KnownObject& known, const Scope& scope, Timestamp since) {
  if (belongs_elsewhere(listed.state, scope)) {
    return Finding::elsewhere;
  }
  if (!known.shadow) {
    const auto missing = listed.created < since ? Finding::elsewhere : Finding::absent;
    return known.waits ? Finding::waiting : missing;
  }
  const auto& shadow = *known.shadow;
  const bool is_final = shadow.deleted && !stripe::is_ended(listed.state);
  if (is_final || (!shadow.needs_reconcile && is_as(shadow, listed.state))) {
    return Finding::equal;
  }
  return known.waits ? Finding::waiting : Finding::differs;
}

namespace {

const KnownObject kUnknown;

// What is known of a listed object, and what that comes to.
template <class Take>
void compare_all(const stripe::ObjectPage& page, const std::map<StripeId, KnownObject>& known, const Scope& scope,
                 Timestamp since, Take take) {
  for (const auto& listed : page.objects) {
    const auto found = known.find(stripe::key_of(listed.state).id);
    const auto& stored = found == known.end() ? kUnknown : found->second;
    take(listed, stored, compare(listed, stored, scope, since));
  }
}

Difference difference_of(const stripe::ObjectState& listed, Finding finding, std::int64_t shadow_version) {
  Difference difference;
  difference.object = stripe::key_of(listed);
  if (const auto* price = std::get_if<stripe::PriceState>(&listed)) {
    difference.product = price->product;
  } else if (const auto* customer = std::get_if<stripe::CustomerState>(&listed)) {
    difference.claim = claimed_entity(listed).value_or("");
    difference.email = customer->email;
  }
  difference.finding = finding;
  difference.shadow_version = shadow_version;
  return difference;
}

}  // namespace

std::vector<Difference> differences_of(const stripe::ObjectPage& page, const std::map<StripeId, KnownObject>& known,
                                       const Scope& scope, Timestamp since) {
  std::vector<Difference> differences;
  compare_all(page, known, scope, since, [&](const auto& listed, const auto& stored, Finding finding) {
    if (finding == Finding::differs || finding == Finding::absent) {
      differences.push_back(difference_of(listed.state, finding, stored.shadow ? stored.shadow->version : 0));
    }
  });
  return differences;
}

std::map<Finding, std::int64_t> tally(const stripe::ObjectPage& page, const std::map<StripeId, KnownObject>& known,
                                      const Scope& scope, Timestamp since) {
  std::map<Finding, std::int64_t> counts;
  compare_all(page, known, scope, since, [&](const auto&, const auto&, Finding finding) { ++counts[finding]; });
  return counts;
}

Difference marked_difference(const StripeObject& shadow) {
  return {{shadow.object_type, shadow.stripe_id}, product_of(shadow), {}, {}, Finding::differs, shadow.version};
}

IncomingEvent repair_of(const Difference& difference, const Scope& scope, Timestamp walk_began, Timestamp now) {
  const auto id = repair_id(difference, walk_began);
  nlohmann::json object{{"id", difference.object.id.str()}, {"object", difference.object.type}};
  if (!difference.product.empty()) {
    object["product"] = difference.product.str();
  }
  if (!difference.claim.empty()) {
    object["metadata"][std::string(stripe::kMetadataCustomerId)] = difference.claim;
  }
  if (!difference.email.empty()) {
    object["email"] = difference.email;
  }
  if (difference.finding == Finding::gone) {
    object["deleted"] = true;
  }
  const nlohmann::json event{{"id", id.str()},
                             {"object", "event"},
                             {"type", stripe::kReconcileEvent},
                             {"created", to_unix_seconds(now)},
                             {"data", {{"object", std::move(object)}}}};
  const bool is_price = difference.object.type == "price" && !difference.product.empty();
  IncomingEvent repair;
  repair.scope = scope;
  repair.id = id;
  repair.type = stripe::kReconcileEvent;
  repair.object_type = is_price ? "product" : difference.object.type;
  repair.object_id = (is_price ? difference.product : difference.object.id).str();
  repair.created = now;
  repair.received = now;
  repair.request_id = "reconcile";
  repair.payload = event.dump();
  return repair;
}

// --- what was listed ----------------------------------------------------------------------------------------------

namespace {

std::uint64_t hash_of(const std::string& object_type, const StripeId& id) {
  return std::hash<std::string>{}(object_type + '/' + id.str());
}

}  // namespace

void ListedObjects::add(const std::string& object_type, const StripeId& id) {
  hashes_.push_back(hash_of(object_type, id));
  sorted_ = false;
}

bool ListedObjects::has(const std::string& object_type, const StripeId& id) {
  if (!std::exchange(sorted_, true)) {
    std::sort(hashes_.begin(), hashes_.end());
  }
  return std::binary_search(hashes_.begin(), hashes_.end(), hash_of(object_type, id));
}

// --- the walk -----------------------------------------------------------------------------------------------------

void ReconcileWalk::on_listed(const stripe::ObjectPage& page, Timestamp true_from, std::int64_t known) {
  if (after_.empty()) {
    listed_from_.at(index_) = true_from;
  }
  for (const auto& id : page.ids) {
    listed_.add(type_, id);
  }
  compared_ += static_cast<std::int64_t>(page.objects.size());
  recognised_ += known;
  if (page.has_more) {
    after_ = page.last_id;
  } else {
    next_type();
  }
}

Result<std::vector<Difference>> ReconcileWalk::on_mirrored(const std::vector<MirroredObject>& page) {
  if (!page.empty() && recognised_ == 0) {
    return fail(ErrorCode::invalid_operation,
                "Stripe lists none of the objects that are mirrored: is the key another account's? Nothing is taken as "
                "deleted");
  }
  std::vector<Difference> gone;
  for (const auto& [shadow, waits] : page) {
    if (!waits && !listed_.has(type_, shadow.stripe_id)) {
      gone.push_back({{type_, shadow.stripe_id}, product_of(shadow), {}, {}, Finding::gone, shadow.version});
    }
  }
  if (page.empty()) {
    next_type();
  } else {
    after_ = page.back().shadow.stripe_id.str();
  }
  return gone;
}

void ReconcileWalk::next_type() {
  after_.clear();
  if (++index_ == kReconciledTypes.size()) {
    index_ = 0;
    phase_ = phase_ == Phase::listing ? Phase::missing : Phase::end;
  }
  type_ = kReconciledTypes.at(index_);
}

}  // namespace flexsync::sync
