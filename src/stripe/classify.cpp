#include "stripe/classify.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

#include "stripe/http_date.hpp"
#include "stripe/text.hpp"

namespace flexsync::stripe {

namespace {

using nlohmann::json;

// Stripe's `Date` has whole seconds, so the truth may be up to one older than it says.
constexpr std::chrono::seconds kDateResolution{1};
constexpr std::size_t kMessageSizeMax = 500;
constexpr std::chrono::seconds kRetryAfterMax{3'600};

std::string header(const HttpResponse& response, const char* name) {
  const auto found = response.headers.find(name);
  return found == response.headers.end() ? std::string() : found->second;
}

TrueInterval true_during(const HttpResponse& response, Timestamp received) {
  const auto to = parse_http_date(header(response, "date")).value_or(received);
  return {to - response.duration - kDateResolution, to};
}

struct ErrorBody {
  bool present = false;
  std::string type;
  std::string code;
  std::string message;
  std::string param;
};

// At most so many bytes, and no character cut in two: it is stored, and shown as JSON.
std::string shortened(std::string text) {
  if (text.size() > kMessageSizeMax) {
    auto end = kMessageSizeMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
      --end;
    }
    text.resize(end);
  }
  return text;
}

bool is_json_object(const std::string& body) {
  return trimmed(body).starts_with('{') && json::accept(body);
}

// A proxy's error page has none: present stays false.
ErrorBody read_error(const std::string& body) {
  ErrorBody error;
  const auto document = json::parse(body, nullptr, false);
  if (!document.is_object() || !document.contains("error") || !document["error"].is_object()) {
    return error;
  }
  error.present = true;
  const auto text = [&](const char* key) {
    const auto found = document["error"].find(key);
    return found != document["error"].end() && found->is_string() ? shortened(found->get<std::string>())
                                                                  : std::string();
  };
  error.type = text("type");
  error.code = text("code");
  error.message = text("message");
  error.param = text("param");
  return error;
}

std::string describe(int status, const ErrorBody& error) {
  std::string text = "Stripe answered " + std::to_string(status);
  const auto& kind = error.code.empty() ? error.type : error.code;
  return kind.empty() ? text : text + " (" + kind + ")";
}

std::optional<std::chrono::seconds> retry_after(const HttpResponse& response) {
  const auto text = header(response, "retry-after");
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size() || seconds < 0) {
    return std::nullopt;
  }
  return std::min(std::chrono::seconds(seconds), kRetryAfterMax);
}

Limited limit_of(const HttpResponse& response, const ErrorBody& error) {
  const auto reason = header(response, "stripe-rate-limited-reason");
  if (error.code == "lock_timeout" || reason == "resource-specific") {
    return Limited::object;
  }
  return reason.starts_with("endpoint") ? Limited::endpoint : Limited::whole;
}

Verdict refused(const HttpResponse& response, const ErrorBody& error) {
  if (response.status == 401) {
    return {NotConnected{describe(401, error) + ": the secret key is not accepted; renew it in the connection"}};
  }
  if (response.status == 404) {
    // A proxy's 404 must not look like a deleted object.
    return error.present ? Verdict{NotFound{error.message}}
                         : Verdict{RetryLater{"Stripe answered 404, but not in its own form", {}},
                                   Repeat::same_again,
                                   {},
                                   Limited::no,
                                   true};
  }
  return {Refused{error.code.empty() ? error.type : error.code,
                  error.message.empty() ? describe(response.status, error) : error.message, error.param}};
}

Verdict classify_response(const HttpResponse& response, Timestamp received) {
  if (response.status >= 200 && response.status < 300) {
    if (!is_json_object(response.body)) {
      return {Unknown{"Stripe answered with a body that is no JSON object", false},
              Repeat::same_again,
              {},
              Limited::no,
              true};
    }
    return {
        Answered{response.body, true_during(response, received), header(response, "idempotent-replayed") == "true"}};
  }
  const auto error = read_error(response.body);
  Verdict verdict;
  if (response.status == 429) {
    verdict = {RetryLater{describe(429, error), {}}, Repeat::rate_limited, {}, limit_of(response, error), false};
  } else if (response.status == 409) {
    verdict = {Unknown{describe(409, error), false}, Repeat::same_again};  // the first of its key is still under way
  } else if (response.status == 408 || response.status == 425) {  // from something in between: Stripe sends neither
    verdict = {Unknown{describe(response.status, error), false}, Repeat::same_again, {}, Limited::no, true};
  } else if (response.status >= 500) {
    verdict = {Unknown{describe(response.status, error), true}, Repeat::same_again, {}, Limited::no, true};
  } else {
    verdict = refused(response, error);
  }
  verdict.retry_after = retry_after(response);
  const auto should_retry = header(response, "stripe-should-retry");
  if (should_retry == "false") {
    verdict.repeat = Repeat::never;
  } else if (should_retry == "true" && verdict.repeat == Repeat::never) {
    verdict.repeat = Repeat::same_again;
  }
  return verdict;
}

Verdict classify_failure(const TransportError& error, const Call& call) {
  switch (error.kind) {
    case TransportError::Kind::connect:
    case TransportError::Kind::tls:  // not a byte of the request was sent
      return {RetryLater{error.message, {}}, Repeat::same_again, {}, Limited::no, true};
    case TransportError::Kind::too_large:
      if (call.method == "GET") {
        return {Refused{"response_too_large", error.message, {}}};
      }
      return {Unknown{error.message, false}, Repeat::never};
    case TransportError::Kind::timeout:
    case TransportError::Kind::connection_lost:
      return {Unknown{error.message, false}, Repeat::same_again, {}, Limited::no, true};
    case TransportError::Kind::shutting_down:
      break;
  }
  return {Unknown{error.message, false}, Repeat::never};
}

}  // namespace

Verdict classify(const HttpResult& result, const Call& call, Timestamp received) {
  return result ? classify_response(*result, received) : classify_failure(result.error(), call);
}

}  // namespace flexsync::stripe
