// The ports: what http needs of the rest, so that it knows neither store nor actors. app wires them.
//
// The asynchronous ones (webhooks) answer through a callback, on any thread, exactly once. The others block and are
// called on the HTTP worker threads, never on an I/O thread or in an actor. All are thread-safe and throw nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "domain/change_set.hpp"
#include "domain/error.hpp"
#include "domain/inbox.hpp"
#include "domain/outbox.hpp"
#include "domain/tenancy.hpp"

namespace flexsync {

// --- the way in -----------------------------------------------------------------------------------------------

struct WebhookDelivery {
  std::optional<Scope> scope;    // nothing: the global address, the event itself selects the connection
  std::string signature_header;  // Stripe-Signature
  std::string request_id;
  std::string body;
};

// Checks signature, time and shape. Errors: validation_error (400), not_found as validation_error, too:
// an unknown tenant and a wrong signature are not told apart; service_unavailable when secrets cannot be read.
class WebhookVerifier {
 public:
  virtual ~WebhookVerifier() = default;
  virtual void verify(WebhookDelivery delivery, std::function<void(Result<IncomingEvent>)> reply) = 0;
};

enum class IntakeResult : std::uint8_t { stored, duplicate };

// Stores the event durably; the reply comes after the commit. Errors: service_unavailable.
class WebhookIntake {
 public:
  virtual ~WebhookIntake() = default;
  virtual void store(IncomingEvent event, std::function<void(Result<IntakeResult>)> reply) = 0;
};

// --- reading --------------------------------------------------------------------------------------------------

// FlexPrice's list conventions; `limit` 1..1000.
struct ListOptions {
  int limit = 50;
  int offset = 0;
  bool ascending = false;  // by created_at
  std::optional<Timestamp> start_time;
  std::optional<Timestamp> end_time;
};

template <class T>
struct Page {
  std::vector<T> items;
  std::int64_t total = 0;
  bool more = false;  // there are more than `total`: long lists are counted up to a limit only
};

enum class CustomerField : std::uint8_t { id, external_id, name, email, contact, status, created_at };

// FlexPrice's operators, by what they mean; text is compared as it is, except that `contains` ignores case.
enum class Comparison : std::uint8_t {
  in,            // one of the values (eq: the one value)
  not_in,        // none of them
  contains,      // the value is a part of it
  not_contains,  // likewise not
  before,        // of a time: earlier than
  after,         // later than
  from,          // then or later
};

struct CustomerCondition {
  CustomerField field = CustomerField::id;
  Comparison comparison = Comparison::in;
  std::vector<std::string> values;
  Timestamp time;  // instead of the values, for created_at

  friend bool operator==(const CustomerCondition&, const CustomerCondition&) = default;
};

struct CustomerOrder {
  CustomerField field = CustomerField::created_at;
  bool ascending = false;

  friend bool operator==(const CustomerOrder&, const CustomerOrder&) = default;
};

struct CustomerFilter {
  ListOptions list;
  std::optional<Status> status;  // nothing: published and archived, unless a condition is about the status
  std::vector<std::string> ids;
  std::vector<std::string> external_ids;
  std::string email;
  std::vector<CustomerCondition> conditions;  // all must hold
  std::vector<CustomerOrder> order;           // before the list's own, by creation
};

struct MappingFilter {
  ListOptions list;
  std::string entity_type;
  std::string entity_id;
  std::string provider_type;
  std::string provider_entity_id;
};

struct WebhookEventFilter {
  ListOptions list;                // by arrival; the times are those of receipt
  std::string state;               // of kEventStates
  std::vector<std::string> types;  // any of them
  std::string object_id;
  std::optional<Timestamp> created_from;  // Stripe's `created`
  std::optional<Timestamp> created_to;
};

struct DeliveryAttempt {
  int attempt = 0;
  std::string error_code;
  std::string error_message;
  Timestamp at;
};

// What an event waits for that was tried and is not settled.
struct WaitingEvent {
  int attempts = 0;
  std::string error_code;
  std::string error_message;
  std::string object_type;  // of a blocked one: what must appear first, as Stripe names it
  std::string object_id;
  Timestamp since;
  std::optional<Timestamp> next_attempt_at;  // nothing: a person must redrive it
};

// One field of an entity, before and after, as JSON; nothing: the field was not there.
struct FieldChange {
  std::string field;
  std::optional<std::string> before;
  std::optional<std::string> after;

  friend bool operator==(const FieldChange&, const FieldChange&) = default;
};

// What an event did to one entity.
struct EventChange {
  std::string entity_type;
  std::string entity_id;
  std::string action;
  std::string request_id;
  Timestamp at;
  std::vector<FieldChange> fields;
};

// What a person did about an event: "redrive", "discard", "replay".
struct EventDeed {
  std::string action;
  std::string actor;
  Timestamp at;
};

// One inbox row and what became of it. The last five only when one event is asked for.
struct WebhookEventView {
  IncomingEvent event;  // in lists without its payload
  std::string state;    // of kEventStates
  std::string reason;
  std::optional<Timestamp> settled_at;
  std::optional<WaitingEvent> waiting = {};
  std::vector<DeliveryAttempt> attempts = {};
  std::vector<EventChange> changes = {};
  std::vector<EventDeed> deeds = {};
};

struct DeadLetter {
  StripeEventId event_id;
  std::string type;
  std::string object_type;
  std::string object_id;
  int attempts = 0;
  std::string error_code;
  std::string error_message;
  Timestamp received;
  Timestamp failed_first;
  Timestamp died_at;
};

struct DeadLetterFilter {
  ListOptions list;  // by death
  std::vector<std::string> event_ids;
  std::vector<std::string> types;
  std::vector<std::string> error_codes;
  std::string object_id;
};

struct IntentFilter {
  ListOptions list;   // by creation
  std::string state;  // of IntentState
  std::string entity_id;
};

class Queries {
 public:
  virtual ~Queries() = default;
  virtual Result<Page<Customer>> customers(const Scope& scope, const CustomerFilter& filter) = 0;
  virtual Result<Customer> customer(const Scope& scope, const CustomerId& id) = 0;
  virtual Result<Customer> customer_by_external_id(const Scope& scope, const std::string& external_id) = 0;
  virtual Result<Page<Mapping>> mappings(const Scope& scope, const MappingFilter& filter) = 0;
  virtual Result<Mapping> mapping(const Scope& scope, const MappingId& id) = 0;
  virtual Result<Page<WebhookEventView>> webhook_events(const Scope& scope, const WebhookEventFilter& filter) = 0;
  virtual Result<WebhookEventView> webhook_event(const Scope& scope, const StripeEventId& id) = 0;
  virtual Result<Page<Intent>> intents(const Scope& scope, const IntentFilter& filter) = 0;
  virtual Result<Page<DeadLetter>> dead_letters(const Scope& scope, const DeadLetterFilter& filter) = 0;
};

// Plans and addons are listed alike: `ids` are plans' or addons', and so is the lookup_key.
enum class PlanField : std::uint8_t { id, name, lookup_key, status, created_at, updated_at };

struct PlanOrder {
  PlanField field = PlanField::created_at;
  bool ascending = false;

  friend bool operator==(const PlanOrder&, const PlanOrder&) = default;
};

struct PlanFilter {
  ListOptions list;
  std::optional<Status> status;  // as it is shown; nothing: published and archived
  std::vector<std::string> ids;
  std::string lookup_key;
  std::vector<PlanOrder> order;  // before the list's own, by creation
};

enum class SubscriptionField : std::uint8_t {
  id,
  customer_id,
  plan_id,
  subscription_status,
  start_date,
  end_date,
  current_period_end,
  created_at,
  updated_at,
};

struct SubscriptionOrder {
  SubscriptionField field = SubscriptionField::created_at;
  bool ascending = false;

  friend bool operator==(const SubscriptionOrder&, const SubscriptionOrder&) = default;
};

struct SubscriptionFilter {
  ListOptions list;
  std::optional<Status> status;  // of the row; nothing: published and archived
  std::vector<std::string> ids;
  std::string customer_id;
  std::string external_customer_id;
  std::string plan_id;
  std::vector<SubscriptionStatus> subscription_status;
  std::vector<SubscriptionOrder> order;
};

// What Stripe sells and to whom, as it is mirrored here. A deleted plan or addon that a live subscription still uses is
// shown as archived.
class CatalogQueries {
 public:
  virtual ~CatalogQueries() = default;
  virtual Result<Page<Plan>> plans(const Scope& scope, const PlanFilter& filter) = 0;
  virtual Result<Plan> plan(const Scope& scope, const PlanId& id) = 0;
  virtual Result<Page<Addon>> addons(const Scope& scope, const PlanFilter& filter) = 0;
  virtual Result<Addon> addon(const Scope& scope, const AddonId& id) = 0;
  virtual Result<Addon> addon_by_lookup_key(const Scope& scope, const std::string& lookup_key) = 0;

  // Of all these plans, newest first; an addon's are its twin's.
  virtual Result<std::vector<Price>> prices(const Scope& scope, const std::vector<PlanId>& plans) = 0;

  virtual Result<Page<Subscription>> subscriptions(const Scope& scope, const SubscriptionFilter& filter) = 0;
  virtual Result<Subscription> subscription(const Scope& scope, const SubscriptionId& id) = 0;
};

// --- commands -------------------------------------------------------------------------------------------------

// What a command about many events is allowed to do.
struct BulkConsent {
  bool dry_run = false;                        // only count
  std::optional<std::int64_t> expected_count;  // refused with version_conflict when another number matches
};

struct BulkResult {
  std::int64_t count = 0;
  std::vector<std::string> event_ids;  // which, where the filter names events
};

// Dead letters: those that match. An empty filter means all.
class DeadLetterCommands {
 public:
  virtual ~DeadLetterCommands() = default;
  virtual Result<BulkResult> redrive(const Scope& scope, const DeadLetterFilter& filter, const BulkConsent& consent,
                                     const Principal& by) = 0;
  virtual Result<BulkResult> discard(const Scope& scope, const DeadLetterFilter& filter, const BulkConsent& consent,
                                     const Principal& by) = 0;
};

// Tenants, environments, keys, connections. Every write leaves an audit row naming `by`.
class Provisioning {
 public:
  virtual ~Provisioning() = default;
  virtual Result<Tenant> create_tenant(const std::string& name, const Principal& by) = 0;
  virtual Result<Tenant> tenant(const TenantId& id) = 0;
  virtual Result<Environment> create_environment(const TenantId& tenant, const std::string& name,
                                                 const std::string& type, const Principal& by) = 0;
  virtual Result<Page<Environment>> environments(const TenantId& tenant, const ListOptions& list) = 0;
  virtual Result<IssuedApiKey> create_api_key(const NewApiKey& wanted, const Principal& by) = 0;
  virtual Result<Page<ApiKey>> api_keys(const Scope& scope, const ListOptions& list) = 0;
  virtual Result<void> revoke_api_key(const Scope& scope, const ApiKeyId& id, const Principal& by) = 0;

  // A second Stripe connection in an environment: already_exists.
  virtual Result<Connection> create_connection(Connection wanted, const StripeSecrets& secrets,
                                               const Principal& by) = 0;
  // Empty name, metadata or sync_config in `wanted` leave what is stored; so do empty secrets.
  virtual Result<Connection> update_connection(Connection wanted, const StripeSecrets& secrets,
                                               const Principal& by) = 0;
  virtual Result<Page<Connection>> connections(const Scope& scope, const ListOptions& list) = 0;
  virtual Result<Connection> connection(const Scope& scope, const ConnectionId& id) = 0;
  virtual Result<void> delete_connection(const Scope& scope, const ConnectionId& id, const Principal& by) = 0;
};

// Turns an API key or the admin key into who is asking. Errors: unauthenticated, service_unavailable.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  virtual Result<Principal> authenticate(const std::string& key) = 0;
};

// For /health/ready: nothing, or why the server cannot serve.
class Readiness {
 public:
  virtual ~Readiness() = default;
  virtual std::optional<std::string> why_not_ready() = 0;
};

}  // namespace flexsync
