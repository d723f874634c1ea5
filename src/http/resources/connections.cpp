// /v1/connections: an environment's way to Stripe. Its secrets go in and never come out.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "http/json_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kNameSizeMax = 255;
constexpr std::size_t kSecretSizeMin = 12;  // a prefix and something behind it
constexpr std::size_t kSecretSizeMax = 512;
constexpr std::size_t kWebhookSecretsMax = 8;
constexpr std::size_t kSyncConfigSizeMax = 16 * 1024;

nlohmann::json render(const Connection& connection, int depth_max) {
  const bool never_updated = connection.updated_at == connection.created_at;
  nlohmann::json record = {{"id", connection.id.str()},
                           {"name", connection.name},
                           {"provider_type", connection.provider_type},
                           {"account_id", connection.account_id},
                           {"metadata", nlohmann::json(connection.metadata)},
                           {"sync_config", embedded_json(connection.sync_config, depth_max)},
                           {"status", to_string(connection.status)},
                           {"created_at", to_rfc3339(connection.created_at)},
                           {"updated_at", to_rfc3339(connection.updated_at)},
                           {"created_by", connection.created_by},
                           {"updated_by", never_updated ? connection.created_by : std::string()}};
  put_scope(record, connection.scope);
  record["livemode"] = connection.livemode ? nlohmann::json(*connection.livemode) : nlohmann::json();
  return record;
}

// Whether a key's own form says live or test; nothing when it says neither.
std::optional<bool> livemode_of(std::string_view key) {
  if (key.find("_live_") != std::string_view::npos) {
    return true;
  }
  return key.find("_test_") != std::string_view::npos ? std::optional(false) : std::nullopt;
}

// The message never quotes the value: error bodies are logged by clients.
void check_form(const FieldReader& fields, std::string_view name, std::string_view value,
                std::initializer_list<std::string_view> prefixes) {
  const bool known = std::any_of(prefixes.begin(), prefixes.end(), [&](auto p) { return value.starts_with(p); });
  if (!known) {
    std::string all;
    for (const auto prefix : prefixes) {
      all += (all.empty() ? "" : " or ") + std::string(prefix);
    }
    fields.wrong(name, "must begin with " + all);
  } else if (value.size() < kSecretSizeMin) {
    fields.wrong(name, "is too short to be real");
  } else if (!std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c <= '~'; })) {
    fields.wrong(name, "must hold visible ASCII characters only");
  }
}

Secret read_secret(const FieldReader& fields, std::string_view name, std::initializer_list<std::string_view> prefixes) {
  Secret secret(fields.text(name, kSecretSizeMax));
  if (!secret.empty()) {
    check_form(fields, name, secret.reveal(), prefixes);
  }
  return secret;
}

StripeSecrets read_secrets(const FieldReader& fields) {
  StripeSecrets secrets;
  secrets.publishable_key = read_secret(fields, "publishable_key", {"pk_"});
  secrets.secret_key = read_secret(fields, "secret_key", {"sk_", "rk_"});
  if (auto one = read_secret(fields, "webhook_secret", {"whsec_"}); !one.empty()) {
    secrets.webhook_secrets.push_back(std::move(one));
  }
  auto several = fields.texts("webhook_secrets", kWebhookSecretsMax, kSecretSizeMax);
  for (std::size_t i = 0; i < several.size(); ++i) {
    check_form(fields, "webhook_secrets[" + std::to_string(i) + "]", several[i], {"whsec_"});
    secrets.webhook_secrets.emplace_back(std::move(several[i]));
  }
  secrets.account_id = fields.text("account_id", kSecretSizeMax);
  if (!secrets.account_id.empty()) {
    check_form(fields, "account_id", secrets.account_id, {"acct_"});
  }
  const auto published = livemode_of(secrets.publishable_key.reveal());
  const auto secret = livemode_of(secrets.secret_key.reveal());
  if (published && secret && *published != *secret) {
    fields.wrong("publishable_key", "is of test mode and secret_key of live mode, or the other way round");
  }
  return secrets;
}

// {customer: {inbound, outbound}, …} and settings of ours: the directions must be booleans, the rest is kept as is.
std::string read_sync_config(const FieldReader& fields) {
  const auto* config = fields.object("sync_config");
  if (config == nullptr) {
    return {};
  }
  for (const auto& [entity, wanted] : config->items()) {
    for (const char* direction : {"inbound", "outbound"}) {
      if (wanted.is_object() && wanted.contains(direction) && !wanted[direction].is_boolean()) {
        fields.wrong("sync_config." + entity + "." + direction, "must be true or false");
      }
    }
  }
  auto text = config->dump();
  if (text.size() > kSyncConfigSizeMax) {
    fields.wrong("sync_config", "must not be longer than " + std::to_string(kSyncConfigSizeMax) + " bytes");
  }
  return text;
}

struct Wanted {
  Connection connection;
  StripeSecrets secrets;
};

Result<Wanted> read(const RequestContext& context, int depth_max, bool is_new) {
  const auto body = parse_json_object(context.request.body, depth_max);
  if (!body) {
    return tl::unexpected(body.error());
  }
  Details details;
  const FieldReader fields(*body, details);
  Wanted wanted;
  auto& connection = wanted.connection;
  connection.scope = context.principal.scope;
  connection.name = is_new ? fields.required_text("name", kNameSizeMax) : fields.text("name", kNameSizeMax);
  connection.provider_type = is_new ? fields.required_text("provider_type", kNameSizeMax) : "stripe";
  if (connection.provider_type != "stripe" && !connection.provider_type.empty()) {
    fields.wrong("provider_type", "must be stripe");
  }
  connection.metadata = fields.metadata("metadata");
  connection.sync_config = read_sync_config(fields);
  if (is_new && connection.sync_config.empty()) {
    connection.sync_config = "{}";
  }
  if (const auto* secrets = fields.object("encrypted_secret_data")) {
    const FieldReader secret_fields(*secrets, details, "encrypted_secret_data.");
    wanted.secrets = read_secrets(secret_fields);
    if (is_new && wanted.secrets.secret_key.empty()) {
      secret_fields.wrong("secret_key", "is required");
    }
  } else if (is_new) {
    fields.wrong("encrypted_secret_data", "is required");
  }
  if (!details.empty()) {
    return tl::unexpected(validation_failed(std::move(details)));
  }
  connection.account_id = wanted.secrets.account_id;
  connection.livemode = livemode_of(wanted.secrets.secret_key.reveal());
  return wanted;
}

Response answer(int status, const Result<Connection>& connection, int depth_max) {
  return connection ? json_response(status, render(*connection, depth_max)) : error_response(connection.error());
}

Response create(Ports ports, int depth_max, const RequestContext& context) {
  auto wanted = read(context, depth_max, true);
  if (!wanted) {
    return error_response(wanted.error());
  }
  return answer(201,
                ports.provisioning.create_connection(std::move(wanted->connection), wanted->secrets, context.principal),
                depth_max);
}

Response update(Ports ports, int depth_max, const RequestContext& context) {
  auto wanted = read(context, depth_max, false);
  if (!wanted) {
    return error_response(wanted.error());
  }
  wanted->connection.id = ConnectionId(context.path.at("id"));
  return answer(200,
                ports.provisioning.update_connection(std::move(wanted->connection), wanted->secrets, context.principal),
                depth_max);
}

Response list(Ports ports, int depth_max, const RequestContext& context) {
  Details details;
  const auto options = context.query.list_options(details);
  if (!details.empty()) {
    return error_response(validation_failed(details));
  }
  const auto page = ports.provisioning.connections(context.principal.scope, options);
  if (!page) {
    return error_response(page.error());
  }
  auto items = nlohmann::json::array();
  for (const auto& connection : page->items) {
    items.push_back(render(connection, depth_max));
  }
  return json_response(200, {{"connections", std::move(items)},
                             {"total", page->total},
                             {"limit", options.limit},
                             {"offset", options.offset}});
}

}  // namespace

void add_connections(Router& router, const ServerConfig& config, Ports ports) {
  const int depth = config.json_depth_max;
  router.post("/v1/connections", Access::environment, config.body_size_max,
              [ports, depth](const RequestContext& context) { return create(ports, depth, context); });
  router.get("/v1/connections", Access::environment,
             [ports, depth](const RequestContext& context) { return list(ports, depth, context); });
  router.get("/v1/connections/{id}", Access::environment, [ports, depth](const RequestContext& context) {
    const ConnectionId id(context.path.at("id"));
    return answer(200, ports.provisioning.connection(context.principal.scope, id), depth);
  });
  router.put("/v1/connections/{id}", Access::environment, config.body_size_max,
             [ports, depth](const RequestContext& context) { return update(ports, depth, context); });
  router.del("/v1/connections/{id}", Access::environment, [ports](const RequestContext& context) {
    const ConnectionId id(context.path.at("id"));
    const auto done = ports.provisioning.delete_connection(context.principal.scope, id, context.principal);
    return done ? no_content() : error_response(done.error());
  });
}

}  // namespace flexsync::http
