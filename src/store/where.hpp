// A WHERE clause out of fixed fragments; what a request says travels only as bound parameters.
#pragma once

#include <array>
#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <vector>

#include "domain/error.hpp"
#include "domain/ports.hpp"

namespace flexsync::store {

inline constexpr int kPageLimitMax = 1000;

class Where {
 public:
  // "?" in the fragment stands for the value; it may appear only once.
  void add(std::string_view fragment, std::string value);
  void add(std::string_view fragment, Timestamp value);
  void add(std::string_view fragment, const std::vector<std::string>& any_of);  // "column = ANY (?::text[])"
  void add(std::string_view fragment);                                          // without a value

  // Adds nothing where the value is empty, which is how the filters say "any".
  void add_if_given(std::string_view fragment, const std::string& value);

  // `column` from (inclusive) and to (exclusive).
  void add_times(std::string_view column, const ListOptions& list);

  // A value bound outside of the clause; gives its placeholder, "$3".
  std::string bind(std::string value);

  // " WHERE a AND b", or nothing.
  std::string sql() const;

  const std::vector<std::string>& values() const { return values_; }

  // validation_error when a value cannot be in a text column (U+0000, bad UTF-8).
  Result<void> check() const;

  pqxx::result exec(pqxx::transaction_base& tx, const std::string& statement) const;

 private:
  std::string clause_;
  std::vector<std::string> values_;
};

// The rows of one page: `order_by` is a fixed fragment with one or two columns, "created_at, id".
struct PageStatement {
  std::string_view columns;
  std::string_view from;
  std::array<std::string_view, 2> order_by{};
};

// Runs the count and the page in one transaction.
template <class T, class FromRow>
Page<T> select_page(pqxx::transaction_base& tx, const PageStatement& statement, const Where& where,
                    const ListOptions& list, FromRow from_row);

std::string page_sql(const PageStatement& statement, const Where& where, const ListOptions& list);
std::string count_sql(const PageStatement& statement, const Where& where);

template <class T, class FromRow>
Page<T> select_page(pqxx::transaction_base& tx, const PageStatement& statement, const Where& where,
                    const ListOptions& list, FromRow from_row) {
  Page<T> page;
  page.total = where.exec(tx, count_sql(statement, where)).at(0)[0].template as<std::int64_t>();
  if (page.total > list.offset) {
    for (const auto& row : where.exec(tx, page_sql(statement, where, list))) {
      page.items.push_back(from_row(row));
    }
  }
  return page;
}

}  // namespace flexsync::store
