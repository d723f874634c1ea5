#include "stripe/meter.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::stripe;

TEST_CASE("a batch's meter event says whom, what, how much and when, in Stripe's form") {
  UsageBatch batch;
  batch.event_name = "api calls & more";
  batch.customer_key = "stripe_customer_id";
  batch.value_key = "the value";
  batch.stripe_customer_id = StripeId{"cus_1"};
  batch.quantity = Decimal(1500).times_power_of_ten(-3);
  batch.value = -150;
  batch.identifier = "fs_0123";
  batch.timestamp = from_unix_micros(1'795'265'999'999'999);
  CHECK(meter_event_body(batch) ==
        "event_name=api%20calls%20%26%20more&identifier=fs_0123&timestamp=1795265999"
        "&payload[stripe_customer_id]=cus_1&payload[the%20value]=-150");
  auto again = batch;
  again.attempts = 3;
  again.first_sent_at = batch.timestamp;
  CHECK(meter_event_body(again) == meter_event_body(batch));
}
