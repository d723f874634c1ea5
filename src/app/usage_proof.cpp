#include "app/usage_proof.hpp"

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <variant>

#include "stripe/call.hpp"
#include "stripe/classify.hpp"
#include "stripe/meter.hpp"

namespace flexsync::app {

namespace {

stripe::CallOutcome ask(stripe::Transport& transport, const stripe::Call& call, const Secret& key,
                        std::chrono::milliseconds timeout) {
  stripe::HttpRequest request;
  request.path = call.path;
  request.api_key = key;
  request.timeout = timeout;
  const auto answer = std::make_shared<std::promise<stripe::HttpResult>>();
  auto waiting = answer->get_future();
  transport.send(std::move(request), [answer](stripe::HttpResult result) { answer->set_value(std::move(result)); });
  return stripe::classify(waiting.get(), call, {}).outcome;  // the transport answers within the request's own timeout
}

std::string reason_of(const stripe::CallOutcome& outcome) {
  if (const auto* refused = std::get_if<stripe::Refused>(&outcome)) {
    return refused->message;
  }
  if (const auto* missing = std::get_if<stripe::NotFound>(&outcome)) {
    return missing->message;
  }
  if (const auto* paused = std::get_if<stripe::NotConnected>(&outcome)) {
    return paused->reason;
  }
  if (const auto* later = std::get_if<stripe::RetryLater>(&outcome)) {
    return later->reason;
  }
  const auto* unknown = std::get_if<stripe::Unknown>(&outcome);
  return unknown != nullptr ? unknown->reason : "no reason";
}

Result<Decimal> accepted(stripe::Transport& transport, const Secret& key, std::chrono::milliseconds timeout,
                         const AcceptedRow& row) {
  Decimal sum;
  std::string after;
  for (bool more = true; more;) {
    const auto call =
        stripe::meter_summaries(row.stripe_meter_id, row.stripe_customer_id, row.span.start, row.span.end, after);
    const auto outcome = ask(transport, call, key, timeout);
    const auto* answered = std::get_if<stripe::Answered>(&outcome);
    if (answered == nullptr) {
      return fail(ErrorCode::service_unavailable, "Stripe cannot be asked for its summaries: " + reason_of(outcome));
    }
    const auto page = stripe::parse_meter_summaries(answered->json);
    if (!page) {
      return tl::unexpected(page.error());
    }
    for (const auto& summary : page->summaries) {
      sum += summary.value;
      after = summary.id.str();
    }
    more = page->has_more && !page->summaries.empty();
  }
  return sum;
}

}  // namespace

std::vector<AcceptedRow> rows_to_ask(const std::vector<store::AcceptedUsage>& hours) {
  std::map<std::pair<StripeId, StripeId>, AcceptedRow> rows;
  for (const auto& hour : hours) {
    const auto [entry, is_new] = rows.try_emplace({hour.stripe_meter_id, hour.stripe_customer_id});
    auto& row = entry->second;
    if (is_new) {
      row = {hour.customer_id, hour.meter_id, hour.stripe_customer_id, hour.stripe_meter_id, hour.hour, {}, {}, {}};
    }
    row.span.start = std::min(row.span.start, hour.hour.start);
    row.span.end = std::max(row.span.end, hour.hour.end);
    row.sent += hour.value;
    row.undecided += hour.undecided;
  }
  std::vector<AcceptedRow> all;
  for (auto& [key, row] : rows) {
    all.push_back(std::move(row));
  }
  return all;
}

Result<void> ask_stripe(stripe::Transport& transport, const Secret& key, std::chrono::milliseconds timeout,
                        std::vector<AcceptedRow>& rows) {
  for (auto& row : rows) {
    const auto sum = accepted(transport, key, timeout, row);
    if (!sum) {
      return tl::unexpected(sum.error());
    }
    row.accepted = *sum;
  }
  return {};
}

}  // namespace flexsync::app
