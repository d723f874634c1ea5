// After settling: what was sent is what Stripe has accepted, hour by hour.
//
// The books and Stripe cannot be read at one instant, and a running server goes on sending. So Stripe is asked between
// two readings of the books: it must have what was sent by the first, and may have no more than what was sent or
// under way by the second. Where nothing is under way both say the same, and Stripe must have exactly that.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "domain/error.hpp"
#include "store/usage_audit.hpp"

namespace flexsync::app {

// Whose usage Stripe adds up: one of its meters and one of its customers. Several of ours may share them.
struct StripeAccount {
  StripeId meter;
  StripeId customer;

  friend auto operator<=>(const StripeAccount&, const StripeAccount&) = default;
};

struct SentHour {
  CustomerId customer_id;  // ours; the first one where several share the hour
  MeterId meter_id;
  Decimal sent;
  Decimal undecided;  // may have arrived
};

using SentUsage = std::map<StripeAccount, std::map<Timestamp, SentHour>>;
using AcceptedHours = std::map<Timestamp, Decimal>;  // hours without usage may be missing
using AcceptedByStripe = std::map<StripeAccount, AcceptedHours>;

SentUsage sent_usage(const std::vector<store::AcceptedUsage>& rows);

// The full hours from the first to the last one of an account.
Segment span_of(const std::map<Timestamp, SentHour>& hours);

struct SettlementDifference {
  StripeAccount account;
  Segment hour;
  SentHour books;  // by the second reading
  Decimal accepted;
};

struct Settlement {
  std::size_t accounts = 0;
  std::size_t equal = 0;      // hours that are
  std::size_t unsettled = 0;  // hours with something under way, within what may be
  std::size_t different = 0;
  Decimal sent;
  Decimal accepted;
  std::optional<SettlementDifference> first_difference;  // the earliest hour's
};

// Only accounts that Stripe was asked for are compared.
Settlement settle(const SentUsage& before, const AcceptedByStripe& accepted, const SentUsage& after);

}  // namespace flexsync::app
