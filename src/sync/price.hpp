// What a Stripe price (legacy: plan) does here: it is remembered under its product, and, with
// `sync.plan_source = price`, a recurring one is a plan and its twin addon of its own.
#pragma once

#include <optional>

#include "stripe/price.hpp"
#include "sync/decision.hpp"

namespace flexsync::sync {

Taken take(const Context& context, const stripe::PriceState& state, const TrueInterval& true_during, ChangeSet& change);
Taken take_deletion(const Context& context, const stripe::PriceState& last, Timestamp at, ChangeSet& change);
Taken pass_by(const Context& context, const stripe::PriceState& state, ChangeSet& change);

// A price that a subscription needs for its plan (plan_source = price), and that Stripe cannot be asked about: a plan
// without anything, and no price. What comes of it fills both.
Taken take_shell(const Context& context, const stripe::PriceState& bare, ChangeSet& change);

// Events leave out a price's tiers, which never change: they are what is known, or have to be fetched (false).
bool complete_from(const std::optional<StripeObject>& shadow, stripe::PriceState& state);

// How many digits a currency has behind the point in Stripe's smallest unit (Stripe: "Supported currencies"). The rest
// have two, ISK and UGX among them: of these the page's special cases go before its list of zero-decimal ones.
int currency_exponent(const std::string& currency);

// FlexPrice's period of Stripe's interval: "month" is MONTHLY; nothing for a word that is new to us.
std::optional<BillingPeriod> billing_period_of(const std::string& interval);

}  // namespace flexsync::sync
