// API keys: how they are made, and the hash they are stored and looked up by.
#pragma once

#include <string>
#include <string_view>

#include "domain/secret.hpp"
#include "domain/sha256.hpp"

namespace flexsync::store {

// sha256_hex of the key: it has 256 random bits, so no salt and no slow hash are needed.
std::string key_hash(const Secret& api_key);

// `prefix` and 43 characters of base64url: 32 random bytes.
Secret new_random_key(std::string_view prefix);

// "sk_fs_…"
Secret new_api_key();

}  // namespace flexsync::store
