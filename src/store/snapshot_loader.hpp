// Loading what entity actors start from: many actors, one query (the reading twin of group commit).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "domain/entity.hpp"
#include "domain/error.hpp"
#include "telemetry/metrics.hpp"

namespace flexsync::store {

// Which entity, and which object of Stripe's that is, or claims to be, its counterpart.
struct SnapshotRequest {
  Scope scope;
  EntityKey entity;
  ObjectKey object;                  // empty, of a customer or subscription: the mapped one
  ObjectKey product{};               // of a price: its product, whose shadow is wanted, too
  std::vector<ObjectKey> parents{};  // of a subscription: whose local ids are wanted
  bool by_mapping = false;           // the plan is the one mapped to `object`, not the entity
};

class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  // `reply` is called exactly once, on the loader's thread.
  virtual void load(SnapshotRequest request, std::function<void(Result<EntitySnapshot>)> reply) = 0;
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

  void load(SnapshotRequest request, std::function<void(Result<EntitySnapshot>)> reply) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flexsync::store
