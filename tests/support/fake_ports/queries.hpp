// Reading, and the commands about dead letters.
#pragma once

#include "support/fake_ports/base.hpp"

namespace flexsync::test {

class FakeQueries final : public Queries {
 public:
  template <class T>
  static Result<T> first(const std::vector<T>& all, const char* what) {
    return all.empty() ? Result<T>(fail(ErrorCode::not_found, std::string(what) + " not found")) : all.front();
  }

  Result<Page<Customer>> customers(const Scope& scope, const CustomerFilter& filter) override {
    const SyncScope sync;
    before_query();
    asked_scope = scope;
    customer_filter = filter;
    return Page<Customer>{all_customers, total};
  }
  Result<Customer> customer(const Scope& scope, const CustomerId& id) override {
    const SyncScope sync;
    before_query();
    asked_scope = scope;
    asked_id = id.str();
    return first(all_customers, "customer");
  }
  Result<Customer> customer_by_external_id(const Scope& scope, const std::string& external_id) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = external_id;
    return first(all_customers, "customer");
  }
  Result<Page<Mapping>> mappings(const Scope& scope, const MappingFilter& filter) override {
    const SyncScope sync;
    asked_scope = scope;
    mapping_filter = filter;
    return Page<Mapping>{all_mappings, total};
  }
  Result<Mapping> mapping(const Scope& scope, const MappingId& id) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id.str();
    return first(all_mappings, "mapping");
  }
  Result<Page<WebhookEventView>> webhook_events(const Scope& scope, const WebhookEventFilter& filter) override {
    const SyncScope sync;
    asked_scope = scope;
    event_filter = filter;
    return Page<WebhookEventView>{all_events, total, more};
  }
  Result<WebhookEventView> webhook_event(const Scope& scope, const StripeEventId& id) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id.str();
    return first(all_events, "event");
  }
  Result<Page<Intent>> intents(const Scope& scope, const IntentFilter& filter) override {
    const SyncScope sync;
    asked_scope = scope;
    intent_filter = filter;
    return Page<Intent>{all_intents, total};
  }
  Result<Page<DeadLetter>> dead_letters(const Scope& scope, const DeadLetterFilter& filter) override {
    const SyncScope sync;
    asked_scope = scope;
    dead_letter_filter = filter;
    return Page<DeadLetter>{all_dead_letters, total};
  }

  std::function<void()> before_query = [] {};  // throws or blocks, where a test wants that
  std::vector<Customer> all_customers;
  std::vector<Mapping> all_mappings;
  std::vector<WebhookEventView> all_events;
  std::vector<Intent> all_intents;
  std::vector<DeadLetter> all_dead_letters;
  std::int64_t total = 0;
  bool more = false;

  Scope asked_scope;
  std::string asked_id;
  CustomerFilter customer_filter;
  MappingFilter mapping_filter;
  WebhookEventFilter event_filter;
  IntentFilter intent_filter;
  DeadLetterFilter dead_letter_filter;
};

class FakeDeadLetterCommands final : public DeadLetterCommands {
 public:
  Result<BulkResult> redrive(const Scope& scope, const DeadLetterFilter& filter, const BulkConsent& consent,
                             const Principal& by) override {
    const SyncScope sync;
    return remember("redrive", scope, filter, consent, by);
  }
  Result<BulkResult> discard(const Scope& scope, const DeadLetterFilter& filter, const BulkConsent& consent,
                             const Principal& by) override {
    const SyncScope sync;
    return remember("discard", scope, filter, consent, by);
  }

  Result<BulkResult> result = BulkResult{1, {}};
  std::string command;
  Scope asked_scope;
  DeadLetterFilter asked_filter;
  BulkConsent asked_consent;
  std::string asked_by;

 private:
  Result<BulkResult> remember(const char* name, const Scope& scope, const DeadLetterFilter& filter,
                              const BulkConsent& consent, const Principal& by) {
    command = name;
    asked_scope = scope;
    asked_filter = filter;
    asked_consent = consent;
    asked_by = by.label;
    return result;
  }
};

}  // namespace flexsync::test
