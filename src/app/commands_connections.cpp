// connection set, list, test.
#include <CLI/CLI.hpp>
#include <future>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/settings.hpp"
#include "app/stripe_secrets.hpp"

namespace flexsync::app {

namespace {

using Json = nlohmann::json;

struct ConnectionOptions {
  Scope scope;
  std::string name;
  std::string account_id;
  std::string secrets_from;
  bool is_default = false;
};

Json to_json(const Connection& connection) {
  Json json{{"id", connection.id.str()},
            {"name", connection.name},
            {"provider_type", connection.provider_type},
            {"account_id", connection.account_id},
            {"metadata", connection.metadata},
            {"tenant_id", connection.scope.tenant.str()},
            {"environment_id", connection.scope.environment.str()},
            {"created_at", to_rfc3339(connection.created_at)},
            {"updated_at", to_rfc3339(connection.updated_at)}};
  if (connection.livemode) {
    json["livemode"] = *connection.livemode;
  }
  return json;
}

std::string mode_of(const Connection& connection) {
  return connection.livemode ? (*connection.livemode ? "live" : "test") : "unknown";
}

bool is_default(const Connection& connection) {
  const auto found = connection.metadata.find("default");
  return found != connection.metadata.end() && found->second == "true";
}

Table connection_table(const std::vector<Connection>& connections) {
  Table table({{"id"}, {"name"}, {"mode"}, {"account"}, {"default"}, {"updated"}});
  for (const auto& connection : connections) {
    table.add({connection.id.str(), connection.name, mode_of(connection), connection.account_id,
               is_default(connection) ? "yes" : "no", to_rfc3339(connection.updated_at)});
  }
  return table;
}

// An environment has one Stripe connection at most: the one there is is updated, else a new one is made.
Result<void> set_connection(StoreSession& session, const Invocation& given, const ConnectionOptions& options) {
  auto secrets = read_stripe_secrets(options.secrets_from);
  if (!secrets) {
    return tl::unexpected(secrets.error());
  }
  if (!options.account_id.empty()) {
    secrets->account_id = options.account_id;
  }
  const auto known = session.provisioning.connections(options.scope, {});
  if (!known) {
    return tl::unexpected(known.error());
  }
  Connection wanted;
  wanted.scope = options.scope;
  wanted.name = options.name;
  wanted.provider_type = "stripe";
  if (!known->items.empty()) {
    wanted.id = known->items.front().id;
    wanted.metadata = known->items.front().metadata;
  } else if (secrets->secret_key.empty()) {
    return fail(ErrorCode::validation_error,
                "a new connection needs Stripe's secret key: set STRIPE_SECRET_KEY (and STRIPE_WEBHOOK_SECRETS) in the "
                "environment, or give a JSON file with --secrets-from FILE");
  }
  if (options.is_default) {
    wanted.metadata["default"] = "true";
  }
  const auto done = known->items.empty()
                        ? session.provisioning.create_connection(std::move(wanted), *secrets, session.by)
                        : session.provisioning.update_connection(std::move(wanted), *secrets, session.by);
  if (!done) {
    return tl::unexpected(done.error());
  }
  show(given, connection_table({*done}), to_json(*done));
  return {};
}

Result<void> list_connections(StoreSession& session, const Invocation& given, const ConnectionOptions& options) {
  const ListOptions list;
  const auto page = session.provisioning.connections(options.scope, list);
  if (!page) {
    return tl::unexpected(page.error());
  }
  auto items = Json::array();
  for (const auto& connection : page->items) {
    items.push_back(to_json(connection));
  }
  show_page(given, connection_table(page->items), std::move(items), {page->total, page->items.size(), list});
  return {};
}

// Asks Stripe whose key it is.
Result<void> test_connection(StoreSession& session, const Invocation& given, const ConnectionOptions& options) {
  const auto endpoint = read_endpoint(session, options.scope);
  if (!endpoint) {
    return tl::unexpected(endpoint.error());
  }
  stripe::HttpRequest request;
  request.path = "/v1/account";
  request.api_key = (*endpoint)->secret_key;
  request.timeout = std::chrono::seconds(session.config.stripe.timeout_seconds);
  const auto call = std::make_shared<std::promise<stripe::HttpResult>>();
  auto reply = call->get_future();
  const auto transport = stripe::make_curl_transport(transport_config(session.config));
  transport->send(std::move(request), [call](stripe::HttpResult result) { call->set_value(std::move(result)); });
  const auto result = reply.get();  // the transport answers within the request's own timeout
  const auto& base = session.config.stripe.api_base;
  if (!result) {
    return fail(ErrorCode::service_unavailable, base + " cannot be reached: " + result.error().message);
  }
  const auto account = Json::parse(result->body, nullptr, false);
  if (result->status != 200 || !account.is_object()) {
    return fail(ErrorCode::invalid_operation, base + " answered " + std::to_string(result->status) +
                                                  (result->status == 401 ? ": it does not know the secret key" : ""));
  }
  const auto id = account.value("id", std::string());
  if (!(*endpoint)->account_id.empty() && (*endpoint)->account_id != id) {
    return fail(ErrorCode::invalid_operation, "the secret key belongs to account " + id + ", the connection names " +
                                                  (*endpoint)->account_id + ": correct one of them");
  }
  show(given, base + " knows the key: it belongs to account " + id, {{"ok", true}, {"account_id", id}});
  return {};
}

}  // namespace

void add_connection_commands(CLI::App& cli, Invocation& given) {
  auto& group = add_group(cli, "connection", "an environment's way to Stripe");
  const auto options = std::make_shared<ConnectionOptions>();

  auto& set = add_command(group, given, "set",
                          "make or change it; secrets come from STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRETS in the "
                          "environment, or from --secrets-from");
  add_scope_options(set, options->scope);
  set.add_option("--name", options->name, "what people call it")->required();
  set.add_option("--account-id", options->account_id, "acct_…, for events of the global webhook address");
  set.add_option("--secrets-from", options->secrets_from,
                 R"(a file, or - for standard input: {"secret_key", "webhook_secrets": […]})");
  set.add_flag("--default", options->is_default, "events of the global address without an account belong here");
  on_command(set, given, StoreNeeds::secrets,
             [&given, options](StoreSession& session) { return set_connection(session, given, *options); });

  auto& list = add_command(group, given, "list", "show it, without its secrets");
  add_scope_options(list, options->scope);
  on_command(list, given, StoreNeeds::reading,
             [&given, options](StoreSession& session) { return list_connections(session, given, *options); });

  auto& test = add_command(group, given, "test", "ask Stripe whether it knows the secret key");
  add_scope_options(test, options->scope);
  on_command(test, given, StoreNeeds::secrets,
             [&given, options](StoreSession& session) { return test_connection(session, given, *options); });
}

}  // namespace flexsync::app
