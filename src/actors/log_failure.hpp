// An actor that throws ends, and says why; its supervisor starts another one.
#pragma once

#include <caf/error.hpp>
#include <caf/sec.hpp>
#include <exception>
#include <string>

#include "telemetry/log.hpp"

namespace flexsync::actors {

// `id` is what the actor is called in the log by: {"tenant_id", …}, {"entity_id", …}.
template <class Self>
void log_failure(Self* self, const std::string& name, const char* id_name, const std::string& id) {
  self->set_exception_handler([name, id_name, id](std::exception_ptr& e) -> caf::error {
    try {
      std::rethrow_exception(e);
    } catch (const std::exception& failure) {
      log::error(name + " failed", {{id_name, id}, {"error", failure.what()}});
    }
    return caf::sec::runtime_error;
  });
}

}  // namespace flexsync::actors
