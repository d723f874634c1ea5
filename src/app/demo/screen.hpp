// How the story looks: numbered scenes, who did what, tables. Colours only on a terminal, and not with NO_COLOR.
#pragma once

#include <cstdint>
#include <string>

#include "app/table.hpp"

namespace flexsync::app::demo {

class Screen {
 public:
  Screen();

  void title(const std::string& text);
  void scene(const std::string& title);
  void say(const std::string& text);                                                       // the narrator
  void stripe(const std::string& text);                                                    // what Stripe did
  void event(const std::string& type, const std::string& id, const std::string& meaning);  // likewise
  void flexsync(const std::string& text);                                                  // what Flexsync answered
  void fact(const std::string& name, const std::string& value);
  void table(const Table& table);
  void text(const std::string& lines);                             // what a command printed
  void command(const std::string& what, const std::string& text);  // one to copy
  void good(const std::string& text);
  void bad(const std::string& text);

 private:
  // A blank line separates one kind from the next.
  enum class Block : std::uint8_t { none, title, narrator, actors, table, verdict };

  void begin(Block block);
  std::string paint(const char* code, const std::string& text) const;
  void actor(const char* code, const std::string& who, const std::string& text);

  bool colours_ = false;
  int scenes_ = 0;
  Block last_ = Block::none;
};

}  // namespace flexsync::app::demo
