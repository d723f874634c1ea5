// The store in memory: takes change sets by the rules of the database (store/change_statements.cpp): epoch, settled
// once, row versions, two-sided unique mappings, unique external_id, rows that others refer to, intents finished once.
// Copyable, so that a test can try every order.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "domain/change_set.hpp"
#include "store/inbox_source.hpp"
#include "store/outbox_source.hpp"
#include "store/snapshot_loader.hpp"

namespace flexsync::test {

// What a customer's actor asks for.
store::SnapshotRequest of_customer(const Scope& scope, const CustomerId& id, const StripeId& object = {});

class StoreModel {
 public:
  // One inbox row and what became of it.
  struct Row {
    Scope scope;
    store::InboxRow row;
    std::optional<InboxSettlement> settlement;
    std::optional<ParkedEvent> parked;
    Timestamp parked_at{};
    int settlements = 0;  // how often it was finished for good
    bool visible = true;  // false: another process's insert that has not committed yet
  };

  // The seq it was given; a second delivery of the same event id is dropped and gets nothing.
  std::optional<std::int64_t> deliver(const Scope& scope, const std::string& event_id, const std::string& type,
                                      const std::string& object_id, const std::string& payload, Timestamp received);

  ChangeReply apply(const ChangeSet& change);

  store::Ownership take_ownership(const Scope& scope);
  EntitySnapshot load(const store::SnapshotRequest& request) const;
  std::vector<store::InboxRow> page(const Scope& scope, const store::PageRequest& request) const;
  std::vector<store::InboxRow> due(const Scope& scope, Timestamp now, int rows_max) const;
  std::map<std::string, CustomerId> find_customers(const Scope& scope, const std::vector<std::string>& claims) const;
  std::map<std::string, std::vector<std::string>> find_unmapped(const Scope& scope,
                                                                const std::vector<std::string>& emails) const;
  std::map<ObjectKey, std::string> find_entities(const Scope& scope, const std::vector<ObjectKey>& objects) const;
  void save_watermark(const Scope& scope, std::int64_t seq);
  store::OutboxPage ready_intents(const Scope& scope, Timestamp now, int rows_max,
                                  const std::vector<std::string>& busy) const;
  std::vector<Scope> scopes_with_work(Timestamp now) const;

  // What a test looks at.
  const Row& row(std::int64_t seq) const { return rows_.at(seq); }
  Row& row(std::int64_t seq) { return rows_.at(seq); }
  const std::map<std::int64_t, Row>& rows() const { return rows_; }
  const StripeObject* object(const Scope& scope, const StripeId& id) const;
  const Customer* customer(const Scope& scope, const CustomerId& id) const;
  const Customer* customer_of(const Scope& scope, const StripeId& id) const;  // through the shadow
  const Mapping* live_mapping(const Scope& scope, const StripeId& id, const std::string& type = "") const;
  const Plan* plan(const Scope& scope, const PlanId& id) const;
  const Addon* twin(const Scope& scope, const PlanId& id) const;
  const Price* price(const Scope& scope, const StripeId& id) const;
  const Subscription* subscription(const Scope& scope, const SubscriptionId& id) const;
  std::vector<Intent> intents(const Scope& scope) const;  // all of them, in order of seq
  std::vector<Customer> customers_of(const Scope& scope) const;
  std::vector<Mapping> live_mappings(const Scope& scope) const;
  std::size_t customers() const { return customers_.size(); }
  std::size_t unsettled(const Scope& scope) const;
  std::int64_t watermark(const Scope& scope) const;
  std::int64_t epoch(const Scope& scope) const;
  void put(const Scope& scope, Customer customer);
  void put(const Scope& scope, Mapping mapping);
  void put(const Scope& scope, StripeObject object);
  std::int64_t put(const Scope& scope, Intent intent);  // the seq it was given
  void put(const Scope& scope, Plan plan);
  void put(const Scope& scope, Addon addon);
  void put(const Scope& scope, Price price);
  void put(const Scope& scope, Subscription subscription);

 private:
  template <class Id>
  using Key = std::pair<Scope, Id>;

  std::string entity_of(const Scope& scope, const ObjectKey& object) const;
  std::optional<std::string> parent(const Scope& scope, const ObjectKey& object) const;
  void load_catalog(const store::SnapshotRequest& request, EntitySnapshot& stored) const;
  const Mapping* mapping_of(const Scope& scope, const std::string& type, const std::string& entity_id) const;
  bool breaks_unique(const Scope& scope, const Mapping& mapping) const;
  bool breaks_unique(const Scope& scope, const Addon& addon) const;
  bool refers_to_nothing(const ChangeSet& change) const;
  bool catalog_matches(const ChangeSet& change) const;
  void write_catalog(const ChangeSet& change);
  void wake_blocked(const ChangeSet& change);
  void supersede(const ChangeSet& change);
  void park(const ChangeSet& change, Row& row) const;
  store::InboxRow resolved(const Row& row) const;
  bool breaks_unique(const ChangeSet& change) const;
  bool settles(const ChangeSet& change) const;
  bool versions_match(const ChangeSet& change) const;
  bool intents_match(const ChangeSet& change) const;
  bool is_head(const Scope& scope, const Intent& intent) const;
  std::vector<Intent> ready_of(const Scope& scope, const std::string& entity_id) const;
  std::vector<std::int64_t> write_intents(const ChangeSet& change);
  void write(const ChangeSet& change);

  std::int64_t last_seq_ = 0;
  std::int64_t last_intent_seq_ = 0;
  std::map<std::int64_t, Row> rows_;
  std::map<Scope, std::int64_t> epochs_;
  std::map<Scope, std::int64_t> watermarks_;
  std::map<Key<CustomerId>, Customer> customers_;
  std::map<Key<MappingId>, Mapping> mappings_;
  std::map<Key<StripeId>, StripeObject> objects_;
  std::map<Key<std::int64_t>, Intent> intents_;
  std::map<Key<PlanId>, Plan> plans_;
  std::map<Key<AddonId>, Addon> addons_;
  std::map<Key<StripeId>, Price> prices_;
  std::map<Key<SubscriptionId>, Subscription> subscriptions_;
};

}  // namespace flexsync::test
