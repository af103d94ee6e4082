#include "event/demand.h"

#include <algorithm>
#include <span>

#include "base/strings.h"

namespace saker::event {

namespace {

using Which = ClassTest::Which;

// What a group of classes has in common, in words: "opened for writing or for both, failed" ...
std::string label_of(std::span<const size_t> classes, bool by_mode) {
  std::vector<std::string> modes;
  size_t failed = 0;
  for (const size_t index : classes) {
    static constexpr std::string_view kModes[] = {"for reading", "for writing", "for both"};
    const std::string mode(kModes[static_cast<size_t>(mode_of_class(index))]);
    if (by_mode && std::ranges::find(modes, mode) == modes.end()) modes.push_back(mode);
    failed += class_failed(index) ? 1 : 0;
  }
  std::vector<std::string> parts;
  if (!modes.empty() && modes.size() < 3) parts.push_back("opened " + join(modes, " or "));
  if (failed == 0) parts.emplace_back("successful");
  if (failed == classes.size()) parts.emplace_back("failed");
  return join(parts, ", ");
}

std::string describe_paths(const PathPatterns& paths) {
  std::vector<std::string> out;
  for (const std::string& prefix : paths.prefixes) out.push_back(prefix + "*");
  for (const std::string& suffix : paths.suffixes) out.push_back("*" + suffix);
  for (const std::string& text : paths.substrings) out.push_back("*" + text + "*");
  for (const std::string& text : paths.raw_substrings) out.push_back("*" + text + "* as passed");
  constexpr size_t kMostShown = 12;
  const size_t all = out.size();
  if (all > kMostShown) out.resize(kMostShown);
  return "paths " + join(out, " ") +
         (all > kMostShown ? " ... " + std::to_string(all) + " in all" : "");
}

std::string describe_group(const ClassTest& test, std::string label) {
  if (test.which == Which::all) return label;
  return label.empty() ? describe_paths(test.paths) : label + ": " + describe_paths(test.paths);
}

bool depends_on_mode(const ArgumentTest& test) {
  for (size_t i = 2; i < kCallClasses; ++i)
    if (test.by_class[i] != test.by_class[i - 2]) return true;
  return false;
}

}  // namespace

std::vector<std::string> describe(const ArgumentTest& test) {
  if (test.never()) return {"never"};
  std::vector<std::string> out;
  const bool by_mode = depends_on_mode(test);
  for (size_t i = 0; i < kCallClasses; ++i) {
    const ClassTest& group = test.by_class[i];
    const auto* first = std::ranges::find(test.by_class, group);
    if (group.which == Which::none || first != &group) continue;
    std::vector<size_t> classes;
    for (size_t k = i; k < kCallClasses; ++k)
      if (test.by_class[k] == group) classes.push_back(k);
    std::string text = describe_group(group, label_of(classes, by_mode));
    if (!text.empty()) out.push_back(std::move(text));
  }
  return out;
}

}  // namespace saker::event
