// Typing of operands: fields looked up, transformers checked against what they are applied to.
#include <fmt/core.h>

#include <algorithm>

#include "filter/compile.h"
#include "filter/diagnostics.h"
#include "filter/escape.h"

namespace saker::filter {

namespace {

// For fields that are known and never have a value.
bool no_value(const EvalContext&, const FieldArg&, Values&) {
  return false;
}

class OperandCompiler {
 public:
  OperandCompiler(const FieldCatalog& catalog, std::string_view source)
      : catalog_(catalog), source_(source) {}

  Result<Operand> compile(const OperandAst& ast) const {
    switch (ast.kind) {
      case OperandAst::Kind::field: return field(ast);
      case OperandAst::Kind::literal: return literal(ast);
      case OperandAst::Kind::list: return list(ast);
      case OperandAst::Kind::transformer: break;
    }
    Operand operand;
    operand.kind = Operand::Kind::transformer;
    operand.transformer = ast.transformer;
    for (const OperandAst& arg : ast.args) operand.args.push_back(SAKER_TRY(compile(arg)));
    SAKER_CHECK(check_arguments(ast, operand.args));
    SAKER_CHECK(set_type(ast, operand));
    set_scope(operand);
    operand.text = spell(operand);
    return operand;
  }

 private:
  Result<Operand> field(const OperandAst& ast) const {
    Result<FieldRef> found = catalog_.resolve(ast.text, source_);
    if (!found) return located(std::move(found).error(), ast.place);
    const FieldInfo& info = *found->info;
    if (info.has(kNotComputed))
      return located({.code = Code::unsupported,
                      .message = fmt::format("field {} cannot be computed by saker", info.name)},
                     ast.place);
    Operand operand;
    operand.extract = info.extract != nullptr ? info.extract : no_value;
    operand.type = found->type;
    operand.many = info.many;
    operand.scope = info.scope;
    operand.text = found->text;
    operand.field = std::move(*found);
    return operand;
  }

  Result<Operand> literal(const OperandAst& ast) const {
    if (ast.text.contains('\0'))
      return located({.message = "a string constant must not contain a NUL byte"}, ast.place);
    Operand operand;
    operand.kind = Operand::Kind::literal;
    operand.literal = ast.text;
    operand.scope = Scope::process;
    append_quoted(ast.text, operand.text);
    return operand;
  }

  Result<Operand> list(const OperandAst& ast) const {
    Operand operand;
    operand.kind = Operand::Kind::list;
    operand.many = Many::list;
    for (const OperandAst& arg : ast.args) {
      operand.args.push_back(SAKER_TRY(compile(arg)));
      if (operand.args.back().many != Many::single)
        return located({.message = "a list cannot contain another list"}, arg.place);
    }
    set_scope(operand);
    operand.text = spell(operand);
    return operand;
  }

  static Error bad_type(const OperandAst& ast, const OperandAst& arg, const Operand& operand) {
    return located({.message = fmt::format(
                        "can't add field transformer: type '{}{}' of {} is not supported by '{}'",
                        to_string(operand.type), operand.many == Many::list ? " list" : "",
                        to_text(arg), to_string(ast.transformer))},
                   ast.place);
  }

  static Error bad_count(const OperandAst& ast, std::string_view wanted) {
    return located({.message = fmt::format("transformer '{}' takes {}, {} given",
                                           to_string(ast.transformer), wanted, ast.args.size())},
                   ast.place);
  }

  static Status check_arguments(const OperandAst& ast, const std::vector<Operand>& args) {
    for (const Operand& arg : args) {
      if (arg.kind != Operand::Kind::field) continue;
      const FieldInfo& info = *arg.field.info;
      if (ast.transformer == TransformerKind::val) {
        if (info.has(kNoRhs))
          return located(
              {.message = fmt::format("field {} cannot be used on the right side of a comparison",
                                      info.name)},
              ast.place);
      } else if (info.has(kNoTransformer)) {
        return located({.message = fmt::format("can't add field transformer: field {} allows none",
                                               info.name)},
                       ast.place);
      }
    }
    return {};
  }

  static bool is_single_text(const Operand& operand) {
    return operand.many == Many::single && is_text(operand.type);
  }

  static Status set_type(const OperandAst& ast, Operand& operand) {
    std::vector<Operand>& args = operand.args;
    switch (ast.transformer) {
      case TransformerKind::tolower:
      case TransformerKind::toupper:
      case TransformerKind::basename:
      case TransformerKind::b64:
      case TransformerKind::len:
      case TransformerKind::val: return set_unary_type(ast, operand);
      case TransformerKind::join:
        if (args.size() != 2) return bad_count(ast, "a separator and a list");
        if (!is_single_text(args[0])) return bad_type(ast, ast.args[0], args[0]);
        if (args[1].many != Many::list) return bad_type(ast, ast.args[1], args[1]);
        return {};
      case TransformerKind::concat:
        if (args.size() < 2) return bad_count(ast, "at least 2 arguments");
        for (size_t i = 0; i < args.size(); ++i)
          if (!is_single_text(args[i])) return bad_type(ast, ast.args[i], args[i]);
        return {};
      case TransformerKind::getopt: return set_getopt_type(ast, operand);
    }
    return {};
  }

  static Status set_unary_type(const OperandAst& ast, Operand& operand) {
    if (operand.args.size() != 1) return bad_count(ast, "1 argument");
    const Operand& arg = operand.args[0];
    operand.type = arg.type;
    operand.many = arg.many;
    bool allowed = is_text(arg.type);
    switch (ast.transformer) {
      case TransformerKind::b64: allowed |= arg.type == Type::bytes; break;
      case TransformerKind::len:
        allowed |= arg.type == Type::bytes || arg.many == Many::list;
        operand.type = Type::uint64;
        operand.many = Many::single;
        break;
      case TransformerKind::val: allowed = true; break;
      default: break;
    }
    if (!allowed) return bad_type(ast, ast.args[0], arg);
    return {};
  }

  static Status set_getopt_type(const OperandAst& ast, Operand& operand) {
    const std::vector<Operand>& args = operand.args;
    if (args.size() != 2) return bad_count(ast, "a list and an option string");
    const auto is_text_operand = [](const Operand& arg) { return is_text(arg.type); };
    const bool is_text_list =
        args[0].many == Many::list && is_text(args[0].type) &&
        (args[0].kind != Operand::Kind::list || std::ranges::all_of(args[0].args, is_text_operand));
    if (!is_text_list) return bad_type(ast, ast.args[0], args[0]);
    if (!is_single_text(args[1])) return bad_type(ast, ast.args[1], args[1]);
    operand.many = Many::list;
    if (!ast.has_selector) return {};
    if (ast.selector.size() != 1)
      return located({.message = "getopt(...)[x] takes one option character"}, ast.place);
    operand.selector = ast.selector[0];
    operand.many = Many::single;
    return {};
  }

  static void set_scope(Operand& operand) {
    const auto is_process = [](const Operand& arg) { return arg.scope == Scope::process; };
    operand.scope = std::ranges::all_of(operand.args, is_process) ? Scope::process : Scope::event;
  }

  static std::string spell(const Operand& operand) {
    std::string text;
    if (operand.kind == Operand::Kind::transformer) text = to_string(operand.transformer);
    text += '(';
    for (size_t i = 0; i < operand.args.size(); ++i) {
      if (i != 0) text += ',';
      text += operand.args[i].text;
    }
    text += ')';
    if (operand.selector) {
      text += '[';
      append_quoted(std::string_view(&*operand.selector, 1), text);
      text += ']';
    }
    return text;
  }

  const FieldCatalog& catalog_;
  std::string_view source_;
};

}  // namespace

Result<Operand> compile_operand(const OperandAst& operand, const FieldCatalog& catalog,
                                std::string_view source) {
  return OperandCompiler(catalog, source).compile(operand);
}

}  // namespace saker::filter
