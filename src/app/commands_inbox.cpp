// events list, show; dead-letters list, redrive, discard.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "actors/services.hpp"
#include "app/commands.hpp"

namespace flexsync::app {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kReasonWidthMax = 60;

struct EventOptions {
  Scope scope;
  WebhookEventFilter filter;
  std::string id;
};

struct LetterOptions {
  Scope scope;
  DeadLetterFilter filter;
  bool yes = false;
};

// What a person does to dead letters.
struct Deed {
  std::string name;   // the command
  std::string done;   // "redriven"
  std::string after;  // what follows
  Result<std::int64_t> (DeadLetterCommands::*act)(const Scope&, const DeadLetterFilter&, bool, const Principal&);
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

Json with_details(const WebhookEventView& view) {
  auto json = to_json(view);
  json["payload"] = embedded(view.event.payload);
  json["attempts"] = Json::array();
  for (const auto& attempt : view.attempts) {
    json["attempts"].push_back({{"attempt", attempt.attempt},
                                {"error_code", attempt.error_code},
                                {"error_message", attempt.error_message},
                                {"at", to_rfc3339(attempt.at)}});
  }
  json["changes"] = Json::array();
  for (const auto& change : view.changes) {
    json["changes"].push_back({{"entity_type", change.entity_type},
                               {"entity_id", change.entity_id},
                               {"action", change.action},
                               {"before", embedded(change.before)},
                               {"after", embedded(change.after)},
                               {"at", to_rfc3339(change.at)}});
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
  show_page(given, table, std::move(items), {page->total, page->items.size(), options.filter.list});
  return {};
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
  for (const auto& attempt : view->attempts) {
    table.add({"attempt " + std::to_string(attempt.attempt),
               to_rfc3339(attempt.at) + " " + attempt.error_code + ": " + attempt.error_message});
  }
  for (const auto& change : view->changes) {
    table.add({change.action + " " + change.entity_id, change.before + " → " + change.after});
  }
  show(given, table, with_details(*view));
  return {};
}

Result<void> list_letters(StoreSession& session, const Invocation& given, const LetterOptions& options) {
  const auto page = session.queries.dead_letters(options.scope, options.filter);
  if (!page) {
    return tl::unexpected(page.error());
  }
  Table table(
      {{"died"}, {"event"}, {"type"}, {"object"}, {"attempts", true}, {"error"}, {"message", false, kReasonWidthMax}});
  auto items = Json::array();
  for (const auto& letter : page->items) {
    table.add({to_rfc3339(letter.died_at), letter.event_id.str(), letter.type, letter.object_id,
               std::to_string(letter.attempts), letter.error_code, letter.error_message});
    items.push_back({{"event_id", letter.event_id.str()},
                     {"type", letter.type},
                     {"object_type", letter.object_type},
                     {"object_id", letter.object_id},
                     {"attempts", letter.attempts},
                     {"error_code", letter.error_code},
                     {"error_message", letter.error_message},
                     {"received_at", to_rfc3339(letter.received)},
                     {"died_at", to_rfc3339(letter.died_at)}});
  }
  show_page(given, table, std::move(items), {page->total, page->items.size(), options.filter.list});
  return {};
}

std::string letters(std::int64_t count) {
  return std::to_string(count) + (count == 1 ? " dead letter" : " dead letters");
}

// Counts first: many are only acted upon when the caller says that many were meant.
Result<void> act(StoreSession& session, const Invocation& given, const LetterOptions& options, const Deed& deed) {
  auto& commands = session.dead_letters;
  const auto count = (commands.*deed.act)(options.scope, options.filter, /*count_only=*/true, session.by);
  if (!count) {
    return tl::unexpected(count.error());
  }
  if (*count == 0 && !options.filter.event_id.empty()) {
    return fail(ErrorCode::not_found, "there is no dead letter " + options.filter.event_id + " in this environment");
  }
  if (*count > 1 && !options.yes) {
    return fail(ErrorCode::validation_error,
                letters(*count) + " match and nothing was changed: repeat with --yes to " + deed.name + " them all");
  }
  const auto done = (commands.*deed.act)(options.scope, options.filter, /*count_only=*/false, session.by);
  if (!done) {
    return tl::unexpected(done.error());
  }
  show(given, letters(*done) + " " + deed.done + (*done > 0 ? deed.after : ""), {{"count", *done}});
  return {};
}

void add_event_commands(CLI::App& cli, Invocation& given) {
  auto& group = add_group(cli, "events", "the webhooks that were received, and what became of them");
  const auto options = std::make_shared<EventOptions>();

  auto& list = add_command(group, given, "list", "show them, newest first");
  add_scope_options(list, options->scope);
  add_page_options(list, options->filter.list);
  list.add_option("--state", options->filter.state, "pending, applied, unchanged, superseded, dead, …");
  list.add_option("--type", options->filter.type, "customer.updated, …");
  list.add_option("--object", options->filter.object_id, "cus_…");
  on_command(list, given, StoreNeeds::reading,
             [&given, options](StoreSession& session) { return list_events(session, given, *options); });

  auto& one = add_command(group, given, "show", "show one: its attempts and what it changed; --json has the payload");
  add_scope_options(one, options->scope);
  one.add_option("ID", options->id, "evt_…")->required();
  on_command(one, given, StoreNeeds::reading,
             [&given, options](StoreSession& session) { return show_event(session, given, *options); });
}

void add_filter_options(CLI::App& command, LetterOptions& options) {
  add_scope_options(command, options.scope);
  command.add_option("--type", options.filter.type, "only this type, customer.updated, …");
  command.add_option("--object", options.filter.object_id, "only those of this object, cus_…");
}

}  // namespace

void add_inbox_commands(CLI::App& cli, Invocation& given) {
  add_event_commands(cli, given);
  auto& group = add_group(cli, "dead-letters", "webhooks that failed for good");
  const auto options = std::make_shared<LetterOptions>();

  auto& list = add_command(group, given, "list", "show them, newest first");
  add_filter_options(list, *options);
  add_page_options(list, options->filter.list);
  on_command(list, given, StoreNeeds::reading,
             [&given, options](StoreSession& session) { return list_letters(session, given, *options); });

  const auto sweep = std::chrono::duration_cast<std::chrono::seconds>(actors::ActorConfig{}.node_sweep_interval);
  const std::vector<Deed> deeds = {
      {"redrive", "redriven", "; a running server takes them up within " + std::to_string(sweep.count()) + " s",
       &DeadLetterCommands::redrive},
      {"discard", "discarded", "", &DeadLetterCommands::discard}};
  for (const auto& deed : deeds) {
    auto& command = add_command(group, given, deed.name,
                                deed.name == "redrive" ? "try them again: one, or all that match" : "give them up");
    add_filter_options(command, *options);
    command.add_option("ID", options->filter.event_id, "evt_…; without it all that match");
    command.add_flag("--yes", options->yes, "act even when several match");
    on_command(command, given, StoreNeeds::reading,
               [&given, options, deed](StoreSession& session) { return act(session, given, *options, deed); });
  }
}

}  // namespace flexsync::app
