#include "rules/demand.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace saker::rules {

namespace {

using filter::Check;
using filter::Op;

constexpr size_t kMostValues = 128;    // more patterns or ports are not worth a test in the kernel
constexpr size_t kMostSubstrings = 8;  // each is a pass over the path

// What a condition implies about the events of one type whose calls are of one class. Nothing known
// is the weakest test.
struct Implied {
  bool never = false;  // it can't hold
  bool socket_fd = false;
  std::optional<event::PathPatterns> paths;
  std::optional<std::vector<uint16_t>> ports;
};

// Both hold: everything that either implies; of two sets the shorter one.
Implied both(Implied a, const Implied& b) {
  a.never |= b.never;
  a.socket_fd |= b.socket_fd;
  if (b.paths && (!a.paths || b.paths->size() < a.paths->size())) a.paths = b.paths;
  if (b.ports && (!a.ports || b.ports->size() < a.ports->size())) a.ports = b.ports;
  return a;
}

template <typename T>
void unite(std::vector<T>& into, const std::vector<T>& from) {
  into.insert(into.end(), from.begin(), from.end());
  std::ranges::sort(into);
  into.erase(std::ranges::unique(into).begin(), into.end());
}

void unite(event::PathPatterns& into, const event::PathPatterns& from) {
  unite(into.prefixes, from.prefixes);
  unite(into.suffixes, from.suffixes);
  unite(into.substrings, from.substrings);
  unite(into.raw_substrings, from.raw_substrings);
}

// A set that both have becomes their union, as long as that is short; one that only one has says
// nothing any more.
template <typename Set>
void unite(std::optional<Set>& into, const std::optional<Set>& from) {
  if (into && from)
    unite(*into, *from);
  else
    into.reset();
  if (into && into->size() > kMostValues) into.reset();
}

// One of them holds: only what both imply.
Implied either(Implied a, const Implied& b) {
  if (b.never) return a;
  if (a.never) return b;
  a.socket_fd &= b.socket_fd;
  unite(a.paths, b.paths);
  unite(a.ports, b.ports);
  return a;
}

bool implies_nothing(const Implied& implied) {
  return !implied.never && !implied.socket_fd && !implied.paths && !implied.ports;
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

// Where in a path the constants of a check on it lie.
enum class PathPart : uint8_t { none, whole, directory, filename, raw };

PathPart path_part(std::string_view field, const filter::FieldRef& ref,
                   const event::EventInfo& info) {
  if (names_the_path(field, ref, info)) return PathPart::whole;
  if (!is_open(info)) return PathPart::none;
  if (field == "fd.directory") return PathPart::directory;
  if (field == "fd.filename") return PathPart::filename;
  return field == "fd.nameraw" || field == "fs.path.nameraw" ? PathPart::raw : PathPart::none;
}

std::string without_end_slashes(std::string_view text) {
  while (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
  return std::string(text);
}

// Adds the pattern that a path must have when its part stands in the relation to the text; false
// when nothing is known.
bool add_pattern(PathPart part, Op op, const std::string& text, event::PathPatterns& out) {
  const bool exact = op == Op::eq || op == Op::in;
  if (text.empty()) return false;
  if (op == Op::contains) {
    if (part == PathPart::raw)
      out.raw_substrings.push_back(text);
    else if (part == PathPart::whole || part == PathPart::directory || part == PathPart::filename)
      out.substrings.push_back(text);
    return part != PathPart::none;
  }
  if (part == PathPart::whole || part == PathPart::directory) {
    if (op == Op::startswith && text.starts_with('/')) {
      out.prefixes.push_back(text);
      return true;
    }
    if (exact && text.starts_with('/')) {
      out.prefixes.push_back(without_end_slashes(text));
      return true;
    }
    if (op == Op::pmatch && text.starts_with('/') && !has_glob(text)) {
      const size_t first = text.find_first_not_of('/');
      out.prefixes.push_back(
          without_end_slashes("/" + (first == std::string::npos ? text : text.substr(first))));
      return true;
    }
  }
  if (part == PathPart::whole && op == Op::endswith) {
    out.suffixes.push_back(text);
    return true;
  }
  if (part == PathPart::filename && exact) {
    out.suffixes.push_back(with_slash(text, true));
    return true;
  }
  return false;
}

// fd.name startswith /etc, fd.directory = /etc, fd.filename in (a, b) ... on events that open by
// path.
Implied implied_paths(const Check& check, const event::EventInfo& info) {
  const PathPart part = path_part(check.left.field.info->name, check.left.field, info);
  if (part == PathPart::none || check.constants.empty()) return {};
  event::PathPatterns patterns;
  for (const filter::Constant& constant : check.constants)
    if (!add_pattern(part, check.op, constant.text, patterns)) return {};
  Implied out;
  out.paths = std::move(patterns);
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
  if (check.constants.empty()) return out;
  out.ports.emplace();
  for (const filter::Constant& constant : check.constants)
    out.ports->push_back(static_cast<uint16_t>(constant.unsigned_integer));
  return out;
}

// The events of one type whose calls are of one class.
struct Kind {
  const event::EventInfo& info;
  event::OpenMode mode;
  bool failed;

  // creat has no flags, and what else opens by flags is told apart.
  [[nodiscard]] bool mode_known() const { return is_open(info) && info.name != "creat"; }
  [[nodiscard]] bool reads() const { return mode != event::OpenMode::write; }
  [[nodiscard]] bool writes() const { return mode != event::OpenMode::read; }
};

Implied never_if(bool contradiction) {
  Implied out;
  out.never = contradiction;
  return out;
}

Implied implied_boolean(std::string_view field, bool value, const Kind& kind) {
  if (field == "evt.is_open_write" && kind.mode_known()) return never_if(kind.writes() != value);
  if (field == "evt.is_open_read" && kind.mode_known()) return never_if(kind.reads() != value);
  if (field == "evt.failed") return never_if(kind.failed != value);
  return {};
}

// evt.rawres >= 0, fd.num >= 0 (of an open: the new fd), evt.res = SUCCESS, evt.res startswith E.
Implied implied_result(const Check& check, const Kind& kind) {
  const std::string_view field = check.left.field.info->name;
  const bool number = field == "evt.rawres" || (field == "fd.num" && is_open(kind.info));
  if (check.constants.size() != 1) return {};
  const filter::Constant& constant = check.constants[0];
  if (number) {
    const int64_t n = constant.integer;
    const bool successful = (check.op == Op::ge && n >= 0) || (check.op == Op::gt && n >= -1) ||
                            (check.op == Op::eq && n >= 0);
    const bool failed = (check.op == Op::lt && n <= 0) || (check.op == Op::le && n < 0) ||
                        (check.op == Op::eq && n < 0);
    return never_if((successful && kind.failed) || (failed && !kind.failed));
  }
  if (field != "evt.res") return {};
  const bool successful = check.op == Op::eq && constant.text == "SUCCESS";
  const bool failed = check.op == Op::startswith && constant.text.starts_with('E');
  return never_if((successful && kind.failed) || (failed && !kind.failed));
}

class DemandMaker {
 public:
  DemandMaker(const PredicateTable& predicates, const ExprTable& exprs)
      : predicates_(predicates), exprs_(exprs) {}

  Implied implied(NodeId id, const Kind& kind) const {
    const ExprNode& node = exprs_[id];
    switch (node.kind) {
      case ExprNode::Kind::check:
        return implied_check(*predicates_[node.predicate].check, false, kind);
      case ExprNode::Kind::not_check:
        return implied_check(*predicates_[node.predicate].check, true, kind);
      case ExprNode::Kind::all: {
        Implied out;
        for (NodeId child : exprs_.children(node)) out = both(std::move(out), implied(child, kind));
        return out;
      }
      case ExprNode::Kind::any: {
        std::optional<Implied> out;
        for (NodeId child : exprs_.children(node))
          out = out ? either(std::move(*out), implied(child, kind)) : implied(child, kind);
        return out.value_or(Implied{});
      }
      case ExprNode::Kind::constant_false: return never_if(true);
      case ExprNode::Kind::constant_true: return {};
    }
    return {};
  }

 private:
  static Implied implied_check(const Check& check, bool negated, const Kind& kind) {
    if (check.left.kind != filter::Operand::Kind::field || check.right ||
        check.modifier != filter::Modifier::none)
      return {};
    if (check.left.type == filter::Type::boolean && check.op == Op::eq)
      return implied_boolean(check.left.field.info->name, check.constants[0].boolean != negated,
                             kind);
    if (negated || check.op == Op::exists) return {};
    return both(both(both(implied_paths(check, kind.info), implied_ports(check)),
                     implied_result(check, kind)),
                implied_socket(check, kind.info));
  }

  const PredicateTable& predicates_;
  const ExprTable& exprs_;
};

event::ClassTest to_class_test(const Implied& implied) {
  using Which = event::ClassTest::Which;
  if (implied.never) return {.which = Which::none, .paths = {}};
  if (!implied.paths ||
      implied.paths->substrings.size() + implied.paths->raw_substrings.size() > kMostSubstrings)
    return {};
  return {.which = Which::paths, .paths = *implied.paths};
}

// What all rules of a plan imply about an event.
event::ArgumentTest test_of(const Plan& plan, const event::EventInfo& info,
                            const DemandMaker& maker) {
  event::ArgumentTest test;
  Implied any_class{.never = true, .socket_fd = false, .paths = {}, .ports = {}};
  for (size_t i = 0; i < event::kCallClasses; ++i) {
    if (!is_open(info) && event::mode_of_class(i) != event::OpenMode::read) {
      test.by_class[i] = test.by_class[i - 2];
      continue;
    }
    const Kind kind{info, event::mode_of_class(i), event::class_failed(i)};
    Implied any_rule{.never = true, .socket_fd = false, .paths = {}, .ports = {}};
    for (const PlanRule& row : plan.rules) {
      any_rule = either(std::move(any_rule), maker.implied(row.event_part, kind));
      if (implies_nothing(any_rule)) break;
    }
    test.by_class[i] = to_class_test(any_rule);
    any_class = either(std::move(any_class), any_rule);
  }
  test.only_socket_fd = any_class.socket_fd;
  test.ports = any_class.ports.value_or(std::vector<uint16_t>{});
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

// What a rule reads, in its condition and its output, beyond the parameters themselves.
struct Reads {
  bool fd = false;                              // of the fd that the event uses
  bool fds = false;                             // all fds of a process
  bool data = false;                            // of reads and writes
  std::vector<const filter::FieldRef*> params;  // evt.arg and evt.rawarg
};

bool reads_all_params(std::string_view field) {
  return field == "evt.args" || field == "evt.info";
}

void note_field(const filter::FieldRef& field, Reads& reads) {
  const std::string_view name = field.info->name;
  reads.fd |= reads_fd(name) || reads_all_params(name);
  reads.fds |= lists_fds(name);
  reads.data |= name.starts_with("evt.buffer") || reads_all_params(name);
  if (name == "evt.arg" || name == "evt.rawarg") reads.params.push_back(&field);
}

void note_operand(const filter::Operand& operand, Reads& reads) {
  if (operand.kind == filter::Operand::Kind::field) note_field(operand.field, reads);
  for (const filter::Operand& arg : operand.args) note_operand(arg, reads);
}

void note_expr(const filter::Expr& expr, Reads& reads) {
  for (const filter::Expr& child : expr.children) note_expr(child, reads);
  if (expr.kind != filter::Expr::Kind::check) return;
  note_operand(expr.check->left, reads);
  if (expr.check->right) note_operand(*expr.check->right, reads);
}

Reads reads_of(const Rule& rule) {
  Reads reads;
  note_expr(rule.expr, reads);
  for (const filter::Operand* operand : rule.output.operands()) note_operand(*operand, reads);
  for (const auto& [name, output] : rule.extra_fields)
    for (const filter::Operand* operand : output.operands()) note_operand(*operand, reads);
  return reads;
}

// The parameter that an argument names or counts, or null.
const event::ParamInfo* param_of(const filter::FieldArg& arg, const event::EventInfo& info) {
  const auto index = arg.index
                         ? *arg.index
                         : static_cast<uint64_t>(static_cast<int64_t>(info.param_index(arg.text)));
  return index < info.params.size() ? &info.params[index] : nullptr;
}

// Which of an event's context the rule reads. An fd among the parameters is shown with its name.
void note_rule(const Reads& reads, const event::EventInfo& info, event::Demand& demand) {
  bool fd = reads.fd;
  bool data = reads.data;
  for (const filter::FieldRef* field : reads.params) {
    const event::ParamInfo* param = param_of(field->arg, info);
    if (param == nullptr) continue;
    fd |= param->type == event::ParamType::Fd || param->type == event::ParamType::Fd32;
    data |= param->type == event::ParamType::ByteBuf && param->name == "data";
  }
  if (fd && info.has(event::UsesFd)) demand.fd_info.set(info.code);
  demand.needs_all_fds |= reads.fds;
  demand.needs_data |= data;
}

}  // namespace

event::Demand make_demand(const RuleSet& set, const PlanSet& plans,
                          const PredicateTable& predicates, const ExprTable& exprs) {
  event::Demand demand;
  const DemandMaker maker(predicates, exprs);
  std::vector<std::optional<Reads>> reads(set.rules.size());
  for (const event::EventInfo& info : event::all_events()) {
    const Plan* plan = plans.of_code(info.code);
    if (plan == nullptr) continue;
    demand.events.set(info.code);
    for (const PlanRule& row : plan->rules) {
      std::optional<Reads>& rule_reads = reads[row.rule];
      if (!rule_reads) rule_reads = reads_of(set.rules[row.rule]);
      note_rule(*rule_reads, info, demand);
    }
    demand.tests[info.code] = test_of(*plan, info, maker);
    if (demand.tests[info.code].never()) demand.events.reset(info.code);
    if (info.code == event::GENERIC_X) add_generic_syscalls(set, *plan, demand);
  }
  return demand;
}

}  // namespace saker::rules
