// POSTs over libcurl's multi interface: many at once on one thread, over connections that stay open.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace stripe_sim {

struct OutgoingPost {
  std::string url;
  std::vector<std::string> headers;
  std::shared_ptr<const std::string> body;
  int timeout_ms = 0;
};

struct PostResult {
  std::uint64_t number = 0;
  int status = 0;     // 0: no answer
  std::string error;  // why there was none
};

class Sender {
 public:
  Sender();
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // From the sending thread only.
  void start(std::uint64_t number, OutgoingPost post);
  std::vector<PostResult> run_once(int wait_ms_max);

  // From any thread: ends the wait of run_once.
  void wake();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stripe_sim
