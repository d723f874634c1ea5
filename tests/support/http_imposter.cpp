#include "support/http_imposter.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cctype>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace flexsync::test {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

enum class Answer : std::uint8_t { reply, reset, raw };

struct Step {
  Answer answer = Answer::reply;
  int status = 0;
  std::string body;
  Headers headers;
  std::chrono::milliseconds delay{0};
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

SeenRequest seen(const http::request<http::string_body>& request) {
  SeenRequest result{std::string(request.method_string()), std::string(request.target()), {}, request.body()};
  for (const auto& field : request) {
    result.headers[lower(std::string(field.name_string()))] = std::string(field.value());
  }
  return result;
}

}  // namespace

struct HttpImposter::Route::Script {
  std::mutex mutex;
  std::vector<Step> steps;
  std::size_t next = 0;
  std::chrono::milliseconds delay{0};  // belongs to the step that is added next

  void add(Step step) {
    const std::lock_guard lock(mutex);
    step.delay = std::exchange(delay, std::chrono::milliseconds{0});
    steps.push_back(std::move(step));
  }

  Step take() {
    const std::lock_guard lock(mutex);
    if (steps.empty()) {
      return {Answer::reply, 501, "the imposter has a route, but no answer for it", {}, {}};
    }
    const auto at = std::min(next, steps.size() - 1);
    ++next;
    return steps[at];
  }
};

struct HttpImposter::Server {
  asio::io_context context;
  tcp::acceptor acceptor{context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  bool stopping = false;
  std::map<std::string, std::shared_ptr<Route::Script>> routes;
  std::vector<SeenRequest> requests;
  std::size_t connections = 0;
  std::list<tcp::socket> sockets;
  std::vector<std::thread> sessions;
  std::thread accepting;

  Server() {
    accepting = std::thread([this] { accept(); });
  }

  ~Server() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
      // From another thread, shutdown() ends a blocked accept() and read(); close() would not.
      ::shutdown(acceptor.native_handle(), SHUT_RDWR);
      for (auto& socket : sockets) {
        ::shutdown(socket.native_handle(), SHUT_RDWR);
      }
    }
    changed.notify_all();
    accepting.join();
    for (auto& session : sessions) {
      session.join();
    }
  }

  void accept() {
    for (;;) {
      boost::system::error_code failure;
      tcp::socket socket(context);
      acceptor.accept(socket, failure);
      const std::lock_guard lock(mutex);
      if (stopping || failure) {
        return;
      }
      ++connections;
      sockets.push_back(std::move(socket));
      sessions.emplace_back([this, at = std::prev(sockets.end())] { serve(at); });
    }
  }

  void serve(std::list<tcp::socket>::iterator socket) {
    boost::beast::flat_buffer buffer;
    for (bool open = true; open;) {
      boost::system::error_code failure;
      http::request<http::string_body> request;
      http::read(*socket, buffer, request, failure);
      open = !failure && handle(*socket, request);
    }
    const std::lock_guard lock(mutex);
    sockets.erase(socket);
  }

  // False when the connection is over.
  bool handle(tcp::socket& socket, const http::request<http::string_body>& request) {
    const auto step = script_for(request)->take();
    {
      std::unique_lock lock(mutex);
      requests.push_back(seen(request));
      changed.notify_all();
      changed.wait_for(lock, step.delay, [this] { return stopping; });
      if (stopping) {
        return false;
      }
    }
    boost::system::error_code failure;
    switch (step.answer) {
      case Answer::reset:
        socket.set_option(asio::socket_base::linger(true, 0), failure);
        return false;
      case Answer::raw:
        asio::write(socket, asio::buffer(step.body), failure);
        return false;
      case Answer::reply:
        break;
    }
    http::response<http::string_body> response(static_cast<http::status>(step.status), request.version());
    response.set(http::field::content_type, "application/json");
    for (const auto& [name, value] : step.headers) {
      response.set(name, value);
    }
    response.body() = step.body;
    response.keep_alive(request.keep_alive());
    response.prepare_payload();
    http::write(socket, response, failure);
    return !failure && response.keep_alive();
  }

  std::shared_ptr<Route::Script> script_for(const http::request<http::string_body>& request) {
    const std::lock_guard lock(mutex);
    const auto found = routes.find(std::string(request.method_string()) + " " + std::string(request.target()));
    return found == routes.end() ? std::make_shared<Route::Script>() : found->second;
  }
};

HttpImposter::Route::Route(std::shared_ptr<Script> script) : script_(std::move(script)) {}

HttpImposter::Route& HttpImposter::Route::then_reply(int status, std::string body, Headers headers) {
  script_->add({Answer::reply, status, std::move(body), std::move(headers), {}});
  return *this;
}

HttpImposter::Route& HttpImposter::Route::then_delay(std::chrono::milliseconds delay) {
  const std::lock_guard lock(script_->mutex);
  script_->delay += delay;
  return *this;
}

HttpImposter::Route& HttpImposter::Route::then_reset() {
  script_->add({Answer::reset, 0, {}, {}, {}});
  return *this;
}

HttpImposter::Route& HttpImposter::Route::then_raw(std::string bytes) {
  script_->add({Answer::raw, 0, std::move(bytes), {}, {}});
  return *this;
}

HttpImposter::HttpImposter() : server_(std::make_unique<Server>()) {}

HttpImposter::~HttpImposter() = default;

std::string HttpImposter::url() const {
  return "http://127.0.0.1:" + std::to_string(port());
}

std::uint16_t HttpImposter::port() const {
  return server_->acceptor.local_endpoint().port();
}

HttpImposter::Route HttpImposter::when(const std::string& method, const std::string& target) {
  auto script = std::make_shared<Route::Script>();
  const std::lock_guard lock(server_->mutex);
  server_->routes[method + " " + target] = script;
  return Route(std::move(script));
}

std::vector<SeenRequest> HttpImposter::requests() const {
  const std::lock_guard lock(server_->mutex);
  return server_->requests;
}

std::vector<std::string> HttpImposter::order() const {
  std::vector<std::string> lines;
  for (const auto& request : requests()) {
    lines.push_back(request.method + " " + request.target);
  }
  return lines;
}

std::size_t HttpImposter::connections() const {
  const std::lock_guard lock(server_->mutex);
  return server_->connections;
}

bool HttpImposter::wait_for_requests(std::size_t count, std::chrono::milliseconds timeout) const {
  std::unique_lock lock(server_->mutex);
  return server_->changed.wait_for(lock, timeout, [&] { return server_->requests.size() >= count; });
}

}  // namespace flexsync::test
