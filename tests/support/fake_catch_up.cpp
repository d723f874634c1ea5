#include "support/fake_catch_up.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace flexsync::test {

void FakeCursors::begin(const Scope& /*scope*/, store::WalkWhen when, Timestamp now, Timestamp due,
                        std::function<void(Result<std::optional<store::CatchUpCursor>>)> reply) {
  held_.call("begin", [this, when, now, due, reply = std::move(reply)] {
    begun.push_back(when);
    Result<std::optional<store::CatchUpCursor>> result = std::nullopt;
    if (const auto fault = begin_faults.take()) {
      result = fail(*fault, "the script says so");
    } else if (cursor && (when == store::WalkWhen::now || due_at <= now)) {
      due_at = due;
      result = cursor;
    }
    return [reply, result] { reply(result); };
  });
}

void FakeCursors::move(const Scope& /*scope*/, const store::CatchUpCursor& from, Timestamp to, Timestamp due,
                       std::function<void(Result<bool>)> reply) {
  held_.call("move", [this, from, to, due, reply = std::move(reply)] {
    Result<bool> result = cursor && cursor->connection == from.connection && cursor->revision == from.revision;
    if (const auto fault = move_faults.take()) {
      result = fail(*fault, "the script says so");
    } else if (*result) {
      cursor->at = to;
      due_at = due;
      reached.push_back(to);
    }
    return [reply, result] { reply(result); };
  });
}

void FakeCursors::set_back(Timestamp since) {
  cursor->at = since;
  ++cursor->revision;
  due_at = Timestamp{};
}

void FakeIntake::store(IncomingEvent event, std::function<void(Result<IntakeResult>)> reply) {
  held_.call("intake", [this, event = std::move(event), reply = std::move(reply)] {
    ++asked;
    Result<IntakeResult> result = IntakeResult::duplicate;
    if (const auto fault = faults.take()) {
      result = fail(*fault, "the script says so");
    } else if (inbox.emplace(event.id.str(), event).second) {
      result = IntakeResult::stored;
    }
    return [reply, result] { reply(result); };
  });
}

namespace {

// The query as Call has it, nothing in it encoded that matters here.
std::multimap<std::string, std::string> query_of(const std::string& path) {
  std::multimap<std::string, std::string> query;
  for (auto at = path.find('?'); at != std::string::npos; at = path.find('&', at + 1)) {
    const auto equals = path.find('=', at);
    const auto end = path.find('&', equals);
    query.emplace(path.substr(at + 1, equals - at - 1), path.substr(equals + 1, end - equals - 1));
  }
  return query;
}

std::string json_of(const EventList::Event& event) {
  return R"({"id":")" + event.id + R"(","object":"event","api_version":"2020-08-27","type":")" + event.type +
         R"(","created":)" + std::to_string(to_unix_seconds(event.created)) + R"(,"livemode":)" +
         (event.livemode ? "true" : "false") + R"(,"data":{"object":{"id":"cus_)" + event.id +
         R"(","object":"customer"}}})";
}

}  // namespace

stripe::CallOutcome EventList::answer(const stripe::Call& call, Timestamp now) const {
  std::set<std::string> types;
  std::int64_t from = 0;
  std::int64_t before = to_unix_seconds(now) + 1;
  std::string after;
  for (const auto& [key, value] : query_of(call.path)) {
    if (key.starts_with("types[")) {
      types.insert(value);
    } else if (key == "created[gte]") {
      from = std::stoll(value);
    } else if (key == "created[lt]") {
      before = std::stoll(value);
    } else if (key == "starting_after") {
      after = value;
    }
  }
  auto found = events;
  std::erase_if(found, [&](const auto& event) {
    const auto created = to_unix_seconds(event.created);
    return created < from || created >= before || !types.contains(event.type) || event.created > now;
  });
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return std::tie(a.created, a.id) > std::tie(b.created, b.id); });
  if (!after.empty()) {
    const auto last = std::find_if(found.begin(), found.end(), [&](const auto& event) { return event.id == after; });
    if (last == found.end()) {
      return stripe::Refused{"resource_missing", "No such event: " + after, "starting_after"};
    }
    found.erase(found.begin(), last + 1);
  }
  const bool has_more = found.size() > page_size;
  found.resize(std::min(found.size(), page_size));
  std::string data;
  for (const auto& event : found) {
    data += (data.empty() ? "" : ",") + json_of(event);
  }
  return stripe::Answered{
      R"({"object":"list","has_more":)" + std::string(has_more ? "true" : "false") + R"(,"data":[)" + data + "]}",
      {now - std::chrono::seconds(1), now}};
}

}  // namespace flexsync::test
