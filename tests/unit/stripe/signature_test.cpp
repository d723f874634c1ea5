#include "stripe/signature.hpp"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace flexsync;
using namespace flexsync::stripe;
using Catch::Matchers::Contains;

namespace {

const Timestamp kNow = from_unix_seconds(1'795'228'680);
const std::string kBody = R"({"id":"evt_1","object":"event"})";

Secret secret(const std::string& text = "whsec_test_secret") {
  return Secret(text);
}

Result<void> verify(const std::string& header, const std::string& body = kBody,
                    std::vector<Secret> secrets = {secret()}, Timestamp now = kNow) {
  return verify_signature(header, body, secrets, now);
}

std::string refusal(const Result<void>& result) {
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == ErrorCode::validation_error);
  CHECK(result.error().details.contains("Stripe-Signature"));
  return result.error().message;
}

std::string v1_of(const std::string& header) {
  return header.substr(header.find("v1="));
}

const std::string kTime = "t=1795228680";

}  // namespace

TEST_CASE("the signature is HMAC-SHA256 over time, dot and body, in hex") {
  // printf '1795228680.{"id":"evt_1","object":"event"}' | openssl dgst -sha256 -hmac whsec_test_secret
  CHECK(sign(kBody, secret(), kNow) ==
        "t=1795228680,v1=0340094dc36b89235f0a7e42c23ec9a116418c315f6064082b93c45d2464a610");
}

TEST_CASE("what Stripe signed is accepted") {
  CHECK(verify(sign(kBody, secret(), kNow)).has_value());
}

TEST_CASE("the time may be 300 s off, either way, and no more") {
  const auto header = sign(kBody, secret(), kNow);
  const std::chrono::microseconds bit(1);
  CHECK(verify(header, kBody, {secret()}, kNow + kSignatureTolerance).has_value());
  CHECK(verify(header, kBody, {secret()}, kNow - kSignatureTolerance).has_value());
  CHECK_THAT(refusal(verify(header, kBody, {secret()}, kNow + kSignatureTolerance + bit)), Contains("in the past"));
  CHECK_THAT(refusal(verify(header, kBody, {secret()}, kNow - kSignatureTolerance - bit)), Contains("in the future"));
}

TEST_CASE("while a secret is rolled, any signature by any live secret will do") {
  const auto by_old = v1_of(sign(kBody, secret("old"), kNow));
  const auto by_new = v1_of(sign(kBody, secret("new"), kNow));
  const auto both = kTime + "," + by_old + "," + by_new;
  CHECK(verify(both, kBody, {secret("old")}).has_value());
  CHECK(verify(both, kBody, {secret("new")}).has_value());
  CHECK(verify(kTime + "," + by_old, kBody, {secret("new"), secret("old")}).has_value());
  CHECK(verify(kTime + "," + by_new, kBody, {secret("new"), secret("old")}).has_value());
  CHECK_THAT(refusal(verify(both, kBody, {secret("third")})), Contains("no signature matches"));
}

TEST_CASE("other schemes and bad hex are skipped, white space and capitals do no harm") {
  const auto good = v1_of(sign(kBody, secret(), kNow));
  CHECK(verify(kTime + ",v0=abc," + good + ",v2=xyz").has_value());
  CHECK(verify(kTime + ",v1=zz," + good).has_value());
  CHECK(verify(good + "," + kTime).has_value());
  CHECK(verify(kTime + ", " + good).has_value());
  std::string capitals = good;
  for (auto& c : capitals) {
    c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c;
  }
  CHECK(verify(kTime + "," + capitals).has_value());
  CHECK_THAT(refusal(verify(kTime + "," + "v0=" + good.substr(3))), Contains("no v1 signature"));
}

TEST_CASE("a header that is not one says what is wrong with it") {
  const auto good = v1_of(sign(kBody, secret(), kNow));
  CHECK_THAT(refusal(verify("")), Contains("missing"));
  CHECK_THAT(refusal(verify("   ")), Contains("missing"));
  CHECK_THAT(refusal(verify(good)), Contains("t is missing"));
  CHECK_THAT(refusal(verify(kTime)), Contains("no v1 signature"));
  CHECK_THAT(refusal(verify(kTime + "," + good + ",")), Contains("name=value"));
  CHECK_THAT(refusal(verify(kTime + "," + good + ",v1")), Contains("name=value"));
  CHECK_THAT(refusal(verify(kTime + "," + good + ",a=b=c")), Contains("name=value"));
  CHECK_THAT(refusal(verify(kTime + "," + kTime + "," + good)), Contains("twice"));
  const auto* time = GENERATE("t=", "t=soon", "t=-1", "t=+1795228680", "t=1795228680.0", "t= 1795228680",
                              "t=99999999999999999999", "t=9223372036854775807");
  CHECK_THAT(refusal(verify(std::string(time) + "," + good)), Contains("t is not a time"));
}

TEST_CASE("a header with too many entries is refused before any hashing") {
  std::string header = sign(kBody, secret(), kNow);
  for (std::size_t entries = 2; entries < kSignatureEntriesMax; ++entries) {
    header += ",v1=00";
  }
  CHECK(verify(header).has_value());
  CHECK_THAT(refusal(verify(header + ",v1=00")), Contains("more than 32 entries"));
}

TEST_CASE("nobody can sign with an empty secret") {
  const auto by_nobody = sign(kBody, Secret(""), kNow);
  CHECK_THAT(refusal(verify(by_nobody, kBody, {})), Contains("no signing secret"));
  CHECK_THAT(refusal(verify(by_nobody, kBody, {Secret("")})), Contains("no signing secret"));
  CHECK_THAT(refusal(verify(by_nobody, kBody, {Secret(""), secret()})), Contains("no signature matches"));
}

TEST_CASE("a refusal never tells what would have matched, nor the secret") {
  const auto expected = v1_of(sign(kBody, secret(), kNow)).substr(3);
  const auto message = refusal(verify(kTime + ",v1=" + std::string(64, '0')));
  CHECK(message.find(expected) == std::string::npos);
  CHECK(message.find("whsec") == std::string::npos);
}

TEST_CASE("signatures hold for any body and break with any change") {
  rc::prop("any signed body verifies", [](const std::string& body, const std::string& key) {
    RC_PRE(!key.empty());
    RC_ASSERT(verify(sign(body, Secret(key), kNow), body, {Secret(key)}).has_value());
  });
  rc::prop("a body with one bit changed does not", [](std::string body) {
    RC_PRE(!body.empty());
    const auto header = sign(body, secret(), kNow);
    const auto at = *rc::gen::inRange<std::size_t>(0, body.size());
    body[at] = static_cast<char>(body[at] ^ (1 << *rc::gen::inRange(0, 8)));
    RC_ASSERT_FALSE(verify(header, body).has_value());
  });
  rc::prop("a body that is longer or shorter does not", [](const std::string& body, char more) {
    const auto header = sign(body, secret(), kNow);
    RC_ASSERT_FALSE(verify(header, body + more).has_value());
    RC_PRE(!body.empty());
    RC_ASSERT_FALSE(verify(header, body.substr(1)).has_value());
  });
  rc::prop("another time within the tolerance does not", [] {
    const auto off = *rc::gen::suchThat(rc::gen::inRange(-300, 301), [](int seconds) { return seconds != 0; });
    const auto header = "t=" + std::to_string(to_unix_seconds(kNow) + off) + "," + v1_of(sign(kBody, secret(), kNow));
    RC_ASSERT_FALSE(verify(header).has_value());
  });
  rc::prop("a secret with one byte changed does not", [](std::string key) {
    RC_PRE(!key.empty());
    const auto header = sign(kBody, Secret(key), kNow);
    const auto at = *rc::gen::inRange<std::size_t>(0, key.size());
    key[at] = static_cast<char>(key[at] ^ (1 << *rc::gen::inRange(0, 8)));
    // HMAC pads short keys with zero bytes: a zero at the end is no other key.
    RC_PRE(key.back() != '\0');
    RC_ASSERT_FALSE(verify(header, kBody, {Secret(key)}).has_value());
  });
  rc::prop("a signature with one digit changed does not", [] {
    auto header = sign(kBody, secret(), kNow);
    const auto at = header.size() - 1 - *rc::gen::inRange<std::size_t>(0, 64);
    header[at] = header[at] == '0' ? '1' : '0';
    RC_ASSERT_FALSE(verify(header).has_value());
  });
  rc::prop("no header makes it crash", [](const std::string& header) {
    RC_ASSERT_FALSE(verify(header).has_value());
    RC_ASSERT_FALSE(verify("t=1795228680,v1=" + header).has_value());
  });
}
