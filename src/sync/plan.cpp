#include "sync/plan.hpp"

#include <string>

#include "domain/ulid.hpp"

namespace flexsync::sync {

namespace {

constexpr const char* kPlanEntity = "plan";
constexpr const char* kAddonEntity = "addon";

void take_difference(const Metadata& from, const Metadata& to, Metadata& metadata) {
  for (const auto& [key, value] : to) {
    const auto known = from.find(key);
    if (known == from.end() || known->second != value) {
      metadata[key] = value;
    }
  }
  for (const auto& [key, value] : from) {
    if (!to.contains(key)) {
      metadata.erase(key);
    }
  }
}

PlanFields with_difference(const PlanFields& from, const PlanFields& to, PlanFields fields) {
  fields.name = from.name == to.name ? fields.name : to.name;
  fields.description = from.description == to.description ? fields.description : to.description;
  take_difference(from.metadata, to.metadata, fields.metadata);
  return fields;
}

template <class Row>
FieldMap field_map(const Row& row) {
  FieldMap fields{{"name", row.fields.name},
                  {"description", row.fields.description},
                  {"lookup_key", row.lookup_key},
                  {"status", to_string(row.status)}};
  for (const auto& [key, value] : row.fields.metadata) {
    fields["metadata." + key] = value;
  }
  return fields;
}

// The next row of a plan or an addon with its audit row; nothing where it is the same.
template <class Row>
std::optional<Row> next_row(const Context& context, const char* entity_type, const std::optional<Row>& before,
                            Row fresh, const PlanSourceState& source, const PlanFields& known, ChangeSet& change) {
  const auto& origin = context.origin;
  Row row = before.value_or(std::move(fresh));
  row.fields = before ? with_difference(known, source.fields, row.fields) : source.fields;
  row.status = source.status;
  if (before && row.fields == before->fields && row.status == before->status) {
    return std::nullopt;
  }
  if (!before) {
    row.created_at = origin.now;
    row.created_by = origin.updated_by;
  }
  const bool deletes = row.status == Status::deleted && (!before || before->status != Status::deleted);
  const auto was = before ? field_map(*before) : FieldMap{};
  audit_write(origin, entity_type, row.id.str(), before ? &was : nullptr, field_map(row), deletes, change);
  row.version += 1;
  row.updated_at = origin.now;
  row.updated_by = origin.updated_by;
  return row;
}

void write_rows(const Context& context, const PlanId& id, const PlanSourceState& source, const PlanFields& known,
                ChangeSet& change) {
  Plan plan;
  plan.id = id;
  Addon addon;
  addon.id = twin_of(id);
  addon.plan_id = id;
  addon.lookup_key = source.key.id.str();
  change.plan = next_row(context, kPlanEntity, context.snapshot.plan, std::move(plan), source, known, change);
  change.addon = next_row(context, kAddonEntity, context.snapshot.addon, std::move(addon), source, known, change);
}

PlanSourceState source_of(const stripe::ProductState& state) {
  return {{"product", state.id},
          {state.name.empty() ? state.id.str() : state.name, state.description, open_metadata(state.metadata)},
          state.active ? Status::published : Status::archived};
}

PlanFields known_fields(const Context& context) {
  const auto& shadow = context.snapshot.shadow;
  return shadow && !shadow->state.empty() ? source_of(stripe::product_from_canonical(shadow->state)).fields
                                          : PlanFields{};
}

bool is_plan(const Context& context) {
  return context.settings.plan_source == PlanSource::product;
}

Taken remember(const Context& context, const stripe::ProductState& state, const TrueInterval& true_during,
               ChangeSet& change) {
  const auto& shadow = context.snapshot.shadow;
  change.stripe_object =
      shadow_of(context.origin, shadow, {"product", state.id}, stripe::to_canonical(state), true_during, state.deleted);
  Taken taken;
  taken.changed = !shadow || shadow->state != change.stripe_object->state;
  return taken;
}

}  // namespace

AddonId twin_of(const PlanId& plan) {
  return AddonId{std::string(prefix::kAddon) + plan.str().substr(prefix::kPlan.size())};
}

Metadata open_metadata(const Metadata& metadata) {
  Metadata open;
  for (const auto& [key, value] : metadata) {
    if (!is_reserved_metadata(key)) {
      open.emplace(key, value);
    }
  }
  return open;
}

bool take_plan(const Context& context, const PlanId& id, const PlanSourceState& source, const PlanFields& known,
               ChangeSet& change) {
  write_rows(context, id, source, known, change);
  const auto& snapshot = context.snapshot;
  if (change.plan || !snapshot.mapping) {
    change.mapping = touched_mapping(context.origin, snapshot.mapping, kPlanEntity, id.str(), source.key.id, change);
  }
  if (change.addon || !snapshot.addon_mapping) {
    change.addon_mapping =
        touched_mapping(context.origin, snapshot.addon_mapping, kAddonEntity, twin_of(id).str(), source.key.id, change);
  }
  return change.plan || change.addon || change.mapping || change.addon_mapping;
}

void delete_plan(const Context& context, const PlanId& id, PlanSourceState last, const PlanFields& known,
                 ChangeSet& change) {
  last.status = Status::deleted;
  write_rows(context, id, last, known, change);
  if (context.snapshot.mapping) {
    change.mapping = ended_mapping(context.origin, *context.snapshot.mapping, change);
  }
  if (context.snapshot.addon_mapping) {
    change.addon_mapping = ended_mapping(context.origin, *context.snapshot.addon_mapping, change);
  }
}

Taken take(const Context& context, const stripe::ProductState& state, const TrueInterval& true_during,
           ChangeSet& change) {
  auto taken = remember(context, state, true_during, change);
  if (!is_plan(context)) {
    taken.note = "sync.plan_source = price: its recurring prices are the plans";
    return taken;
  }
  taken.changed = take_plan(context, PlanId{context.origin.entity.id}, source_of(state), known_fields(context), change);
  return taken;
}

Taken take_deletion(const Context& context, const stripe::ProductState& last, Timestamp at, ChangeSet& change) {
  auto state = last;
  state.deleted = true;
  auto taken = remember(context, state, {at, at}, change);
  if (is_plan(context)) {
    delete_plan(context, PlanId{context.origin.entity.id}, source_of(last), known_fields(context), change);
  }
  taken.changed = true;
  return taken;
}

Taken pass_by(const Context&, const stripe::ProductState&, ChangeSet&) {
  return {};
}

}  // namespace flexsync::sync
