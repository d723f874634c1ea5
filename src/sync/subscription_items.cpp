#include "sync/subscription_items.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

namespace flexsync::sync {

namespace {

bool is_older(const SeenItem& a, const SeenItem& b) {
  return std::tuple(!a.at_creation, a.created, a.item_id) < std::tuple(!b.at_creation, b.created, b.item_id);
}

bool is_present(const StripeId& id, const std::vector<stripe::SubscriptionItem>& items) {
  return std::any_of(items.begin(), items.end(), [&](const auto& item) { return item.id == id; });
}

// All that is known, the present ones among it, oldest first.
std::vector<SeenItem> by_age(std::vector<SeenItem> seen, const std::vector<stripe::SubscriptionItem>& items) {
  for (const auto& item : items) {
    if (std::none_of(seen.begin(), seen.end(), [&](const auto& known) { return known.item_id == item.id; })) {
      seen.push_back({item.id, item.created, item.created, false});
    }
  }
  std::sort(seen.begin(), seen.end(), is_older);
  return seen;
}

}  // namespace

std::vector<SeenItem> remember(std::vector<SeenItem> seen, const std::vector<stripe::SubscriptionItem>& items,
                               Timestamp at, bool at_creation) {
  for (const auto& item : items) {
    const auto place = std::lower_bound(seen.begin(), seen.end(), item.id,
                                        [](const SeenItem& known, const StripeId& id) { return known.item_id < id; });
    if (place == seen.end() || place->item_id != item.id) {
      seen.insert(place, {item.id, item.created, std::max(item.created, at), at_creation});
    } else {
      place->last_seen = std::max(place->last_seen, at);
      place->at_creation = place->at_creation || at_creation;
    }
  }
  return seen;
}

StripeId plan_item_of(const std::vector<SeenItem>& seen, const std::vector<stripe::SubscriptionItem>& items) {
  const auto known = by_age(seen, items);
  auto plan = known.begin();
  while (plan != known.end() && !is_present(plan->item_id, items)) {
    // It is gone: the oldest of those made after it was seen last follows it.
    plan = std::find_if(known.begin(), known.end(), [&](const auto& item) { return item.created > plan->last_seen; });
  }
  if (plan != known.end()) {
    return plan->item_id;
  }
  // Nothing came after it: the oldest addon is what is left.
  const auto oldest =
      std::find_if(known.begin(), known.end(), [&](const auto& item) { return is_present(item.item_id, items); });
  return oldest == known.end() ? StripeId{} : oldest->item_id;
}

}  // namespace flexsync::sync
