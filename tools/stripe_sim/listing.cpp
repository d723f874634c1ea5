#include "stripe_sim/listing.hpp"

#include "stripe_sim/errors.hpp"

namespace stripe_sim {

namespace {

// `created` is a time or a hash of bounds.
void read_created(Params& params, const Json& value, ListQuery& query) {
  if (value.is_string()) {
    query.created_gte = query.created_lte = params.integer("created");
    return;
  }
  Params bounds(value, "created");
  query.created_gt = bounds.integer("gt");
  query.created_gte = bounds.integer("gte");
  query.created_lt = bounds.integer("lt");
  query.created_lte = bounds.integer("lte");
  bounds.finish();
}

}  // namespace

ListQuery read_list_query(Params& params) {
  ListQuery query;
  const std::int64_t limit = params.integer("limit").value_or(kPageObjectsDefault);
  if (limit < 1) {
    throw invalid_request("This value must be greater than or equal to 1.", "limit", "parameter_invalid_integer");
  }
  if (limit > kPageObjectsMax) {
    throw invalid_request("This value must be less than or equal to 100.", "limit", "parameter_invalid_integer");
  }
  query.limit = static_cast<std::size_t>(limit);
  query.starting_after = params.text("starting_after").value_or("");
  query.ending_before = params.text("ending_before").value_or("");
  if (!query.starting_after.empty() && !query.ending_before.empty()) {
    throw invalid_request("You may only specify one of these parameters: ending_before, starting_after.",
                          "ending_before");
  }
  if (const Json* created = params.raw("created")) {
    read_created(params, *created, query);
  }
  params.ignore("expand");
  return query;
}

Json list_object(ListPage page, const std::string& url) {
  Json data = Json::array();
  for (Json& item : page.items) {
    data.push_back(std::move(item));
  }
  return {{"object", "list"}, {"data", std::move(data)}, {"has_more", page.has_more}, {"url", url}};
}

}  // namespace stripe_sim
