// saker rules explain: a rule after expansion as a tree, which events it runs on, what the kernel
// is asked for because of it, and what judging an event costs.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/strings.h"
#include "cmd/command.h"
#include "cmd/listing.h"
#include "cmd/rules.h"
#include "rules/engine.h"

namespace saker::cmd {

namespace {

using filter::Node;

// How expensive a kind of check is next to the comparison of two numbers.
enum class CheckKind : uint8_t { type, number, equality, prefix, search, path, pattern };
struct KindInfo {
  std::string_view name;
  uint32_t weight;
};
constexpr std::array<KindInfo, 7> kKinds = {{{"event type (decided when loading)", 0},
                                             {"numbers, flags, addresses", 1},
                                             {"text equality and sets", 2},
                                             {"prefixes and suffixes", 3},
                                             {"searches in text", 6},
                                             {"path prefixes (pmatch)", 4},
                                             {"patterns (glob, regex)", 12}}};

CheckKind kind_of(const filter::Check& check) {
  using filter::Op;
  if (check.left.kind == filter::Operand::Kind::field &&
      (check.left.text == "evt.type" || check.left.text == "syscall.type"))
    return CheckKind::type;
  switch (check.op) {
    case Op::exists: return CheckKind::number;
    case Op::startswith:
    case Op::endswith:
    case Op::bstartswith: return CheckKind::prefix;
    case Op::contains:
    case Op::icontains:
    case Op::bcontains: return CheckKind::search;
    case Op::glob:
    case Op::iglob:
    case Op::regex: return CheckKind::pattern;
    case Op::pmatch: return CheckKind::path;
    default: return filter::is_text(check.left.type) ? CheckKind::equality : CheckKind::number;
  }
}

struct Cost {
  struct Part {
    size_t per_event = 0;
    size_t per_process = 0;  // judged once, until the process changes
  };
  std::array<Part, kKinds.size()> parts;

  [[nodiscard]] uint64_t weight() const {
    uint64_t sum = 0;
    for (size_t i = 0; i < parts.size(); ++i) sum += parts[i].per_event * kKinds[i].weight;
    return sum;
  }
};

void collect_checks(const filter::Expr& expr, std::map<std::string, const filter::Check*>& out) {
  if (expr.check) out.emplace(expr.check->text, expr.check.get());
  for (const filter::Expr& child : expr.children) collect_checks(child, out);
}

Cost cost_of(const rules::Rule& rule) {
  std::map<std::string, const filter::Check*> checks;
  collect_checks(rule.expr, checks);
  Cost cost;
  for (const auto& [text, check] : checks) {
    Cost::Part& part = cost.parts[static_cast<size_t>(kind_of(*check))];
    ++(check->left.scope == filter::Scope::process ? part.per_process : part.per_event);
  }
  return cost;
}

// The names of the event types, each once; old versions and the like share theirs.
std::vector<std::string> event_names(const std::vector<event::EventCode>& codes) {
  std::set<std::string> names;
  for (event::EventCode code : codes) {
    const event::EventInfo& info = event::info(code);
    if ((info.kind & event::KindMeta) == 0 && info.name != "NA") names.emplace(info.name);
  }
  return {names.begin(), names.end()};
}

std::string join_texts(const std::vector<std::string>& texts) {
  return texts.empty() ? "none" : join(texts, ", ");
}

// What of the events of one type is not even sent.
std::vector<std::string> test_texts(const event::ArgumentTest& test) {
  std::vector<std::string> out = event::describe(test);
  for (std::string& text : out) text.insert(0, "only ");
  if (test.only_socket_fd) out.emplace_back("only sockets");
  if (!test.ports.empty()) {
    std::vector<std::string> ports;
    for (uint16_t port : test.ports) ports.push_back(std::to_string(port));
    out.push_back("only ports " + join(ports, ", "));
  }
  return out;
}

// By event name: what the kernel is asked for because of this rule alone.
std::map<std::string, std::vector<std::string>> kernel_demand(const rules::Rule& rule) {
  rules::RuleSet set;
  set.rules.push_back(rule);
  set.rules.back().enabled = true;
  const rules::Engine engine(std::move(set), rules::Matching::all);
  const event::Demand& demand = engine.demand();
  std::map<std::string, std::vector<std::string>> out;
  for (uint16_t code = 0; code < event::kEventCodeCount; ++code) {
    const event::EventInfo& info = event::info(code);
    if (!demand.events.test(code) || info.has(event::OldVersion) || info.name == "NA" ||
        (info.kind & (event::KindSyscall | event::KindTracepoint)) == 0)
      continue;
    if (info.name == "syscall") {
      for (uint32_t portable = 0; portable < demand.generic_syscalls.size(); ++portable)
        if (demand.generic_syscalls.test(portable))
          out.emplace(event::syscall_name_of_portable_code(portable), std::vector<std::string>{});
      continue;
    }
    out.emplace(info.name, test_texts(demand.tests[code]));
  }
  return out;
}

// Children of nested nodes of the same kind count as their own: (a and b) and c is all of a, b, c.
void flatten(const Node& node, Node::Kind kind, std::vector<const Node*>& out) {
  for (const Node& child : node.children) {
    if (child.kind == kind)
      flatten(child, kind, out);
    else
      out.push_back(&child);
  }
}

std::string leaf_text(const Node& node) {
  constexpr size_t kMostValues = 12;
  if (node.values.size() <= kMostValues) return filter::to_text(node);
  Node shorter = node;
  shorter.values.resize(kMostValues);
  std::string text = filter::to_text(shorter);
  const std::string rest = ", … " + std::to_string(node.values.size()) + " values in all";
  return text.ends_with(')') ? text.substr(0, text.size() - 1) + rest + ")" : text + rest;
}

void append_tree(const Node& node, size_t indent, std::string& out) {
  const std::string margin(indent, ' ');
  if (node.kind == Node::Kind::check || node.kind == Node::Kind::macro) {
    out += margin + leaf_text(node) + "\n";
    return;
  }
  if (node.kind == Node::Kind::negation && node.children.size() == 1 &&
      node.children[0].kind == Node::Kind::check) {
    out += margin + "not " + leaf_text(node.children[0]) + "\n";
    return;
  }
  std::vector<const Node*> children;
  flatten(node, node.kind, children);
  if (node.kind == Node::Kind::negation) {
    children.clear();
    for (const Node& child : node.children) children.push_back(&child);
  }
  out += margin;
  out += node.kind == Node::Kind::all ? "all of" : node.kind == Node::Kind::any ? "any of" : "not";
  out += '\n';
  for (const Node* child : children) append_tree(*child, indent + 2, out);
}

void append_cost(const rules::Rule& rule, std::string& out) {
  const Cost cost = cost_of(rule);
  Table table({"  CHECKS", "PER EVENT", "PER PROCESS", "WEIGHT"});
  for (size_t i = 0; i < kKinds.size(); ++i) {
    const Cost::Part& part = cost.parts[i];
    if (part.per_event + part.per_process == 0) continue;
    table.add({"  " + std::string(kKinds[i].name), std::to_string(part.per_event),
               std::to_string(part.per_process), std::to_string(kKinds[i].weight)});
  }
  out += "\nCost: at most " + std::to_string(cost.weight()) +
         " (1 is a comparison of numbers), before sharing with other rules\n" + table.to_text();
}

void append_kernel(const rules::Rule& rule, std::string& out) {
  if (rule.source != "syscall") return;
  if (!rule.names_event_types) {
    out += "\nIn the kernel: nothing can be left out, since the rule names no event types\n";
    return;
  }
  out += "\nIn the kernel: these calls are watched because of this rule\n";
  Table table({"  CALL", "NARROWED TO"});
  for (const auto& [name, tests] : kernel_demand(rule))
    table.add({"  " + name, tests.empty() ? "everything" : join(tests, "; ")});
  out += table.to_text();
}

}  // namespace

std::string explain_text(const rules::Rule& rule) {
  std::string out = rule.name + "\n";
  out += "  " + std::string(trim(rule.description)) + "\n\n";
  out += "Priority: " + std::string(finding::to_string(rule.priority)) + "\n";
  out += "Source:   " + rule.source + "\n";
  out += std::string("Enabled:  ") + (rule.enabled ? "yes" : "no") + "\n";
  out += "Tags:     " + join_texts(rule.tags) + "\n";
  out += "Defined:  " + rule.location.file + ":" + std::to_string(rule.location.line + 1) + "\n";
  out += "Output:   " + rule.output_text + "\n\nCondition:\n";
  append_tree(rule.condition, 2, out);
  out += "\nEvents:   ";
  out += rule.source != "syscall" ? "all of source " + rule.source
         : rule.names_event_types ? join_texts(event_names(rule.event_codes))
                                  : "all";
  out += "\nMacros:   " + join_texts(rule.macros) + "\n";
  out += "Lists:    " + join_texts(rule.lists) + "\n";
  out += "Fields:   " + join_texts(rule.fields) + "\n";
  if (!rule.exception_names.empty())
    out += "Exceptions: " + join_texts(rule.exception_names) + "\n";
  append_kernel(rule, out);
  append_cost(rule, out);
  return out;
}

std::string explain_json(const rules::Rule& rule) {
  JsonWriter json;
  json.begin_object();
  json.key("condition").text(filter::to_text(rule.condition));
  const Cost cost = cost_of(rule);
  json.key("cost").begin_object().key("checks").begin_array();
  for (size_t i = 0; i < kKinds.size(); ++i) {
    const Cost::Part& part = cost.parts[i];
    if (part.per_event + part.per_process == 0) continue;
    json.begin_object().key("kind").text(kKinds[i].name);
    json.key("per_event").number(part.per_event).key("per_process").number(part.per_process);
    json.key("weight").number(kKinds[i].weight).end_object();
  }
  json.end_array().key("weight").number(cost.weight()).end_object();
  json.key("description").text(trim(rule.description));
  json.key("enabled").boolean(rule.enabled);
  json.key("events").texts(rule.names_event_types ? event_names(rule.event_codes)
                                                  : std::vector<std::string>{});
  json.key("exceptions").texts(rule.exception_names);
  json.key("fields").texts(rule.fields);
  json.key("file").text(rule.location.file);
  if (rule.source == "syscall" && rule.names_event_types) {
    json.key("kernel").begin_object();
    for (const auto& [name, tests] : kernel_demand(rule)) json.key(name).texts(tests);
    json.end_object();
  }
  json.key("line").number(rule.location.line + 1);
  json.key("lists").texts(rule.lists);
  json.key("macros").texts(rule.macros);
  json.key("name").text(rule.name);
  json.key("names_event_types").boolean(rule.names_event_types);
  json.key("output").text(rule.output_text);
  json.key("priority").text(finding::to_string(rule.priority));
  json.key("source").text(rule.source);
  json.key("tags").texts(rule.tags);
  return json.end_object().result();
}

Result<int> rules_explain(std::span<const std::string> paths, std::string_view name, bool json) {
  const rules::RuleSet set = SAKER_TRY(load_rules(paths));
  const std::string wanted = to_lower(name);
  std::vector<std::string> names;
  for (const rules::Rule& rule : set.rules) {
    if (to_lower(rule.name) == wanted) {
      print(json ? explain_json(rule) + "\n" : explain_text(rule));
      return kExitOk;
    }
    names.push_back(rule.name);
  }
  const auto near = nearest(name, names);
  return Error{.code = Code::not_found,
               .message = "no rule is called '" + std::string(name) + "'",
               .position = {},
               .hint = near ? "did you mean '" + *near + "'?" : "saker rules list names them all"};
}

}  // namespace saker::cmd
