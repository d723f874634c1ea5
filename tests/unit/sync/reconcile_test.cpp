#include "sync/reconcile.hpp"

#include <catch2/catch.hpp>

#include "stripe/envelope.hpp"
#include "sync/identity.hpp"

using namespace flexsync;
using namespace flexsync::sync;
using namespace std::chrono_literals;

namespace {

const Scope kScope{TenantId("tenant_1"), EnvironmentId("env_1")};
const Timestamp kNoon = from_unix_seconds(1'790'000'000);

stripe::CustomerState customer(const std::string& id, const std::string& name) {
  stripe::CustomerState state;
  state.id = StripeId(id);
  state.name = name;
  return state;
}

stripe::ListedObject listed(const stripe::ObjectState& state) {
  return {state, kNoon};
}

KnownObject known(const stripe::ObjectState& state) {
  const auto key = stripe::key_of(state);
  StripeObject shadow;
  shadow.object_type = key.type;
  shadow.stripe_id = key.id;
  shadow.state = stripe::to_canonical(state);
  shadow.version = 1;
  return {shadow, false};
}

Finding compared(const stripe::ObjectState& state, const KnownObject& stored) {
  return compare(listed(state), stored, kScope, kNoon - 1h);
}

stripe::ObjectPage page_of(const std::vector<std::string>& ids, bool has_more = false) {
  stripe::ObjectPage page;
  for (const auto& id : ids) {
    page.ids.emplace_back(id);
    page.last_id = id;
  }
  page.has_more = has_more;
  return page;
}

MirroredObject shadow(const std::string& type, const std::string& id) {
  MirroredObject object;
  object.shadow.object_type = type;
  object.shadow.stripe_id = StripeId(id);
  object.shadow.version = 3;
  return object;
}

}  // namespace

TEST_CASE("what Stripe has is compared with the shadow", "[reconcile]") {
  const auto ada = customer("cus_1", "Ada");
  CHECK(compared(ada, known(ada)) == Finding::equal);
  CHECK(compared(ada, known(customer("cus_1", "Eve"))) == Finding::differs);

  auto marked = known(ada);
  marked.shadow->needs_reconcile = true;
  CHECK(compared(ada, marked) == Finding::differs);
  marked.waits = true;
  CHECK(compared(ada, marked) == Finding::waiting);

  auto deleted = known(customer("cus_1", "Eve"));
  deleted.shadow->deleted = true;
  CHECK(compared(ada, deleted) == Finding::equal);
}

TEST_CASE("what is not here is missed only if it should be", "[reconcile]") {
  auto ada = customer("cus_1", "Ada");
  CHECK(compared(ada, {}) == Finding::absent);
  CHECK(compare({ada, kNoon - 2h}, {}, kScope, kNoon - 1h) == Finding::elsewhere);
  KnownObject parked;
  parked.waits = true;
  CHECK(compared(ada, parked) == Finding::waiting);
  ada.metadata[std::string(stripe::kMetadataEnvironment)] = "env_2";
  CHECK(compared(ada, {}) == Finding::elsewhere);
}

TEST_CASE("a subscription that lists other items differs", "[reconcile]") {
  stripe::SubscriptionState whole;
  whole.id = StripeId("sub_1");
  whole.status = "active";
  for (const auto* id : {"si_1", "si_2"}) {
    stripe::SubscriptionItem item;
    item.id = StripeId(id);
    whole.items.push_back(item);
  }
  CHECK(compared(whole, known(whole)) == Finding::equal);
  auto fewer = whole;
  fewer.items.pop_back();
  CHECK(compared(fewer, known(whole)) == Finding::differs);
  auto changed = whole;
  changed.items.back().quantity = 7;
  CHECK(compared(changed, known(whole)) == Finding::differs);
}

TEST_CASE("a repair is an event that names its object, the same for the same difference", "[reconcile]") {
  const Difference difference{{"price", StripeId("price_1")}, StripeId("prod_1"), {}, {}, Finding::gone, 7};
  const auto repair = repair_of(difference, kScope, kNoon, kNoon + 5s);
  CHECK(repair.id == repair_of(difference, kScope, kNoon, kNoon + 9s).id);
  CHECK(repair.id != repair_of(difference, kScope, kNoon + 1h, kNoon + 5s).id);
  auto newer = difference;
  newer.shadow_version = 8;
  CHECK(repair.id != repair_of(newer, kScope, kNoon, kNoon + 5s).id);

  const auto envelope = stripe::parse_envelope(repair.payload);
  REQUIRE(envelope);
  CHECK(envelope->id == repair.id.str());
  CHECK(envelope->type == repair.type);
  CHECK(envelope->object_type == repair.object_type);
  CHECK(envelope->object_id == repair.object_id);
  CHECK(repair.object_id == "prod_1");

  REQUIRE(stripe::is_object_event(repair.type));
  const auto event = stripe::parse_object_event(repair.payload);
  REQUIRE(event);
  CHECK(event->hint);
  CHECK(stripe::is_deleted(event->state));
  CHECK(stripe::key_of(event->state) == difference.object);
  CHECK(std::get<stripe::PriceState>(event->state).product == StripeId("prod_1"));
}

TEST_CASE("a customer's repair says which of ours its metadata claims it to be", "[reconcile]") {
  auto page = page_of({"cus_1"});
  auto ada = customer("cus_1", "Ada");
  ada.metadata = {{"flexprice_customer_id", "our-7"}, {"other", "kept where it is"}};
  ada.email = "ada@example.com";
  page.objects = {listed(ada)};
  const auto differences = differences_of(page, {}, kScope, kNoon - 1h);
  REQUIRE(differences.size() == 1);
  const auto event = stripe::parse_object_event(repair_of(differences[0], kScope, kNoon, kNoon).payload);
  REQUIRE(event);
  CHECK(claimed_entity(event->state) == "our-7");
  CHECK(stripe::metadata_of(event->state).size() == 1);
  Settings settings;
  CHECK(matched_email(event->state, settings).empty());
  settings.match_email = true;
  CHECK(matched_email(event->state, settings) == "ada@example.com");
  CHECK_FALSE(must_be_looked_up(*event, false));
}

TEST_CASE("differences of a page are those to repair, with what names them", "[reconcile]") {
  auto page = page_of({"cus_1", "cus_2", "cus_3"});
  page.objects = {listed(customer("cus_1", "A")), listed(customer("cus_2", "B")), listed(customer("cus_3", "C"))};
  const std::map<StripeId, KnownObject> stored = {{StripeId("cus_1"), known(customer("cus_1", "A"))},
                                                  {StripeId("cus_2"), known(customer("cus_2", "else"))}};
  const auto differences = differences_of(page, stored, kScope, kNoon - 1h);
  REQUIRE(differences.size() == 2);
  CHECK(differences[0].object.id == StripeId("cus_2"));
  CHECK(differences[0].finding == Finding::differs);
  CHECK(differences[0].shadow_version == 1);
  CHECK(differences[1].finding == Finding::absent);
  CHECK(differences[1].shadow_version == 0);
  const auto counts = tally(page, stored, kScope, kNoon - 1h);
  CHECK(counts == std::map<Finding, std::int64_t>{{Finding::equal, 1}, {Finding::differs, 1}, {Finding::absent, 1}});
}

TEST_CASE("a walk lists all types, then looks for what was listed no more", "[reconcile]") {
  ReconcileWalk walk(kNoon);
  CHECK(walk.type() == "product");
  walk.on_listed(page_of({"prod_2", "prod_1"}, true), kNoon + 1s, 2);
  CHECK(walk.after() == "prod_1");
  walk.on_listed(page_of({"prod_0"}), kNoon + 2s, 1);
  CHECK(walk.type() == "price");
  CHECK(walk.after().empty());
  walk.on_listed(page_of({}), kNoon + 3s, 0);
  CHECK(walk.type() == "customer");
  walk.on_listed(page_of({"cus_1"}), kNoon + 4s, 1);
  CHECK(walk.phase() == ReconcileWalk::Phase::listing);
  walk.on_listed(page_of({}), kNoon + 5s, 0);
  REQUIRE(walk.phase() == ReconcileWalk::Phase::missing);
  CHECK(walk.type() == "product");
  CHECK(walk.listed_from() == kNoon + 1s);
  auto waits = shadow("product", "prod_8");
  waits.waits = true;
  const auto gone = walk.on_mirrored({shadow("product", "prod_0"), waits, shadow("product", "prod_9")});
  REQUIRE(gone);
  REQUIRE(gone->size() == 1);
  CHECK(gone->at(0).object == ObjectKey{"product", StripeId("prod_9")});
  CHECK(gone->at(0).finding == Finding::gone);
  CHECK(gone->at(0).shadow_version == 3);
  CHECK(walk.after() == "prod_9");
  for (const auto* type : {"product", "price", "customer", "subscription"}) {
    CHECK(walk.type() == type);
    CHECK(walk.on_mirrored({})->empty());
  }
  CHECK(walk.phase() == ReconcileWalk::Phase::end);
}

TEST_CASE("an account that lists nothing of ours is recognised as another's", "[reconcile]") {
  ReconcileWalk walk(kNoon);
  for (int type = 0; type < 4; ++type) {
    walk.on_listed(page_of({"other_1"}), kNoon, 0);
  }
  CHECK(walk.phase() == ReconcileWalk::Phase::missing);
  const auto refused = walk.on_mirrored({shadow("product", "prod_1")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::invalid_operation);
}
