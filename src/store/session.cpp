#include "store/session.hpp"

#include <libpq-fe.h>

#include <pqxx/pqxx>
#include <stdexcept>
#include <string_view>

namespace flexsync::store {

namespace {

const char* role_name(Role role) {
  switch (role) {
    case Role::app:
      return "flexsync_app";
    case Role::intake:
      return "flexsync_intake";
    case Role::apply:
      return "flexsync_apply";
  }
  return "";
}

// The operator's URL in libpq's keyword form, with what every session of ours needs. The role is part of the
// connection itself: libpqxx may reconnect by itself, and must not come back as somebody who sees more.
std::string connection_string(const SessionConfig& config) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(config.url.c_str(), &message), &PQconninfoFree);
  if (!options) {
    const std::string reason = message != nullptr ? message : "out of memory";
    PQfreemem(message);
    throw std::invalid_argument("database.url is not a valid connection string: " + reason);
  }
  std::string own_options = "-c role=";
  own_options += role_name(config.role);
  own_options += " -c plan_cache_mode=force_generic_plan";  // see the end of migration 0001
  own_options += " -c client_min_messages=warning -c statement_timeout=" + std::to_string(config.statement_timeout_ms);

  std::string text;
  const auto add = [&text](std::string_view key, std::string_view value) {
    text.append(key).append("='");
    for (const char c : value) {
      if (c == '\'' || c == '\\') {
        text += '\\';
      }
      text += c;
    }
    text += "' ";
  };
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    const std::string_view key = option->keyword;
    if (option->val == nullptr || key == "application_name" || key == "connect_timeout") {
      continue;
    }
    if (key == "options") {
      own_options = std::string(option->val) + " " + own_options;
    } else {
      add(key, option->val);
    }
  }
  add("options", own_options);
  add("application_name", std::string("flexsync ") + role_name(config.role));
  add("connect_timeout", std::to_string(config.connect_timeout_seconds));
  return text;
}

// The first line of PostgreSQL's message: the rest quotes the statement.
std::string first_line(const std::exception& e) {
  const std::string_view text = e.what();
  return std::string(text.substr(0, text.find('\n')));
}

}  // namespace

Session::Session(SessionConfig config, std::function<void(pqxx::connection&)> prepare)
    : config_(std::move(config)), prepare_(std::move(prepare)) {}

Session::~Session() = default;

pqxx::connection& Session::connection() {
  const auto now = std::chrono::steady_clock::now();
  if (!connection_) {
    auto fresh = std::make_unique<pqxx::connection>(connection_string(config_));
    prepare_(*fresh);
    connection_ = std::move(fresh);
    planned_at_ = now;
  } else if (now - planned_at_ > config_.plan_age_max) {
    pqxx::nontransaction(*connection_).exec("DISCARD PLANS");
    planned_at_ = now;
  }
  return *connection_;
}

void Session::drop() {
  connection_.reset();
}

void look_up_by_index(pqxx::connection& connection) {
  pqxx::nontransaction tx(connection);
  tx.exec("SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off");
}

void enter_scope(pqxx::transaction_base& tx, const Scope& scope) {
  tx.exec_params("SELECT set_config('flexsync.tenant_id', $1, true), set_config('flexsync.environment_id', $2, true)",
                 scope.tenant.str(), scope.environment.str());
}

Failure classify(const std::exception& e) {
  if (breaks_connection(e)) {
    return Failure::unavailable;
  }
  // libpqxx 6.4 gives deadlocks and serialization failures a class of their own, outside of sql_error.
  if (dynamic_cast<const pqxx::transaction_rollback*>(&e) != nullptr) {
    return Failure::transient;
  }
  if (const auto* sql = dynamic_cast<const pqxx::sql_error*>(&e)) {
    const std::string& state = sql->sqlstate();
    if (state == "23505") {
      return Failure::conflict;
    }
    if (state.starts_with("40") || state == "55P03") {
      return Failure::transient;
    }
    if (state.starts_with("53") || state == "57014") {  // no resources; statement timeout
      return Failure::unavailable;
    }
  }
  return Failure::rejected;
}

bool breaks_connection(const std::exception& e) {
  if (dynamic_cast<const pqxx::broken_connection*>(&e) != nullptr ||
      dynamic_cast<const pqxx::in_doubt_error*>(&e) != nullptr) {
    return true;
  }
  if (dynamic_cast<const pqxx::insufficient_privilege*>(&e) != nullptr) {
    return false;  // libpqxx 6 throws it without its state, like a lost connection
  }
  if (const auto* sql = dynamic_cast<const pqxx::sql_error*>(&e)) {
    const std::string& state = sql->sqlstate();
    // 08: connection; 57P01..03: shutting down, crashed, starting up. A lost connection has no state at all.
    if (state.starts_with("08") || state.starts_with("57P") || state.empty()) {
      return true;
    }
  }
  return false;
}

Error to_error(const std::exception& e, const std::string& what) {
  switch (classify(e)) {
    case Failure::unavailable:
    case Failure::transient:
      return Error{ErrorCode::service_unavailable, what + ": the database is not available; try again", {}};
    case Failure::conflict:
      return Error{ErrorCode::already_exists, what + ": " + first_line(e), {}};
    case Failure::rejected:
      break;
  }
  return Error{ErrorCode::database_error, what + ": " + first_line(e), {}};
}

}  // namespace flexsync::store
