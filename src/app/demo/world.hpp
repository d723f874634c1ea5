// What the story plays in: a directory, the simulator, the server, a tenant, and the three ways to talk to them.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/demo/catalog.hpp"
#include "app/demo/http_client.hpp"
#include "app/demo/simulator_process.hpp"
#include "app/runtime.hpp"

namespace flexsync::app::demo {

// Below /tmp, gone with its content when it goes.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Provisioned {
  std::string tenant;
  std::string environment;
  std::string api_key;
  std::string endpoint;  // we_…, Stripe's side of the webhooks
};

class World {
 public:
  World();
  ~World();

  // --- Stripe
  Json create_customer(const Form& fields);  // returns it
  Json update_customer(const std::string& id, const Form& fields);
  void delete_customer(const std::string& id);
  std::vector<Json> customers_in_stripe();
  std::string last_event(const std::string& object);  // its newest event's id
  void advance_clock(int seconds);                    // the simulator's clock, which stands still otherwise
  void next_deliveries(const Json& faults);           // the simulator's faults, for the deliveries to come
  void release_held(const std::string& order);
  void resend(const std::string& event);
  std::vector<Json> attempts(const std::string& event);  // of delivering it, oldest first

  // --- Stripe's catalogue, and what Flexsync made of it (world_catalog.cpp)
  Json create_in_stripe(const std::string& kind, const Form& fields);  // "products"; returns it
  Json update_in_stripe(const std::string& kind, const std::string& id, const Form& fields);
  void cancel_subscription(const std::string& id);
  void payments_fail(const std::string& subscription, bool fail);  // it becomes past_due, or active again
  Catalog catalog();

  // --- Flexsync
  Json customer(const std::string& stripe_id);  // ours; null while there is none
  Json mapping(const std::string& stripe_id);   // the live one, or null
  Json event(const std::string& id);            // what became of it; null while it is not there
  std::vector<Json> customers();
  std::map<std::string, int> event_states();  // how many of each
  double metric(const std::string& name_and_labels);

  Json create_customer_here(const Json& fields);  // waits for Stripe's answer
  Json update_customer_here(const std::string& id, const Json& fields, bool wait);
  std::vector<Json> outbox(const std::string& state);
  std::vector<Json> batches(const std::string& status);

  void stripe_outage(bool down);
  // `flexsync usage audit`, as a person would call it: what it prints, and its exit code.
  std::pair<std::string, int> audit();

  // Waits until every delivery has ended and Flexsync has settled what came.
  void settle();
  // Waits until these events are settled.
  void settle(const std::vector<std::string>& events);

  const std::filesystem::path& directory() const { return directory_.path(); }
  const Provisioned& tenant() const { return tenant_; }
  std::string webhook_path() const;
  HttpClient& api() { return *api_; }
  HttpClient& admin() { return *admin_; }
  HttpClient& stripe() { return *stripe_; }

 private:
  void provision(const std::string& admin_key);

  TemporaryDirectory directory_;
  SimulatorProcess simulator_;
  std::unique_ptr<Runtime> server_;
  std::unique_ptr<HttpClient> stripe_;
  std::unique_ptr<HttpClient> control_;  // the simulator's own routes
  std::unique_ptr<HttpClient> api_;
  std::unique_ptr<HttpClient> admin_;
  Provisioned tenant_;
};

}  // namespace flexsync::app::demo
