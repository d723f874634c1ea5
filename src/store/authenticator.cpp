#include "store/authenticator.hpp"

#include <openssl/crypto.h>

#include <mutex>
#include <pqxx/pqxx>
#include <string_view>
#include <unordered_map>

#include "store/key_hash.hpp"
#include "store/rows.hpp"

namespace flexsync::store {

namespace {

constexpr std::size_t kKeyBytesMax = 512;

constexpr const char* kLookup =
    "SELECT tenant_id, environment_id, id, " FLEXSYNC_MICROS("expires_at") " AS expires_at FROM lookup_api_key($1)";

// The condition keeps several processes to one write a minute among them.
constexpr const char* kTouch = "UPDATE api_keys SET last_used_at = " FLEXSYNC_TIME(
    "$2") " WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < " FLEXSYNC_TIME("$3") ")";

struct Known {
  Principal principal;
  std::optional<Timestamp> expires_at;
  Timestamp read_at;
  Timestamp touched_at;
};

tl::unexpected<Error> refuse() {
  return fail(ErrorCode::unauthenticated, "the API key is not valid: it is unknown, revoked or expired");
}

}  // namespace

class StoreAuthenticator::Impl {
 public:
  Impl(ReadPool& pool, const Clock& clock, Secret admin_key)
      : pool_(pool), clock_(clock), admin_hash_(admin_key.empty() ? "" : key_hash(admin_key)) {}

  Result<Principal> authenticate(const std::string& key) {
    if (key.empty()) {
      return fail(ErrorCode::unauthenticated,
                  "an API key is needed: send it as the header x-api-key, or as Authorization: Bearer");
    }
    if (key.size() > kKeyBytesMax) {
      return refuse();
    }
    const auto hash = sha256_hex(key);
    if (is_admin(hash)) {
      return Principal{Principal::Kind::admin, {}, {}, "admin"};
    }
    auto known = find(hash);
    if (!known) {
      return tl::unexpected(known.error());
    }
    if (known->expires_at && *known->expires_at <= clock_.now()) {
      return refuse();
    }
    return known->principal;
  }

  void forget(const ApiKeyId& id) {
    const std::lock_guard lock(mutex_);
    ++revocations_;
    std::erase_if(known_, [&](const auto& entry) { return entry.second.principal.api_key == id; });
  }

 private:
  // Hashes of equal length, compared in constant time: neither the key nor its length can be felt out.
  bool is_admin(const std::string& hash) const {
    return !admin_hash_.empty() && CRYPTO_memcmp(hash.data(), admin_hash_.data(), hash.size()) == 0;
  }

  Result<Known> find(const std::string& hash) {
    const auto now = clock_.now();
    std::uint64_t revocations = 0;
    {
      const std::lock_guard lock(mutex_);
      revocations = revocations_;
      if (const auto entry = known_.find(hash); entry != known_.end() && now - entry->second.read_at < kApiKeyTtl) {
        touch_if_due(entry->second, now);
        return entry->second;
      }
    }
    auto known = read(hash);
    const std::lock_guard lock(mutex_);
    if (!known) {
      known_.erase(hash);
      return known;
    }
    known->read_at = now;
    if (const auto entry = known_.find(hash); entry != known_.end()) {
      known->touched_at = entry->second.touched_at;
    }
    touch_if_due(*known, now);
    if (revocations == revocations_) {  // else it may be the very key that was revoked while we read
      make_room(now);
      known_.insert_or_assign(hash, *known);
    }
    return known;
  }

  Result<Known> read(const std::string& hash) {
    const auto look_up = [&](pqxx::transaction_base& tx) -> Result<Known> {
      const auto rows = tx.exec_params(kLookup, hash);
      if (rows.empty()) {
        return refuse();
      }
      const auto& row = rows[0];
      Known known;
      known.principal.scope = {TenantId{text_from(row["tenant_id"])}, EnvironmentId{text_from(row["environment_id"])}};
      known.principal.api_key = ApiKeyId{text_from(row["id"])};
      known.principal.label = "api_key:" + known.principal.api_key.str();
      known.expires_at = optional_time_from(row["expires_at"]);
      return known;
    };
    return pool_.call(std::nullopt, "the API key cannot be checked", look_up);
  }

  // Off the request's path, and missing one is no harm.
  void touch_if_due(Known& known, Timestamp now) {
    if (now - known.touched_at < kLastUsedResolution) {
      return;
    }
    known.touched_at = now;
    const auto id = known.principal.api_key.str();
    pool_.submit(
        known.principal.scope, "an API key's last use cannot be written down",
        [id, now](pqxx::transaction_base& tx) {
          tx.exec_params(kTouch, id, to_unix_micros(now), to_unix_micros(now - kLastUsedResolution));
        },
        [](const std::optional<Error>&) {});
  }

  void make_room(Timestamp now) {
    if (known_.size() < kApiKeysCachedMax) {
      return;
    }
    std::erase_if(known_, [&](const auto& entry) { return now - entry.second.read_at >= kApiKeyTtl; });
    if (known_.size() >= kApiKeysCachedMax) {
      known_.clear();
    }
  }

  ReadPool& pool_;
  const Clock& clock_;
  const std::string admin_hash_;
  std::mutex mutex_;
  std::uint64_t revocations_ = 0;
  std::unordered_map<std::string, Known> known_;  // by the key's hash
};

StoreAuthenticator::StoreAuthenticator(ReadPool& pool, const Clock& clock, Secret admin_key)
    : impl_(std::make_unique<Impl>(pool, clock, std::move(admin_key))) {}

StoreAuthenticator::~StoreAuthenticator() = default;

Result<Principal> StoreAuthenticator::authenticate(const std::string& key) {
  return impl_->authenticate(key);
}

void StoreAuthenticator::forget(const ApiKeyId& id) {
  impl_->forget(id);
}

}  // namespace flexsync::store
