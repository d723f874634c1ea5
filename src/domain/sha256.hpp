// The SHA-256 that names things by their content: keys' hashes, batches' identifiers.
#pragma once

#include <string>
#include <string_view>

namespace flexsync {

// Lower-case hex.
std::string sha256_hex(std::string_view text);

}  // namespace flexsync
