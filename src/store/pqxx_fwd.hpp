// libpqxx 6's names, declared without its headers (they cost seconds a file).
#pragma once

namespace pqxx {
class connect_direct;
template <typename ConnectPolicy>
class basic_connection_base;
using connection = basic_connection_base<connect_direct>;
class transaction_base;
}  // namespace pqxx
