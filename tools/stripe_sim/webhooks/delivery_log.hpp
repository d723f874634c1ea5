// What became of every attempt, oldest first: GET /_sim/webhooks/deliveries. Bounded; the counts are not.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "stripe_sim/types.hpp"
#include "stripe_sim/webhooks/delivery.hpp"

namespace stripe_sim {

struct AttemptRecord {
  std::uint64_t number = 0;
  std::string event_id;
  std::string event_type;
  std::string target_id;
  int attempt = 0;
  bool duplicate = false;
  bool resent = false;
  // delivered, failed (a retry follows), given_up, dropped (a retry follows), lost, no_endpoint
  std::string outcome;
  int status = 0;
  std::string error;
  std::int64_t at_unix_ms = 0;
};

struct LogQuery {
  std::string event_id;
  std::string outcome;
  std::uint64_t after = 0;  // the number of the last one seen
  std::size_t limit = 1'000;
};

class DeliveryLog {
 public:
  void add(const Delivery& delivery, std::string outcome, int status, std::string error);
  Json read(const LogQuery& query) const;

 private:
  std::deque<AttemptRecord> records_;
  std::map<std::string, std::uint64_t> counts_;
  std::uint64_t last_number_ = 0;
};

}  // namespace stripe_sim
