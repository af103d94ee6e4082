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
                     kDiffers = 35, kBoolean = 40;
  constexpr size_t kLetterSize = 2;  // fd.typechar = f and the like hold for half of all events
  if (check.op == filter::Op::ne) return kDiffers;
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
  // For the process parts of rules, or for the event parts.
  GuardFinder(const PredicateTable& predicates, const ExprTable& exprs, bool process)
      : predicates_(predicates), exprs_(exprs), process_(process) {}

  // The best guard of a condition, or nothing when it has none.
  std::optional<GuardSet> find(NodeId id) const {
    const ExprNode& node = exprs_[id];
    switch (node.kind) {
      case ExprNode::Kind::check: {
        const Predicate& predicate = predicates_[node.predicate];
        if (predicate.process_scope != process_ || predicate.check->op == filter::Op::exists)
          return std::nullopt;
        // True for nearly all values; once a process it costs little, as for containers.
        if (predicate.check->op == filter::Op::ne && !process_) return std::nullopt;
        // May wait for a name server: to be asked last.
        if (predicate.check->left.type == filter::Type::hostname) return std::nullopt;
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
  bool process_;
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

Guards::Guards(const PerRule& guards, const PredicateTable& predicates)
    : unguarded_((guards.size() + 63) / 64, 0) {
  std::map<PredicateId, std::vector<uint32_t>> rules_by_predicate;
  for (uint32_t rule = 0; rule < guards.size(); ++rule) {
    if (!guards[rule]) {
      set_bit(unguarded_, rule);
      continue;
    }
    for (PredicateId predicate : *guards[rule]) rules_by_predicate[predicate].push_back(rule);
  }
  std::map<uint32_t, RuleBits> groups;
  for (const auto& [predicate, rules] : rules_by_predicate) {
    const Predicate& row = predicates[predicate];
    (row.indexed ? grouped_ : lone_).push_back(make_guard(predicate, rules));
    if (!row.indexed) continue;
    RuleBits& bits = groups.try_emplace(row.group, unguarded_.size(), 0).first->second;
    for (uint32_t rule : rules) set_bit(bits, rule);
  }
  for (auto& [group, bits] : groups) groups_.push_back({group, std::move(bits)});
}

Guards::Guard Guards::make_guard(PredicateId predicate, std::span<const uint32_t> rules) {
  Guard guard{.predicate = predicate, .first_word = static_cast<uint32_t>(words_.size())};
  for (uint32_t rule : rules) {
    if (words_.size() == guard.first_word || words_.back().index != rule / 64)
      words_.push_back({.index = rule / 64});
    words_.back().bits |= uint64_t{1} << (rule % 64);
  }
  guard.word_count = static_cast<uint32_t>(words_.size()) - guard.first_word;
  return guard;
}

const Guards::Guard* Guards::find(PredicateId predicate) const {
  const auto found = std::ranges::lower_bound(grouped_, predicate, {}, &Guard::predicate);
  return found != grouped_.end() && found->predicate == predicate ? &*found : nullptr;
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
  plan.process_guards = make_guards(plan, true);
  plan.event_guards = make_guards(plan, false);
  plans_.push_back(std::move(plan));
  return plans_.back().index;
}

Guards PlanSet::make_guards(const Plan& plan, bool process) const {
  const GuardFinder finder(predicates_, exprs_, process);
  Guards::PerRule guards;
  guards.reserve(plan.rules.size());
  for (const PlanRule& row : plan.rules) {
    std::optional<GuardSet> guard = finder.find(process ? row.process_part : row.event_part);
    guards.emplace_back();
    if (guard) guards.back() = std::move(guard->predicates);
  }
  return {guards, predicates_};
}

uint32_t PlanSet::most_words() const {
  uint32_t most = 0;
  for (const Plan& plan : plans_) most = std::max(most, plan.words);
  return most;
}

}  // namespace saker::rules
