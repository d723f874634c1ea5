// reconcile.
#include <CLI/CLI.hpp>
#include <future>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/reconcile_walker.hpp"
#include "app/settings.hpp"
#include "store/inbox_writer.hpp"
#include "store/precedence.hpp"

namespace flexsync::app {

namespace {

using Json = nlohmann::json;

struct ReconcileOptions {
  Scope scope;
  bool repair = false;
};

// Puts repairs where webhooks go: a running server sees to them.
class Inbox {
 public:
  explicit Inbox(StoreSession& session)
      : writer_(inbox_writer_config(session.config, session.database.server_url), session.metrics, precedence_,
                [](const Scope&) {}) {}

  Result<void> store(const IncomingEvent& event) {
    std::promise<Result<IntakeResult>> promise;
    auto answer = promise.get_future();
    writer_.store(event, [&](const Result<IntakeResult>& stored) { promise.set_value(stored); });
    const auto stored = answer.get();
    return stored ? Result<void>() : tl::unexpected(stored.error());
  }

 private:
  store::Precedence precedence_;
  store::InboxWriter writer_;
};

void show_report(const Invocation& given, const ReconcileReport& report, bool repaired) {
  Json rows = Json::array();
  Table table({{"object"}, {"id"}, {"finding"}});
  for (const auto& difference : report.differences) {
    table.add({difference.object.type, difference.object.id.str(), sync::to_string(difference.finding)});
    rows.push_back({{"object", difference.object.type},
                    {"id", difference.object.id.str()},
                    {"finding", sync::to_string(difference.finding)}});
  }
  Json findings(report.findings);
  const Json json{{"compared", report.compared}, {"findings", findings}, {"differences", rows}, {"repair", repaired}};
  auto sentence = std::to_string(report.compared) + " objects compared";
  for (const auto& [finding, count] : report.findings) {
    sentence += ", " + std::to_string(count) + " " + finding;
  }
  if (report.differences.empty()) {
    sentence += report.findings.empty() ? ": all is as Stripe has it" : ": nothing is to be repaired";
  } else if (repaired) {
    sentence +=
        "\nthe repairs are in the inbox (flexsync events list --type flexsync.reconcile); a running server sees "
        "to them";
  } else {
    sentence += "\nflexsync reconcile --repair puts them right";
  }
  show(given, (table.empty() ? std::string() : table.render()) + sentence, json);
}

int reconcile(StoreSession& session, const Invocation& given, const ReconcileOptions& options) {
  std::optional<Inbox> inbox;
  Repair repair;
  if (options.repair) {
    inbox.emplace(session);
    repair = [&](const std::vector<sync::Difference>& differences, Timestamp walk_began) -> Result<void> {
      for (const auto& difference : differences) {
        const auto event = sync::repair_of(difference, options.scope, walk_began, session.clock.now());
        if (auto stored = inbox->store(event); !stored) {
          return stored;
        }
      }
      return {};
    };
  }
  const auto report = reconcile_once(session, options.scope, repair);
  if (!report) {
    const auto& [error, not_asked] = report.error();
    const auto code = app::report(error);
    return not_asked ? kNotAsked : code;
  }
  show_report(given, *report, options.repair);
  return report->differences.empty() || options.repair ? kDone : kFailed;
}

}  // namespace

void add_reconcile_command(CLI::App& cli, Invocation& given) {
  const auto options = std::make_shared<ReconcileOptions>();
  auto& command =
      add_command(cli, given, "reconcile",
                  "compare all that is mirrored with Stripe; exit codes: 0 nothing differs, or with --repair "
                  "the repairs are in the inbox, 1 something differs, or it failed, 3 Stripe could not be "
                  "asked");
  add_scope_options(command, options->scope);
  command.add_flag("--repair", options->repair, "have a running server repair what differs");
  command.callback([&given, options] {
    given.action = [&given, options](const Config& config) {
      return with_store(config, StoreNeeds::secrets,
                        [&](StoreSession& session) { return reconcile(session, given, *options); });
    };
  });
}

}  // namespace flexsync::app
