// backfill.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "actors/services.hpp"
#include "app/commands.hpp"
#include "app/since.hpp"
#include "store/catch_up_cursors.hpp"

namespace flexsync::app {

namespace {

struct BackfillOptions {
  Scope scope;
  std::string since;
};

Result<void> backfill(StoreSession& session, const Invocation& given, const BackfillOptions& options) {
  if (session.config.catch_up.interval_seconds == 0) {
    return fail(ErrorCode::validation_error,
                "catch_up.interval_seconds is 0: with this configuration no server reads Stripe's list of events");
  }
  const auto now = session.clock.now();
  const auto since = parse_since(options.since, now);
  if (!since) {
    return tl::unexpected(since.error());
  }
  store::StoreCatchUpCursors cursors(session.pool);
  const auto cursor = cursors.set_back(options.scope, *since, now, session.by);
  if (!cursor) {
    return tl::unexpected(cursor.error());
  }
  const auto sweep = std::chrono::duration_cast<std::chrono::seconds>(actors::ActorConfig{}.node_sweep_interval);
  const auto why = *cursor < *since ? ", where it had come to" : "";
  show(given,
       "Stripe's events since " + to_rfc3339(*cursor) + why + " are read; a running server begins within " +
           std::to_string(sweep.count()) + " s, and stores those that it has not",
       {{"since", to_rfc3339(*since)}, {"events_read_from", to_rfc3339(*cursor)}});
  return {};
}

}  // namespace

void add_backfill_command(CLI::App& cli, Invocation& given) {
  const auto options = std::make_shared<BackfillOptions>();
  auto& command = add_command(cli, given, "backfill", "read Stripe's events again, for what no webhook has brought");
  add_scope_options(command, options->scope);
  command.add_option("--since", options->since, "2026-11-18T06:00:00Z, or how long ago: 3d, 36h; 30 days at most")
      ->required();
  on_command(command, given, StoreNeeds::reading,
             [&given, options](StoreSession& session) { return backfill(session, given, *options); });
}

}  // namespace flexsync::app
