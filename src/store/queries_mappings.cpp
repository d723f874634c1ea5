#include "store/queries.hpp"
#include "store/rows.hpp"
#include "store/where.hpp"

namespace flexsync::store {

namespace {

constexpr PageStatement kMappings{kMappingColumns, "entity_integration_mappings AS m", {"m.created_at", "m.id"}};

// An ended mapping is history: the audit log has it.
constexpr std::string_view kLive = "status <> 'deleted'";

}  // namespace

Result<Page<Mapping>> StoreQueries::mappings(const Scope& scope, const MappingFilter& filter) {
  Where where;
  where.add(kLive);
  where.add_if_given("entity_type = ?", filter.entity_type);
  where.add_if_given("entity_id = ?", filter.entity_id);
  where.add_if_given("provider_type = ?", filter.provider_type);
  where.add_if_given("provider_entity_id = ?", filter.provider_entity_id);
  where.add_times("m.created_at", filter.list);
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  return pool_.call(scope, "mappings cannot be listed", [&](pqxx::transaction_base& tx) -> Result<Page<Mapping>> {
    return select_page<Mapping>(tx, kMappings, where, filter.list, mapping_from_row);
  });
}

Result<Mapping> StoreQueries::mapping(const Scope& scope, const MappingId& id) {
  Where where;
  where.add(kLive);
  where.add("id = ?", id.str());
  if (!where.check()) {
    return fail(ErrorCode::not_found, "there is no such mapping: its id is not valid text");
  }
  return pool_.call(scope, "the mapping cannot be read", [&](pqxx::transaction_base& tx) -> Result<Mapping> {
    const auto rows = where.exec(tx, page_sql(kMappings, where, ListOptions{}));
    if (rows.empty()) {
      return fail(ErrorCode::not_found, "there is no mapping " + id.str());
    }
    return mapping_from_row(rows[0]);
  });
}

}  // namespace flexsync::store
