// What only Stripe can say before an event or a question of a subscription's is routed: a customer that nobody knows
// may claim in its metadata to be one of ours, and a price that a thin event names belongs to its product's actor. Of a
// price that Stripe does not have any more, what was heard of it last says whose it was.
#include <caf/all.hpp>

#include "actors/overloaded.hpp"
#include "actors/tenant_supervisor.hpp"
#include "sync/event.hpp"
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
  auto waiting = being_looked_up_.extract(object);
  std::string claim;
  bool elsewhere = false;
  if (const auto* found = std::get_if<stripe::Answered>(outcome.get())) {
    if (const auto state = stripe::parse_object(object.type, found->json)) {
      elsewhere = sync::belongs_elsewhere(*state, scope);
      claim = sync::claimed_entity(*state).value_or("");
    }
  }
  for (auto& asked : waiting.mapped().parents) {
    if (elsewhere) {
      asked->answer(fail(ErrorCode::invalid_operation, object.id.str() + " belongs to another environment"));
    } else {
      parents_.push_back({std::move(asked), outcome, claim});
    }
  }
  for (auto& read : waiting.mapped().events) {
    on_looked_up(std::move(read), *outcome);
  }
  pump();
}

void tenant_supervisor_state::on_looked_up(ReadEvent read, const stripe::CallOutcome& outcome) {
  const auto& routed = *read.routed;
  const auto answered = [&](const stripe::Answered& found) {
    const auto state = stripe::parse_object(stripe::key_of(routed.event.state).type, found.json);
    if (!state) {
      on_unanswered(routed, "its answer could not be read: " + state.error().message, false);
    } else if (sync::belongs_elsewhere(*state, scope)) {
      settle(routed.event.id, routed.seq, routed.was_parked, InboxOutcome::ignored, std::string(sync::kElsewhere));
    } else {
      const auto* price = std::get_if<stripe::PriceState>(&*state);
      read.product = price != nullptr ? price->product : StripeId{};
      read.claim = sync::claimed_entity(*state).value_or("");
      looked_up_.push_back(std::move(read));
    }
  };
  std::visit(Overloaded{
                 answered,
                 [&](const stripe::NotFound& reason) {
                   read.not_there = reason.message;
                   looked_up_.push_back(std::move(read));
                 },
                 [&](const stripe::Refused& reason) { on_unanswered(routed, reason.message, false); },
                 [&](const stripe::NotConnected& reason) { on_unanswered(routed, reason.reason, false); },
                 [&](const stripe::RetryLater& reason) { on_unanswered(routed, reason.reason, true); },
                 [&](const stripe::Unknown& reason) { on_unanswered(routed, reason.reason, true); },
             },
             outcome);
}

// As the entity's actor does it, where a fetch fails.
void tenant_supervisor_state::on_unanswered(const RoutedEvent& routed, const std::string& why, bool again) {
  const auto now = services->clock.now();
  const auto reason = sync::unanswered_hint(why);
  park(routed.event.id, routed.seq, routed.was_parked,
       again && routed.attempts + 1 < services->config.refetch_attempts_max
           ? sync::after_failure(services->config.retry, routed.attempts, static_cast<std::uint64_t>(routed.seq), now,
                                 reason.code, why)
           : sync::given_up(routed.attempts, now, reason.code, reason.message));
}

// Whose actors are they, and of prices that are gone: whose were they?
void tenant_supervisor_state::read_looked_up() {
  reading_ = true;
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
    if (!read.claim.empty()) {
      wanted.claims.push_back(read.claim);
    }
  }
  services->inbox.find_entities(scope, std::move(wanted), [home = tenant_supervisor_actor{self}](auto found) {
    caf::anon_send(home, claims_atom::value, std::make_shared<const decltype(found)>(std::move(found)));
  });
}

// Puts the products into the page's events; what cannot be routed by now leaves the page.
void tenant_supervisor_state::name_products(const store::FoundEntities& found) {
  std::erase_if(page_, [&](ReadEvent& read) {
    auto* price = std::get_if<stripe::PriceState>(&read.routed->event.state);
    if (price == nullptr || !price->product.empty()) {
      return false;
    }
    if (!read.product.empty()) {
      price->product = read.product;
      return false;
    }
    if (const auto known = found.products.find(price->id); known != found.products.end()) {
      read.product = known->second;
      looked_up_.push_back(std::move(read));
    } else {
      settle_unknown(*read.routed, read.not_there);
    }
    return true;
  });
}

// Neither Stripe nor we know the price.
void tenant_supervisor_state::settle_unknown(const RoutedEvent& routed, const std::string& why) {
  if (stripe::is_deleted(routed.event.state)) {
    settle(routed.event.id, routed.seq, routed.was_parked, InboxOutcome::ignored,
           "nothing of the price was known here");
  } else {
    park(routed.event.id, routed.seq, routed.was_parked,
         sync::given_up(routed.attempts, services->clock.now(), "conflict",
                        "Stripe does not know the price that the event names: " + why));
  }
}

}  // namespace flexsync::actors
