// events list, show, replay; dead-letters list, redrive, discard.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/commands_inbox.hpp"

namespace flexsync::app {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kReasonWidthMax = 60;
constexpr std::size_t kAdviceWidthMax = 90;

struct EventOptions {
  Scope scope;
  WebhookEventFilter filter;
  std::string id;
};

struct LetterOptions {
  Scope scope;
  DeadLetterFilter filter;
};

// JSON text as JSON, other text as a string.
Json embedded(const std::string& text) {
  auto value = Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json(text) : value;
}

Json to_json(const WebhookEventView& view) {
  const auto& event = view.event;
  Json json{{"id", event.id.str()},
            {"type", event.type},
            {"object_type", event.object_type},
            {"object_id", event.object_id},
            {"state", view.state},
            {"reason", view.reason},
            {"request_id", event.request_id},
            {"created", to_rfc3339(event.created)},
            {"received_at", to_rfc3339(event.received)}};
  if (view.settled_at) {
    json["settled_at"] = to_rfc3339(*view.settled_at);
  }
  return json;
}

Json to_json(const WaitingEvent& waiting) {
  Json json{{"attempts", waiting.attempts},
            {"error_code", waiting.error_code},
            {"error_message", waiting.error_message},
            {"since", to_rfc3339(waiting.since)}};
  json["next_attempt_at"] = waiting.next_attempt_at ? Json(to_rfc3339(*waiting.next_attempt_at)) : Json();
  json["blocked_by"] =
      waiting.object_id.empty() ? Json() : Json{{"object_type", waiting.object_type}, {"object_id", waiting.object_id}};
  return json;
}

Json to_json(const EventChange& change) {
  auto fields = Json::array();
  for (const auto& field : change.fields) {
    fields.push_back({{"field", field.field},
                      {"before", field.before ? embedded(*field.before) : Json()},
                      {"after", field.after ? embedded(*field.after) : Json()}});
  }
  return {{"entity_type", change.entity_type},
          {"entity_id", change.entity_id},
          {"action", change.action},
          {"fields", std::move(fields)},
          {"at", to_rfc3339(change.at)}};
}

Json with_details(const WebhookEventView& view) {
  auto json = to_json(view);
  json["payload"] = embedded(view.event.payload);
  json["waiting"] = view.waiting ? to_json(*view.waiting) : Json();
  json["attempts"] = Json::array();
  for (const auto& attempt : view.attempts) {
    json["attempts"].push_back({{"attempt", attempt.attempt},
                                {"error_code", attempt.error_code},
                                {"error_message", attempt.error_message},
                                {"at", to_rfc3339(attempt.at)}});
  }
  json["changes"] = Json::array();
  for (const auto& change : view.changes) {
    json["changes"].push_back(to_json(change));
  }
  json["actions"] = Json::array();
  for (const auto& deed : view.deeds) {
    json["actions"].push_back({{"action", deed.action}, {"actor", deed.actor}, {"at", to_rfc3339(deed.at)}});
  }
  return json;
}

Result<void> list_events(StoreSession& session, const Invocation& given, const EventOptions& options) {
  const auto page = session.queries.webhook_events(options.scope, options.filter);
  if (!page) {
    return tl::unexpected(page.error());
  }
  Table table({{"received"}, {"event"}, {"type"}, {"object"}, {"state"}, {"reason", false, kReasonWidthMax}});
  auto items = Json::array();
  for (const auto& view : page->items) {
    table.add({to_rfc3339(view.event.received), view.event.id.str(), view.event.type, view.event.object_id, view.state,
               view.reason});
    items.push_back(to_json(view));
  }
  show_page(given, table, std::move(items), {page->total, page->items.size(), options.filter.list, page->more});
  return {};
}

void add_waiting(Table& table, const WaitingEvent& waiting) {
  table.add({"next attempt", waiting.next_attempt_at ? to_rfc3339(*waiting.next_attempt_at) : "when it is redriven"});
  if (!waiting.object_id.empty()) {
    table.add({"blocked by", waiting.object_type + " " + waiting.object_id});
  }
}

Result<void> show_event(StoreSession& session, const Invocation& given, const EventOptions& options) {
  const auto view = session.queries.webhook_event(options.scope, StripeEventId(options.id));
  if (!view) {
    return tl::unexpected(view.error());
  }
  const auto& event = view->event;
  Table table({{"event"}, {event.id.str()}});
  table.add({"type", event.type});
  table.add({"object", event.object_id});
  table.add({"state", view->state});
  table.add({"reason", view->reason});
  table.add({"created", to_rfc3339(event.created)});
  table.add({"received", to_rfc3339(event.received)});
  table.add({"settled", view->settled_at ? to_rfc3339(*view->settled_at) : "not yet"});
  table.add({"request", event.request_id});
  if (view->waiting) {
    add_waiting(table, *view->waiting);
  }
  for (const auto& attempt : view->attempts) {
    table.add({"attempt " + std::to_string(attempt.attempt),
               to_rfc3339(attempt.at) + " " + attempt.error_code + ": " + attempt.error_message});
  }
  for (const auto& change : view->changes) {
    table.add({change.action, change.entity_type + " " + change.entity_id});
    for (const auto& field : change.fields) {
      table.add({"  " + field.field, field.before.value_or("–") + " → " + field.after.value_or("–")});
    }
  }
  for (const auto& deed : view->deeds) {
    table.add({deed.action, to_rfc3339(deed.at) + " by " + deed.actor});
  }
  show(given, table, with_details(*view));
  return {};
}

Result<void> list_letters(StoreSession& session, const Invocation& given, const LetterOptions& options) {
  const auto page = session.queries.dead_letters(options.scope, options.filter);
  if (!page) {
    return tl::unexpected(page.error());
  }
  Table table({{"died"},
               {"event"},
               {"type"},
               {"object"},
               {"attempts", true},
               {"since"},
               {"error"},
               {"message", false, kReasonWidthMax},
               {"what to do", false, kAdviceWidthMax}});
  auto items = Json::array();
  for (const auto& letter : page->items) {
    const std::string advice(advice_for(letter.error_code));
    table.add({to_rfc3339(letter.died_at), letter.event_id.str(), letter.type, letter.object_id,
               std::to_string(letter.attempts), to_rfc3339(letter.failed_first), letter.error_code,
               letter.error_message, advice});
    items.push_back({{"event_id", letter.event_id.str()},
                     {"type", letter.type},
                     {"object_type", letter.object_type},
                     {"object_id", letter.object_id},
                     {"attempts", letter.attempts},
                     {"error_code", letter.error_code},
                     {"error_message", letter.error_message},
                     {"what_to_do", advice},
                     {"received_at", to_rfc3339(letter.received)},
                     {"failed_first_at", to_rfc3339(letter.failed_first)},
                     {"died_at", to_rfc3339(letter.died_at)}});
  }
  show_page(given, table, std::move(items), {page->total, page->items.size(), options.filter.list});
  return {};
}

void add_event_commands(CLI::App& cli, Invocation& given) {
  auto& group = add_group(cli, "events", "the webhooks that were received, and what became of them");
  const auto options = std::make_shared<EventOptions>();

  auto& list = add_command(group, given, "list", "show them, newest first");
  add_scope_options(list, options->scope);
  add_page_options(list, options->filter.list);
  add_event_filter(list, options->filter);
  on_command(list, given, StoreNeeds::reading,
             [&given, options](StoreSession& session) { return list_events(session, given, *options); });

  auto& one = add_command(group, given, "show", "show one: its attempts and what it changed; --json has the payload");
  add_scope_options(one, options->scope);
  one.add_option("ID", options->id, "evt_…")->required();
  on_command(one, given, StoreNeeds::reading,
             [&given, options](StoreSession& session) { return show_event(session, given, *options); });
  add_replay_command(group, given);
}

}  // namespace

void add_inbox_commands(CLI::App& cli, Invocation& given) {
  add_event_commands(cli, given);
  auto& group = add_group(cli, "dead-letters", "webhooks that failed for good");
  const auto options = std::make_shared<LetterOptions>();

  auto& list = add_command(group, given, "list", "show them, newest first");
  add_scope_options(list, options->scope);
  add_letter_filter(list, options->filter);
  add_page_options(list, options->filter.list);
  on_command(list, given, StoreNeeds::reading,
             [&given, options](StoreSession& session) { return list_letters(session, given, *options); });
  add_letter_commands(group, given);
}

}  // namespace flexsync::app
