// What only Stripe can say before an event or a question of a subscription's is routed: a customer that nobody knows
// may claim in its metadata to be one of ours, and a price that a thin event names belongs to its product's actor. Of a
// price that Stripe does not have any more, what was heard of it last says whose it was.
#include <caf/all.hpp>

#include "actors/overloaded.hpp"
#include "actors/parking.hpp"
#include "actors/tenant_supervisor.hpp"
#include "sync/failure.hpp"

namespace flexsync::actors {

void tenant_supervisor_state::look_up(const PendingParentPtr& asked) {
  const auto object = asked->question().parent.object;
  const auto [waiting, is_first] = being_looked_up_.try_emplace(object);
  waiting->second.parents.push_back(asked);
  if (is_first) {
    ask_stripe(object);
  }
}

void tenant_supervisor_state::look_up(ReadEvent read) {
  const auto object = stripe::key_of(read.routed->event.state);
  if (object.type == "price") {
    read.entity_id.clear();  // its own may be that of another product, which it belonged to before
  }
  read.was_looked_up = true;
  const auto [waiting, is_first] = being_looked_up_.try_emplace(object);
  waiting->second.events.push_back(std::move(read));
  if (is_first) {
    ask_stripe(object);
  }
}

void tenant_supervisor_state::ask_stripe(const ObjectKey& object) {
  self->request(stripe_client_, services->config.stripe_answer_timeout, call_atom::value,
                std::make_shared<const stripe::Call>(stripe::retrieve(object.type, object.id)))
      .then([this, object](const CallOutcomePtr& outcome) { on_looked_up(object, outcome); },
            [this, object](const caf::error&) {
              on_looked_up(object, std::make_shared<const stripe::CallOutcome>(
                                       stripe::Unknown{"the Stripe client did not answer", false}));
            });
}

void tenant_supervisor_state::on_looked_up(const ObjectKey& object, const CallOutcomePtr& outcome) {
  const auto waiting = being_looked_up_.extract(object);
  const auto said = what_stripe_says(object, *outcome);
  for (const auto& asked : waiting.mapped().parents) {
    take_up(asked, outcome, said);
  }
  for (const auto& read : waiting.mapped().events) {
    take_up(read, said);
  }
  pump();
}

tenant_supervisor_state::Said tenant_supervisor_state::what_stripe_says(const ObjectKey& object,
                                                                        const stripe::CallOutcome& outcome) const {
  if (const auto* missing = std::get_if<stripe::NotFound>(&outcome)) {
    return *missing;
  }
  const auto* found = std::get_if<stripe::Answered>(&outcome);
  if (found == nullptr) {
    return sync::no_answer(outcome);
  }
  auto state = stripe::parse_object(object.type, found->json);
  if (!state) {
    return sync::NoAnswer{sync::Silence::refused, "its answer could not be read: " + state.error().message};
  }
  if (sync::belongs_elsewhere(*state, scope)) {
    return Elsewhere{};
  }
  return std::move(*state);
}

// Where Stripe may answer another time nothing is made: an actor of a customer whose claim is not known yet would keep
// it.
void tenant_supervisor_state::take_up(const PendingParentPtr& asked, const CallOutcomePtr& outcome, const Said& said) {
  const auto& id = asked->question().parent.object.id;
  const auto* state = std::get_if<stripe::ObjectState>(&said);
  const auto* silent = std::get_if<sync::NoAnswer>(&said);
  if (std::holds_alternative<Elsewhere>(said)) {
    asked->answer(fail(ErrorCode::invalid_operation, id.str() + " belongs to another environment"));
  } else if (silent != nullptr && silent->silence == sync::Silence::unavailable) {
    asked->answer(fail(kStripeIsSilent, silent->why));
  } else if (silent != nullptr && std::holds_alternative<stripe::Answered>(*outcome)) {
    asked->answer(fail(ErrorCode::invalid_operation, silent->why));  // as the parent's own actor says it
  } else if (state != nullptr) {
    parents_.push_back({asked, outcome, sync::claimed_entity(*state).value_or(""),
                        sync::matched_email(*state, services->config.sync)});
  } else {
    parents_.push_back({asked, outcome, {}, {}});
  }
}

void tenant_supervisor_state::take_up(ReadEvent read, const Said& said) {
  const auto& routed = *read.routed;
  std::visit(Overloaded{
                 [&](const stripe::ObjectState& state) {
                   const auto* price = std::get_if<stripe::PriceState>(&state);
                   read.product = price != nullptr ? price->product : StripeId{};
                   read.claim = sync::claimed_entity(state).value_or("");
                   read.email = sync::matched_email(state, services->config.sync);
                   looked_up_.push_back(std::move(read));
                 },
                 [&](const Elsewhere&) {
                   read.unless_known = sync::Ignored{std::string(sync::kElsewhere)};
                   take_up_unnamed(std::move(read));
                 },
                 [&](const stripe::NotFound& reason) {
                   read.unless_known = sync::unknown_hint(routed.event, reason.message);
                   take_up_unnamed(std::move(read));
                 },
                 [&](const sync::NoAnswer& reason) { on_no_answer(routed, reason); },
             },
             said);
}

// Of a price our shadow may say whose it was.
void tenant_supervisor_state::take_up_unnamed(ReadEvent read) {
  if (std::holds_alternative<stripe::PriceState>(read.routed->event.state)) {
    looked_up_.push_back(std::move(read));
  } else {
    end_hint(*read.routed, read.unless_known);
  }
}

// As the entity's actor does it, where a fetch fails.
void tenant_supervisor_state::on_no_answer(const RoutedEvent& routed, const sync::NoAnswer& reason) {
  if (auto parked = after_silence(routed, services->config, services->clock.now(), reason)) {
    park(routed.event.id, routed.seq, routed.was_parked, std::move(*parked));
  } else {
    end_hint(routed, sync::unanswered_hint(routed.event, reason.why));
  }
}

void tenant_supervisor_state::end_hint(const RoutedEvent& routed, const sync::HintEnd& end) {
  if (const auto* ignored = std::get_if<sync::Ignored>(&end)) {
    settle(routed.event.id, routed.seq, routed.was_parked, InboxOutcome::ignored, ignored->reason);
  } else {
    const auto& conflict = std::get<sync::Conflict>(end);
    park(routed.event.id, routed.seq, routed.was_parked,
         sync::given_up(routed.attempts, services->clock.now(), conflict.code, conflict.message));
  }
}

// Whose actors are they, and of prices that are gone: whose were they?
void tenant_supervisor_state::read_looked_up() {
  ++reads_begun_;
  page_ = std::exchange(looked_up_, {});
  store::EntitiesWanted wanted;
  for (const auto& read : page_) {
    const auto object = stripe::key_of(read.routed->event.state);
    if (object.type != "price") {
      wanted.objects.push_back(object);
    } else if (read.product.empty()) {
      wanted.prices.push_back(object.id);
    } else {
      wanted.objects.push_back({"product", read.product});
    }
    want_claimed(read, wanted);
  }
  find_owners(std::move(wanted));
}

// A price that was looked up gets its product; false where that is not known, or only now.
bool tenant_supervisor_state::name_product(ReadEvent& read, const store::FoundEntities& found) {
  auto* price = std::get_if<stripe::PriceState>(&read.routed->event.state);
  if (price == nullptr || !read.was_looked_up) {
    return true;
  }
  if (!read.product.empty()) {
    price->product = read.product;
    return true;
  }
  if (const auto known = found.products.find(price->id); known != found.products.end()) {
    read.product = known->second;
    looked_up_.push_back(std::move(read));
  } else {
    end_hint(*read.routed, read.unless_known);
  }
  return false;
}

}  // namespace flexsync::actors
