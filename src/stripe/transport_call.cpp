#include "stripe/transport_call.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "stripe/text.hpp"

namespace flexsync::stripe {

namespace {

using Kind = TransportError::Kind;

constexpr std::size_t kHeaderBytesMax = 256 * 1024;

// libcurl calls these through C, where no exception may pass.
std::size_t on_body(char* data, std::size_t, std::size_t count, void* user) noexcept try {
  auto& call = *static_cast<Transfer*>(user);
  if (call.response.body.size() + count > call.body_max) {
    call.too_large = true;
    return 0;
  }
  call.response.body.append(data, count);
  return count;
} catch (const std::exception&) {
  return 0;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::size_t on_header(char* data, std::size_t, std::size_t count, void* user) noexcept try {
  auto& call = *static_cast<Transfer*>(user);
  call.header_bytes += count;
  if (call.header_bytes > kHeaderBytesMax) {
    call.too_large = true;
    return 0;
  }
  const std::string_view line(data, count);
  if (line.starts_with("HTTP/")) {
    call.response.headers.clear();  // what came before belongs to an interim answer
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    auto& value = call.response.headers[lower(line.substr(0, colon))];
    value.append(value.empty() ? "" : ", ").append(trimmed(line.substr(colon + 1)));
  }
  return count;
} catch (const std::exception&) {
  return 0;
}

void add_header(std::unique_ptr<curl_slist, FreeHeaders>& list, const std::string& line) {
  auto* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) {
    throw std::bad_alloc();
  }
  static_cast<void>(list.release());
  list.reset(longer);
}

// Unknown codes count as lost: the request may have been carried out.
Kind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Kind::timeout;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_URL_MALFORMAT:
      return Kind::connect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_USE_SSL_FAILED:
      return Kind::tls;
    case CURLE_FILESIZE_EXCEEDED:
      return Kind::too_large;
    default:
      return Kind::connection_lost;
  }
}

void set_headers(Transfer& call, const CurlTransportConfig& config) {
  const auto& request = call.request;
  if (!request.api_key.empty()) {
    std::string line = "Authorization: Bearer ";
    line.reserve(line.size() + request.api_key.reveal().size());  // no copy of the key left behind by growing
    line.append(request.api_key.reveal());
    add_header(call.headers, line);
    OPENSSL_cleanse(line.data(), line.size());
  }
  add_header(call.headers, "Stripe-Version: " + config.api_version);
  add_header(call.headers, "Expect:");
  for (const auto& [name, value] : request.headers) {
    add_header(call.headers, value.empty() ? name + ";" : name + ": " + value);
  }
}

}  // namespace

void FreeHeaders::operator()(curl_slist* list) const {
  for (auto* line = list; line != nullptr; line = line->next) {
    OPENSSL_cleanse(line->data, std::strlen(line->data));
  }
  curl_slist_free_all(list);
}

std::string_view unsafe_part(const HttpRequest& request) {
  if (!request.path.starts_with('/') || has_control(request.path) || request.path.find(' ') != std::string::npos) {
    return "path";
  }
  if (request.method.empty() || has_control(request.method) || request.method.find(' ') != std::string::npos) {
    return "method";
  }
  if (has_control(request.api_key.reveal())) {
    return "API key";
  }
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || has_control(name) || name.find(':') != std::string::npos || has_control(value)) {
      return "headers";
    }
  }
  return {};
}

bool prepare(Transfer& call, const CurlTransportConfig& config) {
  auto* easy = call.easy.get();
  const auto& request = call.request;
  call.started = SteadyClock::now();
  call.body_max = config.response_size_max;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(call.deadline - call.started);
  set_headers(call, config);

  CURLcode worst = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    if (const auto code = curl_easy_setopt(easy, option, value); code != CURLE_OK) {
      worst = code;
    }
  };
  set(CURLOPT_URL, (config.api_base + request.path).c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(CURLOPT_HTTPHEADER, call.headers.get());
  set(CURLOPT_USERAGENT, config.user_agent.c_str());
  set(CURLOPT_ACCEPT_ENCODING, "");
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(left.count(), 1)));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(config.connect_timeout.count()));
  set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(config.response_size_max));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a slow name server must not hold up the server's end
  set(CURLOPT_ERRORBUFFER, call.error_text.data());
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, &call);
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, &call);
  if (request.method == "POST" || !request.body.empty()) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.c_str());
  }
  if (request.method != "GET" && request.method != "POST") {
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  return worst == CURLE_OK;
}

HttpResult result_of(Transfer& call, CURLcode code, const CurlTransportConfig& config) {
  if (call.too_large || code == CURLE_FILESIZE_EXCEEDED) {
    return tl::unexpected(transport_error(
        Kind::too_large, config, "the answer is larger than " + std::to_string(config.response_size_max) + " bytes"));
  }
  if (code != CURLE_OK) {
    const char* detail = call.error_text[0] != '\0' ? call.error_text.data() : curl_easy_strerror(code);
    return tl::unexpected(transport_error(kind_of(code), config, detail));
  }
  long status = 0;
  curl_easy_getinfo(call.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  call.response.status = static_cast<int>(status);
  call.response.duration = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - call.started);
  return std::move(call.response);
}

TransportError transport_error(Kind kind, const CurlTransportConfig& config, const std::string& why) {
  return {kind, "call to " + config.api_base + ": " + why};
}

}  // namespace flexsync::stripe
