#include "app/command_line.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "app/database.hpp"
#include "app/serve.hpp"

namespace flexsync::app {

namespace {

constexpr int kUsage = 2;

std::optional<Config> read_config(const std::string& file) {
  auto config = load_config(file.empty() ? std::nullopt : std::optional<std::filesystem::path>(file),
                            process_environment());
  if (!config) {
    std::cerr << "flexsync: " << config.error().message << '\n';
    return std::nullopt;
  }
  return std::move(*config);
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App cli{"Keeps FlexPrice and Stripe in step."};
  cli.require_subcommand(1);
  std::string config_file;
  auto* serve_command = cli.add_subcommand("serve", "run the server");
  serve_command->add_option("--config", config_file, "TOML file; every setting has a default");
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return cli.exit(e) == 0 ? 0 : kUsage;
  }
  const auto config = read_config(config_file);
  if (!config) {
    return kUsage;
  }
  return serve(*config);
}

}  // namespace flexsync::app
