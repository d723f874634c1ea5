// What acts on events: events replay; dead-letters redrive, discard.
//
// Events that are named are acted upon. For all that match a filter the count comes first: nothing is done until the
// caller has said that it is meant, --expect N for a script that was shown N, --yes for whatever there is.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "actors/services.hpp"
#include "app/commands_inbox.hpp"

namespace flexsync::app {

namespace {

struct ActOptions {
  Scope scope;
  std::vector<std::string> ids;
  DeadLetterFilter letters;
  WebhookEventFilter events;
  bool yes = false;
  std::optional<std::int64_t> expected;
};

struct Deed {
  std::string name;   // the command
  std::string done;   // "redriven"
  std::string one;    // "dead letter"
  std::string many;   // "dead letters"
  std::string after;  // what follows
  std::function<Result<BulkResult>(StoreSession&, const ActOptions&, const BulkConsent&)> act;
};

std::string counted(std::int64_t count, const Deed& deed) {
  return std::to_string(count) + " " + (count == 1 ? deed.one : deed.many);
}

// The consent to act on all that match, or the count, and how to give it.
Result<BulkConsent> consent_to_all(StoreSession& session, const ActOptions& options, const Deed& deed) {
  BulkConsent consent;
  consent.expected_count = options.expected;
  if (options.expected) {
    return consent;
  }
  const auto found = deed.act(session, options, {.dry_run = true, .expected_count = {}});
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (!options.yes) {
    const auto count = std::to_string(found->count);
    return fail(ErrorCode::validation_error, counted(found->count, deed) + (found->count == 1 ? " matches" : " match") +
                                                 " and nothing was changed: repeat with --expect " + count +
                                                 " (or --yes) to " + deed.name + " all that match");
  }
  consent.expected_count = found->count;
  return consent;
}

std::string missing(const std::vector<std::string>& asked, const std::vector<std::string>& done) {
  std::string ids;
  for (const auto& id : asked) {
    if (std::find(done.begin(), done.end(), id) == done.end()) {
      ids.append(ids.empty() ? "" : ", ").append(id);
    }
  }
  return ids;
}

Result<void> act(StoreSession& session, const Invocation& given, const ActOptions& options, const Deed& deed) {
  BulkConsent consent{.dry_run = false, .expected_count = options.expected};
  if (options.ids.empty()) {
    const auto all = consent_to_all(session, options, deed);
    if (!all) {
      return tl::unexpected(all.error());
    }
    consent = *all;
  }
  const auto done = deed.act(session, options, consent);
  if (!done) {
    return tl::unexpected(done.error());
  }
  const auto skipped = missing(options.ids, done->event_ids);
  if (!options.ids.empty() && done->count == 0) {
    return fail(ErrorCode::not_found, "there is no " + deed.one + " " + skipped + " in this environment");
  }
  if (!options.ids.empty() && !skipped.empty()) {
    std::cerr << "flexsync: no " << deed.one << ", and left alone: " << printable(skipped) << '\n';
  }
  show(given, counted(done->count, deed) + " " + deed.done + (done->count > 0 ? deed.after : ""),
       {{"count", done->count}});
  return {};
}

std::string taken_up() {
  const auto sweep = std::chrono::duration_cast<std::chrono::seconds>(actors::ActorConfig{}.node_sweep_interval);
  return "; a running server takes them up within " + std::to_string(sweep.count()) + " s";
}

void add_deed(CLI::App& command, Invocation& given, const std::shared_ptr<ActOptions>& options, Deed deed) {
  add_scope_options(command, options->scope);
  command.add_option("ID", options->ids, "evt_…, one or several; without any, all that match the filter");
  command.add_flag("--yes", options->yes, "all that match, however many");
  command.add_option("--expect", options->expected, "all that match, if they are so many")
      ->check(CLI::NonNegativeNumber);
  on_command(command, given, StoreNeeds::reading, [&given, options, deed = std::move(deed)](StoreSession& session) {
    return act(session, given, *options, deed);
  });
}

void add_time(CLI::App& command, const std::string& name, std::optional<Timestamp>& time, const std::string& help) {
  command.add_option_function<std::string>(
      name,
      [&time, name](const std::string& text) {
        time = parse_rfc3339(text);
        if (!time) {
          throw CLI::ValidationError(name, text + " is no RFC 3339 time such as 2026-01-31T00:00:00Z");
        }
      },
      help);
}

template <class Act>
Deed letters(std::string name, std::string done, std::string after, Act act) {
  return {std::move(name),
          std::move(done),
          "dead letter",
          "dead letters",
          std::move(after),
          [act](StoreSession& session, const ActOptions& options, const BulkConsent& consent) {
            auto filter = options.letters;
            filter.event_ids = options.ids;
            return (session.dead_letters.*act)(options.scope, filter, consent, session.by);
          }};
}

}  // namespace

void add_event_filter(CLI::App& command, WebhookEventFilter& filter) {
  command.add_option("--state", filter.state, "pending, applied, unchanged, superseded, dead, …");
  command.add_option("--type", filter.types, "customer.updated, …; several with commas")->delimiter(',');
  command.add_option("--object", filter.object_id, "cus_…");
  add_time(command, "--received-from", filter.list.start_time, "received then or later, as 2026-01-31T00:00:00Z");
  add_time(command, "--received-to", filter.list.end_time, "received before");
  add_time(command, "--created-from", filter.created_from, "made by Stripe then or later");
  add_time(command, "--created-to", filter.created_to, "made by Stripe before");
}

void add_letter_filter(CLI::App& command, DeadLetterFilter& filter) {
  command.add_option("--type", filter.types, "only these types, customer.updated, …; several with commas")
      ->delimiter(',');
  command.add_option("--object", filter.object_id, "only those of this object, cus_…");
  command.add_option("--error", filter.error_codes, "only with these error codes, conflict, …")->delimiter(',');
  add_time(command, "--from", filter.list.start_time, "died then or later, as 2026-01-31T00:00:00Z");
  add_time(command, "--to", filter.list.end_time, "died before");
}

void add_replay_command(CLI::App& group, Invocation& given) {
  const auto options = std::make_shared<ActOptions>();
  auto& replay = add_command(group, given, "replay", "have settled events taken again: some, or all that match");
  add_event_filter(replay, options->events);
  add_deed(replay, given, options,
           {"replay", "to be taken again", "settled event", "settled events", taken_up(),
            [](StoreSession& session, const ActOptions& given_options, const BulkConsent& consent) {
              return session.dead_letters.replay(given_options.scope, {given_options.events, given_options.ids},
                                                 consent, session.by);
            }});
}

void add_letter_commands(CLI::App& group, Invocation& given) {
  const auto add = [&](const char* help, Deed deed) {
    const auto options = std::make_shared<ActOptions>();
    auto& command = add_command(group, given, deed.name, help);
    add_letter_filter(command, options->letters);
    add_deed(command, given, options, std::move(deed));
  };
  using store::StoreDeadLetterCommands;
  add("try them again: some, or all that match",
      letters("redrive", "redriven", taken_up(), &StoreDeadLetterCommands::redrive));
  add("give them up: some, or all that match", letters("discard", "discarded", "", &StoreDeadLetterCommands::discard));
}

}  // namespace flexsync::app
