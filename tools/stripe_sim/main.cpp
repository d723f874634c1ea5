// stripe-sim: a stateful Stripe of our own. README.md beside this file says why, and lists the control routes.
#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <string>

#include "stripe_sim/api.hpp"
#include "stripe_sim/control/control.hpp"
#include "stripe_sim/server.hpp"

namespace stripe_sim {

namespace {

constexpr int kThreadsDefault = 2;

struct Options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  int threads = kThreadsDefault;
  std::optional<std::int64_t> start_time;
  SimulatorConfig simulator;
  DeliverySettings delivery;
};

void describe(CLI::App& app, Options& options) {
  app.add_option("--address", options.address, "Address to listen on")->capture_default_str();
  app.add_option("--port", options.port, "Port to listen on; 0: any free one")->capture_default_str();
  app.add_option("--threads", options.threads, "Threads that serve HTTP")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--api-key", options.simulator.api_key, "The only key accepted; without it, any of a valid form");
  app.add_option("--seed", options.simulator.seed, "Every id and every random fault follows from it")
      ->capture_default_str();
  app.add_option("--start-time", options.start_time, "Unix seconds the simulator's clock starts at");
  app.add_option("--webhook-concurrency", options.delivery.concurrency, "Deliveries on their way at once")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--retry-base-ms", options.delivery.retry_base_ms, "Until a delivery's first retry")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--retry-cap-ms", options.delivery.retry_cap_ms, "The longest time between two tries")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--tries-max", options.delivery.tries_max, "Tries before a delivery is given up")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

// Blocked before any thread starts, so that only sigwait sees them.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

void dispatch(Api& api, Control& control, const HttpRequest& request, const Responder& respond) {
  try {
    if (request.path.starts_with("/_sim/")) {
      control.handle(request, respond);
    } else {
      respond(api.handle(request));
    }
  } catch (const std::exception& error) {
    std::cerr << "stripe-sim: " << request.method << " " << request.path << ": " << error.what() << std::endl;
    respond(json_answer(500, {{"error", {{"type", "api_error"}, {"message", error.what()}}}}));
  }
}

// Everything in start order; stopping is the reverse.
void run(const Options& options, const sigset_t& signals) {
  Clock clock(options.start_time);
  ApiFaults api_faults(options.simulator.seed);
  RateLimits limits;
  Traffic traffic;
  Dispatcher dispatcher(clock, options.simulator.seed, options.delivery);
  Simulator simulator(options.simulator, clock, dispatcher);
  Api api(simulator, api_faults, limits, traffic);
  Control control(simulator, api_faults, limits, traffic);
  Server server(options.address, options.port, options.threads,
                [&api, &control](const HttpRequest& request, const Responder& respond) {
                  dispatch(api, control, request, respond);
                });
  std::cerr << "stripe-sim: seed " << options.simulator.seed << std::endl;
  std::cout << Json{{"address", options.address}, {"port", server.port()}}.dump() << std::endl;
  int received = 0;
  sigwait(&signals, &received);
  server.stop();
  dispatcher.stop();
}

}  // namespace

}  // namespace stripe_sim

int main(int argc, char** argv) {
  stripe_sim::Options options;
  CLI::App app{"A stateful Stripe simulator: /v1 as Stripe answers it, /_sim to steer it"};
  stripe_sim::describe(app, options);
  CLI11_PARSE(app, argc, argv);
  const sigset_t signals = stripe_sim::block_stop_signals();
  try {
    stripe_sim::run(options, signals);
  } catch (const std::exception& error) {
    std::cerr << "stripe-sim: " << error.what() << std::endl;
    return 1;
  }
  return 0;
}
