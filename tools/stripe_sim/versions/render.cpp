#include "stripe_sim/versions/render.hpp"

#include "stripe_sim/simulator.hpp"
#include "stripe_sim/versions/rules.hpp"

namespace stripe_sim {

namespace {

// A deleted object is {id, object, deleted} in every version. What users keep in metadata may look like anything.
void apply(const VersionRule& rule, Json& shown) {
  if (shown.is_object()) {
    const std::string kind = shown.contains("object") && shown.at("object").is_string() ? shown.at("object") : Json("");
    if (kind == "event") {
      return;
    }
    if (kind == rule.object && !shown.value("deleted", false)) {
      rule.undo(shown);
    }
  }
  if (!shown.is_structured()) {
    return;
  }
  for (auto child = shown.begin(); child != shown.end(); ++child) {
    if (!shown.is_object() || child.key() != "metadata") {
      apply(rule, *child);
    }
  }
}

// The object before the change: the inverse of previous_attributes().
Json with_previous(Json object, const Json& previous) {
  for (const auto& [key, old] : previous.items()) {
    Json& value = object[key];
    value = old.is_object() && value.is_object() ? with_previous(std::move(value), old) : old;
  }
  return object;
}

}  // namespace

Json at_version(Json shown, const std::string& version) {
  for (const VersionRule& rule : version_rules()) {
    if (version < rule.since) {
      apply(rule, shown);
    }
  }
  return shown;
}

Json event_at_version(Json event, const std::string& version) {
  event["api_version"] = version;
  if (version == kApiVersion) {
    return event;
  }
  Json& data = event.at("data");
  const Json object = at_version(data.at("object"), version);
  if (const auto previous = data.find("previous_attributes"); previous != data.end()) {
    // What changed is told in the version's own terms, so both sides are rendered and compared anew.
    *previous = previous_attributes(at_version(with_previous(data.at("object"), *previous), version), object);
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
