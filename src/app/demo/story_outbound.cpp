// The way out: what changes here is told to Stripe.
#include "app/demo/patience.hpp"
#include "app/demo/story.hpp"

namespace flexsync::app::demo {

void Story::customer_is_made_here() {
  screen_.scene("A customer is made here, and appears in Stripe");
  world_.next_deliveries({{{"action", "hold"}, {"count", 1}}});
  const auto made = world_.create_customer_here(
      {{"external_id", "katherine"}, {"name", "Katherine Johnson"}, {"email", "katherine@example.com"}});
  katherine_ = made.at("id").get<std::string>();
  katherine_stripe_ = made.at("metadata").value("stripe_customer_id", "");
  screen_.flexsync("stored customer, audit row and the intent to tell Stripe in one transaction, then told it: " +
                   katherine_ + " is " + katherine_stripe_);
  const auto before = world_.customer(katherine_stripe_);
  const auto calls_before = calls_to_stripe();
  const auto echo = world_.last_event(katherine_stripe_);
  screen_.event("customer.created", echo, "our own change comes back as a webhook");
  world_.release_held("given");
  world_.settle();
  world_.settle({echo});
  const auto calls = calls_to_stripe() - calls_before;
  const bool same = world_.customer(katherine_stripe_) == before;
  screen_.flexsync("found nothing new in it: it wrote the customer " + std::string(same ? "0 times" : "again") +
                   " and called Stripe " + std::to_string(calls) + (calls == 1 ? " time" : " times"));
  show_events({echo});
  if (world_.event(echo).at("state") != "unchanged" || !same || calls != 0) {
    throw Failure("the echo of our own change should have changed nothing");
  }
  world_.advance_clock(60);
}

void Story::both_sides_change() {
  screen_.scene("Both sides change her at once");
  world_.next_deliveries({{{"action", "hold"}, {"count", 1}}});
  change(katherine_stripe_, {{"name", "Katherine G. Johnson"}},
         "her name changes in Stripe (the webhook is held back)");
  world_.update_customer_here(katherine_, {{"contact", "+1 757 555 0112"}}, true);
  screen_.flexsync("told Stripe her new phone number, while it did not know the new name yet");
  world_.release_held("given");
  world_.settle();
  screen_.flexsync("has both changes, and so has Stripe");
  show_fields(katherine_stripe_, {"name", "contact"});
  world_.advance_clock(60);
}

void Story::stripe_is_down() {
  screen_.scene("Stripe is down");
  world_.stripe_outage(true);
  screen_.stripe("resets every connection");
  world_.update_customer_here(katherine_, {{"address_city", "Hampton"}, {"address_country", "US"}}, false);
  screen_.flexsync("answered 200 all the same: the change and the exact request to Stripe are durable");
  Table table({{"outbox"}, {"operation"}, {"state"}});
  for (const auto& intent : world_.outbox("ready")) {
    table.add({intent.at("id").get<std::string>(), intent.at("operation").get<std::string>(),
               intent.at("state").get<std::string>()});
  }
  screen_.table(table);
  world_.stripe_outage(false);
  screen_.stripe("is back");
  wait_until("the outbox to drain", [&] { return world_.outbox("ready").empty(); });
  world_.settle();
  screen_.flexsync("sent the same bytes under the same key");
  show_fields(katherine_stripe_, {"address_city", "address_country"});
  world_.advance_clock(60);
}

}  // namespace flexsync::app::demo
