// Rule items. See rule_reader.h.
#include "rules/rule_reader.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace saker::rules {

using formats::YamlNode;

namespace {

constexpr std::array<std::string_view, 16> kRuleKeys = {"rule",
                                                        "condition",
                                                        "output",
                                                        "desc",
                                                        "priority",
                                                        "source",
                                                        "enabled",
                                                        "capture",
                                                        "capture_duration",
                                                        "warn_evttypes",
                                                        "skip-if-unknown-filter",
                                                        "tags",
                                                        "exceptions",
                                                        "override",
                                                        "append",
                                                        "burst"};
constexpr std::array<std::string_view, 5> kAppendable = {"condition", "output", "desc", "tags",
                                                         "exceptions"};
constexpr std::array<std::string_view, 12> kReplaceable = {
    "condition",        "output", "desc",    "priority",      "capture",
    "capture_duration", "tags",   "enabled", "warn_evttypes", "skip-if-unknown-filter",
    "exceptions",       "burst"};

constexpr std::array<std::string_view, 4> kBurstKeys = {"count", "seconds", "by", "distinct"};

bool has_word(std::span<const std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class RuleReader {
 public:
  RuleReader(const YamlNode& item, const Trail& parent, Decoder& decode, Reporter& reporter,
             Collector& collector)
      : item_(item),
        trail_{&parent, "rule", "", decode.place(item)},
        decode_(decode),
        reporter_(reporter),
        collector_(collector) {}

  Status read() {
    name_ = SAKER_TRY(decode_.text(item_, "rule", trail_)).text;
    trail_.item_name = name_;
    warn_unknown_keys(item_, kRuleKeys, trail_, decode_, reporter_);
    const bool append = SAKER_TRY(read_append_flag(item_, trail_, decode_, reporter_));
    const Overrides overrides =
        SAKER_TRY(read_overrides(item_, kAppendable, kReplaceable, trail_, decode_, reporter_));
    if (append && !overrides.empty())
      return reporter_.fail(kErrYamlValidate, kAppendWithOverride, trail_);
    if (append || !overrides.empty()) SAKER_CHECK(check_explicit_source());
    if (append) return read_append();
    if (!overrides.empty()) return read_overridden(overrides);
    for (std::string_view key : {"condition", "output", "desc", "priority"})
      if (item_.find(key) != nullptr) return read_definition();
    return read_switch();
  }

 private:
  // Of an append or override: an empty source is as good as none.
  Status check_explicit_source() {
    const YamlNode* source = item_.find("source");
    if (source == nullptr || source->is_null()) return {};
    if (source->is_scalar() && source->text.empty()) return {};
    const Scalar text = SAKER_TRY(decode_.scalar(*source, "source", trail_));
    return collector_.check_source(name_, text.text, trail_);
  }

  Status read_append() {
    RuleUpdate update;
    update.name = name_;
    update.condition = SAKER_TRY(decode_.optional_text(item_, "condition", trail_));
    update.exceptions = SAKER_TRY(read_exceptions(true));
    return collector_.append(std::move(update), trail_);
  }

  Status check_override_keys(const Overrides& overrides) {
    for (const auto& [keys, word] :
         {std::pair(&overrides.append, "append"), std::pair(&overrides.replace, "replace")})
      for (const std::string& key : *keys)
        if (item_.find(key) == nullptr)
          return reporter_.fail(kErrYamlValidate,
                                "An " + std::string(word) + " override for '" + key +
                                    "' was specified but '" + key + "' is not defined",
                                trail_);
    for (std::string_view key : kReplaceable)
      if (item_.find(key) != nullptr && !overrides.append.contains(key) &&
          !overrides.replace.contains(key))
        return reporter_.fail(kErrYamlValidate,
                              "Unexpected key '" + std::string(key) +
                                  "': no corresponding entry under 'override' is defined.",
                              trail_, "add '" + std::string(key) + ": replace' under 'override'");
    return {};
  }

  Status read_overridden(const Overrides& overrides) {
    SAKER_CHECK(check_override_keys(overrides));
    if (!overrides.append.empty())
      SAKER_CHECK(collector_.append(SAKER_TRY(read_update(overrides.append, true)), trail_));
    if (!overrides.replace.empty())
      SAKER_CHECK(collector_.replace(SAKER_TRY(read_update(overrides.replace, false)), trail_));
    return {};
  }

  Result<RuleUpdate> read_update(const std::set<std::string, std::less<>>& keys, bool append) {
    RuleUpdate update;
    update.name = name_;
    if (keys.contains("condition"))
      update.condition = SAKER_TRY(decode_.text(item_, "condition", trail_));
    if (keys.contains("exceptions")) update.exceptions = SAKER_TRY(read_exceptions(append));
    if (keys.contains("output")) update.output = SAKER_TRY(read_output());
    if (keys.contains("desc"))
      update.description = SAKER_TRY(decode_.text(item_, "desc", trail_)).text;
    if (keys.contains("tags")) update.tags = SAKER_TRY(decode_.optional_set(item_, "tags", trail_));
    if (keys.contains("priority")) update.priority = SAKER_TRY(read_priority());
    if (keys.contains("enabled"))
      update.enabled = SAKER_TRY(decode_.optional_bool(item_, "enabled", trail_));
    if (keys.contains("warn_evttypes"))
      update.warn_evttypes = SAKER_TRY(decode_.optional_bool(item_, "warn_evttypes", trail_));
    if (keys.contains("skip-if-unknown-filter"))
      update.skip_if_unknown_filter =
          SAKER_TRY(decode_.optional_bool(item_, "skip-if-unknown-filter", trail_));
    if (keys.contains("capture"))
      update.capture = SAKER_TRY(decode_.optional_bool(item_, "capture", trail_));
    if (keys.contains("capture_duration"))
      update.capture_duration_ms =
          SAKER_TRY(decode_.optional_number(item_, "capture_duration", trail_));
    if (keys.contains("burst")) update.burst = SAKER_TRY(read_burst());
    return update;
  }

  // Only `enabled`: switches a rule that exists.
  Status read_switch() {
    SAKER_TRY(decode_.text(item_, "enabled", trail_));
    const auto enabled = SAKER_TRY(decode_.optional_bool(item_, "enabled", trail_));
    reporter_.warn(kWarnDeprecated,
                   "The standalone 'enabled' key usage is deprecated. The correct approach "
                   "requires also a 'replace' entry under the 'override' key (i.e. 'enabled: "
                   "replace').",
                   trail_);
    return collector_.enable(name_, enabled.value_or(true), trail_);
  }

  Status read_definition() {
    RuleDef rule;
    rule.name = name_;
    rule.place = trail_.place;
    const Scalar condition = SAKER_TRY(decode_.text(item_, "condition", trail_));
    rule.condition.add(condition);
    rule.condition_place = condition.place;
    const Scalar output = SAKER_TRY(read_output());
    rule.output.add(output);
    rule.output_place = output.place;
    rule.description = SAKER_TRY(decode_.text(item_, "desc", trail_)).text;
    rule.priority = SAKER_TRY(read_priority());
    if (auto source = SAKER_TRY(decode_.optional_text(item_, "source", trail_)))
      rule.source = source->text;
    rule.enabled = SAKER_TRY(decode_.optional_bool(item_, "enabled", trail_)).value_or(true);
    rule.warn_evttypes =
        SAKER_TRY(decode_.optional_bool(item_, "warn_evttypes", trail_)).value_or(true);
    rule.skip_if_unknown_filter =
        SAKER_TRY(decode_.optional_bool(item_, "skip-if-unknown-filter", trail_)).value_or(false);
    rule.capture = SAKER_TRY(decode_.optional_bool(item_, "capture", trail_)).value_or(false);
    rule.capture_duration_ms =
        SAKER_TRY(decode_.optional_number(item_, "capture_duration", trail_)).value_or(0);
    if (auto tags = SAKER_TRY(decode_.optional_set(item_, "tags", trail_)))
      rule.tags = std::move(*tags);
    rule.burst = SAKER_TRY(read_burst());
    rule.exceptions = SAKER_TRY(read_exceptions(false));
    return collector_.define(std::move(rule), trail_);
  }

  Result<Scalar> read_output() {
    Scalar output = SAKER_TRY(decode_.text(item_, "output", trail_));
    output.text = std::string(trim(output.text));
    return output;
  }

  Result<finding::Severity> read_priority() {
    const Scalar text = SAKER_TRY(decode_.text(item_, "priority", trail_));
    if (const auto severity = finding::parse_severity(text.text)) return *severity;
    return reporter_.fail(
        kErrYamlValidate, "Invalid priority",
        Trail{&trail_, "rule priority", text.text, text.place},
        suggest(to_lower(text.text), {"emergency", "alert", "critical", "error", "warning",
                                      "notice", "informational", "debug"}));
  }

  Result<std::optional<BurstDef>> read_burst() {
    const YamlNode* node = item_.find("burst");
    if (node == nullptr) return std::optional<BurstDef>();
    Trail trail{&trail_, "value for", "burst", decode_.place(*node)};
    if (!node->is_map())
      return reporter_.fail(kErrYamlValidate, "Value of burst must be a mapping", trail,
                            "write burst: {count: 20, seconds: 10, by: [proc.pid]}");
    warn_unknown_keys(*node, kBurstKeys, trail, decode_, reporter_);
    BurstDef burst;
    SAKER_TRY(decode_.required(*node, "count", trail));
    burst.count = SAKER_TRY(decode_.optional_number(*node, "count", trail)).value_or(0);
    burst.seconds =
        SAKER_TRY(decode_.optional_number(*node, "seconds", trail)).value_or(burst.seconds);
    if (burst.count == 0 || burst.seconds == 0)
      return reporter_.fail(kErrYamlValidate, "burst needs a count and seconds above 0", trail);
    if (const YamlNode* by = node->find("by")) {
      if (by->is_sequence()) {
        for (const YamlNode& field : by->items)
          burst.by.push_back(SAKER_TRY(decode_.scalar(field, "by", trail)));
      } else {
        burst.by.push_back(SAKER_TRY(decode_.scalar(*by, "by", trail)));
      }
    }
    burst.distinct = SAKER_TRY(decode_.optional_text(*node, "distinct", trail));
    return std::optional(std::move(burst));
  }

  // The exceptions of the item. When appending, fields may be missing and values should not be.
  Result<std::optional<std::vector<ExceptionDef>>> read_exceptions(bool append) {
    std::optional<std::vector<ExceptionDef>> exceptions;
    const YamlNode* node = item_.find("exceptions");
    if (node == nullptr) return exceptions;
    exceptions.emplace();
    if (node->is_null()) return exceptions;
    const Trail trail{&trail_, "exceptions", "", decode_.place(*node)};
    if (!node->is_sequence())
      return reporter_.fail(kErrYamlValidate, "Rule exceptions must be a sequence", trail);
    for (const YamlNode& entry : node->items) {
      Trail here{&trail, "exception", "", decode_.place(entry)};
      if (!entry.is_map())
        return reporter_.fail(kErrYamlValidate, "Rule exception must be a mapping", here);
      ExceptionDef exception = SAKER_TRY(read_exception(entry, here, append));
      here.item_name = exception.name;
      for (const ExceptionDef& other : *exceptions)
        if (other.name == exception.name)
          reporter_.warn(
              "LOAD_EXCEPTION_NAME_NOT_UNIQUE",
              "Multiple definitions of exception '" + exception.name + "' in the same rule", here);
      exceptions->push_back(std::move(exception));
    }
    return exceptions;
  }

  Result<ExceptionDef> read_exception(const YamlNode& entry, Trail& here, bool append) {
    ExceptionDef exception;
    exception.name = SAKER_TRY(decode_.text(entry, "name", here)).text;
    exception.place = here.place;
    here.item_name = exception.name;
    const YamlNode* fields =
        append ? entry.find("fields") : SAKER_TRY(decode_.required(entry, "fields", here));
    if (fields != nullptr) exception.fields = SAKER_TRY(read_entry(*fields, "fields", here));
    if (const YamlNode* comps = entry.find("comps"))
      exception.comps = SAKER_TRY(read_entry(*comps, "comps", here));
    const YamlNode* values = entry.find("values");
    if (values == nullptr) {
      if (append)
        reporter_.warn("LOAD_APPEND_NO_VALUES", "Overriding/appending exception with no values",
                       here, entry.find("value") != nullptr ? "did you mean 'values'?" : "");
      return exception;
    }
    const Trail values_trail{&here, "exception values", "", decode_.place(*values)};
    if (!values->is_sequence())
      return reporter_.fail(kErrYamlValidate, "Rule exception values must be a sequence",
                            values_trail);
    exception.values.reserve(values->items.size());
    for (const YamlNode& value : values->items)
      exception.values.push_back(SAKER_TRY(read_entry(value, "values", values_trail)));
    return exception;
  }

  Result<ExceptionEntry> read_entry(const YamlNode& node, std::string_view key,
                                    const Trail& trail) {
    ExceptionEntry entry;
    entry.scalar.place = decode_.place(node);
    if (node.is_sequence()) {
      entry.is_list = true;
      entry.items.reserve(node.items.size());
      for (const YamlNode& item : node.items)
        entry.items.push_back(SAKER_TRY(read_entry(item, key, trail)));
      return entry;
    }
    if (!node.is_scalar())
      return reporter_.fail(kErrYamlValidate, "Can't decode YAML exception value",
                            Trail{&trail, "exception value", "", entry.scalar.place});
    entry.scalar.text = node.text;
    return entry;
  }

  const YamlNode& item_;
  Trail trail_;
  Decoder& decode_;
  Reporter& reporter_;
  Collector& collector_;
  std::string name_;
};

}  // namespace

void warn_unknown_keys(const YamlNode& item, std::span<const std::string_view> known,
                       const Trail& trail, const Decoder& decode, Reporter& reporter) {
  for (const auto& [key, value] : item.entries) {
    if (!key.is_scalar() || has_word(known, key.text)) continue;
    Trail here = trail;
    here.place = decode.place(key);
    reporter.warn("LOAD_UNKNOWN_KEY", "Unknown key '" + key.text + "'. The key will be ignored.",
                  here, suggest(key.text, {known.begin(), known.end()}));
  }
}

Result<bool> read_append_flag(const YamlNode& item, const Trail& trail, Decoder& decode,
                              Reporter& reporter) {
  const auto append = SAKER_TRY(decode.optional_bool(item, "append", trail));
  if (append.value_or(false))
    reporter.warn(kWarnDeprecated,
                  "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') "
                  "under 'override' instead.",
                  trail);
  return append.value_or(false);
}

Result<Overrides> read_overrides(const YamlNode& item, std::span<const std::string_view> appendable,
                                 std::span<const std::string_view> replaceable, const Trail& trail,
                                 const Decoder& decode, Reporter& reporter) {
  Overrides overrides;
  const YamlNode* node = item.find("override");
  if (node == nullptr || node->is_null()) return overrides;
  const Trail here{&trail, "overrides", "", decode.place(*node)};
  if (!node->is_map())
    return reporter.fail(kErrYamlValidate, "Value of override must be a mapping", here);
  for (const auto& [key, value] : node->entries) {
    Trail entry = here;
    entry.place = decode.place(key);
    const std::string quoted = "'" + key.text + "'";
    if (value.text == "append") {
      if (!has_word(appendable, key.text))
        return reporter.fail(kErrYamlValidate,
                             "Key " + quoted + " cannot be appended to, use 'replace' instead",
                             entry, suggest(key.text, {appendable.begin(), appendable.end()}));
      overrides.append.insert(key.text);
    } else if (value.text == "replace") {
      if (!has_word(replaceable, key.text))
        return reporter.fail(kErrYamlValidate, "Key " + quoted + " cannot be replaced", entry,
                             suggest(key.text, {replaceable.begin(), replaceable.end()}));
      overrides.replace.insert(key.text);
    } else {
      return reporter.fail(kErrYamlValidate,
                           "Invalid override operation for key " + quoted + ": '" + value.text +
                               "'. Allowed values are: append, replace",
                           entry, suggest(value.text, {"append", "replace"}));
    }
  }
  return overrides;
}

Status read_rule(const YamlNode& item, const Trail& parent, Decoder& decode, Reporter& reporter,
                 Collector& collector) {
  return RuleReader(item, parent, decode, reporter, collector).read();
}

}  // namespace saker::rules
