// From syntax tree to typed checks.
#include "filter/compile.h"

#include <fmt/core.h>

#include <algorithm>

#include "filter/compile_cache.h"
#include "filter/constant.h"
#include "filter/diagnostics.h"
#include "filter/escape.h"
#include "filter/regex.h"

namespace saker::filter {

namespace {

// Deeper than the parser allows by far, since macros nest; yet safe for recursion.
constexpr uint32_t kDeepestTree = 2000;

// How error messages name a type's operators.
std::string_view filters_of(Type type) {
  if (is_number(type)) return "numeric filters";
  switch (type) {
    case Type::boolean: return "boolean filters";
    case Type::text:
    case Type::path: return "string filters";
    case Type::bytes: return "buffer filters";
    case Type::ip: return "ip address filters";
    case Type::net: return "ip network filters";
    case Type::hostname: return "host name filters";
    case Type::uid: return "user and group id filters";
    default: return "this type";
  }
}

bool is_equality(Op op) {
  return op == Op::eq || op == Op::ne || op == Op::in || op == Op::intersects;
}

bool is_supported(Op op, Type type) {
  if (op == Op::exists) return true;
  if (is_number(type))
    return is_equality(op) || op == Op::lt || op == Op::le || op == Op::gt || op == Op::ge;
  switch (type) {
    case Type::text:
    case Type::path: return op != Op::bcontains && op != Op::bstartswith;
    case Type::bytes:
      return is_equality(op) || op == Op::contains || op == Op::startswith || op == Op::endswith ||
             op == Op::bcontains || op == Op::bstartswith;
    case Type::uid: return false;
    default: return is_equality(op);
  }
}

bool is_event_type(const Operand& operand) {
  return operand.kind == Operand::Kind::field && operand.field.info->name == "evt.type";
}

bool is_distance(const Operand& operand) {
  return operand.kind == Operand::Kind::field && operand.field.info->has(kDistance);
}

bool names_event_type(const Operand& operand) {
  return is_event_type(operand) || std::ranges::any_of(operand.args, names_event_type);
}

// A field that has its own way of comparing, of which val() knows nothing.
bool compares_specially(const Operand& operand) {
  if (operand.many == Many::any || operand.many == Many::either) return true;
  return operand.kind == Operand::Kind::field && operand.many == Many::single &&
         operand.field.info->has(kNoRhs);
}

// A value that looks like a call of a transformer: was it quoted by mistake?
bool looks_like_transformer(std::string_view value) {
  static constexpr TransformerKind kKinds[] = {
      TransformerKind::tolower,  TransformerKind::toupper, TransformerKind::b64,
      TransformerKind::basename, TransformerKind::len,     TransformerKind::join,
      TransformerKind::concat,   TransformerKind::getopt,  TransformerKind::val};
  const size_t open = value.find('(');
  if (open == std::string_view::npos || !value.ends_with(')')) return false;
  const std::string_view name = value.substr(0, open);
  return std::ranges::any_of(kKinds, [&](TransformerKind kind) { return to_string(kind) == name; });
}

class Compiler {
 public:
  Compiler(const FieldCatalog& catalog, const CompileOptions& options)
      : catalog_(catalog), options_(options) {}

  Result<Expr> expression(const Node& node) {
    Expr expr;
    if (!build(node, 0, expr)) return std::move(error_);
    return expr;
  }

  std::vector<CompileWarning> take_warnings() { return std::move(warnings_); }

 private:
  // Notes an error and returns false. The frames of its recursion are kept small.
  bool build(const Node& node, uint32_t depth, Expr& expr) {
    if (depth > kDeepestTree) return too_deep(node);
    switch (node.kind) {
      case Node::Kind::macro: return unknown_macro(node);
      case Node::Kind::check: return build_check(node, expr);
      case Node::Kind::all: expr.kind = Expr::Kind::all; break;
      case Node::Kind::any: expr.kind = Expr::Kind::any; break;
      case Node::Kind::negation: expr.kind = Expr::Kind::negation; break;
    }
    expr.children.resize(node.children.size());
    for (size_t i = 0; i < node.children.size(); ++i)
      if (!build(node.children[i], depth + 1, expr.children[i])) return false;
    return true;
  }

  [[gnu::noinline]] bool too_deep(const Node& node) {
    error_ = located({.message = "condition nests too deeply"}, node.place);
    return false;
  }

  [[gnu::noinline]] bool unknown_macro(const Node& node) {
    error_ = located({.code = Code::not_found,
                      .message = fmt::format("Undefined macro '{}' used in filter.", node.macro)},
                     node.place);
    return false;
  }

  [[gnu::noinline]] bool build_check(const Node& node, Expr& expr) {
    const std::string key = options_.cache != nullptr ? cache_key(node) : std::string();
    if (options_.cache != nullptr && reuse_check(key, node, expr)) return true;
    const size_t first_warning = warnings_.size();
    Result<Check> compiled = check(node);
    if (!compiled.ok()) {
      error_ = std::move(compiled).error();
      return false;
    }
    expr.check = std::make_shared<const Check>(std::move(*compiled));
    if (options_.cache == nullptr) return true;
    CompileCache::SharedCheck& shared = options_.cache->checks[key];
    shared.check = expr.check;
    for (size_t i = first_warning; i < warnings_.size(); ++i)
      shared.warnings.push_back(warnings_[i].message);
    return true;
  }

  bool reuse_check(const std::string& key, const Node& node, Expr& expr) {
    const auto found = options_.cache->checks.find(key);
    if (found == options_.cache->checks.end()) return false;
    expr.check = found->second.check;
    for (const std::string& message : found->second.warnings)
      warnings_.push_back({message, node.place});
    return true;
  }

  // Equal for checks that mean the same and are written alike.
  [[nodiscard]] std::string cache_key(const Node& node) const {
    std::string key(options_.source);
    const auto append_operand = [&](const OperandAst& ast) {
      key += ' ';
      key += ast.kind == OperandAst::Kind::field ? ast.text : to_text(ast);
    };
    append_operand(node.left);
    key += ' ';
    key += to_string(node.op);
    key += ' ';
    key += to_string(node.modifier);
    if (node.right) {
      append_operand(*node.right);
      return key;
    }
    for (const std::string& value : node.values) {
      key += ' ';
      key += std::to_string(value.size());
      key += ':';
      key += value;
    }
    return key;
  }

  Result<Operand> operand(const OperandAst& ast) const {
    Operand operand = SAKER_TRY(compile_operand(ast, catalog_, options_.source));
    SAKER_CHECK(check_printable_only(operand, ast.place));
    if (options_.in_rule && operand.kind != Operand::Kind::field && names_event_type(operand))
      return located({.message = "evt.type cannot be used inside a transformer in rules"},
                     ast.place);
    return operand;
  }

  static Status check_printable_only(const Operand& operand, const Place& place) {
    if (operand.kind == Operand::Kind::field && operand.field.info->has(kPrintOnly))
      return located(
          {.message = fmt::format("field {} is display only and cannot be used as a filter check",
                                  operand.field.info->name)},
          place);
    for (const Operand& arg : operand.args) SAKER_CHECK(check_printable_only(arg, place));
    return {};
  }

  Result<Check> check(const Node& node) {
    Check check;
    check.place = node.place;
    check.op = node.op;
    check.modifier = node.modifier;
    check.left = SAKER_TRY(operand(node.left));
    SAKER_CHECK(check_operator(check));
    if (is_distance(check.left)) check.op = Op::le;
    if (node.right) {
      SAKER_CHECK(set_right(node, check));
    } else {
      SAKER_CHECK(set_constants(node, check));
    }
    check.text = spell(check);
    return check;
  }

  static Status check_operator(const Check& check) {
    const Operand& left = check.left;
    if (is_distance(left) && check.op != Op::eq)
      return located({.message = fmt::format("'{}' operator not supported for {}",
                                             to_string(check.op), left.field.info->name),
                      .hint = "use ="},
                     check.place);
    if (!is_supported(check.op, left.type))
      return located({.message = fmt::format("'{}' operator not supported for {}",
                                             to_string(check.op), filters_of(left.type))},
                     check.place);
    if (left.many != Many::list) return {};
    const bool fits = check.op == Op::exists || check.op == Op::in || check.op == Op::intersects;
    if (!fits || check.modifier != Modifier::none)
      return located({.message = fmt::format("'{}' operator not supported for list filters",
                                             to_string(check.op)),
                      .hint = "use in, intersects or exists"},
                     check.place);
    return {};
  }

  Status set_right(const Node& node, Check& check) const {
    const auto refuse = [&](std::string message) {
      return located({.message = std::move(message)}, node.right->place);
    };
    if (options_.in_rule && is_event_type(check.left))
      return refuse("evt.type cannot be compared with a field or a transformer in rules");
    if (check.op == Op::pmatch || check.op == Op::regex)
      return refuse(fmt::format("'{}' operator does not support a field on the right side",
                                to_string(check.op)));
    check.right = SAKER_TRY(operand(*node.right));
    const Operand& left = check.left;
    const Operand& right = *check.right;
    for (const Operand* side : {&left, &right})
      if (side->type == Type::net || side->type == Type::hostname || compares_specially(*side))
        return refuse(
            fmt::format("{} cannot be compared with a field or a transformer", side->text));
    const bool both_text = is_text(left.type) && is_text(right.type);
    if ((left.type != right.type && !both_text) || left.many != right.many)
      return refuse(fmt::format("comparison between different types: {} is {}{}, {} is {}{}",
                                left.text, to_string(left.type),
                                left.many == Many::list ? " list" : "", right.text,
                                to_string(right.type), right.many == Many::list ? " list" : ""));
    return {};
  }

  Status set_constants(const Node& node, Check& check) {
    const bool is_type = is_event_type(check.left) && is_equality(check.op);
    check.constants.reserve(node.values.size());
    for (const std::string& value : node.values) {
      if (Status status = add_constant(value, check); !status)
        return located(std::move(status).error(), node.place);
      if (is_type && !is_event_name(value))
        return located({.code = Code::not_found,
                        .message = "unknown event type " + value,
                        .hint = event_name_hint(value)},
                       node.place);
      warn_about(value, node.place);
      if (check.op == Op::regex) SAKER_CHECK(add_regex(value, check));
    }
    return {};
  }

  Status add_regex(const std::string& pattern, Check& check) {
    Result<std::shared_ptr<const re2::RE2>> regex = compile_regex(pattern);
    if (!regex) return located(std::move(regex).error(), check.place);
    if (check.modifier == Modifier::none) {
      check.regex = std::move(*regex);
    } else {
      check.regexes.push_back(std::move(*regex));
    }
    if (is_trivial_regex(pattern))
      warnings_.push_back({fmt::format("regular expression '{}' may be optimized with simpler "
                                       "operators",
                                       pattern),
                           check.place});
    return {};
  }

  void warn_about(const std::string& value, const Place& place) {
    if (value.contains('.') && catalog_.knows(value))
      warnings_.push_back(
          {fmt::format("'{}' may be a valid field misused as a const string value", value), place});
    else if (looks_like_transformer(value))
      warnings_.push_back(
          {fmt::format("'{}' may be a valid field transformer misused as a const string value",
                       value),
           place});
  }

  static std::string spell(const Check& check) {
    std::string text = check.left.text;
    text += ' ';
    text += to_string(check.op);
    if (check.op == Op::exists) return text;
    text += ' ';
    text += to_string(check.modifier);
    if (check.right) return text + check.right->text;
    text += '(';
    for (const Constant& constant : check.constants) {
      append_quoted(constant.text, text);
      text += ',';
    }
    text += ')';
    text.shrink_to_fit();
    return text;
  }

  const FieldCatalog& catalog_;
  const CompileOptions& options_;
  std::vector<CompileWarning> warnings_;
  Error error_;
};

}  // namespace

Result<CompiledFilter> compile(const Node& node, const FieldCatalog& catalog,
                               const CompileOptions& options) {
  Compiler compiler(catalog, options);
  CompiledFilter filter{.root = SAKER_TRY(compiler.expression(node))};
  filter.warnings = compiler.take_warnings();
  return filter;
}

}  // namespace saker::filter
