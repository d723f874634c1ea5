// tenant create; apikey create, list, revoke.
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "store/authenticator.hpp"

namespace flexsync::app {

namespace {

using Json = nlohmann::json;

struct TenantOptions {
  std::string name;
  std::string environment = "Production";
  std::string type = "production";
};

struct KeyOptions {
  NewApiKey key;
  std::string expires;
  ApiKeyId id;
  ListOptions list;
};

Json to_json(const ApiKey& key) {
  Json json{{"id", key.id.str()},
            {"name", key.name},
            {"type", key.type},
            {"display_id", key.display},
            {"tenant_id", key.scope.tenant.str()},
            {"environment_id", key.scope.environment.str()},
            {"created_at", to_rfc3339(key.created_at)}};
  if (key.expires_at) {
    json["expires_at"] = to_rfc3339(*key.expires_at);
  }
  if (key.last_used_at) {
    json["last_used_at"] = to_rfc3339(*key.last_used_at);
  }
  return json;
}

Result<void> create_tenant(StoreSession& session, const Invocation& given, const TenantOptions& options) {
  auto tenant = session.provisioning.create_tenant(options.name, session.by);
  if (!tenant) {
    return tl::unexpected(tenant.error());
  }
  auto made = session.provisioning.create_environment(tenant->id, options.environment, options.type, session.by);
  if (!made) {
    auto error = made.error();
    error.message = "the tenant is " + tenant->id.str() + ", but it has no environment: " + error.message;
    return tl::unexpected(std::move(error));
  }
  Table table({{"tenant"}, {"name"}, {"environment"}, {"name"}, {"type"}});
  table.add({tenant->id.str(), tenant->name, made->id.str(), made->name, made->type});
  show(given, table,
       {{"id", tenant->id.str()},
        {"name", tenant->name},
        {"environment", {{"id", made->id.str()}, {"name", made->name}, {"type", made->type}}}});
  return {};
}

Result<void> create_key(StoreSession& session, const Invocation& given, KeyOptions options) {
  if (!options.expires.empty()) {
    options.key.expires_at = parse_rfc3339(options.expires);
    if (!options.key.expires_at) {
      return fail(ErrorCode::validation_error,
                  "--expires " + options.expires + " is no RFC 3339 time such as 2027-01-31T00:00:00Z");
    }
  }
  const auto issued = session.provisioning.create_api_key(options.key, session.by);
  if (!issued) {
    return tl::unexpected(issued.error());
  }
  const std::string key(issued->key.reveal());
  if (given.json) {
    show(given, std::string{}, {{"secret", to_json(issued->record)}, {"api_key", key}});
    return {};
  }
  // The key alone on standard output, so that KEY=$(flexsync apikey create …) works.
  std::cout << key << std::endl;
  std::cerr << "flexsync: this is key " << issued->record.id.str() << "; it is stored hashed and never shown again\n";
  return {};
}

Result<void> list_keys(StoreSession& session, const Invocation& given, const KeyOptions& options) {
  const auto page = session.provisioning.api_keys(options.key.scope, options.list);
  if (!page) {
    return tl::unexpected(page.error());
  }
  Table table({{"id"}, {"name"}, {"type"}, {"key"}, {"created"}, {"last used"}, {"expires"}});
  auto items = Json::array();
  for (const auto& key : page->items) {
    table.add({key.id.str(), key.name, key.type, key.display, to_rfc3339(key.created_at),
               key.last_used_at ? to_rfc3339(*key.last_used_at) : "never",
               key.expires_at ? to_rfc3339(*key.expires_at) : "never"});
    items.push_back(to_json(key));
  }
  show_page(given, table, std::move(items), {page->total, page->items.size(), options.list});
  return {};
}

Result<void> revoke_key(StoreSession& session, const Invocation& given, const KeyOptions& options) {
  if (auto done = session.provisioning.revoke_api_key(options.key.scope, options.id, session.by); !done) {
    return done;
  }
  const auto within = std::to_string(store::kApiKeyTtl.count());
  show(given, options.id.str() + " is revoked; a running server notices within " + within + " s",
       {{"id", options.id.str()}, {"revoked", true}});
  return {};
}

void add_key_commands(CLI::App& cli, Invocation& given) {
  auto& group = add_group(cli, "apikey", "the API keys of an environment");
  const auto options = std::make_shared<KeyOptions>();

  auto& create = add_command(group, given, "create", "make a key; it is shown once");
  add_scope_options(create, options->key.scope);
  create.add_option("--name", options->key.name, "what it is for")->required();
  create.add_option("--type", options->key.type, "private_key or publishable_key")->capture_default_str();
  create.add_option("--expires", options->expires, "when it ends, as 2027-01-31T00:00:00Z; never when not given");
  on_command(create, given, StoreNeeds::reading,
             [&given, options](StoreSession& session) { return create_key(session, given, *options); });

  auto& list = add_command(group, given, "list", "show the keys, not their secrets");
  add_scope_options(list, options->key.scope);
  add_page_options(list, options->list);
  on_command(list, given, StoreNeeds::reading,
             [&given, options](StoreSession& session) { return list_keys(session, given, *options); });

  auto& revoke = add_command(group, given, "revoke", "end a key");
  add_scope_options(revoke, options->key.scope);
  revoke
      .add_option_function<std::string>(
          "ID", [options](const std::string& id) { options->id = ApiKeyId(id); }, "the key's id, secret_…")
      ->required();
  on_command(revoke, given, StoreNeeds::reading,
             [&given, options](StoreSession& session) { return revoke_key(session, given, *options); });
}

}  // namespace

void add_tenant_commands(CLI::App& cli, Invocation& given) {
  auto& group = add_group(cli, "tenant", "tenants and their environments");
  const auto options = std::make_shared<TenantOptions>();
  auto& create = add_command(group, given, "create", "make a tenant with one environment");
  create.add_option("NAME", options->name, "the tenant's name")->required();
  create.add_option("--environment", options->environment, "the environment's name")->capture_default_str();
  create.add_option("--type", options->type, "production or development")
      ->check(CLI::IsMember({"production", "development"}))
      ->capture_default_str();
  on_command(create, given, StoreNeeds::creating,
             [&given, options](StoreSession& session) { return create_tenant(session, given, *options); });
  add_key_commands(cli, given);
}

}  // namespace flexsync::app
