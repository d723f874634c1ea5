// /v1/stripe/sync and /v1/stripe/batches: how far usage is on its way to Stripe, batch by batch.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/json_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kTextSizeMax = 255;
constexpr std::size_t kBatchIdsMax = 100;  // of one retry: each is a transaction of its own
constexpr int kRecentBatches = 10;

constexpr BatchStatus kStatuses[] = {BatchStatus::pending,  BatchStatus::sent,     BatchStatus::carried,
                                     BatchStatus::rejected, BatchStatus::returned, BatchStatus::ambiguous,
                                     BatchStatus::expired};

enum class Word : std::uint8_t { pending, completed, failed };

Word word_of(BatchStatus status) {
  switch (status) {
    case BatchStatus::pending:
      return Word::pending;
    case BatchStatus::sent:
    case BatchStatus::carried:  // all there was to send has been sent
      return Word::completed;
    default:
      return Word::failed;
  }
}

// FlexPrice's words.
const char* sync_status(const UsageBatch& batch) {
  switch (word_of(batch.status)) {
    case Word::completed:
      return "completed";
    case Word::failed:
      return "failed";
    case Word::pending:
      break;
  }
  return batch.attempts > 0 ? "retrying" : batch.first_sent_at ? "processing" : "pending";
}

nlohmann::json render(const Scope& scope, const UsageBatch& batch) {
  nlohmann::json record = {{"id", batch.id.str()},
                           {"entity_id", batch.customer_id.str()},
                           {"entity_type", "customer"},
                           {"meter_id", batch.meter_id.str()},
                           {"event_type", batch.event_name},
                           {"aggregated_quantity", batch.quantity.str()},
                           {"sent_value", batch.value.str()},
                           {"scale", batch.scale},
                           {"event_count", batch.event_count},
                           {"sequence", batch.sequence},
                           {"stripe_customer_id", batch.stripe_customer_id.str()},
                           {"stripe_event_id", batch.identifier},
                           {"sync_status", sync_status(batch)},
                           {"status", to_string(batch.status)},
                           {"retry_count", batch.attempts},
                           {"next_attempt_at", nullptr},
                           {"error_code", batch.error_code},
                           {"error_message", batch.error_message},
                           {"window_start", to_rfc3339(batch.window.start)},
                           {"window_end", to_rfc3339(batch.window.end)},
                           {"created_at", to_rfc3339(batch.created_at)},
                           {"updated_at", to_rfc3339(batch.updated_at)}};
  if (batch.status == BatchStatus::pending) {
    record["next_attempt_at"] = to_rfc3339(batch.next_attempt_at);
  }
  put_time(record, "synced_at", batch.synced_at);
  put_scope(record, scope);
  return record;
}

nlohmann::json render_all(const Scope& scope, const std::vector<UsageBatch>& batches) {
  auto items = nlohmann::json::array();
  for (const auto& batch : batches) {
    items.push_back(render(scope, batch));
  }
  return items;
}

nlohmann::json summary_of(const UsageStatus& status) {
  std::int64_t counts[3] = {};
  auto breakdown = nlohmann::json::object();
  for (const auto each : kStatuses) {
    const auto found = status.batches.find(to_string(each));
    const auto count = found == status.batches.end() ? 0 : found->second;
    counts[static_cast<std::size_t>(word_of(each))] += count;
    breakdown[to_string(each)] = count;
  }
  const auto [pending, completed, failed] = counts;
  return {{"total_batches", pending + completed + failed},
          {"successful_batches", completed},
          {"failed_batches", failed},
          {"pending_batches", pending},
          {"status_breakdown", std::move(breakdown)}};
}

Response status(Ports ports, const RequestContext& context) {
  const auto& scope = context.principal.scope;
  const auto status = ports.usage_queries.usage_status(scope);
  if (!status) {
    return error_response(status.error());
  }
  BatchFilter recent;
  recent.list.limit = kRecentBatches;
  const auto page = ports.usage_queries.usage_batches(scope, recent);
  if (!page) {
    return error_response(page.error());
  }
  auto summary = summary_of(*status);
  const auto completed = summary["successful_batches"].get<std::int64_t>();
  const auto ended = completed + summary["failed_batches"].get<std::int64_t>();
  // average_latency and events_per_second are not measured per tenant: null, while docs/metrics.md has the server's.
  nlohmann::json metrics = {{"success_rate", nullptr},
                            {"average_latency", nullptr},
                            {"total_events", status->events},
                            {"events_per_second", nullptr}};
  if (ended > 0) {
    metrics["success_rate"] = static_cast<double>(completed) / static_cast<double>(ended);
  }
  put_time(metrics, "last_sync_time", status->last_synced_at);
  return json_response(200, {{"summary", std::move(summary)},
                             {"metrics", std::move(metrics)},
                             {"usage",
                              {{"events", status->events},
                               {"events_unattributed", status->events_unattributed},
                               {"events_unmetered", status->events_unmetered},
                               {"rollups_open", status->rollups_open},
                               {"rollups_due", status->rollups_due},
                               {"rollups_unmapped", status->rollups_unmapped}}},
                             {"recent_batches", render_all(scope, page->items)}});
}

Response list(Ports ports, const RequestContext& context) {
  Details details;
  const auto& query = context.query;
  BatchFilter filter;
  filter.list = query.list_options(details);
  filter.status = query.text("status");
  if (!filter.status.empty() && !parse_batch_status(filter.status)) {
    details.emplace("status", "must be pending, sent, carried, rejected, returned, ambiguous or expired");
  }
  if (!query.text("sync_status").empty()) {
    details.emplace("sync_status", "is not taken: filter by status, of which several have one sync_status");
  }
  filter.customer_id = query.text("entity_id");
  filter.meter_id = query.text("meter_id");
  filter.window_from = query.time("window_from", details);
  filter.window_to = query.time("window_to", details);
  if (filter.window_from && filter.window_to && *filter.window_to < *filter.window_from) {
    details.emplace("window_to", "must not be before window_from");
  }
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
  }
  const auto& scope = context.principal.scope;
  const auto page = ports.usage_queries.usage_batches(scope, filter);
  return page ? list_response(render_all(scope, page->items), page->total, filter.list) : error_response(page.error());
}

Response show(Ports ports, const RequestContext& context) {
  const auto& scope = context.principal.scope;
  BatchFilter filter;
  filter.list.limit = 1;
  filter.id = context.path.at("id");
  const auto page = ports.usage_queries.usage_batches(scope, filter);
  if (!page) {
    return error_response(page.error());
  }
  if (page->items.empty()) {
    return error_response(Error{ErrorCode::not_found, "There is no batch " + filter.id, {}});
  }
  return json_response(200, render(scope, page->items.front()));
}

// What Stripe rejected goes back to its rollup and out again under the next sequence. A batch that is named but is
// not rejected is skipped, so that asking twice bills nothing twice.
Response retry(Ports ports, int depth_max, const RequestContext& context) {
  const auto body = parse_json_object(context.request.body, depth_max);
  if (!body) {
    return error_response(body.error());
  }
  Details details;
  const FieldReader fields(*body, details);
  const auto ids = fields.texts("batch_ids", kBatchIdsMax, kTextSizeMax);
  BatchFilter filter;
  filter.customer_id = fields.text("entity_id", kTextSizeMax);
  filter.meter_id = fields.text("meter_id", kTextSizeMax);
  if (fields.has("max_retry_age")) {
    fields.wrong("max_retry_age", "is not taken: usage stays what it is, however old");
  }
  if (details.empty() && ids.empty() && filter.customer_id.empty() && filter.meter_id.empty()) {
    fields.wrong("batch_ids", "is required, unless entity_id or meter_id is there");
  }
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
  }
  const auto& scope = context.principal.scope;
  std::int64_t count = 0;
  auto retried = nlohmann::json::array();
  for (std::size_t i = 0; i < std::max<std::size_t>(ids.size(), 1); ++i) {
    filter.id = ids.empty() ? std::string() : ids[i];
    const auto returned = ports.meter_commands.return_rejected(scope, filter, context.principal);
    if (!returned) {
      return error_response(returned.error());
    }
    count += *returned;
    if (!ids.empty() && *returned > 0) {
      retried.push_back(ids[i]);
    }
  }
  const auto skipped = ids.size() - retried.size();
  return json_response(
      200, {{"retried_count", count}, {"skipped_count", ids.empty() ? 0 : skipped}, {"batch_ids", std::move(retried)}});
}

}  // namespace

void add_usage_sync(Router& router, const ServerConfig& config, Ports ports) {
  router.get("/v1/stripe/sync/status", Access::environment,
             [ports](const RequestContext& context) { return status(ports, context); });
  router.get("/v1/stripe/sync/batches", Access::environment,
             [ports](const RequestContext& context) { return list(ports, context); });
  router.get("/v1/stripe/sync/batches/{id}", Access::environment,
             [ports](const RequestContext& context) { return show(ports, context); });
  router.post(
      "/v1/stripe/batches/retry", Access::environment, config.body_size_max,
      [ports, depth = config.json_depth_max](const RequestContext& context) { return retry(ports, depth, context); });
}

}  // namespace flexsync::http
