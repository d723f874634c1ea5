// A cluster with logins that are not the superuser: who row-level security must hold against.
//
// The shared fixture logs in as the superuser and sets a role; a superuser's session could set any other role again.
#pragma once

#include <pqxx/pqxx>
#include <string>

#include "store/embedded_cluster.hpp"
#include "support/postgres_fixture.hpp"

namespace flexsync::testing {

class LoginCluster {
 public:
  static constexpr const char* kOwner = "plain_owner";    // may create roles and owns its databases, nothing more
  static constexpr const char* kServer = "plain_server";  // a member of flexsync_app, _intake and _apply, nothing more
  static constexpr const char* kNobody = "plain_nobody";

  static LoginCluster& instance();

  // A database owned by kOwner, migrated by kOwner; kServer is a member of the server's roles.
  std::string migrated_database();
  // A database owned by kOwner, empty.
  std::string empty_database();

  std::string url(const std::string& login, const std::string& database) const;
  std::string superuser_url(const std::string& database) const;
  ~LoginCluster();

 private:
  LoginCluster();
  void execute(const std::string& statement) const;

  TemporaryDirectory directory_{"flexsync-logins-"};
  std::unique_ptr<store::EmbeddedCluster> cluster_;
  int databases_made_ = 0;
};

}  // namespace flexsync::testing
