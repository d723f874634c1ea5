// What the actors work with, in memory: the store behind its three interfaces, and Stripe behind its transport.
//
// A call is answered at once, or held: then it takes two steps, one in which it takes effect (a commit, a read, an
// answer made by Stripe) and one in which the reply goes out, so that a test can let anything happen in between.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "domain/clock.hpp"
#include "store/change_writer.hpp"
#include "stripe/transport.hpp"
#include "support/store_model.hpp"
#include "support/stripe_model.hpp"

namespace flexsync::test {

class HeldCalls {
 public:
  using Reply = std::function<void()>;
  using Work = std::function<Reply()>;  // takes effect, returns what sends the reply

  bool hold_all = false;
  std::set<std::string> hold;  // "change", "load", "page", "due", "claims", "own", "work", "outbox", "stripe"

  void call(const std::string& kind, Work work);
  std::size_t waiting(const std::string& kind) const;
  std::size_t waiting() const { return pending_.size(); }

  bool take_effect(const std::string& kind);  // the first of this kind that has not yet
  bool finish(const std::string& kind);       // the first of this kind: both steps
  void finish_first();                        // whatever it is: both steps
  void finish_all();                          // until nothing waits; what comes up meanwhile included
  bool step(std::mt19937_64& random);         // any one of them, one step

 private:
  struct Pending {
    std::string kind;
    Work work;
    Reply reply;  // set once it has taken effect
  };

  void advance(std::size_t index);

  std::deque<Pending> pending_;
};

// What a fake is told to do with its next calls, before it does what it should.
template <class Fault>
class Script {
 public:
  void next(Fault fault, int times = 1) { faults_.insert(faults_.end(), static_cast<std::size_t>(times), fault); }
  std::optional<Fault> take() {
    if (faults_.empty()) {
      return std::nullopt;
    }
    const auto fault = faults_.front();
    faults_.pop_front();
    return fault;
  }
  void clear() { faults_.clear(); }

 private:
  std::deque<Fault> faults_;
};

class FakeChangeSink final : public store::ChangeSink {
 public:
  struct Fault {
    ChangeResult answer = ChangeResult::unavailable;
    bool applied = false;       // the commit happened, only the answer says otherwise
    bool throws_after = false;  // submitted, then the caller fails
  };

  FakeChangeSink(StoreModel& store, HeldCalls& held) : store_(store), held_(held) {}

  void submit(ChangeSet change, std::function<void(ChangeReply)> reply) override;

  Script<Fault> script;
  std::vector<ChangeSet> submitted;

 private:
  StoreModel& store_;
  HeldCalls& held_;
};

enum class ReadFault { unavailable, throws };

class FakeSnapshots final : public store::SnapshotSource {
 public:
  FakeSnapshots(StoreModel& store, HeldCalls& held) : store_(store), held_(held) {}

  void load(store::SnapshotRequest request, std::function<void(Result<EntitySnapshot>)> reply) override;

  Script<ReadFault> script;
  int loads = 0;

 private:
  StoreModel& store_;
  HeldCalls& held_;
};

class FakeInbox final : public store::InboxSource {
 public:
  FakeInbox(StoreModel& store, HeldCalls& held) : store_(store), held_(held) {}

  void take_ownership(const Scope& scope, std::function<void(Result<store::Ownership>)> reply) override;
  void read_page(const Scope& scope, store::PageRequest request,
                 std::function<void(Result<std::vector<store::InboxRow>>)> reply) override;
  void read_due(const Scope& scope, Timestamp now, int rows_max,
                std::function<void(Result<std::vector<store::InboxRow>>)> reply) override;
  void find_entities(const Scope& scope, store::EntitiesWanted wanted,
                     std::function<void(Result<store::FoundEntities>)> reply) override;
  void save_watermark(const Scope& scope, std::int64_t seq) override;

  std::map<Scope, Script<ReadFault>> pages;  // by tenant, so that one can fail alone
  Script<ReadFault> claims;
  Script<ReadFault> ownership;
  std::vector<store::PageRequest> page_requests;
  int claims_asked = 0;
  int watermark_violations = 0;  // saved although a row at or below it was unsettled

 private:
  StoreModel& store_;
  HeldCalls& held_;
};

class FakeOutbox final : public store::OutboxSource {
 public:
  FakeOutbox(StoreModel& store, HeldCalls& held) : store_(store), held_(held) {}

  void read_ready(const Scope& scope, Timestamp now, int rows_max, std::vector<std::string> busy,
                  std::function<void(Result<store::OutboxPage>)> reply) override;

  std::map<Scope, Script<ReadFault>> pages;             // by tenant, so that one can fail alone
  std::vector<std::vector<std::string>> busy_entities;  // of each call

 private:
  StoreModel& store_;
  HeldCalls& held_;
};

// Answers for GET /v1/customers/{id} from `states`, for any other object from `objects`; without one, 404 as Stripe
// says it.
class FakeTransport final : public stripe::Transport {
 public:
  explicit FakeTransport(HeldCalls& held) : held_(held) {}

  void send(stripe::HttpRequest request, std::function<void(stripe::HttpResult)> reply) override;

  std::map<std::string, stripe::CustomerState> states;
  std::map<std::string, std::string> objects;  // by what their path ends with, as JSON
  Script<int> script;                          // an HTTP status instead of the answer; 0: a timeout
  std::vector<stripe::HttpRequest> requests;

 private:
  stripe::HttpResult answer(const stripe::HttpRequest& request, std::optional<int> fault) const;

  HeldCalls& held_;
};

}  // namespace flexsync::test
