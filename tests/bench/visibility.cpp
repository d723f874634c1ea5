#include "visibility.hpp"

#include <cstdio>
#include <pqxx/pqxx>
#include <utility>

#include "store/array.hpp"

namespace flexsync::bench {

namespace {

constexpr const char* kSettled = R"(
  SELECT i.event_id, o.outcome FROM unnest($3::text[]) AS wanted(id)
    JOIN inbox i ON i.tenant_id = $1 AND i.environment_id = $2 AND i.event_id = wanted.id
    JOIN inbox_outcomes o ON o.tenant_id = $1 AND o.environment_id = $2 AND o.seq = i.seq
  WHERE o.outcome <> 'parked')";

constexpr std::chrono::milliseconds kPause{1};

}  // namespace

Visibility::Visibility(std::string url, std::string tenant, std::string environment)
    : url_(std::move(url)), tenant_(std::move(tenant)), environment_(std::move(environment)), thread_([this] {
        try {
          watch();
        } catch (const std::exception& e) {
          std::fprintf(stderr, "webhook_load: %s\n", e.what());
        }
      }) {}

Visibility::~Visibility() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  closing_.notify_all();
  thread_.join();
}

void Visibility::sent(const std::string& event, Clock::time_point due) {
  const std::lock_guard lock(mutex_);
  open_.emplace(event, due);
}

bool Visibility::wait(std::chrono::seconds time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [this] { return open_.empty(); });
}

void Visibility::watch() {
  pqxx::connection connection(url_);
  pqxx::nontransaction tx(connection);
  tx.exec(
      "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off;"
      " SET plan_cache_mode = force_generic_plan");
  connection.prepare("settled", kSettled);
  while (true) {
    std::vector<std::string> events;
    {
      std::unique_lock lock(mutex_);
      if (closing_.wait_for(lock, kPause, [this] { return closed_; })) {
        return;
      }
      for (const auto& [event, due] : open_) {
        events.push_back(event);
      }
    }
    if (!events.empty()) {
      const auto rows = tx.exec_prepared("settled", tenant_, environment_, store::text_array(events));
      const auto now = Clock::now();
      const std::lock_guard lock(mutex_);
      for (const auto& row : rows) {
        const auto found = open_.extract(row[0].c_str());
        if (std::string(row[1].c_str()) == "applied") {
          latencies_.push_back(std::chrono::duration_cast<std::chrono::microseconds>(now - found.mapped()).count());
        } else {
          ++others_;
        }
      }
      changed_.notify_all();
    }
  }
}

std::vector<long> Visibility::latencies() const {
  const std::lock_guard lock(mutex_);
  return latencies_;
}

long Visibility::others() const {
  const std::lock_guard lock(mutex_);
  return others_;
}

}  // namespace flexsync::bench
