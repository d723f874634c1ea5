// Rows and domain types, at their border: the one place that knows how a value lies in a column.
//
// Times travel as microseconds since 1970: PostgreSQL's own text form loses nothing either, but would have to be
// parsed; floating-point seconds would lose the last digits.
#pragma once

#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <string_view>

#include "domain/change_set.hpp"
#include "domain/customer.hpp"
#include "domain/ids.hpp"
#include "domain/inbox.hpp"
#include "domain/mapping.hpp"
#include "domain/outbox.hpp"
#include "domain/tenancy.hpp"

// A timestamptz column as microseconds, and a bigint parameter as timestamptz: for string literals of SQL.
#define FLEXSYNC_MICROS(column) "(extract(epoch FROM " column ") * 1000000)::bigint"
#define FLEXSYNC_TIME(parameter) "('epoch'::timestamptz + " parameter "::bigint * interval '1 microsecond')"

namespace flexsync::store {

// What a SELECT must name so that the readers below find their columns.
inline constexpr std::string_view kCustomerColumns =
    "id, external_id, name, email, contact, address_line1, address_line2, address_city, address_state,"
    " address_postal_code, address_country, metadata, status, version, created_by, updated_by,"
    " " FLEXSYNC_MICROS("created_at") " AS created_at, " FLEXSYNC_MICROS("updated_at") " AS updated_at";
inline constexpr std::string_view kMappingColumns =
    "id, entity_type, entity_id, provider_type, provider_entity_id, metadata, status,"
    " " FLEXSYNC_MICROS("created_at") " AS created_at, " FLEXSYNC_MICROS("updated_at") " AS updated_at";
inline constexpr std::string_view kStripeObjectColumns =
    "object_type, stripe_id, entity_id, state, deleted, needs_reconcile, version,"
    " " FLEXSYNC_MICROS("true_from") " AS true_from, " FLEXSYNC_MICROS("true_to") " AS true_to";
inline constexpr std::string_view kIntentColumns =
    "seq, id, entity_type, entity_id, operation, body, idempotency_key, fields, state, attempts, look_first,"
    " error_code, error_message, request_id, " FLEXSYNC_MICROS("next_attempt_at") " AS next_attempt_at,"
    " " FLEXSYNC_MICROS("keyed_at") " AS keyed_at, " FLEXSYNC_MICROS("created_at") " AS created_at,"
    " " FLEXSYNC_MICROS("settled_at") " AS settled_at";
inline constexpr std::string_view kAuditColumns =
    "entity_type, entity_id, action, actor, before, after, request_id, " FLEXSYNC_MICROS("at") " AS at";
inline constexpr std::string_view kEnvironmentColumns =
    "tenant_id, environment_id, name, type,"
    " " FLEXSYNC_MICROS("created_at") " AS created_at, " FLEXSYNC_MICROS("updated_at") " AS updated_at";
inline constexpr std::string_view kApiKeyColumns =
    "tenant_id, environment_id, id, name, type, display, status, " FLEXSYNC_MICROS("expires_at") " AS expires_at,"
    " " FLEXSYNC_MICROS("last_used_at") " AS last_used_at,"
    " " FLEXSYNC_MICROS("created_at") " AS created_at, " FLEXSYNC_MICROS("updated_at") " AS updated_at";
inline constexpr std::string_view kConnectionColumns =
    "tenant_id, environment_id, id, name, provider_type, account_id, livemode, metadata, sync_config, status,"
    " created_by, " FLEXSYNC_MICROS("created_at") " AS created_at, " FLEXSYNC_MICROS("updated_at") " AS updated_at";

// These throw what libpqxx throws when a column is missing, and std::runtime_error for what cannot be in a row.
Customer customer_from_row(const pqxx::row& row);
Mapping mapping_from_row(const pqxx::row& row);
StripeObject stripe_object_from_row(const pqxx::row& row);
Intent intent_from_row(const pqxx::row& row);
AuditEntry audit_from_row(const pqxx::row& row);
Environment environment_from_row(const pqxx::row& row);
ApiKey api_key_from_row(const pqxx::row& row);
Connection connection_from_row(const pqxx::row& row);

std::string text_from(const pqxx::field& field);
Timestamp time_from(const pqxx::field& field);
std::optional<Timestamp> optional_time_from(const pqxx::field& field);

// jsonb {key: text} and back. jsonb takes neither U+0000 nor bad UTF-8: they become U+FFFD.
Metadata metadata_from_json(const std::string& json);
std::string metadata_to_json(const Metadata& metadata);

// True for what a text column can hold: valid UTF-8 without U+0000. Anything else from a request is refused, or simply
// not found, before PostgreSQL has to.
bool is_storable(std::string_view text);

// What others say (Stripe's reasons) is kept whatever it is made of: each byte that cannot be becomes U+FFFD.
std::string storable(std::string_view text);

}  // namespace flexsync::store
