// Redefinition, append and override. See collector.h.
#include "rules/collector.h"

#include <algorithm>
#include <utility>

#include "rules/exceptions.h"

namespace saker::rules {

void SourceText::add(const Scalar& scalar) {
  pieces.push_back({.begin = static_cast<uint32_t>(text.size()),
                    .whole_size = static_cast<uint32_t>(scalar.text.size()),
                    .fixed = false,
                    .place = scalar.place});
  text += scalar.text;
}

void SourceText::add_fixed(std::string_view made, const FilePlace& place) {
  pieces.push_back({.begin = static_cast<uint32_t>(text.size()),
                    .whole_size = 0,
                    .fixed = true,
                    .place = place});
  text += made;
}

void SourceText::add(const SourceText& other) {
  for (Piece piece : other.pieces) {
    piece.begin += static_cast<uint32_t>(text.size());
    pieces.push_back(piece);
  }
  text += other.text;
}

FilePlace SourceText::locate(size_t offset, const Reporter& files) const {
  auto after = std::upper_bound(pieces.begin(), pieces.end(), offset,
                                [](size_t at, const Piece& piece) { return at < piece.begin; });
  if (after == pieces.begin()) return {};
  const Piece& piece = *std::prev(after);
  if (piece.fixed) return piece.place;
  return place_in_scalar(files.text_of(piece.place.file), piece.place,
                         std::string_view(text).substr(piece.begin, piece.whole_size),
                         offset - piece.begin);
}

// Puts a definition in its place: a new one at the end, another by the same name over the old one.
template <typename T>
static void put(NamedVector<T>& all, T item, size_t& next) {
  item.order = {.index = next, .visibility = next};
  ++next;
  if (T* previous = all.find(item.name)) {
    item.order.index = previous->order.index;
    *previous = std::move(item);
  } else {
    all.add(std::move(item));
  }
}

void Collector::define(ListDef list) {
  put(lists_, std::move(list), next_);
}

void Collector::define(MacroDef macro) {
  put(macros_, std::move(macro), next_);
}

Status Collector::append(const ListDef& list, const Trail& trail) {
  ListDef* previous = lists_.find(list.name);
  if (previous == nullptr)
    return reporter_.fail(
        kErrValidate,
        "List uses 'append' or 'override.items: append' but no list by that name already exists",
        trail, suggest(list.name, lists_.names()));
  previous->items.insert(previous->items.end(), list.items.begin(), list.items.end());
  previous->order.visibility = next_++;
  return {};
}

Status Collector::append(const MacroDef& macro, const Trail& trail) {
  MacroDef* previous = macros_.find(macro.name);
  if (previous == nullptr)
    return reporter_.fail(kErrValidate,
                          "Macro uses 'append' or 'override.condition: append' but no macro by "
                          "that name already exists",
                          trail, suggest(macro.name, macros_.names()));
  previous->condition.add_fixed(" ", macro.condition_place);
  previous->condition.add(macro.condition);
  previous->order.visibility = next_++;
  return {};
}

Status Collector::check_source(std::string_view name, std::string_view source, const Trail& trail) {
  const RuleDef* previous = rules_.find(name);
  if (previous != nullptr && previous->source != source)
    return reporter_.fail(kErrValidate, "Rule has been re-defined with a different source", trail,
                          "it was defined with source '" + previous->source + "'");
  return {};
}

Status Collector::define(RuleDef rule, const Trail& trail) {
  const auto& known = options_.known_sources;
  if (std::find(known.begin(), known.end(), rule.source) == known.end()) {
    rule.unknown_source = true;
    reporter_.warn("LOAD_UNKNOWN_SOURCE", "Unknown source " + rule.source + ", skipping", trail,
                   suggest(rule.source, known));
  }
  SAKER_CHECK(check_source(rule.name, rule.source, trail));
  if (rule.exceptions)
    for (ExceptionDef& exception : *rule.exceptions)
      SAKER_CHECK(validate_exception(rule, exception, trail));
  put(rules_, std::move(rule), next_);
  return {};
}

Status Collector::validate_exception(const RuleDef& rule, ExceptionDef& exception,
                                     const Trail& rule_trail) {
  return check_exception(exception, rule, !rule.unknown_source, *options_.catalog, rule_trail,
                         reporter_);
}

Status Collector::merge_exceptions(RuleDef& rule, std::vector<ExceptionDef> added,
                                   const Trail& trail) {
  if (!rule.exceptions) rule.exceptions.emplace();
  for (ExceptionDef& exception : added) {
    const Trail here{&trail, "exception", exception.name, exception.place};
    auto previous =
        std::find_if(rule.exceptions->begin(), rule.exceptions->end(),
                     [&](const ExceptionDef& other) { return other.name == exception.name; });
    if (previous != rule.exceptions->end()) {
      if (exception.fields)
        return reporter_.fail(kErrValidate,
                              "Can not append exception fields to existing exception, only values",
                              here);
      if (exception.comps)
        return reporter_.fail(kErrValidate,
                              "Can not append exception comps to existing exception, only values",
                              here);
      std::move(exception.values.begin(), exception.values.end(),
                std::back_inserter(previous->values));
      continue;
    }
    std::vector<std::string> names;
    for (const ExceptionDef& other : *rule.exceptions) names.push_back(other.name);
    if (!exception.fields)
      return reporter_.fail(kErrValidate,
                            "Rule exception must have fields property with a list of fields", here,
                            suggest(exception.name, names));
    if (exception.values.empty())
      return reporter_.fail(kErrValidate,
                            "Rule exception must have values property with a list of values", here);
    SAKER_CHECK(validate_exception(rule, exception, trail));
    rule.exceptions->push_back(std::move(exception));
  }
  return {};
}

static bool has_any(const RuleUpdate& update) {
  return update.condition || update.output || update.description || update.tags ||
         update.exceptions || update.priority || update.enabled || update.warn_evttypes ||
         update.skip_if_unknown_filter || update.capture || update.capture_duration_ms ||
         update.burst;
}

Status Collector::append(RuleUpdate update, const Trail& trail) {
  RuleDef* rule = rules_.find(update.name);
  if (rule == nullptr)
    return reporter_.fail(
        kErrValidate,
        "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists",
        trail, suggest(update.name, rules_.names()));
  if (!has_any(update))
    return reporter_.fail(kErrValidate, "Appended rule must have exceptions or condition property",
                          trail);
  if (update.condition) {
    rule->condition.add_fixed(" ", update.condition->place);
    rule->condition.add(*update.condition);
  }
  if (update.output) {
    rule->output.add_fixed(" ", update.output->place);
    rule->output.add(*update.output);
  }
  if (update.description) rule->description += " " + *update.description;
  if (update.tags) rule->tags.merge(*update.tags);
  if (update.exceptions) SAKER_CHECK(merge_exceptions(*rule, std::move(*update.exceptions), trail));
  rule->order.visibility = next_++;
  return {};
}

Status Collector::replace(RuleUpdate update, const Trail& trail) {
  RuleDef* rule = rules_.find(update.name);
  if (rule == nullptr)
    return reporter_.fail(kErrValidate,
                          "An 'override.<key>: replace' to a rule was requested but no rule by "
                          "that name already exists",
                          trail, suggest(update.name, rules_.names()));
  if (update.condition) {
    rule->condition = {};
    rule->condition.add(*update.condition);
    rule->condition_place = update.condition->place;
  }
  if (update.output) {
    rule->output = {};
    rule->output.add(*update.output);
    rule->output_place = update.output->place;
  }
  if (update.description) rule->description = std::move(*update.description);
  if (update.tags) rule->tags = std::move(*update.tags);
  if (update.exceptions) {
    for (ExceptionDef& exception : *update.exceptions)
      SAKER_CHECK(validate_exception(*rule, exception, trail));
    rule->exceptions = std::move(update.exceptions);
  }
  if (update.priority) rule->priority = *update.priority;
  if (update.enabled) rule->enabled = *update.enabled;
  if (update.warn_evttypes) rule->warn_evttypes = *update.warn_evttypes;
  if (update.skip_if_unknown_filter) rule->skip_if_unknown_filter = *update.skip_if_unknown_filter;
  if (update.capture) rule->capture = *update.capture;
  if (update.capture_duration_ms) rule->capture_duration_ms = *update.capture_duration_ms;
  if (update.burst) rule->burst = std::move(update.burst);
  rule->order.visibility = next_++;
  return {};
}

Status Collector::enable(std::string_view name, bool enabled, const Trail& trail) {
  RuleDef* rule = rules_.find(name);
  if (rule == nullptr)
    return reporter_.fail(kErrValidate,
                          "Rule has 'enabled' key but no rule by that name already exists", trail,
                          suggest(name, rules_.names()));
  rule->enabled = enabled;
  return {};
}

}  // namespace saker::rules
