#include "stripe/form.hpp"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>

using namespace flexsync::stripe;

TEST_CASE("a form is its fields in the order given") {
  CHECK(encode_form({}).empty());
  CHECK(encode_form({{"name", "Ada"}}) == "name=Ada");
  CHECK(encode_form({{"name", "Ada"}, {"email", ""}, {"a", "1"}}) == "name=Ada&email=&a=1");
}

TEST_CASE("a value cannot become another field") {
  CHECK(encode_form({{"name", "A&B=C"}, {"phone", "+49 30"}}) == "name=A%26B%3DC&phone=%2B49%2030");
  CHECK(encode_form({{"url", "a.b/../c"}}) == "url=a.b%2F..%2Fc");
  CHECK(encode_form({{"name", "a%20b\r\n\"ü\""}}) == "name=a%2520b%0D%0A%22%C3%BC%22");
}

TEST_CASE("brackets are Stripe's, those of a name inside are encoded") {
  CHECK(bracketed("metadata", "external_id") == "metadata[external_id]");
  CHECK(bracketed("metadata", "a b") == "metadata[a%20b]");
  CHECK(bracketed("metadata", "a][b") == "metadata[a%5D%5Bb]");
  CHECK(encode_form({{bracketed("address", "line1"), "1 St"}}) == "address[line1]=1%20St");
}

TEST_CASE("any text comes back out of its encoding, and none of it has a meaning on the way") {
  rc::prop("decoded(percent_encoded(text)) == text", [](const std::string& text) {
    const auto encoded = percent_encoded(text);
    RC_ASSERT(encoded.find_first_of("&=+?#/.[] \r\n") == std::string::npos);
    std::string decoded;
    for (std::size_t i = 0; i < encoded.size(); ++i) {
      decoded += encoded[i] == '%' ? static_cast<char>(std::stoi(encoded.substr(i + 1, 2), nullptr, 16)) : encoded[i];
      i += encoded[i] == '%' ? 2 : 0;
    }
    RC_ASSERT(decoded == text);
  });
}
