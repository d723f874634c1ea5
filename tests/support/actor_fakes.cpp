#include "support/actor_fakes.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace flexsync::test {

namespace {

tl::unexpected<Error> unavailable() {
  return fail(ErrorCode::service_unavailable, "told to be unavailable");
}

// A read: the fault it was told, or what `read` gives when it takes effect.
template <class Value, class Read>
void reading(HeldCalls& held, const std::string& kind, std::optional<ReadFault> fault, Read read,
             std::function<void(Result<Value>)> reply) {
  if (fault == ReadFault::throws) {
    throw std::runtime_error("told to throw");
  }
  held.call(kind, [fault, read = std::move(read), reply = std::move(reply)]() -> HeldCalls::Reply {
    const auto value = std::make_shared<Result<Value>>(fault ? Result<Value>(unavailable()) : Result<Value>(read()));
    return [reply, value] { reply(std::move(*value)); };
  });
}

}  // namespace

// --- HeldCalls ----------------------------------------------------------------------------------------------------

void HeldCalls::call(const std::string& kind, Work work) {
  if (hold_all || hold.contains(kind)) {
    pending_.push_back({kind, std::move(work), {}});
  } else {
    work()();
  }
}

std::size_t HeldCalls::waiting(const std::string& kind) const {
  return static_cast<std::size_t>(
      std::count_if(pending_.begin(), pending_.end(), [&](const auto& p) { return p.kind == kind; }));
}

void HeldCalls::advance(std::size_t index) {
  auto& pending = pending_.at(index);
  if (!pending.reply) {
    pending.reply = pending.work();
    return;
  }
  const auto reply = std::move(pending.reply);
  pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(index));
  reply();
}

bool HeldCalls::take_effect(const std::string& kind) {
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (pending_[i].kind == kind && !pending_[i].reply) {
      advance(i);
      return true;
    }
  }
  return false;
}

bool HeldCalls::finish(const std::string& kind) {
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (pending_[i].kind == kind) {
      if (!pending_[i].reply) {
        advance(i);
      }
      advance(i);
      return true;
    }
  }
  return false;
}

void HeldCalls::finish_first() {
  if (!pending_.at(0).reply) {
    advance(0);
  }
  advance(0);
}

void HeldCalls::finish_all() {
  while (!pending_.empty()) {
    advance(0);
  }
}

bool HeldCalls::step(std::mt19937_64& random) {
  if (pending_.empty()) {
    return false;
  }
  advance(std::uniform_int_distribution<std::size_t>(0, pending_.size() - 1)(random));
  return true;
}

// --- the store ----------------------------------------------------------------------------------------------------

void FakeChangeSink::submit(ChangeSet change, std::function<void(ChangeReply)> reply) {
  submitted.push_back(change);
  const auto fault = script.take();
  const bool is_lie = fault && !fault->throws_after;
  held_.call("change", [this, fault, is_lie, change = std::move(change), reply = std::move(reply)] {
    auto answer = !is_lie || fault->applied ? store_.apply(change) : ChangeReply{};
    if (is_lie) {
      answer = {fault->answer, "told to answer so"};
    }
    return [reply, answer] { reply(answer); };
  });
  if (fault && fault->throws_after) {
    throw std::runtime_error("told to throw");
  }
}

void FakeSnapshots::load(store::SnapshotRequest request, std::function<void(Result<EntitySnapshot>)> reply) {
  ++loads;
  reading<EntitySnapshot>(
      held_, "load", script.take(), [this, request = std::move(request)] { return store_.load(request); },
      std::move(reply));
}

void FakeInbox::take_ownership(const Scope& scope, std::function<void(Result<store::Ownership>)> reply) {
  reading<store::Ownership>(
      held_, "own", ownership.take(), [this, scope] { return store_.take_ownership(scope); }, std::move(reply));
}

void FakeInbox::read_page(const Scope& scope, store::PageRequest request,
                          std::function<void(Result<std::vector<store::InboxRow>>)> reply) {
  page_requests.push_back(request);
  reading<std::vector<store::InboxRow>>(
      held_, "page", pages[scope].take(),
      [this, scope, request = std::move(request)] { return store_.page(scope, request); }, std::move(reply));
}

void FakeInbox::read_due(const Scope& scope, Timestamp now, int rows_max,
                         std::function<void(Result<std::vector<store::InboxRow>>)> reply) {
  reading<std::vector<store::InboxRow>>(
      held_, "due", std::nullopt, [this, scope, now, rows_max] { return store_.due(scope, now, rows_max); },
      std::move(reply));
}

void FakeInbox::find_entities(const Scope& scope, store::EntitiesWanted wanted,
                              std::function<void(Result<store::FoundEntities>)> reply) {
  claims_asked += wanted.claims.empty() ? 0 : 1;
  reading<store::FoundEntities>(
      held_, "claims", claims.take(),
      [this, scope, wanted = std::move(wanted)] {
        store::FoundEntities found{
            store_.find_entities(scope, wanted.objects), {}, {}, store_.find_unmapped(scope, wanted.emails)};
        for (const auto& price : wanted.prices) {
          if (const auto* shadow = store_.object(scope, price); shadow != nullptr && !shadow->state.empty()) {
            found.products.emplace(price, stripe::price_from_canonical(shadow->state).product);
          }
        }
        for (const auto& [claim, customer] : store_.find_customers(scope, wanted.claims)) {
          found.claims.emplace(claim, customer.str());
        }
        return found;
      },
      std::move(reply));
}

void FakeInbox::save_watermark(const Scope& scope, std::int64_t seq) {
  for (const auto& [row_seq, row] : store_.rows()) {
    if (row_seq <= seq && row.scope == scope && !row.settlement) {
      ++watermark_violations;
    }
  }
  store_.save_watermark(scope, seq);
}

void FakeOutbox::read_ready(const Scope& scope, Timestamp now, int rows_max, std::vector<std::string> busy,
                            std::function<void(Result<store::OutboxPage>)> reply) {
  busy_entities.push_back(busy);
  reading<store::OutboxPage>(
      held_, "outbox", pages[scope].take(),
      [this, scope, now, rows_max, busy = std::move(busy)] { return store_.ready_intents(scope, now, rows_max, busy); },
      std::move(reply));
}

// --- Stripe -------------------------------------------------------------------------------------------------------

void FakeTransport::send(stripe::HttpRequest request, std::function<void(stripe::HttpResult)> reply) {
  requests.push_back(request);
  held_.call("stripe", [this, fault = script.take(), request = std::move(request), reply = std::move(reply)] {
    return [reply, result = answer(request, fault)] { reply(result); };
  });
}

stripe::HttpResult FakeTransport::answer(const stripe::HttpRequest& request, std::optional<int> fault) const {
  if (fault == 0) {
    return tl::unexpected(stripe::TransportError{stripe::TransportError::Kind::timeout, "told to time out"});
  }
  stripe::HttpResponse response;
  if (fault) {
    response.status = *fault;
    response.body = R"({"error":{"type":"api_error"}})";
    return response;
  }
  const auto path = request.path.substr(0, request.path.find('?'));
  const auto name = path.substr(path.rfind('/') + 1);
  const auto state = states.find(name);
  const auto object = objects.find(name);
  if (state == states.end() && object == objects.end()) {
    response.status = 404;
    response.body = R"({"error":{"code":"resource_missing"}})";
    return response;
  }
  response.status = 200;
  response.body = state != states.end() ? to_object_json(state->second) : object->second;
  return response;
}

}  // namespace flexsync::test
