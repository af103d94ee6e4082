// Which event types a condition can be true for, by set algebra over its syntax tree. For each node
// two sets are kept, of the types where it can be true and where it can be false: `not` swaps them,
// so that what is inferred is the same however a condition is negated.
#include <algorithm>
#include <bitset>

#include "base/strings.h"
#include "rules/ruleset.h"

namespace saker::rules {

namespace {

using filter::Modifier;
using filter::Node;
using filter::Op;
using Codes = std::bitset<event::kEventCodeCount>;

struct Verdicts {
  Codes can_be_true;
  Codes can_be_false;
};

Codes all_codes() {
  return Codes().set();
}

Verdicts unknown() {
  return {all_codes(), all_codes()};
}

// Events whose name is in their data: that one of them has a name says nothing of the others.
bool has_many_names(event::EventCode code) {
  return code == event::GENERIC_E || code == event::GENERIC_X || code == event::ASYNCEVENT_E ||
         code == event::PLUGINEVENT_E;
}

Verdicts is_one_of(const std::vector<std::string>& names) {
  Verdicts verdicts{{}, all_codes()};
  for (const std::string& name : names) {
    for (event::EventCode code : event::codes_of_name(name)) {
      verdicts.can_be_true.set(code);
      if (!has_many_names(code)) verdicts.can_be_false.reset(code);
    }
  }
  return verdicts;
}

Verdicts negated(const Verdicts& verdicts) {
  return {verdicts.can_be_false, verdicts.can_be_true};
}

Verdicts event_type_check(const Node& node) {
  if (node.op == Op::exists) return {all_codes(), {}};
  if (node.right) return unknown();
  const bool any = node.modifier == Modifier::none || node.modifier == Modifier::anyof;
  switch (node.op) {
    case Op::in: return is_one_of(node.values);
    case Op::eq: {
      Verdicts verdicts = is_one_of(node.values);
      if (!any) verdicts.can_be_false = all_codes();  // oneof, allof: more than one can fail
      return verdicts;
    }
    case Op::ne:
      return node.modifier == Modifier::none ? negated(is_one_of(node.values)) : unknown();
    default: return unknown();
  }
}

// Event numbers count from 1, which makes evt.num=0 never and evt.num>=0 always true.
Verdicts event_number_check(const Node& node) {
  bool can_be_true = true;
  bool can_be_false = true;
  const auto is_number = [](const std::string& text, uint64_t number) {
    return parse_uint(text) == number;
  };
  const auto is_zero = [&](const std::string& text) { return is_number(text, 0); };
  if (node.right || node.modifier != Modifier::none) return unknown();
  if (node.op == Op::in || node.op == Op::intersects) {
    can_be_true = !std::ranges::all_of(node.values, is_zero);
  } else if (node.values.size() == 1) {
    const bool zero = is_zero(node.values[0]);
    const bool one = is_number(node.values[0], 1);
    switch (node.op) {
      case Op::eq: can_be_true = !zero; break;
      case Op::ne: can_be_false = !zero; break;
      case Op::lt: can_be_true = !zero && !one; break;
      case Op::le: can_be_true = !zero; break;
      case Op::gt: can_be_false = !zero; break;
      case Op::ge: can_be_false = !zero && !one; break;
      default: break;
    }
  }
  return {can_be_true ? all_codes() : Codes(), can_be_false ? all_codes() : Codes()};
}

Verdicts verdicts_of(const Node& node);

Verdicts group(const Node& node) {
  const bool conjunction = node.kind == Node::Kind::all;
  Verdicts result{conjunction ? all_codes() : Codes(), conjunction ? Codes() : all_codes()};
  for (const Node& child : node.children) {
    const Verdicts verdicts = verdicts_of(child);
    if (conjunction) {
      result.can_be_true &= verdicts.can_be_true;
      result.can_be_false |= verdicts.can_be_false;
    } else {
      result.can_be_true |= verdicts.can_be_true;
      result.can_be_false &= verdicts.can_be_false;
    }
  }
  return result;
}

Verdicts verdicts_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::all:
    case Node::Kind::any: return group(node);
    case Node::Kind::negation: return negated(verdicts_of(node.children[0]));
    case Node::Kind::macro: return unknown();
    case Node::Kind::check: break;
  }
  if (node.left.kind != filter::OperandAst::Kind::field) return unknown();
  if (node.left.text == "evt.type" || node.left.text == "syscall.type")
    return event_type_check(node);
  if (node.left.text == "evt.num") return event_number_check(node);
  return unknown();
}

}  // namespace

std::optional<std::set<event::EventCode>> event_codes_of(const filter::Node& condition) {
  const Codes codes = verdicts_of(condition).can_be_true;
  if (codes.all()) return std::nullopt;
  std::set<event::EventCode> set;
  for (size_t code = 0; code < codes.size(); ++code)
    if (codes.test(code)) set.insert(static_cast<event::EventCode>(code));
  return set;
}

}  // namespace saker::rules
