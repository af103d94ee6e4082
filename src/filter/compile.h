// From syntax tree to typed checks: fields looked up, constants parsed, operators checked against
// types. What comes out is what both evaluators run: the plain tree walk here (the oracle) and the
// engine of `rules`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filter/ast.h"
#include "filter/field.h"

namespace re2 {
class RE2;
}

namespace saker::filter {

class HostName;
struct CompileCache;

// A field or a transformer over operands, typed.
struct Operand {
  enum class Kind : uint8_t { field, transformer, literal, list } kind = Kind::field;
  FieldRef field;
  Extract extract = nullptr;  // the field's, never null for a compiled field
  TransformerKind transformer = TransformerKind::val;
  std::optional<char> selector;  // getopt(...)[x]
  std::string literal;
  std::vector<Operand> args;
  Type type = Type::text;
  Many many = Many::single;
  Scope scope = Scope::event;  // process only when every field in it is
  std::string text;            // canonical spelling; equal text means equal operand
};

// Transformers, literals and lists, for evaluate().
bool evaluate_call(const Operand& operand, const EvalContext& context, Values& out);

// Evaluates an operand into `out`, which the caller has cleared; false when it has no value.
inline bool evaluate(const Operand& operand, const EvalContext& context, Values& out) {
  if (operand.kind == Operand::Kind::field) [[likely]]
    return operand.extract(context, operand.field.arg, out) && !out.empty();
  return evaluate_call(operand, context, out);
}

// One constant of a check, parsed for the type of the left side. Small, since lists hold many;
// addresses stand beside, in the check.
struct Constant {
  std::string text;  // as written (after unescaping); bytes for byte buffers
  union {            // by the left side's type
    uint64_t unsigned_integer = 0;
    int64_t integer;
    double real;
    bool boolean;
  };
};

struct Check {
  Operand left;
  Op op = Op::exists;
  Modifier modifier = Modifier::none;
  std::vector<Constant> constants;
  std::vector<IpNetwork> networks;               // ip (with its full length), net: one a constant
  std::vector<std::shared_ptr<HostName>> hosts;  // hostname: one a constant
  std::optional<Operand> right;
  std::shared_ptr<const re2::RE2> regex;                 // Op::regex with one pattern
  std::vector<std::shared_ptr<const re2::RE2>> regexes;  // with a modifier: one a constant
  std::string text;  // canonical spelling; equal text means equal check
  Place place;
};

// Evaluates one check, plainly: extract, then compare with each constant.
bool matches(const Check& check, const EvalContext& context);

// Compares values that were already extracted from check.left (not for Op::exists).
bool compare(const Check& check, const Values& left, const EvalContext& context);

struct Expr {
  enum class Kind : uint8_t { all, any, negation, check } kind = Kind::check;
  std::vector<Expr> children;
  std::shared_ptr<const Check> check;
};

// The oracle: short-circuit tree walk.
bool matches(const Expr& expr, const EvalContext& context);

struct CompileWarning {
  std::string message;
  Place place;
};

struct CompileOptions {
  std::string_view source = "syscall";  // fields of other sources are unknown
  bool in_rule = true;                  // refuses evt.type = val(...)
  CompileCache* cache = nullptr;        // may be null
};

struct CompiledFilter {
  Expr root;
  std::vector<CompileWarning> warnings;
};

// The tree must hold no macro nodes any more. Error positions are places in the condition's text;
// the messages are those that users of the language know ("filter_check called with nonexistent
// field X"). No host name is looked up: see host_names.h.
Result<CompiledFilter> compile(const Node& node, const FieldCatalog& catalog,
                               const CompileOptions& options);

// Types an operand alone: left sides of exceptions, output templates.
Result<Operand> compile_operand(const OperandAst& operand, const FieldCatalog& catalog,
                                std::string_view source);

}  // namespace saker::filter
