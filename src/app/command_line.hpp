// The one binary's commands: serve, demo, db migrate, tenant create, …
#pragma once

namespace flexsync::app {

// Exit codes: 0 done; 1 failed, or an audit found a difference; 2 wrong usage or configuration; 3 an audit could not
// ask Stripe, and found no difference in the books.
int run(int argc, char** argv);

}  // namespace flexsync::app
