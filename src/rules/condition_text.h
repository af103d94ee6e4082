// The condition of a rule or macro on its way from the files to a syntax tree, and the way back:
// from a node to the place in a file. Offsets of nodes count in one space over all texts, since
// macros are copied into rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "filter/ast.h"
#include "rules/lists.h"

namespace saker::rules {

struct ConditionText {
  SourceText source;
  ExpandedText expanded;
  uint32_t base = 0;  // offsets of nodes from here on

  [[nodiscard]] bool owns(uint64_t offset) const {
    return offset >= base && offset - base <= expanded.text.size();
  }
  [[nodiscard]] FilePlace locate(uint64_t offset, const Reporter& files) const {
    return source.locate(expanded.source_of(static_cast<size_t>(offset - base)), files);
  }
};

// A macro that a condition names.
struct MacroUse {
  std::string name;
  uint32_t offset = 0;
};

// Adds `base` to the offsets of all nodes.
void shift_offsets(filter::Node& node, uint32_t base);
void collect_macro_uses(const filter::Node& node, std::vector<MacroUse>& out);
size_t count_nodes(const filter::Node& node);
// Names of the fields that an operand reads, without arguments.
void collect_fields(const filter::OperandAst& operand, std::vector<std::string>& out);
std::string_view field_name(std::string_view field_with_argument);

// Calls visit(const filter::Node&) for each check.
template <typename Visit>
void for_each_check(const filter::Node& node, Visit&& visit) {
  if (node.kind == filter::Node::Kind::check) visit(node);
  for (const filter::Node& child : node.children) for_each_check(child, visit);
}

}  // namespace saker::rules
