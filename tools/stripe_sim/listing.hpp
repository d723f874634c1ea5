// What every list route shares: limit, cursors, created ranges, and the list object itself.
#pragma once

#include <string>

#include "stripe_sim/object_store.hpp"
#include "stripe_sim/params.hpp"

namespace stripe_sim {

inline constexpr std::int64_t kPageObjectsDefault = 10;
inline constexpr std::int64_t kPageObjectsMax = 100;

ListQuery read_list_query(Params& params);
Json list_object(ListPage page, const std::string& url);

}  // namespace stripe_sim
