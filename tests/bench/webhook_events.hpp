// What the load generator sends: event bodies, made from their number alone.
//
// customers: one `customer.created` each, later rounds change them. mixed: a catalogue of products and prices, then the
// lives of customers with a subscription each, many side by side, eight events a life: the customer is created, gets a
// subscription, changes its address; the subscription changes quantity and price, gains an addon item, is renewed, and
// is cancelled at the period's end (one in eight: at once). One event in a hundred changes a product or a price. Every
// fourth life is told in an older API version. Events of an object are never of the same second, and in order: nothing
// has to be asked of Stripe.
#pragma once

#include <cstddef>
#include <ctime>
#include <string>
#include <vector>

namespace flexsync::bench {

struct EventOptions {
  bool mixed = false;
  long count = 100'000;      // events
  long customers = 100'000;  // distinct ones; mixed: as many as the count has lives for
  std::size_t body_bytes = 2'500;
  std::string prefix = "a";  // of ids, so that runs do not repeat them
};

class WebhookEvents {
 public:
  explicit WebhookEvents(EventOptions options);

  std::string id(long n) const { return "evt_" + options_.prefix + std::to_string(n); }
  std::string body(long n) const;

 private:
  enum class Kind { product, price, life };
  struct Event {
    Kind kind;
    long subject;  // which product, price or customer
    int step;      // 0: it is created
  };
  struct Text {
    const char* type;
    std::string object;
    const char* version;
  };

  void plan_mixed();
  Text customer_round(long n) const;
  Text mixed(const Event& event, long created) const;
  Text life(long subject, int step, long created) const;
  std::string name(const char* kind, long number) const;
  std::string product(long number, int step) const;
  std::string price(long number, int step) const;
  std::string customer(long number, const std::string& name, int step) const;
  std::string subscription(long number, int step, long created, bool old_version) const;
  std::string item(const std::string& id, long price_number, int quantity, const std::string& period) const;

  EventOptions options_;
  long begin_;                 // no event is older
  std::vector<Event> events_;  // mixed
};

}  // namespace flexsync::bench
