// What surrounds a watch, put together from the configuration: sinks, store, the server that shows
// both, and the sources of audit events, whose positions are in the store.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/watch.h"
#include "output/dispatcher.h"
#include "server/collectors.h"
#include "server/server.h"
#include "store/writer.h"

namespace saker::agent {

// open(), serve() and close() are for the thread that owns it.
class Outputs : public OutputExchange {
 public:
  // `force_json`: standard output gets JSON whatever it is.
  Outputs(const Config& config, bool force_json);

  // Opens everything while privileges allow it; threads come with start().
  Status open();
  // A port that is taken must not keep the machine unwatched.
  void serve();
  void close();

  // OutputExchange
  void start() override;
  Status prepare(const Config& config) override;
  void exchange() override;
  void tidy() override { dispatcher_.tidy(); }

  WatchOutputs for_watch() {
    return {.dispatcher = &dispatcher_,
            .store = store_.get(),
            .stream = &stream_,
            .exchange = this,
            .audit = audit_.get()};
  }

  WatchMetrics metrics;

 private:
  [[nodiscard]] std::vector<output::SinkSpec> specs(const Config& config) const;
  Status open_store();

  const Config config_;
  const bool force_json_;
  output::Dispatcher dispatcher_;
  std::optional<output::Dispatcher::Prepared> prepared_;
  server::EventStream stream_;
  std::string store_path_;
  std::unique_ptr<store::Writer> store_;
  server::ProcessMetrics process_;
  server::OutputMetrics output_metrics_{dispatcher_};
  server::StreamMetrics stream_metrics_{stream_};
  std::optional<server::StoreMetrics> store_metrics_;
  std::unique_ptr<AuditSources> audit_;
  std::vector<const server::MetricsSource*> sources_;
  std::unique_ptr<server::Server> server_;
};

// Where the alerts of this configuration are kept.
std::string data_folder(const Config& config);

}  // namespace saker::agent
