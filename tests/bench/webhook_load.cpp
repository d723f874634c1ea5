// Signed Stripe webhooks at full speed or at a given rate, over keep-alive connections; one thread, epoll.
//
// It shares the machine with what it measures, so it does little: a body is some pasted text, the signature one HMAC,
// the answer is read up to its status line and length. Prints one JSON object.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/hmac.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "visibility.hpp"
#include "webhook_events.hpp"

using namespace flexsync;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kSettleTimeout{60};

struct Options {
  std::uint16_t port = 8080;
  std::string targets;  // a file: "<path> <webhook secret>" a line, taken in turn
  int connections = 64;
  double rate = 0;        // requests a second; 0: as fast as answers come
  std::string watch_url;  // with it, when each event of the first target was applied is looked for there
  bench::EventOptions events;
};

struct Target {
  std::string path;
  std::string secret;
};

struct Connection {
  int fd = -1;
  std::string out;
  std::size_t sent = 0;
  std::string in;
  bool busy = false;
  Clock::time_point due;  // when the request should have left: queueing in the generator counts as latency
};

std::vector<Target> read_targets(const std::string& file) {
  std::ifstream in(file);
  std::vector<Target> targets;
  for (Target target; in >> target.path >> target.secret;) {
    targets.push_back(target);
  }
  if (targets.empty()) {
    throw std::runtime_error("no target in " + file + ": give one line \"<path> <webhook secret>\" or more");
  }
  return targets;
}

std::string hex(const unsigned char* bytes, unsigned length) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

class Generator {
 public:
  explicit Generator(const Options& options) : targets_(read_targets(options.targets)), events_(options.events) {}

  const Target& first_target() const { return targets_.front(); }
  std::string event_id(long n) const { return events_.id(n); }

  std::string request(long n) const {
    const auto& target = targets_[static_cast<std::size_t>(n) % targets_.size()];
    const auto body = events_.body(n);
    const auto time = std::to_string(std::time(nullptr));
    const std::string signed_text = time + "." + body;
    std::array<unsigned char, 32> digest{};
    unsigned length = 0;
    HMAC(EVP_sha256(), target.secret.data(), static_cast<int>(target.secret.size()),
         reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(), digest.data(), &length);
    return "POST " + target.path +
           " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nStripe-Signature: t=" + time +
           ",v1=" + hex(digest.data(), length) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  }

 private:
  std::vector<Target> targets_;
  bench::WebhookEvents events_;
};

// ".../stripe/<tenant>/<environment>"
std::unique_ptr<bench::Visibility> watch(const std::string& url, const std::string& path) {
  const auto slash = path.rfind('/');
  const auto before = path.rfind('/', slash - 1);
  return std::make_unique<bench::Visibility>(url, path.substr(before + 1, slash - before - 1), path.substr(slash + 1));
}

// In milliseconds, as members of a JSON object; the name says of what.
void print_latencies(const char* name, std::vector<long> micros) {
  std::sort(micros.begin(), micros.end());
  const auto at = [&](double share) {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(micros.size() - 1));
    return micros.empty() ? 0.0 : static_cast<double>(micros[index]) / 1000.0;
  };
  std::printf(",\"%sp50_ms\":%.3f,\"%sp99_ms\":%.3f,\"%sp999_ms\":%.3f,\"%smax_ms\":%.3f", name, at(0.5), name,
              at(0.99), name, at(0.999), name, at(1));
}

class Load {
 public:
  explicit Load(const Options& options) : options_(options), generator_(options), epoll_(epoll_create1(0)) {
    latencies_.reserve(static_cast<std::size_t>(options.events.count));
    if (!options.watch_url.empty()) {
      visibility_ = watch(options.watch_url, generator_.first_target().path);
    }
  }

  void run() {
    connections_.resize(static_cast<std::size_t>(options_.connections));
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      open(i);
    }
    begin_ = Clock::now();
    for (auto& connection : connections_) {
      start_next(connection);
    }
    std::array<epoll_event, 64> events{};
    while (answered_ < options_.events.count) {
      const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms());
      for (int i = 0; i < ready; ++i) {
        receive(connections_[events[static_cast<std::size_t>(i)].data.u32]);
      }
      if (options_.rate > 0) {
        start_due();
      }
    }
    end_ = Clock::now();
    if (visibility_ && !visibility_->wait(kSettleTimeout)) {
      throw std::runtime_error("some events were not settled in time");
    }
  }

  void report() {
    const double seconds = std::chrono::duration<double>(end_ - begin_).count();
    std::printf("{\"requests\":%ld,\"ok\":%ld,\"seconds\":%.3f,\"per_second\":%.0f", answered_, ok_, seconds,
                static_cast<double>(answered_) / seconds);
    print_latencies("", latencies_);
    if (visibility_) {
      std::printf(",\"applied\":%zu,\"settled_otherwise\":%ld", visibility_->latencies().size(), visibility_->others());
      print_latencies("visible_", visibility_->latencies());
    }
    std::printf("}\n");
  }

  bool all_ok() const { return ok_ == options_.events.count; }

 private:
  void open(std::size_t index) {
    auto& connection = connections_[index];
    connection.fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect to 127.0.0.1:" + std::to_string(options_.port));
    }
    const int on = 1;
    setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = static_cast<std::uint32_t>(index);
    epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  }

  Clock::time_point due(long n) const {
    return begin_ + std::chrono::duration_cast<Clock::duration>(
                        std::chrono::duration<double>(static_cast<double>(n) / options_.rate));
  }

  // In turn, so that none is idle for so long that the server closes it.
  void start_due() {
    for (std::size_t tries = 0; tries < connections_.size() && started_ < options_.events.count; ++tries) {
      next_ = (next_ + 1) % connections_.size();
      if (due(started_) > Clock::now()) {
        return;
      }
      start_next(connections_[next_]);
    }
  }

  int wait_ms() const { return options_.rate > 0 ? 1 : 1000; }

  void start_next(Connection& connection) {
    if (connection.busy || started_ >= options_.events.count) {
      return;
    }
    const auto now = Clock::now();
    connection.due = options_.rate > 0 ? due(started_) : now;
    if (connection.due > now) {
      return;
    }
    connection.busy = true;
    if (visibility_) {
      visibility_->sent(generator_.event_id(started_), connection.due);
    }
    connection.out = generator_.request(started_++);
    for (std::size_t sent = 0; sent < connection.out.size();) {
      const auto n = write(connection.fd, connection.out.data() + sent, connection.out.size() - sent);
      if (n <= 0) {
        throw std::runtime_error("the server closed a connection while it was written to");
      }
      sent += static_cast<std::size_t>(n);
    }
  }

  void receive(Connection& connection) {
    std::array<char, 4096> buffer{};
    const auto n = read(connection.fd, buffer.data(), buffer.size());
    if (n <= 0) {
      throw std::runtime_error("the server closed a connection before it answered");
    }
    connection.in.append(buffer.data(), static_cast<std::size_t>(n));
    const auto head = connection.in.find("\r\n\r\n");
    if (head == std::string::npos) {
      return;
    }
    const auto field = connection.in.find("Content-Length: ");
    const auto length = field < head ? std::strtoul(connection.in.c_str() + field + 16, nullptr, 10) : 0;
    if (connection.in.size() < head + 4 + length) {
      return;
    }
    ok_ += connection.in.compare(9, 3, "200") == 0 ? 1 : 0;
    ++answered_;
    latencies_.push_back(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - connection.due).count());
    connection.in.clear();
    connection.busy = false;
    start_next(connection);
  }

  const Options& options_;
  Generator generator_;
  std::unique_ptr<bench::Visibility> visibility_;
  int epoll_;
  std::vector<Connection> connections_;
  std::vector<long> latencies_;
  std::size_t next_ = 0;  // the connection whose turn it was last
  long started_ = 0;
  long answered_ = 0;
  long ok_ = 0;
  Clock::time_point begin_;
  Clock::time_point end_;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App cli{"Sends signed Stripe webhooks to a Flexsync on loopback and measures the acknowledgements."};
  cli.add_option("--port", options.port)->required();
  cli.add_option("--targets", options.targets, "file: \"<path> <webhook secret>\" a line")->required();
  cli.add_option("--connections", options.connections);
  cli.add_option("--count", options.events.count);
  cli.add_option("--rate", options.rate, "requests a second; 0: as fast as possible");
  cli.add_option("--body-bytes", options.events.body_bytes);
  cli.add_option("--customers", options.events.customers, "distinct ones");
  cli.add_option("--prefix", options.events.prefix, "of all ids");
  cli.add_flag("--mixed", options.events.mixed, "products, prices, customers and their subscriptions");
  cli.add_option("--watch-url", options.watch_url, "database in which to look for what was applied");
  CLI11_PARSE(cli, argc, argv);
  try {
    Load load(options);
    load.run();
    load.report();
    return load.all_ok() ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << "webhook_load: " << e.what() << '\n';
    return 1;
  }
}
