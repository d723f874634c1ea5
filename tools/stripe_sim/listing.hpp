// What every list route shares: limit, cursors, created ranges, and the list object itself.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "stripe_sim/object_store.hpp"
#include "stripe_sim/params.hpp"

namespace stripe_sim {

inline constexpr std::int64_t kPageObjectsDefault = 10;
inline constexpr std::int64_t kPageObjectsMax = 100;

using Expandable = std::initializer_list<std::string_view>;

// expand[]: what of it is to be embedded. Throws StripeError for what cannot be.
std::set<std::string> read_expand(Params& params, Expandable expandable);

// The cursors alone, for lists that take no `created`.
ListQuery read_page_query(Params& params, Expandable expandable = {});
ListQuery read_list_query(Params& params, Expandable expandable = {});

// A page of objects that no store holds; they come newest first.
ListPage page_of(std::vector<Json> objects, const ListQuery& query, const std::string& noun);
Json list_object(ListPage page, const std::string& url);

}  // namespace stripe_sim
