// The master keys that secrets are encrypted under: "id:base64 of 32 bytes", several separated by commas.
//
// The first encrypts, all decrypt. Rotation: put a new key first, let every secret be written anew, drop the old one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/error.hpp"
#include "domain/secret.hpp"

namespace flexsync::store {

struct MasterKey {
  std::string id;
  Secret bytes;  // 32
};

class KeyRing {
 public:
  // The error names the entry by its place and id, never by its content.
  static Result<KeyRing> parse(const Secret& text);

  const MasterKey& current() const { return keys_.front(); }
  const MasterKey* find(std::string_view id) const;

 private:
  std::vector<MasterKey> keys_;  // never empty once parsed
};

// "<id>:<base64 of 32 random bytes>"
Secret new_master_key(std::string_view id);

}  // namespace flexsync::store
