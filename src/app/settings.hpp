// The configuration in the terms of each part.
#pragma once

#include <string>
#include <vector>

#include "actors/engine.hpp"
#include "actors/services.hpp"
#include "app/config.hpp"
#include "http/server.hpp"
#include "store/change_writer.hpp"
#include "store/inbox_writer.hpp"
#include "store/read_pool.hpp"
#include "store/snapshot_loader.hpp"
#include "store/usage_writer.hpp"
#include "stripe/transport.hpp"

namespace flexsync::app {

http::ServerConfig server_config(const Config& config);
actors::SchedulerConfig scheduler_config(const Config& config);
actors::ActorConfig actor_config(const Config& config);
store::ReadPoolConfig read_pool_config(const Config& config, const std::string& url);
store::InboxWriterConfig inbox_writer_config(const Config& config, const std::string& url);
store::ChangeWriterConfig change_writer_config(const Config& config, const std::string& url);
store::SnapshotLoaderConfig snapshot_config(const Config& config, const std::string& url);
store::ReadPoolConfig ledger_pool_config(const Config& config, const std::string& url);
store::UsageWriterConfig usage_writer_config(const Config& config, const std::string& url);
stripe::CurlTransportConfig transport_config(const Config& config);
std::vector<Secret> global_webhook_secrets(const Config& config);

}  // namespace flexsync::app
