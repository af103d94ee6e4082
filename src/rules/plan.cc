#include "rules/plan.h"

#include <algorithm>
#include <map>

namespace saker::rules {

namespace {

void set_bit(RuleBits& bits, size_t index) {
  bits[index / 64] |= uint64_t{1} << (index % 64);
}

// A set of predicates of which one must hold, with how much it is worth: smaller is better.
struct GuardSet {
  std::vector<PredicateId> predicates;
  uint32_t weight = 0;
};

uint32_t guard_weight(const filter::Check& check, bool indexed) {
  constexpr uint32_t kExactText = 1, kPartText = 3, kNumber = 4, kNotIndexed = 10, kLetter = 30,
                     kBoolean = 40;
  constexpr size_t kLetterSize = 2;  // fd.typechar = f and the like hold for half of all events
  if (!indexed) return kNotIndexed;
  if (check.left.type == filter::Type::boolean) return kBoolean;
  if (!filter::is_text(check.left.type)) return kNumber;
  if (check.op != filter::Op::eq && check.op != filter::Op::in) return kPartText;
  const bool letters = std::ranges::all_of(check.constants, [](const filter::Constant& constant) {
    return constant.text.size() <= kLetterSize;
  });
  return letters ? kLetter : kExactText;
}

class GuardFinder {
 public:
  GuardFinder(const PredicateTable& predicates, const ExprTable& exprs)
      : predicates_(predicates), exprs_(exprs) {}

  // The best guard of a condition, or nothing when it has none.
  std::optional<GuardSet> find(NodeId id) const {
    const ExprNode& node = exprs_[id];
    switch (node.kind) {
      case ExprNode::Kind::check: {
        const Predicate& predicate = predicates_[node.predicate];
        if (predicate.process_scope || predicate.check->op == filter::Op::exists ||
            predicate.check->op == filter::Op::ne)
          return std::nullopt;
        return GuardSet{{node.predicate}, guard_weight(*predicate.check, predicate.indexed)};
      }
      case ExprNode::Kind::all: return best_of(node);
      case ExprNode::Kind::any: return union_of(node);
      default: return std::nullopt;
    }
  }

 private:
  std::optional<GuardSet> best_of(const ExprNode& node) const {
    std::optional<GuardSet> best;
    for (NodeId child : exprs_.children(node)) {
      std::optional<GuardSet> guard = find(child);
      if (guard && (!best || guard->weight < best->weight)) best = std::move(guard);
    }
    return best;
  }

  std::optional<GuardSet> union_of(const ExprNode& node) const {
    constexpr size_t kMostPredicates = 256;
    GuardSet all;
    for (NodeId child : exprs_.children(node)) {
      std::optional<GuardSet> guard = find(child);
      if (!guard) return std::nullopt;
      all.weight += guard->weight;
      all.predicates.insert(all.predicates.end(), guard->predicates.begin(),
                            guard->predicates.end());
      if (all.predicates.size() > kMostPredicates) return std::nullopt;
    }
    return all;
  }

  const PredicateTable& predicates_;
  const ExprTable& exprs_;
};

// Whether the condition reads differently for events of different types.
bool depends_on_type(const filter::Expr& expr) {
  if (expr.kind == filter::Expr::Kind::check) {
    const filter::Operand& left = expr.check->left;
    return left.kind == filter::Operand::Kind::field &&
           (left.field.info->name.starts_with("evt.") || left.field.info->name == "syscall.type");
  }
  return std::ranges::any_of(expr.children, depends_on_type);
}

// Codes that reach the engine: today's schema.
bool reaches_engine(const event::EventInfo& info) {
  return !info.has(event::Unused) && !info.has(event::OldVersion);
}

PlanRule split(uint32_t rule, NodeId id, ExprTable& exprs) {
  PlanRule row{.rule = rule};
  const ExprNode node = exprs[id];
  if (node.process_scope) {
    row.process_part = id;
  } else if (node.kind != ExprNode::Kind::all) {
    row.event_part = id;
  } else {
    std::vector<NodeId> process;
    std::vector<NodeId> event;
    for (NodeId child : exprs.children(node))
      (exprs[child].process_scope ? process : event).push_back(child);
    row.process_part = exprs.make_all(std::move(process));
    row.event_part = exprs.make_all(std::move(event));
  }
  return row;
}

}  // namespace

const Guard* Plan::guard_of(PredicateId predicate) const {
  auto found = std::ranges::lower_bound(guards, predicate, {}, &Guard::predicate);
  return found != guards.end() && found->predicate == predicate ? &*found : nullptr;
}

PlanSet::PlanSet(const RuleSet& set, PredicateTable& predicates, ExprTable& exprs)
    : predicates_(predicates), exprs_(exprs), by_code_(event::kEventCodeCount, kNone) {
  std::vector<std::vector<PlanRule>> by_code(event::kEventCodeCount);
  std::vector<PlanRule> audit;
  for (uint32_t i = 0; i < set.rules.size(); ++i) {
    const Rule& rule = set.rules[i];
    if (!rule.enabled) continue;
    if (rule.source != "syscall") {
      if (NodeId id = exprs.add(rule.expr, std::nullopt); id != ExprTable::kFalse)
        audit.push_back(split(i, id, exprs));
      continue;
    }
    const bool typed = depends_on_type(rule.expr);
    std::optional<PlanRule> untyped;
    for (event::EventCode code : rule.event_codes) {
      if (!reaches_engine(event::info(code))) continue;
      if (typed || !untyped) {
        const NodeId id = exprs.add(rule.expr, code);
        untyped = id == ExprTable::kFalse ? PlanRule{.rule = i, .process_part = ExprTable::kFalse}
                                          : split(i, id, exprs);
      }
      if (untyped->process_part != ExprTable::kFalse) by_code[code].push_back(*untyped);
    }
  }
  std::map<std::vector<std::pair<uint32_t, std::pair<NodeId, NodeId>>>, uint32_t> known;
  for (size_t code = 0; code < by_code.size(); ++code) {
    if (by_code[code].empty()) continue;
    std::vector<std::pair<uint32_t, std::pair<NodeId, NodeId>>> key;
    for (const PlanRule& row : by_code[code])
      key.push_back({row.rule, {row.process_part, row.event_part}});
    auto [entry, is_new] = known.try_emplace(std::move(key), static_cast<uint32_t>(plans_.size()));
    if (is_new) add_plan(std::move(by_code[code]));
    by_code_[code] = entry->second;
  }
  if (!audit.empty()) audit_ = add_plan(std::move(audit));
}

uint32_t PlanSet::add_plan(std::vector<PlanRule> rules) {
  Plan plan;
  plan.index = static_cast<uint32_t>(plans_.size());
  plan.words = static_cast<uint32_t>((rules.size() + 63) / 64);
  plan.alive_offset = total_words_;
  total_words_ += plan.words;
  plan.rules = std::move(rules);
  add_guards(plan);
  plans_.push_back(std::move(plan));
  return plans_.back().index;
}

void PlanSet::add_guards(Plan& plan) {
  const GuardFinder finder(predicates_, exprs_);
  plan.unguarded.assign(plan.words, 0);
  std::map<PredicateId, RuleBits> guards;
  std::map<uint32_t, RuleBits> groups;
  for (size_t i = 0; i < plan.rules.size(); ++i) {
    std::optional<GuardSet> guard = finder.find(plan.rules[i].event_part);
    if (!guard) {
      set_bit(plan.unguarded, i);
      continue;
    }
    for (PredicateId predicate : guard->predicates) {
      RuleBits& bits = guards.try_emplace(predicate, plan.words, 0).first->second;
      set_bit(bits, i);
      if (predicates_[predicate].indexed)
        set_bit(groups.try_emplace(predicates_[predicate].group, plan.words, 0).first->second, i);
    }
  }
  for (auto& [predicate, bits] : guards)
    (predicates_[predicate].indexed ? plan.guards : plan.lone_guards)
        .push_back({predicate, std::move(bits)});
  for (auto& [group, bits] : groups) {
    plan.guard_groups.push_back(group);
    plan.group_rules.push_back(std::move(bits));
  }
}

}  // namespace saker::rules
