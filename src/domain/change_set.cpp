#include "domain/change_set.hpp"

#include <algorithm>

namespace flexsync {

namespace {

void absorb_mapping(const std::optional<Mapping>& written, std::optional<Mapping>& known) {
  if (written) {
    known = written->status == Status::published ? written : std::nullopt;
  }
}

void absorb_intents(const ChangeSet& change, const std::vector<std::int64_t>& seqs, std::vector<Intent>& intents) {
  for (const auto& intent : change.intents) {
    const auto known =
        std::find_if(intents.begin(), intents.end(), [&](const auto& other) { return other.id == intent.id; });
    if (known != intents.end() && intent.state == IntentState::ready) {
      *known = intent;
    } else if (known != intents.end()) {
      intents.erase(known);
    }
  }
  for (std::size_t i = 0; i < change.new_intents.size(); ++i) {
    intents.push_back(change.new_intents[i]);
    intents.back().seq = seqs.at(i);
  }
}

template <class Row>
void absorb_row(const std::optional<Row>& written, std::optional<Row>& known) {
  if (written) {
    known = written;
  }
}

}  // namespace

void absorb(const ChangeSet& change, const std::vector<std::int64_t>& intent_seqs, EntitySnapshot& snapshot) {
  absorb_row(change.customer, snapshot.customer);
  absorb_row(change.plan, snapshot.plan);
  absorb_row(change.addon, snapshot.addon);
  absorb_row(change.price, snapshot.price);
  absorb_row(change.subscription, snapshot.subscription);
  absorb_mapping(change.mapping, snapshot.mapping);
  absorb_mapping(change.addon_mapping, snapshot.addon_mapping);
  absorb_row(change.stripe_object, snapshot.shadow);
  absorb_row(change.product, snapshot.product);
  absorb_intents(change, intent_seqs, snapshot.intents);
}

}  // namespace flexsync
