// Copying a syntax tree, and writing it as text again.
#include "filter/ast.h"

#include "filter/escape.h"

namespace saker::filter {

// By way of a copy, since `other` may be a part of this node.
Node& Node::operator=(const Node& other) {
  if (this == &other) return *this;
  Node copy;
  copy.kind = other.kind;
  copy.place = other.place;
  copy.children = other.children;
  copy.macro = other.macro;
  copy.left = other.left;
  copy.op = other.op;
  copy.modifier = other.modifier;
  copy.values = other.values;
  copy.is_list = other.is_list;
  if (other.right) copy.right = std::make_unique<OperandAst>(*other.right);
  return *this = std::move(copy);
}

std::string_view to_string(Op op) {
  switch (op) {
    case Op::exists: return "exists";
    case Op::eq: return "=";
    case Op::ne: return "!=";
    case Op::lt: return "<";
    case Op::le: return "<=";
    case Op::gt: return ">";
    case Op::ge: return ">=";
    case Op::contains: return "contains";
    case Op::icontains: return "icontains";
    case Op::bcontains: return "bcontains";
    case Op::startswith: return "startswith";
    case Op::bstartswith: return "bstartswith";
    case Op::endswith: return "endswith";
    case Op::glob: return "glob";
    case Op::iglob: return "iglob";
    case Op::regex: return "regex";
    case Op::in: return "in";
    case Op::intersects: return "intersects";
    case Op::pmatch: return "pmatch";
  }
  return "?";
}

std::string_view to_string(Modifier modifier) {
  switch (modifier) {
    case Modifier::none: return "";
    case Modifier::oneof: return "oneof";
    case Modifier::anyof: return "anyof";
    case Modifier::allof: return "allof";
  }
  return "";
}

std::string_view to_string(TransformerKind kind) {
  switch (kind) {
    case TransformerKind::tolower: return "tolower";
    case TransformerKind::toupper: return "toupper";
    case TransformerKind::b64: return "b64";
    case TransformerKind::basename: return "basename";
    case TransformerKind::len: return "len";
    case TransformerKind::join: return "join";
    case TransformerKind::concat: return "concat";
    case TransformerKind::getopt: return "getopt";
    case TransformerKind::val: return "val";
  }
  return "?";
}

namespace {

void append_operand(const OperandAst& operand, std::string& out) {
  switch (operand.kind) {
    case OperandAst::Kind::field: out += operand.text; return;
    case OperandAst::Kind::literal: append_quoted(operand.text, out); return;
    case OperandAst::Kind::transformer: out += to_string(operand.transformer); break;
    case OperandAst::Kind::list: break;
  }
  out += '(';
  for (size_t i = 0; i < operand.args.size(); ++i) {
    if (i != 0) out += ", ";
    append_operand(operand.args[i], out);
  }
  out += ')';
  if (!operand.has_selector) return;
  out += '[';
  append_quoted(operand.selector, out);
  out += ']';
}

void append_values(const Node& node, std::string& out) {
  if (!node.is_list) {
    if (!node.values.empty()) append_value(node.values[0], out);
    return;
  }
  out += '(';
  for (size_t i = 0; i < node.values.size(); ++i) {
    if (i != 0) out += ", ";
    append_value(node.values[i], out);
  }
  out += ')';
}

void append_check(const Node& node, std::string& out) {
  append_operand(node.left, out);
  out += ' ';
  out += to_string(node.op);
  if (node.op == Op::exists) return;
  out += ' ';
  if (node.modifier != Modifier::none) {
    out += to_string(node.modifier);
    out += ' ';
  }
  if (node.right) {
    append_operand(*node.right, out);
  } else {
    append_values(node, out);
  }
}

void append_node(const Node& node, std::string& out) {
  switch (node.kind) {
    case Node::Kind::macro: out += node.macro; return;
    case Node::Kind::check: append_check(node, out); return;
    case Node::Kind::negation: {
      out += "not ";
      // Two nots in a row would cancel out when read again.
      const bool nested = node.children[0].kind == Node::Kind::negation;
      if (nested) out += '(';
      append_node(node.children[0], out);
      if (nested) out += ')';
      return;
    }
    case Node::Kind::all:
    case Node::Kind::any: break;
  }
  out += '(';
  for (size_t i = 0; i < node.children.size(); ++i) {
    if (i != 0) out += node.kind == Node::Kind::all ? " and " : " or ";
    append_node(node.children[i], out);
  }
  out += ')';
}

}  // namespace

std::string to_text(const Node& node) {
  std::string out;
  append_node(node, out);
  return out;
}

std::string to_text(const OperandAst& operand) {
  std::string out;
  append_operand(operand, out);
  return out;
}

}  // namespace saker::filter
