#include "integration/login_cluster.hpp"

#include <stdexcept>

#include "store/migrations.hpp"

namespace flexsync::testing {

LoginCluster& LoginCluster::instance() {
  static LoginCluster cluster;
  return cluster;
}

LoginCluster::LoginCluster() {
  auto started = store::EmbeddedCluster::start({.data_dir = directory_.path(),
                                                .roles = {kOwner, kServer, kNobody},
                                                .settings = {{"shared_buffers", "32MB"}, {"fsync", "off"}},
                                                .watch = false,
                                                .announce = [](const std::string&) {}});
  if (!started) {
    throw std::runtime_error(started.error().message);
  }
  cluster_ = std::move(*started);
  execute(std::string("CREATE ROLE ") + kOwner + " LOGIN CREATEROLE");
  execute(std::string("CREATE ROLE ") + kServer + " LOGIN");
  execute(std::string("CREATE ROLE ") + kNobody + " LOGIN");
}

LoginCluster::~LoginCluster() {
  cluster_->stop();
}

std::string LoginCluster::empty_database() {
  const auto name = "logins_" + std::to_string(++databases_made_);
  execute("CREATE DATABASE " + name + " OWNER " + kOwner);
  return name;
}

std::string LoginCluster::migrated_database() {
  const auto name = empty_database();
  if (auto migrated = store::migrate(url(kOwner, name)); !migrated) {
    throw std::runtime_error(migrated.error().message);
  }
  execute(std::string("GRANT flexsync_app, flexsync_intake, flexsync_apply TO ") + kServer);
  return name;
}

std::string LoginCluster::url(const std::string& login, const std::string& database) const {
  return cluster_->connection_string(login, database);
}

std::string LoginCluster::superuser_url(const std::string& database) const {
  return cluster_->connection_string(store::EmbeddedCluster::kSuperuser, database);
}

void LoginCluster::execute(const std::string& statement) const {
  pqxx::connection connection(cluster_->connection_string());
  pqxx::nontransaction(connection).exec(statement);
}

}  // namespace flexsync::testing
