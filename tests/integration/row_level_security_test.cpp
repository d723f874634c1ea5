// Tenants are kept apart by the database itself: whatever the server's code does, no role of it sees or changes what
// is not its own. Logged in as a plain member of the roles, since a superuser would prove nothing.
#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <pqxx/pqxx>

#include "integration/login_cluster.hpp"
#include "store/session.hpp"

using namespace flexsync;
using flexsync::store::enter_scope;
using flexsync::store::Role;
using flexsync::store::Session;
using flexsync::testing::LoginCluster;

namespace {

using Names = std::vector<std::string>;

const Scope kOurs{TenantId{"tenant_a"}, EnvironmentId{"env_a"}};
const Scope kTheirs{TenantId{"tenant_b"}, EnvironmentId{"env_b"}};
const Scope kOurOther{TenantId{"tenant_a"}, EnvironmentId{"env_a2"}};

constexpr const char* kDenied = "42501";

// One row in every table, for the scope $1, $2. A new table needs its row here: the test says so.
constexpr const char* kSeed[] = {
    "INSERT INTO tenants VALUES ('$1', 'n', 'published', now(), now()) ON CONFLICT DO NOTHING",
    "INSERT INTO environments VALUES ('$1', '$2', 'n', 'development', 'published', now(), now())",
    "INSERT INTO api_keys VALUES ('$1', '$2', 'key', 'n', 'private_key', 'hash_$2', 'd', 'published', NULL, NULL,"
    " now(), now())",
    "INSERT INTO connections VALUES ('$1', '$2', 'conn', 'n', 'stripe', 'acct_$2', true, '{}', '{}', '{}', 'published',"
    " 'x', 'x', now(), now())",
    "INSERT INTO catch_up_cursors VALUES ('$1', '$2', 'conn', now(), now(), 1)",
    "INSERT INTO reconcile_walks VALUES ('$1', '$2', 'conn', now(), 1, 0)",
    "INSERT INTO tenant_owner VALUES ('$1', '$2', 1)",
    "INSERT INTO inbox_watermarks VALUES ('$1', '$2', 1)",
    "INSERT INTO inbox VALUES ('$1', '$2', nextval('inbox_seq'), 'evt_$2', 't', 'customer', 'cus_1', 'v', now(), now(),"
    " 'r', '', 1, '\\x00')",
    "INSERT INTO inbox_outcomes VALUES ('$1', '$2', 1, 'parked', '', now())",
    "INSERT INTO parked_events VALUES ('$1', '$2', 1, 'evt_$2', 'dead', 1, now(), 'c', 'm', now(), now())",
    "INSERT INTO inbox_attempts VALUES ('$1', '$2', 'evt_$2', 1, 'c', 'm', now())",
    "INSERT INTO customers VALUES ('$1', '$2', 'cust', 'ext', 'n', 'e', '', '', '', '', '', '', '', '{}', 'published', "
    "1,"
    " now(), now(), 'x', 'x')",
    "INSERT INTO entity_integration_mappings VALUES ('$1', '$2', 'eim', 'customer', 'cust', 'stripe', 'cus_1', '{}',"
    " 'published', now(), now())",
    "INSERT INTO stripe_objects VALUES ('$1', '$2', 'customer', 'cus_1', 'cust', '{}', now(), now(), false, false, 1)",
    "INSERT INTO plans VALUES ('$1', '$2', 'plan', 'key', 'n', '', '{}', 'published', 1, now(), now(), 'x', 'x')",
    "INSERT INTO addons VALUES ('$1', '$2', 'addon', 'plan', 'key', 'n', '', '{}', 'published', 1, now(), now(), 'x',"
    " 'x')",
    "INSERT INTO prices VALUES ('$1', '$2', 'price_1', 'plan', 'usd', 1, 'MONTHLY', 1, false, '', '[]', NULL, '', '{}',"
    " 'published', 1, now(), now())",
    "INSERT INTO subscriptions VALUES ('$1', '$2', 'subs', 'cust', 'plan', 'active', 'usd', 'MONTHLY', 1, 'si_1',"
    " 'price_1', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false, '', '{}', '[]', 'published', 1,"
    " now(), now(), 'x', 'x')",
    "INSERT INTO subscription_addons VALUES ('$1', '$2', 'subs', 'si_2', 'addon', 'price_1', 1, now())",
    "INSERT INTO usage_event_keys VALUES ('$1', '$2', 'e', now(), now())",
    "INSERT INTO usage_events VALUES (now(), now(), '$1', '$2', 'e', 'call', 'ext', 'cust', '{}', '')",
    "INSERT INTO meters VALUES ('$1', '$2', 'meter', 'n', 'call', 'COUNT', '', 1, '[]', 'NEVER', 'published', now(),"
    " now(), 'x', 'x')",
    "INSERT INTO meter_mappings VALUES ('$1', '$2', 'mmap', 'meter', 'mtr_1', 'call', 'c', 'v', 0, now(), true,"
    " 'published', now(), now())",
    "INSERT INTO meter_sets VALUES ('$1', '$2', 1)",
    "INSERT INTO usage_rollups (tenant_id, environment_id, segment_start, segment_end, customer_id, meter_id, quantity,"
    " event_count) VALUES ('$1', '$2', 'epoch', now(), 'cust', 'meter', 1, 1)",
    "INSERT INTO usage_carries VALUES ('$1', '$2', 'cust', 'meter', 0)",
    "INSERT INTO stripe_sync_batches VALUES ('$1', '$2', 'batch', 'cust', 'meter', 'cus_1', 'call', 'c', 'v', 1, 1, 0,"
    " 1, 'epoch', now(), 1, 'fs_1', now(), 'pending', 0, now(), '', '', NULL, NULL, now(), now())",
    "INSERT INTO audit_log VALUES ('$1', '$2', 'customer', 'cust', nextval('audit_seq'), 'create', 'x', '{}', '{}', "
    "'r',"
    " now())",
    "INSERT INTO outbox VALUES ('$1', '$2', nextval('outbox_seq'), 'intent', 'customer', 'cust', 'update_customer', "
    "'b',"
    " 'key', '{name}', 'ready', 0, now(), false, '', '', 'r', now(), now(), NULL)"};

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

Names names(const pqxx::result& result) {
  Names found;
  for (const auto& row : result) {
    found.emplace_back(row[0].c_str());
  }
  return found;
}

const std::string& database() {
  static const std::string name = [] {
    auto& cluster = LoginCluster::instance();
    auto made = cluster.migrated_database();
    pqxx::connection superuser(cluster.superuser_url(made));
    pqxx::work tx(superuser);
    for (const auto& scope : {kOurs, kTheirs, kOurOther}) {
      for (const auto* statement : kSeed) {
        tx.exec(replaced(replaced(statement, "$1", scope.tenant.str()), "$2", scope.environment.str()));
      }
    }
    tx.commit();
    return made;
  }();
  return name;
}

pqxx::result as_superuser(const std::string& statement) {
  pqxx::connection superuser(LoginCluster::instance().superuser_url(database()));
  return pqxx::nontransaction(superuser).exec(statement);
}

Names tenant_tables() {
  return names(as_superuser(
      "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'"
      " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY "
      "1"));
}

// Tables that have a tenant_id, but not what keeps tenants apart.
Names unprotected(pqxx::transaction_base& tx) {
  return names(tx.exec(R"(
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND (NOT c.relrowsecurity OR NOT c.relforcerowsecurity OR NOT c.relispartition AND NOT EXISTS (
             SELECT 1 FROM pg_policies p WHERE p.schemaname = 'public' AND p.tablename = c.relname
               AND p.roles = '{flexsync_app}' AND p.qual LIKE '%tenant_id = flexsync_tenant()%'
               AND p.with_check LIKE '%tenant_id = flexsync_tenant()%'))
    ORDER BY 1)"));
}

// What every row is now, to see later that nothing has changed.
std::string fingerprint(const std::string& table, const Scope& scope) {
  const auto rows = as_superuser(
      "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"
      " FROM " +
      table + " t WHERE tenant_id = '" + scope.tenant.str() + "'");
  return rows.at(0)[0].c_str();
}

Session session(Role role) {
  return {{.url = LoginCluster::instance().url(LoginCluster::kServer, database()), .role = role},
          [](pqxx::connection&) {}};
}

// libpqxx 6.4 forgets the SQLSTATE of just this failure.
std::string state_of(const pqxx::sql_error& e) {
  return dynamic_cast<const pqxx::insufficient_privilege*>(&e) != nullptr ? kDenied : e.sqlstate();
}

// The SQLSTATE that a statement fails with, "" when it does not; with how many rows it touched. Always rolled back.
struct Attempt {
  std::string state;
  std::size_t rows = 0;
};

Attempt attempt(Session& session, const std::optional<Scope>& scope, const std::string& statement) {
  pqxx::work tx(session.connection());
  if (scope) {
    enter_scope(tx, *scope);
  }
  try {
    const auto result = tx.exec(statement);
    return {"", result.columns() > 0 ? result.size() : result.affected_rows()};
  } catch (const pqxx::sql_error& e) {
    return {state_of(e), 0};
  }
}

// A copy of a row one can see, made out to somebody else.
std::string forge(const std::string& table, const Scope& victim) {
  const auto environment = table == "tenants" ? "" : ", 'environment_id', '" + victim.environment.str() + "'";
  return "INSERT INTO " + table + " SELECT (jsonb_populate_record(NULL::" + table +
         ", to_jsonb(t) || jsonb_build_object('tenant_id', '" + victim.tenant.str() + "'" + environment +
         "))).* FROM " + table + " t LIMIT 1";
}

bool has(const Names& all, const std::string& name) {
  return std::find(all.begin(), all.end(), name) != all.end();
}

std::string where_tenant(const Scope& scope) {
  return " WHERE tenant_id = '" + scope.tenant.str() + "'";
}

}  // namespace

TEST_CASE("every table with a tenant_id forces row-level security", "[rls]") {
  pqxx::connection superuser(LoginCluster::instance().superuser_url(database()));
  pqxx::work tx(superuser);
  CHECK(unprotected(tx).empty());
  CHECK(tenant_tables().size() == std::size(kSeed));  // a new table: give it a row in kSeed, so that it is tried below

  tx.exec("CREATE TABLE forgotten (tenant_id text)");
  tx.exec("CREATE TABLE not_forced (tenant_id text)");
  tx.exec("ALTER TABLE not_forced ENABLE ROW LEVEL SECURITY");
  tx.exec(
      "CREATE POLICY tenant ON not_forced TO flexsync_app USING (tenant_id = flexsync_tenant())"
      " WITH CHECK (tenant_id = flexsync_tenant())");
  tx.exec("CREATE TABLE wide_open (tenant_id text)");
  tx.exec("ALTER TABLE wide_open ENABLE ROW LEVEL SECURITY");
  tx.exec("ALTER TABLE wide_open FORCE ROW LEVEL SECURITY");
  tx.exec("CREATE POLICY tenant ON wide_open TO flexsync_app USING (true) WITH CHECK (true)");
  CHECK(unprotected(tx) == Names{"forgotten", "not_forced", "wide_open"});
}

TEST_CASE("no policy is for everybody, and only named roles cross tenants", "[rls]") {
  const auto wide = names(as_superuser(
      "SELECT DISTINCT r || ' ' || coalesce(cmd, '') || CASE WHEN r = 'flexsync_apply' THEN '' ELSE ' ' || policyname "
      "END"
      " FROM pg_policies p, unnest(p.roles) r WHERE schemaname = 'public' AND r <> 'flexsync_app' ORDER BY 1"));
  CHECK(wide == Names{"flexsync_apply ALL", "flexsync_intake INSERT intake_insert",
                      "flexsync_intake SELECT intake_select", "flexsync_intake UPDATE intake_update",
                      "flexsync_lookup SELECT lookup", std::string(LoginCluster::kOwner) + " ALL owner"});
  CHECK(as_superuser("SELECT 1 FROM pg_roles WHERE rolname LIKE 'flexsync\\_%' AND (rolsuper OR rolbypassrls OR"
                     " rolcanlogin OR rolcreaterole)")
            .empty());
}

TEST_CASE("keys begin with tenant and environment, so that no foreign key crosses them", "[rls]") {
  // Foreign-key checks are not bound by policies: a key without the tenant would tell whether a stranger's row exists.
  CHECK(names(as_superuser(R"(
    SELECT c.conrelid::regclass || ' ' || c.conname FROM pg_constraint c
      JOIN pg_attribute t ON t.attrelid = c.conrelid AND t.attname = 'tenant_id'
    WHERE c.contype IN ('p', 'f') AND (c.conkey[1] <> t.attnum OR (c.contype = 'f' AND c.confkey[1] <>
            (SELECT f.attnum FROM pg_attribute f WHERE f.attrelid = c.confrelid AND f.attname = 'tenant_id')))
    ORDER BY 1)"))
            .empty());
  pqxx::connection superuser(LoginCluster::instance().superuser_url(database()));
  for (const std::string statement :
       {"UPDATE customers SET environment_id = 'env_b' WHERE tenant_id = 'tenant_a' AND environment_id = 'env_a'",
        "UPDATE connections SET tenant_id = 'tenant_b' WHERE environment_id = 'env_a2'",
        "UPDATE parked_events SET event_id = 'evt_env_b' WHERE environment_id = 'env_a'"}) {
    pqxx::work tx(superuser);
    CAPTURE(statement);
    CHECK_THROWS_AS(tx.exec(statement), pqxx::foreign_key_violation);
  }
}

TEST_CASE("the server's role sees and changes its own scope only", "[rls]") {
  auto app = session(Role::app);
  for (const auto& table : tenant_tables()) {
    CAPTURE(table);
    const auto before = fingerprint(table, kTheirs);
    CHECK(attempt(app, kOurs, "SELECT 1 FROM " + table + where_tenant(kOurs)).rows >= 1);
    CHECK(attempt(app, kOurs, "SELECT 1 FROM " + table + where_tenant(kTheirs)).rows == 0);
    if (table != "tenants" && table != "environments") {
      CHECK(attempt(app, kOurs, "SELECT 1 FROM " + table + " WHERE environment_id = 'env_a2'").rows == 0);
    }
    CHECK(attempt(app, kOurs, forge(table, kTheirs)).state == kDenied);
    CHECK(attempt(app, kOurs, "UPDATE " + table + " SET tenant_id = 'tenant_b'").state == kDenied);
    const auto touched = attempt(app, kOurs, "UPDATE " + table + " SET tenant_id = tenant_id" + where_tenant(kTheirs));
    CHECK((touched.state == kDenied || touched.rows == 0));
    const auto deleted = attempt(app, kOurs, "DELETE FROM " + table + where_tenant(kTheirs));
    CHECK((deleted.state == kDenied || deleted.rows == 0));
    CHECK(attempt(app, kOurs, "TRUNCATE " + table).state == kDenied);
    CHECK(attempt(app, kOurs, "ALTER TABLE " + table + " DISABLE ROW LEVEL SECURITY").state == kDenied);
    CHECK(fingerprint(table, kTheirs) == before);
  }
}

TEST_CASE("without a scope the server's role sees nothing, also after it had one", "[rls]") {
  auto app = session(Role::app);
  for (const auto* round : {"fresh", "used"}) {
    for (const auto& table : tenant_tables()) {
      CAPTURE(round, table);
      CHECK(attempt(app, std::nullopt, "SELECT 1 FROM " + table).rows == 0);
      CHECK(attempt(app, std::nullopt, "INSERT INTO " + table + " (tenant_id) VALUES ('tenant_a')").state == kDenied);
    }
    attempt(app, kOurs, "SELECT 1");
  }
  // A half-named scope is none.
  CHECK(attempt(app, Scope{kOurs.tenant, {}}, "SELECT 1 FROM customers").rows == 0);
  CHECK(attempt(app, Scope{{}, kOurs.environment}, "SELECT 1 FROM customers").rows == 0);
}

TEST_CASE("intake writes webhooks for all tenants and reads back keys", "[rls]") {
  auto intake = session(Role::intake);
  CHECK(attempt(intake, {}, "SELECT tenant_id, environment_id, event_id, seq FROM inbox").rows == 3);
  const std::string insert =
      "INSERT INTO inbox SELECT t, 'e', nextval('inbox_seq'), 'evt_x', '', '', '', '', now(), now(), '', '', 1, '\\x00'"
      " FROM unnest('{tenant_a,tenant_b,\"\"}'::text[]) t ON CONFLICT DO NOTHING RETURNING event_id";
  CHECK(attempt(intake, {}, insert).rows == 3);
  for (const std::string column : {"payload", "object_id", "event_type", "*"}) {
    CHECK(attempt(intake, {}, "SELECT " + column + " FROM inbox").state == kDenied);
  }
  CHECK(attempt(intake, {}, "UPDATE inbox SET seq = seq").state == kDenied);
  CHECK(attempt(intake, {}, "DELETE FROM inbox").state == kDenied);
  const Names inserted = {"inbox", "usage_event_keys", "usage_events", "usage_rollups"};
  const Names readable = {"inbox",  "customers",        "meter_mappings", "meter_sets",
                          "meters", "usage_event_keys", "usage_rollups"};
  for (const auto& table : tenant_tables()) {
    CAPTURE(table);
    CHECK(attempt(intake, {}, "SELECT tenant_id FROM " + table).state == (has(readable, table) ? "" : kDenied));
    if (!has(inserted, table)) {
      CHECK(attempt(intake, kOurs, "INSERT INTO " + table + " (tenant_id) VALUES ('tenant_a')").state == kDenied);
    }
    CHECK(attempt(intake, {}, "UPDATE " + table + " SET tenant_id = tenant_id").state == kDenied);
    CHECK(attempt(intake, {}, "DELETE FROM " + table).state == kDenied);
  }
}

TEST_CASE("intake adds to the rollups of all tenants, and reads no event and no customer's fields", "[rls]") {
  auto intake = session(Role::intake);
  CHECK(attempt(intake, {}, "SELECT tenant_id, environment_id, id, external_id, status FROM customers").rows == 3);
  CHECK(attempt(intake, {}, "SELECT email FROM customers").state == kDenied);
  CHECK(attempt(intake, {}, "SELECT received_at FROM usage_event_keys").state == kDenied);
  CHECK(attempt(intake, {},
                "INSERT INTO usage_events SELECT now(), now(), t, 'e', 'x', '', '', '', '', ''"
                " FROM unnest('{tenant_a,tenant_b}'::text[]) t")
            .rows == 2);
  CHECK(attempt(intake, {}, "UPDATE usage_rollups SET quantity = quantity + 1, pending = true").rows == 3);
  CHECK(attempt(intake, {}, "UPDATE usage_rollups SET batched_quantity = 0").state == kDenied);
}

TEST_CASE("the parts of a table are reached through the table alone", "[rls]") {
  const auto parts = names(as_superuser("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'"));
  CHECK(parts.size() == 16);
  for (const auto role : {Role::app, Role::intake, Role::apply}) {
    auto one = session(role);
    for (const auto& part : parts) {
      CAPTURE(part);
      CHECK(attempt(one, kOurs, "SELECT 1 FROM " + part).state == kDenied);
      CHECK(attempt(one, kOurs, "INSERT INTO " + part + " SELECT 'tenant_a', 'env_a', 'x', now(), now()").state ==
            kDenied);
    }
  }
}

TEST_CASE("the applying role writes entities, and neither keys, connections nor webhooks", "[rls]") {
  auto apply = session(Role::apply);
  const Names written = {"addons",
                         "audit_log",
                         "customers",
                         "entity_integration_mappings",
                         "inbox_attempts",
                         "inbox_outcomes",
                         "inbox_watermarks",
                         "outbox",
                         "parked_events",
                         "plans",
                         "prices",
                         "stripe_objects",
                         "subscription_addons",
                         "subscriptions",
                         "tenant_owner"};
  const Names appended = {"audit_log", "inbox_attempts"};
  const Names deleted = {"parked_events", "subscription_addons"};
  for (const auto& table : tenant_tables()) {
    CAPTURE(table);
    CHECK(attempt(apply, {}, "SELECT 1 FROM " + table).state == (has(written, table) ? "" : kDenied));
    const auto update = attempt(apply, {}, "UPDATE " + table + " SET tenant_id = tenant_id WHERE false");
    CHECK(update.state == (has(written, table) && !has(appended, table) ? "" : kDenied));
    const auto removed = attempt(apply, {}, "DELETE FROM " + table + " WHERE false");
    CHECK(removed.state == (has(deleted, table) ? "" : kDenied));
  }
  // It may name any tenant, but no environment of another one.
  CHECK(attempt(apply, {}, "INSERT INTO tenant_owner VALUES ('tenant_a', 'env_b', 1)").state == "23503");
}

TEST_CASE("what crosses tenants is reached through functions alone", "[rls]") {
  auto app = session(Role::app);
  CHECK(attempt(app, {}, "SELECT * FROM lookup_api_key('hash_env_b')").rows == 1);
  CHECK(attempt(app, {}, "SELECT * FROM lookup_api_key('hash_none')").rows == 0);
  CHECK(attempt(app, {}, "SELECT * FROM lookup_connections('acct_env_b')").rows == 1);
  CHECK(attempt(app, {}, "SELECT * FROM tenants_with_work(now())").state.empty());
  CHECK(attempt(app, {}, "SELECT * FROM tenants_to_catch_up(now())").state.empty());
  CHECK(attempt(app, {}, "SELECT * FROM inbox_depths()").rows == 3);
  CHECK(attempt(app, {}, "SELECT * FROM tenants_with_outbox(now())").rows == 3);
  CHECK(attempt(app, {}, "SELECT * FROM outbox_depths()").rows == 3);
  CHECK(attempt(app, {}, "SET LOCAL ROLE flexsync_lookup").state == kDenied);
  auto apply = session(Role::apply);
  const std::string of_parked = "SELECT * FROM parked_event_state('tenant_b', 'env_b', 'evt_env_b', '', '')";
  CHECK(attempt(apply, {}, of_parked).rows == 1);  // a key and a time: what it has to write beside a parked event
  CHECK(attempt(app, kTheirs, of_parked).state == kDenied);
  for (const auto role : {Role::intake, Role::apply}) {
    auto other = session(role);
    CHECK(attempt(other, {}, "SELECT * FROM lookup_api_key('hash_env_b')").state == kDenied);
    CHECK(attempt(other, {}, "SELECT * FROM lookup_connections('acct_env_b')").state == kDenied);
    CHECK(attempt(other, {}, "SELECT * FROM inbox_depths()").state == kDenied);
    CHECK(attempt(other, {}, "SELECT * FROM outbox_depths()").state == kDenied);
    CHECK(attempt(other, {}, "SELECT * FROM tenants_with_outbox(now())").state == kDenied);
  }

  // The functions' own role reads what they need, and could not give away more.
  pqxx::connection superuser(LoginCluster::instance().superuser_url(database()));
  const auto as_lookup = [&](const std::string& statement) {
    pqxx::work tx(superuser);
    tx.exec("SET LOCAL ROLE flexsync_lookup");
    try {
      tx.exec(statement);
      return std::string();
    } catch (const pqxx::sql_error& e) {
      return state_of(e);
    }
  };
  CHECK(as_lookup("SELECT key_hash FROM api_keys").empty());
  CHECK(as_lookup("SELECT secrets FROM connections") == kDenied);
  CHECK(as_lookup("SELECT payload FROM inbox") == kDenied);
  CHECK(as_lookup("SELECT body FROM outbox") == kDenied);
  CHECK(as_lookup("SELECT 1 FROM customers") == kDenied);
  CHECK(as_lookup("UPDATE api_keys SET status = 'deleted'") == kDenied);
}

TEST_CASE("a login without the roles gets nothing at all", "[rls]") {
  pqxx::connection nobody(LoginCluster::instance().url(LoginCluster::kNobody, database()));
  const auto state = [&](const std::string& statement) {
    pqxx::work tx(nobody);
    try {
      tx.exec(statement);
      return std::string();
    } catch (const pqxx::sql_error& e) {
      return state_of(e);
    }
  };
  for (const auto& table : tenant_tables()) {
    CAPTURE(table);
    CHECK(state("SELECT 1 FROM " + table) == kDenied);
  }
  CHECK(state("SELECT * FROM lookup_api_key('hash_env_b')") == kDenied);
  CHECK(state("SELECT * FROM inbox_depths()") == kDenied);
  for (const std::string role : {"flexsync_app", "flexsync_intake", "flexsync_apply", "flexsync_lookup"}) {
    CHECK(state("SET LOCAL ROLE " + role) == kDenied);
  }
}
