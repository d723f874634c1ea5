#include "domain/secret.hpp"

#include <catch2/catch.hpp>
#include <type_traits>
#include <utility>

using namespace flexsync;

namespace {

const std::string kShort = "sk_1";  // within the string's own buffer
const std::string kLong = "sk_live_" + std::string(60, 'x');

}  // namespace

TEST_CASE("a secret gives its text only when asked by name") {
  STATIC_REQUIRE_FALSE(std::is_convertible_v<Secret, std::string>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<Secret, std::string_view>);
  CHECK(Secret(kLong).reveal() == kLong);
  CHECK(Secret().empty());
}

TEST_CASE("a moved secret leaves nothing behind") {
  const auto text = GENERATE(kShort, kLong);
  Secret from(text);
  const Secret to(std::move(from));
  CHECK(to.reveal() == text);
  CHECK(from.empty());  // NOLINT(bugprone-use-after-move): that is the question

  Secret again(text);
  Secret target("old");
  target = std::move(again);
  CHECK(target.reveal() == text);
  CHECK(again.empty());  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("an overwritten secret is wiped where it stood") {
  Secret secret(kLong);
  const char* where = secret.reveal().data();
  secret = Secret(kShort);  // fits into the old buffer, behind whose new end the old text would show
  REQUIRE(secret.reveal().data() == where);
  for (std::size_t i = kShort.size(); i < kLong.size(); ++i) {
    REQUIRE(where[i] == '\0');
  }
}

TEST_CASE("a copy is independent, and assigning a secret to itself keeps it") {
  Secret one(kLong);
  Secret two = one;
  one = Secret(kShort);
  CHECK(two.reveal() == kLong);
  auto& alias = two;
  two = alias;
  CHECK(two.reveal() == kLong);
  two = std::move(alias);
  CHECK(two.reveal() == kLong);
}
