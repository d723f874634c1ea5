// The way in of webhooks.
#pragma once

#include "support/fake_ports/base.hpp"

namespace flexsync::test {

class FakeVerifier final : public WebhookVerifier {
 public:
  using Reply = std::function<void(Result<IncomingEvent>)>;

  void verify(WebhookDelivery delivery, Reply reply) override {
    const SyncScope sync;
    {
      const std::lock_guard lock(mutex);
      deliveries.push_back(delivery);
    }
    on_verify(std::move(delivery), std::move(reply));
  }

  std::function<void(WebhookDelivery, Reply)> on_verify = [](WebhookDelivery delivery, const Reply& reply) {
    IncomingEvent event;
    event.scope = delivery.scope.value_or(kScope);
    event.id = StripeEventId("evt_1");
    event.request_id = delivery.request_id;
    event.payload = std::move(delivery.body);
    reply(std::move(event));
  };

  std::mutex mutex;
  std::vector<WebhookDelivery> deliveries;
};

class FakeIntake final : public WebhookIntake {
 public:
  using Reply = std::function<void(Result<IntakeResult>)>;

  void store(IncomingEvent event, Reply reply) override {
    const SyncScope sync;
    {
      const std::lock_guard lock(mutex);
      events.push_back(event);
    }
    on_store(std::move(event), std::move(reply));
  }

  std::function<void(IncomingEvent, Reply)> on_store = [](const IncomingEvent&, const Reply& reply) {
    reply(IntakeResult::stored);
  };

  std::mutex mutex;
  std::vector<IncomingEvent> events;
};

}  // namespace flexsync::test
