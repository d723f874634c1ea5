// Secrets at rest: AES-256-GCM under a key ring.
//
// A stolen table must not give the secrets away, and neither must somebody who can write to it: were a ciphertext
// copied into another tenant's row, that tenant would use a stranger's Stripe key. So each is sealed together with its
// context (tenant, environment, connection, field) and opens only there.
#pragma once

#include <string>
#include <string_view>

#include "domain/error.hpp"
#include "domain/secret.hpp"
#include "store/key_ring.hpp"

namespace flexsync::store {

struct SealedSecret {
  std::string key_id;
  std::string ciphertext;  // bytes: nonce (12), encrypted text, tag (16)
};

class SecretBox {
 public:
  explicit SecretBox(KeyRing keys) : keys_(std::move(keys)) {}

  SealedSecret encrypt(const Secret& secret, std::string_view context) const;

  // Never says more than which key is missing or that the text was not sealed here.
  Result<Secret> decrypt(const SealedSecret& sealed, std::string_view context) const;

  // True when another key than the current one sealed it: decrypt and encrypt it anew.
  bool is_outdated(const SealedSecret& sealed) const { return sealed.key_id != keys_.current().id; }

 private:
  KeyRing keys_;
};

}  // namespace flexsync::store
