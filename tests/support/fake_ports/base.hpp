// What all fakes share: who asks and when, and the order of what they remember.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "domain/clock.hpp"
#include "domain/ports.hpp"

namespace flexsync::test {

inline const Scope kScope{TenantId("tenant_01"), EnvironmentId("env_01")};
inline const Timestamp kNow = from_unix_seconds(1'790'000'000);  // 2026-09-21T14:13:20Z
inline constexpr const char* kAdminKey = "admin-key";
inline constexpr const char* kApiKey = "sk_01_of_tenant_01";

// Orders what fakes, on the server's threads, and the test remember and read: passing through a socket does, but
// ThreadSanitizer cannot see that.
inline void sync_point() {
  static std::atomic<int> turn = 0;
  turn.fetch_add(1, std::memory_order_acq_rel);
}

struct SyncScope {
  SyncScope() { sync_point(); }
  ~SyncScope() { sync_point(); }
  SyncScope(const SyncScope&) = delete;
  SyncScope& operator=(const SyncScope&) = delete;
};

// Knows the admin key and one API key.
class FakeAuthenticator final : public Authenticator {
 public:
  Result<Principal> authenticate(const std::string& key) override {
    const SyncScope sync;
    if (unavailable) {
      return fail(ErrorCode::service_unavailable, "The store cannot be reached");
    }
    if (key == kAdminKey) {
      return Principal{Principal::Kind::admin, {}, {}, "admin"};
    }
    if (key == kApiKey) {
      return Principal{Principal::Kind::api_key, kScope, ApiKeyId("secret_01"), "api_key:secret_01"};
    }
    return fail(ErrorCode::unauthenticated, "Invalid API key");
  }

  std::atomic<bool> unavailable = false;
};

class FakeReadiness final : public Readiness {
 public:
  std::optional<std::string> why_not_ready() override {
    const std::lock_guard lock(mutex_);
    return reason_;
  }
  void set(std::optional<std::string> reason) {
    const std::lock_guard lock(mutex_);
    reason_ = std::move(reason);
  }

 private:
  std::mutex mutex_;
  std::optional<std::string> reason_;
};

}  // namespace flexsync::test
