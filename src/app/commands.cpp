#include "app/commands.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "telemetry/log.hpp"

namespace flexsync::app {

namespace {

constexpr int kLimitMax = 1000;

// Rows and payloads may hold bytes that are no UTF-8; a command does not fail over them.
std::string dump(const nlohmann::json& value) {
  return value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

CLI::App& add_group(CLI::App& cli, const std::string& name, const std::string& help) {
  auto& group = *cli.add_subcommand(name, help);
  group.require_subcommand(1);
  return group;
}

CLI::App& add_command(CLI::App& parent, Invocation& given, const std::string& name, const std::string& help) {
  auto& command = *parent.add_subcommand(name, help);
  command.add_option("--config", given.config_file, "TOML file; every setting has a default");
  command.add_flag("--json", given.json, "print JSON instead of a table");
  return command;
}

void add_scope_options(CLI::App& command, Scope& scope) {
  const auto text_into = [](auto& id) {
    return [&id](const std::string& text) { id = std::decay_t<decltype(id)>(text); };
  };
  command.add_option_function<std::string>("--tenant", text_into(scope.tenant), "the tenant's id")->required();
  command.add_option_function<std::string>("--environment", text_into(scope.environment), "the environment's id")
      ->required();
}

void add_page_options(CLI::App& command, ListOptions& list) {
  command.add_option("--limit", list.limit, "rows to show")->check(CLI::Range(1, kLimitMax))->capture_default_str();
  command.add_option("--offset", list.offset, "rows to skip")->check(CLI::NonNegativeNumber)->capture_default_str();
}

void on_command(CLI::App& command, Invocation& given, StoreNeeds needs,
                std::function<Result<void>(StoreSession&)> work) {
  command.callback([&given, needs, work = std::move(work)] {
    given.action = [needs, work](const Config& config) {
      return with_store(config, needs, [&](StoreSession& session) {
        const auto done = work(session);
        return done ? kDone : report(done.error());
      });
    };
  });
}

int with_store(const Config& config, StoreNeeds needs, const std::function<int(StoreSession&)>& work) {
  log::configure(log::Level::warn, log::parse_format(config.log.format));
  auto session = StoreSession::open(config, needs);
  return session ? work(**session) : report(session.error());
}

int report(const Error& error) {
  std::string line = error.message;
  // A message may quote what PostgreSQL said, over several lines.
  while (!line.empty() && line.back() == '\n') {
    line.pop_back();
  }
  std::cerr << "flexsync: " << printable(line) << '\n';
  return error.code == ErrorCode::validation_error ? kUsage : kFailed;
}

void show(const Invocation& given, const Table& table, const nlohmann::json& value) {
  std::cout << (given.json ? dump(value) + "\n" : table.render()) << std::flush;
}

void show(const Invocation& given, const std::string& sentence, const nlohmann::json& value) {
  std::cout << (given.json ? dump(value) : sentence) << std::endl;
}

void show_page(const Invocation& given, const Table& table, nlohmann::json items, const Shown& shown) {
  nlohmann::json pagination{{"total", shown.total}, {"limit", shown.list.limit}, {"offset", shown.list.offset}};
  if (shown.more) {
    pagination["total_is_minimum"] = true;
  }
  show(given, table, {{"items", std::move(items)}, {"pagination", std::move(pagination)}});
  const auto end = shown.list.offset + static_cast<std::int64_t>(shown.rows);
  if (!given.json && shown.rows > 0 && (end < shown.total || shown.more)) {
    std::cerr << "flexsync: " << end << " of " << (shown.more ? "more than " : "") << shown.total
              << " shown; more with --offset " << end << '\n';
  }
}

}  // namespace flexsync::app
