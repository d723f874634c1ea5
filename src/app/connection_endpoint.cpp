#include "app/connection_endpoint.hpp"

#include <future>

namespace flexsync::app {

namespace {

constexpr std::chrono::seconds kReadTimeout{30};

}  // namespace

Result<store::ConnectionCache::Endpoint> read_endpoint(StoreSession& session, const Scope& scope) {
  const auto read = std::make_shared<std::promise<Result<store::ConnectionCache::Endpoint>>>();
  auto endpoint = read->get_future();
  session.connections.find(
      scope, [read](Result<store::ConnectionCache::Endpoint> found) { read->set_value(std::move(found)); });
  if (endpoint.wait_for(kReadTimeout) != std::future_status::ready) {
    return fail(ErrorCode::service_unavailable, "the connection could not be read in time");
  }
  return endpoint.get();
}

}  // namespace flexsync::app
