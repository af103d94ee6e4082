// What the conditions and outputs of a rule set have in common, compiled once: checks that are
// written alike, and fields of outputs. Rules say the same things over and over.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "filter/compile.h"

namespace saker::filter {

// For one catalog and one `in_rule`; not thread-safe. Only what compiled well is kept.
struct CompileCache {
  struct SharedCheck {
    std::shared_ptr<const Check> check;
    std::vector<std::string> warnings;
  };
  template <typename T>
  using ByText = std::unordered_map<std::string, T, StringHash, std::equal_to<>>;

  ByText<SharedCheck> checks;                       // by source and spelling
  ByText<std::shared_ptr<const Operand>> operands;  // by source and the field as written
};

}  // namespace saker::filter
