#include "agent/replay.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>

#include "agent/audit_pass.h"
#include "agent/pipeline.h"
#include "agent/text_output.h"
#include "base/log.h"
#include "base/strings.h"
#include "capture/k8s_audit/log_reader.h"
#include "capture/k8s_audit/log_set.h"
#include "capture/scap/scap.h"
#include "fields/catalog.h"
#include "state/state.h"

namespace saker::agent {

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Writes findings as lines and counts them.
class FindingPrinter : public Pipeline::FindingSink {
 public:
  FindingPrinter(TextOutput& out, const ReplayOptions& options, ReplaySummary& summary)
      : out_(out), options_(options), summary_(summary) {}

  void on_finding(finding::Finding finding, const rules::Rule&,
                  const filter::EvalContext&) override {
    ++summary_.by_severity[static_cast<size_t>(finding.severity)];
    std::string& buffer = out_.buffer();
    if (options_.json) {
      buffer += finding::to_json(finding, {.iso_time = options_.iso_time});
    } else {
      buffer += finding::to_line(finding, options_.iso_time);
    }
    buffer += '\n';
    out_.maybe_flush();
  }

 private:
  TextOutput& out_;
  const ReplayOptions& options_;
  ReplaySummary& summary_;
};

// Takes every event of an audit log; what rules match is printed.
class AuditFindings : public AuditPassUser {
 public:
  AuditFindings(Pipeline::FindingSink& sink, FunctionRef<bool(uint64_t bytes)> progress)
      : sink_(sink), progress_(progress) {}

  [[nodiscard]] bool wants(const audit::AuditRecord&, const event::Event&) const override {
    return true;
  }
  void expect(const audit::AuditDigest&) const override {}
  bool take(const audit::AuditDigest&, FunctionRef<const audit::AuditRecord&()>) override {
    return true;
  }
  void on_match(const rules::Engine& engine, uint32_t rule,
                const filter::EvalContext& context) override {
    sink_.on_finding(engine.make_finding(rule, context), engine.rules().rules[rule], context);
  }
  bool on_progress(uint64_t bytes) override { return progress_(bytes); }

 private:
  Pipeline::FindingSink& sink_;
  FunctionRef<bool(uint64_t bytes)> progress_;
};

// When to stop: a point in time ("15:04:05", RFC 3339 or ns since the epoch are left to conditions)
// or a condition.
class StopCondition {
 public:
  static Result<StopCondition> make(const ReplayOptions& options) {
    StopCondition stop;
    stop.max_events_ = options.max_events;
    if (!options.until.empty()) {
      if (std::optional<uint64_t> time = parse_uint(options.until)) {
        stop.time_ns_ = *time;
      } else {
        stop.condition_ = SAKER_TRY(compile(options.until));
      }
    }
    return stop;
  }

  [[nodiscard]] bool reached(const filter::EvalContext& context, uint64_t events) const {
    if (max_events_ != 0 && events > max_events_) return true;
    if (time_ns_ != 0 && context.event->timestamp >= time_ns_) return true;
    return condition_ && filter::matches(*condition_, context);
  }
  [[nodiscard]] bool none() const { return max_events_ == 0 && time_ns_ == 0 && !condition_; }

 private:
  // What the files hold is not known yet: the condition is about events that have its fields.
  static Result<filter::Expr> compile(const std::string& text) {
    auto as = [&](event::Source source) {
      return compile_condition(text, fields::catalog(), source);
    };
    Result<filter::Expr> on_calls = as(event::Source::syscall);
    if (on_calls.ok()) return on_calls;
    Result<filter::Expr> on_requests = as(event::Source::k8s_audit);
    return on_requests.ok() ? std::move(on_requests) : std::move(on_calls);
  }

  uint64_t max_events_ = 0;
  uint64_t time_ns_ = 0;
  std::optional<filter::Expr> condition_;
};

// A line on the terminal that is rewritten a few times a second.
class Progress {
 public:
  explicit Progress(bool shown) : shown_(shown) {}
  void update(uint64_t events, const ReplaySummary& summary) {
    constexpr double kInterval = 0.2;
    if (!shown_ || seconds_since(last_) < kInterval) return;
    last_ = std::chrono::steady_clock::now();
    const double rate = static_cast<double>(events) / seconds_since(start_);
    std::fprintf(stderr, "\r\033[K%.1f M events, %.1f M/s, %llu alerts",
                 static_cast<double>(events) / 1e6, rate / 1e6,
                 static_cast<unsigned long long>(summary.alerts()));
  }
  ~Progress() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }

 private:
  bool shown_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_ = start_;
};

class Replay {
 public:
  Replay(const ReplayOptions& options, ReplaySummary& summary, rules::Engine* engine,
         StopCondition stop)
      : options_(options),
        summary_(summary),
        engine_(engine),
        stop_(std::move(stop)),
        progress_(options.progress) {}

  Status run() {
    for (const std::string& file : SAKER_TRY(capture::expand_logs(options_.files))) {
      SAKER_CHECK(run_file(file));
      if (stopped_) break;
    }
    if (printer_) {
      printer_->finish(out_.buffer());
      summary_.printed = printer_->matched();
    }
    return {};
  }

  // Of a rule, all files together.
  [[nodiscard]] rules::RuleStats stats(uint32_t rule) const {
    rules::RuleStats all = engine_->stats(rule);
    return pass_ ? all += pass_->stats(rule) : all;
  }

 private:
  Status run_file(const std::string& file) {
    auto stream = SAKER_TRY(capture::ChunkStream::open(file));
    Bytes window;
    stream->more({}, window);
    return looks_like_json(window) ? run_audit_log(file, std::move(stream), window)
                                   : run_capture(std::move(stream), window);
  }

  // Captures begin with a section header; JSON with a bracket, the old audit log with a time.
  static bool looks_like_json(Bytes window) {
    for (const uint8_t byte : window) {
      // A log that was cut and written on at its old end begins with zeros.
      if (byte == ' ' || byte == '\t' || byte == '\r' || byte == '\0') continue;
      if (byte == '\n') {
        // A section header begins with a line feed too.
        if (window.size() >= 4 && load<uint32_t>(window.data()) == capture::scap::kSectionHeader)
          return false;
        continue;
      }
      return byte == '{' || byte == '[' || (byte >= '0' && byte <= '9');
    }
    return false;
  }

  Status make_printer(event::Source source) {
    if (options_.printer && !printer_)
      printer_ = SAKER_TRY(EventPrinter::make(*options_.printer, fields::catalog(), source));
    return {};
  }

  Status run_capture(std::unique_ptr<capture::ChunkStream> stream, Bytes window) {
    std::unique_ptr<capture::ScapReader> source =
        SAKER_TRY(capture::ScapReader::open(std::move(stream), window));
    SAKER_CHECK(make_printer(event::Source::syscall));
    state::State state;
    state.set_reference_quirks(true);  // a replay gives what the reference gives
    SAKER_CHECK(source->snapshot(state));
    if (engine_ != nullptr) engine_->set_hostname(std::string(state.hostname()));
    FindingPrinter findings(out_, options_, summary_);
    Pipeline pipeline(state, findings);
    pipeline.set_engine(engine_);
    pipeline.set_verify(options_.verify);
    const capture::Next end =
        printer_ || !stop_.none() ? run_watched(*source, pipeline) : run_plain(*source, pipeline);
    note(*source, pipeline);
    if (end == capture::Next::failed) return source->error();
    return {};
  }

  Status run_audit_log(const std::string& file, std::unique_ptr<capture::ChunkStream> stream,
                       Bytes window) {
    SAKER_CHECK(make_printer(event::Source::k8s_audit));
    if (engine_ != nullptr && !printer_ && stop_.none() && !options_.verify) {
      const std::unique_ptr<capture::BlockSource> blocks =
          SAKER_TRY(blocks_of(file, std::move(stream), window));
      return run_audit_pass(*blocks);
    }
    capture::AuditLogReader source(std::move(stream), window);
    state::State nothing;
    FindingPrinter findings(out_, options_, summary_);
    Pipeline pipeline(nothing, findings);
    pipeline.set_engine(engine_);
    pipeline.set_verify(options_.verify);
    const capture::Next end = run_watched(source, pipeline);
    for (const std::string& problem : source.problems()) log::warning(problem);
    note(source, pipeline);
    if (end == capture::Next::failed) return source.error();
    return {};
  }

  // Standard input can't be opened again.
  static Result<std::unique_ptr<capture::BlockSource>> blocks_of(
      const std::string& file, std::unique_ptr<capture::ChunkStream> stream, Bytes window) {
    if (file == "-") return capture::make_blocks(std::move(stream), window);
    stream.reset();
    return capture::open_blocks(file);
  }

  // The fast way: nothing but rules.
  Status run_audit_pass(capture::BlockSource& blocks) {
    if (!pass_) pass_.emplace(engine_->rules(), options_.matching);
    const LogSummary before = pass_->summary();
    FindingPrinter findings(out_, options_, summary_);
    const auto progress = [&](uint64_t) {
      progress_.update(summary_.events + pass_->summary().events - before.events, summary_);
      return out_.alive();
    };
    AuditFindings user(findings, progress);
    Status status = pass_->read(blocks, user);
    const LogSummary& after = pass_->summary();
    for (size_t i = before.problems.size(); i < after.problems.size(); ++i)
      log::warning(after.problems[i]);
    summary_.events += after.events - before.events;
    summary_.bytes += after.bytes - before.bytes;
    for (const auto& [reason, count] : after.lost) {
      const auto earlier = before.lost.find(reason);
      summary_.lost[reason] += count - (earlier != before.lost.end() ? earlier->second : 0);
    }
    return status;
  }

  // The fast way: nothing but state and rules.
  capture::Next run_plain(capture::ScapReader& source, Pipeline& pipeline) {
    constexpr uint64_t kCheckInterval = 65536;
    event::Event event;
    capture::Next next;
    uint64_t events = 0;
    while ((next = source.next_event(event)) == capture::Next::event) {
      pipeline.handle(event);
      if (++events % kCheckInterval == 0) {
        progress_.update(summary_.events + events, summary_);
        if (!out_.alive()) break;
      }
    }
    summary_.events += events;
    return next;
  }

  // State hears of system calls; audit events bring all that is known of them.
  static const filter::EvalContext& update(Pipeline& pipeline, const event::Event& event,
                                           const capture::ScapReader&) {
    return pipeline.update(event);
  }
  static const filter::EvalContext& update(Pipeline& pipeline, const event::Event& event,
                                           const capture::AuditLogReader& source) {
    return pipeline.update(event, source.record());
  }

  // With events printed or a condition to stop at; audit logs always.
  template <typename Source>
  capture::Next run_watched(Source& source, Pipeline& pipeline) {
    event::Event event;
    capture::Next next;
    while ((next = source.next(event)) == capture::Next::event) {
      const filter::EvalContext& context = update(pipeline, event, source);
      pipeline.scratch().reset();
      if (stop_.reached(context, summary_.events + 1)) {
        stopped_ = true;
        break;
      }
      ++summary_.events;
      pipeline.match(event);
      if (printer_) printer_->print(context, out_.buffer());
      out_.maybe_flush();
      if (!out_.alive()) break;
      if (event.source == event::Source::syscall) pipeline.done(event);
      progress_.update(summary_.events, summary_);
    }
    return next;
  }

  template <typename Source>
  void note(const Source& source, const Pipeline& pipeline) {
    const capture::SourceStats stats = source.stats();
    summary_.bytes += stats.bytes;
    for (const auto& [reason, count] : stats.lost) summary_.lost[reason] += count;
    summary_.disagreements += pipeline.disagreements();
    if (summary_.first_disagreement.empty())
      summary_.first_disagreement = pipeline.first_disagreement();
  }

  const ReplayOptions& options_;
  ReplaySummary& summary_;
  rules::Engine* engine_;
  std::optional<EventPrinter> printer_;
  StopCondition stop_;
  Progress progress_;
  TextOutput out_{STDOUT_FILENO};
  std::optional<AuditPass> pass_;
  bool stopped_ = false;
};

}  // namespace

uint64_t ReplaySummary::alerts() const {
  return std::accumulate(by_severity.begin(), by_severity.end(), uint64_t{0});
}

Status replay(ReplayOptions options, ReplaySummary& summary) {
  const auto start = std::chrono::steady_clock::now();
  std::optional<rules::Engine> engine;
  if (options.rules) engine.emplace(std::move(*options.rules), options.matching);
  StopCondition stop = SAKER_TRY(StopCondition::make(options));
  Replay run(options, summary, engine ? &*engine : nullptr, std::move(stop));
  Status status = run.run();
  summary.seconds = seconds_since(start);
  if (engine) {
    for (uint32_t i = 0; i < engine->rules().rules.size(); ++i) {
      const std::string& name = engine->rules().rules[i].name;
      const rules::RuleStats stats = run.stats(i);
      if (stats.matches > stats.withheld)
        summary.by_rule.emplace_back(name, stats.matches - stats.withheld);
      summary.costs.push_back({name, stats});
    }
    std::ranges::sort(summary.costs, [](const auto& a, const auto& b) {
      if (a.stats.evaluations != b.stats.evaluations)
        return a.stats.evaluations > b.stats.evaluations;
      return a.rule < b.rule;
    });
  }
  return status;
}

std::string to_text(const ReplaySummary& summary) {
  std::string text = "Events: " + std::to_string(summary.events);
  char rate[96];
  std::snprintf(
      rate, sizeof rate, " (%.1f MB) in %.3f s, %.2f million a second\n",
      static_cast<double>(summary.bytes) / 1e6, summary.seconds,
      summary.seconds > 0 ? static_cast<double>(summary.events) / summary.seconds / 1e6 : 0.0);
  text += rate;
  for (const auto& [reason, count] : summary.lost)
    text += "Lost: " + std::to_string(count) + " (" + reason + ")\n";
  if (summary.printed != 0) text += "Printed: " + std::to_string(summary.printed) + "\n";
  text += "Alerts: " + std::to_string(summary.alerts()) + "\n";
  for (size_t i = 0; i < summary.by_severity.size(); ++i) {
    if (summary.by_severity[i] == 0) continue;
    text += "   " + std::string(finding::to_string(static_cast<finding::Severity>(i))) + ": " +
            std::to_string(summary.by_severity[i]) + "\n";
  }
  if (!summary.by_rule.empty()) text += "By rule:\n";
  for (const auto& [rule, count] : summary.by_rule)
    text += "   " + rule + ": " + std::to_string(count) + "\n";
  return text;
}

std::string cost_table(const ReplaySummary& summary) {
  constexpr size_t kMostRows = 40;
  std::string text = "Evaluations     Matches        ms  Rule\n";
  for (size_t i = 0; i < summary.costs.size() && i < kMostRows; ++i) {
    const rules::RuleStats& stats = summary.costs[i].stats;
    char row[64];
    std::snprintf(row, sizeof row, "%11llu %11llu %9.1f  ",
                  static_cast<unsigned long long>(stats.evaluations),
                  static_cast<unsigned long long>(stats.matches),
                  static_cast<double>(stats.nanoseconds) / 1e6);
    text += row + summary.costs[i].rule + "\n";
  }
  return text;
}

}  // namespace saker::agent
