// A subscription needs its customer and plans to exist first: how its actor asks for them, and what the actor of a
// customer or plan does when it is asked. Never the other way round, so there is no cycle.
#include <caf/all.hpp>
#include <variant>

#include "actors/entity_sync.hpp"
#include "actors/overloaded.hpp"
#include "actors/parking.hpp"
#include "sync/identity.hpp"

namespace flexsync::actors {

// --- asking -------------------------------------------------------------------------------------------------------

namespace {

constexpr int kParentRoundsMax = 3;  // Stripe's answer may name others than the event did

}  // namespace

void entity_sync_state::ask_for(const std::vector<sync::Parent>& parents) {
  if (++parent_rounds_ > kParentRoundsMax) {
    park(after_failure(*event(), args.services->config, now(), "parents", "its customer or plans keep missing"));
    return;
  }
  const auto& settings = args.services->config.sync;
  parents_awaited_ = parents.size();
  parent_absent_.reset();
  parent_failure_.reset();
  ++step_;
  for (const auto& parent : parents) {
    const bool create =
        parent.object.type == "customer" ? settings.create_missing_customer : settings.create_missing_plan;
    auto reply = [home = entity_sync_actor{self}, step = step_, object = parent.object](ParentAnswer answer) {
      caf::anon_send(home, parent_atom::value, step,
                     std::make_shared<const FoundParent>(FoundParent{object, std::move(answer)}));
    };
    self->send(args.supervisor, parent_atom::value,
               std::make_shared<PendingParent>(
                   ParentQuestion{parent, create}, std::move(reply),
                   fail(ErrorCode::internal_error, "nobody answered for " + parent.object.id.str())));
  }
}

void entity_sync_state::on_parent(std::uint64_t step, const FoundParent& found) {
  if (step != step_ || parents_awaited_ == 0) {
    return;
  }
  if (found.answer) {
    snapshot_.parents[found.object] = *found.answer;
  } else if (found.answer.error().code == ErrorCode::not_found) {
    parent_absent_ = found.object;
  } else {
    parent_failure_ = found.answer.error();
  }
  if (--parents_awaited_ == 0) {
    on_all_parents();
  }
}

void entity_sync_state::on_all_parents() {
  if (parent_absent_) {
    park(sync::blocked(event()->attempts, event()->parked_at.value_or(now()), now(), *parent_absent_));
  } else if (parent_failure_) {
    park(without_parents(*parent_failure_));
  } else {
    decide_event_again();
  }
}

ParkedEvent entity_sync_state::without_parents(const Error& failure) const {
  const auto& config = args.services->config;
  return failure.code == kStripeIsSilent ? until_stripe_answers(*event(), config, now(), failure.message)
                                         : after_failure(*event(), config, now(), "parents", failure.message);
}

// --- being asked --------------------------------------------------------------------------------------------------

sync::ParentTask entity_sync_state::parent_task() const {
  return {args.scope, args.epoch, args.entity, parent()->question().parent, {}, now()};
}

void entity_sync_state::decide_parent() {
  if (const auto known = sync::existing_parent(parent_task(), snapshot_)) {
    answer_parent(*known);
  } else if (!parent()->question().create) {
    answer_parent(fail(ErrorCode::not_found, parent()->question().parent.object.id.str() + " is not here"));
  } else if (const auto& looked_up = std::get<RoutedParentPtr>(queue_.front())->looked_up) {
    on_parent_fetched(*looked_up);
  } else {
    fetch(parent()->question().parent.object);
  }
}

void entity_sync_state::on_parent_committed() {
  const auto made = sync::existing_parent(parent_task(), snapshot_);
  answer_parent(made ? ParentAnswer(*made)
                     : fail(ErrorCode::invalid_operation,
                            parent()->question().parent.object.id.str() + " is not a plan (a one-time price)"));
}

void entity_sync_state::on_parent_fetched(const stripe::CallOutcome& outcome) {
  const auto& object = parent()->question().parent.object;
  const auto as_shell = [&] {
    carry_out_parent(sync::decide_parent(parent_task(), snapshot_, args.services->config.sync, std::nullopt));
  };
  std::visit(
      Overloaded{
          [&](const stripe::Answered& found) {
            auto state = stripe::parse_object(object.type, found.json);
            if (!state) {
              answer_parent(tl::unexpected(state.error()));
              return;
            }
            if (sync::belongs_elsewhere(*state, args.scope)) {
              answer_parent(fail(ErrorCode::invalid_operation, object.id.str() + " belongs to another environment"));
              return;
            }
            fetched_ = sync::Fetched{std::move(*state), found.true_during};
            carry_out_parent(sync::decide_parent(parent_task(), snapshot_, args.services->config.sync, fetched_));
          },
          [&](const stripe::NotFound&) { as_shell(); },
          [&](const stripe::Refused&) { as_shell(); },
          [&](const stripe::NotConnected&) { as_shell(); },
          [&](const stripe::RetryLater& later) { answer_parent(fail(kStripeIsSilent, later.reason)); },
          [&](const stripe::Unknown& unknown) { answer_parent(fail(kStripeIsSilent, unknown.reason)); },
      },
      outcome);
}

void entity_sync_state::carry_out_parent(sync::Decision decision) {
  if (auto* change = std::get_if<ChangeSet>(&decision)) {
    write(std::move(*change));
    return;
  }
  const auto* conflict = std::get_if<sync::Conflict>(&decision);
  answer_parent(fail(ErrorCode::invalid_operation,
                     conflict != nullptr ? conflict->message : "the parent cannot be made from what Stripe has"));
}

void entity_sync_state::answer_parent(ParentAnswer answer) {
  const auto asked = parent();
  asked->answer(std::move(answer));
  self->send(args.supervisor, parent_atom::value, args.entity);
  next_after_head();
}

}  // namespace flexsync::actors
