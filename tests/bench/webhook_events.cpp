#include "webhook_events.hpp"

namespace flexsync::bench {

namespace {

constexpr const char* kVersion = "2026-10-28.endive";
constexpr const char* kOldVersion = "2024-06-20";  // the period is the subscription's, not its items'
constexpr long kPlans = 20;                        // products, of two prices each
constexpr long kPlanPrices = 2 * kPlans;
constexpr long kAddons = 5;  // products of one price
constexpr int kSteps = 8;    // of a life
constexpr long kApart = 37;  // lives that begin between two steps of one
constexpr long kMonth = 30 * 86'400;

// Prices of plans come first, two a product; then the addons', one each.
long product_of(long price) {
  return price < kPlanPrices ? price / 2 : kPlans + (price - kPlanPrices);
}

std::string quoted(const char* key, const std::string& value) {
  return '"' + std::string(key) + "\":\"" + value + '"';
}

std::string number(const char* key, long value) {
  return '"' + std::string(key) + "\":" + std::to_string(value);
}

}  // namespace

WebhookEvents::WebhookEvents(EventOptions options)
    : options_(std::move(options)), begin_(std::time(nullptr) - 2'000'000) {
  if (options_.mixed) {
    plan_mixed();
  }
}

void WebhookEvents::plan_mixed() {
  for (long p = 0; p < kPlans + kAddons; ++p) {
    events_.push_back({Kind::product, p, 0});
  }
  for (long p = 0; p < kPlanPrices + kAddons; ++p) {
    events_.push_back({Kind::price, p, 0});
  }
  int changes = 0;
  for (long newest = 0; static_cast<long>(events_.size()) < options_.count; ++newest) {
    for (int step = kSteps - 1; step >= 0; --step) {
      if (newest >= step * kApart) {
        events_.push_back({Kind::life, newest - step * kApart, step});
      }
    }
    if (newest % 12 == 11) {
      ++changes;
      const bool is_product = changes % 2 == 0;
      events_.push_back({is_product ? Kind::product : Kind::price,
                         changes / 2 % (is_product ? kPlans + kAddons : kPlanPrices + kAddons), changes});
    }
  }
}

std::string WebhookEvents::body(long n) const {
  const long created = begin_ + (options_.mixed ? n : n / options_.customers);
  const auto text = options_.mixed ? mixed(events_[static_cast<std::size_t>(n)], created) : customer_round(n);
  std::string body = "{" + quoted("id", id(n)) + R"(,"object":"event",)" + quoted("api_version", text.version) + "," +
                     number("created", created) + "," + quoted("type", text.type) +
                     R"(,"livemode":false,"pending_webhooks":1,"request":{"id":"req_1","idempotency_key":null},)"
                     R"("data":{"object":{)" +
                     text.object + R"(,"livemode":false,"padding":")";
  const std::string tail = R"("}}})";
  if (body.size() + tail.size() < options_.body_bytes) {
    body.append(options_.body_bytes - body.size() - tail.size(), 'x');
  }
  return body + tail;
}

WebhookEvents::Text WebhookEvents::customer_round(long n) const {
  const long round = n / options_.customers;
  const long who = n % options_.customers;
  const auto text = "Customer " + options_.prefix + std::to_string(who) + " round " + std::to_string(round);
  return {round == 0 ? "customer.created" : "customer.updated", customer(who, text, 0), kVersion};
}

WebhookEvents::Text WebhookEvents::mixed(const Event& event, long created) const {
  switch (event.kind) {
    case Kind::product:
      return {event.step == 0 ? "product.created" : "product.updated", product(event.subject, event.step), kVersion};
    case Kind::price:
      return {event.step == 0 ? "price.created" : "price.updated", price(event.subject, event.step), kVersion};
    case Kind::life:
      break;
  }
  return life(event.subject, event.step, created);
}

WebhookEvents::Text WebhookEvents::life(long subject, int step, long created) const {
  const bool old_version = subject % 4 == 0;
  const auto* version = old_version ? kOldVersion : kVersion;
  if (step == 0 || step == 2) {
    const auto text = "Customer " + options_.prefix + std::to_string(subject);
    return {step == 0 ? "customer.created" : "customer.updated", customer(subject, text, step), version};
  }
  const bool ends = step == kSteps - 1 && subject % 8 == 0;
  const auto* type = step == 1 ? "customer.subscription.created"
                     : ends    ? "customer.subscription.deleted"
                               : "customer.subscription.updated";
  return {type, subscription(subject, step, created, old_version), version};
}

std::string WebhookEvents::name(const char* kind, long number) const {
  return kind + options_.prefix + std::to_string(number);
}

std::string WebhookEvents::product(long number, int step) const {
  return quoted("id", name("prod_", number)) + R"(,"object":"product","active":true,)" +
         quoted("name", "Product " + std::to_string(number) + " edition " + std::to_string(step)) +
         R"(,"description":"What it holds","metadata":{"tier":"standard"})";
}

std::string WebhookEvents::price(long id, int step) const {
  const auto amount = 1'000 + 100 * id;
  return quoted("id", name("price_", id)) +
         R"(,"object":"price","active":true,"billing_scheme":"per_unit","currency":"usd","type":"recurring",)" +
         quoted("product", name("prod_", product_of(id))) + "," + number("unit_amount", amount) + "," +
         quoted("unit_amount_decimal", std::to_string(amount)) + "," +
         quoted("nickname", "Price of edition " + std::to_string(step)) +
         R"(,"recurring":{"interval":"month","interval_count":1,"usage_type":"licensed"},"metadata":{})";
}

std::string WebhookEvents::customer(long number, const std::string& text, int step) const {
  const auto id = options_.prefix + std::to_string(number);
  return quoted("id", "cus_" + id) + R"(,"object":"customer",)" + quoted("name", text) + "," +
         quoted("email", "c" + id + "@example.com") + R"(,"phone":"+1 555 0100","address":{)" +
         quoted("line1", std::to_string(step + 1) + " Main Street") +
         R"(,"line2":null,"city":"Springfield","state":"IL","postal_code":"62701","country":"US"},"balance":0,)"
         R"("metadata":{"plan":"pro","region":"emea"})";
}

std::string WebhookEvents::item(const std::string& id, long price_number, int quantity,
                                const std::string& period) const {
  return "{" + quoted("id", id) + R"(,"object":"subscription_item",)" + number("created", begin_) + "," +
         number("quantity", quantity) + R"(,"metadata":{},)" + period + R"("price":{)" + price(price_number, 0) + "}}";
}

std::string WebhookEvents::subscription(long subject, int step, long created, bool old_version) const {
  const bool ended = step == kSteps - 1 && subject % 8 == 0;
  const long period = begin_ + (step >= 6 ? kMonth : 0);  // renewed by then
  const auto dates = number("current_period_start", period) + "," + number("current_period_end", period + kMonth) + ",";
  const auto item_dates = old_version ? std::string() : dates;
  const long upgrade = step >= 4 ? 2 : 0;  // the next product
  auto items = item(name("si_", subject), (subject * 2 + upgrade) % kPlanPrices, step >= 3 ? 5 : 1, item_dates);
  if (step >= 5) {
    items += "," + item(name("si_x", subject), kPlanPrices + subject % kAddons, 1, item_dates);
  }
  return quoted("id", name("sub_", subject)) + R"(,"object":"subscription",)" +
         quoted("customer", name("cus_", subject)) + "," + quoted("status", ended ? "canceled" : "active") +
         R"(,"currency":"usd","collection_method":"charge_automatically","cancel_at_period_end":)" +
         (step == kSteps - 1 && !ended ? "true," : "false,") + number("start_date", begin_) + "," +
         number("billing_cycle_anchor", begin_) + "," + (old_version ? dates : "") +
         (ended ? number("ended_at", created) + "," + number("canceled_at", created) + "," : "") +
         R"("trial_start":null,"trial_end":null,"pause_collection":null,"metadata":{"seat":"team"},)" +
         R"("items":{"object":"list","has_more":false,"data":[)" + items + "]}";
}

}  // namespace flexsync::bench
