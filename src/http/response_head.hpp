// An answer's status line and headers, as bytes. Written by hand: Beast's serializer works on its own message type,
// which would be built for nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace flexsync::http {

enum class Persistence : std::uint8_t {
  as_usual,    // HTTP/1.1 keeps the connection: nothing to say
  keep_alive,  // HTTP/1.0 is told
  close,
};

// Replaces what `head` holds and keeps its memory.
void write_head(std::string& head, const Response& response, std::string_view request_id, std::string_view date,
                Persistence persistence);

}  // namespace flexsync::http
