// Beast's HTTP/1.1 parser, writing straight into a Request: only the headers we read are copied, the body once.
// Beast's own message type would allocate a node per header. Included by connection.cpp alone.
#pragma once

#include <boost/beast/core/error.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "http/message.hpp"

namespace flexsync::http {

class RequestParser final : public boost::beast::http::basic_parser<true> {
 public:
  explicit RequestParser(std::size_t header_size_max) {
    header_limit(static_cast<std::uint32_t>(header_size_max));
    body_limit(boost::none);  // decided by the route, once the headers are read
  }

  Request request;
  int version = 11;  // 10 or 11
  bool is_head = false;
  bool expects_continue = false;

 private:
  using error_code = boost::beast::error_code;
  using string_view = boost::beast::string_view;
  using field = boost::beast::http::field;
  using verb = boost::beast::http::verb;

  static Method method_of(verb method) {
    switch (method) {
      case verb::get:
      case verb::head:
        return Method::get;
      case verb::post:
        return Method::post;
      case verb::put:
        return Method::put;
      case verb::delete_:
        return Method::del;
      default:
        return Method::other;
    }
  }

  void on_request_impl(verb method, string_view name, string_view target, int number, error_code& ec) override {
    ec = {};
    version = number;
    request.method = method_of(method);
    request.method_name.assign(name.data(), name.size());
    is_head = method == verb::head;
    const auto mark = target.find('?');
    const auto path = target.substr(0, mark);
    request.path.assign(path.data(), path.size());
    if (mark != string_view::npos) {
      request.query.assign(target.data() + mark + 1, target.size() - mark - 1);
    }
    if (request.path.empty() || request.path.front() != '/') {
      ec = boost::beast::http::error::bad_target;
    }
  }

  void on_response_impl(int, string_view, int, error_code&) override {}

  // The first of several equal headers counts, except where the header is a list: X-Forwarded-For, Prefer.
  static void keep(std::string& into, string_view value) {
    if (into.empty()) {
      into.assign(value.data(), value.size());
    }
  }

  static void join(std::string& into, string_view value) {
    into += into.empty() ? "" : ",";
    into.append(value.data(), value.size());
  }

  void on_field_impl(field name, string_view text, string_view value, error_code& ec) override {
    ec = {};
    if (headers_done_) {
      return;  // a trailer after a chunked body must not pass for a header
    }
    if (name == field::transfer_encoding) {
      // Beast takes an encoding it does not know for "no body": what follows would pass for a second request.
      if (!boost::beast::iequals(value, "chunked")) {
        ec = boost::beast::http::error::bad_transfer_encoding;
      }
    } else if (name == field::expect) {
      expects_continue = boost::beast::iequals(value, "100-continue");
    } else if (name == field::authorization) {
      keep(request.authorization, value);
    } else if (name == field::prefer) {
      join(request.prefer, value);
    } else if (name == field::unknown) {
      on_unknown_field(text, value);
    }
  }

  void on_unknown_field(string_view name, string_view value) {
    using boost::beast::iequals;
    if (iequals(name, "stripe-signature")) {
      keep(request.stripe_signature, value);
    } else if (iequals(name, "x-api-key")) {
      keep(request.api_key, value);
    } else if (iequals(name, "x-request-id")) {
      keep(request.request_id, value);
    } else if (iequals(name, "traceparent")) {
      keep(request.traceparent, value);
    } else if (iequals(name, "x-forwarded-for")) {
      join(request.forwarded_for, value);
    }
  }

  void on_header_impl(error_code& ec) override {
    ec = {};
    headers_done_ = true;
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) override {
    ec = {};
    request.body.reserve(static_cast<std::size_t>(length.value_or(0)));  // within the limit: checked by then
  }

  std::size_t on_body_impl(string_view piece, error_code& ec) override {
    ec = {};
    request.body.append(piece.data(), piece.size());
    return piece.size();
  }

  void on_chunk_header_impl(std::uint64_t, string_view, error_code& ec) override { ec = {}; }

  std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code& ec) override {
    return on_body_impl(piece, ec);
  }

  void on_finish_impl(error_code& ec) override { ec = {}; }

  bool headers_done_ = false;
};

}  // namespace flexsync::http
