#include "rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

namespace flexsync::tidy {

namespace {

constexpr std::size_t kColumnsMax = 120;
constexpr std::size_t kFunctionLinesMax = 70;

using Lines = std::vector<std::string>;

Lines split(const std::string& text) {
  Lines lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::string at(const SourceFile& file, std::size_t line) {
  return file.path + ":" + std::to_string(line) + ": ";
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// "src/http/router.cpp" -> "http"; empty outside src/.
std::string folder_of(const std::string& path) {
  constexpr std::string_view root = "src/";
  const auto end = path.find('/', root.size());
  return path.starts_with(root) && end != std::string::npos ? path.substr(root.size(), end - root.size()) : "";
}

// --- length ---------------------------------------------------------------------------------------------------

std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void check_columns(const SourceFile& file, const Lines& lines, Findings& findings) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (const auto width = columns(lines[i]); width > kColumnsMax) {
      findings.push_back(at(file, i + 1) + "the line has " + std::to_string(width) + " columns: break it before " +
                         std::to_string(kColumnsMax));
    }
  }
}

bool opens_function(std::string_view header) {
  const auto call = header.find('(');
  if (call == std::string_view::npos || header.substr(0, call).find('=') != std::string_view::npos) {
    return false;
  }
  for (const std::string_view word : {"namespace ", "class ", "struct ", "union ", "enum "}) {
    const auto found = header.find(word);
    if (found < call && (found == 0 || !is_word(header[found - 1])) && header.find("> ") == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

// A brace right behind a word ("member_{1}") or behind an operator ("= {") starts a value, not a block.
bool initializes(const std::string& code, std::size_t brace) {
  if (brace > 0 && (is_word(code[brace - 1]) || code[brace - 1] == '>')) {
    return true;
  }
  const auto before = code.find_last_not_of(" \n", brace == 0 ? 0 : brace - 1);
  return before != std::string::npos && std::string_view("=,(").find(code[before]) != std::string_view::npos;
}

// Follows the braces. What opens a function is what stands between the brace and the last ';' or brace before it; a
// value's braces end no header.
class FunctionFinder {
 public:
  FunctionFinder(const SourceFile& file, Findings& findings) : file_(file), findings_(findings) {}

  void read(const std::string& code) {
    for (std::size_t i = 0; i < code.size(); ++i) {
      const char c = code[i];
      if (c == '\n') {
        ++line_;
      }
      if (c == '{') {
        open(initializes(code, i));
      } else if (c == '}') {
        close();
      } else if (c == ';') {
        header_.clear();
      } else {
        header_ += c == '\n' ? ' ' : c;
      }
    }
  }

 private:
  struct Block {
    bool initializer = false;
    bool function = false;
    std::size_t line = 0;
  };

  void open(bool initializer) {
    const bool inside = std::any_of(blocks_.begin(), blocks_.end(), [](const Block& block) { return block.function; });
    blocks_.push_back({initializer, !initializer && !inside && opens_function(header_), line_});
    if (!initializer) {
      header_.clear();
    }
  }

  void close() {
    if (blocks_.empty()) {
      return;
    }
    const Block block = blocks_.back();
    blocks_.pop_back();
    if (!block.initializer) {
      header_.clear();
    }
    const std::size_t length = line_ - block.line + 1;
    if (block.function && length > kFunctionLinesMax) {
      findings_.push_back(at(file_, block.line) + "the function has " + std::to_string(length) +
                          " lines: split it into named steps of at most " + std::to_string(kFunctionLinesMax));
    }
  }

  const SourceFile& file_;
  Findings& findings_;
  std::vector<Block> blocks_;
  std::string header_;
  std::size_t line_ = 1;
};

// --- includes -------------------------------------------------------------------------------------------------

const std::map<std::string, std::set<std::string>>& allowed_folders() {
  static const std::map<std::string, std::set<std::string>> allowed = {
      {"telemetry", {}},
      {"domain", {"telemetry"}},
      {"stripe", {"telemetry", "domain"}},
      {"store", {"telemetry", "domain"}},
      {"sync", {"telemetry", "domain", "stripe"}},
      {"actors", {"telemetry", "domain", "stripe", "store", "sync"}},
      {"http", {"telemetry", "domain"}},
      {"app", {"telemetry", "domain", "stripe", "store", "sync", "actors", "http"}},
  };
  return allowed;
}

struct Library {
  std::string_view header;                // how its includes begin
  std::vector<std::string_view> may_use;  // paths that may
  std::string_view instead;
};

const std::vector<Library>& libraries() {
  static const std::vector<Library> all = {
      {"<caf/", {"src/actors/", "src/http/", "src/app/"}, "put it behind an actor's interface in src/actors"},
      {"<boost/beast", {"src/http/"}, "put it behind src/http's Beast-free headers"},
      {"<boost/asio", {"src/http/"}, "put it behind src/http's Asio-free headers"},
      {"<pqxx/", {"src/store/"}, "ask a port of src/domain, which src/store implements"},
      {"<libpq", {"src/store/"}, "ask a port of src/domain, which src/store implements"},
      {"<curl/", {"src/stripe/transport", "src/stripe/curl_", "src/app/"}, "call through stripe/transport.hpp"},
  };
  return all;
}

void check_folder(const SourceFile& file, std::size_t line, const std::string& target, Findings& findings) {
  const std::string folder = folder_of(file.path);
  const std::string wanted = target.substr(0, target.find('/'));
  const bool is_folder = allowed_folders().count(wanted) != 0;
  if (file.path.starts_with("tools/stripe_sim/") && is_folder && target.find('/') != std::string::npos) {
    findings.push_back(at(file, line) + "the simulator must not include " + target +
                       ": sharing the server's code would share its mistakes");
  }
  const auto allowed = allowed_folders().find(folder);
  if (allowed == allowed_folders().end() || !is_folder || wanted == folder || allowed->second.count(wanted) != 0) {
    return;
  }
  std::string may;
  for (const auto& name : allowed->second) {
    may += (may.empty() ? "" : ", ") + name;
  }
  findings.push_back(at(file, line) + "src/" + folder + " must not include " + target + ": it may use " +
                     (may.empty() ? "no other folder" : may) + "; declare a port in src/domain and wire it in src/app");
}

void check_includes(const SourceFile& file, const Lines& lines, Findings& findings) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (!line.starts_with("#include ")) {
      continue;
    }
    const std::string target = line.substr(9);
    if (target.starts_with("\"")) {
      check_folder(file, i + 1, target.substr(1, target.find('"', 1) - 1), findings);
    }
    for (const auto& library : libraries()) {
      const bool mine = std::any_of(library.may_use.begin(), library.may_use.end(),
                                    [&](std::string_view path) { return file.path.starts_with(path); });
      if (target.starts_with(library.header) && file.path.starts_with("src/") && !mine) {
        findings.push_back(at(file, i + 1) + target + " is not for this folder: " + std::string(library.instead));
      }
    }
  }
}

// --- words ----------------------------------------------------------------------------------------------------

struct Banned {
  std::string_view word;
  std::vector<std::string_view> where;   // path beginnings
  std::vector<std::string_view> except;  // likewise
  std::string_view instead;
  bool in_comments = false;
};

const std::vector<Banned>& banned() {
  static const std::vector<Banned> all = {
      {".await(", {"src/", "tests/"}, {}, "use .then( and an own queue: await blocks exit messages, too", false},
      {"caf::infinite", {"src/", "tests/"}, {}, "give the request a finite timeout", false},
      {"sleep_for",
       {"src/", "tests/", "tools/"},
       {},
       "wait for what you wait for: a condition, poll or a timer",
       false},
      {"system_clock::now", {"src/"}, {"src/domain/clock.cpp"}, "take a Clock (domain/clock.hpp) or a time", false},
      {"double",
       {"src/domain/", "src/sync/"},
       {},
       "quantities and money are exact: use a decimal or an integer",
       false},
      {"TO"
       "DO",
       {"src/", "tests/", "tools/"},
       {},
       "do it, or file an issue and name its number",
       true},
      {"FIX"
       "ME",
       {"src/", "tests/", "tools/"},
       {},
       "repair it, or file an issue and name its number",
       true},
  };
  return all;
}

bool has_word(const std::string& line, std::string_view word) {
  for (auto found = line.find(word); found != std::string::npos; found = line.find(word, found + 1)) {
    const bool starts = found == 0 || !is_word(word.front()) || !is_word(line[found - 1]);
    const auto end = found + word.size();
    if (starts && (end >= line.size() || !is_word(word.back()) || !is_word(line[end]))) {
      return true;
    }
  }
  return false;
}

void check_words(const SourceFile& file, const Lines& lines, const Lines& code, Findings& findings) {
  const auto begins_with_one = [&](const std::vector<std::string_view>& paths) {
    return std::any_of(paths.begin(), paths.end(), [&](std::string_view path) { return file.path.starts_with(path); });
  };
  for (const auto& rule : banned()) {
    if (!begins_with_one(rule.where) || begins_with_one(rule.except)) {
      continue;
    }
    const Lines& searched = rule.in_comments ? lines : code;
    for (std::size_t i = 0; i < searched.size(); ++i) {
      if (has_word(searched[i], rule.word)) {
        findings.push_back(at(file, i + 1) + std::string(rule.word) +
                           " is not used here: " + std::string(rule.instead));
      }
    }
  }
}

void check_sql(const SourceFile& file, const Lines& lines, Findings& findings) {
  if (!file.path.starts_with("src/") || file.path.starts_with("src/store/")) {
    return;
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (const std::string_view start : {"\"SELECT ", "\"INSERT INTO ", "\"DELETE FROM ", "\"CREATE TABLE "}) {
      if (lines[i].find(start) != std::string::npos) {
        findings.push_back(at(file, i + 1) + "SQL belongs in src/store, as a named statement");
      }
    }
  }
}

// --- reading C++ ----------------------------------------------------------------------------------------------

// Copies code, blanks the rest; newlines stay.
class Blanker {
 public:
  explicit Blanker(const std::string& text) : text_(text) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (starts("//")) {
        blank_until("\n", false);
      } else if (starts("/*")) {
        blank_until("*/", true);
      } else if (starts("R\"") && (at_ == 0 || !is_word(text_[at_ - 1]))) {
        const auto open = text_.find('(', at_);
        blank_until(")" + text_.substr(at_ + 2, open - at_ - 2) + "\"", true);
      } else if (text_[at_] == '"' || (text_[at_] == '\'' && (at_ == 0 || !is_word(text_[at_ - 1])))) {
        blank_quoted(text_[at_]);
      } else {
        out_ += text_[at_++];
      }
    }
    return out_;
  }

 private:
  bool starts(std::string_view mark) const { return text_.compare(at_, mark.size(), mark) == 0; }

  void blank() { out_ += text_[at_++] == '\n' ? '\n' : ' '; }

  void blank_until(const std::string& mark, bool with_mark) {
    const auto found = text_.find(mark, at_ + 1);
    const auto end = found == std::string::npos ? text_.size() : found + (with_mark ? mark.size() : 0);
    while (at_ < end) {
      blank();
    }
  }

  void blank_quoted(char quote) {
    blank();
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        blank();
      }
      blank();
    }
    if (at_ < text_.size()) {
      blank();
    }
  }

  const std::string& text_;
  std::string out_;
  std::size_t at_ = 0;
};

}  // namespace

std::string without_comments_and_strings(const std::string& text) {
  return Blanker(text).run();
}

Findings check(const SourceFile& file) {
  Findings findings;
  const Lines lines = split(file.text);
  check_columns(file, lines, findings);
  if (file.path.ends_with(".sql")) {
    return findings;
  }
  const std::string code = without_comments_and_strings(file.text);
  FunctionFinder(file, findings).read(code);
  check_includes(file, lines, findings);
  check_words(file, lines, split(code), findings);
  check_sql(file, lines, findings);
  return findings;
}

}  // namespace flexsync::tidy
