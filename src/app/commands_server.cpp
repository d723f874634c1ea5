// serve, demo, version.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/demo/demo.hpp"
#include "app/serve.hpp"
#include "store/migrations.hpp"

namespace flexsync::app {

void add_server_commands(CLI::App& cli, Invocation& given) {
  auto& serve_command = *cli.add_subcommand("serve", "run the server until SIGTERM or Ctrl-C");
  serve_command.add_option("--config", given.config_file, "TOML file; every setting has a default");
  serve_command.callback([&given] { given.action = serve; });

  auto& demo_command = *cli.add_subcommand("demo", "a private database, a simulated Stripe, and a story");
  const auto once = std::make_shared<bool>(false);
  demo_command.add_flag("--once", *once, "end after the story: 0 if both sides ended equal, else 1");
  demo_command.callback(
      [&given, once] { given.action = [once](const Config&) { return demo::run({.once = *once}); }; });

  auto& version_command = *cli.add_subcommand("version", "print the version and the database schema it needs");
  version_command.add_flag("--json", given.json, "print JSON");
  version_command.callback([&given] {
    given.action = [&given](const Config&) {
      const auto schema = store::embedded_migrations().back().version;
      show(given, std::string("flexsync ") + FLEXSYNC_VERSION + ", schema version " + std::to_string(schema),
           {{"version", FLEXSYNC_VERSION}, {"schema_version", schema}});
      return kDone;
    };
  });
}

}  // namespace flexsync::app
