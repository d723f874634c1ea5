#include "store/audit.hpp"

#include <nlohmann/json.hpp>

#include "store/rows.hpp"

namespace flexsync::store {

namespace {

constexpr const char* kInsert =
    "INSERT INTO audit_log (tenant_id, environment_id, entity_type, entity_id, action, actor, before, after,"
    "                       request_id, at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, " FLEXSYNC_TIME("$10") ")";

}  // namespace

void write_audit(pqxx::transaction_base& tx, const AuditedChange& change, const Principal& by,
                 const nlohmann::json& before, const nlohmann::json& after, Timestamp at) {
  tx.exec_params(kInsert, change.scope.tenant.str(), change.scope.environment.str(), std::string(change.entity_type),
                 change.entity_id, std::string(change.action), by.label, before.dump(), after.dump(), by.request_id,
                 to_unix_micros(at));
}

}  // namespace flexsync::store
