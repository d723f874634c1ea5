#include "store/where.hpp"

#include <algorithm>

#include "store/array.hpp"
#include "store/rows.hpp"

namespace flexsync::store {

std::string Where::bind(std::string value) {
  values_.push_back(std::move(value));
  return "$" + std::to_string(values_.size());
}

void Where::add(std::string_view fragment) {
  clause_ += clause_.empty() ? " WHERE " : " AND ";
  clause_.append("(").append(fragment).append(")");
}

void Where::add(std::string_view fragment, std::string value) {
  std::string bound(fragment);
  bound.replace(bound.find('?'), 1, bind(std::move(value)));
  add(bound);
}

void Where::add(std::string_view fragment, Timestamp value) {
  add(fragment, std::to_string(to_unix_micros(value)));
}

void Where::add(std::string_view fragment, const std::vector<std::string>& any_of) {
  ArrayLiteral literal;
  for (const auto& value : any_of) {
    literal.add(value);
  }
  add(fragment, literal.take());
}

void Where::add_if_given(std::string_view fragment, const std::string& value) {
  if (!value.empty()) {
    add(fragment, value);
  }
}

void Where::add_times(std::string_view column, const ListOptions& list) {
  if (list.start_time) {
    add(std::string(column) + " >= " FLEXSYNC_TIME("?"), *list.start_time);
  }
  if (list.end_time) {
    add(std::string(column) + " < " FLEXSYNC_TIME("?"), *list.end_time);
  }
}

std::string Where::sql() const {
  return clause_;
}

Result<void> Where::check() const {
  if (!std::all_of(values_.begin(), values_.end(), [](const auto& value) { return is_storable(value); })) {
    return fail(ErrorCode::validation_error, "a filter is not valid UTF-8 text, or contains U+0000");
  }
  return {};
}

pqxx::result Where::exec(pqxx::transaction_base& tx, const std::string& statement) const {
  return tx.exec_params(statement, pqxx::prepare::make_dynamic_params(values_));
}

std::string page_sql(const PageStatement& statement, const Where& where, const ListOptions& list) {
  const char* direction = list.ascending ? " ASC" : " DESC";
  std::string sql("SELECT ");
  sql.append(statement.columns).append(" FROM ").append(statement.from).append(where.sql());
  const char* separator = " ORDER BY ";
  for (const auto column : statement.order_by) {
    if (!column.empty()) {
      sql.append(separator).append(column).append(direction);
      separator = ", ";
    }
  }
  sql.append(" LIMIT ").append(std::to_string(std::clamp(list.limit, 0, kPageLimitMax)));
  return sql.append(" OFFSET ").append(std::to_string(std::max(list.offset, 0)));
}

std::string count_sql(const PageStatement& statement, const Where& where) {
  return std::string("SELECT count(*) FROM ").append(statement.from).append(where.sql());
}

}  // namespace flexsync::store
