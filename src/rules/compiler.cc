// Compiling the collected rules. See compiler.h.
#include "rules/compiler.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/hash.h"
#include "base/strings.h"
#include "event/schema.h"
#include "rules/exceptions.h"

namespace saker::rules {

namespace {

constexpr size_t kMaxNodes = 2'000'000;      // of all conditions together, macros put in
constexpr size_t kMaxNodesOfRule = 200'000;  // of one
constexpr size_t kManyEventTypes = 100;
constexpr size_t kMostCompared = 20'000;
constexpr std::string_view kContainerInfo = "%container.info";
constexpr std::array<std::string_view, 6> kOldFields = {"evt.dir",           "evt.latency",
                                                        "evt.latency.s",     "evt.latency.ns",
                                                        "evt.latency.human", "evt.wait_latency"};

// Errors about names that a newer or older Saker may know, which rules may ask to overlook.
bool is_about_unknown_name(std::string_view message) {
  for (std::string_view phrase :
       {"nonexistent field", "invalid formatting token", "unknown event type", "unknown filter:"})
    if (message.contains(phrase)) return true;
  return false;
}

bool compares_with_na(const filter::Node& check) {
  using filter::Op;
  switch (check.op) {
    case Op::eq:
    case Op::ne:
    case Op::in:
    case Op::intersects:
    case Op::pmatch: break;
    default: return false;
  }
  if (std::find(check.values.begin(), check.values.end(), "<NA>") == check.values.end())
    return false;
  std::vector<std::string> fields;
  collect_fields(check.left, fields);
  return std::any_of(fields.begin(), fields.end(), [](const std::string& field) {
    return field.starts_with("ka.") || field.starts_with("jevt.");
  });
}

// The word that an error message ends with, after `phrase`.
std::string_view word_after(std::string_view message, std::string_view phrase) {
  const size_t at = message.find(phrase);
  if (at == std::string_view::npos) return {};
  std::string_view rest = trim(message.substr(at + phrase.size()));
  rest = rest.substr(0, rest.find_first_of(" \n"));
  while (!rest.empty() && (rest.front() == '\'' || rest.front() == '"' || rest.front() == '%'))
    rest.remove_prefix(1);
  while (!rest.empty() && (rest.back() == '\'' || rest.back() == '"')) rest.remove_suffix(1);
  return rest;
}

}  // namespace

// Constants of a condition that look like names of lists.
static std::vector<std::string> names_compared(const filter::Node& condition) {
  std::set<std::string_view> names;
  for_each_check(condition, [&](const filter::Node& check) {
    for (const std::string& value : check.values)
      if (names.size() < kMostCompared && value.contains('_')) names.insert(value);
  });
  return {names.begin(), names.end()};
}

// What only a person would ask for.
static void forget_sources(Rule& rule) {
  rule.condition = {};
  rule.condition_text = {};
  rule.macros = rule.lists = rule.fields = rule.exception_names = {};
}

// One rule on its way through the compiler.
struct Compiler::Job {
  const RuleDef& def;
  Trail root;
  Trail trail;
  Trail condition_trail;
  ConditionText text;
  uint64_t text_hash = 0;
  std::vector<const Macro*> macros = {};  // all that it uses, each once
  Rule rule = {};
  std::vector<Problem> warnings = {};
  bool dropped = false;

  explicit Job(const RuleDef& of)
      : def(of),
        root{nullptr, "rules content", "", FilePlace{.file = of.place.file}},
        trail{&root, "rule", of.name, of.place},
        condition_trail{&trail, "rule condition", "", of.condition_place} {
    rule.name = of.name;
    rule.description = of.description;
    rule.priority = of.priority;
    rule.source = of.source;
    rule.tags.assign(of.tags.begin(), of.tags.end());
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
};

// Where a node of a rule's condition stands: in the rule's own text, or in that of a macro.
struct Compiler::NodeTrail {
  Trail macro;
  Trail at;

  NodeTrail(const Compiler& compiler, const Job& job, uint64_t offset)
      : macro{&job.trail, "macro", "", {}},
        at{&job.trail, "condition expression", "", compiler.locate(job, offset)} {
    const Macro* owner = job.text.owns(offset) ? nullptr : compiler.macros_.owner_of(offset);
    if (owner == nullptr) return;
    macro.item_name = owner->name;
    macro.place = compiler.collector_.macros().find(owner->name)->place;
    at.parent = &macro;
  }
  NodeTrail(const NodeTrail&) = delete;
  NodeTrail& operator=(const NodeTrail&) = delete;
};

Compiler::Compiler(const Collector& collector, const LoadOptions& options, Reporter& reporter)
    : collector_(collector), options_(options), reporter_(reporter), macros_(collector, reporter) {
  for (const filter::FieldClass& group : options.catalog->classes())
    for (const filter::FieldInfo& info : group.fields) fields_.emplace(info.name, &info);
}

Compiler::~Compiler() = default;

Status Compiler::compile() {
  budget_ = {};
  nodes_left_ = kMaxNodes;
  const Trail root{nullptr, "rules content", "", FilePlace{}};
  if (!lists_.build(collector_.lists(), budget_))
    return reporter_.fail(kErrValidate, "Lists expand to too much text", root);
  SAKER_CHECK(macros_.update(lists_, budget_, next_offset_));
  compiled_.resize(collector_.rules().all().size());
  for (size_t i = 0; i < compiled_.size(); ++i) {
    const RuleDef& def = collector_.rules().all()[i];
    if (def.unknown_source || def.priority > options_.minimum_priority) {
      compiled_[i] = {};
      continue;
    }
    SAKER_CHECK(compile_rule(i));
  }
  warn_unused();
  return {};
}

Status Compiler::compile_rule(size_t number) {
  Job job(collector_.rules().all()[number]);
  Compiled& compiled = compiled_[number];
  SAKER_CHECK(prepare(job));
  if (SAKER_TRY(reuse(job, compiled))) return {};
  SAKER_CHECK(parse(job));
  SAKER_CHECK(expand_macros(job));
  check_condition(job);
  SAKER_CHECK(compile_output(job));
  if (!job.dropped) SAKER_CHECK(compile_condition(job));
  if (!job.dropped) SAKER_CHECK(compile_burst(job));
  if (!job.dropped) infer_events(job);
  compiled = {};
  compiled.fingerprint = job.text_hash;
  for (const Macro* macro : job.macros) {
    compiled.fingerprint = mix64(compiled.fingerprint ^ macro->deep_fingerprint, 0x9e3779b9);
    compiled.macro_names.push_back(macro->name);
  }
  for (const Problem& warning : job.warnings) reporter_.add_warning(warning);
  compiled.warnings = std::move(job.warnings);
  if (!job.dropped) compiled.compared = names_compared(job.rule.condition);
  if (!options_.keep_sources) forget_sources(job.rule);
  if (!job.dropped) compiled.rule = std::move(job.rule);
  return {};
}

Status Compiler::prepare(Job& job) {
  job.text.source = SAKER_TRY(condition_with_exceptions(job.def, job.trail, reporter_));
  if (job.text.source.text.size() > ExpansionBudget::kWhole ||
      !lists_.expand(job.text.source.text, budget_, job.text.expanded))
    return reporter_.fail(kErrValidate, "Lists expand to too much text", job.condition_trail);
  if (next_offset_ + job.text.expanded.text.size() + 1 > std::numeric_limits<uint32_t>::max())
    return reporter_.fail(kErrValidate, "too much condition text", job.condition_trail);
  job.text.base = static_cast<uint32_t>(next_offset_);
  job.text_hash =
      mix64(hash_bytes(job.text.expanded.text) | 1, hash_int(job.def.order.visibility) | 1);
  lists_.mark_used(job.text.expanded.lists);
  return {};
}

// True when what was compiled after an earlier file still holds.
Result<bool> Compiler::reuse(Job& job, Compiled& compiled) {
  if (compiled.fingerprint == 0) return false;
  uint64_t fingerprint = job.text_hash;
  for (const std::string& name : compiled.macro_names)
    fingerprint = mix64(fingerprint ^ macros_.find(name)->deep_fingerprint, 0x9e3779b9);
  if (fingerprint != compiled.fingerprint) return false;
  for (const std::string& name : compiled.macro_names) macros_.mark_used(*macros_.find(name));
  for (const Problem& warning : compiled.warnings) reporter_.add_warning(warning);
  if (compiled.rule) compiled.rule->enabled = job.def.enabled;
  return true;
}

FilePlace Compiler::locate(const Job& job, uint64_t offset) const {
  if (job.text.owns(offset)) return job.text.locate(offset, reporter_);
  if (const Macro* macro = macros_.owner_of(offset)) return macro->text.locate(offset, reporter_);
  return job.def.condition_place;
}

Status Compiler::parse(Job& job) {
  next_offset_ += job.text.expanded.text.size() + 1;
  auto tree = filter::parse(job.text.expanded.text);
  if (!tree.ok()) {
    const Error& error = tree.error();
    const FilePlace place = locate(job, job.text.base + error.position.offset);
    return reporter_.fail(kErrCondition, error.message,
                          Trail{&job.trail, "condition expression", "", place}, error.hint);
  }
  job.rule.condition = std::move(*tree);
  shift_offsets(job.rule.condition, job.text.base);
  return {};
}

Status Compiler::expand_macros(Job& job) {
  std::vector<MacroUse> uses;
  collect_macro_uses(job.rule.condition, uses);
  for (const MacroUse& use : uses) {
    const Macro* macro = macros_.find(use.name);
    if (macro == nullptr) {
      std::string hint = suggest(use.name, collector_.macros().names());
      if (collector_.lists().find(use.name) != nullptr)
        hint = "'" + use.name + "' is a list: compare a field with it, as in proc.name in (" +
               use.name + ")";
      else if (hint.empty())
        hint = suggest(use.name, collector_.lists().names());
      return reporter_.fail(
          kErrValidate, "Undefined macro '" + use.name + "' used in filter.",
          Trail{&job.condition_trail, "condition expression", "", locate(job, use.offset)}, hint);
    }
    macros_.collect_deep(*macro, job.macros);
  }
  for (const Macro* macro : job.macros) macros_.mark_used(*macro);
  size_t nodes_left = std::min(nodes_left_, kMaxNodesOfRule);
  const size_t before = nodes_left;
  if (!macros_.expand(job.rule.condition, nodes_left))
    return reporter_.fail(kErrCondition, "condition is too large after macros are put in",
                          job.condition_trail);
  nodes_left_ -= before - nodes_left;
  return {};
}

const filter::FieldInfo* Compiler::field(std::string_view name) const {
  auto found = fields_.find(name);
  return found == fields_.end() ? nullptr : found->second;
}

static bool is_old(std::string_view field) {
  return std::find(kOldFields.begin(), kOldFields.end(), field) != kOldFields.end();
}

bool Compiler::is_deprecated(std::string_view name) const {
  const filter::FieldInfo* info = field(name);
  return is_old(name) || (info != nullptr && info->has(filter::kDeprecated));
}

void Compiler::warn_deprecated(Job& job, std::string_view name, const Trail& trail) {
  std::string message = "field '" + std::string(name) + "' is deprecated: ";
  if (name == "evt.dir") {
    message += "only the ends of calls are seen, so that evt.dir = < is always true";
  } else if (is_old(name)) {
    message += "without the beginnings of calls there is no latency, it is always 0";
  } else {
    message += "it never has a value";
  }
  job.warnings.push_back(reporter_.make(kWarnDeprecated, std::move(message), trail, {}));
}

// Warnings that need the tree alone, and the fields that it reads.
void Compiler::check_condition(Job& job) {
  bool na_warned = false;
  std::set<std::string> seen;
  for_each_check(job.rule.condition, [&](const filter::Node& check) {
    std::vector<std::string> fields;
    collect_fields(check.left, fields);
    if (check.right) collect_fields(*check.right, fields);
    for (std::string& name : fields) {
      if (seen.contains(name)) continue;
      if (is_deprecated(name))
        warn_deprecated(job, name, NodeTrail(*this, job, check.place.offset).at);
      seen.insert(std::move(name));
    }
    if (na_warned || !compares_with_na(check)) return;
    na_warned = true;
    job.warnings.push_back(reporter_.make(
        "LOAD_UNSAFE_NA_CHECK",
        "comparing a field value with <NA> is unsafe and can lead to unpredictable behavior of "
        "the rule condition. If you need to check for the existence of a field, consider using "
        "the 'exists' operator instead.",
        NodeTrail(*this, job, check.place.offset).at, {}));
  });
  job.rule.fields.assign(seen.begin(), seen.end());
}

// Whether an addition of the configuration is for this rule.
static bool applies(const OutputAddition& addition, const Rule& rule) {
  return (addition.source.empty() || addition.source == rule.source) &&
         (addition.rule.empty() || addition.rule == rule.name) &&
         std::ranges::all_of(addition.tags, [&](const std::string& tag) {
           return std::ranges::find(rule.tags, tag) != rule.tags.end();
         });
}

Status Compiler::compile_extra_fields(Job& job, const OutputAddition& addition) {
  for (const auto& [name, text] : addition.extra_fields) {
    auto compiled =
        filter::OutputTemplate::compile("*" + text, *options_.catalog, job.def.source, &cache_);
    if (!compiled.ok())
      return reporter_.fail(kErrOutput, compiled.error().message,
                            Trail{&job.trail, "rule output", name, job.def.output_place}, {});
    job.rule.extra_fields.emplace_back(name, std::move(*compiled));
  }
  return {};
}

Status Compiler::append_suggested(Job& job, const Trail& trail) {
  const SuggestedOutput& suggested = options_.suggested;
  if (suggested.labels.empty() || job.def.source != suggested.source) return {};
  std::set<std::string_view> named;
  for (const filter::Operand* operand : job.rule.output.operands())
    named.insert(field_name(operand->text));
  filter::OutputTail tail{.field = suggested.field, .absent_when = suggested.absent_when};
  for (const auto& [label, field] : suggested.labels)
    if (!named.contains(field)) tail.text += " " + label + "=%" + field;
  if (tail.text.empty()) return {};
  Status status = job.rule.output.append(tail, *options_.catalog, job.def.source, &cache_);
  return status.ok() ? Status{} : reporter_.fail(kErrOutput, status.error().message, trail, {});
}

// Text that is added to all rules leaves out those whose events don't have its fields.
bool Compiler::is_for_other_source(const std::string& text, std::string_view source) {
  const auto compiles = [&](std::string_view each) {
    return filter::OutputTemplate::compile("*" + text, *options_.catalog, each, &cache_).ok();
  };
  return !compiles(source) && std::ranges::any_of(options_.known_sources, compiles);
}

Status Compiler::compile_output(Job& job) {
  std::string text = job.def.output.text;
  for (const OutputAddition& addition : options_.additions) {
    if (!applies(addition, job.rule)) continue;
    if (!addition.extra_output.empty()) text += " " + addition.extra_output;
    SAKER_CHECK(compile_extra_fields(job, addition));
  }
  if (const std::string& extra = options_.extra_output;
      !extra.empty() && !is_for_other_source(extra, job.def.source))
    text += " " + extra;
  const Trail trail{&job.trail, "rule output", "", job.def.output_place};
  if (text.contains(kContainerInfo)) {
    job.warnings.push_back(reporter_.make(
        kWarnDeprecated,
        "%container.info is deprecated and is left out; name the container fields that you want",
        trail, {}));
    for (size_t at; (at = text.find(kContainerInfo)) != std::string::npos;)
      text.erase(at, kContainerInfo.size());
  }
  job.rule.output_text = text;
  auto compiled =
      filter::OutputTemplate::compile("*" + text, *options_.catalog, job.def.source, &cache_);
  if (!compiled.ok()) {
    const std::string& message = compiled.error().message;
    if (job.def.skip_if_unknown_filter && is_about_unknown_name(message)) {
      job.warnings.push_back(reporter_.make("LOAD_UNKNOWN_FILTER", message, job.trail, {}));
      job.dropped = true;
      return {};
    }
    const std::string& hint = compiled.error().hint;
    return reporter_.fail(kErrOutput, message, trail, hint.empty() ? hint_for(message) : hint);
  }
  job.rule.output = std::move(*compiled);
  SAKER_CHECK(append_suggested(job, trail));
  std::set<std::string_view> seen;
  for (const filter::Operand* operand : job.rule.output.operands())
    if (const std::string_view name = field_name(operand->text);
        is_deprecated(name) && seen.insert(name).second)
      warn_deprecated(job, name, trail);
  return {};
}

Status Compiler::compile_condition(Job& job) {
  auto compiled = filter::compile(job.rule.condition, *options_.catalog,
                                  {.source = job.def.source, .cache = &cache_});
  if (!compiled.ok()) {
    const Error& error = compiled.error();
    if (job.def.skip_if_unknown_filter && is_about_unknown_name(error.message)) {
      job.warnings.push_back(reporter_.make("LOAD_UNKNOWN_FILTER", error.message, job.trail, {}));
      job.dropped = true;
      return {};
    }
    const std::string hint = error.hint.empty() ? hint_for(error.message) : error.hint;
    return reporter_.fail(kErrCondition, error.message,
                          NodeTrail(*this, job, error.position.offset).at, hint);
  }
  for (const filter::CompileWarning& warning : compiled->warnings)
    job.warnings.push_back(reporter_.make("LOAD_COMPILE_CONDITION", warning.message,
                                          NodeTrail(*this, job, warning.place.offset).at, {}));
  job.rule.expr = std::move(compiled->root);
  return {};
}

Status Compiler::compile_burst(Job& job) {
  if (!job.def.burst) return {};
  Burst burst{.count = job.def.burst->count,
              .seconds = job.def.burst->seconds,
              .by = {},
              .distinct = std::nullopt};
  auto compile = [&](const Scalar& text) -> Result<filter::Operand> {
    auto parsed = filter::parse_operand(text.text);
    if (parsed.ok() && parsed->length == text.text.size()) {
      auto operand = filter::compile_operand(parsed->operand, *options_.catalog, job.def.source);
      if (operand.ok()) return operand;
    }
    return reporter_.fail(kErrValidate, "'" + text.text + "' is not a supported filter field",
                          Trail{&job.trail, "value for", "burst", text.place},
                          hint_for("nonexistent field " + text.text));
  };
  for (const Scalar& text : job.def.burst->by) burst.by.push_back(SAKER_TRY(compile(text)));
  if (job.def.burst->distinct) burst.distinct = SAKER_TRY(compile(*job.def.burst->distinct));
  job.rule.burst = std::move(burst);
  return {};
}

// The event types of the condition, and the rest of the rule.
void Compiler::infer_events(Job& job) {
  Rule& rule = job.rule;
  const RuleDef& def = job.def;
  if (def.source != "syscall") {
    rule.event_codes = {event::PLUGINEVENT_E};
  } else if (const auto codes = event_codes_of(rule.condition)) {
    rule.event_codes.assign(codes->begin(), codes->end());
    rule.names_event_types = true;
  } else {
    for (uint16_t code = 0; code < event::kEventCodeCount; ++code)
      rule.event_codes.push_back(static_cast<event::EventCode>(code));
  }
  if (def.source == "syscall" && def.warn_evttypes && rule.event_codes.size() > kManyEventTypes)
    job.warnings.push_back(reporter_.make(
        "LOAD_NO_EVTTYPE",
        "Rule matches too many evt.type values. This has a significant performance penalty.",
        job.trail,
        "name the event types that the rule is about, as in evt.type in (open, openat)"));
  rule.condition_text = job.text.source.text;
  rule.enabled = def.enabled;
  rule.capture = def.capture;
  rule.capture_duration_ms = def.capture_duration_ms;
  std::set<uint32_t> lists(job.text.expanded.lists.begin(), job.text.expanded.lists.end());
  for (const Macro* macro : job.macros) {
    rule.macros.push_back(macro->name);
    lists.insert(macro->text.expanded.lists.begin(), macro->text.expanded.lists.end());
  }
  for (uint32_t list : lists) rule.lists.push_back(lists_.name(list));
  if (def.exceptions)
    for (const ExceptionDef& exception : *def.exceptions)
      rule.exception_names.push_back(exception.name);
  rule.location = {.item_type = "rule",
                   .item_name = def.name,
                   .file = std::string(reporter_.name_of(def.place.file)),
                   .line = def.place.mark.line,
                   .column = def.place.mark.column,
                   .offset = def.place.mark.offset};
}

std::string Compiler::hint_for(std::string_view message) const {
  for (std::string_view phrase : {"nonexistent field", "unknown filter:"}) {
    const std::string_view word = field_name(word_after(message, phrase));
    if (word.empty()) continue;
    std::vector<std::string> names;
    for (const auto& [name, info] : fields_) names.emplace_back(name);
    std::sort(names.begin(), names.end());
    return suggest(word, names);
  }
  return {};
}

std::vector<std::string> Compiler::compared_values() const {
  std::set<std::string> values;
  for (const Compiled& compiled : compiled_)
    for (const std::string& value : compiled.compared)
      if (values.size() < kMostCompared) values.insert(value);
  return {values.begin(), values.end()};
}

std::string Compiler::hint_for_unused_list(std::string_view name,
                                           const std::vector<std::string>& values) const {
  const auto found = nearest(name, values);
  return found ? "a rule compares with '" + *found + "', which is no list: is this one meant?"
               : std::string();
}

void Compiler::warn_unused() {
  for (size_t i = 0; i < macros_.size(); ++i) {
    if (macros_.at(i).used) continue;
    const MacroDef& def = collector_.macros().all()[i];
    const Trail root{nullptr, "rules content", "", FilePlace{.file = def.place.file}};
    reporter_.warn("LOAD_UNUSED_MACRO", "Macro not referred to by any other rule/macro",
                   Trail{&root, "macro", def.name, def.place});
  }
  constexpr size_t kMostHints = 16;
  size_t hints = 0;
  std::vector<std::string> values;
  for (size_t i = 0; i < collector_.lists().all().size(); ++i) {
    if (lists_.is_used(i)) continue;
    const ListDef& def = collector_.lists().all()[i];
    const Trail root{nullptr, "rules content", "", FilePlace{.file = def.place.file}};
    if (hints == 0) values = compared_values();
    reporter_.warn("LOAD_UNUSED_LIST", "List not referred to by any other rule/macro",
                   Trail{&root, "list", def.name, def.place},
                   hints++ < kMostHints ? hint_for_unused_list(def.name, values) : "");
  }
}

std::vector<Rule> Compiler::take_rules() {
  cache_ = {};  // room for what follows
  std::vector<Rule> rules;
  rules.reserve(compiled_.size());
  for (Compiled& compiled : compiled_)
    if (compiled.rule) rules.push_back(std::move(*compiled.rule));
  return rules;
}

}  // namespace saker::rules
