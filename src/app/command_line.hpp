// The one binary's commands: serve, demo, db migrate, tenant create, …
#pragma once

namespace flexsync::app {

// Exit codes: 0 done, 1 failed (of `usage audit`: the figures differ), 2 wrong usage or configuration, 3 Stripe could
// not be asked (`usage audit`).
int run(int argc, char** argv);

}  // namespace flexsync::app
