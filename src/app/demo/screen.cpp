#include "app/demo/screen.hpp"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>

namespace flexsync::app::demo {

namespace {

constexpr std::size_t kWidth = 110;
constexpr const char* kIndent = "   ";
constexpr std::size_t kNameWidth = 12;
constexpr std::size_t kTypeWidth = 18;
constexpr const char* kBold = "1";
constexpr const char* kDim = "2";
constexpr const char* kRed = "1;31";
constexpr const char* kGreen = "1;32";
constexpr const char* kMagenta = "35";
constexpr const char* kCyan = "36";

std::string padded(const std::string& text, std::size_t width) {
  const auto shown = display_width(text);
  return text + std::string(shown < width ? width - shown : 0, ' ');
}

// Words over lines, each but the first behind `indent`.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::istringstream words(text);
  const std::string margin(indent, ' ');
  std::string out;
  std::size_t column = indent;
  for (std::string word; words >> word;) {
    const auto width = display_width(word);
    if (column > indent && column + 1 + width > kWidth) {
      out += "\n" + margin;
      column = indent;
    }
    out += (column == indent ? "" : " ") + word;
    column += width + (column == indent ? 0 : 1);
  }
  return out;
}

}  // namespace

Screen::Screen() {
  const char* none = std::getenv("NO_COLOR");
  colours_ = isatty(STDOUT_FILENO) != 0 && (none == nullptr || *none == '\0');
}

std::string Screen::paint(const char* code, const std::string& text) const {
  return colours_ ? std::string("\x1B[") + code + "m" + text + "\x1B[0m" : text;
}

void Screen::begin(Block block) {
  if (last_ != block) {
    std::cout << '\n';
  }
  last_ = block;
}

void Screen::title(const std::string& text) {
  begin(Block::title);
  std::cout << paint(kBold, text) << '\n' << std::flush;
}

void Screen::scene(const std::string& title) {
  begin(Block::title);
  std::cout << '\n' << paint(kBold, std::to_string(++scenes_) + ". " + title) << '\n' << std::flush;
}

void Screen::say(const std::string& text) {
  begin(Block::narrator);
  std::cout << kIndent << paint(kDim, wrapped(text, std::strlen(kIndent))) << '\n' << std::flush;
}

void Screen::actor(const char* code, const std::string& who, const std::string& text) {
  begin(Block::actors);
  const auto indent = std::strlen(kIndent) + kNameWidth;
  std::cout << kIndent << paint(code, padded(who, kNameWidth)) << wrapped(printable(text), indent) << '\n'
            << std::flush;
}

void Screen::stripe(const std::string& text) {
  actor(kMagenta, "Stripe", text);
}

void Screen::event(const std::string& type, const std::string& id, const std::string& text) {
  begin(Block::actors);
  std::cout << kIndent << paint(kMagenta, padded("Stripe", kNameWidth)) << padded(type, kTypeWidth)
            << (type.size() < kTypeWidth ? "" : "  ") << id << "  " << printable(text) << '\n'
            << std::flush;
}

void Screen::flexsync(const std::string& text) {
  actor(kCyan, "Flexsync", text);
}

void Screen::fact(const std::string& name, const std::string& value) {
  actor(kDim, name, value);
}

void Screen::table(const Table& table) {
  last_ = Block::table;
  const auto text = table.render(kIndent);
  const auto header_end = text.find('\n');
  std::cout << '\n' << paint(kDim, text.substr(0, header_end)) << text.substr(header_end) << std::flush;
}

void Screen::text(const std::string& lines) {
  last_ = Block::table;
  std::istringstream all(lines);
  std::cout << '\n';
  for (std::string line; std::getline(all, line);) {
    std::cout << (line.empty() ? "" : kIndent) << line << '\n';
  }
  std::cout << std::flush;
}

void Screen::command(const std::string& what, const std::string& text) {
  last_ = Block::table;
  std::cout << '\n' << kIndent << what << "\n\n" << kIndent << kIndent << text << '\n' << std::flush;
}

void Screen::good(const std::string& text) {
  begin(Block::verdict);
  std::cout << kIndent << paint(kGreen, text) << '\n' << std::flush;
}

void Screen::bad(const std::string& text) {
  begin(Block::verdict);
  std::cout << kIndent << paint(kRed, printable(text)) << '\n' << std::flush;
}

}  // namespace flexsync::app::demo
