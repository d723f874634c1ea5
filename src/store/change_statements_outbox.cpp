#include "store/change_batch.hpp"
#include "store/rows.hpp"

namespace flexsync::store::changes {

namespace {

// The rows draw their seq in the order in which they stand here. One that is there already was committed before, and
// the answer was lost: it is left out, and so the change set a loser.
constexpr Statement kInsertIntents{"insert_intents", R"(
  INSERT INTO outbox (tenant_id, environment_id, id, entity_type, entity_id, operation, body, idempotency_key, fields,
                      state, attempts, next_attempt_at, look_first, error_code, error_message, request_id, keyed_at,
                      created_at, settled_at)
  SELECT tenant, environment, id, entity_type, entity, operation, body, key, fields::text[], state, attempts,
         'epoch'::timestamptz + next * interval '1 microsecond', look_first, code, message, request,
         'epoch'::timestamptz + keyed * interval '1 microsecond',
         'epoch'::timestamptz + created * interval '1 microsecond',
         'epoch'::timestamptz + settled * interval '1 microsecond'
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
              $9::text[], $10::text[], $11::int[], $12::bigint[], $13::boolean[], $14::text[], $15::text[],
              $16::text[], $17::bigint[], $18::bigint[], $19::bigint[]) WITH ORDINALITY
    AS row(tenant, environment, id, entity_type, entity, operation, body, key, fields, state, attempts, next,
           look_first, code, message, request, keyed, created, settled, place)
  ORDER BY place
  ON CONFLICT (tenant_id, environment_id, id) DO NOTHING
  RETURNING tenant_id, environment_id, id, seq)"};

// What an intent says never changes, and one that is finished stays so.
constexpr Statement kUpdateIntents{"update_intents", R"(
  UPDATE outbox o SET state = row.state, attempts = row.attempts,
         next_attempt_at = 'epoch'::timestamptz + row.next * interval '1 microsecond', look_first = row.look_first,
         error_code = row.code, error_message = row.message, idempotency_key = row.key,
         keyed_at = 'epoch'::timestamptz + row.keyed * interval '1 microsecond',
         settled_at = 'epoch'::timestamptz + row.settled * interval '1 microsecond'
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::int[], $6::bigint[], $7::boolean[], $8::text[],
              $9::text[], $10::text[], $11::bigint[], $12::bigint[])
    AS row(tenant, environment, seq, state, attempts, next, look_first, code, message, key, keyed, settled)
  WHERE o.tenant_id = row.tenant AND o.environment_id = row.environment AND o.seq = row.seq AND o.state = 'ready'
  RETURNING o.tenant_id, o.environment_id, o.seq)"};

}  // namespace

void prepare_outbox(pqxx::connection& connection) {
  prepare(connection, std::array{kInsertIntents, kUpdateIntents});
}

IntentSeqs insert_intents(pqxx::transaction_base& tx, const Batch& batch) {
  Table<19> table;
  for (const auto* c : batch) {
    for (const auto& intent : c->new_intents) {
      table.row(c->scope.tenant.str(), c->scope.environment.str(), intent.id.str(), intent.entity_type,
                intent.entity_id, to_string(intent.operation), intent.body, intent.idempotency_key,
                text_array(intent.fields), to_string(intent.state), std::int64_t{intent.attempts},
                intent.next_attempt_at, intent.look_first, storable(intent.error_code), storable(intent.error_message),
                intent.request_id, intent.keyed_at, intent.created_at, intent.settled_at);
    }
  }
  IntentSeqs seqs;
  for (const auto& row : table.exec(tx, kInsertIntents)) {
    seqs[{row[0].c_str(), row[1].c_str(), row[2].c_str()}] = row[3].as<std::int64_t>();
  }
  return seqs;
}

Written update_intents(pqxx::transaction_base& tx, const Batch& batch) {
  struct Row {
    const Scope* scope;
    const Intent* intent;
  };
  std::vector<Row> rows;
  for (const auto* c : batch) {
    for (const auto& intent : c->intents) {
      rows.push_back({&c->scope, &intent});
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tie(*a.scope, a.intent->seq) < std::tie(*b.scope, b.intent->seq);
  });
  Table<12> table;
  for (const auto& [scope, intent] : rows) {
    table.row(scope->tenant.str(), scope->environment.str(), intent->seq, to_string(intent->state),
              std::int64_t{intent->attempts}, intent->next_attempt_at, intent->look_first, storable(intent->error_code),
              storable(intent->error_message), intent->idempotency_key, intent->keyed_at, intent->settled_at);
  }
  return written(table.exec(tx, kUpdateIntents));
}

}  // namespace flexsync::store::changes
