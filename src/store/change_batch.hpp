// The tools and the parts of change_statements: each part writes what a batch of change sets holds for its tables.
//
// INTERNAL to change_statements*.cpp. A part gives back the keys of the rows it wrote; a change set whose row is not
// among them is a loser.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <map>
#include <optional>
#include <pqxx/pqxx>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "domain/change_set.hpp"
#include "store/array.hpp"

namespace flexsync::store::changes {

using Batch = std::vector<const ChangeSet*>;

struct Statement {
  const char* name;
  const char* sql;
};

template <std::size_t Count>
void prepare(pqxx::connection& connection, const std::array<Statement, Count>& statements) {
  for (const auto& statement : statements) {
    connection.prepare(statement.name, statement.sql);
  }
}

// The columns of one statement, filled row by row.
template <std::size_t Columns>
class Table {
 public:
  template <class... Values>
  void row(const Values&... values) {
    static_assert(sizeof...(Values) == Columns);
    std::size_t c = 0;
    (columns_[c++].add(values), ...);
    ++rows_;
  }

  pqxx::result exec(pqxx::transaction_base& tx, const Statement& statement) {
    if (rows_ == 0) {
      return {};
    }
    std::vector<std::string> parameters;
    for (auto& column : columns_) {
      parameters.push_back(column.take());
    }
    return tx.exec_prepared(statement.name, pqxx::prepare::make_dynamic_params(parameters));
  }

 private:
  std::array<ArrayLiteral, Columns> columns_;
  std::size_t rows_ = 0;
};

// (tenant, environment, key) as a statement returns them: who was written.
using Written = std::set<std::tuple<std::string, std::string, std::string>>;

inline Written written(const pqxx::result& result) {
  Written keys;
  for (const auto& row : result) {
    keys.emplace(row[0].c_str(), row[1].c_str(), row[2].c_str());
  }
  return keys;
}

inline bool contains(const Written& keys, const Scope& scope, const std::string& key) {
  return keys.contains({scope.tenant.str(), scope.environment.str(), key});
}

// Statements write in key order, so that two writers cannot deadlock.
template <class Key>
Batch ordered(const Batch& batch, Key key) {
  Batch rows;
  std::copy_if(batch.begin(), batch.end(), std::back_inserter(rows), [&](const auto* c) { return key(*c) != nullptr; });
  std::sort(rows.begin(), rows.end(),
            [&](const auto* a, const auto* b) { return std::tie(a->scope, *key(*a)) < std::tie(b->scope, *key(*b)); });
  return rows;
}

// The same for rows that a change set may have two of (a plan's mapping and its twin addon's); `key` ties the columns.
template <class Row>
struct Owned {
  const Scope* scope = nullptr;
  const Row* row = nullptr;
};

template <class Row, class Key>
std::vector<Owned<Row>> ordered_rows(const Batch& batch, std::initializer_list<std::optional<Row> ChangeSet::*> members,
                                     Key key) {
  std::vector<Owned<Row>> rows;
  for (const auto* change : batch) {
    for (const auto member : members) {
      if (change->*member) {
        rows.push_back({&change->scope, &*(change->*member)});
      }
    }
  }
  std::sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) {
    return std::tuple_cat(std::tie(*a.scope), key(*a.row)) < std::tuple_cat(std::tie(*b.scope), key(*b.row));
  });
  return rows;
}

// change_statements_inbox.cpp
void prepare_inbox(pqxx::connection& connection);
Written settle(pqxx::transaction_base& tx, const Batch& batch);  // by inbox seq

// change_statements_parked.cpp
void prepare_parked(pqxx::connection& connection);
void lock_parents(pqxx::transaction_base& tx, const Batch& batch);  // before anything else
void wake_blocked(pqxx::transaction_base& tx, const Batch& batch);  // after the mappings
void supersede(pqxx::transaction_base& tx, const Batch& batch);     // after the shadows
void park(pqxx::transaction_base& tx, const Batch& batch);          // last

// change_statements_entities.cpp
void prepare_entities(pqxx::connection& connection);
Written write_customers(pqxx::transaction_base& tx, const Batch& batch);  // by id
void write_mappings(pqxx::transaction_base& tx, const Batch& batch);
Written write_stripe_objects(pqxx::transaction_base& tx, const Batch& batch);  // by "type/id"
void write_audit(pqxx::transaction_base& tx, const Batch& batch);

// change_statements_catalog.cpp
void prepare_catalog(pqxx::connection& connection);
Written write_plans(pqxx::transaction_base& tx, const Batch& batch);          // by id
Written write_addons(pqxx::transaction_base& tx, const Batch& batch);         // by id
Written write_prices(pqxx::transaction_base& tx, const Batch& batch);         // by id
Written write_subscriptions(pqxx::transaction_base& tx, const Batch& batch);  // by id, each with its addons

// change_statements_outbox.cpp
using IntentSeqs = std::map<std::tuple<std::string, std::string, std::string>, std::int64_t>;
void prepare_outbox(pqxx::connection& connection);
IntentSeqs insert_intents(pqxx::transaction_base& tx, const Batch& batch);  // by id
Written update_intents(pqxx::transaction_base& tx, const Batch& batch);     // by seq

}  // namespace flexsync::store::changes
