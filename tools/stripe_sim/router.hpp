// A registry of routes: method and pattern ("/v1/customers/{id}") to handler.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stripe_sim {

template <class Handler>
class Router {
 public:
  struct Match {
    const Handler* handler;
    const std::string* pattern;
    std::vector<std::string> arguments;  // what stood in place of the {...}, in order
  };

  void add(std::string method, std::string_view pattern, Handler handler) {
    routes_.push_back({std::move(method), std::string(pattern), split(pattern), std::move(handler)});
  }

  std::optional<Match> find(const std::string& method, std::string_view path) const {
    const std::vector<std::string> segments = split(path);
    for (const Route& route : routes_) {
      if (route.method != method || route.segments.size() != segments.size()) {
        continue;
      }
      Match match{&route.handler, &route.pattern, {}};
      const bool fits = std::equal(segments.begin(), segments.end(), route.segments.begin(),
                                   [&match](const std::string& given, const std::string& wanted) {
                                     if (wanted.starts_with('{') && !given.empty()) {
                                       match.arguments.push_back(given);
                                       return true;
                                     }
                                     return given == wanted;
                                   });
      if (fits) {
        return match;
      }
    }
    return std::nullopt;
  }

 private:
  struct Route {
    std::string method;
    std::string pattern;
    std::vector<std::string> segments;
    Handler handler;
  };

  // "/a/b/" -> "", "a", "b", "": a trailing slash is another path, as with Stripe.
  static std::vector<std::string> split(std::string_view path) {
    std::vector<std::string> segments;
    while (true) {
      const std::size_t slash = path.find('/');
      segments.emplace_back(path.substr(0, slash));
      if (slash == std::string_view::npos) {
        return segments;
      }
      path.remove_prefix(slash + 1);
    }
  }

  std::vector<Route> routes_;
};

}  // namespace stripe_sim
