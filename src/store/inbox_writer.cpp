#include "store/inbox_writer.hpp"

#include <algorithm>
#include <chrono>
#include <pqxx/pqxx>
#include <set>
#include <thread>
#include <vector>

#include "store/array.hpp"
#include "store/group_queue.hpp"
#include "store/session.hpp"
#include "telemetry/failpoint.hpp"
#include "telemetry/log.hpp"

namespace flexsync::store {

namespace {

// One statement for many tenants. The payloads travel as one bytea, cut apart by offset and length.
constexpr const char* kInsert = R"(
  INSERT INTO inbox (tenant_id, environment_id, event_id, event_type, object_type, object_id, api_version,
                     stripe_created, received_at, request_id, ignored_reason, payload_bytes, payload)
  SELECT tenant, environment, id, type, object_type, object, version,
         'epoch'::timestamptz + created * interval '1 microsecond',
         'epoch'::timestamptz + received * interval '1 microsecond', request, ignored, bytes,
         substring($14::bytea FROM start FOR bytes)
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
              $9::bigint[], $10::text[], $11::text[], $12::int[], $13::int[])
    AS row(tenant, environment, id, type, object_type, object, version, created, received, request, ignored,
           start, bytes)
  ON CONFLICT DO NOTHING
  RETURNING tenant_id, environment_id, event_id)";

struct Waiting {
  IncomingEvent event;
  std::function<void(Result<IntakeResult>)> reply;
};

// Rows in key order: two processes that store the same events cannot deadlock.
bool in_key_order(const Waiting& a, const Waiting& b) {
  return std::tie(a.event.scope, a.event.id) < std::tie(b.event.scope, b.event.id);
}

using Stored = std::set<std::pair<Scope, StripeEventId>>;

Stored insert(pqxx::connection& connection, const std::vector<Waiting>& batch) {
  std::array<ArrayLiteral, 13> columns;
  std::string payloads;
  for (const auto& [event, reply] : batch) {
    std::size_t c = 0;
    columns[c++].add(event.scope.tenant.str());
    columns[c++].add(event.scope.environment.str());
    columns[c++].add(event.id.str());
    columns[c++].add(event.type);
    columns[c++].add(event.object_type);
    columns[c++].add(event.object_id);
    columns[c++].add(event.api_version);
    columns[c++].add(event.created);
    columns[c++].add(event.received);
    columns[c++].add(event.request_id);
    columns[c++].add(event.ignored);
    columns[c++].add(static_cast<std::int64_t>(payloads.size() + 1));
    columns[c++].add(static_cast<std::int64_t>(event.payload.size()));
    payloads += event.payload;
  }
  pqxx::nontransaction tx(connection);
  auto& c = columns;
  const auto result = tx.exec_prepared("inbox_insert", c[0].take(), c[1].take(), c[2].take(), c[3].take(), c[4].take(),
                                       c[5].take(), c[6].take(), c[7].take(), c[8].take(), c[9].take(), c[10].take(),
                                       c[11].take(), c[12].take(), pqxx::binarystring(payloads));
  Stored stored;
  if (result.size() < batch.size()) {  // some were duplicates: which?
    for (const auto& row : result) {
      stored.emplace(Scope{TenantId{row[0].c_str()}, EnvironmentId{row[1].c_str()}}, StripeEventId{row[2].c_str()});
    }
  } else {
    for (const auto& waiting : batch) {
      stored.emplace(waiting.event.scope, waiting.event.id);
    }
  }
  return stored;
}

}  // namespace

class InboxWriter::Impl {
 public:
  Impl(InboxWriterConfig config, Metrics& metrics, Precedence& precedence, std::function<void(const Scope&)> committed)
      : config_(std::move(config)),
        precedence_(precedence),
        committed_(std::move(committed)),
        commits_(metrics.commits("inbox")),
        failures_(metrics.commit_failures("inbox")),
        rows_(metrics.rows_per_commit("inbox")),
        seconds_(metrics.commit_seconds("inbox")),
        depth_(metrics.writer_queue("inbox")),
        open_(metrics.pool_connections("inbox")),
        reconnects_(metrics.pool_reconnects("inbox")) {
    for (int i = 0; i < config_.writers; ++i) {
      queues_.push_back(std::make_unique<GroupQueue<Waiting>>(config_.queue_max));
    }
    for (auto& queue : queues_) {
      threads_.emplace_back([this, &queue] { serve(*queue); });
    }
  }

  ~Impl() {
    for (auto& queue : queues_) {
      queue->close();
    }
    for (auto& thread : threads_) {
      thread.join();
    }
  }

  void store(Waiting waiting) {
    auto& queue = *queues_[std::hash<Scope>{}(waiting.event.scope) % queues_.size()];
    precedence_.intake_begins();
    if (!queue.push(waiting)) {
      precedence_.intake_ends(1);
      waiting.reply(fail(ErrorCode::service_unavailable, "too many webhooks are waiting to be stored; send it again"));
    }
  }

 private:
  void serve(GroupQueue<Waiting>& queue) {
    SessionConfig session_config;
    session_config.url = config_.url;
    session_config.role = Role::intake;
    session_config.statement_timeout_ms = config_.statement_timeout_ms;
    Session session(std::move(session_config),
                    [](pqxx::connection& connection) { connection.prepare("inbox_insert", kInsert); });
    while (true) {
      auto batch = queue.pop(config_.batch_rows_max);
      if (batch.empty()) {
        return;
      }
      depth_.Set(static_cast<double>(queue.size()));
      const auto count = batch.size();
      std::sort(batch.begin(), batch.end(), in_key_order);
      write_within_bytes(session, std::move(batch));
      precedence_.intake_ends(count);
    }
  }

  // A few bodies of 1 MiB must not become one statement of 256 MiB.
  void write_within_bytes(Session& session, std::vector<Waiting> batch) {
    std::vector<Waiting> part;
    std::size_t bytes = 0;
    for (auto& waiting : batch) {
      if (!part.empty() && bytes + waiting.event.payload.size() > config_.batch_bytes_max) {
        write(session, std::exchange(part, {}));
        bytes = 0;
      }
      bytes += waiting.event.payload.size();
      part.push_back(std::move(waiting));
    }
    write(session, std::move(part));
  }

  void write(Session& session, std::vector<Waiting> batch) {
    const auto begin = std::chrono::steady_clock::now();
    const bool was_open = session.open();
    try {
      FLEXSYNC_FAILPOINT("inbox.before_commit");
      const auto stored = attempt(session, batch);
      FLEXSYNC_FAILPOINT("inbox.after_commit");
      commits_.Increment();
      rows_.Observe(static_cast<double>(batch.size()));
      seconds_.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
      answer(batch, stored);
    } catch (const std::exception& e) {
      failures_.Increment();
      if (was_open && !session.open()) {
        open_.Decrement();
      }
      refuse(session, std::move(batch), e);
    }
  }

  // A connection that PostgreSQL closed since the last batch is no reason to refuse this one: an insert that was
  // stored after all is a duplicate the second time.
  Stored attempt(Session& session, const std::vector<Waiting>& batch) {
    const bool was_open = session.open();
    try {
      auto stored = insert(session.connection(), batch);
      if (!was_open) {
        open_.Increment();
      }
      return stored;
    } catch (const std::exception& e) {
      if (!breaks_connection(e)) {
        throw;
      }
      session.drop();
      if (!was_open) {
        throw;
      }
    }
    reconnects_.Increment();
    return insert(session.connection(), batch);
  }

  void answer(const std::vector<Waiting>& batch, const Stored& stored) {
    FLEXSYNC_FAILPOINT("inbox.before_reply");
    const Scope* last = nullptr;
    for (const auto& [event, reply] : batch) {
      reply(stored.contains({event.scope, event.id}) ? IntakeResult::stored : IntakeResult::duplicate);
    }
    for (const auto& [event, reply] : batch) {  // sorted by scope
      if (!event.ignored.empty()) {
        continue;  // nothing is to be done
      }
      if (last == nullptr || *last != event.scope) {
        committed_(event.scope);
        last = &event.scope;
      }
    }
  }

  // One bad row must not cost a stranger's: what failed together is tried one by one.
  void refuse(Session& session, std::vector<Waiting> batch, const std::exception& e) {
    if (classify(e) != Failure::unavailable && batch.size() > 1) {
      for (auto& waiting : batch) {
        std::vector<Waiting> single;
        single.push_back(std::move(waiting));
        write(session, std::move(single));
      }
      return;
    }
    if (breaks_connection(e)) {
      session.drop();
    }
    log::warn("webhooks could not be stored", {{"rows", batch.size()}, {"error", e.what()}});
    for (const auto& waiting : batch) {
      waiting.reply(tl::unexpected(to_error(e, "the webhook could not be stored")));
    }
  }

  InboxWriterConfig config_;
  Precedence& precedence_;
  std::function<void(const Scope&)> committed_;
  prometheus::Counter& commits_;
  prometheus::Counter& failures_;
  prometheus::Histogram& rows_;
  prometheus::Histogram& seconds_;
  prometheus::Gauge& depth_;
  prometheus::Gauge& open_;
  prometheus::Counter& reconnects_;
  std::vector<std::unique_ptr<GroupQueue<Waiting>>> queues_;
  std::vector<std::thread> threads_;
};

InboxWriter::InboxWriter(InboxWriterConfig config, Metrics& metrics, Precedence& precedence,
                         std::function<void(const Scope&)> committed)
    : impl_(std::make_unique<Impl>(std::move(config), metrics, precedence, std::move(committed))) {}

InboxWriter::~InboxWriter() = default;

void InboxWriter::store(IncomingEvent event, std::function<void(Result<IntakeResult>)> reply) {
  impl_->store({std::move(event), std::move(reply)});
}

}  // namespace flexsync::store
