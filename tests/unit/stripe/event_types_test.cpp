#include "stripe/event_types.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "stripe/object_event.hpp"

using namespace flexsync::stripe;

TEST_CASE("each type stands in one group, and none is too large for a list of Stripe's") {
  std::set<std::string_view> grouped;
  for (std::size_t i = 0; i < event_type_groups(); ++i) {
    CHECK(!event_type_group(i).empty());
    CHECK(event_type_group(i).size() <= kEventTypesPerListMax);
    for (const auto type : event_type_group(i)) {
      CHECK(grouped.insert(type).second);
    }
  }
  CHECK(grouped == std::set<std::string_view>(event_types().begin(), event_types().end()));
}

TEST_CASE("every type that carries a mirrored object is asked for, and of the others the invoices' alone") {
  std::set<std::string> others;
  for (const auto type : event_types()) {
    if (!is_object_event(type)) {
      others.insert(std::string(type));
    }
  }
  CHECK(others == std::set<std::string>{"invoice.paid", "invoice.payment_failed"});

  const std::set<std::string_view> asked(event_types().begin(), event_types().end());
  for (const std::string family : {"customer", "product", "price", "plan", "customer.subscription"}) {
    for (const std::string change : {"created", "updated", "deleted", "paused", "resumed", "trial_will_end",
                                     "pending_update_applied", "pending_update_expired"}) {
      const auto type = family + "." + change;
      CAPTURE(type);
      CHECK(asked.contains(type) == is_object_event(type));
    }
  }
}
