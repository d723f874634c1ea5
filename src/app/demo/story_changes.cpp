// Scenes in which all goes well, and one in which a webhook comes twice.
#include <algorithm>

#include "app/demo/comparison.hpp"
#include "app/demo/patience.hpp"
#include "app/demo/story.hpp"

namespace flexsync::app::demo {

std::string Story::change(const std::string& customer, const Form& fields, const std::string& what) {
  world_.update_customer(customer, fields);
  auto event = world_.last_event(customer);
  screen_.event("customer.updated", event, what);
  return event;
}

void Story::show_customers() {
  Table table({{"in Stripe"}, {"in Flexsync"}, {"name"}, {"e-mail"}, {"city"}});
  for (const auto& customer : world_.customers_in_stripe()) {
    const auto id = customer.at("id").get<std::string>();
    const auto ours = world_.customer(id);
    table.add({id, ours.value("id", "(nothing)"), ours.value("name", ""), ours.value("email", ""),
               ours.value("address_city", "")});
  }
  screen_.table(table);
}

void Story::show_fields(const std::string& customer, const std::vector<std::string>& fields) {
  const auto in_stripe = world_.stripe().get("/v1/customers/" + customer);
  const auto ours = world_.customer(customer);
  Table table({{"field"}, {"in Stripe"}, {"in Flexsync"}});
  for (const auto& pair : compare(in_stripe, ours)) {
    if (std::find(fields.begin(), fields.end(), pair.field) != fields.end()) {
      table.add({pair.field, pair.stripe, pair.flexsync});
    }
  }
  screen_.table(table);
}

void Story::show_events(const std::vector<std::string>& events) {
  Table table({{"event"}, {"Stripe made it at"}, {"became"}, {"because"}});
  for (const auto& id : events) {
    const auto event = world_.event(id);
    table.add({id, event.value("created", ""), event.value("state", ""), event.value("reason", "")});
  }
  screen_.table(table);
}

void Story::customers_appear() {
  screen_.scene("Customers are created in Stripe");
  const auto create = [this](const Form& fields) {
    const auto customer = world_.create_customer(fields);
    auto id = customer.at("id").get<std::string>();
    screen_.event("customer.created", world_.last_event(id), customer.at("name").get<std::string>());
    return id;
  };
  ada_ = create({{"name", "Ada Lovelace"}, {"email", "ada@example.com"}, {"address[city]", "London"}});
  grace_ = create({{"name", "Grace Hopper"}, {"email", "grace@example.com"}, {"address[city]", "New York"}});
  alan_ = create({{"name", "Alan Turing"}, {"email", "alan@example.com"}, {"address[city]", "Wilmslow"}});
  world_.settle();
  screen_.flexsync("answered each 200, after its commit, then made a customer and a mapping of it");
  show_customers();
  world_.advance_clock(60);
}

void Story::customers_change() {
  screen_.scene("They change: an address, a name, metadata");
  change(ada_,
         {{"address[line1]", "12 St James's Square"},
          {"address[postal_code]", "SW1Y 4JH"},
          {"address[country]", "GB"},
          {"phone", "+44 20 7946 0018"}},
         "Ada moves");
  change(grace_, {{"name", "Rear Admiral Grace Hopper"}, {"metadata[plan]", "enterprise"}}, "Grace is promoted");
  world_.settle();
  screen_.flexsync("took over what differs, and left everything else alone");
  show_fields(ada_, {"address_line1", "address_city", "address_postal_code", "address_country", "contact"});
  show_fields(grace_, {"name", "metadata.plan"});
  world_.advance_clock(60);
}

void Story::webhook_comes_twice() {
  screen_.scene("A webhook comes twice");
  screen_.say("Stripe promises to deliver at least once, not exactly once.");
  world_.next_deliveries({{{"action", "duplicate"}}});
  const auto event = change(alan_, {{"phone", "+44 1625 555 0123"}}, "Alan has a new phone");
  world_.settle();
  Table table({{"delivery", true}, {"of event"}, {"answered", true}});
  int number = 0;
  for (const auto& attempt : world_.attempts(event)) {
    table.add({std::to_string(++number), event, std::to_string(attempt.at("status").get<int>())});
  }
  screen_.table(table);
  const auto seen = world_.event(event);
  screen_.flexsync("answered both, stored one, and changed the customer " + std::to_string(seen.at("changes").size()) +
                   (seen.at("changes").size() == 1 ? " time" : " times"));
  show_fields(alan_, {"contact"});
  if (seen.at("changes").size() != 1) {
    throw Failure("the duplicated event should have changed the customer once");
  }
  world_.advance_clock(60);
}

}  // namespace flexsync::app::demo
