#include "app/command_line.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "app/commands.hpp"

namespace flexsync::app {

namespace {

// CLI11 explains over several lines; ours is one.
int report_usage(const CLI::App& cli, const CLI::ParseError& error) {
  const auto* command = &cli;
  std::string path = cli.get_name();
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    path += " " + command->get_name();
  }
  // CLI11 misses the subcommand before it notices that the word there is none.
  const auto unknown = command->remaining(true);
  const bool misspelt = command->get_subcommands({}).size() > 0 && !unknown.empty();
  std::string what = printable(misspelt ? "there is no command \"" + unknown.front() + "\"" : error.what());
  what.erase(what.find_last_not_of(" .\n") + 1);
  std::cerr << "flexsync: " << what << "; `" << path << " --help` shows what there is\n";
  return kUsage;
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App cli{"Keeps FlexPrice and Stripe in step.", "flexsync"};
  cli.require_subcommand(1);
  cli.footer(
      "Exit codes: 0 done, 1 failed or a difference found, 2 wrong usage or configuration, 3 Stripe could not be "
      "asked (usage audit, reconcile).");
  Invocation given;
  add_server_commands(cli, given);
  add_db_commands(cli, given);
  add_tenant_commands(cli, given);
  add_connection_commands(cli, given);
  add_inbox_commands(cli, given);
  add_backfill_command(cli, given);
  add_reconcile_command(cli, given);
  add_usage_commands(cli, given);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return cli.exit(help);
  } catch (const CLI::ParseError& error) {
    return report_usage(cli, error);
  }
  const auto file = given.config_file.empty() ? std::nullopt : std::optional<std::filesystem::path>(given.config_file);
  const auto config = load_config(file, process_environment());
  if (!config) {
    report(config.error());
    return kUsage;
  }
  return given.action(*config);
}

}  // namespace flexsync::app
