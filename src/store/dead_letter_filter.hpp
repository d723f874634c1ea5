// Which dead letters a filter means: the same for listing them and for acting on them.
#pragma once

#include "domain/ports.hpp"
#include "store/where.hpp"

namespace flexsync::store {

// Over parked_events AS p and inbox AS i.
inline Where dead_letters_that_match(const DeadLetterFilter& filter) {
  Where where;
  where.add("p.state = 'dead'");
  const auto any_of = [&](std::string_view fragment, const std::vector<std::string>& values) {
    if (!values.empty()) {
      where.add(fragment, values);
    }
  };
  any_of("p.event_id = ANY (?::text[])", filter.event_ids);
  any_of("i.event_type = ANY (?::text[])", filter.types);
  any_of("p.error_code = ANY (?::text[])", filter.error_codes);
  where.add_if_given("i.object_id = ?", filter.object_id);
  where.add_times("p.updated_at", filter.list);
  return where;
}

}  // namespace flexsync::store
