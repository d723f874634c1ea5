#include "telemetry/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace flexsync::log {

namespace {

// spdlog writes the time; the rest of the line is built here, so that no value can break out of it.
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ",%v})";
constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %v";

constexpr std::array<std::pair<std::string_view, spdlog::level::level_enum>, 4> kLevels = {{
    {"debug", spdlog::level::debug},
    {"info", spdlog::level::info},
    {"warn", spdlog::level::warn},
    {"error", spdlog::level::err},
}};

constexpr std::size_t index_of(Level level) {
  return static_cast<std::size_t>(level);
}

struct Output {
  Format format;
  spdlog::logger logger;

  Output(Level level, Format f)
      // Standard error: standard output belongs to what a command prints.
      : format(f), logger("flexsync", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger.set_level(kLevels[index_of(level)].second);
    const auto* pattern = f == Format::json ? kJsonPattern : kTextPattern;
    logger.set_pattern(pattern, spdlog::pattern_time_type::utc);
  }
};

std::mutex output_mutex;
std::shared_ptr<Output> output_instance;

std::shared_ptr<Output> output() {
  const std::lock_guard lock(output_mutex);
  if (!output_instance) {
    output_instance = std::make_shared<Output>(Level::info, Format::text);
  }
  return output_instance;
}

std::string& request_id() {
  thread_local std::string id;
  return id;
}

// Broken UTF-8 is replaced: a log line must never be the reason why something fails.
std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_value(const Field& field) {
  if (const auto* text = std::get_if<std::string>(&field.value)) {
    return json_string(*text);
  }
  return std::visit([](const auto& value) { return nlohmann::json(value).dump(); }, field.value);
}

bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > ' ' && c != '"' && c != '\\' && c != '=' && c != 0x7F;
  });
}

// For people: quotes only where a value would be ambiguous without.
std::string text_value(const Field& field) {
  const auto quotes = json_value(field);
  const auto* text = std::get_if<std::string>(&field.value);
  return text != nullptr && is_plain(*text) ? quotes.substr(1, quotes.size() - 2) : quotes;
}

bool has_request_id(std::initializer_list<Field> fields) {
  return std::any_of(fields.begin(), fields.end(), [](const Field& field) { return field.key == "request_id"; });
}

std::string json_line(Level level, std::string_view message, std::initializer_list<Field> fields) {
  std::string line = "\"level\":\"";
  line.append(kLevels[index_of(level)].first).append("\",\"message\":").append(json_string(message));
  if (!request_id().empty() && !has_request_id(fields)) {
    line.append(",\"request_id\":").append(json_string(request_id()));
  }
  for (const auto& field : fields) {
    line.append(",").append(json_string(field.key)).append(":").append(json_value(field));
  }
  return line;
}

std::string text_line(Level level, std::string_view message, std::initializer_list<Field> fields) {
  constexpr std::size_t level_width = 5;
  constexpr std::size_t message_width = 32;
  std::string line(kLevels[index_of(level)].first);
  line.resize(level_width, ' ');
  const auto escaped = json_string(message);
  line.append(" ").append(escaped, 1, escaped.size() - 2);
  if (fields.size() > 0 || !request_id().empty()) {
    line.resize(std::max(line.size(), level_width + 1 + message_width), ' ');
  }
  for (const auto& field : fields) {
    line.append(" ").append(field.key).append("=").append(text_value(field));
  }
  if (!request_id().empty() && !has_request_id(fields)) {
    line.append(" request_id=").append(text_value({"request_id", request_id()}));
  }
  return line;
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  const auto out = output();
  const auto severity = kLevels[index_of(level)].second;
  if (!out->logger.should_log(severity)) {
    return;
  }
  const auto line = out->format == Format::json ? json_line(level, message, fields) : text_line(level, message, fields);
  out->logger.log(severity, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

void configure(Level level, Format format) {
  auto fresh = std::make_shared<Output>(level, format);
  const std::lock_guard lock(output_mutex);
  output_instance = std::move(fresh);
}

Level parse_level(const std::string& text) {
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    if (text == kLevels[i].first) {
      return static_cast<Level>(i);
    }
  }
  throw std::invalid_argument("no such log level: \"" + text + "\"; it is debug, info, warn or error");
}

Format parse_format(const std::string& text) {
  if (text == "json") {
    return Format::json;
  }
  if (text == "text") {
    return Format::text;
  }
  throw std::invalid_argument("no such log format: \"" + text + "\"; it is json or text");
}

void debug(std::string_view message, std::initializer_list<Field> fields) {
  write(Level::debug, message, fields);
}

void info(std::string_view message, std::initializer_list<Field> fields) {
  write(Level::info, message, fields);
}

void warn(std::string_view message, std::initializer_list<Field> fields) {
  write(Level::warn, message, fields);
}

void error(std::string_view message, std::initializer_list<Field> fields) {
  write(Level::error, message, fields);
}

RequestScope::RequestScope(std::string id) : previous_(std::exchange(request_id(), std::move(id))) {}

RequestScope::~RequestScope() {
  request_id() = std::move(previous_);
}

}  // namespace flexsync::log
