// Scenes in which the way from Stripe to us misbehaves.
#include "app/demo/comparison.hpp"
#include "app/demo/patience.hpp"
#include "app/demo/story.hpp"
#include "domain/clock.hpp"

namespace flexsync::app::demo {

namespace {

// Of the right form and time, but made without the secret.
std::string forged_signature() {
  return "Stripe-Signature: t=" + std::to_string(to_unix_seconds(SystemClock().now())) + ",v1=" + std::string(64, '0');
}

Json hold(int count) {
  return {{{"action", "hold"}, {"count", count}}};
}

}  // namespace

void Story::wrong_order() {
  screen_.scene("Two changes arrive in the wrong order");
  world_.next_deliveries(hold(2));
  const auto older = change(ada_, {{"address[city]", "Ockham"}}, "Ada moves to Ockham (the webhook is held back)");
  world_.advance_clock(60);
  const auto newer = change(ada_, {{"address[city]", "Marylebone"}}, "a minute later to Marylebone (held back, too)");
  world_.release_held("reversed");
  screen_.stripe("delivers both, the newer one first");
  world_.settle();
  screen_.flexsync("applied the newer state; the older one came too late to matter");
  show_events({newer, older});
  show_fields(ada_, {"address_city"});
  world_.advance_clock(60);
}

void Story::same_second() {
  screen_.scene("Two changes within the same second, in the wrong order");
  screen_.say(
      "Stripe's timestamps have a resolution of one second and its event ids no order. When two states are "
      "tied, only Stripe knows which one is true, so Flexsync asks.");
  const auto asked_before = calls_to_stripe();
  world_.next_deliveries(hold(2));
  const auto first = change(grace_, {{"email", "hopper@example.com"}}, "Grace's e-mail becomes hopper@…");
  const auto second = change(grace_, {{"email", "admiral@example.com"}}, "in the same second admiral@…");
  world_.release_held("reversed");
  screen_.stripe("delivers both, the newer one first");
  world_.settle();
  const auto asked = calls_to_stripe() - asked_before;
  screen_.flexsync("asked Stripe " + std::to_string(asked) + (asked == 1 ? " time" : " times") +
                   " what is true now, instead of guessing");
  show_events({second, first});
  show_fields(grace_, {"email"});
  world_.advance_clock(60);
}

void Story::webhook_gets_lost() {
  screen_.scene("Webhooks get lost on their way");
  world_.next_deliveries({{{"action", "drop"}, {"times", 2}}});
  const auto dropped = change(alan_, {{"address[city]", "Manchester"}}, "Alan moves; the network drops the webhook");
  world_.settle({dropped});
  Table table({{"attempt", true}, {"became"}, {"answered", true}});
  for (const auto& attempt : world_.attempts(dropped)) {
    const auto status = attempt.at("status").get<int>();
    table.add({std::to_string(attempt.at("attempt").get<int>()), attempt.at("outcome").get<std::string>(),
               status == 0 ? "" : std::to_string(status)});
  }
  screen_.stripe("tries again");
  screen_.table(table);
  world_.advance_clock(60);

  world_.next_deliveries({{{"action", "drop"}, {"lost", true}}});
  const auto lost = change(alan_, {{"metadata[team]", "computing"}}, "another change; this webhook is lost for good");
  world_.settle();
  if (!world_.event(lost).is_null()) {
    throw Failure("the lost webhook arrived all the same");
  }
  screen_.flexsync("knows nothing of it");
  world_.resend(lost);
  screen_.stripe("somebody presses “Resend” in the dashboard");
  world_.settle({lost});
  screen_.flexsync("applied it");
  show_fields(alan_, {"address_city", "metadata.team"});
  world_.advance_clock(60);
}

void Story::stranger_knocks() {
  screen_.scene("A stranger sends a webhook of his own");
  const Json forged{{"id", "evt_forged"},
                    {"object", "event"},
                    {"type", "customer.deleted"},
                    {"created", 1},
                    {"data", {{"object", {{"id", ada_}, {"object", "customer"}}}}}};
  const auto reply = world_.api().raw("POST", world_.webhook_path(), forged.dump(),
                                      {"Content-Type: application/json", forged_signature()});
  const auto error = Json::parse(reply.body).at("error");
  screen_.flexsync("answered " + std::to_string(reply.status) + ": " + error.at("message").get<std::string>());
  if (reply.status != 400 || !world_.event("evt_forged").is_null()) {
    throw Failure("a webhook with a wrong signature must be refused and not be stored");
  }
  screen_.flexsync("stored nothing");
}

void Story::customer_is_deleted() {
  screen_.scene("A customer is deleted in Stripe, and an older change arrives after that");
  world_.next_deliveries(hold(1));
  const auto late = change(alan_, {{"name", "Alan Mathison Turing"}}, "a last change (the webhook is held back)");
  world_.advance_clock(60);
  deleted_[alan_] = world_.stripe().get("/v1/customers/" + alan_);
  const auto customer_id = world_.mapping(alan_).at("entity_id").get<std::string>();
  world_.delete_customer(alan_);
  const auto deletion = world_.last_event(alan_);
  screen_.event("customer.deleted", deletion, "Alan is deleted");
  world_.settle({deletion});
  world_.release_held("given");
  screen_.stripe("delivers the older change at last");
  world_.settle();
  show_events({deletion, late});
  const auto ours = world_.api().get("/v1/customers/" + customer_id);
  screen_.flexsync(std::string("the mapping ") + (world_.mapping(alan_).is_null() ? "has ended" : "still lives") +
                   "; our customer " + customer_id + " stays, " + ours.at("status").get<std::string>() +
                   ", with the last name Stripe knew: " + ours.at("name").get<std::string>());
  screen_.say("That is the setting sync.customer_deleted = \"log\"; \"archive\" and \"delete\" take ours along.");
}

}  // namespace flexsync::app::demo
