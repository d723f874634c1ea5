// The statements that page through the inbox, whatever it is filtered by.
//
// The problem: a filter on state, type and time over three tables as one statement leaves it to the planner where to
// begin, and with a million rows a wrong guess reads every payload. So the statement begins where the filter is
// narrowest: it picks the seqs of one page from one index (or one for each type), in order and no more than the page
// needs, checks what else is asked row by row, and only then reads the rows to be shown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/ports.hpp"
#include "store/where.hpp"

namespace flexsync::store {

// Counting stops here: it costs what it counts.
inline constexpr int kCountMax = 10'000;

// Where a page's statement begins.
struct Beginning {
  // Between which seqs: those of the filter's times, a little wider than they are, and for what is pending those
  // beyond the watermark.
  std::optional<std::int64_t> from;
  std::optional<std::int64_t> to;  // exclusive
  bool few_of_types = false;       // so few events are of the filter's types that they can be counted
};

// In the transaction's scope.
Beginning where_to_begin(pqxx::transaction_base& tx, const WebhookEventFilter& filter);

class InboxPages {
 public:
  // The filter's state must be empty or one of kEventStates.
  InboxPages(const WebhookEventFilter& filter, const Beginning& beginning);

  // validation_error when a value cannot be in a text column.
  Result<void> check() const { return values_.check(); }

  // SELECT seq: those of the page, in its order.
  std::string page_sql() const;
  // One number: how many there are, at most one more than is counted to.
  std::string count_sql() const;
  // How far is counted: kCountMax, or to the end of a page that lies beyond.
  std::int64_t count_max() const;

  const std::vector<std::string>& values() const { return values_.values(); }

  pqxx::result exec(pqxx::transaction_base& tx, const std::string& statement) const {
    return values_.exec(tx, statement);
  }

 private:
  std::string seqs_within(std::string_view column) const;
  std::string outcome_is(std::string_view state) const;
  std::string with_event(std::string_view from, std::string condition) const;
  std::string from_inbox(const std::string& condition) const;
  std::vector<std::string> sources(bool few_of_types);
  std::vector<std::string> sources_by_state() const;
  std::string first(std::int64_t rows) const;

  WebhookEventFilter filter_;
  Where values_;
  std::string from_;  // placeholders; empty: not asked for
  std::string to_;
  std::string times_;  // conditions on inbox AS i, each behind an AND
  std::string types_;
  std::vector<std::string> sources_;
};

}  // namespace flexsync::store
