// `flexsync serve`: runs until SIGTERM or SIGINT, then drains.
#pragma once

#include "app/config.hpp"

namespace flexsync::app {

// Prints one line {"event":"listening",...} to standard output once it serves. Exit code.
int serve(const Config& config);

}  // namespace flexsync::app
