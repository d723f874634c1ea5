// Whose key is this? The admin key is compared, an API key looked up by its hash.
//
// A look-up per request would double the database's work, so an answer is kept for a few seconds. A key that this
// process revokes is forgotten at once; one that another process revokes works until its answer is too old.
#pragma once

#include <chrono>
#include <memory>

#include "domain/clock.hpp"
#include "domain/ports.hpp"
#include "store/read_pool.hpp"

namespace flexsync::store {

inline constexpr std::chrono::seconds kApiKeyTtl{5};
inline constexpr std::size_t kApiKeysCachedMax = 10'000;
inline constexpr std::chrono::seconds kLastUsedResolution{60};  // how often a key's last use is written down

class StoreAuthenticator final : public Authenticator {
 public:
  // An empty admin key lets nobody in as admin.
  StoreAuthenticator(ReadPool& pool, const Clock& clock, Secret admin_key);
  ~StoreAuthenticator() override;

  Result<Principal> authenticate(const std::string& key) override;

  // To be called when a key was revoked, after its commit.
  void forget(const ApiKeyId& id);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flexsync::store
