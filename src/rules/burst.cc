#include "rules/burst.h"

#include <algorithm>
#include <unordered_set>

#include "filter/output_template.h"

namespace saker::rules {

void BurstCounter::make_key(uint32_t rule, const Burst& burst, const filter::EvalContext& context) {
  key_.assign(reinterpret_cast<const char*>(&rule), sizeof rule);
  for (const filter::Operand& operand : burst.by) {
    values_.clear();
    if (filter::evaluate(operand, context, values_)) filter::append_text(operand, values_, key_);
    key_ += '\0';
  }
}

// Drops the half that was quiet longest.
void BurstCounter::forget_quiet() {
  std::vector<uint64_t> times;
  times.reserve(counters_.size());
  for (const auto& [key, counter] : counters_) times.push_back(counter.last_ns);
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  const uint64_t limit = *middle;
  forgotten_ +=
      std::erase_if(counters_, [&](const auto& row) { return row.second.last_ns <= limit; });
}

bool BurstCounter::complete(uint32_t rule, const Burst& burst, const filter::EvalContext& context) {
  make_key(rule, burst, context);
  auto found = counters_.find(key_);
  if (found == counters_.end()) {
    if (counters_.size() >= kMostCounters) forget_quiet();
    found = counters_.emplace(key_, Counter{}).first;
  }
  Counter& counter = found->second;
  const uint64_t now = context.event->timestamp;
  const uint64_t window = uint64_t{burst.seconds} * 1'000'000'000;
  counter.last_ns = now;
  while (!counter.hits.empty() && counter.hits.front().time_ns + window < now)
    counter.hits.pop_front();

  uint64_t value = 0;
  if (burst.distinct) {
    values_.clear();
    if (!filter::evaluate(*burst.distinct, context, values_)) return false;
    text_.clear();
    filter::append_text(*burst.distinct, values_, text_);
    value = hash_bytes(text_);
    // A value seen again only renews its time, so a counter never holds more hits than the burst
    // needs.
    std::erase_if(counter.hits, [&](const Hit& hit) { return hit.value == value; });
  }
  counter.hits.push_back({now, value});
  if (counter.hits.size() < burst.count) return false;
  counters_.erase(found);
  return true;
}

}  // namespace saker::rules
