// A subscription asks for its customer or plan: the supervisor finds the actor that has it, or that makes it.
//
// One lookup at a time, and no page of the inbox beside it: between the store's answer and the routing nobody else
// gives the same object an id. A customer that nobody knows is looked up in Stripe before, for its metadata may claim
// one of ours.
#include <caf/all.hpp>

#include "actors/tenant_supervisor.hpp"
#include "sync/event.hpp"

namespace flexsync::actors {

namespace {

// Where it is routed to: a price to its product's actor.
ObjectKey route_of(const PendingParentPtr& asked) {
  const auto& parent = asked->question().parent;
  return parent.product.empty() ? parent.object : ObjectKey{"product", parent.product};
}

}  // namespace

void tenant_supervisor_state::on_parent(const PendingParentPtr& asked) {
  parents_.push_back({asked, nullptr, {}});
  pump();
}

void tenant_supervisor_state::read_parents() {
  reading_ = true;
  ++reads_begun_;
  parents_sought_ = std::exchange(parents_, {});
  store::EntitiesWanted wanted;
  for (const auto& parent : parents_sought_) {
    wanted.objects.push_back(route_of(parent.asked));
    if (!parent.claim.empty()) {
      wanted.claims.push_back(parent.claim);
    }
  }
  services->inbox.find_entities(scope, std::move(wanted), [home = tenant_supervisor_actor{self}](auto found) {
    caf::anon_send(home, found_atom::value, std::make_shared<const decltype(found)>(std::move(found)));
  });
}

void tenant_supervisor_state::on_found(const Result<store::FoundEntities>& found) {
  reading_ = false;
  for (auto& parent : std::exchange(parents_sought_, {})) {
    if (!found) {
      parent.asked->answer(tl::unexpected(found.error()));
      continue;
    }
    const auto& asked = parent.asked;
    const auto object = route_of(asked);
    const auto kind = *kind_of(object.type);
    const auto stored = found->objects.find(object);
    const auto claimed = found->claims.find(parent.claim);
    if (const auto live = entities_.entity_of(kind, object.id.str())) {
      route_parent(*live, parent);
    } else if (stored != found->objects.end()) {
      route_parent({kind, stored->second}, parent);
    } else if (!parent.claim.empty() && claimed != found->claims.end()) {
      asked->answer(claimed->second);  // its own event maps it
    } else if (!asked->question().create) {
      asked->answer(fail(ErrorCode::not_found, object.id.str() + " is not here"));
    } else if (kind == EntityKind::customer && !parent.looked_up) {
      look_up(asked);
    } else {
      route_parent({kind, new_entity_id(kind, services->clock.now())}, parent);
    }
  }
  pump();
}

// Once for all who ask for the same one meanwhile.
void tenant_supervisor_state::look_up(const PendingParentPtr& asked) {
  const auto object = asked->question().parent.object;
  auto& waiting = being_looked_up_[object];
  waiting.push_back(asked);
  if (waiting.size() > 1) {
    return;
  }
  self->request(stripe_client_, services->config.stripe_answer_timeout, call_atom::value,
                std::make_shared<const stripe::Call>(stripe::retrieve(object.type, object.id)))
      .then([this, object](const CallOutcomePtr& outcome) { on_looked_up(object, outcome); },
            [this, object](const caf::error&) {
              refuse_looked_up(object, fail(ErrorCode::service_unavailable, "the Stripe client did not answer"));
            });
}

void tenant_supervisor_state::on_looked_up(const ObjectKey& object, const CallOutcomePtr& outcome) {
  std::string claim;
  if (const auto* found = std::get_if<stripe::Answered>(outcome.get())) {
    if (const auto state = stripe::parse_object(object.type, found->json)) {
      if (sync::belongs_elsewhere(*state, scope)) {
        refuse_looked_up(object,
                         fail(ErrorCode::invalid_operation, object.id.str() + " belongs to another environment"));
        return;
      }
      claim = sync::claimed_entity(*state).value_or("");
    }
  }
  for (auto& asked : take_looked_up(object)) {
    parents_.push_back({std::move(asked), outcome, claim});
  }
  pump();
}

void tenant_supervisor_state::refuse_looked_up(const ObjectKey& object, const ParentAnswer& answer) {
  for (const auto& asked : take_looked_up(object)) {
    asked->answer(answer);
  }
}

std::vector<PendingParentPtr> tenant_supervisor_state::take_looked_up(const ObjectKey& object) {
  auto found = being_looked_up_.extract(object);
  return found.empty() ? std::vector<PendingParentPtr>{} : std::move(found.mapped());
}

void tenant_supervisor_state::route_parent(const EntityKey& id, const AskedParent& parent) {
  auto& record = entity(id);
  entities_.link(route_of(parent.asked).id.str(), id);
  if (record.down) {
    parent.asked->answer(fail(ErrorCode::service_unavailable, id.id + " is recovering"));
    return;
  }
  ++record.parents;
  self->send(record.actor, parent_atom::value,
             std::make_shared<const RoutedParent>(RoutedParent{parent.asked, parent.looked_up}));
}

void tenant_supervisor_state::on_parent_answered(const EntityKey& id) {
  if (auto* record = entities_.find(id); record != nullptr && record->parents > 0) {
    --record->parents;
    record->finished_at_read = reads_begun_;
    record->idle_since = services->clock.now();
  }
}

}  // namespace flexsync::actors
