// Objects as an older API version showed them.
//
// The simulator keeps everything in the newest shape. What a client of another version sees is made from that when it
// is shown, by undoing Stripe's changes one after the other, newest first: rules.cpp has one rule for each change.
#pragma once

#include <string>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

// An object, or a list or hash that holds some. Events within it stay as they are: their shape is their own. `lists` as
// embedded.hpp has them; without them they are left out.
Json at_version(Json shown, const std::string& version, const Json& lists = {});

// An event with data.object, data.previous_attributes and api_version of the version.
Json event_at_version(Json event, const std::string& version);

// The rules, newest first, each with the version that made the change and a sentence.
Json describe_rules();

}  // namespace stripe_sim
