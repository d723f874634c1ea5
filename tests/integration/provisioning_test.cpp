#include "store/provisioning.hpp"

#include <catch2/catch.hpp>
#include <future>
#include <nlohmann/json.hpp>

#include "integration/store_world.hpp"
#include "store/connection_secrets.hpp"
#include "store/key_hash.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::testing::kStart;
using flexsync::testing::StoreWorld;
using Json = nlohmann::json;

namespace {

struct World : StoreWorld {
  Scope scope = new_scope();
  Principal by{Principal::Kind::api_key, scope, ApiKeyId{"secret_1"}, "api_key:secret_1"};
  std::vector<Scope> changed;
  std::vector<ApiKeyId> revoked;
  store::StoreProvisioning hooked{pool,
                                  secrets,
                                  clock,
                                  {[this](const ApiKeyId& id) { revoked.push_back(id); },
                                   [this](const Scope& which) { changed.push_back(which); }}};

  Connection wanted(const std::string& name = "Stripe") const {
    Connection connection;
    connection.scope = scope;
    connection.name = name;
    connection.provider_type = "stripe";
    return connection;
  }

  StripeSecrets stored_secrets(const ConnectionId& id) {
    return store::open_secrets(secrets, scope, id,
                               value("SELECT secrets FROM connections WHERE id = '" + id.str() + "'"))
        .value();
  }

  Json last_audit(const std::string& type, const std::string& id) {
    const auto rows = audit(type, id);
    REQUIRE_FALSE(rows.empty());
    const auto row = rows.back();
    return {{"action", row["action"].c_str()},
            {"actor", row["actor"].c_str()},
            {"before", Json::parse(row["before"].c_str())},
            {"after", Json::parse(row["after"].c_str())}};
  }
};

StripeSecrets test_secrets() {
  return {Secret("pk_test_1"), Secret("sk_test_1"), {Secret("whsec_1"), Secret("whsec_2")}, "acct_1"};
}

template <class T>
Error error_of(const Result<T>& result) {
  REQUIRE_FALSE(result);
  CAPTURE(result.error().message);
  CHECK_FALSE(result.error().message.empty());
  return result.error();
}

}  // namespace

TEST_CASE("a tenant and its environments, each with its audit row", "[provisioning]") {
  World world;
  const auto tenant = world.provisioning.create_tenant("Acme GmbH", world.admin);
  REQUIRE(tenant);
  CHECK(tenant->id.str().starts_with("tenant_"));
  CHECK(world.provisioning.tenant(tenant->id)->name == "Acme GmbH");
  CHECK(world.provisioning.tenant(tenant->id)->created_at == kStart);
  const auto audit = world.audit("tenant", tenant->id.str());
  REQUIRE(audit.size() == 1);
  CHECK(audit.at(0)["environment_id"].c_str() == std::string());
  CHECK(Json::parse(audit.at(0)["after"].c_str()) == Json{{"name", "Acme GmbH"}});

  const auto one = world.provisioning.create_environment(tenant->id, "Sandbox", "development", world.admin);
  world.clock.advance(1s);
  const auto two = world.provisioning.create_environment(tenant->id, "Live", "production", world.admin);
  REQUIRE(one);
  REQUIRE(two);
  const auto listed = world.provisioning.environments(tenant->id, {});
  REQUIRE(listed);
  CHECK(listed->total == 2);
  CHECK(listed->items.at(0).id == two->id);
  CHECK(listed->items.at(0).type == "production");
  CHECK(listed->items.at(1).tenant == tenant->id);
  CHECK(world.last_audit("environment", two->id.str())["actor"] == "admin");
  CHECK(world.provisioning.environments(world.scope.tenant, {})->total == 1);
}

TEST_CASE("what cannot be a tenant or an environment is refused with a reason", "[provisioning]") {
  World world;
  auto& p = world.provisioning;
  CHECK(error_of(p.create_tenant("", world.admin)).details.contains("name"));
  CHECK(error_of(p.create_tenant(std::string(256, 'x'), world.admin)).code == ErrorCode::validation_error);
  CHECK(error_of(p.create_tenant("\xFF", world.admin)).code == ErrorCode::validation_error);
  CHECK(error_of(p.tenant(TenantId{"tenant_none"})).code == ErrorCode::not_found);
  CHECK(error_of(p.tenant(TenantId{"\xFF"})).code == ErrorCode::not_found);
  const auto& tenant = world.scope.tenant;
  CHECK(error_of(p.create_environment(tenant, "x", "staging", world.admin)).details.contains("type"));
  CHECK(error_of(p.create_environment(TenantId{"tenant_none"}, "x", "production", world.admin)).code ==
        ErrorCode::not_found);
  CHECK(world.value("SELECT count(*) FROM environments") == "1");
}

TEST_CASE("an API key is shown once and stored as a hash", "[provisioning]") {
  World world;
  const auto issued = world.provisioning.create_api_key({world.scope, "CI", "private_key", kStart + 24h}, world.by);
  REQUIRE(issued);
  const std::string key(issued->key.reveal());
  CHECK(issued->record.id.str().starts_with("secret_"));
  CHECK(issued->record.display == key.substr(0, 8) + "…" + key.substr(key.size() - 4));
  CHECK(world.value("SELECT key_hash FROM api_keys") == store::key_hash(issued->key));
  CHECK(world.value("SELECT count(*) FROM api_keys k WHERE k::text LIKE '%" + key + "%'") == "0");
  CHECK(world.value("SELECT count(*) FROM audit_log a WHERE a::text LIKE '%" + key + "%'") == "0");

  const auto listed = world.provisioning.api_keys(world.scope, {});
  REQUIRE(listed);
  REQUIRE(listed->total == 1);
  CHECK(listed->items[0].name == "CI");
  CHECK(listed->items[0].expires_at == kStart + 24h);
  CHECK_FALSE(listed->items[0].last_used_at);
  const auto audit = world.last_audit("api_key", issued->record.id.str());
  CHECK(audit["action"] == "create");
  CHECK(audit["actor"] == "api_key:secret_1");
}

TEST_CASE("a revoked API key is gone, once, and whoever caches it hears of it", "[provisioning]") {
  World world;
  const auto issued = world.hooked.create_api_key({world.scope, "CI", "private_key", {}}, world.by);
  REQUIRE(issued);
  const auto& id = issued->record.id;
  const auto stranger = world.new_scope("Stranger");
  CHECK(error_of(world.hooked.revoke_api_key(stranger, id, world.by)).code == ErrorCode::not_found);
  CHECK(world.provisioning.api_keys(world.scope, {})->total == 1);
  world.revoked.clear();
  REQUIRE(world.hooked.revoke_api_key(world.scope, id, world.by));
  CHECK(world.revoked == std::vector{id});
  CHECK(world.provisioning.api_keys(world.scope, {})->total == 0);
  CHECK(world.last_audit("api_key", id.str())["action"] == "delete");
  CHECK(error_of(world.hooked.revoke_api_key(world.scope, id, world.by)).code == ErrorCode::not_found);
  CHECK(world.value("SELECT count(*) FROM lookup_api_key('" + store::key_hash(issued->key) + "')") == "0");
}

TEST_CASE("what cannot be an API key is refused", "[provisioning]") {
  World world;
  auto& p = world.provisioning;
  CHECK(error_of(p.create_api_key({world.scope, "", "private_key", {}}, world.by)).details.contains("name"));
  CHECK(error_of(p.create_api_key({world.scope, "x", "root_key", {}}, world.by)).details.contains("type"));
  CHECK(error_of(p.create_api_key({world.scope, "x", "private_key", kStart}, world.by)).details.contains("expires_at"));
  const Scope nowhere{world.scope.tenant, EnvironmentId{"env_none"}};
  CHECK(error_of(p.create_api_key({nowhere, "x", "private_key", {}}, world.by)).code == ErrorCode::not_found);
  const Scope crossed{world.new_scope("Stranger").tenant, world.scope.environment};
  CHECK(error_of(p.create_api_key({crossed, "x", "private_key", {}}, world.by)).code == ErrorCode::not_found);
}

TEST_CASE("a connection keeps its secrets encrypted, and out of the audit", "[provisioning]") {
  World world;
  auto wanted = world.wanted();
  wanted.metadata = {{"default", "true"}};
  wanted.sync_config = R"({"customer": {"inbound": true}})";
  const auto created = world.hooked.create_connection(wanted, test_secrets(), world.by);
  REQUIRE(created);
  CHECK(created->id.str().starts_with("conn_"));
  CHECK(created->livemode == false);
  CHECK(world.changed == std::vector{world.scope});

  const auto read = world.provisioning.connection(world.scope, created->id);
  REQUIRE(read);
  CHECK(read->account_id == "acct_1");
  CHECK(read->metadata == wanted.metadata);
  CHECK(Json::parse(read->sync_config) == Json::parse(wanted.sync_config));
  CHECK(read->created_by == "api_key:secret_1");
  CHECK(world.provisioning.connections(world.scope, {})->total == 1);

  const auto secrets = world.stored_secrets(created->id);
  CHECK(secrets.secret_key.reveal() == "sk_test_1");
  CHECK(secrets.publishable_key.reveal() == "pk_test_1");
  REQUIRE(secrets.webhook_secrets.size() == 2);
  CHECK(secrets.webhook_secrets[1].reveal() == "whsec_2");
  for (const auto* table : {"connections", "audit_log"}) {
    for (const auto* secret : {"sk_test_1", "pk_test_1", "whsec_1", "736b5f746573745f31"}) {
      CHECK(world.value(std::string("SELECT count(*) FROM ") + table + " t WHERE t::text LIKE '%" + secret + "%'") ==
            "0");
    }
  }
  const auto audit = world.last_audit("connection", created->id.str());
  CHECK(audit["after"]["secrets_set"] == Json{"publishable_key", "secret_key", "webhook_secrets"});
  CHECK(audit["after"]["livemode"] == false);
}

TEST_CASE("a secret moved to another row does not open there", "[provisioning]") {
  World world;
  const auto created = world.provisioning.create_connection(world.wanted(), test_secrets(), world.by);
  REQUIRE(created);
  const auto stored = world.value("SELECT secrets FROM connections");
  const auto stranger = world.new_scope("Stranger");
  CHECK(store::open_secrets(world.secrets, world.scope, created->id, stored));
  const auto error = error_of(store::open_secrets(world.secrets, stranger, created->id, stored));
  CHECK(error.message.find("sk_test") == std::string::npos);
}

TEST_CASE("a second connection in an environment is refused, also of two at once", "[provisioning]") {
  World world;
  REQUIRE(world.provisioning.create_connection(world.wanted(), test_secrets(), world.by));
  const auto error = error_of(world.provisioning.create_connection(world.wanted("Second"), test_secrets(), world.by));
  CHECK(error.code == ErrorCode::already_exists);
  CHECK(error.message == "this environment has a Stripe connection already: update or delete that one first");
  CHECK(error.details.at("connection_id").starts_with("conn_"));

  auto elsewhere = world.wanted();
  elsewhere.scope.environment = world.new_environment(world.scope.tenant, "Live");
  std::vector<std::future<Result<Connection>>> racing;
  for (int i = 0; i < 8; ++i) {
    racing.push_back(std::async(
        std::launch::async, [&] { return world.provisioning.create_connection(elsewhere, test_secrets(), world.by); }));
  }
  int won = 0;
  for (auto& one : racing) {
    const auto result = one.get();
    won += result ? 1 : 0;
    CHECK((result || result.error().code == ErrorCode::already_exists));
  }
  CHECK(won == 1);
  CHECK(world.value("SELECT count(*) FROM audit_log WHERE entity_type = 'connection'") == "2");
}

TEST_CASE("an update changes what it says and keeps the rest", "[provisioning]") {
  World world;
  auto wanted = world.wanted();
  wanted.metadata = {{"a", "1"}};
  const auto created = world.hooked.create_connection(wanted, test_secrets(), world.by);
  REQUIRE(created);
  Connection change;
  change.id = created->id;
  change.scope = world.scope;
  change.name = "Renamed";
  world.clock.advance(1s);
  world.changed.clear();
  REQUIRE(world.hooked.update_connection(change, {}, world.by));
  auto read = world.provisioning.connection(world.scope, created->id).value();
  CHECK(read.name == "Renamed");
  CHECK(read.metadata == wanted.metadata);
  CHECK(read.account_id == "acct_1");
  CHECK(read.updated_at == kStart + 1s);
  CHECK(world.stored_secrets(created->id).secret_key.reveal() == "sk_test_1");
  CHECK(world.changed == std::vector{world.scope});
  auto audit = world.last_audit("connection", created->id.str());
  CHECK(audit["before"] == Json{{"name", "Stripe"}});
  CHECK(audit["after"] == Json{{"name", "Renamed"}});

  change.name.clear();
  REQUIRE(world.hooked.update_connection(change, {{}, Secret("rk_live_9"), {Secret("whsec_9")}, ""}, world.by));
  read = world.provisioning.connection(world.scope, created->id).value();
  CHECK(read.name == "Renamed");
  CHECK(read.livemode == true);
  const auto secrets = world.stored_secrets(created->id);
  CHECK(secrets.secret_key.reveal() == "rk_live_9");
  CHECK(secrets.publishable_key.reveal() == "pk_test_1");
  REQUIRE(secrets.webhook_secrets.size() == 1);
  CHECK(secrets.webhook_secrets[0].reveal() == "whsec_9");
  audit = world.last_audit("connection", created->id.str());
  CHECK(audit["after"]["secrets_set"] == Json{"secret_key", "webhook_secrets"});

  change.scope = world.new_scope("Stranger");
  CHECK(error_of(world.hooked.update_connection(change, {}, world.by)).code == ErrorCode::not_found);
}

TEST_CASE("a deleted connection gives up its secrets and makes room for another", "[provisioning]") {
  World world;
  const auto created = world.hooked.create_connection(world.wanted(), test_secrets(), world.by);
  REQUIRE(created);
  const auto stranger = world.new_scope("Stranger");
  CHECK(error_of(world.hooked.delete_connection(stranger, created->id, world.by)).code == ErrorCode::not_found);
  REQUIRE(world.hooked.delete_connection(world.scope, created->id, world.by));
  CHECK(world.value("SELECT secrets FROM connections") == "{}");
  CHECK(error_of(world.provisioning.connection(world.scope, created->id)).code == ErrorCode::not_found);
  CHECK(error_of(world.hooked.delete_connection(world.scope, created->id, world.by)).code == ErrorCode::not_found);
  CHECK(world.last_audit("connection", created->id.str())["action"] == "delete");
  CHECK(world.hooked.create_connection(world.wanted(), test_secrets(), world.by));
}

TEST_CASE("a connection that cannot work is refused, naming the field", "[provisioning]") {
  World world;
  const auto refused = [&](Connection wanted, StripeSecrets secrets) {
    return error_of(world.provisioning.create_connection(std::move(wanted), secrets, world.by)).details;
  };
  const auto with = [](auto change) {
    auto secrets = test_secrets();
    change(secrets);
    return secrets;
  };
  CHECK(refused(world.wanted(""), test_secrets()).contains("name"));
  auto other = world.wanted();
  other.provider_type = "hubspot";
  CHECK(refused(other, test_secrets()).contains("provider_type"));
  other = world.wanted();
  other.sync_config = "[1]";
  CHECK(refused(other, test_secrets()).contains("sync_config"));
  CHECK(refused(world.wanted(), {}).contains("encrypted_secret_data"));
  CHECK(refused(world.wanted(), with([](auto& s) { s.secret_key = Secret("whsec_1"); })).contains("secret_key"));
  CHECK(refused(world.wanted(), with([](auto& s) { s.secret_key = Secret("sk_test_ 1"); })).contains("secret_key"));
  CHECK(refused(world.wanted(), with([](auto& s) { s.publishable_key = Secret("pk_live_1"); }))
            .contains("publishable_key"));
  CHECK(refused(world.wanted(), with([](auto& s) { s.webhook_secrets = {Secret("sk_test_1")}; }))
            .contains("webhook_secrets"));
  CHECK(refused(world.wanted(), with([](auto& s) { s.webhook_secrets.resize(9, Secret("whsec_1")); }))
            .contains("webhook_secrets"));
  auto nowhere = world.wanted();
  nowhere.scope.environment = EnvironmentId{"env_none"};
  CHECK(error_of(world.provisioning.create_connection(nowhere, test_secrets(), world.by)).code == ErrorCode::not_found);
  CHECK(world.value("SELECT count(*) FROM connections") == "0");
}

TEST_CASE("the livemode is read off the key's form", "[provisioning]") {
  CHECK(store::livemode_of(Secret("sk_live_1")) == true);
  CHECK(store::livemode_of(Secret("rk_test_1")) == false);
  CHECK(store::livemode_of(Secret("sk_org_live_1")) == true);
  CHECK_FALSE(store::livemode_of(Secret("sk_12345")));
  CHECK_FALSE(store::livemode_of(Secret("")));
}
