#include "stripe_sim/versions/render.hpp"

#include "stripe_sim/versions/embedded.hpp"
#include "stripe_sim/versions/objects.hpp"
#include "stripe_sim/versions/rules.hpp"

namespace stripe_sim {

namespace {

// The object before the change: the inverse of previous_attributes().
Json with_previous(Json object, const Json& previous) {
  for (const auto& [key, old] : previous.items()) {
    Json& value = object[key];
    value = old.is_object() && value.is_object() ? with_previous(std::move(value), old) : old;
  }
  return object;
}

}  // namespace

Json at_version(Json shown, const std::string& version, const Json& lists) {
  if (!lists.is_null() && embeds_lists(version)) {
    embed(shown, lists);
  }
  for (const VersionRule& rule : version_rules()) {
    if (version < rule.since) {
      visit_objects(shown, [&rule](const std::string& kind, Json& object) {
        if (kind == rule.object) {
          rule.undo(object);
        }
      });
    }
  }
  return shown;
}

Json event_at_version(Json event, const std::string& version) {
  event["api_version"] = version;
  Json& data = event.at("data");
  const Json lists = data.value(kEmbeddedLists, Json());
  data.erase(kEmbeddedLists);
  if (version == kApiVersion) {
    return event;
  }
  const Json object = at_version(data.at("object"), version, lists);
  if (const auto previous = data.find("previous_attributes"); previous != data.end()) {
    // What changed is told in the version's own terms, so both sides are rendered and compared anew.
    const Json before = with_previous(data.at("object"), *previous);
    *previous = previous_attributes(at_version(before, version, lists), object);
  }
  data["object"] = object;
  return event;
}

Json describe_rules() {
  Json rules = Json::array();
  for (const VersionRule& rule : version_rules()) {
    rules.push_back({{"since", rule.since}, {"object", rule.object}, {"change", rule.sentence}});
  }
  return rules;
}

}  // namespace stripe_sim
