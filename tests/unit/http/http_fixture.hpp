// A running server over fake ports, and a client that speaks raw bytes: what a test sends is what it says.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/server.hpp"
#include "support/fake_ports.hpp"

namespace flexsync::test {

struct HttpReply {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  nlohmann::json json() const { return nlohmann::json::parse(body); }
  nlohmann::json error() const { return json().at("error"); }
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

// A connection to the server. Reading gives up after ten seconds: a test fails instead of hanging.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(socket_); }

  bool connected() const { return connected_; }

  void send(std::string_view bytes) {
    sync_point();
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return;  // closed by the server: the reading side tells
      }
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  HttpReply read_reply(bool has_body = true) {
    HttpReply reply;
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      receive();
    }
    parse_head(buffer_.substr(0, end), reply);
    buffer_.erase(0, end + 4);
    const auto length = static_cast<std::size_t>(std::strtoull(reply.header("content-length").c_str(), nullptr, 10));
    while (has_body && buffer_.size() < length) {
      receive();
    }
    reply.body = buffer_.substr(0, has_body ? length : 0);
    buffer_.erase(0, reply.body.size());
    sync_point();
    return reply;
  }

  // True when the server has closed and said nothing more.
  bool is_closed() {
    char byte = 0;
    return buffer_.empty() && ::recv(socket_, &byte, 1, 0) == 0;
  }

 private:
  void receive() {
    char bytes[16 * 1024];
    const auto size = ::recv(socket_, bytes, sizeof bytes, 0);
    if (size <= 0) {
      throw std::runtime_error("the server closed, or was silent for ten seconds, before the answer was whole");
    }
    buffer_.append(bytes, static_cast<std::size_t>(size));
  }

  static void parse_head(const std::string& head, HttpReply& reply) {
    reply.status = std::atoi(head.substr(std::string_view("HTTP/1.1 ").size()).c_str());
    for (auto line = head.find("\r\n"); line != std::string::npos;) {
      const auto next = head.find("\r\n", line + 2);
      const auto text = head.substr(line + 2, next == std::string::npos ? next : next - line - 2);
      auto name = text.substr(0, text.find(':'));
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      reply.headers[name] = text.substr(text.find(':') + 2);
      line = next;
    }
  }

  int socket_;
  bool connected_ = false;
  std::string buffer_;
};

inline std::string request_text(const std::string& method, const std::string& target, const std::string& headers,
                                const std::string& body) {
  return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers +
         (body.empty() && method == "GET" ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") + "\r\n" +
         body;
}

inline constexpr const char* kWebhookPath = "/v1/webhooks/stripe/tenant_01/env_01";
inline const std::string kSigned = "Stripe-Signature: t=1,v1=00\r\n";

inline std::string webhook(const std::string& body, const std::string& headers = {}) {
  return request_text("POST", kWebhookPath, kSigned + headers, body);
}

// Holds whoever passes until it is opened.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void wait_for(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= count; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

// Takes webhooks and keeps their replies until the test wants them answered.
struct HeldWebhooks {
  explicit HeldWebhooks(FakeIntake& intake) {
    intake.on_store = [this](const IncomingEvent&, FakeIntake::Reply reply) {
      const std::lock_guard lock(mutex);
      replies.push_back(std::move(reply));
      changed.notify_all();
    };
  }
  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return replies.size() >= count; });
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<FakeIntake::Reply> replies;
};

struct HttpFixture {
  FakeVerifier verifier;
  FakeIntake intake;
  FakeQueries queries;
  FakeCatalogQueries catalog;
  FakeDeadLetterCommands dead_letters;
  FakeProvisioning provisioning;
  FakeAuthenticator authenticator;
  FakeReadiness readiness;
  FakeCustomerCommands customer_commands;
  FakeUsageIntake usage_intake;
  FakeUsageQueries usage_queries;
  FakeMeterCommands meter_commands;
  Metrics metrics;
  ManualClock clock{kNow};
  http::ServerConfig config = small_config();
  std::unique_ptr<http::Server> server;

  static http::ServerConfig small_config() {
    http::ServerConfig config;
    config.port = 0;
    config.admin_port = 0;
    config.worker_threads = 2;
    return config;
  }

  http::Ports ports() {
    return {verifier,      intake,    queries,           catalog,      dead_letters,  provisioning,
            authenticator, readiness, customer_commands, usage_intake, usage_queries, meter_commands,
            metrics,       clock};
  }

  http::Server& start() {
    server = std::make_unique<http::Server>(config, ports());
    const auto started = server->start();
    if (!started) {
      throw std::runtime_error(started.error().message);
    }
    return *server;
  }

  std::uint16_t port() {
    if (!server) {
      start();
    }
    return server->port();
  }

  // One request on a connection of its own.
  HttpReply send(const std::string& method, const std::string& target, const std::string& headers = {},
                 const std::string& body = {}) {
    RawClient client(port());
    client.send(request_text(method, target, headers, body));
    return client.read_reply();
  }

  HttpReply as_admin(const std::string& method, const std::string& target, const std::string& body = {}) {
    return send(method, target, std::string("x-api-key: ") + kAdminKey + "\r\n", body);
  }

  HttpReply as_key(const std::string& method, const std::string& target, const std::string& body = {}) {
    return send(method, target, std::string("x-api-key: ") + kApiKey + "\r\n", body);
  }

  HttpReply admin_get(const std::string& target) {
    port();
    RawClient client(server->admin_port());
    client.send(request_text("GET", target, "", ""));
    return client.read_reply();
  }
};

}  // namespace flexsync::test
