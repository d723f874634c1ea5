#include "store/secret_box.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "domain/sha256.hpp"
#include "store/key_hash.hpp"

using flexsync::Secret;
using flexsync::sha256_hex;
using namespace flexsync::store;

namespace {

constexpr auto kContext = "tenant_1/env_1/conn_1/secret_key";

KeyRing ring(const std::string& text) {
  auto parsed = KeyRing::parse(Secret(text));
  REQUIRE(parsed);
  return std::move(*parsed);
}

std::string key(const std::string& id) {
  return std::string(new_master_key(id).reveal());
}

std::string parse_fault(const std::string& text) {
  const auto parsed = KeyRing::parse(Secret(text));
  REQUIRE_FALSE(parsed);
  return parsed.error().message;
}

}  // namespace

TEST_CASE("what was sealed opens in its place", "[secret_box]") {
  const SecretBox box(ring(key("a")));
  for (const std::string& text :
       {std::string("sk_test_123"), std::string(), std::string("zero\0inside", 11), std::string(100'000, 'x')}) {
    const auto sealed = box.encrypt(Secret(text), kContext);
    CHECK(sealed.key_id == "a");
    CHECK(sealed.ciphertext.size() == text.size() + 28);
    const auto opened = box.decrypt(sealed, kContext);
    REQUIRE(opened);
    CHECK(opened->reveal() == text);
  }
}

TEST_CASE("two seals of one secret differ", "[secret_box]") {
  const SecretBox box(ring(key("a")));
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) {
    seen.insert(box.encrypt(Secret("same"), kContext).ciphertext);
  }
  CHECK(seen.size() == 1'000);
}

TEST_CASE("a moved, changed or cut ciphertext does not open, and nothing is revealed", "[secret_box]") {
  const SecretBox box(ring(key("a")));
  const std::string text = "sk_test_never_shown";
  const auto sealed = box.encrypt(Secret(text), kContext);

  for (const auto* elsewhere : {"tenant_2/env_1/conn_1/secret_key", "tenant_1/env_1/conn_1/webhook_secret", ""}) {
    const auto opened = box.decrypt(sealed, elsewhere);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().message.find(text) == std::string::npos);
  }
  for (std::size_t at = 0; at < sealed.ciphertext.size(); ++at) {
    auto flipped = sealed;
    flipped.ciphertext[at] = static_cast<char>(flipped.ciphertext[at] ^ 1);
    CHECK_FALSE(box.decrypt(flipped, kContext));
  }
  for (std::size_t size = 0; size < sealed.ciphertext.size(); ++size) {
    CHECK_FALSE(box.decrypt({sealed.key_id, sealed.ciphertext.substr(0, size)}, kContext));
  }
}

TEST_CASE("rotation: the new key encrypts, the old one still opens", "[secret_box]") {
  const std::string old_key = key("2025");
  const std::string new_key = key("2026");
  const SecretBox before(ring(old_key));
  const SecretBox during(ring(new_key + ", " + old_key));
  const SecretBox after(ring(new_key));

  const auto sealed = before.encrypt(Secret("s"), kContext);
  CHECK(during.is_outdated(sealed));
  REQUIRE(during.decrypt(sealed, kContext));
  const auto anew = during.encrypt(*during.decrypt(sealed, kContext), kContext);
  CHECK_FALSE(during.is_outdated(anew));
  CHECK(after.decrypt(anew, kContext)->reveal() == "s");

  const auto lost = after.decrypt(sealed, kContext);
  REQUIRE_FALSE(lost);
  CHECK(lost.error().message.find("\"2025\", which master_key (FLEXSYNC_MASTER_KEY) lacks") != std::string::npos);
}

TEST_CASE("another key of the same id does not open", "[secret_box]") {
  const auto sealed = SecretBox(ring(key("a"))).encrypt(Secret("s"), kContext);
  CHECK_FALSE(SecretBox(ring(key("a"))).decrypt(sealed, kContext));
}

TEST_CASE("a key ring's text", "[key_ring]") {
  const std::string good = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
  const auto two = ring(" one:" + good + " ,\n two:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
  CHECK(two.current().id == "one");
  CHECK(two.current().bytes.reveal().size() == 32);
  CHECK(two.current().bytes.reveal()[31] == 31);
  CHECK(two.find("two") != nullptr);
  CHECK(two.find("three") == nullptr);

  CHECK(parse_fault("").starts_with("master_key: key 1 must be id:base64 of 32 bytes"));
  CHECK(parse_fault(good).starts_with("master_key: key 1 must be id:base64"));
  CHECK(parse_fault("a b:" + good).starts_with("master_key: key 1 must be id:base64"));
  CHECK(parse_fault("a:" + good + ",").starts_with("master_key: key 2 must be id:base64"));
  CHECK(parse_fault("a:" + good + ",a:" + good).find("has the id a of another") != std::string::npos);
  // Too short, too long, not base64, bits set beyond the last byte.
  for (const std::string bad :
       {"AAAA", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ==", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8!",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9="}) {
    const auto fault = parse_fault("a:" + bad);
    CHECK(fault.find("(a) is not the base64 of 32 bytes") != std::string::npos);
    CHECK(fault.find(bad) == std::string::npos);
  }
}

TEST_CASE("API keys", "[key_hash]") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const Secret made = new_api_key();
    const std::string text(made.reveal());
    CHECK(text.size() == 6 + 43);
    CHECK(text.starts_with("sk_fs_"));
    CHECK(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
          std::string::npos);
    CHECK(key_hash(made) == sha256_hex(text));
    seen.insert(text);
  }
  CHECK(seen.size() == 100);
}
