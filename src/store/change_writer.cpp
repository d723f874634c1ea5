#include "store/change_writer.hpp"

#include <algorithm>
#include <chrono>
#include <pqxx/pqxx>
#include <string_view>
#include <thread>
#include <vector>

#include "store/change_statements.hpp"
#include "store/group_queue.hpp"
#include "store/session.hpp"
#include "telemetry/failpoint.hpp"
#include "telemetry/log.hpp"

namespace flexsync::store {

namespace {

struct Waiting {
  ChangeSet change;
  std::function<void(ChangeReply)> reply;
};

// What a broken rule means to whoever reads the dead letter, or made the call: there is nothing to redrive then.
std::string explain(const ChangeSet& change, const std::exception& e) {
  const std::string_view text = e.what();
  const auto breaks = [&](std::string_view rule) { return text.find(rule) != std::string_view::npos; };
  const auto advice = [&](const char* redrive) { return change.settlement ? redrive : ""; };
  if (change.customer && breaks("\"customers_external_id\"")) {
    return "external_id '" + change.customer->external_id + "' already belongs to another customer" +
           advice("; change one of the two, then redrive");
  }
  if (change.addon && breaks("\"addons_lookup_key\"")) {
    return "lookup_key '" + change.addon->lookup_key + "' already belongs to another addon" +
           advice("; change one of the two, then redrive");
  }
  // The database does not say whose of the two it is: row-level security keeps the values to itself.
  const auto& twin = change.addon_mapping;
  if (change.mapping && breaks("\"mappings_by_entity\"")) {
    return change.mapping->entity_type + " " + change.mapping->entity_id +
           (twin ? " or " + twin->entity_type + " " + twin->entity_id : "") +
           " is already mapped to another Stripe object" + advice("; end one of the mappings, then redrive");
  }
  if (change.mapping && breaks("\"mappings_by_provider\"")) {
    return "Stripe object " + change.mapping->provider_entity_id + " is already mapped to another " +
           change.mapping->entity_type + (twin ? " or " + twin->entity_type : "");
  }
  return std::string(text.substr(0, text.find('\n')));
}

}  // namespace

class ChangeWriter::Impl {
 public:
  Impl(ChangeWriterConfig config, Metrics& metrics, const Precedence& precedence)
      : config_(std::move(config)),
        precedence_(precedence),
        queue_(config_.queue_max),
        commits_(metrics.commits("changes")),
        failures_(metrics.commit_failures("changes")),
        rows_(metrics.rows_per_commit("changes")),
        seconds_(metrics.commit_seconds("changes")),
        depth_(metrics.writer_queue("changes")),
        open_(metrics.pool_connections("changes")),
        reconnects_(metrics.pool_reconnects("changes")) {
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

  void submit(Waiting waiting) {
    if (!queue_.push(waiting)) {
      waiting.reply({ChangeResult::unavailable, "too many changes are waiting to be written"});
    }
  }

 private:
  void serve() {
    SessionConfig session_config;
    session_config.url = config_.url;
    session_config.role = Role::apply;
    session_config.statement_timeout_ms = config_.statement_timeout_ms;
    Session session(std::move(session_config), prepare_change_statements);
    bool was_open = false;
    while (true) {
      auto batch = queue_.pop(config_.batch_max);
      if (batch.empty()) {
        return;
      }
      depth_.Set(static_cast<double>(queue_.size()));
      const auto begin = std::chrono::steady_clock::now();
      write(session, std::move(batch));
      if (session.open() != std::exchange(was_open, session.open())) {
        open_.Increment(was_open ? 1 : -1);
      }
      const auto taken = std::chrono::steady_clock::now() - begin;
      seconds_.Observe(std::chrono::duration<double>(taken).count());
      queue_.rest(precedence_.rest_after(std::chrono::duration_cast<std::chrono::microseconds>(taken)));
    }
  }

  // Until every member has its answer: losers drop out, the rest is written again.
  void write(Session& session, std::vector<Waiting> batch) {
    while (!batch.empty()) {
      try {
        auto replies = attempt(session, batch);
        answer(batch, std::move(replies));
      } catch (const std::exception& e) {
        failures_.Increment();
        fail_batch(session, std::exchange(batch, {}), e);
      }
    }
  }

  std::vector<ChangeReply> attempt(Session& session, const std::vector<Waiting>& batch) {
    std::vector<const ChangeSet*> changes;
    changes.reserve(batch.size());
    for (const auto& waiting : batch) {
      changes.push_back(&waiting.change);
    }
    pqxx::work tx(session.connection());
    auto replies = apply_changes(tx, changes);
    if (all_committed(replies)) {
      FLEXSYNC_FAILPOINT("changes.before_commit");
      tx.commit();
      FLEXSYNC_FAILPOINT("changes.after_commit");
      commits_.Increment();
      rows_.Observe(static_cast<double>(batch.size()));
    }
    return replies;
  }

  static bool all_committed(const std::vector<ChangeReply>& replies) {
    return std::all_of(replies.begin(), replies.end(),
                       [](const auto& r) { return r.result == ChangeResult::committed; });
  }

  // All committed: all are answered. Otherwise nothing was, the losers are answered and the others stay.
  void answer(std::vector<Waiting>& batch, std::vector<ChangeReply> replies) {
    const bool committed = all_committed(replies);
    std::vector<Waiting> rest;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (committed || replies[i].result != ChangeResult::committed) {
        batch[i].reply(std::move(replies[i]));
      } else {
        rest.push_back(std::move(batch[i]));
      }
    }
    batch = std::move(rest);
  }

  // One bad change set must not cost a stranger's: what failed together is tried one by one.
  void fail_batch(Session& session, std::vector<Waiting> batch, const std::exception& e) {
    const auto failure = classify(e);
    if (breaks_connection(e)) {
      session.drop();
      reconnects_.Increment();
    }
    if (failure != Failure::unavailable && batch.size() > 1) {
      for (auto& waiting : batch) {
        std::vector<Waiting> single;
        single.push_back(std::move(waiting));
        write(session, std::move(single));
      }
      return;
    }
    log::warn("changes could not be written", {{"changes", batch.size()}, {"error", e.what()}});
    for (const auto& waiting : batch) {
      waiting.reply({result_of(failure), explain(waiting.change, e)});
    }
  }

  static ChangeResult result_of(Failure failure) {
    switch (failure) {
      case Failure::unavailable:
      case Failure::transient:
        return ChangeResult::unavailable;
      case Failure::conflict:
        return ChangeResult::conflict;
      case Failure::rejected:
        break;
    }
    return ChangeResult::rejected;
  }

  ChangeWriterConfig config_;
  const Precedence& precedence_;
  GroupQueue<Waiting> queue_;
  prometheus::Counter& commits_;
  prometheus::Counter& failures_;
  prometheus::Histogram& rows_;
  prometheus::Histogram& seconds_;
  prometheus::Gauge& depth_;
  prometheus::Gauge& open_;
  prometheus::Counter& reconnects_;
  std::vector<std::thread> threads_;
};

ChangeWriter::ChangeWriter(ChangeWriterConfig config, Metrics& metrics, const Precedence& precedence)
    : impl_(std::make_unique<Impl>(std::move(config), metrics, precedence)) {}

ChangeWriter::~ChangeWriter() = default;

void ChangeWriter::submit(ChangeSet change, std::function<void(ChangeReply)> reply) {
  impl_->submit({std::move(change), std::move(reply)});
}

}  // namespace flexsync::store
