#include "app/demo/demo.hpp"

#include <iostream>

#include "app/demo/patience.hpp"
#include "app/demo/screen.hpp"
#include "app/demo/story.hpp"
#include "app/demo/world.hpp"
#include "telemetry/log.hpp"

namespace flexsync::app::demo {

namespace {

constexpr int kEqual = 0;
constexpr int kDifferent = 1;
constexpr int kInterrupted = 130;

void show_places(World& world, Screen& screen) {
  screen.fact("PostgreSQL", "private, in " + world.directory().string() + ", gone at the end");
  screen.fact("Stripe", "simulated, " + world.stripe().base_url() + "; its clock is moved by hand");
  screen.fact("Flexsync", world.api().base_url() + ", health and metrics on " + world.admin().base_url());
  screen.fact("tenant", "Acme, " + world.tenant().tenant);
  screen.fact("", "with environment Sandbox, " + world.tenant().environment);
}

void invite(World& world, Screen& screen) {
  const auto& api = world.api().base_url();
  const auto& key = world.tenant().api_key;
  screen.title("Have a look around; Ctrl-C ends it and removes everything.");
  screen.fact("Flexsync", api);
  screen.fact("metrics", world.admin().base_url() + "/metrics");
  screen.fact("Stripe", world.stripe().base_url());
  screen.fact("API key", key);
  screen.command("The customers, as Flexsync has them:",
                 "curl -s -H 'x-api-key: " + key + "' '" + api + "/v1/customers'");
  screen.command("The subscriptions, with their plans:",
                 "curl -s -H 'x-api-key: " + key + "' '" + api + "/v1/subscriptions?expand=plan'");
  screen.command("Every webhook, and what became of it:",
                 "curl -s -H 'x-api-key: " + key + "' '" + api + "/v1/webhook-events?limit=5'");
  screen.command("A customer made here, and told to Stripe before the answer:",
                 "curl -s -H 'x-api-key: " + key +
                     "' -H 'Prefer: wait' -d '{\"external_id\":\"dorothy\",\"name\":\"Dorothy " + "Vaughan\"}' '" +
                     api + "/v1/customers'");
  screen.command("What was billed to Stripe's meter:",
                 "curl -s -H 'x-api-key: " + key + "' '" + api + "/v1/stripe/sync/batches'");
  screen.command("A customer created in Stripe; ask for the customers again after it:",
                 "curl -s -u sk_test_flexsyncdemo: -d name='Emmy Noether' -d email=emmy@example.com " +
                     world.stripe().base_url() + "/v1/customers");
}

bool tell(World& world, Screen& screen) {
  Story story(world, screen);
  story.customers_appear();
  story.customers_change();
  story.webhook_comes_twice();
  story.wrong_order();
  story.same_second();
  story.webhook_gets_lost();
  story.stranger_knocks();
  story.customer_is_deleted();
  story.customer_is_made_here();
  story.both_sides_change();
  story.stripe_is_down();
  story.usage_is_metered();
  story.customer_comes_later();
  story.usage_comes_late();
  const bool proved = story.usage_is_proved();
  story.products_appear();
  story.somebody_subscribes();
  story.subscription_grows();
  story.payment_fails();
  story.subscription_ends();
  return story.both_sides_compared() && proved;
}

int play(const Options& options, Screen& screen) {
  screen.title("Flexsync: whatever Stripe sends, however late, twice or out of order, both sides end equal");
  screen.say("Starting a private PostgreSQL, a simulated Stripe and the server.");
  World world;
  show_places(world, screen);
  const bool equal = tell(world, screen);
  if (!options.once) {
    invite(world, screen);
    wait_for_stop();
  }
  return equal ? kEqual : kDifferent;
}

}  // namespace

int run(const Options& options) {
  block_stop_signals();
  log::configure(log::Level::warn, log::Format::text);
  Screen screen;
  try {
    return play(options, screen);
  } catch (const Interrupted&) {
    std::cerr << "flexsync: the demo was interrupted\n";
    return kInterrupted;
  } catch (const std::exception& failure) {
    std::cerr << "flexsync: the demo cannot go on: " << failure.what() << '\n';
    return kDifferent;
  }
}

}  // namespace flexsync::app::demo
