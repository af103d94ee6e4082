// The comparisons of the language, plainly: what the fast engine is checked against.
#include <algorithm>

#include "base/assert.h"
#include "filter/compile.h"
#include "filter/host_names.h"
#include "filter/regex.h"
#include "filter/text_match.h"

namespace saker::filter {

namespace {

template <typename T>
bool compare_ordered(Op op, const T& a, const T& b) {
  switch (op) {
    case Op::eq:
    case Op::in:
    case Op::intersects: return a == b;
    case Op::ne: return a != b;
    case Op::lt: return a < b;
    case Op::le: return a <= b;
    case Op::gt: return a > b;
    case Op::ge: return a >= b;
    default: return false;
  }
}

bool compare_text(Op op, std::string_view a, std::string_view b) {
  switch (op) {
    case Op::contains:
    case Op::bcontains: return a.contains(b);
    case Op::icontains: return contains_ignoring_case(a, b);
    case Op::startswith:
    case Op::bstartswith: return a.starts_with(b);
    case Op::endswith: return a.ends_with(b);
    case Op::glob: return matches_glob(b, a);
    case Op::iglob: return matches_glob(b, a, true);
    case Op::pmatch: return matches_path_prefix(b, a);
    default: return compare_ordered(op, a, b);
  }
}

bool is_address(Type type) {
  return type == Type::ip || type == Type::net || type == Type::hostname;
}

bool compare_address(const Check& check, const IpAddress& address, size_t index) {
  const auto has_address = [&](const IpNetwork& network) { return network.contains(address); };
  const bool found = check.left.type == Type::hostname
                         ? std::ranges::any_of(check.hosts[index]->addresses(), has_address)
                         : has_address(check.networks[index]);
  return found != (check.op == Op::ne);
}

double as_real(const Value& value) {
  switch (value.kind) {
    case Value::Kind::integer: return static_cast<double>(value.integer);
    case Value::Kind::unsigned_integer: return static_cast<double>(value.unsigned_integer);
    default: return value.real;
  }
}

// One value against one constant; not for regex and addresses.
bool compare_constant(Op op, Type type, const Value& value, const Constant& constant) {
  if (is_text(type) || type == Type::bytes) return compare_text(op, value.text(), constant.text);
  switch (type) {
    case Type::int16:
    case Type::int32:
    case Type::int64: return compare_ordered(op, value.integer, constant.integer);
    case Type::real: return compare_ordered(op, as_real(value), constant.real);
    default: return compare_ordered(op, value.unsigned_integer, constant.unsigned_integer);
  }
}

// One value against one value of the same type; not for regex and pmatch.
bool compare_values(Op op, Type type, const Value& a, const Value& b) {
  if (is_text(type) || type == Type::bytes) return compare_text(op, a.text(), b.text());
  if (is_address(type)) return (*a.ip == *b.ip) != (op == Op::ne);
  switch (type) {
    case Type::int16:
    case Type::int32:
    case Type::int64: return compare_ordered(op, a.integer, b.integer);
    case Type::real: return compare_ordered(op, as_real(a), as_real(b));
    default: return compare_ordered(op, a.unsigned_integer, b.unsigned_integer);
  }
}

// Whether the check's operator holds between the value and constant number `index`.
bool satisfies_constant(const Check& check, const Value& value, size_t index) {
  if (is_address(check.left.type)) return compare_address(check, *value.ip, index);
  if (check.op != Op::regex)
    return compare_constant(check.op, check.left.type, value, check.constants[index]);
  const bool single = check.modifier == Modifier::none;
  return matches_regex(single ? *check.regex : *check.regexes[index], value.text());
}

// One value against all constants.
bool satisfies(const Check& check, const Value& value) {
  const size_t count = check.constants.size();
  switch (check.modifier) {
    case Modifier::none:
    case Modifier::anyof:
      for (size_t i = 0; i < count; ++i)
        if (satisfies_constant(check, value, i)) return true;
      return false;
    case Modifier::allof:
      for (size_t i = 0; i < count; ++i)
        if (!satisfies_constant(check, value, i)) return false;
      return count != 0;
    case Modifier::oneof: {
      size_t holding = 0;
      for (size_t i = 0; i < count; ++i) holding += satisfies_constant(check, value, i) ? 1 : 0;
      return holding == 1;
    }
  }
  return false;
}

// Combines the verdicts on single values as the left side's field wants it.
template <typename Test>
bool combine(const Check& check, const Values& left, Test test) {
  bool all = false;
  switch (check.left.many) {
    case Many::single:
    case Many::any: break;
    case Many::list: all = check.op == Op::in; break;
    case Many::either: all = check.op == Op::ne; break;
  }
  return all ? std::ranges::all_of(left.span(), test) : std::ranges::any_of(left.span(), test);
}

bool compare_right(const Check& check, const Values& left, const EvalContext& context) {
  Values right;
  if (!evaluate(*check.right, context, right)) return false;
  return combine(check, left, [&](const Value& a) {
    return std::ranges::any_of(right.span(), [&](const Value& b) {
      return compare_values(check.op, check.left.type, a, b);
    });
  });
}

}  // namespace

bool compare(const Check& check, const Values& left, const EvalContext& context) {
  SAKER_ASSERT(check.op != Op::exists);
  if (left.empty()) return false;
  if (check.right) return compare_right(check, left, context);
  return combine(check, left, [&](const Value& value) { return satisfies(check, value); });
}

bool matches(const Check& check, const EvalContext& context) {
  Values left;
  if (!evaluate(check.left, context, left)) return false;
  return check.op == Op::exists || compare(check, left, context);
}

bool matches(const Expr& expr, const EvalContext& context) {
  const auto holds = [&](const Expr& child) { return matches(child, context); };
  switch (expr.kind) {
    case Expr::Kind::all: return std::ranges::all_of(expr.children, holds);
    case Expr::Kind::any: return std::ranges::any_of(expr.children, holds);
    case Expr::Kind::negation: return !matches(expr.children[0], context);
    case Expr::Kind::check: return matches(*expr.check, context);
  }
  return false;
}

}  // namespace saker::filter
