// What a subscription's invoices come to: tried, paid, tried again, given up. Invoices themselves are not simulated.
#pragma once

#include <cstdint>
#include <string>

#include "stripe_sim/subscription_ledger.hpp"
#include "stripe_sim/types.hpp"

namespace stripe_sim {

// Whether an invoice of the subscription asks its customer for money, to be paid by itself.
bool must_pay(const Json& subscription);

// An invoice was made: notes when its payment will be tried.
void request_payment(const Json& subscription, SubscriptionProgress& progress, std::int64_t moment);
void try_payment(Json& subscription, SubscriptionProgress& progress, const PaymentHabits& habits, std::int64_t moment);
void fail_payment(Json& subscription, SubscriptionProgress& progress, const PaymentHabits& habits, std::int64_t moment);

// All that was open is paid. Answers the event that goes with it, as take_step does.
std::string settle(Json& subscription, SubscriptionProgress& progress, std::int64_t moment);

}  // namespace stripe_sim
