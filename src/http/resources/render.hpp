// What the resources' JSON has in common. FlexPrice's shapes: see docs, and the client's own validation of them.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "domain/ids.hpp"
#include "domain/ports.hpp"
#include "http/message.hpp"

namespace flexsync::http {

// tenant_id and environment_id, which every tenant record has.
void put_scope(nlohmann::json& record, const Scope& scope);

// The time, or null. Optional fields are null rather than absent: with zod 4.4 and later FlexPrice's official client
// refuses an answer that lacks one, while null passes with every version.
void put_time(nlohmann::json& record, const char* name, const std::optional<Timestamp>& time);

// JSON text as JSON; as a plain string when it does not parse or nests too deep to print.
nlohmann::json embedded_json(const std::string& text, int depth_max);

// {"items": […], "pagination": {"total", "limit", "offset"}}. As in FlexPrice `offset` is where the next page
// starts, so a client can feed it back.
Response list_response(nlohmann::json items, std::int64_t total, const ListOptions& list);

// The same of a list that is counted up to a limit only: "total_is_minimum": true where there are more.
Response counted_list_response(nlohmann::json items, std::int64_t total, bool more, const ListOptions& list);

}  // namespace flexsync::http
