// The story: what happens in Stripe, what Flexsync makes of it, and whether both ended equal.
#pragma once

#include <map>
#include <string>
#include <vector>

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

  // story_end.cpp: true when both sides are equal
  bool both_sides_compared();

 private:
  // Changes a customer and says so; the event's id.
  std::string change(const std::string& customer, const Form& fields, const std::string& what);
  void show_customers();
  void show_fields(const std::string& customer, const std::vector<std::string>& fields);
  void show_events(const std::vector<std::string>& events);
  bool compare_customer(const Json& customer, Table& overview);
  bool compare_deleted();
  void show_counts();
  int calls_to_stripe();  // of Flexsync's, answered so far

  World& world_;
  Screen& screen_;
  std::string ada_;
  std::string grace_;
  std::string alan_;
  void send_usage(const Json& events);
  void show_batches();

  std::string katherine_;                // ours
  std::string katherine_stripe_;         // Stripe's
  std::map<std::string, Json> deleted_;  // the last state of those deleted in Stripe
};

}  // namespace flexsync::app::demo
