// UTF-8: PostgreSQL refuses text that is none, so a client hears of it here and as its own mistake.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace flexsync::http {

// Neither overlong forms nor halves of surrogate pairs pass.
bool is_utf8(std::string_view text);

// The characters of UTF-8 text.
std::size_t length_of(std::string_view text);

void append_utf8(std::string& text, std::uint32_t code);

}  // namespace flexsync::http
