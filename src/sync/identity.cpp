#include "sync/identity.hpp"

#include "stripe/customer.hpp"

namespace flexsync::sync {

std::optional<std::string> claimed_entity(const stripe::ObjectState& state) {
  if (!std::holds_alternative<stripe::CustomerState>(state)) {
    return std::nullopt;  // nothing else is made in Stripe by us, or claimed by others
  }
  const auto& metadata = stripe::metadata_of(state);
  const auto claimed = metadata.find(std::string(stripe::kMetadataCustomerId));
  if (claimed == metadata.end() || claimed->second.empty()) {
    return std::nullopt;
  }
  return claimed->second;
}

std::string matched_email(const stripe::ObjectState& state, const Settings& settings) {
  const auto* customer = std::get_if<stripe::CustomerState>(&state);
  return settings.match_email && customer != nullptr && !customer->deleted ? customer->email : std::string();
}

bool belongs_elsewhere(const stripe::ObjectState& state, const Scope& scope) {
  const auto& metadata = stripe::metadata_of(state);
  const auto named = metadata.find(std::string(stripe::kMetadataEnvironment));
  return named != metadata.end() && !named->second.empty() && named->second != scope.environment.str();
}

bool must_be_looked_up(const stripe::ObjectEvent& event, bool is_known) {
  if (const auto* price = std::get_if<stripe::PriceState>(&event.state)) {
    return event.hint && price->product.empty();
  }
  // The comparison's own hints say what the metadata claims.
  return event.hint && event.type != stripe::kReconcileEvent && !is_known && !stripe::is_deleted(event.state) &&
         std::holds_alternative<stripe::CustomerState>(event.state);
}

std::variant<std::string, Conflict> entity_of(const StripeId& object, const Leads& leads) {
  if (!leads.stored.empty()) {
    return leads.stored;
  }
  if (!leads.claimed.empty()) {
    return leads.claimed;
  }
  if (leads.of_email.size() > 1) {
    return Conflict{"the e-mail of " + object.str() + " is that of several customers, such as " + leads.of_email[0] +
                    " and " + leads.of_email[1] + "; say in Stripe which one it is, in metadata." +
                    std::string(stripe::kMetadataCustomerId)};
  }
  return leads.of_email.empty() ? std::string() : leads.of_email.front();
}

}  // namespace flexsync::sync
