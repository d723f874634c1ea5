#include "store/queries.hpp"
#include "store/rows.hpp"
#include "store/where.hpp"

namespace flexsync::store {

namespace {

// By creation: the sequence has an index, and the times of creation follow it.
constexpr PageStatement kIntents{kIntentColumns, "outbox AS o", {"o.seq"}};

Result<void> add_state(Where& where, const std::string& state) {
  if (state.empty()) {
    return {};
  }
  std::string known;
  for (const auto one : {IntentState::ready, IntentState::settled, IntentState::refused, IntentState::superseded}) {
    if (state == to_string(one)) {
      where.add("state = '" + state + "'");  // one of ours, written out: there is an index for those that are open
      return {};
    }
    known.append(known.empty() ? "" : ", ").append(to_string(one));
  }
  return fail(ErrorCode::validation_error, "an intent has no such state; use one of " + known,
              {{"state", "must be one of " + known}});
}

}  // namespace

Result<Page<Intent>> StoreQueries::intents(const Scope& scope, const IntentFilter& filter) {
  Where where;
  if (auto valid = add_state(where, filter.state); !valid) {
    return tl::unexpected(valid.error());
  }
  where.add_if_given("entity_id = ?", filter.entity_id);
  where.add_times("o.created_at", filter.list);
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  return pool_.call(scope, "the outbox cannot be listed", [&](pqxx::transaction_base& tx) -> Result<Page<Intent>> {
    return select_page<Intent>(tx, kIntents, where, filter.list, intent_from_row);
  });
}

}  // namespace flexsync::store
