#include "stripe_sim/webhooks/sender.hpp"

#include <curl/curl.h>

#include <array>
#include <stdexcept>
#include <unordered_map>

namespace stripe_sim {

namespace {

constexpr long kIdleConnectionsMax = 64;

std::size_t discard(char*, std::size_t size, std::size_t count, void*) {
  return size * count;
}

struct Transfer {
  std::uint64_t number = 0;
  OutgoingPost post;
  curl_slist* headers = nullptr;
  std::array<char, CURL_ERROR_SIZE> error{};

  ~Transfer() { curl_slist_free_all(headers); }
};

}  // namespace

struct Sender::State {
  CURLM* multi = nullptr;
  std::vector<CURL*> idle_handles;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> transfers;
};

Sender::Sender() : state_(std::make_unique<State>()) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  state_->multi = curl_multi_init();
  if (state_->multi == nullptr) {
    throw std::runtime_error("libcurl could not be started");
  }
  curl_multi_setopt(state_->multi, CURLMOPT_MAXCONNECTS, kIdleConnectionsMax);
}

Sender::~Sender() {
  for (const auto& [handle, transfer] : state_->transfers) {
    curl_multi_remove_handle(state_->multi, handle);
    curl_easy_cleanup(handle);
  }
  for (CURL* handle : state_->idle_handles) {
    curl_easy_cleanup(handle);
  }
  curl_multi_cleanup(state_->multi);
}

void Sender::start(std::uint64_t number, OutgoingPost post) {
  CURL* handle = nullptr;
  if (state_->idle_handles.empty()) {
    handle = curl_easy_init();
  } else {
    handle = state_->idle_handles.back();
    state_->idle_handles.pop_back();
    curl_easy_reset(handle);
  }
  if (handle == nullptr) {
    throw std::runtime_error("libcurl has no memory for another transfer");
  }
  auto transfer = std::make_unique<Transfer>();
  transfer->number = number;
  transfer->post = std::move(post);
  for (const std::string& header : transfer->post.headers) {
    transfer->headers = curl_slist_append(transfer->headers, header.c_str());
  }
  curl_easy_setopt(handle, CURLOPT_URL, transfer->post.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROXY, "");  // endpoints are local: the machine's proxy settings are not for them
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer->post.body->size()));
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, transfer->post.body->data());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, transfer->headers);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(transfer->post.timeout_ms));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &discard);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, transfer->error.data());
  curl_multi_add_handle(state_->multi, handle);
  state_->transfers.emplace(handle, std::move(transfer));
}

std::vector<PostResult> Sender::run_once(int wait_ms_max) {
  int running = 0;
  curl_multi_perform(state_->multi, &running);
  std::vector<PostResult> results;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(state_->multi, &left)) {
    if (message->msg != CURLMSG_DONE) {
      continue;
    }
    CURL* handle = message->easy_handle;
    const CURLcode code = message->data.result;
    const auto found = state_->transfers.find(handle);
    PostResult result{found->second->number, 0, {}};
    if (code == CURLE_OK) {
      long status = 0;
      curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
      result.status = static_cast<int>(status);
    } else {
      const char* detail = found->second->error.data();
      result.error = *detail == '\0' ? curl_easy_strerror(code) : detail;
    }
    results.push_back(std::move(result));
    curl_multi_remove_handle(state_->multi, handle);
    state_->transfers.erase(found);
    state_->idle_handles.push_back(handle);
  }
  if (results.empty() && wait_ms_max > 0) {
    curl_multi_poll(state_->multi, nullptr, 0, wait_ms_max, nullptr);
  }
  return results;
}

void Sender::wake() {
  curl_multi_wakeup(state_->multi);
}

}  // namespace stripe_sim
