#include "stripe_sim/webhooks/delivery_log.hpp"

#include "stripe_sim/clock.hpp"

namespace stripe_sim {

namespace {

constexpr std::size_t kRecordsMax = 100'000;

Json to_json(const AttemptRecord& record) {
  return {{"number", record.number},      {"event", record.event_id},       {"type", record.event_type},
          {"endpoint", record.target_id}, {"attempt", record.attempt},      {"duplicate", record.duplicate},
          {"resent", record.resent},      {"outcome", record.outcome},      {"status", record.status},
          {"error", record.error},        {"at_unix_ms", record.at_unix_ms}};
}

}  // namespace

void DeliveryLog::add(const Delivery& delivery, std::string outcome, int status, std::string error) {
  ++counts_[outcome];
  records_.push_back({++last_number_, delivery.event.id, delivery.event.type, delivery.target_id, delivery.attempt,
                      delivery.duplicate, delivery.resent, std::move(outcome), status, std::move(error),
                      real_unix_millis()});
  if (records_.size() > kRecordsMax) {
    records_.pop_front();
  }
}

Json DeliveryLog::read(const LogQuery& query) const {
  Json attempts = Json::array();
  bool has_more = false;
  for (const AttemptRecord& record : records_) {
    if (record.number <= query.after || (!query.event_id.empty() && record.event_id != query.event_id) ||
        (!query.outcome.empty() && record.outcome != query.outcome)) {
      continue;
    }
    if (attempts.size() == query.limit) {
      has_more = true;
      break;
    }
    attempts.push_back(to_json(record));
  }
  return {{"data", std::move(attempts)}, {"has_more", has_more}, {"counts", counts_}};
}

}  // namespace stripe_sim
