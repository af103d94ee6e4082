// Walks over syntax trees. See condition_text.h. Recursion is bounded: the parser limits the depth.
#include "rules/condition_text.h"

namespace saker::rules {

using filter::Node;
using filter::OperandAst;

static void shift_offsets(OperandAst& operand, uint32_t base) {
  operand.place.offset += base;
  for (OperandAst& arg : operand.args) shift_offsets(arg, base);
}

void shift_offsets(Node& node, uint32_t base) {
  node.place.offset += base;
  shift_offsets(node.left, base);
  if (node.right) shift_offsets(*node.right, base);
  for (Node& child : node.children) shift_offsets(child, base);
}

void collect_macro_uses(const Node& node, std::vector<MacroUse>& out) {
  if (node.kind == Node::Kind::macro)
    out.push_back({.name = node.macro, .offset = node.place.offset});
  for (const Node& child : node.children) collect_macro_uses(child, out);
}

size_t count_nodes(const Node& node) {
  size_t count = 1;
  for (const Node& child : node.children) count += count_nodes(child);
  return count;
}

std::string_view field_name(std::string_view field_with_argument) {
  return field_with_argument.substr(0, field_with_argument.find('['));
}

void collect_fields(const OperandAst& operand, std::vector<std::string>& out) {
  if (operand.kind == OperandAst::Kind::field) out.emplace_back(field_name(operand.text));
  for (const OperandAst& arg : operand.args) collect_fields(arg, out);
}

}  // namespace saker::rules
