// Rows as aligned text for people. Programs get JSON.
//
// What a cell shows may come from a stranger (a customer's name in Stripe), so control characters never reach the
// terminal; a column is as wide as its widest cell, counted in characters, not bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace flexsync::app {

struct Column {
  std::string title;
  bool right = false;         // numbers
  std::size_t width_max = 0;  // longer cells end in "…"; 0: as they are
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Missing cells are empty, more than there are columns are left out.
  void add(std::vector<std::string> cells);

  bool empty() const { return rows_.empty(); }

  // Header and rows, a line each, every line behind `indent` and without trailing blanks.
  std::string render(std::string_view indent = {}) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Characters as a terminal shows them, near enough: one per code point.
std::size_t display_width(std::string_view text);

// Control characters become blanks, so that text stays on its line and commands no terminal.
std::string printable(std::string_view text);

}  // namespace flexsync::app
