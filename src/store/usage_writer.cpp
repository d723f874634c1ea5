#include "store/usage_writer.hpp"

#include <algorithm>
#include <atomic>
#include <pqxx/pqxx>
#include <thread>
#include <vector>

#include "store/group_queue.hpp"
#include "store/rows.hpp"
#include "store/session.hpp"
#include "store/usage_intake.hpp"
#include "store/usage_rows.hpp"
#include "telemetry/failpoint.hpp"
#include "telemetry/log.hpp"

namespace flexsync::store {

namespace {

constexpr std::chrono::milliseconds kSetAsideRest{5};

// After a commit with duplicates, so many more expect some: they come in bursts, when a sender tries again.
constexpr int kCarefulCommits = 64;

struct Waiting {
  RenderedUsage usage;
  std::function<void(Result<UsageReceipt>)> reply;
  std::chrono::steady_clock::time_point since;
};

using Batch = std::vector<Waiting>;

std::size_t rows_of(const Batch& batch) {
  std::size_t rows = 0;
  for (const auto& waiting : batch) {
    rows += waiting.usage.submission.events.size();
  }
  return rows;
}

const char* what_is_wrong(const UsageEvent& event) {
  if (event.id.empty()) {
    return "event_id is empty";
  }
  for (const auto& text : {event.id.str(), event.event_name, event.external_customer_id, event.customer_id.str()}) {
    if (text.size() > kUsageTextBytesMax) {
      return "event_id, event_name, external_customer_id and customer_id have at most 255 bytes";
    }
    if (!is_storable(text)) {
      return "event_id, event_name, external_customer_id and customer_id are valid UTF-8 without U+0000";
    }
  }
  return is_storable(event.source) ? nullptr : "source is valid UTF-8 without U+0000";
}

// On the caller's thread: what is wrong with it, and the text of its properties.
Result<void> render(RenderedUsage& usage) {
  const auto& submission = usage.submission;
  if (submission.events.size() > kUsageEventsPerCall) {
    return fail(ErrorCode::validation_error,
                "at most " + std::to_string(kUsageEventsPerCall) + " events travel in one call");
  }
  usage.properties.reserve(submission.events.size());
  for (const auto& event : submission.events) {
    const char* wrong = what_is_wrong(event);
    usage.properties.push_back(properties_to_json(event.properties));
    if (wrong == nullptr && !is_storable(usage.properties.back())) {
      wrong = "properties are valid UTF-8";
    }
    if (wrong != nullptr) {
      return fail(ErrorCode::validation_error, "an event cannot be stored",
                  {{"events[" + std::to_string(usage.properties.size() - 1) + "]", wrong}});
    }
  }
  return {};
}

}  // namespace

class UsageWriter::Impl {
 public:
  Impl(UsageWriterConfig config, Metrics& metrics)
      : config_(std::move(config)),
        queue_(config_.queue_submissions_max),
        commits_(metrics.commits("usage")),
        failures_(metrics.commit_failures("usage")),
        rows_(metrics.rows_per_commit("usage")),
        seconds_(metrics.commit_seconds("usage")),
        depth_(metrics.writer_queue("usage")),
        open_(metrics.pool_connections("usage")),
        reconnects_(metrics.pool_reconnects("usage")) {
    for (int i = 0; i < config_.writers; ++i) {
      threads_.emplace_back([this] { serve(); });
    }
  }

  ~Impl() {
    queue_.close();
    for (auto& thread : threads_) {
      thread.join();
    }
  }

  void store(Waiting waiting) {
    if (auto valid = render(waiting.usage); !valid) {
      return waiting.reply(tl::unexpected(valid.error()));
    }
    const auto rows = waiting.usage.submission.events.size();
    if (queued_rows_.fetch_add(rows) + rows > config_.queue_rows_max || !queue_.push(waiting)) {
      queued_rows_ -= rows;
      waiting.reply(fail(ErrorCode::service_unavailable, "too much usage is waiting to be stored; send it again"));
    }
  }

 private:
  // What one thread keeps between commits.
  struct Writer {
    Session session;
    MeterCache meters;
    int careful = 0;  // commits that still expect duplicates
    Batch aside;      // of tenants whose meters were being changed, oldest first
  };

  void serve() {
    SessionConfig session_config;
    session_config.url = config_.url;
    session_config.role = Role::intake;
    session_config.statement_timeout_ms = config_.statement_timeout_ms;
    Writer writer{Session(std::move(session_config), [](pqxx::connection&) {}), {}, 0, {}};
    while (true) {
      if (!writer.aside.empty()) {
        queue_.rest(kSetAsideRest);
      }
      auto batch = std::exchange(writer.aside, {});
      const auto max = config_.batch_submissions_max;
      auto fresh = batch.empty() ? queue_.pop(max) : queue_.pop_ready(max);
      std::move(fresh.begin(), fresh.end(), std::back_inserter(batch));
      if (batch.empty()) {
        return;
      }
      depth_.Set(static_cast<double>(queue_.size()));
      write_within_rows(writer, std::move(batch));
    }
  }

  void write_within_rows(Writer& writer, Batch batch) {
    Batch part;
    std::size_t rows = 0;
    for (auto& waiting : batch) {
      const auto more = waiting.usage.submission.events.size();
      if (!part.empty() && rows + more > config_.batch_rows_max) {
        write(writer, std::exchange(part, {}));
        rows = 0;
      }
      rows += more;
      part.push_back(std::move(waiting));
    }
    write(writer, std::move(part));
  }

  void write(Writer& writer, Batch batch) {
    const auto begin = std::chrono::steady_clock::now();
    const bool was_open = writer.session.open();
    try {
      const auto receipts = attempt(writer, batch);
      commits_.Increment();
      rows_.Observe(static_cast<double>(rows_of(batch)));
      seconds_.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
      answer(writer, std::move(batch), receipts);
    } catch (const std::exception& e) {
      failures_.Increment();
      if (was_open && !writer.session.open()) {
        open_.Decrement();
      }
      refuse(writer, std::move(batch), e);
    }
  }

  // A connection that PostgreSQL closed since the last batch is no reason to refuse this one. (Lost in its commit, it
  // may have been stored: the second time its events are then duplicates, and are counted as such.)
  std::vector<std::optional<UsageReceipt>> attempt(Writer& writer, Batch& batch) {
    const bool was_open = writer.session.open();
    try {
      auto receipts = attempt_once(writer, batch);
      if (!was_open) {
        open_.Increment();
      }
      return receipts;
    } catch (const std::exception& e) {
      if (!breaks_connection(e)) {
        throw;
      }
      writer.session.drop();
      if (!was_open) {
        throw;
      }
    }
    reconnects_.Increment();
    return attempt_once(writer, batch);
  }

  std::vector<std::optional<UsageReceipt>> attempt_once(Writer& writer, Batch& batch) {
    if (writer.careful == 0) {
      try {
        return commit(writer, batch, KeyInsert::bare);
      } catch (const pqxx::unique_violation&) {
        writer.careful = kCarefulCommits;
      }
    }
    --writer.careful;
    return commit(writer, batch, KeyInsert::on_conflict);
  }

  std::vector<std::optional<UsageReceipt>> commit(Writer& writer, Batch& batch, KeyInsert how) {
    std::vector<RenderedUsage*> submissions;
    submissions.reserve(batch.size());
    for (auto& waiting : batch) {
      submissions.push_back(&waiting.usage);
    }
    pqxx::work tx(writer.session.connection());
    auto receipts = store_usage(tx, submissions, writer.meters, config_.window, how);
    FLEXSYNC_FAILPOINT("usage.before_commit");
    tx.commit();
    FLEXSYNC_FAILPOINT("usage.after_commit");
    return receipts;
  }

  void answer(Writer& writer, Batch batch, const std::vector<std::optional<UsageReceipt>>& receipts) {
    const auto now = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (receipts[i]) {
        finish(batch[i], *receipts[i]);
      } else if (now - batch[i].since > config_.set_aside_max) {
        finish(batch[i], fail(ErrorCode::service_unavailable, "the meters are being changed; send it again"));
      } else {
        writer.aside.push_back(std::move(batch[i]));
      }
    }
  }

  // One bad row must not cost a stranger's: what failed together is tried one by one.
  void refuse(Writer& writer, Batch batch, const std::exception& e) {
    if (classify(e) != Failure::unavailable && batch.size() > 1) {
      for (auto& waiting : batch) {
        Batch single;
        single.push_back(std::move(waiting));
        write(writer, std::move(single));
      }
      return;
    }
    if (breaks_connection(e)) {
      writer.session.drop();
    }
    log::warn("usage could not be stored", {{"rows", rows_of(batch)}, {"error", e.what()}});
    for (auto& waiting : batch) {
      finish(waiting, tl::unexpected(to_error(e, "the usage could not be stored")));
    }
  }

  void finish(Waiting& waiting, Result<UsageReceipt> result) {
    queued_rows_ -= waiting.usage.submission.events.size();
    waiting.reply(std::move(result));
  }

  UsageWriterConfig config_;
  GroupQueue<Waiting> queue_;
  std::atomic<std::size_t> queued_rows_{0};
  prometheus::Counter& commits_;
  prometheus::Counter& failures_;
  prometheus::Histogram& rows_;
  prometheus::Histogram& seconds_;
  prometheus::Gauge& depth_;
  prometheus::Gauge& open_;
  prometheus::Counter& reconnects_;
  std::vector<std::thread> threads_;
};

UsageWriter::UsageWriter(UsageWriterConfig config, Metrics& metrics)
    : impl_(std::make_unique<Impl>(std::move(config), metrics)) {}

UsageWriter::~UsageWriter() = default;

void UsageWriter::store(UsageSubmission submission, std::function<void(Result<UsageReceipt>)> reply) {
  impl_->store({{std::move(submission), {}}, std::move(reply), std::chrono::steady_clock::now()});
}

}  // namespace flexsync::store
