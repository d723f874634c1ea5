// Commands about customers and usage.
#pragma once

#include "domain/commands.hpp"
#include "domain/usage_ports.hpp"
#include "support/fake_ports/queries.hpp"

namespace flexsync::test {

// Keeps what it is asked, and answers at once; a test may answer later, or never.
class FakeCustomerCommands final : public CustomerCommands {
 public:
  using Reply = std::function<void(Result<CustomerReply>)>;

  void execute(CustomerCommand command, Reply reply) override {
    const SyncScope sync;
    {
      const std::lock_guard lock(mutex);
      commands.push_back(command);
    }
    on_execute(command, std::move(reply));
  }

  std::function<void(const CustomerCommand&, Reply)> on_execute = [this](const CustomerCommand& command,
                                                                         const Reply& reply) {
    auto done = answer;
    if (done) {
      done->customer.id = command.customer_id;
    }
    reply(std::move(done));
  };
  Result<CustomerReply> answer = CustomerReply{};

  std::mutex mutex;
  std::vector<CustomerCommand> commands;
};

class FakeUsageIntake final : public UsageIntake {
 public:
  using Reply = std::function<void(Result<UsageReceipt>)>;

  void store(UsageSubmission submission, Reply reply) override {
    const SyncScope sync;
    {
      const std::lock_guard lock(mutex);
      submissions.push_back(submission);
    }
    on_store(std::move(submission), std::move(reply));
  }

  std::function<void(UsageSubmission, Reply)> on_store = [](const UsageSubmission& submission, const Reply& reply) {
    reply(UsageReceipt{submission.events.size(), 0});
  };

  std::mutex mutex;
  std::vector<UsageSubmission> submissions;
};

class FakeUsageQueries final : public UsageQueries {
 public:
  Result<Page<UsageEvent>> usage_events(const Scope& scope, const UsageEventFilter& filter) override {
    const SyncScope sync;
    asked_scope = scope;
    event_filter = filter;
    return Page<UsageEvent>{all_events, total};
  }
  Result<Page<Meter>> meters(const Scope& scope, const ListOptions& list) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_list = list;
    return Page<Meter>{all_meters, total};
  }
  Result<Meter> meter(const Scope& scope, const MeterId& id) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id.str();
    return FakeQueries::first(all_meters, "meter");
  }
  Result<Page<MeterMapping>> meter_mappings(const Scope& scope, const ListOptions& list,
                                            const std::string& meter_id) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_list = list;
    asked_id = meter_id;
    return Page<MeterMapping>{all_mappings, total};
  }
  Result<MeterMapping> meter_mapping(const Scope& scope, const MeterMappingId& id) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id.str();
    return FakeQueries::first(all_mappings, "mapping");
  }
  Result<Page<UsageBatch>> usage_batches(const Scope& scope, const BatchFilter& filter) override {
    const SyncScope sync;
    asked_scope = scope;
    batch_filter = filter;
    return Page<UsageBatch>{all_batches, total};
  }
  Result<UsageStatus> usage_status(const Scope& scope) override {
    const SyncScope sync;
    asked_scope = scope;
    return status;
  }

  std::vector<UsageEvent> all_events;
  std::vector<Meter> all_meters;
  std::vector<MeterMapping> all_mappings;
  std::vector<UsageBatch> all_batches;
  UsageStatus status;
  std::int64_t total = 0;

  Scope asked_scope;
  std::string asked_id;
  ListOptions asked_list;
  UsageEventFilter event_filter;
  BatchFilter batch_filter;
};

class FakeMeterCommands final : public MeterCommands {
 public:
  Result<Meter> create_meter(const Scope& scope, Meter wanted, const Principal& by) override {
    wanted.id = MeterId("meter_01");
    return remember(scope, "meter_01", by, asked_meter = wanted);
  }
  Result<Meter> update_meter_filters(const Scope& scope, const MeterId& id, std::vector<MeterFilter> filters,
                                     const Principal& by) override {
    Meter meter;
    meter.id = id;
    meter.filters = std::move(filters);
    return remember(scope, id.str(), by, asked_meter = meter);
  }
  Result<void> delete_meter(const Scope& scope, const MeterId& id, const Principal& by) override {
    const auto done = remember(scope, id.str(), by, 0);
    return done ? Result<void>() : tl::unexpected(done.error());
  }
  Result<MeterMapping> create_meter_mapping(const Scope& scope, MeterMapping wanted, const Principal& by) override {
    wanted.id = MeterMappingId("mmap_01");
    return remember(scope, "mmap_01", by, asked_mapping = wanted);
  }
  Result<MeterMapping> update_meter_mapping(const Scope& scope, const MeterMappingId& id,
                                            std::optional<bool> sync_enabled, const Principal& by) override {
    MeterMapping mapping;
    mapping.id = id;
    mapping.sync_enabled = sync_enabled.value_or(true);
    asked_sync_enabled = sync_enabled;
    return remember(scope, id.str(), by, mapping);
  }
  Result<void> delete_meter_mapping(const Scope& scope, const MeterMappingId& id, const Principal& by) override {
    const auto done = remember(scope, id.str(), by, 0);
    return done ? Result<void>() : tl::unexpected(done.error());
  }
  Result<std::int64_t> return_rejected(const Scope& scope, const BatchFilter& filter, const Principal& by) override {
    const auto known = filter.id.empty() ? returned_by_filter : returned_by_id;
    asked_filters.push_back(filter);
    return remember(scope, filter.id, by, filter.id == "batch_other" ? 0 : known);
  }

  std::optional<Error> error;
  std::int64_t returned_by_filter = 7;
  std::int64_t returned_by_id = 1;

  Scope asked_scope;
  std::string asked_id;
  std::string asked_by;
  Meter asked_meter;
  MeterMapping asked_mapping;
  std::optional<bool> asked_sync_enabled;
  std::vector<BatchFilter> asked_filters;

 private:
  template <class T>
  Result<T> remember(const Scope& scope, const std::string& id, const Principal& by, T result) {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id;
    asked_by = by.label;
    return error ? Result<T>(tl::unexpected(*error)) : result;
  }
};

}  // namespace flexsync::test
