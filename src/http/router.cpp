#include "http/router.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <type_traits>

#include "http/error_body.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kSegmentsMax = 12;               // a longer path is no route of ours
constexpr std::size_t kShownPathMax = 200;             // of a path in an error message
constexpr std::size_t kUnreadBodySizeMax = 64 * 1024;  // some clients send a body with GET or DELETE; nobody reads it

// A path cut at its slashes, without memory of its own.
struct Segments {
  std::array<std::string_view, kSegmentsMax> items;
  std::size_t count = 0;
};

std::optional<Segments> split(std::string_view path) {
  Segments segments;
  if (path.empty() || path.front() != '/') {
    return std::nullopt;
  }
  path.remove_prefix(1);
  for (;;) {
    if (segments.count == kSegmentsMax) {
      return std::nullopt;
    }
    const auto slash = path.find('/');
    segments.items[segments.count++] = path.substr(0, slash);
    if (slash == std::string_view::npos) {
      return segments;
    }
    path.remove_prefix(slash + 1);
  }
}

bool is_name(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool matches(const Route& route, const Segments& path) {
  if (route.segments.size() != path.count) {
    return false;
  }
  for (std::size_t i = 0; i < path.count; ++i) {
    const bool same = is_name(route.segments[i]) ? !path.items[i].empty() : route.segments[i] == path.items[i];
    if (!same) {
      return false;
    }
  }
  return true;
}

// Both match the same path: literals come before names, from the left.
bool is_more_literal(const Route& a, const Route& b) {
  for (std::size_t i = 0; i < a.segments.size(); ++i) {
    if (is_name(a.segments[i]) != is_name(b.segments[i])) {
      return !is_name(a.segments[i]);
    }
  }
  return false;
}

std::string shown(const Request& request) {
  const auto path = request.path.size() <= kShownPathMax ? request.path : request.path.substr(0, kShownPathMax) + "…";
  return request.method_name + " " + path;
}

template <class Handler>
Route route(Method method, std::string pattern, Access access, std::size_t body_size_max, Handler handler) {
  Route made;
  made.method = method;
  made.pattern = std::move(pattern);
  made.access = access;
  made.body_size_max = body_size_max;
  if constexpr (std::is_same_v<Handler, DeferredHandler>) {
    made.deferred = std::move(handler);
  } else {
    made.blocking = std::move(handler);
  }
  return made;
}

}  // namespace

const std::string& PathValues::at(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) {
      return value;
    }
  }
  throw std::out_of_range("the route has no {" + std::string(name) + "}");
}

Router::Router(Metrics& metrics)
    : metrics_(metrics), unmatched_(std::make_unique<RouteStats>(metrics, "unmatched", "any")) {}

void Router::add(Route route) {
  const auto segments = split(route.pattern);
  if (!segments) {
    throw std::logic_error("not a route pattern: " + route.pattern);
  }
  for (std::size_t i = 0; i < segments->count; ++i) {
    route.segments.emplace_back(segments->items[i]);
  }
  route.stats = std::make_unique<RouteStats>(metrics_, route.pattern, std::string(to_string(route.method)));
  routes_.push_back(std::move(route));
}

void Router::get(std::string pattern, Access access, BlockingHandler handler) {
  add(route(Method::get, std::move(pattern), access, kUnreadBodySizeMax, std::move(handler)));
}

void Router::post(std::string pattern, Access access, std::size_t body_size_max, BlockingHandler handler) {
  add(route(Method::post, std::move(pattern), access, body_size_max, std::move(handler)));
}

void Router::put(std::string pattern, Access access, std::size_t body_size_max, BlockingHandler handler) {
  add(route(Method::put, std::move(pattern), access, body_size_max, std::move(handler)));
}

void Router::del(std::string pattern, Access access, BlockingHandler handler) {
  add(route(Method::del, std::move(pattern), access, kUnreadBodySizeMax, std::move(handler)));
}

void Router::post(std::string pattern, Access access, std::size_t body_size_max, DeferredHandler handler) {
  add(route(Method::post, std::move(pattern), access, body_size_max, std::move(handler)));
}

void Router::put(std::string pattern, Access access, std::size_t body_size_max, DeferredHandler handler) {
  add(route(Method::put, std::move(pattern), access, body_size_max, std::move(handler)));
}

void Router::del(std::string pattern, Access access, DeferredHandler handler) {
  add(route(Method::del, std::move(pattern), access, kUnreadBodySizeMax, std::move(handler)));
}

Router::Match Router::match(const Request& request) const {
  Match match;
  const auto path = split(request.path);
  std::string allowed;
  for (const auto& route : routes_) {
    if (!path || !matches(route, *path)) {
      continue;
    }
    if (route.method != request.method) {
      allowed += (allowed.empty() ? "" : ", ") + std::string(to_string(route.method));
    } else if (match.route == nullptr || is_more_literal(route, *match.route)) {
      match.route = &route;
    }
  }
  if (match.route == nullptr) {
    if (allowed.empty()) {
      match.refusal = error_response(Error{ErrorCode::not_found, "There is no route " + shown(request), {}});
      return match;
    }
    match.refusal = error_response(405, "method_not_allowed", shown(request) + " is not allowed; use " + allowed);
    match.refusal->headers.emplace_back("Allow", allowed);
    return match;
  }
  for (std::size_t i = 0; i < path->count; ++i) {
    const std::string_view segment = match.route->segments[i];
    if (!is_name(segment)) {
      continue;
    }
    const auto name = segment.substr(1, segment.size() - 2);
    auto value = percent_decode(path->items[i], false);
    if (!value) {
      match.refusal = error_response(validation_failed({{std::string(name), "is not percent-encoded UTF-8 text"}}));
      return match;
    }
    match.path.add(name, std::move(*value));
  }
  return match;
}

std::string_view to_string(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::del:
      return "DELETE";
    case Method::other:
      break;
  }
  return "other";
}

}  // namespace flexsync::http
