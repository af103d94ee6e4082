// Any bytes as saker.yaml, and its first line as an override: no crash, and every problem has its
// place within the text.
// parser: src/agent/config.cc src/agent/config_keys.cc src/agent/config_lists.cc
// parser: src/agent/config_falco.cc
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/config.h"

namespace {

void check(const std::vector<saker::agent::ConfigProblem>& problems) {
  for (const saker::agent::ConfigProblem& problem : problems)
    if (problem.error.message.empty() || problem.to_text().empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string first_line(text.substr(0, text.find('\n')));
  const saker::agent::LoadedConfig loaded =
      saker::agent::parse_config(text, "fuzz.yaml", {first_line});
  check(loaded.errors);
  check(loaded.warnings);
  check(loaded.ignored);
  for (const saker::agent::SinkConfig& sink : loaded.config.outputs)
    if (sink.info == nullptr) std::abort();
  return 0;
}
