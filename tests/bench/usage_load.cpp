// Usage intake beside COPY of the same rows into the same table and index, and the closing of a large window.
//
// It runs the store's own writer and ledger over real commits, without HTTP, and COPY in the same process, in turn:
// COPY's text is rendered before its clock starts, so nothing but PostgreSQL is measured there. Prints JSON lines.
#include <libpq-fe.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <future>
#include <iostream>
#include <memory>
#include <pqxx/pqxx>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "domain/ulid.hpp"
#include "store/meter_commands.hpp"
#include "store/usage_ledger.hpp"
#include "store/usage_rows.hpp"
#include "store/usage_writer.hpp"

using namespace flexsync;

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string url;        // as the server logs in
  std::string admin_url;  // as the superuser, for COPY and to lay out the tenant
  std::size_t events = 200'000;
  std::size_t single_events = 20'000;
  std::size_t callers = 16;
  std::size_t single_callers = 64;
  std::size_t customers = 1'000;
  std::size_t rounds = 3;
  std::size_t writers = 2;
};

const Timestamp kNoon = from_unix_seconds(1'795'003'200);
const Principal kBy{Principal::Kind::admin, {}, {}, "benchmark"};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> figures) {
  std::sort(figures.begin(), figures.end());
  return figures[figures.size() / 2];
}

std::vector<UsageEvent> make_events(std::size_t count, std::size_t customers) {
  std::vector<UsageEvent> events(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& event = events[i];
    event.received = kNoon + std::chrono::microseconds(static_cast<std::int64_t>(i));
    event.id = new_id<UsageEventId>(prefix::kUsageEvent, event.received);
    event.event_name = "api_call";
    event.external_customer_id = "ext_" + std::to_string(i % customers);
    event.timestamp = event.received;
    event.properties = {
        {"model", "large-" + std::to_string(i % 3)}, {"region", "eu-west-1"}, {"tokens", std::to_string(i % 977)}};
    event.source = "sdk";
  }
  return events;
}

class World {
 public:
  explicit World(const Options& options)
      : options_(options),
        admin_(options.admin_url),
        ledger_pool_({.url = options.url, .name = "ledger", .statement_timeout_ms = 120'000}, metrics_),
        ledger_(ledger_pool_, std::chrono::minutes(60)),
        meters_(
            ledger_pool_, clock_,
            [](const Scope&, const StripeId&) {
              return store::StripeMeter{"billed", "sum", "active", "stripe_customer_id", "value"};
            },
            std::chrono::minutes(60)) {}

  Scope new_scope(std::size_t customers) {
    const Scope scope{new_id<TenantId>(prefix::kTenant, kNoon), new_id<EnvironmentId>(prefix::kEnvironment, kNoon)};
    const auto keys = "'" + scope.tenant.str() + "', '" + scope.environment.str() + "', ";
    const auto numbers = " FROM generate_series(0, " + std::to_string(customers - 1) + ") AS n";
    pqxx::work tx(admin_);
    tx.exec("INSERT INTO tenants VALUES ('" + scope.tenant.str() + "', 'bench', 'published', now(), now())");
    tx.exec("INSERT INTO environments VALUES (" + keys + "'bench', 'production', 'published', now(), now())");
    tx.exec("INSERT INTO tenant_owner VALUES (" + keys + "1)");
    tx.exec("INSERT INTO customers SELECT " + keys +
            "'cust_01JD3W5M2K8QZ7R4T6Y9' || lpad(n::text, 6, '0'), 'ext_' || n, 'n', '', '', '', '', '', '', '', '',"
            " '{}', 'published', 1, now(), now(), '', ''" +
            numbers);
    tx.exec("INSERT INTO entity_integration_mappings SELECT " + keys +
            "'eim_' || n, 'customer', 'cust_01JD3W5M2K8QZ7R4T6Y9' || lpad(n::text, 6, '0'), 'stripe', 'cus_' || n,"
            " '{}', 'published', now(), now()" +
            numbers);
    tx.commit();
    Meter meter;
    meter.name = meter.event_name = "api_call";
    meter.aggregation = Aggregation::sum;
    meter.field = "tokens";
    const auto created = meters_.create_meter(scope, meter, kBy);
    MeterMapping mapping;
    mapping.meter_id = created.value().id;
    mapping.stripe_meter_id = StripeId{"mtr_1"};
    mapping.start_at = kNoon;
    static_cast<void>(meters_.create_meter_mapping(scope, mapping, kBy).value());
    return scope;
  }

  // Each caller sends its share, one call at a time. Events a second.
  double intake(const Scope& scope, const std::vector<UsageEvent>& events, std::size_t per_call, std::size_t callers) {
    store::UsageWriter writer({.url = options_.url, .writers = static_cast<int>(options_.writers)}, metrics_);
    std::vector<std::vector<UsageSubmission>> shares(callers);
    for (std::size_t i = 0, call = 0; i < events.size(); i += per_call, ++call) {
      const auto begin = events.begin() + static_cast<std::ptrdiff_t>(i);
      const auto end = begin + static_cast<std::ptrdiff_t>(std::min(per_call, events.size() - i));
      shares[call % callers].push_back({scope, {begin, end}, ""});
    }
    store_one(writer, {scope, {}, ""});  // the connection is open
    const auto begin = Clock::now();
    std::vector<std::thread> threads;
    for (auto& share : shares) {
      threads.emplace_back([&writer, &share] {
        for (auto& submission : share) {
          store_one(writer, std::move(submission));
        }
      });
    }
    for (auto& thread : threads) {
      thread.join();
    }
    return static_cast<double>(events.size()) / seconds_since(begin);
  }

  // The same rows into a table like usage_events, with its indexes, in one COPY and one commit.
  double copy(const Scope& scope, const std::vector<UsageEvent>& events) {
    pqxx::work(admin_).exec("SELECT 1");
    pqxx::nontransaction(admin_).exec("DROP TABLE IF EXISTS bench_copy");
    pqxx::nontransaction(admin_).exec("CREATE TABLE bench_copy (LIKE usage_events INCLUDING ALL)");
    const auto text = copy_text(scope, events);
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(options_.admin_url.c_str()), &PQfinish);
    const auto check = [&](bool ok) {
      if (!ok) {
        throw std::runtime_error(PQerrorMessage(connection.get()));
      }
    };
    const auto begin = Clock::now();
    PQclear(PQexec(connection.get(), "COPY bench_copy FROM STDIN"));
    for (std::size_t at = 0; at < text.size(); at += 65'536) {
      const auto bytes = std::min<std::size_t>(65'536, text.size() - at);
      check(PQputCopyData(connection.get(), text.data() + at, static_cast<int>(bytes)) == 1);
    }
    check(PQputCopyEnd(connection.get(), nullptr) == 1);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQgetResult(connection.get()), &PQclear);
    check(PQresultStatus(result.get()) == PGRES_COMMAND_OK);
    return static_cast<double>(events.size()) / seconds_since(begin);
  }

  double close(const Scope& scope, std::int64_t groups) {
    std::promise<Result<store::Closed>> promise;
    store::CloseRequest request;
    request.epoch = 1;
    request.now = kNoon + std::chrono::minutes(65);
    request.batches_max = static_cast<int>(groups);
    const auto begin = Clock::now();
    ledger_.close_windows(scope, request, [&](Result<store::Closed> r) { promise.set_value(std::move(r)); });
    const auto closed = promise.get_future().get();
    const auto seconds = seconds_since(begin);
    if (!closed || closed->batches != groups) {
      throw std::runtime_error("the window was not closed: " + (closed ? "other groups" : closed.error().message));
    }
    return seconds;
  }

  // What one run leaves to vacuum and to checkpoint is not the next one's.
  void settle() {
    pqxx::nontransaction tx(admin_);
    tx.exec("VACUUM ANALYZE usage_rollups, usage_event_keys, usage_events");
    tx.exec("CHECKPOINT");
  }

 private:
  static void store_one(store::UsageWriter& writer, UsageSubmission submission) {
    std::promise<Result<UsageReceipt>> promise;
    const auto expected = submission.events.size();
    writer.store(std::move(submission), [&](Result<UsageReceipt> r) { promise.set_value(std::move(r)); });
    const auto receipt = promise.get_future().get();
    if (!receipt || receipt->stored != expected) {
      throw std::runtime_error("events were not stored: " + (receipt ? "duplicates" : receipt.error().message));
    }
  }

  static std::string copy_text(const Scope& scope, const std::vector<UsageEvent>& events) {
    std::string text;
    for (const auto& event : events) {
      for (const auto& field :
           {to_rfc3339(event.timestamp), to_rfc3339(event.received), scope.tenant.str(), scope.environment.str(),
            event.id.str(), event.event_name, event.external_customer_id,
            "cust_01JD3W5M2K8QZ7R4T6Y9" + std::string(6, '0'), store::properties_to_json(event.properties)}) {
        text.append(field).append("\t");
      }
      text.append(event.source).append("\n");
    }
    return text;
  }

  const Options& options_;
  Metrics metrics_;
  ManualClock clock_{kNoon};
  pqxx::connection admin_;
  store::ReadPool ledger_pool_;
  store::StoreUsageLedger ledger_;
  store::StoreMeterCommands meters_;
};

void measure_intake(const Options& options) {
  World world(options);
  const auto scope = world.new_scope(options.customers);
  std::vector<double> bulk;
  std::vector<double> single;
  std::vector<double> copied;
  for (std::size_t round = 0; round < options.rounds; ++round) {
    const auto events = make_events(options.events, options.customers);
    world.settle();
    bulk.push_back(world.intake(scope, events, 1000, options.callers));
    world.settle();
    copied.push_back(world.copy(scope, events));
    world.settle();
    single.push_back(
        world.intake(scope, make_events(options.single_events, options.customers), 1, options.single_callers));
  }
  const auto copy = median(copied);
  const auto print = [&](const char* what, double rate) {
    std::printf("{\"what\":\"%s\",\"per_second\":%.0f,\"of_copy\":%.2f}\n", what, rate, rate / copy);
  };
  print("COPY into usage_events' like, with its indexes", copy);
  print("usage intake, 1000 events a call", median(bulk));
  print("usage intake, 1 event a call", median(single));
}

void measure_closing(const Options& options) {
  constexpr std::size_t kGroups = 10'000;
  World world(options);
  std::vector<double> seconds;
  for (std::size_t round = 0; round < options.rounds; ++round) {
    const auto scope = world.new_scope(kGroups);
    world.intake(scope, make_events(6 * kGroups, kGroups), 1000, options.callers);
    seconds.push_back(world.close(scope, kGroups));
  }
  std::printf("{\"what\":\"closing 60,000 events in 10,000 groups\",\"seconds\":%.2f}\n", median(seconds));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App cli{"Measures usage intake beside COPY, and the closing of a window of 10,000 groups."};
  cli.add_option("--url", options.url, "database, as the server logs in")->required();
  cli.add_option("--admin-url", options.admin_url, "the same database, as the superuser")->required();
  cli.add_option("--events", options.events, "of a run at 1000 a call");
  cli.add_option("--single-events", options.single_events, "of a run at 1 a call");
  cli.add_option("--callers", options.callers);
  cli.add_option("--single-callers", options.single_callers);
  cli.add_option("--customers", options.customers);
  cli.add_option("--rounds", options.rounds);
  cli.add_option("--writers", options.writers);
  CLI11_PARSE(cli, argc, argv);
  try {
    measure_intake(options);
    measure_closing(options);
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "usage_load: " << e.what() << '\n';
    return 1;
  }
}
