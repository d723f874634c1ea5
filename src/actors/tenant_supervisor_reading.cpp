// The reading half of the tenant supervisor: ownership, pages, what becomes of each row.
#include <caf/all.hpp>

#include "actors/tenant_supervisor.hpp"
#include "sync/failure.hpp"
#include "telemetry/failpoint.hpp"
#include "telemetry/log.hpp"

namespace flexsync::actors {

void tenant_supervisor_state::own() {
  reading_ = true;
  services->inbox.take_ownership(scope, [home = tenant_supervisor_actor{self}](Result<store::Ownership> owned) {
    caf::anon_send(home, owned_atom::value, std::make_shared<const Result<store::Ownership>>(std::move(owned)));
  });
}

void tenant_supervisor_state::on_owned(const Result<store::Ownership>& owned) {
  reading_ = false;
  if (!owned) {
    log::warn("a tenant's work could not be taken over; it is tried again",
              {{"tenant_id", scope.tenant.str()}, {"error", owned.error().message}});
    early_commands_.clear();  // their callers hear of it
    return;                   // the next tick tries again
  }
  epoch_ = owned->epoch;
  feed_.start(owned->watermark);
  woken_ = true;
  self->send(outbox_sender_, wake_atom::value);
  self->send(usage_timer_, owned_atom::value, epoch_);
  self->send(event_catch_up_, owned_atom::value);
  self->send(reconciler_, owned_atom::value);
  for (const auto& command : std::exchange(early_commands_, {})) {
    on_execute(command);
  }
  pump();
}

void tenant_supervisor_state::on_wake() {
  woken_ = true;
  pump();
}

void tenant_supervisor_state::on_due() {
  due_ = true;
  self->send(event_catch_up_, due_atom::value);
  pump();
}

// One read is under way at most, and none while enough is in flight: what waits, waits in the database. Parents and
// what was looked up go first: they are in flight.
void tenant_supervisor_state::pump() {
  if (epoch_ == 0 || reading_) {
    return;
  }
  if (!parents_.empty()) {
    read_parents();
    return;
  }
  if (!looked_up_.empty()) {
    read_looked_up();
    return;
  }
  if (feed_.in_flight() >= services->config.in_flight_max) {
    return;
  }
  if (due_) {
    read_due();
  } else if (!drained_objects_.empty()) {
    auto object = std::move(drained_objects_.back());
    drained_objects_.pop_back();
    read_object(object);
  } else if (woken_) {
    read_page();
  }
}

void tenant_supervisor_state::read_page() {
  reading_ = true;
  woken_ = false;
  feed_.begin_read();
  ++reads_begun_;
  object_being_read_.clear();
  store::PageRequest request;
  request.after = feed_.cursor();
  request.busy_objects = feed_.skipped();
  request.rows_max = services->config.page_rows_max;
  request.bytes_max = services->config.page_bytes_max;
  services->inbox.read_page(
      scope, std::move(request), [home = tenant_supervisor_actor{self}](Result<std::vector<store::InboxRow>> page) {
        caf::anon_send(home, page_atom::value, std::make_shared<Result<std::vector<store::InboxRow>>>(std::move(page)),
                       false);
      });
}

void tenant_supervisor_state::read_object(const std::string& object) {
  reading_ = true;
  ++reads_begun_;
  object_being_read_ = object;
  store::PageRequest request;
  request.after = feed_.resume_after(object);
  request.object_id = object;
  request.rows_max = object_page_max_ = object_page_rows(object);
  services->inbox.read_page(
      scope, std::move(request), [home = tenant_supervisor_actor{self}](Result<std::vector<store::InboxRow>> page) {
        caf::anon_send(home, page_atom::value, std::make_shared<Result<std::vector<store::InboxRow>>>(std::move(page)),
                       false);
      });
}

void tenant_supervisor_state::read_due() {
  reading_ = true;
  due_ = false;
  ++reads_begun_;
  object_being_read_.clear();
  services->inbox.read_due(scope, services->clock.now(), services->config.page_rows_max,
                           [home = tenant_supervisor_actor{self}](Result<std::vector<store::InboxRow>> page) {
                             caf::anon_send(home, page_atom::value,
                                            std::make_shared<Result<std::vector<store::InboxRow>>>(std::move(page)),
                                            true);
                           });
}

void tenant_supervisor_state::on_page(Result<std::vector<store::InboxRow>>& page, bool parked) {
  FLEXSYNC_FAILPOINT("supervisor.page_read");
  reading_ = false;
  if (!page) {
    woken_ = true;
    due_ = due_ || parked;
    object_being_read_.clear();  // the sweep finds it
    return;                      // the next tick tries again
  }
  if (parked && page->size() >= static_cast<std::size_t>(services->config.page_rows_max)) {
    parked_at_ = services->clock.now();  // there may be more that are due
  }
  if (!object_being_read_.empty()) {
    feed_.resumed(object_being_read_);  // skipped anew below, if it must be
    full_object_page_ = page->size() >= static_cast<std::size_t>(object_page_max_) ? page->back().seq : 0;
  } else if (!parked && !page->empty()) {
    woken_ = true;  // there may be more behind this page
    feed_.read_up_to(page->back().seq);
  }
  store::EntitiesWanted wanted;
  for (auto& row : *page) {
    if (accept(row)) {
      want_claimed(page_.back(), wanted);
    }
  }
  if (wanted.claims.empty() && wanted.emails.empty()) {
    route_all();
    pump();
    return;
  }
  find_owners(std::move(wanted));
}

// Reads one row; true when it was put on page_ to be routed. What needs no entity actor is settled here.
bool tenant_supervisor_state::accept(store::InboxRow& row) {
  if (feed_.has(row.seq)) {
    return false;
  }
  feed_.take(row.seq, row.object_id, row.was_parked);
  if (!stripe::is_object_event(row.type)) {
    settle(row.event_id, row.seq, row.was_parked, InboxOutcome::deferred,
           "stored for later: events of this type take no effect in this version");
    return false;
  }
  auto event = stripe::parse_object_event(row.payload);
  if (!event) {
    park(row.event_id, row.seq, row.was_parked,
         sync::given_up(row.attempts, services->clock.now(), "unreadable", event.error().message));
    return false;
  }
  if (sync::belongs_elsewhere(event->state, scope)) {
    settle(row.event_id, row.seq, row.was_parked, InboxOutcome::ignored, std::string(sync::kElsewhere));
    return false;
  }
  ReadEvent read;
  read.routed = std::make_shared<RoutedEvent>();
  read.object = row.object_id;
  read.kind = *kind_of(stripe::key_of(event->state).type);
  read.entity_id = std::move(row.entity_id);
  if (const auto live = entities_.entity_of(read.kind, read.object)) {
    read.entity_id = live->id;  // remembered here: room for others may have to be made before it is routed
  } else if (read.entity_id.empty()) {
    read.claim = sync::claimed_entity(event->state).value_or("");
    read.email = sync::matched_email(event->state, services->config.sync);
  }
  *read.routed = {std::move(*event), row.seq, std::move(row.request_id), row.was_parked, row.attempts, false,
                  row.parked_at};
  read.routed->event.id = row.event_id;  // a thin twin's id is its snapshot's
  if (sync::must_be_looked_up(read.routed->event, !read.entity_id.empty())) {
    look_up(std::move(read));
    return false;
  }
  page_.push_back(std::move(read));
  return true;
}

void tenant_supervisor_state::on_claims(const Result<store::FoundEntities>& claims) {
  reading_ = false;
  if (!claims) {
    for (const auto& read : std::exchange(page_, {})) {
      give_back(read.routed->seq);
    }
    woken_ = true;
    object_being_read_.clear();
    return;  // the next tick tries again
  }
  for (auto& read : std::exchange(page_, {})) {
    if (name_product(read, *claims) && identify(read, *claims)) {
      page_.push_back(std::move(read));
    }
  }
  route_all();
  pump();
}

void tenant_supervisor_state::settle(const StripeEventId& event, std::int64_t seq, bool was_parked,
                                     InboxOutcome outcome, std::string reason) {
  ChangeSet change;
  change.scope = scope;
  change.epoch = epoch_;
  change.settlement = InboxSettlement{seq, event, outcome, std::move(reason), was_parked, services->clock.now()};
  submit(std::move(change));
}

void tenant_supervisor_state::park(const StripeEventId& event, std::int64_t seq, bool was_parked, ParkedEvent parked) {
  ChangeSet change;
  change.scope = scope;
  change.epoch = epoch_;
  change.settlement =
      InboxSettlement{seq, event, InboxOutcome::parked, parked.error_message, was_parked, services->clock.now()};
  change.parked = std::move(parked);
  parked_at_ = services->clock.now();
  submit(std::move(change));
}

void tenant_supervisor_state::submit(ChangeSet change) {
  const auto seq = change.settlement->seq;
  settling_[seq] = change;
  services->changes.submit(std::move(change), [home = tenant_supervisor_actor{self}, seq](ChangeReply reply) {
    caf::anon_send(home, settled_atom::value, seq, std::make_shared<const ChangeReply>(std::move(reply)));
  });
}

void tenant_supervisor_state::on_settled(std::int64_t seq, const ChangeReply& reply) {
  const auto settled = settling_.extract(seq);
  if (reply.result == ChangeResult::stale_epoch) {
    on_deposed();
    return;
  }
  if (reply.result == ChangeResult::committed && !settled.empty()) {
    services->metrics.inbox_outcomes(to_string(settled.mapped().settlement->outcome)).Increment();
  } else if (reply.result != ChangeResult::already_settled) {
    log::warn("an event could not be settled; the sweep takes it up", {{"seq", seq}, {"error", reply.message}});
    give_back(seq);
  }
  feed_.settle(seq);
  if (const auto blamed = blamed_.extract(seq); !blamed.empty()) {
    if (auto* record = entities_.find(blamed.mapped())) {
      --record->parking;
      record->finished_at_read = reads_begun_;
    }
  }
  pump();
}

// It is neither settled nor on its way: it is to be read again.
void tenant_supervisor_state::give_back(std::int64_t seq) {
  feed_.give_back(seq);
  parked_at_ = services->clock.now();  // if it was parked before, it is still due
}

}  // namespace flexsync::actors
