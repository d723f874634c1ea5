#include "http/server.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <optional>
#include <utility>

#include "http/connection.hpp"
#include "http/dispatcher.hpp"
#include "http/io_thread.hpp"
#include "http/resources/resources.hpp"
#include "telemetry/log.hpp"

namespace flexsync::http {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr int kAdminWorkers = 1;  // of their own: a health check never waits behind the API's reads
constexpr std::size_t kAdminQueueMax = 16;
constexpr int kAcceptBacklog = 1024;
constexpr auto kAcceptPause = std::chrono::milliseconds(50);  // when the process is out of file descriptors

using Threads = std::vector<std::shared_ptr<IoThread>>;

Result<tcp::endpoint> endpoint_of(const std::string& setting, const std::string& address, std::uint16_t port) {
  error_code error;
  const auto ip = asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, error);
  if (error) {
    return fail(ErrorCode::validation_error, setting + ": \"" + address + "\" is not an IP address");
  }
  return tcp::endpoint(ip, port);
}

// Accepts on the first thread and hands the connections round.
class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(Threads threads, Listener& listener)
      : threads_(std::move(threads)),
        listener_(listener),
        acceptor_(threads_.front()->context()),
        pause_(threads_.front()->context()) {}

  Result<std::uint16_t> bind(const tcp::endpoint& endpoint) {
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) {
      acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
      acceptor_.bind(endpoint, error);
    }
    if (!error) {
      acceptor_.listen(kAcceptBacklog, error);
    }
    if (error) {
      return fail(ErrorCode::validation_error, "cannot listen on " + endpoint.address().to_string() + ":" +
                                                   std::to_string(endpoint.port()) + ": " + error.message());
    }
    return acceptor_.local_endpoint(error).port();
  }

  // The rest on the first thread.
  void accept() {
    const auto& thread = threads_[next_++ % threads_.size()];
    acceptor_.async_accept(thread->context(),
                           [self = shared_from_this(), thread](error_code error, tcp::socket socket) {
                             self->on_accept(error, thread, std::move(socket));
                           });
  }

  void close() {
    error_code error;
    acceptor_.close(error);
    pause_.cancel();
  }

 private:
  void on_accept(error_code error, const std::shared_ptr<IoThread>& thread, tcp::socket socket) {
    if (!acceptor_.is_open()) {
      return;
    }
    if (error) {
      log::warn("cannot accept a connection", {{"error", error.message()}});
      pause_.expires_after(kAcceptPause);
      pause_.async_wait([self = shared_from_this()](error_code) {
        if (self->acceptor_.is_open()) {
          self->accept();
        }
      });
      return;
    }
    if (listener_.connections.fetch_add(1) >= listener_.connections_max) {
      listener_.release();  // the socket closes as it goes
    } else {
      asio::post(thread->context(), [&io = *thread, &listener = listener_, socket = std::move(socket)]() mutable {
        open_connection(io, std::move(socket), listener);
      });
    }
    accept();
  }

  Threads threads_;
  Listener& listener_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::size_t next_ = 0;
};

template <class T>
std::optional<Error> problem_of(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error());
}

// A quarter of the shortest timeout, so that each is kept to within that.
std::chrono::milliseconds sweep_interval(const ServerConfig& config) {
  const int shortest = std::min({config.header_timeout_ms, config.body_timeout_ms, config.answer_timeout_ms,
                                 config.write_timeout_ms, config.idle_timeout_ms, config.linger_timeout_ms});
  return std::chrono::milliseconds(std::clamp(shortest / 4, 5, 250));
}

}  // namespace

struct Server::Impl {
  Impl(ServerConfig wanted, Ports given) : config(std::move(wanted)), ports(given) {}

  Result<void> start();
  void run_on(IoThread& thread, std::function<void()> work);

  const ServerConfig config;
  Ports ports;
  std::atomic<bool> draining = false;
  std::optional<WorkerPool> workers;
  std::optional<WorkerPool> admin_workers;
  std::optional<Dispatcher> public_dispatcher;
  std::optional<Dispatcher> admin_dispatcher;
  std::optional<Listener> public_listener;
  std::optional<Listener> admin_listener;
  Threads threads;
  std::shared_ptr<Acceptor> public_acceptor;
  std::shared_ptr<Acceptor> admin_acceptor;
  std::uint16_t port = 0;
  std::uint16_t admin_port = 0;
  bool started = false;
};

Result<void> Server::Impl::start() {
  const auto endpoint = endpoint_of("http.address", config.address, config.port);
  const auto admin_endpoint = endpoint_of("admin.address", config.admin_address, config.admin_port);
  auto proxies = NetworkList::parse(config.trusted_proxies, "http.trusted_proxies");
  auto allow_list = NetworkList::parse(config.webhook_ip_allow_list, "http.webhook_ip_allow_list");
  const std::optional<Error> problems[] = {problem_of(endpoint), problem_of(admin_endpoint), problem_of(proxies),
                                           problem_of(allow_list)};
  for (const auto& problem : problems) {
    if (problem) {
      return tl::unexpected(*problem);
    }
  }
  if (!endpoint->address().is_loopback() && !config.allow_plaintext) {
    return fail(ErrorCode::validation_error,
                "http.address " + config.address +
                    " is not a loopback address and the server speaks no TLS: put a proxy that terminates TLS in front "
                    "and set http.allow_plaintext, or listen on 127.0.0.1");
  }
  threads.clear();
  workers.emplace(config.worker_threads, config.worker_queue_max);
  admin_workers.emplace(kAdminWorkers, kAdminQueueMax);
  public_dispatcher.emplace(public_routes(config, ports), *workers, ports.authenticator, std::move(*proxies),
                            std::move(*allow_list));
  admin_dispatcher.emplace(admin_routes(ports, draining), *admin_workers, ports.authenticator, NetworkList{},
                           NetworkList{});
  public_listener.emplace(config, *public_dispatcher, ports.clock, ports.metrics.http_connections("public"),
                          config.connections_max);
  admin_listener.emplace(config, *admin_dispatcher, ports.clock, ports.metrics.http_connections("admin"),
                         config.admin_connections_max);
  for (int i = 0; i < std::max(config.io_threads, 1); ++i) {
    threads.push_back(std::make_shared<IoThread>(ports.clock, sweep_interval(config)));
  }
  public_acceptor = std::make_shared<Acceptor>(threads, *public_listener);
  admin_acceptor = std::make_shared<Acceptor>(threads, *admin_listener);
  const auto bound = public_acceptor->bind(*endpoint);
  const auto admin_bound = admin_acceptor->bind(*admin_endpoint);
  if (!bound || !admin_bound) {
    return tl::unexpected(bound ? admin_bound.error() : bound.error());
  }
  port = *bound;
  admin_port = *admin_bound;
  for (const auto& thread : threads) {
    thread->start();
  }
  started = true;
  threads.front()->post([this] {
    public_acceptor->accept();
    admin_acceptor->accept();
  });
  return {};
}

void Server::Impl::run_on(IoThread& thread, std::function<void()> work) {
  std::promise<void> done;
  thread.post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

Server::Server(ServerConfig config, Ports ports) : impl_(std::make_unique<Impl>(std::move(config), ports)) {}

Server::~Server() {
  stop();
}

Result<void> Server::start() {
  auto started = impl_->start();
  if (started) {
    log::info("http server listens", {{"address", impl_->config.address},
                                      {"port", impl_->port},
                                      {"admin_address", impl_->config.admin_address},
                                      {"admin_port", impl_->admin_port}});
  }
  return started;
}

std::uint16_t Server::port() const {
  return impl_->port;
}

std::uint16_t Server::admin_port() const {
  return impl_->admin_port;
}

bool Server::drain(std::chrono::milliseconds deadline) {
  auto& impl = *impl_;
  if (!impl.started) {
    return true;
  }
  const auto until = std::chrono::steady_clock::now() + deadline;
  impl.draining = true;
  impl.public_listener->draining = true;
  impl.run_on(*impl.threads.front(), [&] { impl.public_acceptor->close(); });
  for (const auto& thread : impl.threads) {
    thread->post([&io = *thread] { io.sweep_now(); });
  }
  return impl.public_listener->wait_until_empty(until);
}

void Server::stop() {
  auto& impl = *impl_;
  if (!impl.started) {
    return;
  }
  impl.started = false;
  impl.draining = true;
  impl.run_on(*impl.threads.front(), [&] {
    impl.public_acceptor->close();
    impl.admin_acceptor->close();
  });
  impl.workers->stop();
  impl.admin_workers->stop();
  for (const auto& thread : impl.threads) {
    thread->stop();
  }
  impl.public_acceptor.reset();
  impl.admin_acceptor.reset();
}

}  // namespace flexsync::http
