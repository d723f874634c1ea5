// What the commands about events share: their filters, and those that act on what matches.
#pragma once

#include "app/commands.hpp"

namespace flexsync::app {

// --state, --type, --object, --received-from, …
void add_event_filter(CLI::App& command, WebhookEventFilter& filter);

// --type, --object, --error, --from, --to
void add_letter_filter(CLI::App& command, DeadLetterFilter& filter);

void add_replay_command(CLI::App& group, Invocation& given);   // events replay
void add_letter_commands(CLI::App& group, Invocation& given);  // dead-letters redrive | discard

}  // namespace flexsync::app
