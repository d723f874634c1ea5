// Reads JSON once from front to back, without building anything of it.
//
// The problem: a call brings 1,000 usage events. A tree of JSON values allocates a node per value, most of which are
// copied into an event at once and thrown away; and it turns numbers into floating point, while a quantity must keep
// the digits it was sent with. So whoever knows what should come asks for it, piece by piece, and takes text and the
// digits of numbers as they stand there. Depth is the caller's own, except for what is skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace flexsync::http {

class JsonScanner {
 public:
  enum class Kind : std::uint8_t { object, array, string, number, boolean, null, broken };

  JsonScanner(std::string_view text, int depth_max) : text_(text), depth_max_(depth_max) {}

  // The kind of the value that comes next; broken: none does.
  Kind next();

  // The members of an object: false at its end, or when the text is broken.
  //   for (scanner.open('{'); scanner.next_member(name);) { … read one value … }
  // The elements of an array likewise, with next_element().
  void open(char bracket);
  bool next_member(std::string& name);
  bool next_element();

  // Each reads the value of which next() has said the kind.
  void read_string(std::string& into);  // unescaped, checked UTF-8
  std::string_view read_number();       // its text, as it stands there
  bool read_boolean();
  void skip();  // any value, null included

  // Nothing but white space is left.
  bool at_end();

  bool broken() const { return broken_; }
  std::size_t place() const { return at_; }  // of the first fault, or how far it has come

 private:
  void skip_space();
  void fail();
  bool take(char wanted);
  void take_word(std::string_view word);
  bool take_separator(char end);
  void read_escape(std::string& into);
  bool read_hex(std::uint32_t& code);
  std::size_t digits();

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_max_;
  int depth_ = 0;
  bool first_ = false;  // the bracket has just been opened
  bool broken_ = false;
  std::string unused_;
};

}  // namespace flexsync::http
