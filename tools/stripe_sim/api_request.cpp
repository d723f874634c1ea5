#include "stripe_sim/api_request.hpp"

#include <algorithm>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/form.hpp"

namespace stripe_sim {

namespace {

std::string decode_base64(std::string_view text) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string decoded;
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) {
      break;
    }
    bits = (bits << 6) | static_cast<unsigned>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      decoded.push_back(static_cast<char>((bits >> held) & 0xFF));
    }
  }
  return decoded;
}

}  // namespace

std::string api_key_of(const HttpRequest& request) {
  const std::string given = request.header("authorization");
  const std::size_t space = given.find(' ');
  std::string scheme = given.substr(0, space);
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string key = space == std::string::npos ? std::string() : given.substr(space + 1);
  if (scheme == "basic") {
    key = decode_base64(key);
    key = key.substr(0, key.find(':'));
  } else if (scheme != "bearer") {
    key.clear();
  }
  return key;
}

Json decode_parameters(const HttpRequest& request) {
  const std::string type = request.header("content-type");
  if (!request.body.empty() && !type.empty() && !type.starts_with("application/x-www-form-urlencoded")) {
    throw invalid_request(
        "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have "
        "questions, we can help at https://support.stripe.com/.");
  }
  const std::string separator = request.query.empty() || request.body.empty() ? "" : "&";
  return decode_form(request.query + separator + request.body);
}

}  // namespace stripe_sim
