#include "stripe_sim/json_fields.hpp"

#include "stripe_sim/errors.hpp"

namespace stripe_sim {

JsonFields::JsonFields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
  if (!object_.is_object()) {
    throw invalid_request(where_ + " must be a JSON object.");
  }
}

const Json* JsonFields::find(const std::string& name) {
  seen_.insert(name);
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

void JsonFields::refuse(const std::string& name, const std::string& wanted) const {
  throw invalid_request(where_ + "." + name + " must be " + wanted + ", not " + render(object_.at(name)) + ".", name);
}

std::string JsonFields::text(const std::string& name, const std::string& fallback) {
  const Json* value = find(name);
  if (value != nullptr && !value->is_string()) {
    refuse(name, "a string");
  }
  return value == nullptr ? fallback : value->get<std::string>();
}

std::int64_t JsonFields::integer(const std::string& name, std::int64_t fallback, std::int64_t min, std::int64_t max) {
  const Json* value = find(name);
  if (value == nullptr) {
    return fallback;
  }
  if (!value->is_number_integer() || value->get<std::int64_t>() < min || value->get<std::int64_t>() > max) {
    refuse(name, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return value->get<std::int64_t>();
}

double JsonFields::probability(const std::string& name, double fallback) {
  const Json* value = find(name);
  if (value == nullptr) {
    return fallback;
  }
  if (!value->is_number() || value->get<double>() < 0 || value->get<double>() > 1) {
    refuse(name, "a probability from 0 to 1");
  }
  return value->get<double>();
}

bool JsonFields::boolean(const std::string& name, bool fallback) {
  const Json* value = find(name);
  if (value != nullptr && !value->is_boolean()) {
    refuse(name, "true or false");
  }
  return value == nullptr ? fallback : value->get<bool>();
}

Json JsonFields::any(const std::string& name, const Json& fallback) {
  const Json* value = find(name);
  return value == nullptr ? fallback : *value;
}

void JsonFields::finish() const {
  for (const auto& [name, value] : object_.items()) {
    if (!seen_.contains(name)) {
      throw invalid_request(where_ + " has no field '" + name + "'; tools/stripe_sim/README.md lists the fields.",
                            name);
    }
  }
}

}  // namespace stripe_sim
