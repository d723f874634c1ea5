#include "stripe/meter.hpp"

#include "stripe/form.hpp"

namespace flexsync::stripe {

std::string meter_event_body(const UsageBatch& batch) {
  return encode_form({{"event_name", batch.event_name},
                      {"identifier", batch.identifier},
                      {bracketed("payload", batch.customer_key), batch.stripe_customer_id.str()},
                      {bracketed("payload", batch.value_key), batch.value.str()},
                      {"timestamp", std::to_string(to_unix_seconds(batch.timestamp))}});
}

}  // namespace flexsync::stripe
