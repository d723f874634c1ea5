#include "stripe_sim/listing.hpp"

#include <algorithm>

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

bool is_one_of(const std::string& path, Expandable expandable) {
  return std::find(expandable.begin(), expandable.end(), path) != expandable.end();
}

// In a list the paths begin with "data.".
std::set<std::string> read_list_expand(Params& params, Expandable expandable) {
  static const std::string kInData = "data.";
  std::set<std::string> wanted;
  for (const std::string& path : params.list("expand").value_or(std::vector<std::string>())) {
    if (path.starts_with(kInData) && is_one_of(path.substr(kInData.size()), expandable)) {
      wanted.insert(path.substr(kInData.size()));
      continue;
    }
    const std::string hint =
        is_one_of(path, expandable) ? " You may want to try expanding 'data." + path + "' instead." : "";
    throw invalid_request("This property cannot be expanded (" + path + ")." + hint, "expand");
  }
  return wanted;
}

}  // namespace

std::set<std::string> read_expand(Params& params, Expandable expandable) {
  std::set<std::string> wanted;
  for (const std::string& path : params.list("expand").value_or(std::vector<std::string>())) {
    if (!is_one_of(path, expandable)) {
      throw invalid_request("This property cannot be expanded (" + path + ").", "expand");
    }
    wanted.insert(path);
  }
  return wanted;
}

ListQuery read_page_query(Params& params, Expandable expandable) {
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
  query.expand = read_list_expand(params, expandable);
  return query;
}

ListQuery read_list_query(Params& params, Expandable expandable) {
  ListQuery query = read_page_query(params, expandable);
  if (const Json* created = params.raw("created")) {
    read_created(params, *created, query);
  }
  return query;
}

ListPage page_of(std::vector<Json> objects, const ListQuery& query, const std::string& noun) {
  const auto position_of = [&](const std::string& id, const char* param) {
    const auto found =
        std::find_if(objects.begin(), objects.end(), [&id](const Json& object) { return object.at("id") == id; });
    if (found == objects.end()) {
      throw no_such(noun, id, param);
    }
    return static_cast<std::size_t>(found - objects.begin());
  };
  std::size_t first = 0;
  std::size_t end = objects.size();
  bool has_more = false;
  if (!query.ending_before.empty()) {
    end = position_of(query.ending_before, "ending_before");
    first = end - std::min(end, query.limit);
    has_more = first > 0;
  } else {
    first = query.starting_after.empty() ? 0 : position_of(query.starting_after, "starting_after") + 1;
    end = std::min(objects.size(), first + query.limit);
    has_more = end < objects.size();
  }
  ListPage page{{}, has_more};
  for (std::size_t i = first; i < end; ++i) {
    page.items.push_back(std::move(objects[i]));
  }
  return page;
}

Json list_object(ListPage page, const std::string& url) {
  Json data = Json::array();
  for (Json& item : page.items) {
    data.push_back(std::move(item));
  }
  return {{"object", "list"}, {"data", std::move(data)}, {"has_more", page.has_more}, {"url", url}};
}

}  // namespace stripe_sim
