// One thread owns the multi handle and every easy handle; other threads only touch the queue behind the mutex.
//
// What is in flight is bounded by connections_max and the rest waits in our own queue: libcurl (7.88) does not run
// the timeout of a transfer that it holds back for want of a connection. A request's timeout counts from send().
#include "stripe/transport.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "stripe/transport_call.hpp"
#include "telemetry/log.hpp"

namespace flexsync::stripe {

namespace {

constexpr std::chrono::milliseconds kPollMax{1000};
constexpr std::chrono::milliseconds kPollMaxWhileWaiting{20};  // how late a queued request may notice its timeout

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(CurlTransportConfig config) : config_(std::move(config)) {
    config_.connections_max = std::max(config_.connections_max, 1L);
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    multi_ = initialised == CURLE_OK ? curl_multi_init() : nullptr;
    if (multi_ == nullptr) {
      throw std::runtime_error("libcurl cannot be initialised");
    }
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, config_.connections_max);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, config_.connections_max);
    thread_ = std::thread([this] { run(); });
  }

  ~CurlTransport() override {
    stopping_ = true;
    curl_multi_wakeup(multi_);
    thread_.join();
    curl_multi_cleanup(multi_);
  }

  void send(HttpRequest request, std::function<void(HttpResult)> reply) override {
    auto call = std::make_unique<Transfer>();
    call->deadline = SteadyClock::now() + request.timeout;
    call->request = std::move(request);
    call->reply = std::move(reply);
    {
      const std::lock_guard lock(mutex_);
      submitted_.push_back(std::move(call));
    }
    curl_multi_wakeup(multi_);
  }

 private:
  void run() {
    block_sigpipe();
    while (!stopping_) {
      take_submitted();
      expire_waiting();
      start_waiting();
      int running = 0;
      curl_multi_perform(multi_, &running);
      const bool freed = finish_done();
      const auto wait = freed && !waiting_.empty() ? std::chrono::milliseconds(0)
                        : waiting_.empty()         ? kPollMax
                                                   : kPollMaxWhileWaiting;
      curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait.count()), nullptr);
    }
    answer_outstanding();
  }

  // libcurl with NOSIGNAL leaves SIGPIPE to us, and OpenSSL writes without MSG_NOSIGNAL.
  static void block_sigpipe() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
  }

  void take_submitted() {
    const std::lock_guard lock(mutex_);
    for (auto& call : submitted_) {
      waiting_.push_back(std::move(call));
    }
    submitted_.clear();
  }

  void expire_waiting() {
    const auto now = SteadyClock::now();
    const auto expired =
        std::stable_partition(waiting_.begin(), waiting_.end(), [&](const auto& call) { return call->deadline > now; });
    std::vector<std::unique_ptr<Transfer>> late(std::make_move_iterator(expired),
                                                std::make_move_iterator(waiting_.end()));
    waiting_.erase(expired, waiting_.end());
    for (const auto& call : late) {
      fail_call(*call, TransportError::Kind::timeout, "timed out while waiting for a free connection");
    }
  }

  void start_waiting() {
    while (!waiting_.empty() && active_.size() < static_cast<std::size_t>(config_.connections_max)) {
      auto call = std::move(waiting_.front());
      waiting_.pop_front();
      start(std::move(call));
    }
  }

  void start(std::unique_ptr<Transfer> call) {
    if (const auto part = unsafe_part(call->request); !part.empty()) {
      fail_call(*call, TransportError::Kind::connect, "not sent: the request's " + std::string(part) + " is malformed");
      return;
    }
    call->easy.reset(curl_easy_init());
    if (!call->easy || !prepare(*call, config_) || curl_multi_add_handle(multi_, call->easy.get()) != CURLM_OK) {
      fail_call(*call, TransportError::Kind::connect, "not sent: libcurl refused the request");
      return;
    }
    auto* handle = call->easy.get();
    active_.emplace(handle, std::move(call));
  }

  // True when a transfer ended, so that a waiting one may begin.
  bool finish_done() {
    bool any = false;
    int left = 0;
    while (const auto* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg == CURLMSG_DONE) {
        const auto code = message->data.result;
        const auto found = active_.find(message->easy_handle);
        const auto call = std::move(found->second);
        active_.erase(found);
        curl_multi_remove_handle(multi_, call->easy.get());
        answer(*call, result_of(*call, code, config_));
        any = true;
      }
    }
    return any;
  }

  void fail_call(Transfer& call, TransportError::Kind kind, const std::string& why) {
    answer(call, tl::unexpected(transport_error(kind, config_, why)));
  }

  static void answer(Transfer& call, HttpResult result) {
    try {
      call.reply(std::move(result));
    } catch (const std::exception& error) {
      log::error("a Stripe reply handler threw", {{"error", error.what()}});
    }
  }

  void answer_outstanding() {
    std::vector<std::unique_ptr<Transfer>> left;
    for (auto& [handle, call] : active_) {
      curl_multi_remove_handle(multi_, handle);
      left.push_back(std::move(call));
    }
    active_.clear();
    // A reply may send again: those are answered, too.
    for (take_submitted(); !waiting_.empty() || !left.empty(); take_submitted()) {
      std::move(waiting_.begin(), waiting_.end(), std::back_inserter(left));
      waiting_.clear();
      for (const auto& call : std::exchange(left, {})) {
        fail_call(*call, TransportError::Kind::shutting_down, "the server is stopping");
      }
    }
  }

  CurlTransportConfig config_;
  CURLM* multi_ = nullptr;
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;
  std::deque<std::unique_ptr<Transfer>> submitted_;  // behind the mutex; the rest is the thread's own

  std::deque<std::unique_ptr<Transfer>> waiting_;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> active_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Transport> make_curl_transport(CurlTransportConfig config) {
  return std::make_unique<CurlTransport>(std::move(config));
}

}  // namespace flexsync::stripe
