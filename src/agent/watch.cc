#include "agent/watch.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <functional>

#include "agent/audit_watch.h"
#include "agent/metadata.h"
#include "agent/pipeline.h"
#include "agent/privileges.h"
#include "base/log.h"
#include "base/time.h"
#include "filter/host_names.h"
#include "procfs/threads.h"
#include "state/state.h"

namespace saker::agent {

namespace {

using Clock = std::chrono::steady_clock;

// Set by signals; a watch is the only thing that its process does.
std::atomic<bool> stop_requested{false};
std::atomic<bool> reload_requested{false};

void on_stop_signal(int) {
  stop_requested.store(true, std::memory_order_relaxed);
}
void on_reload_signal(int) {
  reload_requested.store(true, std::memory_order_relaxed);
}

void install_signals() {
  struct sigaction action{};
  action.sa_handler = on_stop_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = on_reload_signal;
  ::sigaction(SIGHUP, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class ProcLookup : public state::LiveLookup {
 public:
  bool look_up_thread(int64_t tid, event::SnapshotSink& sink) override {
    return procfs::look_up_thread("/proc", tid, sink);
  }
};

// Watches one machine until told to stop.
class Watcher : private Pipeline::FindingSink {
 public:
  Watcher(WatchOptions options, const WatchOutputs& outputs, WatchMetrics& metrics,
          WatchStats& stats)
      : options_(std::move(options)),
        outputs_(outputs),
        metrics_(metrics),
        stats_(stats),
        pipeline_(state_, *this) {}

  Status run(const std::function<void(const rules::Engine&)>& started) {
    const auto begin = Clock::now();
    SAKER_CHECK(start());
    stats_.start_seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    started(*engine_);
    Status status = loop();
    close();
    return status;
  }

 private:
  Status start() {
    install_signals();
    std::string warnings;
    Policy& policy = options_.policy;
    rules::RuleSet set = SAKER_TRY(load_rule_files(policy.rules, warnings));
    if (!warnings.empty()) log::warning(warnings);
    hostname_ = policy.hostname;
    engine_ = std::make_unique<rules::Engine>(std::move(set), policy.matching, hostname_);
    filter::look_up_host_names_ahead();
    options_.live.demand = engine_->demand();
    if (options_.kernel) source_ = SAKER_TRY(capture::open_live(options_.live));
    if (!options_.keep_privileges) {
      if (Status status = drop_privileges(); !status.ok()) log::warning(status.error().to_text());
    }
    if (outputs_.exchange != nullptr) outputs_.exchange->start();
    if (outputs_.audit != nullptr) SAKER_CHECK(outputs_.audit->start());
    state_.set_live_lookup(&lookup_);
    if (options_.container_metadata) {
      desk_ = std::make_unique<MetadataDesk>(
          state_, options_.runtimes, options_.container_cache,
          policy.config.containers.metadata_wait,
          [this](finding::Finding finding) { emit(std::move(finding)); });
    }
    if (source_) SAKER_CHECK(source_->snapshot(state_));
    if (outputs_.audit != nullptr)
      audit_ = std::make_unique<AuditWatch>(*outputs_.audit, pipeline_, *outputs_.store);
    pipeline_.set_engine(engine_.get());
    pipeline_.set_verify(options_.verify);
    reloader_ = std::make_unique<Reloader>(
        std::move(policy), options_.load_policy, [this](const Config& config) {
          return outputs_.exchange == nullptr ? Status{} : outputs_.exchange->prepare(config);
        });
    return {};
  }

  Status loop() {
    // Between looks at the clock: so many events, or so much time by theirs.
    constexpr uint32_t kCheckInterval = 4096;
    constexpr uint64_t kCheckNanoseconds = 20'000'000;
    const auto end = options_.duration_seconds == 0
                         ? Clock::time_point::max()
                         : Clock::now() + std::chrono::seconds(options_.duration_seconds);
    event::Event event;
    uint32_t since_check = 0;
    uint64_t checked_ns = 0;
    while (!stop_requested.load(std::memory_order_relaxed)) {
      switch (source_ ? source_->next(event) : capture::Next::idle) {
        case capture::Next::event:
          handle(event);
          if (++since_check < kCheckInterval && event.timestamp - checked_ns < kCheckNanoseconds)
            continue;
          checked_ns = event.timestamp;
          break;
        case capture::Next::idle: break;
        case capture::Next::end: return {};
        case capture::Next::failed: return source_->error();
      }
      since_check = 0;
      judge_audit_events();
      const auto now = Clock::now();
      if (now >= end) break;
      housekeeping(now);
    }
    return take_the_rest();
  }

  // Beside the kernel's events only for moments; alone, it waits for them.
  void judge_audit_events() {
    constexpr auto kBudget = std::chrono::milliseconds(20), kWait = std::chrono::milliseconds(50);
    if (audit_) audit_->run(kBudget, source_ ? std::chrono::milliseconds(0) : kWait);
  }

  // What happened before the end was asked for still counts; a machine that never rests can't hold
  // it up.
  Status take_the_rest() {
    constexpr auto kPatience = std::chrono::seconds(2);
    const uint64_t end_ns = now_ns();
    const auto give_up = Clock::now() + kPatience;
    event::Event event;
    while (source_ && Clock::now() < give_up) {
      const capture::Next next = source_->next(event);
      if (next == capture::Next::failed) return source_->error();
      if (next != capture::Next::event || event.timestamp > end_ns) break;
      handle(event);
    }
    while (audit_ && !outputs_.audit->is_caught_up() && Clock::now() < give_up)
      audit_->run(std::chrono::milliseconds(100), std::chrono::milliseconds(5));
    return {};
  }

  void handle(event::Event& event) {
    if (event.type < event::kEventCodeCount &&
        (event.info().kind & event::KindIter) == event::KindIter) {
      state_.apply(event);  // describes what is there; nothing happened
      state_.finish(event);
      return;
    }
    event.number = ++stats_.delivered;
    pipeline_.handle(event);
  }

  void on_finding(finding::Finding finding, const rules::Rule& rule,
                  const filter::EvalContext& context) override {
    finding.hostname = hostname_;
    if (context.event->source == event::Source::k8s_audit) {
      audit_->add(emit_unstored(std::move(finding)));
    } else if (desk_) {
      desk_->handle(std::move(finding), rule, context);
    } else {
      emit(std::move(finding));
    }
  }

  void emit(finding::Finding finding) {
    const store::SharedFinding shared = emit_unstored(std::move(finding));
    if (outputs_.store != nullptr) outputs_.store->submit(shared);
  }

  store::SharedFinding emit_unstored(finding::Finding finding) {
    ++stats_.matched;
    auto shared = std::make_shared<const finding::Finding>(std::move(finding));
    if (outputs_.dispatcher != nullptr) outputs_.dispatcher->submit(shared);
    if (outputs_.stream != nullptr) outputs_.stream->publish(*shared);
    return shared;
  }

  // What needs no event, a few times a second.
  void housekeeping(Clock::time_point now) {
    constexpr auto kInterval = std::chrono::milliseconds(50);
    if (now - last_housekeeping_ < kInterval) return;
    last_housekeeping_ = now;
    if (desk_) desk_->poll();
    if (reload_requested.exchange(false, std::memory_order_relaxed)) {
      reloader_->request();
      if (outputs_.dispatcher != nullptr) outputs_.dispatcher->reopen();
    }
    if (std::optional<Reloader::Loaded> loaded = reloader_->poll()) exchange(std::move(*loaded));
    constexpr auto kStatsInterval = std::chrono::seconds(1);
    if (now - last_stats_ < kStatsInterval) return;
    last_stats_ = now;
    if (outputs_.exchange != nullptr) outputs_.exchange->tidy();
    gather();
    report_losses();
  }

  // New rules: the kernel is asked for what they need before they judge the first event.
  void exchange(Reloader::Loaded loaded) {
    if (Status status = source_ ? source_->set_demand(loaded.engine->demand()) : Status{};
        !status.ok()) {
      reloader_->count_failure();
      log::error("what changed is not used, the old rules and configuration stay: " +
                 status.error().to_text());
      return;
    }
    if (desk_) {
      desk_->release_all();  // what waits refers to the old rules
      desk_->set_wait(loaded.policy.config.containers.metadata_wait);
    }
    pipeline_.set_engine(loaded.engine.get());
    engine_ = std::move(loaded.engine);
    hostname_ = loaded.policy.hostname;
    log::set_default_level(loaded.policy.config.log_level);
    if (outputs_.exchange != nullptr) outputs_.exchange->exchange();
    reloader_->adopt(std::move(loaded.policy));
    log::info("rules and configuration loaded anew: " +
              std::to_string(engine_->rules().rules.size()) + " rules");
  }

  void gather() {
    const capture::SourceStats source = source_ ? source_->stats() : capture::SourceStats{};
    stats_.seen = source.seen;
    stats_.lost = source.lost;
    stats_.lost_by_type = source.lost_by_type;
    stats_.cpu_seconds = cpu_seconds();
    stats_.rss_bytes = server::resident_bytes();
    stats_.reloads = reloader_->reloads();
    stats_.reload_failures = reloader_->failures();
    stats_.disagreements = pipeline_.disagreements();
    if (audit_) {
      stats_.audit_events = audit_->stats().events;
      stats_.audit_repeated = audit_->stats().repeated;
      for (const auto& [reason, count] : audit_->stats().lost)
        stats_.lost["audit: " + reason] = count;
    }
    const state::StateStats state = state_.stats();
    if (state.dropped_threads != 0) stats_.lost["process table full"] = state.dropped_threads;
    if (state.dropped_fds != 0) stats_.lost["fd table full"] = state.dropped_fds;
    std::vector<WatchMetrics::RuleRow> rows;
    for (uint32_t i = 0; i < engine_->rules().rules.size(); ++i) {
      const rules::Rule& rule = engine_->rules().rules[i];
      rows.push_back({rule.name, std::string(finding::to_string(rule.priority)), rule.source,
                      engine_->stats(i)});
    }
    metrics_.publish(stats_, std::move(rows),
                     {.threads = state.threads,
                      .fds = state.fds,
                      .containers = state.containers,
                      .lookups = desk_ ? desk_->stats() : k8s::ResolverStats{}});
  }

  // One alert of ours a second at most, when events were lost since the last.
  void report_losses() {
    uint64_t lost = 0;
    for (const auto& [reason, count] : stats_.lost) lost += count;
    if (lost <= reported_lost_) return;
    const uint64_t fresh = lost - reported_lost_;
    reported_lost_ = lost;
    finding::Finding finding{
        .time_ns = now_ns(),
        .rule = "Saker internal: events lost",
        .severity = finding::Severity::warning,
        .source = "internal",
        .hostname = hostname_,
        .message = "Saker internal: " + std::to_string(fresh) + " events lost in the last second"};
    finding.fields.push_back({"n_drops", fresh});
    finding.fields.push_back({"n_evts", stats_.seen});
    for (const auto& [reason, count] : stats_.lost)
      finding.fields.push_back({"lost." + reason, count});
    emit(std::move(finding));
  }

  void close() {
    if (outputs_.audit != nullptr) outputs_.audit->stop();
    if (desk_) desk_->release_all();
    gather();
    report_losses();
    constexpr auto kPatience = std::chrono::seconds(5);
    if (outputs_.store != nullptr) outputs_.store->flush(kPatience);
    if (outputs_.dispatcher != nullptr) outputs_.dispatcher->flush(kPatience);
  }

  WatchOptions options_;
  const WatchOutputs& outputs_;
  WatchMetrics& metrics_;
  WatchStats& stats_;
  ProcLookup lookup_;
  state::State state_;
  Pipeline pipeline_;
  std::unique_ptr<rules::Engine> engine_;
  std::unique_ptr<capture::LiveSource> source_;
  std::unique_ptr<Reloader> reloader_;
  std::unique_ptr<MetadataDesk> desk_;
  std::unique_ptr<AuditWatch> audit_;
  Clock::time_point last_housekeeping_{};
  Clock::time_point last_stats_{};
  uint64_t reported_lost_ = 0;
  std::string hostname_;
};

}  // namespace

Status watch(WatchOptions options, const WatchOutputs& outputs, WatchMetrics& metrics,
             WatchStats& stats, const std::function<void(const rules::Engine&)>& started) {
  return Watcher(std::move(options), outputs, metrics, stats).run(started);
}

}  // namespace saker::agent
