// A subscription asks for its customer or plan: the supervisor finds the actor that has it, or that makes it.
//
// One lookup at a time, and no page of the inbox beside it: between the store's answer and the routing nobody else
// gives the same object an id. A customer that nobody knows is looked up in Stripe before, for its metadata may claim
// one of ours.
#include <caf/all.hpp>

#include "actors/tenant_supervisor.hpp"

namespace flexsync::actors {

namespace {

// Where it is routed to: a price to its product's actor.
ObjectKey route_of(const PendingParentPtr& asked) {
  const auto& parent = asked->question().parent;
  return parent.product.empty() ? parent.object : ObjectKey{"product", parent.product};
}

}  // namespace

void tenant_supervisor_state::on_parent(const PendingParentPtr& asked) {
  parents_.push_back({asked, nullptr, {}, {}});
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
    if (!parent.email.empty()) {
      wanted.emails.push_back(parent.email);
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
      parent.asked->answer(fail(ErrorCode::database_error, found.error().message));
      continue;
    }
    const auto& asked = parent.asked;
    const auto object = route_of(asked);
    const auto kind = *kind_of(object.type);
    const auto leads = leads_of(object, parent.claim, parent.email, *found);
    const auto owner = sync::entity_of(object.id, leads);
    const auto* conflict = std::get_if<sync::Conflict>(&owner);
    const auto id = conflict == nullptr ? std::get<std::string>(owner) : std::string();
    if (const auto live = entities_.entity_of(kind, object.id.str())) {
      route_parent(*live, parent);
    } else if (conflict != nullptr) {
      asked->answer(fail(ErrorCode::invalid_operation, conflict->message));
    } else if (!leads.stored.empty()) {
      route_parent({kind, id}, parent);
    } else if (!id.empty()) {
      route_claimed({kind, id}, parent);
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

void tenant_supervisor_state::route_parent(const EntityKey& id, const AskedParent& parent) {
  entity(id);
  entities_.link(route_of(parent.asked).id.str(), id);
  route_claimed(id, parent);
}

// Whether it is Stripe's customer that was asked for is for its actor to say: it may be mapped to another one.
void tenant_supervisor_state::route_claimed(const EntityKey& id, const AskedParent& parent) {
  auto& record = entity(id);
  if (record.down) {
    parent.asked->answer(fail(ErrorCode::internal_error, id.id + " is recovering"));
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
