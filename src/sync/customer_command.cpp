#include "sync/customer_command.hpp"

#include <algorithm>
#include <utility>

#include "sync/customer_fields.hpp"
#include "sync/intents.hpp"

namespace flexsync::sync {

namespace {

StateOrigin origin_of(const CommandTask& task) {
  const auto& by = task.command.by;
  return {task.command.scope,
          task.epoch,
          {EntityKind::customer, task.command.customer_id.str()},
          task.now,
          by.request_id,
          by.label,
          by.label,
          {},
          {}};
}

IntentOrigin intent_origin(const CommandTask& task) {
  return {task.command.scope, task.command.customer_id, task.now, task.command.by.request_id};
}

Error unknown_customer(const CommandTask& task) {
  return {ErrorCode::not_found, "customer " + task.command.customer_id.str() + " does not exist", {}};
}

bool exists(const CustomerSnapshot& snapshot) {
  return snapshot.customer && !is_gone(snapshot);
}

// FlexPrice's rules: what is absent stays, metadata is replaced; our own keys survive any write.
Customer updated(const Customer& before, const UpdateCustomer& wanted) {
  Customer after = before;
  const auto take = [](const std::optional<std::string>& from, std::string& to) {
    if (from) {
      to = *from;
    }
  };
  take(wanted.external_id, after.external_id);
  take(wanted.name, after.fields.name);
  take(wanted.email, after.fields.email);
  take(wanted.contact, after.fields.contact);
  take(wanted.address_line1, after.fields.address_line1);
  take(wanted.address_line2, after.fields.address_line2);
  take(wanted.address_city, after.fields.address_city);
  take(wanted.address_state, after.fields.address_state);
  take(wanted.address_postal_code, after.fields.address_postal_code);
  take(wanted.address_country, after.fields.address_country);
  if (wanted.metadata) {
    std::erase_if(after.fields.metadata, [](const auto& entry) { return !is_reserved_metadata(entry.first); });
    for (const auto& [key, value] : *wanted.metadata) {
      if (!is_reserved_metadata(key)) {
        after.fields.metadata.insert_or_assign(key, value);
      }
    }
  }
  return after;
}

// What Stripe has to be told so that it has these fields: where it knows the customer, or is about to, what changed;
// else the whole of it.
void push(const CommandTask& task, const CustomerSnapshot& snapshot, const CustomerFields& fields,
          const std::vector<std::string>& changed, ChangeSet& change) {
  if (!snapshot.mapping && waiting_creation(snapshot.intents) == nullptr) {
    change.new_intents.push_back(creation(intent_origin(task), fields));
  } else if (!changed.empty()) {
    change.new_intents.push_back(update(intent_origin(task), fields, changed));
  }
}

// Those of `names` that no intent has on its way already.
std::vector<std::string> not_waiting(const std::vector<Intent>& intents, std::vector<std::string> names) {
  for (const auto& intent : intents) {
    std::erase_if(names, [&](const auto& name) {
      return std::find(intent.fields.begin(), intent.fields.end(), name) != intent.fields.end();
    });
  }
  return names;
}

Unchanged as_it_is(const CustomerSnapshot& snapshot) {
  CustomerReply reply{*snapshot.customer, snapshot.mapping, std::nullopt};
  if (!snapshot.intents.empty()) {
    reply.intent = snapshot.intents.back();
  }
  return {std::move(reply)};
}

CommandDecision create(const CommandTask& task, const CustomerSnapshot& snapshot, const CreateCustomer& wanted) {
  if (snapshot.customer) {
    return Error{ErrorCode::already_exists, "customer " + snapshot.customer->id.str() + " exists already", {}};
  }
  const auto origin = origin_of(task);
  Customer customer;
  customer.id = CustomerId{origin.entity.id};
  customer.external_id = wanted.external_id;
  customer.fields = wanted.fields;
  std::erase_if(customer.fields.metadata, [](const auto& entry) { return is_reserved_metadata(entry.first); });
  customer.created_at = origin.now;
  customer.created_by = origin.updated_by;
  auto change = change_of(origin);
  write_customer(origin, snapshot, std::move(customer), change);
  if (task.command.push) {
    push(task, snapshot, wanted.fields, {}, change);
  }
  return change;
}

CommandDecision change_fields(const CommandTask& task, const CustomerSnapshot& snapshot, const UpdateCustomer& wanted) {
  if (!exists(snapshot)) {
    return unknown_customer(task);
  }
  const auto origin = origin_of(task);
  auto after = updated(*snapshot.customer, wanted);
  const auto fields = after.fields;
  auto change = change_of(origin);
  if (!write_customer(origin, snapshot, std::move(after), change)) {
    return as_it_is(snapshot);
  }
  if (task.command.push) {
    push(task, snapshot, fields, changed_fields(snapshot.customer->fields, fields), change);
  }
  return change;
}

// Without provider clean-up the mapping ends here and now, and what waits is told no more. With it, all that waits goes
// first, then the deletion; the mapping ends when Stripe has answered.
CommandDecision remove(const CommandTask& task, const CustomerSnapshot& snapshot, const DeleteCustomer& wanted) {
  if (!exists(snapshot)) {
    return unknown_customer(task);
  }
  const auto origin = origin_of(task);
  auto change = change_of(origin);
  auto customer = *snapshot.customer;
  customer.status = Status::deleted;
  write_customer(origin, snapshot, std::move(customer), change);
  if (wanted.provider_cleanup && (snapshot.mapping || waiting_creation(snapshot.intents) != nullptr)) {
    change.new_intents.push_back(deletion(intent_origin(task)));
    return change;
  }
  for (const auto& intent : snapshot.intents) {
    change.intents.push_back(superseded(intent, task.now, "the customer was deleted"));
  }
  if (snapshot.mapping) {
    end_mapping(origin, *snapshot.mapping, change);
  }
  return change;
}

CommandDecision sync(const CommandTask& task, const CustomerSnapshot& snapshot) {
  if (!exists(snapshot)) {
    return unknown_customer(task);
  }
  const auto& fields = snapshot.customer->fields;
  auto change = change_of(origin_of(task));
  push(task, snapshot, fields, not_waiting(snapshot.intents, changed_fields(known_fields(snapshot), fields)), change);
  if (change.new_intents.empty()) {
    return as_it_is(snapshot);
  }
  const auto& intent = change.new_intents.back();
  change.audit.push_back(audit_of(origin_of(task), "sync", "{}", R"({"intent_id":")" + intent.id.str() + R"("})"));
  return change;
}

}  // namespace

CommandDecision decide_command(const CommandTask& task, const CustomerSnapshot& snapshot) {
  const auto& action = task.command.action;
  if (const auto* wanted = std::get_if<CreateCustomer>(&action)) {
    return create(task, snapshot, *wanted);
  }
  if (const auto* wanted = std::get_if<UpdateCustomer>(&action)) {
    return change_fields(task, snapshot, *wanted);
  }
  if (const auto* wanted = std::get_if<DeleteCustomer>(&action)) {
    return remove(task, snapshot, *wanted);
  }
  return sync(task, snapshot);
}

}  // namespace flexsync::sync
