// The HTTP server: a public listener (API and webhooks) and an admin listener (health, metrics).
//
// The problem: a webhook's answer waits for a commit that it shares with many others, so thousands of requests are
// in flight while nothing computes; a read blocks on the database. A thread per request would pay for waiting with
// stacks, one pool for both would let slow reads hold up webhooks. So: a few I/O threads, each with its own event
// loop and its own connections (no locks, no strands), answer webhooks through callbacks, and a bounded pool of
// workers runs everything that blocks.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "domain/clock.hpp"
#include "domain/commands.hpp"
#include "domain/error.hpp"
#include "domain/ports.hpp"
#include "domain/usage_ports.hpp"
#include "telemetry/metrics.hpp"

namespace flexsync::http {

// Every limit of the server. The configuration reads its defaults from here.
struct ServerConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free port, see Server::port()
  std::string admin_address = "127.0.0.1";
  std::uint16_t admin_port = 9090;  // 0: any free port

  int io_threads = 1;                  // event loops; one carries more webhooks than PostgreSQL commits
  int worker_threads = 4;              // requests that may block on the database at the same time
  std::size_t worker_queue_max = 256;  // requests that wait for a worker; more are answered 503

  std::size_t header_size_max = 16 * 1024;             // request line and headers; over it 431
  std::size_t body_size_max = 1024 * 1024;             // a request's body, except as below; over it 413
  std::size_t events_body_size_max = 8 * 1024 * 1024;  // of POST /v1/events/bulk: 1,000 events of 8 kB
  std::size_t webhook_body_size_max = 1024 * 1024;     // a webhook's body; over it 413
  int json_depth_max = 64;                             // nesting of a request's JSON; over it 400
  int connections_max = 10'000;                        // on the public listener; more are closed at once
  int admin_connections_max = 64;                      // likewise on the admin listener

  int header_timeout_ms = 10'000;  // from a request's first byte to the end of its headers; over it 408
  int body_timeout_ms = 30'000;    // from there to the end of its body; over it 408
  int answer_timeout_ms = 40'000;  // from there to our answer; over it 503. Longer than wait_max_ms
  int write_timeout_ms = 30'000;   // to write an answer to a slow reader; over it the connection is closed
  int idle_timeout_ms = 75'000;    // between two requests of a connection
  int linger_timeout_ms = 1'000;   // after the last answer, for the client to read it and close

  int wait_max_ms = 10'000;  // how long "Prefer: wait" waits for Stripe, unless it names less; at most 30 s

  // Addresses ("10.0.0.1") or networks ("10.0.0.0/8") whose X-Forwarded-For is believed.
  std::vector<std::string> trusted_proxies;
  // Who may deliver webhooks, in the same notation; empty: anybody, the signature decides.
  std::vector<std::string> webhook_ip_allow_list;

  // The server speaks no TLS yet: the public listener stays on loopback unless a proxy in front terminates it.
  bool allow_plaintext = false;
};

// What the server needs of the rest; all of it outlives the server.
struct Ports {
  WebhookVerifier& verifier;
  WebhookIntake& intake;
  Queries& queries;
  CatalogQueries& catalog;
  DeadLetterCommands& dead_letters;
  Provisioning& provisioning;
  Authenticator& authenticator;
  Readiness& readiness;
  CustomerCommands& customer_commands;
  UsageIntake& usage_intake;
  UsageQueries& usage_queries;
  MeterCommands& meter_commands;
  Metrics& metrics;
  const Clock& clock;
};

class Server {
 public:
  Server(ServerConfig config, Ports ports);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds both listeners and serves. Errors: validation_error, in a sentence for whoever configured the server.
  Result<void> start();

  // The ports really bound, once start() succeeded.
  std::uint16_t port() const;
  std::uint16_t admin_port() const;

  // Accepts no more on the public listener, closes idle connections, lets requests in flight end; /health/ready says
  // no from here on. True when all had ended before the deadline. Blocks: not for I/O threads or workers.
  bool drain(std::chrono::milliseconds deadline);

  // Closes what is left and joins the threads. Answers that come later are dropped.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flexsync::http
