// A customer, in FlexPrice's terms.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "domain/ids.hpp"
#include "domain/time.hpp"

namespace flexsync {

using Metadata = std::map<std::string, std::string>;

// Keys that say which object of ours and which of Stripe's belong together: nobody else may write them.
bool is_reserved_metadata(std::string_view key);

// FlexPrice's life of a row: deletes are soft.
enum class Status : std::uint8_t { published, archived, deleted };

std::string to_string(Status status);
Status parse_status(const std::string& text);  // throws std::invalid_argument: rows are checked by the database

struct CustomerFields {
  std::string name;
  std::string email;
  std::string contact;
  std::string address_line1;
  std::string address_line2;
  std::string address_city;
  std::string address_state;
  std::string address_postal_code;
  std::string address_country;  // ISO 3166-1 alpha-2, or empty
  Metadata metadata;

  friend bool operator==(const CustomerFields&, const CustomerFields&) = default;
};

struct Customer {
  CustomerId id;
  std::string external_id;
  CustomerFields fields;
  Status status = Status::published;
  std::int64_t version = 0;  // rises by one with every write; 0 = not stored yet
  Timestamp created_at;
  Timestamp updated_at;
  std::string created_by;
  std::string updated_by;

  friend bool operator==(const Customer&, const Customer&) = default;
};

}  // namespace flexsync
