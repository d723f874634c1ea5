// The rules of STYLE.md that a program can check. Each finding is one line: where, what, and what to do instead.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace flexsync::tidy {

struct SourceFile {
  std::string path;  // from the repository's root: "src/domain/clock.cpp"
  std::string text;
};

using Findings = std::vector<std::string>;

Findings check(const SourceFile& file);

// The text with comments, strings and characters blanked out, line for line.
std::string without_comments_and_strings(const std::string& text);

}  // namespace flexsync::tidy
