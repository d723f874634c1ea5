#include "stripe_sim/server.hpp"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

namespace stripe_sim {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

namespace {

constexpr std::size_t kBodyBytesMax = 8 * 1024 * 1024;
constexpr std::uint32_t kHeaderBytesMax = 64 * 1024;
constexpr std::chrono::seconds kIdleConnectionMax{120};
constexpr std::chrono::seconds kWriteMax{60};

HttpRequest to_request(const http::request<http::string_body>& message, bool from_loopback) {
  HttpRequest request;
  request.method = message.method_string();
  const std::string target(message.target());
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  request.query = mark == std::string::npos ? std::string() : target.substr(mark + 1);
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request.headers[name] = field.value();
  }
  request.body = message.body();
  request.from_loopback = from_loopback;
  return request;
}

http::response<http::string_body> to_response(Answer answer, bool keep_alive) {
  http::response<http::string_body> response;
  response.version(11);
  response.result(static_cast<unsigned>(answer.status));
  response.set(http::field::server, "stripe-sim");
  response.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : answer.headers) {
    response.set(name, value);
  }
  response.keep_alive(keep_alive);
  response.body() = std::move(answer.body);
  response.prepare_payload();
  return response;
}

// The handler may answer on any thread and at any time; the coroutine goes on upon its own executor.
asio::awaitable<Answer> ask(const Server::Handler& handler, HttpRequest request) {
  const auto executor = co_await asio::this_coro::executor;
  auto start = [&handler, executor](auto completion, HttpRequest given) {
    auto shared = std::make_shared<decltype(completion)>(std::move(completion));
    handler(std::move(given), [shared, executor](Answer answer) {
      asio::post(executor, [shared, answer = std::move(answer)]() mutable { std::move (*shared)(std::move(answer)); });
    });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Answer)>(start, asio::use_awaitable,
                                                                                       std::move(request));
}

// Reset, not closed: the other side sees "connection reset by peer".
void reset_connection(tcp::socket& socket) {
  beast::error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

asio::awaitable<void> serve(tcp::socket socket, const Server::Handler& handler) {
  beast::error_code error;
  socket.set_option(tcp::no_delay(true), error);
  const bool from_loopback = socket.remote_endpoint(error).address().is_loopback();
  beast::tcp_stream stream(std::move(socket));
  beast::flat_buffer buffer;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  while (true) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kBodyBytesMax);
    parser.header_limit(kHeaderBytesMax);
    stream.expires_after(kIdleConnectionMax);
    co_await http::async_read(stream, buffer, parser, token);
    if (error) {
      break;
    }
    stream.expires_never();
    const bool keep_alive = parser.get().keep_alive();
    Answer answer = co_await ask(handler, to_request(parser.get(), from_loopback));
    while (answer.then) {
      asio::steady_timer timer(stream.get_executor(), std::chrono::milliseconds(answer.delay_ms));
      co_await timer.async_wait(token);
      // Kept aside: the new answer replaces the one that holds the function.
      const std::function<Answer()> then = std::move(answer.then);
      answer = then();
    }
    if (answer.reset) {
      reset_connection(stream.socket());
      co_return;
    }
    auto response = to_response(std::move(answer), keep_alive);
    stream.expires_after(kWriteMax);
    co_await http::async_write(stream, response, token);
    if (error || !keep_alive) {
      break;
    }
  }
  stream.socket().shutdown(tcp::socket::shutdown_both, error);
}

asio::awaitable<void> accept(tcp::acceptor& acceptor, const Server::Handler& handler) {
  while (true) {
    beast::error_code error;
    // A strand of its own for each connection: Beast's stream times reads out from another handler.
    tcp::socket socket = co_await acceptor.async_accept(asio::make_strand(acceptor.get_executor()),
                                                        asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) {
      co_return;
    }
    if (!error) {
      const auto executor = socket.get_executor();
      asio::co_spawn(executor, serve(std::move(socket), handler), asio::detached);
    }
  }
}

}  // namespace

struct Server::State {
  explicit State(int thread_count) : context(thread_count), acceptor(context) {}

  asio::io_context context;
  tcp::acceptor acceptor;
  Handler handler;
  std::vector<std::thread> threads;
};

Server::Server(const std::string& address, std::uint16_t port, int threads, Handler handler)
    : state_(std::make_unique<State>(threads)) {
  state_->handler = std::move(handler);
  try {
    const tcp::endpoint endpoint(asio::ip::make_address(address), port);
    state_->acceptor.open(endpoint.protocol());
    state_->acceptor.set_option(asio::socket_base::reuse_address(true));
    state_->acceptor.bind(endpoint);
    state_->acceptor.listen();
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error("cannot listen on " + address + ":" + std::to_string(port) + ": " +
                             error.code().message() + "; choose another --address or --port (0: any free one)");
  }
  asio::co_spawn(state_->context, accept(state_->acceptor, state_->handler), asio::detached);
  for (int i = 0; i < threads; ++i) {
    state_->threads.emplace_back([this] { state_->context.run(); });
  }
}

Server::~Server() {
  stop();
}

std::uint16_t Server::port() const {
  return state_->acceptor.local_endpoint().port();
}

void Server::stop() {
  state_->context.stop();
  for (std::thread& thread : state_->threads) {
    thread.join();
  }
  state_->threads.clear();
}

}  // namespace stripe_sim
