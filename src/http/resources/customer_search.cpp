#include "http/resources/customer_search.hpp"

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/json_body.hpp"

namespace flexsync::http {

namespace {

constexpr int kLimitMax = 1000;
constexpr std::size_t kIdsMax = 1000;       // of customer_ids and external_ids, each
constexpr std::size_t kConditionsMax = 20;  // of filters
constexpr std::size_t kValuesMax = 1000;    // of one condition
constexpr std::size_t kOrdersMax = 5;       // of sort
constexpr std::size_t kTextSizeMax = 255;

constexpr std::array kFields = {
    std::pair{"id", CustomerField::id},
    std::pair{"external_id", CustomerField::external_id},
    std::pair{"name", CustomerField::name},
    std::pair{"email", CustomerField::email},
    std::pair{"contact", CustomerField::contact},
    std::pair{"status", CustomerField::status},
    std::pair{"created_at", CustomerField::created_at},
};
constexpr const char* kFieldNames = "id, external_id, name, email, contact, status or created_at";

constexpr std::array kTextOperators = {
    std::pair{"eq", Comparison::in},
    std::pair{"in", Comparison::in},
    std::pair{"not_in", Comparison::not_in},
    std::pair{"contains", Comparison::contains},
    std::pair{"not_contains", Comparison::not_contains},
};
constexpr std::array kTimeOperators = {
    std::pair{"before", Comparison::before}, std::pair{"lt", Comparison::before}, std::pair{"after", Comparison::after},
    std::pair{"gt", Comparison::after},      std::pair{"gte", Comparison::from},
};

template <class Table>
auto look_up(const Table& table, const std::string& name) -> std::optional<typename Table::value_type::second_type> {
  for (const auto& [known, value] : table) {
    if (name == known) {
      return value;
    }
  }
  return std::nullopt;
}

std::optional<CustomerField> read_field(const FieldReader& fields) {
  const auto field = look_up(kFields, fields.required_text("field", kTextSizeMax));
  if (!field) {
    fields.wrong("field", std::string("must be ") + kFieldNames);
  }
  return field;
}

bool is_status(const std::string& text) {
  return text == "published" || text == "archived" || text == "deleted";
}

// The value's kind follows from the operator, so `data_type` says nothing new and is not read.
void read_text_condition(const FieldReader& fields, const FieldReader& value, CustomerCondition& condition) {
  const auto name = fields.required_text("operator", kTextSizeMax);
  const auto comparison = look_up(kTextOperators, name);
  const bool is_part = comparison == Comparison::contains || comparison == Comparison::not_contains;
  if (!comparison || (is_part && condition.field == CustomerField::status)) {
    fields.wrong("operator", condition.field == CustomerField::status
                                 ? "must be eq, in or not_in"
                                 : "must be eq, in, not_in, contains or not_contains");
    return;
  }
  condition.comparison = *comparison;
  const bool takes_many = name == "in" || name == "not_in";
  if (takes_many) {
    condition.values = value.texts("array", kValuesMax, kTextSizeMax);
  } else if (value.has("string")) {
    condition.values = {value.text("string", kTextSizeMax)};
  }
  if (condition.values.empty()) {
    value.wrong(takes_many ? "array" : "string", "is required");
  }
  for (const auto& status : condition.values) {
    if (condition.field == CustomerField::status && !is_status(status)) {
      value.wrong(takes_many ? "array" : "string", "must be published, archived or deleted");
    }
  }
}

void read_time_condition(const FieldReader& fields, const FieldReader& value, CustomerCondition& condition) {
  const auto comparison = look_up(kTimeOperators, fields.required_text("operator", kTextSizeMax));
  if (!comparison) {
    fields.wrong("operator", "must be before, after, lt, gt or gte");
    return;
  }
  condition.comparison = *comparison;
  const auto time = value.time("date");
  if (!time) {
    value.wrong("date", "is required");  // keeps an entry that says more
    return;
  }
  condition.time = *time;
}

void read_conditions(const FieldReader& body, Details& details, CustomerFilter& filter) {
  const auto* all = body.array("filters", kConditionsMax);
  for (std::size_t i = 0; all != nullptr && i < all->size(); ++i) {
    const auto place = "filters[" + std::to_string(i) + "]";
    const auto& item = (*all)[i];
    if (!item.is_object()) {
      details.emplace(place, "must be an object");
      continue;
    }
    const FieldReader fields(item, details, place + ".");
    static const auto kNoValue = nlohmann::json::object();
    const auto* given = fields.object("value");
    const FieldReader value(given != nullptr ? *given : kNoValue, details, place + ".value.");
    const auto field = read_field(fields);
    if (!field) {
      continue;
    }
    CustomerCondition condition;
    condition.field = *field;
    if (*field == CustomerField::created_at) {
      read_time_condition(fields, value, condition);
    } else {
      read_text_condition(fields, value, condition);
    }
    filter.conditions.push_back(std::move(condition));
  }
}

void read_order(const FieldReader& body, Details& details, CustomerFilter& filter) {
  const auto* all = body.array("sort", kOrdersMax);
  for (std::size_t i = 0; all != nullptr && i < all->size(); ++i) {
    const auto place = "sort[" + std::to_string(i) + "]";
    if (!(*all)[i].is_object()) {
      details.emplace(place, "must be an object");
      continue;
    }
    const FieldReader fields((*all)[i], details, place + ".");
    const auto field = read_field(fields);
    const auto direction = fields.text("direction", kTextSizeMax);
    if (!direction.empty() && direction != "asc" && direction != "desc") {
      fields.wrong("direction", "must be asc or desc");
    }
    if (field) {
      filter.order.push_back({*field, direction == "asc"});
    }
  }
}

void read_list(const FieldReader& fields, CustomerFilter& filter) {
  auto& list = filter.list;
  list.limit = fields.number("limit", 1, kLimitMax).value_or(list.limit);
  // Room for offset + limit, which the answer's pagination shows.
  list.offset = fields.number("offset", 0, std::numeric_limits<int>::max() - kLimitMax).value_or(0);
  const auto order = fields.text("order", kTextSizeMax);
  if (!order.empty() && order != "asc" && order != "desc") {
    fields.wrong("order", "must be asc or desc");
  }
  list.ascending = order == "asc";
  list.start_time = fields.time("start_time");
  list.end_time = fields.time("end_time");
  if (list.start_time && list.end_time && *list.end_time < *list.start_time) {
    fields.wrong("end_time", "must not be before start_time");
  }
}

}  // namespace

Result<CustomerFilter> read_customer_search(std::string_view body, int depth_max) {
  const auto parsed = parse_json_object(body.empty() ? "{}" : body, depth_max);
  if (!parsed) {
    return tl::unexpected(parsed.error());
  }
  Details details;
  const FieldReader fields(*parsed, details);
  CustomerFilter filter;
  read_list(fields, filter);
  const auto status = fields.text("status", kTextSizeMax);
  if (is_status(status)) {
    filter.status = parse_status(status);
  } else if (!status.empty()) {
    fields.wrong("status", "must be published, archived or deleted");
  }
  filter.ids = fields.texts("customer_ids", kIdsMax, kTextSizeMax);
  filter.external_ids = fields.texts("external_ids", kIdsMax, kTextSizeMax);
  if (auto one = fields.text("external_id", kTextSizeMax); !one.empty()) {
    filter.external_ids.push_back(std::move(one));
  }
  filter.email = fields.text("email", kTextSizeMax);
  read_conditions(fields, details, filter);
  read_order(fields, details, filter);
  if (!details.empty()) {
    return tl::unexpected(validation_failed(std::move(details)));
  }
  return filter;
}

}  // namespace flexsync::http
