// db migrate.
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/database.hpp"
#include "telemetry/log.hpp"

namespace flexsync::app {

void add_db_commands(CLI::App& cli, Invocation& given) {
  auto& db = add_group(cli, "db", "the database");
  auto& migrate = add_command(db, given, "migrate", "bring the schema to this program's version");
  migrate.callback([&given] {
    given.action = [&given](const Config& config) {
      log::configure(log::Level::warn, log::parse_format(config.log.format));
      const auto done =
          migrate_database(config, [](const std::string& sentence) { std::cerr << "flexsync: " << sentence << '\n'; });
      if (!done) {
        return report(done.error());
      }
      show(given, *done, {{"message", *done}});
      return kDone;
    };
  });
}

}  // namespace flexsync::app
