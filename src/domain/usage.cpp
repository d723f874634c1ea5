#include "domain/usage.hpp"

#include <array>
#include <stdexcept>
#include <utility>

namespace flexsync {

namespace {

constexpr std::array<std::pair<Aggregation, const char*>, 3> kAggregations = {{
    {Aggregation::count, "COUNT"},
    {Aggregation::sum, "SUM"},
    {Aggregation::sum_with_multiplier, "SUM_WITH_MULTIPLIER"},
}};

constexpr std::array<std::pair<BatchStatus, const char*>, 7> kBatchStatuses = {{
    {BatchStatus::pending, "pending"},
    {BatchStatus::sent, "sent"},
    {BatchStatus::carried, "carried"},
    {BatchStatus::rejected, "rejected"},
    {BatchStatus::returned, "returned"},
    {BatchStatus::ambiguous, "ambiguous"},
    {BatchStatus::expired, "expired"},
}};

template <class Names, class Value>
std::string name_of(const Names& names, Value value, const char* what) {
  for (const auto& [known, name] : names) {
    if (known == value) {
      return name;
    }
  }
  throw std::invalid_argument(std::string("no such ") + what);
}

template <class Value, class Names>
std::optional<Value> value_of(const Names& names, const std::string& text) {
  for (const auto& [value, name] : names) {
    if (text == name) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string to_string(Aggregation aggregation) {
  return name_of(kAggregations, aggregation, "aggregation");
}

std::optional<Aggregation> parse_aggregation(const std::string& text) {
  return value_of<Aggregation>(kAggregations, text);
}

std::string to_string(BatchStatus status) {
  return name_of(kBatchStatuses, status, "batch status");
}

std::optional<BatchStatus> parse_batch_status(const std::string& text) {
  return value_of<BatchStatus>(kBatchStatuses, text);
}

}  // namespace flexsync
