#include "agent/pipeline.h"

#include <algorithm>

namespace saker::agent {

void Pipeline::emit(std::span<const uint32_t> hits) {
  for (uint32_t index : hits) {
    if (!engine_->admit(index, context_)) continue;
    finding::Finding finding = engine_->make_finding(index, context_);
    if (thread_ != nullptr && thread_->cgroups)
      finding.container_id = thread_->cgroups->full_container_id;
    sink_.on_finding(std::move(finding), engine_->rules().rules[index], context_);
  }
}

void Pipeline::match_and_emit() {
  scratch_.reset();
  const std::span<const uint32_t> hits = engine_->match(context_, slot());
  if (!hits.empty()) [[unlikely]]
    emit(hits);
}

void Pipeline::verify_and_emit(const event::Event& event) {
  scratch_.reset();
  const std::span<const uint32_t> hits = engine_->match(context_, slot());
  const std::vector<uint32_t> expected = engine_->match_oracle(context_);
  if (!std::ranges::equal(hits, expected)) {
    if (++disagreements_ == 1) {
      const bool missing = hits.size() < expected.size();
      const auto& longer = missing ? std::span<const uint32_t>(expected) : hits;
      const auto& shorter = missing ? hits : std::span<const uint32_t>(expected);
      auto odd = std::ranges::find_if(
          longer, [&](uint32_t rule) { return std::ranges::find(shorter, rule) == shorter.end(); });
      const std::string name =
          odd != longer.end() ? engine_->rules().rules[*odd].name : "the order of rules";
      first_disagreement_ = "event " + std::to_string(event.number) + " (" +
                            std::string(event.info().name) + "): rule '" + name + "' is " +
                            (missing ? "missed" : "invented") + " by the fast evaluator";
    }
  }
  emit(hits);
}

}  // namespace saker::agent
