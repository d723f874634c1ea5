// The groups of commands, one file each. A group adds its subcommands; the one that is given leaves its action behind.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/config.hpp"
#include "app/store_session.hpp"
#include "app/table.hpp"
#include "domain/error.hpp"
#include "domain/ports.hpp"

namespace CLI {
class App;
}

namespace flexsync::app {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNotAsked = 3;  // Stripe could not be asked, so nothing is known to differ

// What was given on the command line.
struct Invocation {
  std::string config_file;
  bool json = false;
  std::function<int(const Config&)> action;
};

void add_server_commands(CLI::App& cli, Invocation& given);      // serve, demo, version
void add_db_commands(CLI::App& cli, Invocation& given);          // db migrate
void add_tenant_commands(CLI::App& cli, Invocation& given);      // tenant create, apikey create | list | revoke
void add_connection_commands(CLI::App& cli, Invocation& given);  // connection set | list | test
void add_inbox_commands(CLI::App& cli, Invocation& given);       // events list | …, dead-letters list | …
void add_backfill_command(CLI::App& cli, Invocation& given);     // backfill
void add_reconcile_command(CLI::App& cli, Invocation& given);    // reconcile
void add_usage_commands(CLI::App& cli, Invocation& given);       // usage status | audit

// --- what the groups share ------------------------------------------------------------------------------------

// A group needs a subcommand; a command has --config and, where it shows something, --json.
CLI::App& add_group(CLI::App& cli, const std::string& name, const std::string& help);
CLI::App& add_command(CLI::App& parent, Invocation& given, const std::string& name, const std::string& help);
void add_scope_options(CLI::App& command, Scope& scope);
void add_page_options(CLI::App& command, ListOptions& list);

// Runs `work` over the database of the configuration when `command` is given.
void on_command(CLI::App& command, Invocation& given, StoreNeeds needs,
                std::function<Result<void>(StoreSession&)> work);

// The same, now, for a command that has exit codes of its own.
int with_store(const Config& config, StoreNeeds needs, const std::function<int(StoreSession&)>& work);

// One line on standard error; the exit code: 2 for what the caller can put right in the call, else 1.
int report(const Error& error);

// To standard output: the table for people, the value for programs.
void show(const Invocation& given, const Table& table, const nlohmann::json& value);
void show(const Invocation& given, const std::string& sentence, const nlohmann::json& value);

// A list in the API's shape. On a table that is one page of many a line on standard error says how to see more.
struct Shown {
  std::int64_t total = 0;
  std::size_t rows = 0;
  ListOptions list;
  bool more = false;  // than `total`
};
void show_page(const Invocation& given, const Table& table, nlohmann::json items, const Shown& shown);

}  // namespace flexsync::app
