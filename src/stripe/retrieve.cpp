#include "stripe/retrieve.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace flexsync::stripe {

namespace {

using nlohmann::json;

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kCollections = {{
    {"customer", "customers"},
    {"product", "products"},
    {"price", "prices"},
    {"plan", "plans"},
    {"subscription", "subscriptions"},
}};

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Stripe's `Date` has whole seconds, so the truth may be up to one older than it says.
constexpr std::chrono::seconds kDateResolution{1};

// An id comes from outside: it must stay one segment of the path.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
    if (plain) {
      result += c;
    } else {
      result.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return result;
}

std::optional<unsigned> number_at(std::string_view text, std::size_t at, std::size_t length) {
  unsigned value = 0;
  const auto* first = text.data() + at;
  const auto [end, failure] = std::from_chars(first, first + length, value);
  return failure == std::errc{} && end == first + length ? std::optional(value) : std::nullopt;
}

// "Sun, 06 Nov 1994 08:49:37 GMT", the one form that RFC 9110 lets a server send.
std::optional<Timestamp> parse_http_date(std::string_view text) {
  if (text.size() != 29 || !text.ends_with(" GMT") || text[16] != ' ' || text[19] != ':' || text[22] != ':') {
    return std::nullopt;
  }
  const auto day = number_at(text, 5, 2);
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const auto year = number_at(text, 12, 4);
  const auto hour = number_at(text, 17, 2);
  const auto minute = number_at(text, 20, 2);
  const auto second = number_at(text, 23, 2);
  if (!day || month == kMonths.end() || !year || !hour || !minute || !second) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                         std::chrono::month{static_cast<unsigned>(month - kMonths.begin()) + 1},
                                         std::chrono::day{*day}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  return Timestamp{std::chrono::sys_days{date}} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second};
}

TrueInterval true_during(const HttpResponse& response, Timestamp received) {
  const auto header = response.headers.find("date");
  const auto date = header == response.headers.end() ? std::nullopt : parse_http_date(header->second);
  const auto to = date.value_or(received);
  return {to - response.duration - kDateResolution, to};
}

// Of Stripe's error body only its code and type are repeated: its message may quote what was sent.
struct StripeError {
  bool present = false;
  std::string label;
};

StripeError read_error(const std::string& body) {
  const auto document = json::parse(body, nullptr, false);
  if (!document.is_object() || !document.contains("error") || !document["error"].is_object()) {
    return {};
  }
  StripeError error{true, ""};
  for (const auto* key : {"type", "code"}) {
    const auto found = document["error"].find(key);
    if (found != document["error"].end() && found->is_string()) {
      error.label += (error.label.empty() ? " (" : ", ") + found->get<std::string>();
    }
  }
  error.label += error.label.empty() ? "" : ")";
  return error;
}

bool is_worth_repeating(int status) {
  constexpr std::array<int, 4> passing = {408, 409, 425, 429};
  return status >= 500 || std::find(passing.begin(), passing.end(), status) != passing.end();
}

RetrieveOutcome classify_response(const HttpResponse& response, Timestamp received) {
  if (response.status == 200) {
    if (const auto document = json::parse(response.body, nullptr, false); !document.is_object()) {
      return RetryLater{"Stripe answered 200 with a body that is not a JSON object"};
    }
    return Found{response.body, true_during(response, received)};
  }
  const auto error = read_error(response.body);
  const auto reason = "Stripe answered " + std::to_string(response.status) + error.label;
  if (response.status == 404) {
    // A proxy's 404 must not look like a deleted object.
    return error.present ? RetrieveOutcome(NotFound{}) : RetryLater{reason + ", but not in Stripe's form"};
  }
  return is_worth_repeating(response.status) ? RetrieveOutcome(RetryLater{reason}) : CannotAsk{reason};
}

}  // namespace

HttpRequest retrieve_request(const std::string& object_type, const StripeId& id, const Secret& api_key,
                             std::chrono::milliseconds timeout) {
  const auto* const found = std::find_if(kCollections.begin(), kCollections.end(),
                                         [&](const auto& entry) { return entry.first == object_type; });
  if (found == kCollections.end()) {
    throw std::invalid_argument("no Stripe collection is known for \"" + object_type + "\"");
  }
  if (id.empty()) {
    throw std::invalid_argument("an empty Stripe id would ask for the list");
  }
  HttpRequest request;
  request.path = "/v1/" + std::string(found->second) + "/" + percent_encoded(id.str());
  request.api_key = api_key;
  request.timeout = timeout;
  return request;
}

RetrieveOutcome classify_retrieve(const HttpResult& result, Timestamp received) {
  if (!result) {
    if (result.error().kind == TransportError::Kind::too_large) {
      return CannotAsk{result.error().message};
    }
    return RetryLater{result.error().message};
  }
  return classify_response(*result, received);
}

}  // namespace flexsync::stripe
