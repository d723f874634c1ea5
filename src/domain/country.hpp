// Countries, as addresses name them.
#pragma once

#include <string_view>

namespace flexsync {

// ISO 3166-1 alpha-2, officially assigned, upper case.
bool is_country_code(std::string_view text);

}  // namespace flexsync
