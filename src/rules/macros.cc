// Parsing, checking and expanding macros. See macros.h.
#include "rules/macros.h"

#include <algorithm>

#include "base/hash.h"

namespace saker::rules {

namespace {
enum State : uint8_t { kNew, kOpen, kExplored };
constexpr size_t kMaxSteps = 20'000'000;
}  // namespace

const Macro* MacroTable::find(std::string_view name) const {
  const MacroDef* def = collector_.macros().find(name);
  return def == nullptr ? nullptr
                        : &macros_[static_cast<size_t>(def - collector_.macros().all().data())];
}

const Macro* MacroTable::owner_of(uint64_t offset) const {
  for (const Macro& macro : macros_)
    if (macro.text.owns(offset)) return &macro;
  return nullptr;
}

Status MacroTable::update(ListTable& lists, ExpansionBudget& budget, uint64_t& next_offset) {
  const auto& defs = collector_.macros().all();
  macros_.resize(defs.size());
  for (size_t i = 0; i < defs.size(); ++i) {
    SAKER_CHECK(parse(i, lists, budget, next_offset));
    lists.mark_used(macros_[i].text.expanded.lists);
    macros_[i].used = false;
    macros_[i].depth = 0;
    macros_[i].deep_fingerprint = 0;
  }
  steps_left_ = kMaxSteps;
  state_.assign(macros_.size(), kNew);
  touched_.clear();
  for (size_t i = 0; i < macros_.size(); ++i) SAKER_CHECK(check(i));
  for (size_t i = 0; i < macros_.size(); ++i) deep_fingerprint(i);
  return {};
}

Status MacroTable::parse(size_t number, const ListTable& lists, ExpansionBudget& budget,
                         uint64_t& next_offset) {
  const MacroDef& def = collector_.macros().all()[number];
  Macro& macro = macros_[number];
  const Trail root{nullptr, "rules content", "", FilePlace{.file = def.place.file}};
  const Trail trail{&root, "macro", def.name, def.place};
  ExpandedText expanded;
  if (!lists.expand(def.condition.text, budget, expanded))
    return reporter_.fail(kErrValidate, "Lists expand to too much text", trail);
  const uint64_t fingerprint =
      mix64(hash_bytes(expanded.text) | 1, hash_int(def.order.visibility) | 1);
  if (macro.fingerprint == fingerprint && macro.name == def.name) return {};
  macro = Macro{};
  macro.name = def.name;
  macro.fingerprint = fingerprint;
  macro.text = {.source = def.condition,
                .expanded = std::move(expanded),
                .base = static_cast<uint32_t>(next_offset)};
  next_offset += macro.text.expanded.text.size() + 1;
  auto tree = filter::parse(macro.text.expanded.text);
  if (!tree.ok()) {
    const FilePlace place =
        macro.text.locate(macro.text.base + tree.error().position.offset, reporter_);
    const Trail at{&trail, "condition expression", "", place};
    macro.fingerprint = 0;
    return reporter_.fail(kErrCondition, tree.error().message, at, tree.error().hint);
  }
  macro.tree = std::move(*tree);
  shift_offsets(macro.tree, macro.text.base);
  collect_macro_uses(macro.tree, macro.uses);
  macro.nodes = count_nodes(macro.tree);
  return {};
}

// A macro sees those that were first defined before its own newest definition; what it finds in
// them it has to see as well, unless they are earlier and so have been checked already.
Status MacroTable::check(size_t number) {
  macros_[number].depth = SAKER_TRY(explore(number, number, 0));
  for (size_t touched : touched_) state_[touched] = kNew;
  touched_.clear();
  return {};
}

Result<uint32_t> MacroTable::explore(size_t number, size_t root, uint32_t depth) {
  Macro& macro = macros_[number];
  const MacroDef& root_def = collector_.macros().all()[root];
  const Trail content{nullptr, "rules content", "", FilePlace{.file = root_def.place.file}};
  const Trail trail{&content, "macro", root_def.name, root_def.place};
  state_[number] = kOpen;
  touched_.push_back(number);
  uint32_t deepest = 0;
  for (const MacroUse& use : macro.uses) {
    const Trail at{&trail, "macro condition", "", macro.text.locate(use.offset, reporter_)};
    const MacroDef* def = collector_.macros().find(use.name);
    if (def == nullptr || def->order.index >= root_def.order.visibility)
      return reporter_.fail(kErrValidate, "Undefined macro '" + use.name + "' used in filter.", at,
                            def != nullptr
                                ? "a macro can only use macros that are defined before it"
                                : suggest(use.name, collector_.macros().names()));
    const auto used = static_cast<size_t>(def - collector_.macros().all().data());
    if (state_[used] == kOpen)
      return reporter_.fail(kErrValidate, "reference loop in macro '" + use.name + "'", at);
    if (depth >= kMaxMacroDepth || steps_left_ == 0)
      return reporter_.fail(kErrValidate, "macros nest too deeply", at);
    --steps_left_;
    macros_[used].used = true;
    uint32_t below = macros_[used].depth;
    if (below == 0 || (used > root && state_[used] == kNew))
      below = SAKER_TRY(explore(used, root, depth + 1));
    deepest = std::max(deepest, below);
  }
  if (deepest >= kMaxMacroDepth)
    return reporter_.fail(kErrValidate, "macros nest too deeply", trail);
  state_[number] = kExplored;
  macro.depth = deepest + 1;
  return macro.depth;
}

uint64_t MacroTable::deep_fingerprint(size_t number) {
  Macro& macro = macros_[number];
  if (macro.deep_fingerprint != 0) return macro.deep_fingerprint;
  uint64_t hash = macro.fingerprint;
  for (const MacroUse& use : macro.uses) {
    const size_t used = number_of(*find(use.name));
    hash = mix64(hash ^ deep_fingerprint(used), 0x9e3779b97f4a7c15ULL);
  }
  macro.deep_fingerprint = hash | 1;
  return macro.deep_fingerprint;
}

void MacroTable::collect_deep(const Macro& macro, std::vector<const Macro*>& out) const {
  if (std::find(out.begin(), out.end(), &macro) != out.end()) return;
  out.push_back(&macro);
  for (const MacroUse& use : macro.uses) collect_deep(*find(use.name), out);
}

bool MacroTable::expand(filter::Node& node, size_t& nodes_left, uint32_t depth) const {
  if (depth > kMaxTreeDepth) return false;
  if (node.kind == filter::Node::Kind::macro) {
    const Macro& macro = *find(node.macro);
    if (macro.nodes > nodes_left) return false;
    nodes_left -= macro.nodes;
    filter::Node copy = macro.tree;
    if (!expand(copy, nodes_left, depth + 1)) return false;
    node = std::move(copy);
    return true;
  }
  for (filter::Node& child : node.children)
    if (!expand(child, nodes_left, depth + 1)) return false;
  return true;
}

}  // namespace saker::rules
