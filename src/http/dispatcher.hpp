// What one listener does with a request: admitted or refused once its headers are there, before a byte of its body
// is read; then run, on the I/O thread or on a worker.
#pragma once

#include <cstddef>
#include <optional>

#include "http/client_address.hpp"
#include "http/router.hpp"
#include "http/worker_pool.hpp"

namespace flexsync::http {

struct Admission {
  const Route* route = nullptr;
  PathValues path;
  std::size_t body_size_max = 0;
  std::optional<Response> refusal;  // the answer, when the request goes no further
  RouteStats* stats = nullptr;      // where the answer is counted; never null
};

class Dispatcher {
 public:
  Dispatcher(Router router, WorkerPool& workers, Authenticator& authenticator, NetworkList trusted_proxies,
             NetworkList webhook_allow_list);

  // On the I/O thread. Fills in `request.client`, which comes as the peer's address.
  Admission admit(Request& request) const;

  // On the I/O thread, with the body read. Never throws; the exchange is answered, now or later.
  void run(Request request, Admission admission, ExchangePtr exchange) const;

  // Where what is no request at all is counted.
  RouteStats& unmatched() const { return router_.unmatched(); }

 private:
  void run_on_worker(const Route& route, const Request& request, const PathValues& path,
                     const ExchangePtr& exchange) const;

  Router router_;
  WorkerPool& workers_;
  Authenticator& authenticator_;
  NetworkList trusted_proxies_;
  NetworkList webhook_allow_list_;
};

}  // namespace flexsync::http
