// The admin key and the master key: configured, or generated once into data_dir for those who configured nothing.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "app/config.hpp"
#include "domain/error.hpp"
#include "domain/secret.hpp"
#include "store/key_ring.hpp"

namespace flexsync::app {

struct LocalKeys {
  Secret admin_key;
  store::KeyRing master_keys;
};

// `announce` is told where a key was generated, never the key. The error is one line, as for any bad setting.
Result<LocalKeys> local_keys(const Config& config, const std::function<void(const std::string&)>& announce);

}  // namespace flexsync::app
