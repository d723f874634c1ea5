// Who is really calling: networks, and X-Forwarded-For behind proxies that are trusted.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/error.hpp"

namespace flexsync::http {

// An IPv6 address in network order; IPv4 as ::ffff:a.b.c.d, so that both compare alike.
using AddressBytes = std::array<std::uint8_t, 16>;

std::optional<AddressBytes> parse_address(std::string_view text);

class NetworkList {
 public:
  // Entries such as "10.0.0.0/8", "2001:db8::/32" or a single address; `setting` is named in the error.
  static Result<NetworkList> parse(const std::vector<std::string>& entries, std::string_view setting);

  bool empty() const { return networks_.empty(); }
  bool contains(std::string_view address) const;

 private:
  struct Network {
    AddressBytes base;
    int prefix_bits;  // of 128
  };
  std::vector<Network> networks_;
};

// The last address in X-Forwarded-For that is not a trusted proxy's; the peer's own when the peer is not trusted,
// since anybody can send the header.
std::string client_address(const std::string& peer, std::string_view forwarded_for, const NetworkList& trusted);

}  // namespace flexsync::http
