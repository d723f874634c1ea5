// The rows of one set-based statement: an array a column, run as a prepared statement that the connection learns at
// its first use.
#pragma once

#include <array>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "store/array.hpp"

namespace flexsync::store {

struct NamedStatement {
  const char* name;
  const char* sql;
};

inline pqxx::result exec_named(pqxx::transaction_base& tx, const NamedStatement& statement,
                               const std::vector<std::string>& parameters) {
  tx.conn().prepare(statement.name, statement.sql);  // nothing is sent where it is known
  return tx.exec_prepared(statement.name, pqxx::prepare::make_dynamic_params(parameters));
}

template <std::size_t Columns>
class UsageColumns {
 public:
  template <class... Values>
  void row(const Values&... values) {
    static_assert(sizeof...(Values) == Columns);
    std::size_t c = 0;
    (columns_[c++].add(values), ...);
    ++rows_;
  }

  std::size_t rows() const { return rows_; }

  // `first` are the statement's parameters before the columns. Without rows nothing is run. The rows are spent.
  pqxx::result exec(pqxx::transaction_base& tx, const NamedStatement& statement, std::vector<std::string> first = {}) {
    if (rows_ == 0) {
      return {};
    }
    rows_ = 0;
    for (auto& column : columns_) {
      first.push_back(std::exchange(column, {}).take());
    }
    return exec_named(tx, statement, first);
  }

 private:
  std::array<ArrayLiteral, Columns> columns_;
  std::size_t rows_ = 0;
};

}  // namespace flexsync::store
