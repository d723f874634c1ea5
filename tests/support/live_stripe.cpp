#include "support/live_stripe.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "support/stripe_model.hpp"

namespace flexsync::test {

namespace {

using nlohmann::json;
using stripe::TransportError;

constexpr std::chrono::hours kKeysKept{24};
constexpr std::string_view kCustomers = "/v1/customers";

std::string decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      plain += text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

std::vector<std::pair<std::string, std::string>> parse_form(std::string_view form) {
  std::vector<std::pair<std::string, std::string>> fields;
  while (!form.empty()) {
    const auto pair = form.substr(0, form.find('&'));
    form.remove_prefix(std::min(form.size(), pair.size() + 1));
    const auto equals = std::min(pair.find('='), pair.size());
    const auto value = equals < pair.size() ? pair.substr(equals + 1) : std::string_view();
    fields.emplace_back(decoded(pair.substr(0, equals)), decoded(value));
  }
  return fields;
}

// "address[line1]" -> {"address", "line1"}; what metadata keys contain was encoded twice by nobody: one level only.
std::pair<std::string, std::string> split_key(const std::string& key) {
  const auto open = key.find('[');
  if (open == std::string::npos) {
    return {key, ""};
  }
  return {key.substr(0, open), key.substr(open + 1, key.size() - open - 2)};
}

void set_address(stripe::CustomerState& state, const std::string& part, const std::string& value) {
  if (part == "line1") {
    state.line1 = value;
  } else if (part == "line2") {
    state.line2 = value;
  } else if (part == "city") {
    state.city = value;
  } else if (part == "state") {
    state.state = value;
  } else if (part == "postal_code") {
    state.postal_code = value;
  } else if (part == "country") {
    state.country = value;
  }
}

// An address is replaced as a whole; an empty value clears.
void apply_form(const std::string& body, stripe::CustomerState& state) {
  bool address_is_new = true;
  for (const auto& [key, value] : parse_form(body)) {
    const auto [outer, inner] = split_key(key);
    if (outer == "name") {
      state.name = value;
    } else if (outer == "email") {
      state.email = value;
    } else if (outer == "phone") {
      state.phone = value;
    } else if (outer == "address") {
      if (std::exchange(address_is_new, false)) {
        state.line1 = state.line2 = state.city = state.state = state.postal_code = state.country = "";
      }
      set_address(state, inner, value);
    } else if (outer == "metadata" && value.empty()) {
      state.metadata.erase(inner);
    } else if (outer == "metadata") {
      state.metadata[inner] = value;
    }
  }
}

std::string http_date(std::int64_t second) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(second);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                kMonths.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                utc.tm_sec);
  return text.data();
}

std::string error_body(const std::string& type, const std::string& code, const std::string& message) {
  return json{{"error", {{"type", type}, {"code", code}, {"message", message}}}}.dump();
}

std::string gone_json(const std::string& id) {
  return json{{"id", id}, {"object", "customer"}, {"deleted", true}}.dump();
}

}  // namespace

void LiveStripe::send(stripe::HttpRequest request, std::function<void(stripe::HttpResult)> reply) {
  const auto sent = clock_.now();
  held_.call("stripe", [this, sent, fault = script.take(), request = std::move(request), reply = std::move(reply)] {
    const auto answer = handle(request, fault);
    const auto date = second();
    return [this, sent, answer, date, reply] {
      if (answer.refused || answer.lost || answer.timed_out) {
        const auto kind = answer.refused     ? TransportError::Kind::connect
                          : answer.timed_out ? TransportError::Kind::timeout
                                             : TransportError::Kind::connection_lost;
        reply(tl::unexpected(TransportError{kind, "told to fail"}));
        return;
      }
      stripe::HttpResponse response;
      response.status = answer.status;
      response.body = answer.body;
      response.duration = std::chrono::duration_cast<std::chrono::microseconds>(clock_.now() - sent);
      response.headers["date"] = http_date(date);
      if (answer.replayed) {
        response.headers["idempotent-replayed"] = "true";
      }
      reply(std::move(response));
    };
  });
}

LiveStripe::Answer LiveStripe::handle(const stripe::HttpRequest& request, std::optional<Fault> fault) {
  const auto header = request.headers.find("Idempotency-Key");
  const auto key = header == request.headers.end() ? std::string() : header->second;
  requests_.push_back({request.method, request.path, request.body, key, clock_.now()});
  Answer answer;
  if (down || (!down_for.empty() && request.api_key.reveal() == down_for)) {
    answer.refused = true;
  } else if (revoked) {
    answer = {401, error_body("invalid_request_error", "api_key_expired", "Expired API Key provided")};
  } else if (fault == Fault::limited) {
    answer = {429, error_body("invalid_request_error", "rate_limit", "Too many requests")};
  } else if (fault == Fault::in_use && !key.empty()) {
    answer = {409, error_body("idempotency_error", "idempotency_key_in_use", "There is another request under way")};
  } else if (fault == Fault::lost_before) {
    answer.lost = true;
  } else if (fault == Fault::error_before) {
    answer = {500, error_body("api_error", "", "An unknown error occurred")};
  } else {
    answer = under_key(request, key, fault);
  }
  requests_.back().status = answer.refused || answer.lost || answer.timed_out ? 0 : answer.status;
  requests_.back().replayed = answer.replayed;
  return answer;
}

LiveStripe::Answer LiveStripe::under_key(const stripe::HttpRequest& request, const std::string& key,
                                         std::optional<Fault> fault) {
  std::erase_if(kept_, [&](const auto& entry) { return entry.second.at + kKeysKept < clock_.now(); });
  const auto what = request.method + " " + request.path + " " + request.body;
  Answer answer;
  if (const auto kept = kept_.find(key); !key.empty() && kept != kept_.end()) {
    answer = {kept->second.status, kept->second.body, true};
    if (kept->second.request != what) {
      return {400, error_body("idempotency_error", "idempotency_key_reused", "Keys belong to one request")};
    }
  } else {
    const bool fails = fault == Fault::error_kept;
    answer = fails ? Answer{500, error_body("api_error", "", "An unknown error occurred")} : execute(request, key);
    requests_.back().executed = !fails && answer.status == 200;
    if (fault == Fault::error_after) {
      answer = {500, error_body("api_error", "", "An unknown error occurred")};
    }
    if (!key.empty()) {
      kept_[key] = {what, answer.status, answer.body, clock_.now()};
    }
  }
  answer.lost = fault == Fault::lost_after;
  answer.timed_out = fault == Fault::timeout_after;
  return answer;
}

LiveStripe::Answer LiveStripe::execute(const stripe::HttpRequest& request, const std::string& key) {
  const auto path = request.path.substr(0, request.path.find('?'));
  if (path == kCustomers) {
    const auto query = path.size() < request.path.size() ? request.path.substr(path.size() + 1) : std::string();
    return request.method == "POST" ? create_by_form(request.body, key) : list(query);
  }
  const auto id = decoded(path.substr(kCustomers.size() + 1));
  const auto found = objects_.find(id);
  const bool reads = request.method == "GET";
  if (found == objects_.end() || (found->second.deleted && !reads)) {
    return {404, error_body("invalid_request_error", "resource_missing", "No such customer: '" + id + "'")};
  }
  if (reads) {
    return {200, found->second.deleted ? gone_json(id) : to_object_json(found->second.state)};
  }
  if (request.method == "DELETE") {
    found->second.deleted = true;
    emit("customer.deleted", found->second.state, key);
    return {200, gone_json(id)};
  }
  return update_by_form(found->second, request.body, key);
}

LiveStripe::Answer LiveStripe::create_by_form(const std::string& body, const std::string& key) {
  Object object;
  object.state.id = StripeId("cus_" + std::to_string(++last_id_));
  object.created = second();
  apply_form(body, object.state);
  const auto& stored = objects_[object.state.id.str()] = object;
  emit("customer.created", stored.state, key);
  return {200, to_object_json(stored.state)};
}

LiveStripe::Answer LiveStripe::update_by_form(Object& object, const std::string& body, const std::string& key) {
  const auto before = object.state;
  apply_form(body, object.state);
  if (object.state != before) {
    emit("customer.updated", object.state, key);
  }
  return {200, to_object_json(object.state)};
}

// Newest first; ids rise with time here.
LiveStripe::Answer LiveStripe::list(const std::string& query) const {
  std::int64_t since = 0;
  std::size_t limit = 10;
  std::string after;
  for (const auto& [key, value] : parse_form(query)) {
    if (key == "created[gte]") {
      since = std::stoll(value);
    } else if (key == "limit") {
      limit = std::stoul(value);
    } else if (key == "starting_after") {
      after = value;
    }
  }
  std::vector<const Object*> found;
  for (const auto& [id, object] : objects_) {
    if (!object.deleted && object.created >= since) {
      found.push_back(&object);
    }
  }
  const auto number = [](const Object* object) { return std::stoi(object->state.id.str().substr(4)); };
  std::sort(found.begin(), found.end(), [&](const auto* a, const auto* b) { return number(a) > number(b); });
  if (!after.empty()) {
    std::erase_if(found, [&](const auto* object) { return number(object) >= std::stoi(after.substr(4)); });
  }
  const bool has_more = found.size() > limit;
  found.resize(std::min(found.size(), limit));
  auto data = json::array();
  for (const auto* object : found) {
    data.push_back(json::parse(to_object_json(object->state)));
    data.back()["created"] = object->created;
  }
  return {200, json{{"object", "list"}, {"url", kCustomers}, {"has_more", has_more}, {"data", data}}.dump()};
}

StripeId LiveStripe::create(stripe::CustomerState state) {
  state.id = StripeId("cus_" + std::to_string(++last_id_));
  objects_[state.id.str()] = {state, second(), false};
  emit("customer.created", state, "");
  return state.id;
}

void LiveStripe::change(const StripeId& id, stripe::CustomerState state) {
  auto& object = objects_.at(id.str());
  if (!object.deleted && state != object.state) {
    object.state = std::move(state);
    emit("customer.updated", object.state, "");
  }
}

void LiveStripe::remove(const StripeId& id) {
  auto& object = objects_.at(id.str());
  if (!std::exchange(object.deleted, true)) {
    emit("customer.deleted", object.state, "");
  }
}

void LiveStripe::emit(const std::string& type, const stripe::CustomerState& state, const std::string& key) {
  events.push_back(
      {StripeEventId("evt_" + std::to_string(++last_event_)), type, from_unix_seconds(second()), key, state});
}

}  // namespace flexsync::test
