#include "stripe_sim/object_store.hpp"

#include <algorithm>

#include "stripe_sim/errors.hpp"

namespace stripe_sim {

namespace {

bool created_matches(const ListQuery& query, std::int64_t created) {
  return (!query.created_gt || created > *query.created_gt) && (!query.created_gte || created >= *query.created_gte) &&
         (!query.created_lt || created < *query.created_lt) && (!query.created_lte || created <= *query.created_lte);
}

}  // namespace

void ObjectStore::insert(const Json& object, SharedText text) {
  if (!text) {
    text = std::make_shared<const std::string>(render(object));
  }
  positions_[object.at("id").get<std::string>()] = records_.size();
  records_.push_back({std::move(text), object.at("created").get<std::int64_t>(), false});
  ++live_;
}

void ObjectStore::replace(const Json& object) {
  records_.at(positions_.at(object.at("id").get<std::string>())).text =
      std::make_shared<const std::string>(render(object));
}

void ObjectStore::bury(const std::string& id, const std::string& object_name) {
  Record& buried = records_.at(positions_.at(id));
  buried.text = std::make_shared<const std::string>(render({{"id", id}, {"object", object_name}, {"deleted", true}}));
  buried.deleted = true;
  --live_;
}

void ObjectStore::erase(const std::string& id) {
  const auto position = positions_.find(id);
  if (position != positions_.end()) {
    records_.at(position->second).text.reset();
    positions_.erase(position);
    --live_;
  }
}

const ObjectStore::Record* ObjectStore::record(const std::string& id) const {
  const auto position = positions_.find(id);
  return position == positions_.end() ? nullptr : &records_.at(position->second);
}

std::optional<Json> ObjectStore::find(const std::string& id) const {
  const Record* found = record(id);
  return found == nullptr ? std::nullopt : std::optional<Json>(std::in_place, Json::parse(*found->text));
}

SharedText ObjectStore::find_text(const std::string& id) const {
  const Record* found = record(id);
  return found == nullptr ? nullptr : found->text;
}

bool ObjectStore::is_deleted(const std::string& id) const {
  const Record* found = record(id);
  return found != nullptr && found->deleted;
}

std::size_t ObjectStore::position_of(const std::string& id, const std::string& noun, const std::string& param) const {
  const auto position = positions_.find(id);
  if (position == positions_.end()) {
    throw no_such(noun, id, param);
  }
  return position->second;
}

ListPage ObjectStore::list(const ListQuery& query, const Filter& filter, const std::string& noun) const {
  // Walking away from the cursor: towards older ones, or, with ending_before, towards newer ones.
  const bool towards_newer = !query.ending_before.empty();
  std::size_t at = records_.size();
  if (towards_newer) {
    at = position_of(query.ending_before, noun, "ending_before") + 1;
  } else if (!query.starting_after.empty()) {
    at = position_of(query.starting_after, noun, "starting_after");
  }
  ListPage page;
  while (towards_newer ? at < records_.size() : at > 0) {
    const Record& candidate = records_[towards_newer ? at++ : --at];
    if (!candidate.text || candidate.deleted || !created_matches(query, candidate.created)) {
      continue;
    }
    Json object = Json::parse(*candidate.text);
    if (filter && !filter(object)) {
      continue;
    }
    if (page.items.size() == query.limit) {
      page.has_more = true;
      break;
    }
    page.items.push_back(std::move(object));
  }
  if (towards_newer) {
    std::reverse(page.items.begin(), page.items.end());
  }
  return page;
}

std::vector<SharedText> ObjectStore::all() const {
  std::vector<SharedText> texts;
  for (const Record& kept : records_) {
    if (kept.text) {
      texts.push_back(kept.text);
    }
  }
  return texts;
}

}  // namespace stripe_sim
