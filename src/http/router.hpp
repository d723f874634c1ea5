// Which handler answers which method and path.
//
// A pattern is literal segments and {names}: "/v1/customers/{id}". Where several patterns match a path, the one with
// a literal in the first differing segment wins, so "/v1/customers/search" would beat "/v1/customers/{id}".
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/auth.hpp"
#include "http/exchange.hpp"
#include "http/message.hpp"
#include "http/query.hpp"
#include "http/route_stats.hpp"

namespace flexsync::http {

// The values of a pattern's {names}, decoded.
class PathValues {
 public:
  const std::string& at(std::string_view name) const;  // the name must be in the pattern
  void add(std::string_view name, std::string value) { values_.emplace_back(name, std::move(value)); }

 private:
  std::vector<std::pair<std::string_view, std::string>> values_;
};

// What a blocking handler is given; it runs on a worker thread.
struct RequestContext {
  const Request& request;
  const PathValues& path;
  Query query;
  Principal principal;  // empty on open routes
};
using BlockingHandler = std::function<Response(const RequestContext&)>;

// The same on a worker thread, but answers through the exchange, whenever and wherever: what waits for a commit or for
// Stripe holds no worker meanwhile.
using DeferredHandler = std::function<void(const RequestContext&, ExchangePtr)>;

// Runs on an I/O thread: it must not block, and answers through the exchange, whenever and wherever.
using AsyncHandler = std::function<void(Request, const PathValues&, ExchangePtr)>;

struct Route {
  Method method = Method::get;
  std::string pattern;
  Access access = Access::open;
  std::size_t body_size_max = 0;
  bool allow_listed = false;  // only from addresses on the webhook allow list, where there is one
  BlockingHandler blocking;   // one of the three
  DeferredHandler deferred;
  AsyncHandler async;
  std::vector<std::string> segments;  // of the pattern; filled by the router
  std::unique_ptr<RouteStats> stats;  // likewise
};

class Router {
 public:
  explicit Router(Metrics& metrics);

  void add(Route route);
  void get(std::string pattern, Access access, BlockingHandler handler);
  void post(std::string pattern, Access access, std::size_t body_size_max, BlockingHandler handler);
  void put(std::string pattern, Access access, std::size_t body_size_max, BlockingHandler handler);
  void del(std::string pattern, Access access, BlockingHandler handler);
  void post(std::string pattern, Access access, std::size_t body_size_max, DeferredHandler handler);
  void put(std::string pattern, Access access, std::size_t body_size_max, DeferredHandler handler);
  void del(std::string pattern, Access access, DeferredHandler handler);

  const std::vector<Route>& routes() const { return routes_; }

  struct Match {
    const Route* route = nullptr;  // nothing: `refusal` says why
    PathValues path;
    std::optional<Response> refusal;  // 404, 405 with Allow, or 400 for a broken escape
  };
  Match match(const Request& request) const;

  // Where requests without a route are counted.
  RouteStats& unmatched() const { return *unmatched_; }

 private:
  Metrics& metrics_;
  std::vector<Route> routes_;
  std::unique_ptr<RouteStats> unmatched_;
};

std::string_view to_string(Method method);

}  // namespace flexsync::http
