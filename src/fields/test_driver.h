// For this room's tests: an event made and applied as in the tests of `state`, then any field of it
// as outputs show it, or any condition on it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "event/audit_record.h"
#include "fields/catalog.h"
#include "filter/output_template.h"
#include "formats/json_text.h"
#include "state/test_driver.h"

namespace saker::fields {

namespace json = formats::json_text;

// What text() gives for a field without value.
inline constexpr std::string_view kNone = "(none)";

// An audit event looked into as plainly as can be.
struct TextRecord : audit::AuditRecord {
  explicit TextRecord(std::string json) : json_(std::move(json)) {}
  [[nodiscard]] std::string_view text() const override { return json_; }
  [[nodiscard]] std::optional<std::string_view> find(std::string_view pointer) const override {
    return json::find(json_, pointer);
  }

 private:
  std::string json_;
};

class FieldTest : public state::StateTest {
 protected:
  // Makes an event the one that the look-ups below are about.
  void at(state::Call made) {
    applied_ = made.apply();
    Result<event::Event> decoded = event::Event::decode(encoder.finish(), 3);
    ASSERT_TRUE(decoded.ok());
    event_ = *decoded;
    event_.number = ++number_;
    context_ = {.event = &event_,
                .thread = applied_.thread,
                .fd = applied_.fd,
                .state = &state,
                .scratch = &scratch_};
  }
  void at_audit(const TextRecord& record, uint64_t timestamp = 1'700'000'000'123'456'789) {
    event_ = {};
    event_.source = event::Source::k8s_audit;
    event_.timestamp = timestamp;
    event_.number = ++number_;
    context_ = {.event = &event_, .audit = &record, .scratch = &scratch_};
  }

  filter::Operand operand(std::string_view field) {
    Result<filter::ParsedOperand> parsed = filter::parse_operand(field);
    EXPECT_TRUE(parsed.ok()) << field;
    if (!parsed.ok()) return {};
    Result<filter::Operand> made = filter::compile_operand(parsed->operand, catalog(), "");
    EXPECT_TRUE(made.ok()) << field << ": " << (made.ok() ? "" : made.error().to_text());
    return made.ok() ? *made : filter::Operand{};
  }

  // A field as outputs show it.
  std::string text(std::string_view field) {
    const filter::Operand made = operand(field);
    if (made.field.info == nullptr) return "(unknown)";
    filter::Values values;
    if (!filter::evaluate_shown(made, context_, values)) return std::string(kNone);
    std::string shown;
    filter::append_text(made, values, shown);
    return shown;
  }

  // Whether a condition holds.
  bool holds(std::string_view condition, std::string_view source = "syscall") {
    Result<filter::Node> node = filter::parse(condition);
    EXPECT_TRUE(node.ok()) << condition;
    if (!node.ok()) return false;
    Result<filter::CompiledFilter> compiled =
        filter::compile(*node, catalog(), {.source = source, .in_rule = false});
    EXPECT_TRUE(compiled.ok()) << condition << ": "
                               << (compiled.ok() ? "" : compiled.error().to_text());
    return compiled.ok() && filter::matches(compiled->root, context_);
  }

  // The error that a condition gives, "" when it compiles.
  std::string error(std::string_view condition) {
    Result<filter::Node> node = filter::parse(condition);
    if (!node.ok()) return node.error().message;
    Result<filter::CompiledFilter> compiled = filter::compile(*node, catalog(), {.in_rule = false});
    return compiled.ok() ? "" : compiled.error().message;
  }

  filter::EvalContext context_{.scratch = &scratch_};

 private:
  Arena scratch_;
  event::Event event_;
  state::Applied applied_;
  uint64_t number_ = 0;
};

}  // namespace saker::fields
