#include "support/two_sided_world.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>

#include "actors/node_supervisor.hpp"
#include "domain/ulid.hpp"
#include "support/stripe_model.hpp"
#include "sync/customer_fields.hpp"

namespace flexsync::test {

using std::chrono::hours;
using std::chrono::milliseconds;

namespace {

constexpr std::array kTexts = {"", "Ada", "Bob", "Cleo"};
constexpr int kRestsWithin = 2'000;  // steps of half a second

std::string claim_of(const stripe::CustomerState& state) {
  const auto found = state.metadata.find("flexprice_customer_id");
  return found == state.metadata.end() ? std::string() : found->second;
}

}  // namespace

TwoSidedWorld::TwoSidedWorld(std::uint64_t seed, const TwoSidedPlan& plan) : random_(seed), plan_(plan) {
  draw_ulids_from(seed);
  stripe = &live;
  config.retry = {100'000, milliseconds{100}, milliseconds{1'000}};  // faults must not end as dead letters here
  config.push_retry = {0, milliseconds{100}, milliseconds{2'000}};
  config.refetch_attempts_max = 100'000;
  config.outbox_pause = milliseconds{1'000};
  config.entity_idle = milliseconds{one_in(2) ? 50 : 5'000};
  config.live_entities_max = one_in(2) ? 3 : 300;
  config.sync.conflict = one_in(2) ? sync::FieldConflict::stripe : sync::FieldConflict::local;
  config.sync.ordering = one_in(4) ? sync::Ordering::refetch : sync::Ordering::payload;
  config.sync.customer_deleted = static_cast<sync::CustomerDeleted>(pick(3));
}

std::string TwoSidedWorld::some_text() {
  return kTexts.at(static_cast<std::size_t>(pick(kTexts.size())));
}

// --- the API ------------------------------------------------------------------------------------------------------

UpdateCustomer TwoSidedWorld::some_update() {
  UpdateCustomer update;
  switch (pick(5)) {
    case 0:
      update.email = some_text() + "@example.com";
      break;
    case 1:
      update.address_city = some_text();
      break;
    case 2:
      update.metadata = Metadata{{"team", some_text() + "s"}};
      break;
    default:
      update.name = some_text();
  }
  return update;
}

decltype(CustomerCommand::action) TwoSidedWorld::some_action(CustomerId& id) {
  const bool has_room = static_cast<int>(known_.size()) < plan_.customers_max;
  if (known_.empty() || (has_room && one_in(3))) {
    id = new_id<CustomerId>(prefix::kCustomer, clock.now());
    known_.push_back(id);
    CreateCustomer create;
    create.external_id = "api_" + std::to_string(++last_external_);
    create.fields.name = some_text();
    create.fields.metadata["team"] = "first";
    return create;
  }
  const auto all = store.customers_of(kTenant);
  const bool any = !all.empty() && one_in(3);
  id = any ? all.at(static_cast<std::size_t>(pick(static_cast<int>(all.size())))).id
           : known_.at(static_cast<std::size_t>(pick(static_cast<int>(known_.size()))));
  const auto what = pick(12);
  if (what == 0 && plan_.deletions) {
    return DeleteCustomer{one_in(2)};
  }
  if (what == 1) {
    return SyncCustomerToStripe{};
  }
  return some_update();
}

void TwoSidedWorld::give_command() {
  --plan_.commands;
  CustomerCommand command;
  command.scope = kTenant;
  command.action = some_action(command.customer_id);
  command.push = true;
  command.by.label = "api_key:secret_1";
  command.by.request_id = "req_" + std::to_string(issued_.size());
  if (one_in(3)) {
    command.wait = milliseconds{1 + pick(5'000)};
  }
  auto& issued = issued_.emplace_back(Issued{command, 0, {}});
  auto pending = std::make_shared<actors::PendingCommand>(
      command,
      [&issued](Result<CustomerReply> reply) {
        ++issued.answers;
        issued.reply = std::move(reply);
      },
      fail(ErrorCode::service_unavailable, "not known"));
  caf::anon_send(node_, actors::execute_atom::value, std::move(pending));
}

// --- Stripe -------------------------------------------------------------------------------------------------------

void TwoSidedWorld::change_stripe() {
  --plan_.changes;
  if (live.objects().empty() || (in_stripe_ < plan_.customers_max && one_in(3))) {
    stripe::CustomerState state;
    state.name = some_text();
    state.metadata["external_id"] = "stripe_" + std::to_string(++in_stripe_);
    live.create(state);
    return;
  }
  auto object = live.objects().begin();
  std::advance(object, pick(static_cast<int>(live.objects().size())));
  auto state = object->second.state;
  switch (pick(6)) {
    case 0:
      if (plan_.deletions && one_in(2)) {
        return live.remove(state.id);
      }
      state.phone = some_text();
      break;
    case 1:
      state.email = some_text() + "@example.org";
      break;
    case 2:
      state.city = some_text();
      break;
    case 3:
      state.metadata["team"] = some_text() + "z";
      break;
    default:
      state.name = some_text();
  }
  live.change(state.id, state);
}

void TwoSidedWorld::deliver(const CustomerEvent& event) {
  auto whole = event;
  whole.state.deleted = false;  // a deletion's event carries the last state, too
  store.deliver(kTenant, event.id.str(), event.type, event.state.id.str(), to_event_json(whole), clock.now());
  delivered_.push_back(event);
  if (!one_in(4)) {
    caf::anon_send(node_, actors::wake_atom::value, kTenant);
  }
}

// In any order, and some of them again.
void TwoSidedWorld::deliver_one() {
  if (!delivered_.empty() && one_in(5)) {
    return deliver(delivered_.at(static_cast<std::size_t>(pick(static_cast<int>(delivered_.size())))));
  }
  if (!live.events.empty()) {
    const auto chosen = live.events.begin() + pick(static_cast<int>(live.events.size()));
    const auto event = *chosen;
    live.events.erase(chosen);
    deliver(event);
  }
}

// --- faults -------------------------------------------------------------------------------------------------------

void TwoSidedWorld::break_store() {
  --plan_.store_faults;
  switch (pick(9)) {
    case 0:
      return snapshots.script.next(ReadFault::unavailable, 1 + pick(3));
    case 1:
      return snapshots.script.next(ReadFault::throws);
    case 2:
      return inbox.pages[kTenant].next(one_in(2) ? ReadFault::unavailable : ReadFault::throws);
    case 3:
      return outbox.pages[kTenant].next(ReadFault::unavailable, 1 + pick(5));
    case 4:
      return outbox.pages[kTenant].next(ReadFault::throws);
    case 5:
      return changes.script.next({ChangeResult::committed, false, true});  // submitted, then the actor falls
    case 6:
      return changes.script.next({ChangeResult::unavailable, true});  // committed all the same
    case 7:
      store.take_ownership(kTenant);  // another process was the owner for a moment
      return;
    default:
      return changes.script.next({ChangeResult::unavailable}, 1 + pick(20));
  }
}

void TwoSidedWorld::break_stripe() {
  --plan_.stripe_faults;
  live.script.next(static_cast<LiveStripe::Fault>(pick(8)), 1 + pick(2));
}

void TwoSidedWorld::pass_time() {
  const milliseconds by{one_in(20) ? pick(6'000) : pick(40)};
  clock.advance(by);
  scheduler.advance_time(by);
}

// No call is on its way so long: they all have a timeout.
void TwoSidedWorld::pass_a_day() {
  while (held.waiting() > 0) {
    held.finish_all();
    run();
  }
  clock.advance(hours{25});
  scheduler.advance_time(hours{25});
}

// --- the run ------------------------------------------------------------------------------------------------------

void TwoSidedWorld::play_one() {
  switch (pick(12)) {
    case 0:
      if (plan_.commands > 0) {
        give_command();
      }
      return;
    case 1:
      if (plan_.changes > 0 && one_in(2)) {
        change_stripe();
      }
      return;
    case 2:
      return deliver_one();
    case 3:
    case 4:
    case 5:
      held.step(random_);
      return;
    case 6:
      return pass_time();
    default:
      run_one(random_);
  }
}

void TwoSidedWorld::play() {
  held.hold_all = true;
  node_ = own(system.spawn(actors::node_supervisor, services()));
  const int steps = (plan_.commands + plan_.changes) * 60;
  const auto every = [steps](int times) { return times > 0 ? std::max(1, steps / times) : steps + 1; };
  const int store_every = every(plan_.store_faults);
  const int stripe_every = every(plan_.stripe_faults);
  for (int i = 1; i <= steps || plan_.commands > 0 || plan_.changes > 0; ++i) {
    if (i % store_every == 0 && plan_.store_faults > 0) {
      break_store();
    }
    if (i % stripe_every == 0 && plan_.stripe_faults > 0) {
      break_stripe();
    }
    if (plan_.outage && i % 100 == 0) {
      live.down = one_in(3);
    }
    if (plan_.revoked && i % 100 == 0) {
      live.revoked = one_in(3);
    }
    if (plan_.key_expires && i == steps / 2) {
      pass_a_day();
    }
    play_one();
  }
  settle_all();
}

bool TwoSidedWorld::rests() const {
  const auto all = store.intents(kTenant);
  return live.events.empty() && store.unsettled(kTenant) == 0 && held.waiting() == 0 &&
         std::all_of(issued_.begin(), issued_.end(), [](const auto& issued) { return issued.answers > 0; }) &&
         std::none_of(all.begin(), all.end(), [](const auto& intent) { return intent.state == IntentState::ready; });
}

// The faults pass, Stripe and the store answer, time goes on.
void TwoSidedWorld::settle_all() {
  changes.script.clear();
  snapshots.script.clear();
  inbox.pages.clear();
  outbox.pages.clear();
  live.script.clear();
  live.down = live.revoked = false;
  held.hold_all = false;
  for (int i = 0; i < kRestsWithin && (i < 4 || !rests()); ++i) {
    while (!live.events.empty()) {
      deliver_one();
    }
    held.finish_all();
    run();
    advance(milliseconds{500});
  }
}

// --- afterwards ---------------------------------------------------------------------------------------------------

void TwoSidedWorld::check() {
  INFO("what happened\n" << story());
  CHECK(store.unsettled(kTenant) == 0);
  CHECK(held.waiting() == 0);
  CHECK(inbox.watermark_violations == 0);
  check_commands();
  check_intents();
  check_order();
  check_stripe_customers();
  check_pairs();
}

void TwoSidedWorld::check_commands() {
  for (const auto& issued : issued_) {
    INFO("command " << issued.command.by.request_id);
    CHECK(issued.answers == 1);
  }
}

// Nothing waits, and what Stripe did not take says why.
void TwoSidedWorld::check_intents() {
  static const std::set<std::string> kReasons{"not_mapped", "resource_missing"};
  for (const auto& intent : store.intents(kTenant)) {
    INFO("intent " << intent.seq << " " << intent.error_code << " " << intent.error_message);
    CHECK(intent.state != IntentState::ready);
    CHECK((intent.state != IntentState::refused || kReasons.contains(intent.error_code)));
  }
}

std::map<std::string, std::int64_t> TwoSidedWorld::seqs_by_key() const {
  std::map<IntentId, std::int64_t> seqs;
  for (const auto& intent : store.intents(kTenant)) {
    seqs[intent.id] = intent.seq;
  }
  std::map<std::string, std::int64_t> by_key;
  for (const auto& change : changes.submitted) {
    for (const auto* list : {&change.new_intents, &change.intents}) {
      for (const auto& intent : *list) {
        if (seqs.contains(intent.id)) {
          by_key[intent.idempotency_key] = seqs[intent.id];
        }
      }
    }
  }
  return by_key;
}

// What was carried out for an entity was carried out in the order of its intents.
void TwoSidedWorld::check_order() {
  std::map<std::int64_t, std::string> entities;
  for (const auto& intent : store.intents(kTenant)) {
    entities[intent.seq] = intent.entity_id;
  }
  const auto by_key = seqs_by_key();
  std::map<std::string, std::int64_t> last;
  for (const auto& request : live.requests()) {
    const auto seq = by_key.find(request.key);
    if (!request.executed || seq == by_key.end()) {
      continue;
    }
    auto& before = last[entities[seq->second]];
    INFO(request.method << " " << request.path << " " << request.body);
    CHECK(before <= seq->second);
    before = std::max(before, seq->second);
  }
}

// Never two for one of ours; every live one is mapped, unless ours was deleted.
void TwoSidedWorld::check_stripe_customers() {
  std::set<std::string> claimed;
  for (const auto& [id, object] : live.objects()) {
    if (object.deleted) {
      CHECK(store.live_mapping(kTenant, StripeId(id)) == nullptr);
      continue;
    }
    INFO("Stripe customer " << id);
    const auto claim = claim_of(object.state);
    CHECK((claim.empty() || claimed.insert(claim).second));
    const auto* ours = store.customer_of(kTenant, StripeId(id));
    if (ours == nullptr && !claim.empty()) {
      ours = store.customer(kTenant, CustomerId(claim));
    }
    REQUIRE(ours != nullptr);
    CHECK((claim.empty() || ours->id.str() == claim));
    CHECK((store.live_mapping(kTenant, StripeId(id)) == nullptr) == (ours->status == Status::deleted));
  }
}

// Every live pair is equal on both sides; what is not mapped has a reason.
void TwoSidedWorld::check_pairs() {
  std::set<std::string> mapped;
  for (const auto& mapping : store.live_mappings(kTenant)) {
    INFO("customer " << mapping.entity_id << " = " << mapping.provider_entity_id);
    CHECK(mapped.insert(mapping.entity_id).second);
    const auto object = live.objects().find(mapping.provider_entity_id);
    REQUIRE(object != live.objects().end());
    const auto* ours = store.customer(kTenant, CustomerId(mapping.entity_id));
    REQUIRE(ours != nullptr);
    auto fields = sync::to_customer_fields(object->second.state).fields;
    fields.metadata[sync::kStripeCustomerIdKey] = mapping.provider_entity_id;
    INFO("differs in " << [&] {
      std::string names;
      for (const auto& name : sync::changed_fields(fields, ours->fields)) {
        names += name + " '" + sync::field_value(ours->fields, name) + "' / '" + sync::field_value(fields, name) + "' ";
      }
      return names;
    }());
    const auto* shadow = store.object(kTenant, object->second.state.id);
    if (plan_.revoked && shadow->needs_reconcile) {
      continue;  // Stripe could not be asked when two states were tied: the last arrival stands until reconcile
    }
    CHECK(ours->fields == fields);
    CHECK(shadow->state == stripe::to_canonical(object->second.state));
  }
  for (const auto& customer : store.customers_of(kTenant)) {
    if (customer.status == Status::deleted || mapped.contains(customer.id.str())) {
      continue;
    }
    INFO("not mapped: " << customer.id.str());
    const auto gone = std::any_of(live.objects().begin(), live.objects().end(), [&](const auto& entry) {
      const auto* shadow = store.object(kTenant, entry.second.state.id);
      return entry.second.deleted && shadow != nullptr && shadow->entity_id == customer.id.str();
    });
    CHECK(gone);
  }
}

std::string TwoSidedWorld::story() const {
  std::string text;
  for (const auto& issued : issued_) {
    text += "  command " + std::to_string(issued.command.action.index()) + " " + issued.command.customer_id.str() +
            (issued.reply && *issued.reply ? " ok" : " failed") + "\n";
  }
  for (const auto& request : live.requests()) {
    text += "  " + to_rfc3339(request.at) + " " + request.method + " " + request.path + " " + request.body + " -> " +
            std::to_string(request.status) + (request.executed ? " executed" : "") +
            (request.replayed ? " replayed" : "") + "\n";
  }
  for (const auto& event : delivered_) {
    text += "  " + to_rfc3339(event.created) + " " + event.id.str() + " " + event.type + " " +
            stripe::to_canonical(event.state) + (event.idempotency_key.empty() ? "" : " ours") + "\n";
  }
  for (const auto& intent : store.intents(kTenant)) {
    text += "  intent " + std::to_string(intent.seq) + " " + to_string(intent.operation) + " " + intent.entity_id +
            " " + intent.body + " " + to_string(intent.state) + " " + intent.error_code + " " + intent.error_message +
            "\n";
  }
  for (const auto& customer : store.customers_of(kTenant)) {
    text += "  customer " + customer.id.str() + " v" + std::to_string(customer.version) + " " + customer.fields.name +
            " " + to_string(customer.status) + "\n";
  }
  return text;
}

}  // namespace flexsync::test
