// Reads the fields of a control request's JSON body; an unknown or wrong one is an error that names it.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

class JsonFields {
 public:
  // `where` is for messages: "body", "next[]". Throws StripeError unless `object` is a JSON object.
  JsonFields(const Json& object, std::string where);

  std::string text(const std::string& name, const std::string& fallback);
  std::int64_t integer(const std::string& name, std::int64_t fallback, std::int64_t min, std::int64_t max);
  double probability(const std::string& name, double fallback);
  bool boolean(const std::string& name, bool fallback);
  Json any(const std::string& name, const Json& fallback);
  bool has(const std::string& name) const { return object_.contains(name); }

  // Throws when a field was never read.
  void finish() const;

 private:
  const Json* find(const std::string& name);
  [[noreturn]] void refuse(const std::string& name, const std::string& wanted) const;

  const Json& object_;
  std::string where_;
  std::set<std::string> seen_;
};

}  // namespace stripe_sim
