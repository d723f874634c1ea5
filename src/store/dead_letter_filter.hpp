// Which dead letters a filter means: the same for listing them and for acting on them.
#pragma once

#include "domain/ports.hpp"
#include "store/where.hpp"

namespace flexsync::store {

// Over parked_events AS p and inbox AS i.
inline Where dead_letters_that_match(const DeadLetterFilter& filter) {
  Where where;
  where.add("p.state = 'dead'");
  where.add_if_given("p.event_id = ?", filter.event_id);
  where.add_if_given("i.event_type = ?", filter.type);
  where.add_if_given("i.object_id = ?", filter.object_id);
  where.add_times("p.updated_at", filter.list);
  return where;
}

}  // namespace flexsync::store
