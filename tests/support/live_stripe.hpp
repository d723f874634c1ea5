// A small live Stripe behind the transport: customers made, changed, deleted, fetched and listed by HTTP requests or
// in its dashboard, idempotency keys by Stripe's rules, a clock of which only whole seconds show, an event for every
// change. https://docs.stripe.com/api/idempotent_requests, https://docs.stripe.com/api/customers
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/clock.hpp"
#include "stripe/customer.hpp"
#include "stripe/transport.hpp"
#include "support/actor_fakes.hpp"

namespace flexsync::test {

class LiveStripe final : public stripe::Transport {
 public:
  enum class Fault {
    lost_before,    // the connection is lost; nothing was carried out
    lost_after,     // carried out, but the answer is lost
    timeout_after,  // likewise, by a timeout
    error_before,   // 500 before anything began: not kept under the key
    error_kept,     // 500 while it was carried out: not done, and kept under the key
    error_after,    // done, but answered with a 500 that is kept under the key
    limited,        // 429
    in_use,         // 409: another request with this key is under way
  };
  struct Object {
    stripe::CustomerState state;
    std::int64_t created = 0;  // in seconds
    bool deleted = false;
  };
  struct Request {
    std::string method;
    std::string path;
    std::string body;
    std::string key;
    Timestamp at;
    int status = 0;  // 0: the connection failed
    bool executed = false;
    bool replayed = false;
  };

  LiveStripe(HeldCalls& held, const Clock& clock) : held_(held), clock_(clock) {}

  void send(stripe::HttpRequest request, std::function<void(stripe::HttpResult)> reply) override;

  // In the dashboard.
  StripeId create(stripe::CustomerState state);
  void change(const StripeId& id, stripe::CustomerState state);
  void remove(const StripeId& id);

  Script<Fault> script;
  bool down = false;     // connections are refused
  std::string down_for;  // likewise, but only those that come with this key
  bool revoked = false;  // 401 for every key

  const std::map<std::string, Object>& objects() const { return objects_; }
  const std::vector<Request>& requests() const { return requests_; }
  std::vector<CustomerEvent> events;  // emitted so far; whoever delivers them takes them out

 private:
  struct Kept {
    std::string request;  // method, path and body: another one under the same key is an error
    int status = 0;
    std::string body;
    Timestamp at;
  };
  struct Answer {
    int status = 200;
    std::string body;
    bool replayed = false;
    bool lost = false;
    bool timed_out = false;
    bool refused = false;
  };

  Answer handle(const stripe::HttpRequest& request, std::optional<Fault> fault);
  Answer under_key(const stripe::HttpRequest& request, const std::string& key, std::optional<Fault> fault);
  Answer execute(const stripe::HttpRequest& request, const std::string& key);
  Answer list(const std::string& query) const;
  Answer create_by_form(const std::string& body, const std::string& key);
  Answer update_by_form(Object& object, const std::string& body, const std::string& key);
  void emit(const std::string& type, const stripe::CustomerState& state, const std::string& key);
  std::int64_t second() const { return to_unix_seconds(clock_.now()); }

  HeldCalls& held_;
  const Clock& clock_;
  std::map<std::string, Object> objects_;
  std::map<std::string, Kept> kept_;
  std::vector<Request> requests_;
  int last_id_ = 0;
  int last_event_ = 0;
};

}  // namespace flexsync::test
