// Events as Stripe sends them, for the tests of this folder. Shapes from Stripe's own fixtures.
#pragma once

#include <string>
#include <string_view>

namespace flexsync::stripe::test {

// API version 2020-08-27: `address` null, `shipping` beside it, empty metadata.
inline const std::string kCustomerUpdated2020 = R"({
  "id": "evt_1KiVYMEZ", "object": "event", "api_version": "2020-08-27", "created": 1648320110,
  "data": {
    "object": {
      "id": "cus_LOAQ", "object": "customer", "address": null, "balance": 0, "created": 1648320107,
      "currency": "usd", "default_source": "card_1", "delinquent": false, "description": "made by the Stripe CLI",
      "discount": null, "email": null, "invoice_settings": {"custom_fields": null, "footer": null}, "livemode": false,
      "metadata": {}, "name": null, "phone": null, "preferred_locales": [],
      "shipping": {"address": {"city": "Ghent", "country": "BE", "line1": "Elsewhere 9"}, "name": "Somebody else"},
      "tax_exempt": "none", "test_clock": null
    },
    "previous_attributes": {"currency": null}
  },
  "livemode": false, "pending_webhooks": 2, "request": {"id": "req_1", "idempotency_key": "af06"},
  "type": "customer.updated"
})";

// A version of today, all mirrored fields filled; on a connected account, in live mode.
inline const std::string kCustomerCreated = R"({
  "id": "evt_2", "object": "event", "account": "acct_9", "api_version": "2026-10-28.endive", "created": 1795228680,
  "context": null,
  "data": {
    "object": {
      "id": "cus_2", "object": "customer",
      "address": {"city": "Zürich", "country": "CH", "line1": "Bahnhofstrasse 1", "line2": "2. Stock",
                  "postal_code": "8001", "state": "ZH"},
      "email": "ada@example.com", "name": "Ada Lovelace", "phone": "+41 44 000 00 00", "livemode": true,
      "metadata": {"external_id": "ext-7", "team": "blue"}
    }
  },
  "livemode": true, "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null},
  "type": "customer.created"
})";

inline const std::string kPriceUpdated = R"({
  "id": "evt_3", "object": "event", "api_version": "2020-08-27", "created": 1648320056,
  "data": {"object": {"id": "price_1", "object": "price", "active": true, "product": "prod_1",
                      "recurring": {"interval": "month"}, "unit_amount": 1500}},
  "livemode": false, "type": "price.updated"
})";

inline const std::string kMeterError = R"({
  "id": "evt_test_65R2Gp", "object": "v2.core.event", "created": "2024-08-28T20:54:12.051Z",
  "data": {"developer_message_summary": "There is 1 invalid event", "reason": {"error_count": 1}},
  "related_object": {"id": "mtr_test_61R2", "type": "billing.meter", "url": "/v1/billing/meters/mtr_test_61R2"},
  "type": "v1.billing.meter.error_report_triggered"
})";

// The text with its first `from` replaced by `to`.
inline std::string with(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace flexsync::stripe::test
