#include "store/connection_cache.hpp"

#include <pqxx/pqxx>

#include "store/connection_secrets.hpp"
#include "store/rows.hpp"
#include "telemetry/log.hpp"

namespace flexsync::store {

namespace {

constexpr std::size_t kIdBytesMax = 255;

constexpr const char* kSelectEndpoint =
    "SELECT id, account_id, livemode, sync_config, secrets FROM connections"
    " WHERE provider_type = 'stripe' AND status = 'published'";
constexpr const char* kLookup = "SELECT tenant_id, environment_id, livemode FROM lookup_connections($1)";

std::optional<bool> optional_flag(const pqxx::field& field) {
  return field.is_null() ? std::nullopt : std::optional(field.as<bool>());
}

// A row as it was read; opened outside of the transaction.
struct SealedEndpoint {
  StripeEndpoint endpoint;
  std::string secrets;
};

std::optional<SealedEndpoint> select_endpoint(pqxx::transaction_base& tx, const Scope& scope) {
  const auto rows = tx.exec(kSelectEndpoint);
  if (rows.empty()) {
    return std::nullopt;
  }
  const auto& row = rows[0];
  SealedEndpoint sealed;
  sealed.endpoint.connection = ConnectionId{text_from(row["id"])};
  sealed.endpoint.scope = scope;
  sealed.endpoint.account_id = text_from(row["account_id"]);
  sealed.endpoint.livemode = optional_flag(row["livemode"]);
  sealed.endpoint.sync_config = text_from(row["sync_config"]);
  sealed.secrets = text_from(row["secrets"]);
  return sealed;
}

Result<ConnectionCache::Endpoint> open(const SecretBox& box, SealedEndpoint sealed) {
  auto& endpoint = sealed.endpoint;
  auto secrets = open_secrets(box, endpoint.scope, endpoint.connection, sealed.secrets);
  const log::Field connection{"connection_id", endpoint.connection.str()};
  if (!secrets) {
    log::error("a connection's secrets do not open", {connection, {"error", secrets.error().message}});
    return tl::unexpected(secrets.error());
  }
  endpoint.webhook_secrets = std::move(secrets->webhook_secrets);
  endpoint.secret_key = std::move(secrets->secret_key);
  log::debug("a connection's secrets were read", {connection,
                                                  {"tenant_id", endpoint.scope.tenant.str()},
                                                  {"environment_id", endpoint.scope.environment.str()},
                                                  {"by", "connection_cache"}});
  return std::make_shared<const StripeEndpoint>(std::move(endpoint));
}

tl::unexpected<Error> not_connected() {
  return fail(ErrorCode::not_found, "Stripe connection not configured for this environment");
}

void read_endpoint(ReadPool& pool, const SecretBox& box, const Scope& scope, const ConnectionCache::Reply& reply) {
  auto found = std::make_shared<std::optional<SealedEndpoint>>();
  pool.submit(
      scope, "the Stripe connection cannot be read",
      [found, scope](pqxx::transaction_base& tx) { *found = select_endpoint(tx, scope); },
      [found, &box, reply](std::optional<Error> error) {
        if (error) {
          reply(tl::unexpected(std::move(*error)));
        } else if (!*found) {
          reply(not_connected());
        } else {
          reply(open(box, std::move(**found)));
        }
      });
}

bool can_be_an_id(const std::string& text) {
  return text.size() <= kIdBytesMax && is_storable(text);
}

const char* mode_of(bool live) {
  return live ? "live" : "test";
}

}  // namespace

ConnectionCache::ConnectionCache(ReadPool& pool, const SecretBox& secrets, const Clock& clock,
                                 ReadThroughLimits limits) {
  endpoints_ = std::make_shared<ReadThroughCache<Scope, StripeEndpoint>>(
      clock, [&pool, &secrets](const Scope& scope, const Reply& reply) { read_endpoint(pool, secrets, scope, reply); },
      limits);

  using AccountReply = ReadThroughCache<std::string, Candidates>::Reply;
  const auto read_accounts = [&pool](const std::string& account, const AccountReply& reply) {
    auto found = std::make_shared<Candidates>();
    pool.submit(
        std::nullopt, "the account's Stripe connections cannot be read",
        [found, account](pqxx::transaction_base& tx) {
          found->clear();
          for (const auto& row : tx.exec_params(kLookup, account)) {
            const Scope scope{TenantId{text_from(row["tenant_id"])}, EnvironmentId{text_from(row["environment_id"])}};
            found->push_back({scope, optional_flag(row["livemode"])});
          }
        },
        [found, reply](std::optional<Error> error) {
          if (error) {
            reply(tl::unexpected(std::move(*error)));
          } else if (found->empty()) {
            reply(not_connected());
          } else {
            reply(std::shared_ptr<const Candidates>(found));
          }
        });
  };
  accounts_ = std::make_shared<ReadThroughCache<std::string, Candidates>>(clock, read_accounts, limits);
}

void ConnectionCache::find(const Scope& scope, Reply reply) {
  if (!can_be_an_id(scope.tenant.str()) || !can_be_an_id(scope.environment.str())) {
    reply(not_connected());
    return;
  }
  endpoints_->find(scope, std::move(reply));
}

void ConnectionCache::refresh(const Scope& scope, Reply reply) {
  endpoints_->refresh(scope, std::move(reply));
}

void ConnectionCache::find_global(const std::string& account, std::optional<bool> livemode,
                                  std::function<void(Result<EventOwner>)> reply) {
  if (!can_be_an_id(account)) {
    reply(EventOwner{std::nullopt, "the event's account is no Stripe account id"});
    return;
  }
  accounts_->find(account, [account, livemode, reply = std::move(reply)](const auto& candidates) {
    if (candidates) {
      reply(choose(**candidates, account, livemode));
    } else if (candidates.error().code == ErrorCode::not_found) {
      reply(choose({}, account, livemode));
    } else {
      reply(tl::unexpected(candidates.error()));
    }
  });
}

// A connection of the event's mode comes before one whose mode is not known; two of a kind are never guessed between.
EventOwner ConnectionCache::choose(const Candidates& candidates, const std::string& account,
                                   std::optional<bool> livemode) {
  std::vector<Scope> exact;
  std::vector<Scope> possible;
  for (const auto& candidate : candidates) {
    if (livemode && candidate.livemode == livemode) {
      exact.push_back(candidate.scope);
    } else if (!livemode || !candidate.livemode) {
      possible.push_back(candidate.scope);
    }
  }
  const auto& matching = exact.empty() ? possible : exact;
  const auto whose = account.empty() ? std::string("marked default") : "of account " + account;
  const auto mode = livemode ? std::string(" in ") + mode_of(*livemode) + " mode" : std::string();
  if (matching.size() == 1) {
    return {matching.front(), ""};
  }
  if (matching.empty()) {
    return {std::nullopt, "no Stripe connection " + whose + mode};
  }
  return {std::nullopt, "several Stripe connections " + whose + mode + ": the event could be for any of them"};
}

void ConnectionCache::invalidate(const Scope& scope) {
  endpoints_->invalidate(scope);
  accounts_->invalidate_all();  // its account may be another now; changes are rare
}

}  // namespace flexsync::store
