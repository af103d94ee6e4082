// One event's way: state, then rules, then findings. The same for captures and for the live kernel.
#pragma once

#include <cstdint>
#include <string>

#include "agent/audit_classes.h"
#include "base/arena.h"
#include "event/event.h"
#include "filter/field.h"
#include "finding/finding.h"
#include "rules/engine.h"
#include "state/state.h"

namespace saker::agent {

// For one thread. The engine may be exchanged between events (hot reload); state survives.
class Pipeline {
 public:
  // Where findings go. Called on the pipeline's thread.
  class FindingSink {
   public:
    virtual ~FindingSink() = default;
    virtual void on_finding(finding::Finding finding, const rules::Rule& rule,
                            const filter::EvalContext& context) = 0;
  };

  Pipeline(state::State& state, FindingSink& sink) : state_(state), sink_(sink) {}

  void set_engine(rules::Engine* engine) { engine_ = engine; }
  // Runs the slow evaluator beside the engine on every event and counts disagreements.
  void set_verify(bool verify) { verify_ = verify; }

  // Rules run between update() and done(): `context` is about the event that update() was called
  // with.
  const filter::EvalContext& update(const event::Event& event) {
    const state::Applied applied = state_.apply(event);
    context_.event = &event;
    context_.thread = thread_ = applied.thread;
    context_.fd = applied.fd;
    return context_;
  }

  void match(const event::Event& event) {
    if (engine_ == nullptr) return;
    if (verify_) [[unlikely]] {
      verify_and_emit(event);
      return;
    }
    if (event.source == event::Source::syscall && !engine_->wants(event.type)) return;
    match_and_emit();
  }

  // An audit event: no process made it, and state knows nothing of it.
  const filter::EvalContext& update(const event::Event& event, const audit::AuditRecord& record) {
    context_.event = &event;
    context_.thread = thread_ = nullptr;
    context_.fd = nullptr;
    context_.audit = &record;
    if (engine_ != nullptr) class_slot_ = &classes_.class_of(record).slot;
    return context_;
  }

  void done(const event::Event& event) { state_.finish(event); }

  void handle(const event::Event& event) {
    update(event);
    match(event);
    done(event);
  }

  [[nodiscard]] const filter::EvalContext& context() const { return context_; }
  [[nodiscard]] Arena& scratch() { return scratch_; }
  [[nodiscard]] uint64_t disagreements() const { return disagreements_; }
  [[nodiscard]] const std::string& first_disagreement() const { return first_disagreement_; }

 private:
  [[nodiscard]] event::RuleSlot* slot() {
    if (thread_ != nullptr) return &thread_->rules;
    return context_.event->source == event::Source::k8s_audit ? class_slot_ : nullptr;
  }
  void match_and_emit();
  void verify_and_emit(const event::Event& event);
  void emit(std::span<const uint32_t> hits);

  state::State& state_;
  FindingSink& sink_;
  rules::Engine* engine_ = nullptr;
  Arena scratch_;
  filter::EvalContext context_{.state = &state_, .scratch = &scratch_};
  state::Thread* thread_ = nullptr;
  AuditClasses classes_;
  event::RuleSlot* class_slot_ = nullptr;
  bool verify_ = false;
  uint64_t disagreements_ = 0;
  std::string first_disagreement_;
};

}  // namespace saker::agent
