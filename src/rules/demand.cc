#include "rules/demand.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace saker::rules {

namespace {

using filter::Check;
using filter::Op;

constexpr size_t kMostPaths = 64;  // more patterns than this are not worth a test in the kernel

// What a condition implies about the arguments of an event. Nothing known is the weakest test.
struct Implied {
  bool open_for_write = false, open_for_read = false, successful = false, failed = false;
  bool socket_fd = false;
  bool has_paths = false;
  std::vector<std::string> prefixes, suffixes;
  bool has_ports = false;
  std::vector<uint16_t> ports;
};

// Both hold: everything that either implies.
Implied both(Implied a, const Implied& b) {
  a.open_for_write |= b.open_for_write;
  a.open_for_read |= b.open_for_read;
  a.successful |= b.successful;
  a.failed |= b.failed;
  a.socket_fd |= b.socket_fd;
  const size_t a_size = a.prefixes.size() + a.suffixes.size();
  const size_t b_size = b.prefixes.size() + b.suffixes.size();
  if (b.has_paths && (!a.has_paths || b_size < a_size)) {
    a.has_paths = true;
    a.prefixes = b.prefixes;
    a.suffixes = b.suffixes;
  }
  if (b.has_ports && (!a.has_ports || b.ports.size() < a.ports.size())) {
    a.has_ports = true;
    a.ports = b.ports;
  }
  return a;
}

template <typename T>
void unite(std::vector<T>& into, const std::vector<T>& from) {
  into.insert(into.end(), from.begin(), from.end());
  std::ranges::sort(into);
  into.erase(std::ranges::unique(into).begin(), into.end());
}

// One of them holds: only what both imply.
Implied either(Implied a, const Implied& b) {
  a.open_for_write &= b.open_for_write;
  a.open_for_read &= b.open_for_read;
  a.successful &= b.successful;
  a.failed &= b.failed;
  a.socket_fd &= b.socket_fd;
  a.has_paths &= b.has_paths;
  unite(a.prefixes, b.prefixes);
  unite(a.suffixes, b.suffixes);
  a.has_ports &= b.has_ports;
  unite(a.ports, b.ports);
  return a;
}

bool is_open(const event::EventInfo& info) {
  return info.name == "open" || info.name == "openat" || info.name == "openat2" ||
         info.name == "creat";
}

bool is_path_param(const event::EventInfo& info, int index) {
  return index >= 0 &&
         (info.params[static_cast<size_t>(index)].type == event::ParamType::FsPath ||
          info.params[static_cast<size_t>(index)].type == event::ParamType::FsRelPath);
}

// Whether `field` is, for this event, the one path argument made absolute.
bool names_the_path(std::string_view field, const filter::FieldRef& ref,
                    const event::EventInfo& info) {
  if (is_open(info))
    return field == "fd.name" || field == "fs.path.name" ||
           (field == "evt.arg" && ref.arg.text == "name");
  size_t paths = 0;
  for (size_t i = 0; i < info.params.size(); ++i)
    paths += is_path_param(info, static_cast<int>(i)) ? 1 : 0;
  if (paths != 1) return false;
  return field == "fs.path.name" ||
         (field == "evt.arg" && is_path_param(info, info.param_index(ref.arg.text)));
}

bool has_glob(std::string_view text) {
  return text.find_first_of("?*[") != std::string_view::npos;
}

std::string with_slash(std::string_view text, bool in_front) {
  std::string out(text);
  if (in_front && !out.starts_with('/')) out.insert(out.begin(), '/');
  return out;
}

// fd.name startswith /etc, fd.directory = /etc, fd.filename in (a, b) ... on events that open by
// path.
Implied implied_paths(const Check& check, const event::EventInfo& info) {
  Implied out;
  const std::string_view field = check.left.field.info->name;
  const bool whole = names_the_path(field, check.left.field, info);
  const bool directory = is_open(info) && field == "fd.directory";
  const bool filename = is_open(info) && field == "fd.filename";
  const bool exact = check.op == Op::eq || check.op == Op::in;
  for (const filter::Constant& constant : check.constants) {
    const std::string& text = constant.text;
    if ((whole || directory) && text.starts_with('/') &&
        (exact || check.op == Op::startswith || (check.op == Op::pmatch && !has_glob(text)))) {
      std::string prefix = text;
      if (check.op == Op::pmatch)
        prefix = "/" + std::string(text.substr(text.find_first_not_of('/') == std::string::npos
                                                   ? text.size()
                                                   : text.find_first_not_of('/')));
      while (check.op != Op::startswith && prefix.size() > 1 && prefix.ends_with('/'))
        prefix.pop_back();
      out.prefixes.push_back(std::move(prefix));
    } else if (whole && check.op == Op::endswith && !text.empty()) {
      out.suffixes.push_back(text);
    } else if (filename && exact && !text.empty()) {
      out.suffixes.push_back(with_slash(text, true));
    } else {
      return {};
    }
  }
  out.has_paths = !check.constants.empty();
  return out;
}

// fd.type in (ipv4, ipv6), fd.typechar = u: only sockets have these.
Implied implied_socket(const Check& check, const event::EventInfo& info) {
  Implied out;
  const std::string_view field = check.left.field.info->name;
  if (!info.has(event::UsesFd) || (check.op != Op::eq && check.op != Op::in)) return out;
  out.socket_fd = (field == "fd.type" || field == "fd.typechar") && !check.constants.empty() &&
                  std::ranges::all_of(check.constants, [&](const filter::Constant& constant) {
                    const std::string& text = constant.text;
                    return field == "fd.type" ? text == "ipv4" || text == "ipv6" || text == "unix"
                                              : text == "4" || text == "6" || text == "u";
                  });
  return out;
}

Implied implied_ports(const Check& check) {
  static constexpr std::string_view kPortFields[] = {"fd.port", "fd.sport", "fd.cport", "fd.lport",
                                                     "fd.rport"};
  Implied out;
  if (std::ranges::find(kPortFields, check.left.field.info->name) == std::end(kPortFields))
    return out;
  if (check.op != Op::eq && check.op != Op::in) return out;
  for (const filter::Constant& constant : check.constants)
    out.ports.push_back(static_cast<uint16_t>(constant.unsigned_integer));
  out.has_ports = !out.ports.empty();
  return out;
}

Implied implied_boolean(std::string_view field, bool value) {
  Implied out;
  out.open_for_write = field == "evt.is_open_write" && value;
  out.open_for_read = field == "evt.is_open_read" && value;
  out.failed = field == "evt.failed" && value;
  out.successful = field == "evt.failed" && !value;
  return out;
}

// evt.rawres >= 0, fd.num >= 0 (of an open: the new fd), evt.res = SUCCESS.
Implied implied_result(const Check& check, const event::EventInfo& info) {
  Implied out;
  const std::string_view field = check.left.field.info->name;
  const bool number = field == "evt.rawres" || (field == "fd.num" && is_open(info));
  if (number && check.constants.size() == 1) {
    const int64_t constant = check.constants[0].integer;
    out.successful = (check.op == Op::ge && constant >= 0) ||
                     (check.op == Op::gt && constant >= -1) ||
                     (check.op == Op::eq && constant >= 0);
    out.failed = (check.op == Op::lt && constant <= 0) || (check.op == Op::le && constant < 0) ||
                 (check.op == Op::eq && constant < 0);
  } else if (field == "evt.res" && check.op == Op::eq && check.constants[0].text == "SUCCESS") {
    out.successful = true;
  }
  return out;
}

class DemandMaker {
 public:
  DemandMaker(const PredicateTable& predicates, const ExprTable& exprs)
      : predicates_(predicates), exprs_(exprs) {}

  Implied implied(NodeId id, const event::EventInfo& info) const {
    const ExprNode& node = exprs_[id];
    switch (node.kind) {
      case ExprNode::Kind::check:
        return implied_check(*predicates_[node.predicate].check, false, info);
      case ExprNode::Kind::not_check:
        return implied_check(*predicates_[node.predicate].check, true, info);
      case ExprNode::Kind::all: {
        Implied out;
        for (NodeId child : exprs_.children(node)) out = both(std::move(out), implied(child, info));
        return out;
      }
      case ExprNode::Kind::any: {
        std::optional<Implied> out;
        for (NodeId child : exprs_.children(node))
          out = out ? either(std::move(*out), implied(child, info)) : implied(child, info);
        return out.value_or(Implied{});
      }
      default: return {};
    }
  }

 private:
  static Implied implied_check(const Check& check, bool negated, const event::EventInfo& info) {
    if (check.left.kind != filter::Operand::Kind::field || check.right ||
        check.modifier != filter::Modifier::none)
      return {};
    if (check.left.type == filter::Type::boolean && check.op == Op::eq)
      return implied_boolean(check.left.field.info->name, check.constants[0].boolean != negated);
    if (negated || check.op == Op::exists) return {};
    return both(
        both(both(implied_paths(check, info), implied_ports(check)), implied_result(check, info)),
        implied_socket(check, info));
  }

  const PredicateTable& predicates_;
  const ExprTable& exprs_;
};

event::ArgumentTest to_test(const Implied& implied) {
  event::ArgumentTest test;
  test.only_open_for_write = implied.open_for_write;
  test.only_open_for_read = implied.open_for_read;
  test.only_successful = implied.successful;
  test.only_failed = implied.failed;
  test.only_socket_fd = implied.socket_fd;
  if (implied.has_paths && implied.prefixes.size() + implied.suffixes.size() <= kMostPaths) {
    test.path_prefixes = implied.prefixes;
    test.path_suffixes = implied.suffixes;
  }
  if (implied.has_ports) test.ports = implied.ports;
  return test;
}

// The syscalls that generic events must be sent for: those that conditions name, or all when some
// rule on generic events names none.
void add_generic_syscalls(const RuleSet& set, const Plan& plan, event::Demand& demand) {
  const auto add_names = [&](auto&& self, const filter::Expr& expr) -> bool {
    bool named = false;
    if (expr.kind == filter::Expr::Kind::check) {
      const Check& check = *expr.check;
      if (check.left.kind != filter::Operand::Kind::field) return false;
      const std::string_view field = check.left.field.info->name;
      if (field != "evt.type" && field != "syscall.type") return false;
      if (check.op != Op::eq && check.op != Op::in) return false;
      for (const filter::Constant& constant : check.constants) {
        if (std::optional<uint16_t> code = event::portable_code_of_name(constant.text)) {
          demand.generic_syscalls.set(*code);
          named = true;
        }
      }
      return named;
    }
    for (const filter::Expr& child : expr.children) named |= self(self, child);
    return named;
  };
  for (const PlanRule& row : plan.rules) {
    const Rule& rule = set.rules[row.rule];
    const bool named = add_names(add_names, rule.expr);
    if (!rule.names_event_types || !named) demand.generic_syscalls.set();
  }
}

bool reads_fd(std::string_view field) {
  return field.starts_with("fd.") && field != "fd.num";
}

bool lists_fds(std::string_view field) {
  return field.starts_with("fd.types") || field.starts_with("proc.fdopencount") ||
         field.starts_with("proc.fdusage") || field.starts_with("proc.std") ||
         field.starts_with("fdlist.");
}

bool reads_data(std::string_view field) {
  return field.starts_with("evt.buffer") || field.starts_with("evt.arg.data") ||
         field.starts_with("evt.rawarg.data") || field.starts_with("evt.args") ||
         field.starts_with("evt.info");
}

void note_field(std::string_view field, const event::EventInfo& info, event::Demand& demand) {
  if (reads_fd(field) && info.has(event::UsesFd)) demand.fd_info.set(info.code);
  demand.needs_all_fds |= lists_fds(field);
  demand.needs_data |= reads_data(field);
}

void note_operand(const filter::Operand& operand, const event::EventInfo& info,
                  event::Demand& demand) {
  if (operand.kind == filter::Operand::Kind::field) note_field(operand.field.text, info, demand);
  for (const filter::Operand& arg : operand.args) note_operand(arg, info, demand);
}

void note_expr(const filter::Expr& expr, const event::EventInfo& info, event::Demand& demand) {
  for (const filter::Expr& child : expr.children) note_expr(child, info, demand);
  if (expr.kind != filter::Expr::Kind::check) return;
  note_operand(expr.check->left, info, demand);
  if (expr.check->right) note_operand(*expr.check->right, info, demand);
}

// Which of an event's context the rule reads, in its condition and its output.
void note_rule(const Rule& rule, const event::EventInfo& info, event::Demand& demand) {
  note_expr(rule.expr, info, demand);
  for (const filter::Operand* operand : rule.output.operands())
    note_operand(*operand, info, demand);
}

}  // namespace

event::Demand make_demand(const RuleSet& set, const PlanSet& plans,
                          const PredicateTable& predicates, const ExprTable& exprs) {
  event::Demand demand;
  const DemandMaker maker(predicates, exprs);
  for (const event::EventInfo& info : event::all_events()) {
    const Plan* plan = plans.of_code(info.code);
    if (plan == nullptr) continue;
    demand.events.set(info.code);
    std::optional<Implied> common;
    for (const PlanRule& row : plan->rules) {
      Implied implied = maker.implied(row.event_part, info);
      common = common ? either(std::move(*common), implied) : std::move(implied);
      note_rule(set.rules[row.rule], info, demand);
    }
    demand.tests[info.code] = to_test(*common);
    if (info.code == event::GENERIC_X) add_generic_syscalls(set, *plan, demand);
  }
  return demand;
}

}  // namespace saker::rules
