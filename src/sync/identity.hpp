// Which of ours an object of Stripe's is, as far as it says so itself. Pure decisions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "domain/entity.hpp"
#include "stripe/object_event.hpp"
#include "sync/decision.hpp"

namespace flexsync::sync {

// The customer that Stripe's metadata claims this object to be: our id, or an external_id of ours. Nothing when there
// is no claim; objects of another environment are ignored, which the caller asks with belongs_elsewhere().
std::optional<std::string> claimed_entity(const stripe::ObjectState& state);
// By which e-mail it may be a customer of ours: empty where it may not, or `sync.match_email` is off.
std::string matched_email(const stripe::ObjectState& state, const Settings& settings);
bool belongs_elsewhere(const stripe::ObjectState& state, const Scope& scope);
inline constexpr std::string_view kElsewhere =
    "the object belongs to another environment (metadata.flexprice_environment)";

// Whether only Stripe can say whose event it is: a thin event of a price does not name its product, and one of a
// customer that is not known here does not show the metadata by which it may claim to be one of ours.
bool must_be_looked_up(const stripe::ObjectEvent& event, bool is_known);

// What the store has of an object: the entity of its mapping or shadow, the one that its metadata claims, and those
// that its e-mail may mean. Empty where there is none.
struct Leads {
  std::string stored;
  std::string claimed;
  std::vector<std::string> of_email;
};

// Whose the object is, in that order; empty: nobody's. Of several with its e-mail none is guessed.
std::variant<std::string, Conflict> entity_of(const StripeId& object, const Leads& leads);

}  // namespace flexsync::sync
