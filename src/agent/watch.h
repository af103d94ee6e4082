// Watches the running machine: live events through state and rules, findings to sinks, store and
// server.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/audit_sources.h"
#include "agent/reloader.h"
#include "base/result.h"
#include "capture/bpf/live.h"
#include "k8s/resolver.h"
#include "k8s/runtimes.h"
#include "output/dispatcher.h"
#include "rules/engine.h"
#include "server/server.h"
#include "store/writer.h"

namespace saker::agent {

struct WatchOptions {
  Policy policy;
  Reloader::LoadPolicy load_policy;  // reads the configuration again
  bool kernel = true;                // false: audit events alone
  capture::LiveOptions live;         // its demand comes from the rules
  uint64_t duration_seconds = 0;     // 0: until it is told to stop
  bool keep_privileges = false;
  bool verify = false;             // run the slow evaluator beside the fast one
  bool container_metadata = true;  // ask the container runtimes
  k8s::RuntimeConfig runtimes;
  size_t container_cache = 16384;
};

// The outputs as the watch needs them: started once privileges are dropped, so that their threads
// have none either, and exchanged for others.
class OutputExchange {
 public:
  virtual ~OutputExchange() = default;
  virtual void start() = 0;
  // Opens what the configuration wants; on the loader's thread. An error changes nothing.
  virtual Status prepare(const Config& config) = 0;
  // Takes what prepare() opened. This and tidy(), which is called now and then, are for the
  // watching thread.
  virtual void exchange() = 0;
  virtual void tidy() = 0;
};

// Where findings go besides the dispatcher; any may be null.
struct WatchOutputs {
  output::Dispatcher* dispatcher = nullptr;
  store::Writer* store = nullptr;
  server::EventStream* stream = nullptr;
  OutputExchange* exchange = nullptr;
  AuditSources* audit = nullptr;  // where audit events come from; needs the store
};

struct WatchStats {
  uint64_t seen = 0, delivered = 0, matched = 0;
  uint64_t audit_events = 0, audit_repeated = 0;
  std::map<std::string, uint64_t> lost, lost_by_type;
  double cpu_seconds = 0;
  uint64_t rss_bytes = 0;
  double start_seconds = 0;  // from the call until events were watched
  uint64_t reloads = 0, reload_failures = 0;
  uint64_t disagreements = 0;
};
std::string to_text(const WatchStats& stats);
std::string to_json(const WatchStats& stats);

// Numbers of a running watch for /metrics. Filled by the watching thread, read by the server's.
class WatchMetrics : public server::MetricsSource {
 public:
  void collect(server::MetricsWriter& writer) const override;

  struct RuleRow {
    std::string name, priority, source;
    rules::RuleStats stats;
  };
  struct State {
    uint64_t threads = 0, fds = 0, containers = 0;
    k8s::ResolverStats lookups;
  };
  void publish(const WatchStats& stats, std::vector<RuleRow> rules, const State& state);

 private:
  mutable std::mutex mutex_;
  WatchStats stats_;
  std::vector<RuleRow> rules_;
  State state_;
};

// Runs until the duration is over or a signal comes (SIGINT, SIGTERM; SIGHUP reloads the rules and
// reopens files). `started` is called once events are watched.
Status watch(WatchOptions options, const WatchOutputs& outputs, WatchMetrics& metrics,
             WatchStats& stats, const std::function<void(const rules::Engine&)>& started);

}  // namespace saker::agent
