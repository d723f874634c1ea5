// The story: what happens in Stripe, what Flexsync makes of it, and whether both ended equal.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/demo/comparison.hpp"
#include "app/demo/screen.hpp"
#include "app/demo/world.hpp"

namespace flexsync::app::demo {

class Story {
 public:
  Story(World& world, Screen& screen) : world_(world), screen_(screen) {}

  // story_changes.cpp
  void customers_appear();
  void customers_change();
  void webhook_comes_twice();

  // story_faults.cpp
  void wrong_order();
  void same_second();
  void webhook_gets_lost();
  void stranger_knocks();
  void customer_is_deleted();

  // story_outbound.cpp
  void customer_is_made_here();
  void both_sides_change();
  void stripe_is_down();

  // story_usage.cpp
  void usage_is_metered();
  void customer_comes_later();
  void usage_comes_late();
  bool usage_is_proved();

  // story_subscription.cpp
  void products_appear();
  void somebody_subscribes();
  void subscription_grows();
  void payment_fails();
  void subscription_ends();

  // story_end.cpp: true when both sides are equal
  bool both_sides_compared();

 private:
  // Changes a customer and says so; the event's id.
  std::string change(const std::string& customer, const Form& fields, const std::string& what);
  void show_customers();
  void show_fields(const std::string& customer, const std::vector<std::string>& fields);
  // Makes it in Stripe and says so; its id.
  std::string make_product(const std::string& name, const std::string& description);
  std::string make_price(const std::string& product, const std::string& cents, const std::string& what);
  // The event's id.
  std::string say_subscription(const std::string& type, const std::string& what);
  std::string change_subscription(const Form& fields, const std::string& what);
  void show_catalog();
  bool show_subscription();  // true when both sides show the same
  void show_events(const std::vector<std::string>& events);
  bool compare_customer(const Json& customer, Table& overview);
  bool compare_deleted();
  // True when all are equal; what differs is said.
  bool judge(const std::string& id, const std::string& own_id, const std::vector<FieldPair>& pairs, Table& overview);
  // story_end_catalog.cpp
  bool compare_catalog(Table& overview);
  bool compare_subscriptions(const Catalog& catalog, Table& overview);
  bool counted(const std::string& what, std::size_t stripe, std::size_t own);
  void show_counts();
  int calls_to_stripe();  // of Flexsync's, answered so far

  World& world_;
  Screen& screen_;
  std::string ada_;
  std::string grace_;
  std::string alan_;
  void send_usage(const Json& events);
  void show_batches();

  std::string katherine_;         // ours
  std::string katherine_stripe_;  // Stripe's
  std::string basic_price_;
  std::string pro_price_;
  std::string seat_price_;
  std::string subscription_;             // Stripe's
  std::map<std::string, Json> deleted_;  // the last state of those deleted in Stripe
};

}  // namespace flexsync::app::demo
