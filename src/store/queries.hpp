// The reading side of the API, over the read pool; row-level security keeps each answer inside its scope.
#pragma once

#include "domain/ports.hpp"
#include "store/read_pool.hpp"

namespace flexsync::store {

class StoreQueries final : public Queries {
 public:
  explicit StoreQueries(ReadPool& pool) : pool_(pool) {}

  // queries_customers.cpp
  Result<Page<Customer>> customers(const Scope& scope, const CustomerFilter& filter) override;
  Result<Customer> customer(const Scope& scope, const CustomerId& id) override;
  Result<Customer> customer_by_external_id(const Scope& scope, const std::string& external_id) override;

  // queries_mappings.cpp
  Result<Page<Mapping>> mappings(const Scope& scope, const MappingFilter& filter) override;
  Result<Mapping> mapping(const Scope& scope, const MappingId& id) override;

  // queries_inbox.cpp
  Result<Page<WebhookEventView>> webhook_events(const Scope& scope, const WebhookEventFilter& filter) override;
  Result<WebhookEventView> webhook_event(const Scope& scope, const StripeEventId& id) override;
  Result<Page<DeadLetter>> dead_letters(const Scope& scope, const DeadLetterFilter& filter) override;

  // queries_outbox.cpp
  Result<Page<Intent>> intents(const Scope& scope, const IntentFilter& filter) override;

 private:
  ReadPool& pool_;
};

}  // namespace flexsync::store
