// The one binary's commands: serve, demo, db migrate, tenant create, …
#pragma once

namespace flexsync::app {

// Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
int run(int argc, char** argv);

}  // namespace flexsync::app
