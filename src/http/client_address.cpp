#include "http/client_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>

namespace flexsync::http {

namespace {

constexpr int kMappedPrefixBits = 96;  // of ::ffff:0:0/96, where IPv4 lives

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

bool same_prefix(const AddressBytes& a, const AddressBytes& b, int bits) {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) {
    return false;
  }
  const int rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

}  // namespace

std::optional<AddressBytes> parse_address(std::string_view text) {
  const std::string copy(text);
  AddressBytes bytes{};
  if (inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1) {
    return bytes;
  }
  bytes.fill(0);
  bytes[10] = bytes[11] = 0xFF;
  if (inet_pton(AF_INET, copy.c_str(), bytes.data() + 12) == 1) {
    return bytes;
  }
  return std::nullopt;
}

Result<NetworkList> NetworkList::parse(const std::vector<std::string>& entries, std::string_view setting) {
  NetworkList list;
  for (const auto& entry : entries) {
    const auto slash = std::min(entry.find('/'), entry.size());
    const auto address = std::string_view(entry).substr(0, slash);
    const auto base = parse_address(address);
    const bool is_v4 = address.find(':') == std::string_view::npos;
    const int bits_max = is_v4 ? 32 : 128;
    int bits = bits_max;
    bool valid = base.has_value();
    if (slash < entry.size()) {
      const char* end = entry.data() + entry.size();
      const auto [stop, error] = std::from_chars(entry.data() + slash + 1, end, bits);
      valid = valid && error == std::errc{} && stop == end && bits >= 0 && bits <= bits_max;
    }
    if (!valid) {
      return fail(ErrorCode::validation_error, std::string(setting) + ": \"" + entry +
                                                   "\" is neither an IP address nor a network such as 10.0.0.0/8");
    }
    list.networks_.push_back({*base, is_v4 ? kMappedPrefixBits + bits : bits});
  }
  return list;
}

bool NetworkList::contains(std::string_view address) const {
  const auto bytes = parse_address(address);
  return bytes && std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
           return same_prefix(*bytes, network.base, network.prefix_bits);
         });
}

std::string client_address(const std::string& peer, std::string_view forwarded_for, const NetworkList& trusted) {
  if (trusted.empty() || forwarded_for.empty() || !trusted.contains(peer)) {
    return peer;
  }
  std::string client = peer;
  while (!forwarded_for.empty()) {
    const auto comma = forwarded_for.rfind(',');
    const auto start = comma == std::string_view::npos ? 0 : comma + 1;
    const auto hop = trimmed(forwarded_for.substr(start));
    if (!parse_address(hop)) {
      return client;  // what stands left of nonsense proves nothing
    }
    client = std::string(hop);
    if (!trusted.contains(hop) || start == 0) {
      return client;
    }
    forwarded_for = forwarded_for.substr(0, start - 1);
  }
  return client;
}

}  // namespace flexsync::http
