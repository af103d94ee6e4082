// The little world of one case: rules, state, the findings so far, files and the output of
// commands.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/pipeline.h"
#include "capture/k8s_audit/log_reader.h"
#include "cases/case_file.h"
#include "cases/event_line.h"
#include "cases/runner.h"
#include "state/state.h"

namespace saker::cases {

// A failed expectation.
struct Failure {
  uint32_t line = 0;
  std::string expected;
  std::string actual;
};

// What a step came to.
struct Outcome {
  enum class Kind : uint8_t { ok, failed, skipped } kind = Kind::ok;
  std::string text;  // failed: expected and actual; skipped: the reason

  static Outcome failed(std::string text) { return {Kind::failed, std::move(text)}; }
  static Outcome skipped(std::string text) { return {Kind::skipped, std::move(text)}; }
};

// For one case, on one thread.
class World : private agent::Pipeline::FindingSink {
 public:
  World(const RunOptions& options, std::string folder);
  ~World() override;

  // Runs one step. Expectations look at what the steps before left.
  Outcome run(const Step& step);
  // After the last step: every finding must have been expected.
  Outcome finish();
  [[nodiscard]] bool had_expectation() const { return had_expectation_; }

 private:
  void on_finding(finding::Finding finding, const rules::Rule& rule,
                  const filter::EvalContext& context) override;

  Outcome step_rules(const Step& step);
  Outcome step_process(const Step& step);
  Outcome step_fd(const Step& step);
  Outcome step_container(const Step& step);
  Outcome step_event(const Step& step);
  Outcome step_audit(const Step& step);
  Outcome step_condition(const Step& step);
  Outcome step_replay(const Step& step);
  Outcome step_file(const Step& step);
  Outcome step_run(const Step& step);
  Outcome step_expect(const Step& step);

  Outcome expect_finding(const Step& step);
  Outcome expect_none();
  Outcome expect_count(const Step& step);
  Outcome expect_error(const Step& step);
  Outcome expect_match(bool wanted);
  Outcome expect_field(const Step& step);
  Outcome expect_exit(const Step& step);
  Outcome expect_text(const Step& step, const std::string& text);
  Outcome expect_golden(const Step& step);

  Outcome load_rules(const std::vector<std::string>& paths, const std::string& inline_text,
                     const Step& step);
  // The rules of the command line, when the case named none; fails when the rules have errors.
  Outcome need_rules(const Step& step);
  Outcome judge_audit(std::string_view text);
  Outcome replay_capture(const std::string& path);
  Outcome replay_audit_log(const std::string& path);
  Outcome unexpected_findings();
  // Paths are relative to the case's file; @shared/ is the conformance folder. Nothing when that is
  // not there.
  [[nodiscard]] std::optional<std::string> resolve(const std::string& path) const;

  const RunOptions& options_;
  std::string folder_;
  std::string scratch_folder_;  // for `file` steps; removed at the end
  state::State state_;
  agent::Pipeline pipeline_;
  std::optional<rules::Engine> engine_;
  EventBuilder builder_;
  uint64_t event_number_ = 0;
  std::vector<finding::Finding> findings_;
  std::optional<finding::Finding> last_finding_;
  std::string error_text_;  // of the last rules or condition step
  std::optional<filter::Expr> condition_;
  std::vector<uint8_t> last_event_;  // record of the last event, kept until the next
  std::string audit_text_;           // of the last audit event
  capture::AuditText audit_record_;
  uint64_t audit_time_ns_ = 1'700'000'000'000'000'000;
  bool has_event_ = false;
  event::Event current_event_;
  std::string output_, errors_;  // of the last run step
  int exit_code_ = 0;
  bool had_expectation_ = false;
};

}  // namespace saker::cases
