// Which batches a filter means: the same for listing them and for returning them.
#pragma once

#include "domain/usage_ports.hpp"
#include "store/rows.hpp"
#include "store/where.hpp"

namespace flexsync::store {

// Over stripe_sync_batches AS b.
inline Where batches_that_match(const BatchFilter& filter) {
  Where where;
  where.add_if_given("b.id = ?", filter.id);
  where.add_if_given("b.status = ?", filter.status);
  where.add_if_given("b.customer_id = ?", filter.customer_id);
  where.add_if_given("b.meter_id = ?", filter.meter_id);
  if (filter.window_from) {
    where.add("b.window_start >= " FLEXSYNC_TIME("?"), *filter.window_from);
  }
  if (filter.window_to) {
    where.add("b.window_end <= " FLEXSYNC_TIME("?"), *filter.window_to);
  }
  where.add_times("b.created_at", filter.list);
  return where;
}

}  // namespace flexsync::store
