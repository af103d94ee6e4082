// The syntax tree of a condition, as parsed: no field is looked up, no constant is typed yet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace saker::filter {

// A place in a condition's text: byte offset, and line and column counted from 1.
struct Place {
  uint32_t offset = 0;
  uint32_t line = 1;
  uint32_t column = 1;
};

enum class Op : uint8_t {
  exists,
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  contains,
  icontains,
  bcontains,
  startswith,
  bstartswith,
  endswith,
  glob,
  iglob,
  regex,
  in,
  intersects,
  pmatch,
};
std::string_view to_string(Op op);  // "=", "!=", "contains" ...

enum class Modifier : uint8_t { none, oneof, anyof, allof };
std::string_view to_string(Modifier modifier);

enum class TransformerKind : uint8_t {
  tolower,
  toupper,
  b64,
  basename,
  len,
  join,
  concat,
  getopt,
  val
};
std::string_view to_string(TransformerKind kind);

// A field, a transformer call or (inside calls) a literal or a list of them.
struct OperandAst {
  enum class Kind : uint8_t { field, transformer, literal, list } kind = Kind::field;
  Place place;
  std::string text;  // field: name with argument, "proc.aname[2]"; literal: its value
  TransformerKind transformer = TransformerKind::val;
  std::string selector;  // getopt(...)[x]
  bool has_selector = false;
  std::vector<OperandAst> args;  // of a transformer, elements of a list
};

struct Node {
  enum class Kind : uint8_t { all, any, negation, check, macro } kind = Kind::check;
  Place place;
  std::vector<Node> children;  // all (and), any (or), negation (one)
  std::string macro;           // macro: its name

  // check
  OperandAst left;
  Op op = Op::exists;
  Modifier modifier = Modifier::none;
  std::vector<std::string> values;    // constants, unescaped; one for scalar operators
  bool is_list = false;               // the constants were written as a list in parentheses
  std::unique_ptr<OperandAst> right;  // instead of constants: val(field) or a transformer

  Node() = default;
  Node(const Node& other) { *this = other; }
  Node(Node&&) noexcept = default;
  Node& operator=(const Node& other);
  Node& operator=(Node&&) noexcept = default;
  ~Node() = default;
};

inline constexpr uint32_t kDefaultDepth = 100;
inline constexpr uint32_t kRuleDepth = 1000;

// Parses a condition. `max_depth` counts grammar-function calls (about five a parenthesis). The
// error's position has line and column within `text` (from 1) and the byte offset.
Result<Node> parse(std::string_view text, uint32_t max_depth = kRuleDepth);

// Parses one operand (field or transformer) at the front of `text` and says how many bytes it took:
// for output templates and exception fields.
struct ParsedOperand {
  OperandAst operand;
  size_t length = 0;
};
Result<ParsedOperand> parse_operand(std::string_view text);

// The condition as text again: fully parenthesised and/or, blanks around operators, quotes only
// where needed.
std::string to_text(const Node& node);
std::string to_text(const OperandAst& operand);

// Decodes the escapes of a quoted string, quotes included: "\x41" gives A.
Result<std::string> unescape(std::string_view quoted);

}  // namespace saker::filter
