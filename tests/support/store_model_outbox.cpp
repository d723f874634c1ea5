// The outbox of the store in memory.
#include <algorithm>
#include <set>
#include <stdexcept>

#include "support/store_model.hpp"

namespace flexsync::test {

// What is updated is still ready, and what is new is not there yet.
bool StoreModel::intents_match(const ChangeSet& change) const {
  const auto is_ready = [&](const Intent& intent) {
    const auto known = intents_.find({change.scope, intent.seq});
    return known != intents_.end() && known->second.state == IntentState::ready;
  };
  const auto is_known = [&](const Intent& intent) {
    return std::any_of(intents_.begin(), intents_.end(), [&](const auto& entry) {
      return entry.first.first == change.scope && entry.second.id == intent.id;
    });
  };
  return std::all_of(change.intents.begin(), change.intents.end(), is_ready) &&
         std::none_of(change.new_intents.begin(), change.new_intents.end(), is_known);
}

std::vector<std::int64_t> StoreModel::write_intents(const ChangeSet& change) {
  for (const auto& changed : change.intents) {
    auto& stored = intents_.at({change.scope, changed.seq});
    stored.state = changed.state;
    stored.attempts = changed.attempts;
    stored.next_attempt_at = changed.next_attempt_at;
    stored.look_first = changed.look_first;
    stored.error_code = changed.error_code;
    stored.error_message = changed.error_message;
    stored.idempotency_key = changed.idempotency_key;
    stored.keyed_at = changed.keyed_at;
    stored.settled_at = changed.settled_at;
  }
  std::vector<std::int64_t> seqs;
  for (const auto& intent : change.new_intents) {
    seqs.push_back(put(change.scope, intent));
  }
  return seqs;
}

std::int64_t StoreModel::put(const Scope& scope, Intent intent) {
  for (const auto& [key, known] : intents_) {
    if (key.first == scope && known.idempotency_key == intent.idempotency_key) {
      throw std::logic_error("two intents with the idempotency key " + intent.idempotency_key);
    }
  }
  intent.seq = ++last_intent_seq_;
  intents_[{scope, intent.seq}] = std::move(intent);
  return last_intent_seq_;
}

std::vector<Intent> StoreModel::intents(const Scope& scope) const {
  std::vector<Intent> result;
  for (const auto& [key, intent] : intents_) {
    if (key.first == scope) {
      result.push_back(intent);
    }
  }
  return result;
}

std::vector<Intent> StoreModel::ready_of(const Scope& scope, const std::string& entity_id) const {
  auto result = intents(scope);
  std::erase_if(result, [&](const Intent& i) { return i.entity_id != entity_id || i.state != IntentState::ready; });
  return result;
}

bool StoreModel::is_head(const Scope& scope, const Intent& intent) const {
  return ready_of(scope, intent.entity_id).front().seq == intent.seq;
}

store::OutboxPage StoreModel::ready_intents(const Scope& scope, Timestamp now, int rows_max,
                                            const std::vector<std::string>& busy) const {
  store::OutboxPage page;
  for (const auto& intent : intents(scope)) {
    if (intent.state != IntentState::ready) {
      continue;
    }
    if (intent.next_attempt_at > now) {
      page.next_due = std::min(page.next_due.value_or(intent.next_attempt_at), intent.next_attempt_at);
    } else if (is_head(scope, intent) && std::find(busy.begin(), busy.end(), intent.entity_id) == busy.end()) {
      const auto mapping = std::find_if(mappings_.begin(), mappings_.end(), [&](const auto& entry) {
        return entry.first.first == scope && entry.second.entity_id == intent.entity_id &&
               entry.second.status == Status::published;
      });
      page.rows.push_back({intent, StripeId(mapping == mappings_.end() ? "" : mapping->second.provider_entity_id)});
    }
  }
  std::stable_sort(page.rows.begin(), page.rows.end(),
                   [](const auto& a, const auto& b) { return a.intent.next_attempt_at < b.intent.next_attempt_at; });
  page.rows.resize(std::min(page.rows.size(), static_cast<std::size_t>(rows_max)));
  return page;
}

}  // namespace flexsync::test
