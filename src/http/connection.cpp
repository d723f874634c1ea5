#include "http/connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <optional>
#include <utility>

#include "domain/ulid.hpp"
#include "http/error_body.hpp"
#include "http/request_parser.hpp"
#include "http/response_head.hpp"

namespace flexsync::http {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using beast::error_code;
using std::chrono::steady_clock;

constexpr std::size_t kHeaderReadSize = 8 * 1024;
constexpr std::size_t kBodyReadSize = 64 * 1024;
constexpr std::size_t kIdleBufferSizeMax = 16 * 1024;  // what an idle connection may keep

Response too_large(std::size_t limit) {
  return error_response(Error{
      ErrorCode::payload_too_large, "The body is larger than the limit of " + std::to_string(limit) + " bytes", {}});
}

class Connection final : public Session, public std::enable_shared_from_this<Connection> {
 public:
  Connection(IoThread& thread, asio::ip::tcp::socket socket, Listener& listener)
      : thread_(thread),
        socket_(std::move(socket)),
        listener_(listener),
        config_(listener.config),
        buffer_(config_.header_size_max + kBodyReadSize) {}

  void open();
  void sweep(Deadline now) override;
  void abort() override { close(); }

 private:
  // idle: between requests. answering: a handler has the request. lingering: all is said, the client closes.
  enum class Phase : std::uint8_t { idle, header, body, answering, writing, lingering, closed };

  void enter(Phase phase, int timeout_ms);
  void read();
  void on_read(error_code error, std::size_t size);
  void parse();
  void start_request();
  bool on_header();
  bool take_body();
  void on_request();
  void refuse(Response response);
  void refuse(error_code error);
  void answer(Response response);
  void on_written(error_code error);
  void linger();
  void close();

  IoThread& thread_;
  asio::ip::tcp::socket socket_;
  Listener& listener_;
  const ServerConfig& config_;
  beast::flat_buffer buffer_;
  std::string peer_;

  Phase phase_ = Phase::idle;
  Deadline deadline_;
  bool reading_ = false;  // one read is under way; never two
  bool closing_ = false;  // no request after this one

  // Of the request at hand.
  std::optional<RequestParser> parser_;
  Deadline started_;
  Admission admission_;
  RouteStats* stats_ = nullptr;
  std::string request_id_;
  std::weak_ptr<Exchange> exchange_;
  std::string head_;
  std::string body_;
};

void Connection::open() {
  error_code error;
  socket_.non_blocking(true, error);
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
  const auto endpoint = socket_.remote_endpoint(error);
  listener_.open_connections.Increment();
  if (error) {  // gone already
    close();
    return;
  }
  peer_ = endpoint.address().to_string();
  thread_.add(shared_from_this());
  if (phase_ == Phase::closed) {  // the server stopped meanwhile
    return;
  }
  enter(Phase::idle, config_.header_timeout_ms);
  read();
}

void Connection::enter(Phase phase, int timeout_ms) {
  phase_ = phase;
  deadline_ = steady_clock::now() + std::chrono::milliseconds(timeout_ms);
}

void Connection::read() {
  const auto wanted = phase_ == Phase::body ? kBodyReadSize : kHeaderReadSize;
  const auto room = std::min(wanted, buffer_.max_size() - buffer_.size());
  if (room == 0) {  // a chunk's header without end
    refuse(beast::http::error::buffer_overflow);
    return;
  }
  reading_ = true;
  socket_.async_read_some(buffer_.prepare(room), [self = shared_from_this()](error_code error, std::size_t size) {
    self->on_read(error, size);
  });
}

void Connection::on_read(error_code error, std::size_t size) {
  reading_ = false;
  if (phase_ == Phase::closed || phase_ == Phase::writing) {
    return;  // a request that was refused while it still arrived
  }
  if (error) {
    close();
    return;
  }
  if (phase_ == Phase::lingering) {
    read();  // into the same room: what comes now is dropped
    return;
  }
  buffer_.commit(size);
  parse();
}

void Connection::parse() {
  for (;;) {
    if (phase_ == Phase::idle) {
      start_request();
    }
    if (buffer_.size() == 0) {
      read();
      return;
    }
    error_code error;
    buffer_.consume(parser_->put(buffer_.cdata(), error));
    if (error == beast::http::error::need_more) {
      read();
      return;
    }
    if (error) {
      refuse(error);
      return;
    }
    if (phase_ == Phase::header && parser_->is_header_done() && !on_header()) {
      return;
    }
    if (parser_->is_done()) {
      on_request();
      return;
    }
  }
}

void Connection::start_request() {
  // Empty lines between requests are allowed for old clients (RFC 9112, 2.2).
  const auto data = buffer_.cdata();
  const auto* text = static_cast<const char*>(data.data());
  std::size_t empty = 0;
  while (empty < data.size() && (text[empty] == '\r' || text[empty] == '\n')) {
    ++empty;
  }
  buffer_.consume(empty);
  if (buffer_.size() == 0) {
    return;
  }
  parser_.emplace(config_.header_size_max);
  request_id_.clear();
  admission_ = {};
  stats_ = &listener_.dispatcher.unmatched();
  started_ = steady_clock::now();
  enter(Phase::header, config_.header_timeout_ms);
}

// False when the request goes no further.
bool Connection::on_header() {
  auto& request = parser_->request;
  if (!is_valid_request_id(request.request_id)) {
    request.request_id = new_id_text(prefix::kRequest, listener_.clock.now());
  }
  if (!is_valid_traceparent(request.traceparent)) {
    request.traceparent.clear();
  }
  request_id_ = request.request_id;
  request.client = peer_;
  closing_ = closing_ || !parser_->keep_alive();
  admission_ = listener_.dispatcher.admit(request);
  stats_ = admission_.stats;
  if (admission_.refusal) {
    refuse(std::move(*admission_.refusal));
    return false;
  }
  return parser_->is_done() || take_body();
}

// The body's size is judged by what the headers announce; a chunked one while it comes.
bool Connection::take_body() {
  if (parser_->content_length().value_or(0) > admission_.body_size_max) {
    refuse(too_large(admission_.body_size_max));
    return false;
  }
  parser_->body_limit(admission_.body_size_max);
  enter(Phase::body, config_.body_timeout_ms);
  if (parser_->expects_continue && buffer_.size() == 0) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    error_code error;  // the client sends its body soon in any case
    socket_.send(asio::buffer(kContinue.data(), kContinue.size()), 0, error);
  }
  return true;
}

void Connection::on_request() {
  enter(Phase::answering, config_.answer_timeout_ms);
  // The exchange may outlive server and connection, so it holds the loop and only looks for the connection.
  auto exchange = std::make_shared<Exchange>(
      [thread = thread_.shared_from_this(), weak = weak_from_this()](Response response) mutable {
        asio::dispatch(thread->context(), [weak = std::move(weak), response = std::move(response)]() mutable {
          if (const auto self = weak.lock()) {
            self->answer(std::move(response));
          }
        });
      });
  exchange_ = exchange;
  // Last: the answer may come before this returns.
  listener_.dispatcher.run(std::move(parser_->request), std::move(admission_), std::move(exchange));
}

// Answers in place of a handler. With a part of the request still unread, nothing more can be understood after it.
void Connection::refuse(Response response) {
  closing_ = closing_ || !parser_ || !parser_->is_done();
  answer(std::move(response));
}

void Connection::refuse(error_code error) {
  using beast::http::error::body_limit;
  using beast::http::error::header_limit;
  if (error == header_limit) {
    refuse(error_response(
        431, "headers_too_large",
        "The request's headers are larger than the limit of " + std::to_string(config_.header_size_max) + " bytes"));
  } else if (error == body_limit) {
    refuse(too_large(admission_.body_size_max));
  } else {
    refuse(error_response(Error{ErrorCode::validation_error, "The request is not HTTP/1.1: " + error.message(), {}}));
  }
}

void Connection::answer(Response response) {
  if (phase_ == Phase::closed) {
    return;
  }
  stats_->record(response.status, std::chrono::duration<double>(steady_clock::now() - started_).count());
  if (request_id_.empty()) {
    request_id_ = new_id_text(prefix::kRequest, listener_.clock.now());
  }
  closing_ = closing_ || listener_.draining;
  const auto keep = closing_                ? Persistence::close
                    : parser_->version < 11 ? Persistence::keep_alive
                                            : Persistence::as_usual;
  write_head(head_, response, request_id_, thread_.http_date(), keep);
  body_ = std::move(response.body);
  const bool bodiless = response.status == 204 || (parser_ && parser_->is_head);
  enter(Phase::writing, config_.write_timeout_ms);
  const std::array<asio::const_buffer, 2> out = {asio::buffer(head_),
                                                 asio::buffer(body_.data(), bodiless ? 0 : body_.size())};
  asio::async_write(socket_, out,
                    [self = shared_from_this()](error_code error, std::size_t) { self->on_written(error); });
}

void Connection::on_written(error_code error) {
  if (phase_ == Phase::closed) {
    return;
  }
  if (error) {
    close();
    return;
  }
  if (closing_) {
    linger();
    return;
  }
  parser_.reset();
  body_.clear();
  if (buffer_.size() == 0 && buffer_.capacity() > kIdleBufferSizeMax) {
    buffer_ = beast::flat_buffer(buffer_.max_size());
  }
  enter(Phase::idle, config_.idle_timeout_ms);
  parse();  // the next request may be here already
}

// Closing with unread bytes in the socket sends a reset, which can destroy the answer before the client has read it.
void Connection::linger() {
  error_code error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  buffer_.clear();
  enter(Phase::lingering, config_.linger_timeout_ms);
  if (!reading_) {
    read();
  }
}

void Connection::sweep(Deadline now) {
  error_code error;
  if (phase_ == Phase::idle && listener_.draining && socket_.available(error) == 0) {
    close();
    return;
  }
  if (now < deadline_) {
    return;
  }
  switch (phase_) {
    case Phase::header:
    case Phase::body:
      refuse(error_response(408, "request_timeout",
                            phase_ == Phase::header ? "The request's headers did not arrive in time"
                                                    : "The request's body did not arrive in time"));
      return;
    case Phase::answering:
      if (const auto exchange = exchange_.lock()) {
        exchange->reply(Error{ErrorCode::service_unavailable, "The answer took too long; try again", {}});
      }
      return;
    case Phase::idle:
    case Phase::writing:
    case Phase::lingering:
      close();
      return;
    case Phase::closed:
      return;
  }
}

void Connection::close() {
  if (phase_ == Phase::closed) {
    return;
  }
  phase_ = Phase::closed;
  const auto self = shared_from_this();
  error_code error;
  socket_.close(error);
  listener_.open_connections.Decrement();
  thread_.remove(*this);
  listener_.release();
}

}  // namespace

void Listener::release() {
  if (connections.fetch_sub(1) == 1) {
    const std::lock_guard lock(mutex_);
    empty_.notify_all();
  }
}

bool Listener::wait_until_empty(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return empty_.wait_until(lock, deadline, [this] { return connections == 0; });
}

void open_connection(IoThread& thread, boost::asio::ip::tcp::socket socket, Listener& listener) {
  std::make_shared<Connection>(thread, std::move(socket), listener)->open();
}

}  // namespace flexsync::http
