// Reads the parameters of one request, remembers which were read, and refuses the rest as Stripe does.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

class Params {
 public:
  explicit Params(const Json& tree, std::string prefix = {}) : tree_(tree), prefix_(std::move(prefix)) {}

  // Nothing: not given. An empty string: given empty, which unsets a nullable field.
  std::optional<std::string> text(const std::string& key);
  std::optional<std::int64_t> integer(const std::string& key);
  std::optional<bool> boolean(const std::string& key);
  std::optional<std::string> one_of(const std::string& key, std::initializer_list<std::string_view> words);
  std::optional<std::vector<std::string>> list(const std::string& key);

  // Nothing: not given. Null: given empty. Otherwise an object.
  std::optional<Json> hash(const std::string& key);

  std::string required_text(const std::string& key);

  // The value as decoded, for a parameter of several shapes; a null pointer when not given.
  const Json* raw(const std::string& key) { return find(key); }

  // Known to Stripe and read here without effect.
  void ignore(const std::string& key) { seen_.insert(key); }

  // Known to Stripe, but not to the simulator: refused aloud, because a silent no would mislead a test.
  void refuse(std::initializer_list<const char*> keys) const;

  // Throws "Received unknown parameter: foo" when one was never read.
  void finish() const;

  // "address[line1]"
  std::string name(const std::string& key) const { return prefix_.empty() ? key : prefix_ + "[" + key + "]"; }

 private:
  const Json* find(const std::string& key);

  const Json& tree_;
  std::string prefix_;
  std::set<std::string> seen_;
};

// Metadata as Stripe keeps it: given keys are set, empty values delete their key, `metadata=` clears everything.
void apply_metadata(Params& params, Json& object);

}  // namespace stripe_sim
