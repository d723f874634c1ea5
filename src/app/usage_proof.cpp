#include "app/usage_proof.hpp"

#include "app/settings.hpp"
#include "app/stripe_summaries.hpp"
#include "store/usage_queries.hpp"

namespace flexsync::app {

namespace {

constexpr int kStatementTimeoutMs = 3'600'000;  // a statement may go over all events there are

// Whom Stripe does not know, or shows nothing of, is passed over, so that a difference elsewhere is still found; a
// Stripe that is away, or a key that is not taken, ends it.
AcceptedByStripe ask(StripeSummaries& stripe, const SentUsage& sent, std::optional<Error>& not_asked) {
  AcceptedByStripe accepted;
  for (const auto& [account, hours] : sent) {
    auto answer = stripe.read(account, span_of(hours));
    if (answer) {
      accepted.emplace(account, std::move(*answer));
      continue;
    }
    const bool goes_on = answer.error().code == ErrorCode::invalid_operation;
    if (!not_asked) {
      not_asked = std::move(answer.error());
    }
    if (!goes_on) {
      break;
    }
  }
  return accepted;
}

class Prover {
 public:
  Prover(StoreSession& session, const Scope& scope)
      : session_(session),
        scope_(scope),
        pool_(pool_config(session), session.metrics),
        audit_(pool_, std::chrono::minutes(session.config.usage.window_minutes), grace()),
        queries_(pool_, session.clock, grace()) {}

  Result<UsageProof> prove(bool ask_stripe) {
    UsageProof proof;
    auto books = audit_.run(scope_, session_.clock.now());
    if (!books) {
      return tl::unexpected(books.error());
    }
    proof.totals = std::move(books->totals);
    proof.difference = std::move(books->first_difference);
    if (auto named = name_unsettled(proof); !named) {
      return tl::unexpected(named.error());
    }
    if (!proof.difference && ask_stripe) {
      if (auto asked = compare_with_stripe(proof, sent_usage(books->accepted)); !asked) {
        return tl::unexpected(asked.error());
      }
    }
    return proof;
  }

 private:
  static store::ReadPoolConfig pool_config(const StoreSession& session) {
    auto pool = read_pool_config(session.config, session.database.server_url);
    pool.name = "audit";
    pool.threads = 1;
    pool.statement_timeout_ms = kStatementTimeoutMs;
    return pool;
  }

  std::chrono::minutes grace() const { return std::chrono::minutes(session_.config.usage.grace_period_minutes); }

  // The second reading of the books is only made where the first one does not say what Stripe says.
  Result<void> compare_with_stripe(UsageProof& proof, const SentUsage& sent) {
    if (sent.empty()) {
      proof.settlement = Settlement{};
      return {};
    }
    const auto endpoint = read_endpoint(session_, scope_);
    if (!endpoint) {
      proof.not_asked = endpoint.error();
      return {};
    }
    StripeSummaries stripe(session_.config, (*endpoint)->secret_key, session_.clock);
    const auto accepted = ask(stripe, sent, proof.not_asked);
    proof.settlement = settle(sent, accepted, sent);
    if (proof.settlement->first_difference) {
      const auto again = audit_.run(scope_, session_.clock.now());
      if (!again) {
        return tl::unexpected(again.error());
      }
      proof.difference = again->first_difference;
      if (!proof.difference) {
        proof.settlement = settle(sent, accepted, sent_usage(again->accepted));
      }
    }
    return {};
  }

  Result<void> name_unsettled(UsageProof& proof) {
    for (const auto status : {BatchStatus::pending, BatchStatus::ambiguous}) {
      BatchFilter filter;
      filter.status = to_string(status);
      filter.list.limit = kUnsettledNamedMax;
      auto page = queries_.usage_batches(scope_, filter);
      if (!page) {
        return tl::unexpected(page.error());
      }
      proof.unsettled_count += page->total;
      proof.unsettled.insert(proof.unsettled.end(), page->items.begin(), page->items.end());
    }
    return {};
  }

  StoreSession& session_;
  const Scope& scope_;
  store::ReadPool pool_;
  store::UsageAudit audit_;
  store::StoreUsageQueries queries_;
};

}  // namespace

Result<UsageProof> prove_usage(StoreSession& session, const Scope& scope, bool ask_stripe) {
  if (auto exists = require_environment(session, scope); !exists) {
    return tl::unexpected(exists.error());
  }
  return Prover(session, scope).prove(ask_stripe);
}

}  // namespace flexsync::app
