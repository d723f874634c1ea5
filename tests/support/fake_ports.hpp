// The domain ports as fakes: each answers from what the test puts in, and remembers what it was asked.
//
// Every `on_…` may be replaced by the test before the server starts; what is remembered is read after the answer.
#pragma once

#include "support/fake_ports/base.hpp"
#include "support/fake_ports/catalog.hpp"
#include "support/fake_ports/provisioning.hpp"
#include "support/fake_ports/queries.hpp"
#include "support/fake_ports/usage.hpp"
#include "support/fake_ports/webhooks.hpp"
