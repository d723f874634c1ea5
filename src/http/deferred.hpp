// Answering later: what a deferred handler gives an asynchronous port for its callback.
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "domain/error.hpp"
#include "http/error_body.hpp"
#include "http/exchange.hpp"

namespace flexsync::http {

// A fault of ours: the client learns that it happened and under which id, the log learns what.
Response internal_error(const std::string& where, const std::exception& error);

// Answers with what `render` gives. On any thread: the request's id is on what is logged meanwhile, and nothing is
// thrown into a thread of the port's.
void answer(Exchange& exchange, const std::string& request_id, const std::function<Response()>& render);

// The callback of a port that replies with a T: `render` makes the answer of it, an error is its own.
template <class T, class Render>
std::function<void(Result<T>)> answering(ExchangePtr exchange, std::string request_id, Render render) {
  return [exchange = std::move(exchange), request_id = std::move(request_id),
          render = std::move(render)](const Result<T>& result) {
    answer(*exchange, request_id, [&] { return result ? render(*result) : error_response(result.error()); });
  };
}

}  // namespace flexsync::http
