#include "app/demo/http_client.hpp"

#include <curl/curl.h>

#include "app/demo/patience.hpp"

namespace flexsync::app::demo {

namespace {

constexpr long kTimeoutMs = 30'000;

std::size_t append(char* data, std::size_t size, std::size_t count, void* text) {
  static_cast<std::string*>(text)->append(data, size * count);
  return size * count;
}

std::string encoded(CURL* curl, const std::string& text) {
  const std::unique_ptr<char, void (*)(void*)> escaped(
      curl_easy_escape(curl, text.data(), static_cast<int>(text.size())), curl_free);
  return escaped ? escaped.get() : "";
}

}  // namespace

struct HttpClient::Handle {
  std::unique_ptr<CURL, void (*)(CURL*)> curl{curl_easy_init(), curl_easy_cleanup};
};

HttpClient::HttpClient(std::string base_url, std::string bearer)
    : base_url_(std::move(base_url)), bearer_(std::move(bearer)), handle_(std::make_unique<Handle>()) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;

Reply HttpClient::raw(const std::string& method, const std::string& path, const std::string& body,
                      const std::vector<std::string>& headers) {
  CURL* curl = handle_->curl.get();
  curl_easy_reset(curl);
  Reply reply;
  const std::string url = base_url_ + path;
  curl_slist* list = nullptr;
  for (const auto& header : headers) {
    list = curl_slist_append(list, header.c_str());
  }
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> owned(list, curl_slist_free_all);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");  // everything here is on this machine
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kTimeoutMs);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply.body);
  if (method == "POST" || method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
  }
  if (const auto code = curl_easy_perform(curl); code != CURLE_OK) {
    throw Failure(method + " " + url + ": " + curl_easy_strerror(code));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  return reply;
}

Json HttpClient::expect_json(const std::string& method, const std::string& path, const std::string& body,
                             const std::string& content_type) {
  std::vector<std::string> headers = {"Expect:"};
  if (!bearer_.empty()) {
    headers.push_back("Authorization: Bearer " + bearer_);
  }
  if (!content_type.empty()) {
    headers.push_back("Content-Type: " + content_type);
  }
  const auto reply = raw(method, path, body, headers);
  auto json = Json::parse(reply.body, nullptr, false);
  if (reply.status < 200 || reply.status > 299 || json.is_discarded()) {
    throw Failure(method + " " + base_url_ + path + " was answered " + std::to_string(reply.status) + ": " +
                  reply.body);
  }
  return json;
}

Json HttpClient::get(const std::string& path) {
  return expect_json("GET", path, {}, {});
}

std::string HttpClient::get_text(const std::string& path) {
  auto reply = raw("GET", path, {}, {});
  if (reply.status != 200) {
    throw Failure("GET " + base_url_ + path + " was answered " + std::to_string(reply.status));
  }
  return std::move(reply.body);
}

Json HttpClient::post(const std::string& path, const Json& body) {
  return expect_json("POST", path, body.dump(), "application/json");
}

Json HttpClient::post_form(const std::string& path, const Form& form) {
  std::string body;
  for (const auto& [name, value] : form) {
    body += (body.empty() ? "" : "&") + encoded(handle_->curl.get(), name) + "=" + encoded(handle_->curl.get(), value);
  }
  return expect_json("POST", path, body, "application/x-www-form-urlencoded");
}

Json HttpClient::remove(const std::string& path) {
  return expect_json("DELETE", path, {}, {});
}

}  // namespace flexsync::app::demo
