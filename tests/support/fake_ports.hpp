// The domain ports as fakes: each answers from what the test puts in, and remembers what it was asked.
//
// Every `on_…` may be replaced by the test before the server starts; what is remembered is read after the answer.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "domain/clock.hpp"
#include "domain/ports.hpp"

namespace flexsync::test {

inline const Scope kScope{TenantId("tenant_01"), EnvironmentId("env_01")};
inline const Timestamp kNow = from_unix_seconds(1'790'000'000);  // 2026-09-21T14:13:20Z
inline constexpr const char* kAdminKey = "admin-key";
inline constexpr const char* kApiKey = "sk_01_of_tenant_01";

// Orders what fakes, on the server's threads, and the test remember and read: passing through a socket does, but
// ThreadSanitizer cannot see that.
inline void sync_point() {
  static std::atomic<int> turn = 0;
  turn.fetch_add(1, std::memory_order_acq_rel);
}

struct SyncScope {
  SyncScope() { sync_point(); }
  ~SyncScope() { sync_point(); }
  SyncScope(const SyncScope&) = delete;
  SyncScope& operator=(const SyncScope&) = delete;
};

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
    return Page<WebhookEventView>{all_events, total};
  }
  Result<WebhookEventView> webhook_event(const Scope& scope, const StripeEventId& id) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id.str();
    return first(all_events, "event");
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
  std::vector<DeadLetter> all_dead_letters;
  std::int64_t total = 0;

  Scope asked_scope;
  std::string asked_id;
  CustomerFilter customer_filter;
  MappingFilter mapping_filter;
  WebhookEventFilter event_filter;
  DeadLetterFilter dead_letter_filter;
};

class FakeDeadLetterCommands final : public DeadLetterCommands {
 public:
  Result<std::int64_t> redrive(const Scope& scope, const DeadLetterFilter& filter, bool count_only,
                               const Principal& by) override {
    const SyncScope sync;
    return remember("redrive", scope, filter, count_only, by);
  }
  Result<std::int64_t> discard(const Scope& scope, const DeadLetterFilter& filter, bool count_only,
                               const Principal& by) override {
    const SyncScope sync;
    return remember("discard", scope, filter, count_only, by);
  }

  Result<std::int64_t> count = 1;
  std::string command;
  Scope asked_scope;
  DeadLetterFilter asked_filter;
  bool asked_count_only = false;
  std::string asked_by;

 private:
  Result<std::int64_t> remember(const char* name, const Scope& scope, const DeadLetterFilter& filter, bool count_only,
                                const Principal& by) {
    command = name;
    asked_scope = scope;
    asked_filter = filter;
    asked_count_only = count_only;
    asked_by = by.label;
    return count;
  }
};

class FakeProvisioning final : public Provisioning {
 public:
  Result<Tenant> create_tenant(const std::string& name, const Principal& by) override {
    const SyncScope sync;
    asked_by = by.label;
    return Tenant{TenantId("tenant_01"), name, kNow, kNow};
  }
  Result<Tenant> tenant(const TenantId& id) override {
    const SyncScope sync;
    if (id != kScope.tenant) {
      return fail(ErrorCode::not_found, "There is no tenant " + id.str());
    }
    return Tenant{id, "Acme", kNow, kNow};
  }
  Result<Environment> create_environment(const TenantId& tenant, const std::string& name, const std::string& type,
                                         const Principal& by) override {
    const SyncScope sync;
    asked_by = by.label;
    return Environment{EnvironmentId("env_01"), tenant, name, type, kNow, kNow};
  }
  Result<Page<Environment>> environments(const TenantId& tenant, const ListOptions& list) override {
    const SyncScope sync;
    asked_scope.tenant = tenant;
    asked_list = list;
    return Page<Environment>{{{EnvironmentId("env_01"), tenant, "Production", "production", kNow, kNow}}, 1};
  }
  Result<IssuedApiKey> create_api_key(const NewApiKey& wanted, const Principal& by) override {
    const SyncScope sync;
    asked_by = by.label;
    asked_key = wanted;
    ApiKey record;
    record.id = ApiKeyId("secret_01");
    record.scope = wanted.scope;
    record.name = wanted.name;
    record.type = wanted.type;
    record.display = "sk_01…99";
    record.expires_at = wanted.expires_at;
    record.created_at = record.updated_at = kNow;
    return IssuedApiKey{record, Secret("the-whole-key")};
  }
  Result<Page<ApiKey>> api_keys(const Scope& scope, const ListOptions& list) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_list = list;
    ApiKey record;
    record.id = ApiKeyId("secret_01");
    record.scope = scope;
    record.display = "sk_01…99";
    record.last_used_at = kNow;
    return Page<ApiKey>{{record}, 1};
  }
  Result<void> revoke_api_key(const Scope& scope, const ApiKeyId& id, const Principal& by) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id.str();
    asked_by = by.label;
    return {};
  }
  Result<Connection> create_connection(Connection wanted, const StripeSecrets& secrets, const Principal& by) override {
    const SyncScope sync;
    wanted.id = ConnectionId("conn_01");
    return remember(std::move(wanted), secrets, by);
  }
  Result<Connection> update_connection(Connection wanted, const StripeSecrets& secrets, const Principal& by) override {
    const SyncScope sync;
    return remember(std::move(wanted), secrets, by);
  }
  Result<Page<Connection>> connections(const Scope& scope, const ListOptions& list) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_list = list;
    return Page<Connection>{all_connections, static_cast<std::int64_t>(all_connections.size())};
  }
  Result<Connection> connection(const Scope& scope, const ConnectionId& id) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id.str();
    return FakeQueries::first(all_connections, "connection");
  }
  Result<void> delete_connection(const Scope& scope, const ConnectionId& id, const Principal& by) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id.str();
    asked_by = by.label;
    return {};
  }

  std::vector<Connection> all_connections;
  std::optional<Error> connection_error;

  Scope asked_scope;
  ListOptions asked_list;
  std::string asked_id;
  std::string asked_by;
  NewApiKey asked_key;
  Connection asked_connection;
  StripeSecrets asked_secrets;

 private:
  Result<Connection> remember(Connection wanted, const StripeSecrets& secrets, const Principal& by) {
    asked_connection = wanted;
    asked_secrets = secrets;
    asked_by = by.label;
    if (connection_error) {
      return tl::unexpected(*connection_error);
    }
    wanted.created_by = by.label;
    wanted.created_at = wanted.updated_at = kNow;
    return wanted;
  }
};

// Knows the admin key and one API key.
class FakeAuthenticator final : public Authenticator {
 public:
  Result<Principal> authenticate(const std::string& key) override {
    const SyncScope sync;
    if (unavailable) {
      return fail(ErrorCode::service_unavailable, "The store cannot be reached");
    }
    if (key == kAdminKey) {
      return Principal{Principal::Kind::admin, {}, {}, "admin"};
    }
    if (key == kApiKey) {
      return Principal{Principal::Kind::api_key, kScope, ApiKeyId("secret_01"), "api_key:secret_01"};
    }
    return fail(ErrorCode::unauthenticated, "Invalid API key");
  }

  std::atomic<bool> unavailable = false;
};

class FakeReadiness final : public Readiness {
 public:
  std::optional<std::string> why_not_ready() override {
    const std::lock_guard lock(mutex_);
    return reason_;
  }
  void set(std::optional<std::string> reason) {
    const std::lock_guard lock(mutex_);
    reason_ = std::move(reason);
  }

 private:
  std::mutex mutex_;
  std::optional<std::string> reason_;
};

}  // namespace flexsync::test
