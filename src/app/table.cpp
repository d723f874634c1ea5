#include "app/table.hpp"

#include <algorithm>

namespace flexsync::app {

namespace {

constexpr std::string_view kGap = "  ";
constexpr std::string_view kEllipsis = "…";

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// The first `width` characters.
std::string_view head(std::string_view text, std::size_t width) {
  std::size_t end = 0;
  while (end < text.size() && (width > 0 || continues(text[end]))) {
    width -= continues(text[end]) ? 0 : 1;
    ++end;
  }
  return text.substr(0, end);
}

std::string fit(std::string_view text, std::size_t width_max) {
  auto cell = printable(text);
  if (width_max == 0 || display_width(cell) <= width_max) {
    return cell;
  }
  return std::string(head(cell, width_max - 1)).append(kEllipsis);
}

}  // namespace

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string printable(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are controls, too: 0xC2 and a byte below 0xA0.
    if (c == 0xC2U && i + 1 < text.size() && continues(text[i + 1]) &&
        static_cast<unsigned char>(text[i + 1]) < 0xA0U) {
      clean += ' ';
      ++i;
    } else {
      clean += c < 0x20U || c == 0x7FU ? ' ' : text[i];
    }
  }
  return clean;
}

void Table::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i] = fit(cells[i], columns_[i].width_max);
  }
  rows_.push_back(std::move(cells));
}

std::string Table::render(std::string_view indent) const {
  std::vector<std::size_t> widths;
  std::vector<std::string> titles;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].title);
    for (const auto& row : rows_) {
      width = std::max(width, display_width(row[i]));
    }
    widths.push_back(width);
    titles.push_back(columns_[i].title);
  }
  std::string out;
  const auto put = [&](const std::vector<std::string>& cells) {
    std::string line(indent);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string padding(widths[i] - display_width(cells[i]), ' ');
      line.append(i == 0 ? std::string_view{} : kGap);
      line.append(columns_[i].right ? padding + cells[i] : cells[i] + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out.append(line).append("\n");
  };
  put(titles);
  for (const auto& row : rows_) {
    put(row);
  }
  return out;
}

}  // namespace flexsync::app
