#include "store/usage_intake.hpp"

#include <algorithm>
#include <pqxx/pqxx>
#include <string_view>
#include <unordered_map>

#include "store/rows.hpp"
#include "store/usage_columns.hpp"
#include "store/usage_rollups.hpp"
#include "store/usage_rows.hpp"

namespace flexsync::store {

namespace {

// The scopes of a commit travel once, a row names its own by number. unnest() stands in the select list: behind FROM
// its rows would first be stored, which costs as much again as reading the arrays.
#define KEYS \
  "INSERT INTO usage_event_keys (tenant_id, environment_id, event_id, received_at, occurred_at)"                      \
  " SELECT ($1::text[])[scope], ($2::text[])[scope], id, " FLEXSYNC_TIME("received") ", " FLEXSYNC_TIME("occurred")   \
  " FROM (SELECT unnest($3::int[]) AS scope, unnest($4::text[]) AS id, unnest($5::bigint[]) AS received,"             \
  "              unnest($6::bigint[]) AS occurred) AS row"

constexpr NamedStatement kBareKeys{"usage_keys_insert", KEYS};
constexpr NamedStatement kKeys{"usage_keys_insert_on_conflict", KEYS " ON CONFLICT DO NOTHING RETURNING event_id"};

constexpr NamedStatement kEvents{
    "usage_events_insert",
    "INSERT INTO usage_events (tenant_id, environment_id, event_id, event_name, external_customer_id, customer_id,"
    "                          occurred_at, properties, source, received_at)"
    " SELECT ($1::text[])[scope], ($2::text[])[scope], id, name, external, customer, " FLEXSYNC_TIME("occurred")
    ", properties, source, " FLEXSYNC_TIME("received")
    " FROM (SELECT unnest($3::int[]) AS scope, unnest($4::text[]) AS id, unnest($5::text[]) AS name,"
    "              unnest($6::text[]) AS external, unnest($7::text[]) AS customer, unnest($8::bigint[]) AS occurred,"
    "              unnest($9::text[]) AS properties, unnest($10::text[]) AS source,"
    "              unnest($11::bigint[]) AS received) AS row"};

// Whom a caller means: by our id, where it gave one, or by its own.
constexpr NamedStatement kCustomers{"usage_customers", R"(
  SELECT CASE WHEN by_id
    THEN (SELECT c.id FROM customers c WHERE c.tenant_id = row.tenant AND c.environment_id = row.environment
            AND c.id = claim AND c.status <> 'deleted' OFFSET 0)
    ELSE (SELECT c.id FROM customers c WHERE c.tenant_id = row.tenant AND c.environment_id = row.environment
            AND c.external_id = claim AND c.status <> 'deleted' OFFSET 0) END
  FROM unnest($1::text[], $2::text[], $3::boolean[], $4::text[]) AS row(tenant, environment, by_id, claim))"};

struct Row {
  std::size_t scope = 0;       // its place among the commit's scopes, which are in order
  std::size_t submission = 0;  // likewise among the submissions
  UsageEvent* event = nullptr;
};

bool same_key(const Row& a, const Row& b) {
  return a.scope == b.scope && a.event->id == b.event->id;
}

// One transaction's work, step by step.
class Commit {
 public:
  Commit(pqxx::transaction_base& tx, const std::vector<RenderedUsage*>& batch) : tx_(tx), batch_(batch) {}

  std::vector<std::optional<UsageReceipt>> run(MeterCache& cache, std::chrono::minutes window, KeyInsert how) {
    gather();
    cache.refresh(tx_, shared_);
    insert_keys(how);
    find_customers();
    insert_events();
    add_to_rollups(cache, window);
    std::vector<std::optional<UsageReceipt>> receipts(batch_.size());
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      if (shared_.contains(batch_[i]->submission.scope)) {
        receipts[i] = UsageReceipt{stored_[i], batch_[i]->submission.events.size() - stored_[i]};
      }
    }
    return receipts;
  }

 private:
  // Rows in key order, so that two processes that store the same events cannot deadlock; each key once.
  void gather() {
    std::set<Scope> scopes;
    for (const auto* usage : batch_) {
      scopes.insert(usage->submission.scope);
    }
    shared_ = try_share_meter_sets(tx_, scopes);
    scopes_.assign(shared_.begin(), shared_.end());
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      const auto scope = std::lower_bound(scopes_.begin(), scopes_.end(), batch_[i]->submission.scope);
      if (scope == scopes_.end() || *scope != batch_[i]->submission.scope) {
        continue;
      }
      for (auto& event : batch_[i]->submission.events) {
        rows_.push_back({static_cast<std::size_t>(scope - scopes_.begin()), i, &event});
      }
    }
    std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
      return a.scope != b.scope ? a.scope < b.scope : a.event->id < b.event->id;
    });
    rows_.erase(std::unique(rows_.begin(), rows_.end(), same_key), rows_.end());
  }

  void insert_keys(KeyInsert how) {
    UsageColumns<4> columns;
    for (const auto& row : rows_) {
      columns.row(number_of(row.scope), row.event->id.str(), row.event->received, row.event->timestamp);
    }
    if (how == KeyInsert::bare) {
      columns.exec(tx_, kBareKeys, scope_arrays());
    } else {
      keep_new(columns.exec(tx_, kKeys, scope_arrays()));
    }
    stored_.assign(batch_.size(), 0);
    for (const auto& row : rows_) {
      ++stored_[row.submission];
    }
  }

  // PostgreSQL names the new keys in the order of the rows, so the two lists are merged.
  void keep_new(const pqxx::result& inserted) {
    auto next = inserted.begin();
    const auto is_old = [&](const Row& row) {
      if (next != inserted.end() && row.event->id.str() == next[0].c_str()) {
        ++next;
        return false;
      }
      return true;
    };
    std::vector<Row> fresh;
    std::remove_copy_if(rows_.begin(), rows_.end(), std::back_inserter(fresh), is_old);
    rows_ = std::move(fresh);
  }

  void find_customers() {
    using Claim = std::pair<bool, std::string_view>;
    std::vector<std::map<Claim, CustomerId>> found(scopes_.size());
    for (const auto& [scope, submission, event] : rows_) {
      if (!event->customer_id.empty()) {
        found[scope].try_emplace({true, event->customer_id.str()});
      }
      found[scope].try_emplace({false, event->external_customer_id});
    }
    UsageColumns<4> columns;
    for (std::size_t i = 0; i < scopes_.size(); ++i) {
      for (const auto& [claim, customer] : found[i]) {
        columns.row(scopes_[i].tenant.str(), scopes_[i].environment.str(), claim.first, claim.second);
      }
    }
    const auto result = columns.exec(tx_, kCustomers);
    auto next = result.begin();
    for (auto& claims : found) {
      for (auto& [claim, customer] : claims) {
        customer = CustomerId{(*next++)[0].c_str()};
      }
    }
    std::vector<CustomerId> customers;
    customers.reserve(rows_.size());
    for (const auto& [scope, submission, event] : rows_) {
      const auto given = found[scope].find({true, event->customer_id.str()});
      customers.push_back(given != found[scope].end() && !given->second.empty()
                              ? given->second
                              : found[scope].at({false, event->external_customer_id}));
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) {  // only now: the claims point into the events
      rows_[i].event->customer_id = std::move(customers[i]);
    }
  }

  void insert_events() {
    // By submission again: times then rise, which is cheaper for the index than the order of the keys.
    std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
      return std::tie(a.submission, a.event) < std::tie(b.submission, b.event);
    });
    UsageColumns<9> columns;
    for (const auto& [scope, submission, event] : rows_) {
      const auto& usage = *batch_[submission];
      const auto index = static_cast<std::size_t>(event - usage.submission.events.data());
      columns.row(number_of(scope), event->id.str(), event->event_name, event->external_customer_id,
                  event->customer_id.str(), event->timestamp, usage.properties[index], event->source, event->received);
    }
    columns.exec(tx_, kEvents, scope_arrays());
  }

  void add_to_rollups(const MeterCache& cache, std::chrono::minutes window) {
    RollupIncrements increments;
    std::vector<UsageEvent> some;
    for (auto row = rows_.begin(); row != rows_.end();) {
      const auto& submission = batch_[row->submission]->submission;
      const auto count = stored_[row->submission];
      std::span<const UsageEvent> events(submission.events);
      if (count < submission.events.size()) {  // the others were counted before
        some.clear();
        std::transform(row, row + static_cast<std::ptrdiff_t>(count), std::back_inserter(some),
                       [](const Row& r) { return *r.event; });
        events = some;
      }
      increments.add(submission.scope, add_up(events, cache.meters(submission.scope), window));
      row += static_cast<std::ptrdiff_t>(count);
    }
    increments.write(tx_);
  }

  static std::int64_t number_of(std::size_t scope) { return static_cast<std::int64_t>(scope) + 1; }

  std::vector<std::string> scope_arrays() const {
    ArrayLiteral tenants;
    ArrayLiteral environments;
    for (const auto& scope : scopes_) {
      tenants.add(scope.tenant.str());
      environments.add(scope.environment.str());
    }
    return {tenants.take(), environments.take()};
  }

  pqxx::transaction_base& tx_;
  const std::vector<RenderedUsage*>& batch_;
  std::set<Scope> shared_;
  std::vector<Scope> scopes_;        // the same, by index
  std::vector<Row> rows_;            // what is to be stored; after the keys: what is new
  std::vector<std::size_t> stored_;  // new events by submission
};

}  // namespace

std::vector<std::optional<UsageReceipt>> store_usage(pqxx::transaction_base& tx,
                                                     const std::vector<RenderedUsage*>& batch, MeterCache& cache,
                                                     std::chrono::minutes window, KeyInsert how) {
  return Commit(tx, batch).run(cache, window, how);
}

}  // namespace flexsync::store
