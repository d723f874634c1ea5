#include "stripe/meter.hpp"

#include <nlohmann/json.hpp>

#include "stripe/form.hpp"

namespace flexsync::stripe {

namespace {

using nlohmann::json;

tl::unexpected<Error> unreadable(const std::string& what) {
  return fail(ErrorCode::validation_error, "Stripe's answer cannot be read: " + what);
}

std::string text_at(const json& document, const json::json_pointer& where) {
  const auto* found = document.contains(where) ? &document.at(where) : nullptr;
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

// A document whose numbers with a fraction or an exponent stay text.
class ExactReader : public json::json_sax_t {
 public:
  json take() { return std::move(root_); }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return put(text); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool key(string_t& name) override {
    key_ = std::move(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  json* place() {
    if (open_.empty()) {
      return &root_;
    }
    auto& parent = *open_.back();
    if (parent.is_object()) {
      return &parent[key_];
    }
    parent.push_back(nullptr);
    return &parent.back();
  }
  bool put(json value) {
    *place() = std::move(value);
    return true;
  }
  bool open(json value) {
    auto* at = place();
    *at = std::move(value);
    open_.push_back(at);
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  json root_;
  std::vector<json*> open_;  // of an array only the last element is open, and it moves no more before it is closed
  std::string key_;
};

std::optional<Timestamp> time_of(const json& object, const char* key) {
  const auto seconds = Decimal::parse(text_at(object, json::json_pointer(std::string("/") + key)));
  if (!seconds || !seconds->is_whole() || seconds->digits() > 12) {
    return std::nullopt;
  }
  return from_unix_seconds(std::stoll(seconds->str()));
}

}  // namespace

std::string meter_event_body(const UsageBatch& batch) {
  return encode_form({{"event_name", batch.event_name},
                      {"identifier", batch.identifier},
                      {"timestamp", std::to_string(to_unix_seconds(batch.timestamp))},
                      {bracketed("payload", batch.customer_key), batch.stripe_customer_id.str()},
                      {bracketed("payload", batch.value_key), batch.value.str()}});
}

Result<BillingMeter> parse_billing_meter(std::string_view text) {
  const auto document = json::parse(text, nullptr, false);
  if (!document.is_object() || text_at(document, "/object"_json_pointer) != "billing.meter") {
    return unreadable("it is no billing meter");
  }
  BillingMeter meter{StripeId(text_at(document, "/id"_json_pointer)),
                     text_at(document, "/event_name"_json_pointer),
                     text_at(document, "/status"_json_pointer),
                     text_at(document, "/default_aggregation/formula"_json_pointer),
                     text_at(document, "/customer_mapping/event_payload_key"_json_pointer),
                     text_at(document, "/value_settings/event_payload_key"_json_pointer)};
  if (meter.id.empty() || meter.event_name.empty() || meter.formula.empty() || meter.customer_key.empty() ||
      meter.value_key.empty()) {
    return unreadable("a billing meter without id, event_name, formula, customer or value key");
  }
  return meter;
}

Result<MeterSummaryPage> parse_meter_summaries(std::string_view text) {
  ExactReader reader;
  if (!json::sax_parse(text, &reader)) {
    return unreadable("the meter's summaries are not JSON");
  }
  const auto document = reader.take();
  if (!document.is_object() || !document.contains("data") || !document["data"].is_array()) {
    return unreadable("the meter's summaries have no data");
  }
  MeterSummaryPage page;
  page.has_more = document.contains("has_more") && document["has_more"] == true;
  for (const auto& object : document["data"]) {
    const auto value = Decimal::parse(text_at(object, "/aggregated_value"_json_pointer));
    const auto start = time_of(object, "start_time");
    const auto end = time_of(object, "end_time");
    if (!value || !start || !end) {
      return unreadable("a summary without start_time, end_time or aggregated_value");
    }
    page.summaries.push_back({StripeId(text_at(object, "/id"_json_pointer)), *start, *end, *value});
  }
  return page;
}

}  // namespace flexsync::stripe
