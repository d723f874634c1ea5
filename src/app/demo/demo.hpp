// `flexsync demo`: a private database, a simulated Stripe and the server itself, taken through a story.
#pragma once

namespace flexsync::app::demo {

struct Options {
  bool once = false;  // end after the story; else stay up until Ctrl-C
};

// Exit code: 0 when both sides ended equal, else 1.
int run(const Options& options);

}  // namespace flexsync::app::demo
