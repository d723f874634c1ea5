// Loading what entity actors start from: many actors, one query (the reading twin of group commit).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "domain/customer.hpp"
#include "domain/error.hpp"
#include "domain/mapping.hpp"
#include "domain/outbox.hpp"
#include "telemetry/metrics.hpp"

namespace flexsync::store {

// What is stored of one customer and of one Stripe object that is, or claims to be, its counterpart.
struct StoredCustomer {
  std::optional<Customer> customer;
  std::optional<Mapping> mapping;      // the live one
  std::optional<StripeObject> shadow;  // of `stripe_id`; where that is empty, of the mapped one
  std::vector<Intent> intents;         // that are `ready`, in order of seq
};

struct SnapshotRequest {
  Scope scope;
  CustomerId customer_id;
  StripeId stripe_id;
};

class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  // `reply` is called exactly once, on the loader's thread.
  virtual void load(SnapshotRequest request, std::function<void(Result<StoredCustomer>)> reply) = 0;
};

struct SnapshotLoaderConfig {
  std::string url;
  std::size_t batch_max = 256;
  std::size_t queue_max = 65'536;
  int statement_timeout_ms = 30'000;
};

class SnapshotLoader final : public SnapshotSource {
 public:
  SnapshotLoader(SnapshotLoaderConfig config, Metrics& metrics);
  ~SnapshotLoader() override;

  void load(SnapshotRequest request, std::function<void(Result<StoredCustomer>)> reply) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flexsync::store
