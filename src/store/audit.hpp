// One audit row, in the transaction of the change that it tells of.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <pqxx/pqxx>
#include <string>
#include <string_view>

#include "domain/ids.hpp"
#include "domain/tenancy.hpp"
#include "domain/time.hpp"

namespace flexsync::store {

struct AuditedChange {
  Scope scope;
  std::string_view entity_type;
  std::string entity_id;
  std::string_view action;
};

// `before` and `after` hold the fields that differ, and never a secret.
void write_audit(pqxx::transaction_base& tx, const AuditedChange& change, const Principal& by,
                 const nlohmann::json& before, const nlohmann::json& after, Timestamp at);

}  // namespace flexsync::store
