// Replays captures: events through state and rules, findings and events printed, a summary at the
// end.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/event_printer.h"
#include "base/result.h"
#include "rules/engine.h"

namespace saker::agent {

struct ReplayOptions {
  std::vector<std::string> files;       // "-" is standard input
  std::optional<rules::RuleSet> rules;  // none: only print events
  rules::Matching matching = rules::Matching::all;
  std::optional<PrinterOptions> printer;  // print events
  std::string until;        // a condition or a time: stop at the first event that satisfies it
  uint64_t max_events = 0;  // 0: all
  bool json = false;
  bool iso_time = false;
  bool verify = false;    // run the slow evaluator beside the fast one
  bool progress = false;  // a bar on stderr
};

struct ReplaySummary {
  uint64_t events = 0;
  uint64_t bytes = 0;  // of events, uncompressed
  uint64_t printed = 0;
  double seconds = 0;
  std::array<uint64_t, 8> by_severity{};
  std::vector<std::pair<std::string, uint64_t>> by_rule;  // in rule order, only those that fired
  struct RuleCost {
    std::string rule;
    rules::RuleStats stats;
  };
  std::vector<RuleCost> costs;           // of every rule, the most evaluated first
  std::map<std::string, uint64_t> lost;  // what the source could not deliver, by reason
  uint64_t disagreements = 0;
  std::string first_disagreement;

  [[nodiscard]] uint64_t alerts() const;
};

// Findings and events go to standard output. A corrupt capture ends its file with an Error, after
// all that could be read was handled; the summary is filled all the same.
Status replay(ReplayOptions options, ReplaySummary& summary);

std::string to_text(const ReplaySummary& summary);
// How often each rule was evaluated, how often it matched, and the time that it took.
std::string cost_table(const ReplaySummary& summary);

}  // namespace saker::agent
