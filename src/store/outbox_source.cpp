#include "store/outbox_source.hpp"

#include <pqxx/pqxx>

#include "store/array.hpp"
#include "store/outbox_statements.hpp"
#include "store/pool_submit.hpp"
#include "store/rows.hpp"

namespace flexsync::store {

namespace {

constexpr const char* kDepths =
    "SELECT tenant_id, environment_id, ready, coalesce(" FLEXSYNC_MICROS("oldest") ", 0), refused FROM outbox_depths()";

OutboxPage read(pqxx::transaction_base& tx, const Scope& scope, Timestamp now, int rows_max, const std::string& busy) {
  OutboxPage page;
  const auto& tenant = scope.tenant.str();
  const auto& environment = scope.environment.str();
  const auto micros = to_unix_micros(now);
  for (const auto& row : tx.exec_params(ready_intents_sql(), tenant, environment, micros, busy, rows_max)) {
    page.rows.push_back({intent_from_row(row), StripeId{text_from(row["stripe_id"])}});
  }
  page.next_due = optional_time_from(tx.exec_params1(kNextDue, tenant, environment, micros)[0]);
  return page;
}

}  // namespace

void StoreOutboxSource::read_ready(const Scope& scope, Timestamp now, int rows_max, std::vector<std::string> busy,
                                   std::function<void(Result<OutboxPage>)> reply) {
  submit<OutboxPage>(
      pool_, scope, "reading the outbox",
      [scope, now, rows_max, busy = text_array(busy)](pqxx::transaction_base& tx) {
        return read(tx, scope, now, rows_max, busy);
      },
      std::move(reply));
}

void StoreOutboxSource::depths(std::function<void(Result<std::vector<Depth>>)> reply) {
  submit<std::vector<Depth>>(
      pool_, std::nullopt, "measuring the outbox",
      [](pqxx::transaction_base& tx) {
        std::vector<Depth> depths;
        for (const auto& row : tx.exec(kDepths)) {
          depths.push_back({{TenantId{row[0].c_str()}, EnvironmentId{row[1].c_str()}},
                            row[2].as<std::int64_t>(),
                            from_unix_micros(row[3].as<std::int64_t>()),
                            row[4].as<std::int64_t>()});
        }
        return depths;
      },
      std::move(reply));
}

}  // namespace flexsync::store
