// Text that must not leak: it has no stream operator, compares only when asked, and is wiped when it goes.
#pragma once

#include <string>
#include <string_view>

namespace flexsync {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value);
  Secret(const Secret& other) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  // Named so that every place that reads a secret can be found.
  std::string_view reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  void wipe() noexcept;

  std::string value_;
};

}  // namespace flexsync
