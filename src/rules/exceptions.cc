// Exceptions as condition text. See exceptions.h.
#include "rules/exceptions.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "filter/ast.h"
#include "filter/compile.h"
#include "rules/lists.h"

namespace saker::rules {

namespace {

constexpr std::array<std::string_view, 12> kTextOperators = {
    "=",          "==",          "!=",       "contains", "icontains", "bcontains",
    "startswith", "bstartswith", "endswith", "glob",     "iglob",     "regex"};
constexpr std::array<std::string_view, 3> kListOperators = {"in", "intersects", "pmatch"};
constexpr std::array<std::string_view, 5> kOtherOperators = {"exists", "<", "<=", ">", ">="};
constexpr std::array<std::string_view, 3> kModifiers = {"oneof", "anyof", "allof"};

template <size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// "startswith oneof".
bool is_modified(std::string_view word) {
  const size_t blank = word.find_first_of(" \t");
  return blank != std::string_view::npos && contains(kTextOperators, word.substr(0, blank)) &&
         contains(kModifiers, trim(word.substr(blank)));
}
bool takes_list(std::string_view word) {
  return contains(kListOperators, word) || is_modified(word);
}
bool is_operator(std::string_view word) {
  return takes_list(word) || contains(kTextOperators, word) || contains(kOtherOperators, word);
}

std::vector<std::string> operator_names() {
  std::vector<std::string> names;
  names.insert(names.end(), kTextOperators.begin(), kTextOperators.end());
  names.insert(names.end(), kListOperators.begin(), kListOperators.end());
  return names;
}

bool is_field(std::string_view text, const filter::FieldCatalog& catalog, std::string_view source) {
  const auto parsed = filter::parse_operand(text);
  if (!parsed.ok() || parsed->length != text.size()) return false;
  return filter::compile_operand(parsed->operand, catalog, source).ok();
}

class Checker {
 public:
  Checker(ExceptionDef& exception, const RuleDef& rule, bool source_known,
          const filter::FieldCatalog& catalog, const Trail& trail, Reporter& reporter)
      : exception_(exception),
        rule_(rule),
        source_known_(source_known),
        catalog_(catalog),
        trail_{&trail, "exception", exception.name, exception.place},
        reporter_(reporter) {}

  Status run() {
    if (!exception_.fields)
      return fail("Rule exception item must have fields property with a list of fields");
    return exception_.fields->is_list ? check_list() : check_single();
  }

 private:
  Error fail(std::string message, std::string hint = {}) {
    return reporter_.fail(kErrValidate, std::move(message), trail_, std::move(hint));
  }

  Status check_list() {
    const auto& fields = exception_.fields->items;
    if (!exception_.comps) {
      exception_.comps = ExceptionEntry{.is_list = true, .scalar = {}, .items = {}};
      for (const ExceptionEntry& field : fields)
        exception_.comps->items.push_back(
            {.is_list = false, .scalar = {.text = "=", .place = field.scalar.place}, .items = {}});
    }
    auto& comps = exception_.comps->items;
    if (fields.size() != comps.size()) return fail("Fields and comps lists must have equal length");
    for (ExceptionEntry& comp : comps) {
      comp.scalar.text = trim(comp.scalar.text);
      if (comp.is_list || !is_operator(comp.scalar.text))
        return fail("'" + comp.scalar.text + "' is not a supported comparison operator",
                    suggest(comp.scalar.text, operator_names()));
    }
    for (const ExceptionEntry& field : fields) {
      if (field.is_list) return fail("'' is not a supported filter field");
      SAKER_CHECK(check_field(field.scalar.text));
    }
    return {};
  }

  Status check_single() {
    if (!exception_.comps)
      exception_.comps =
          ExceptionEntry{.is_list = false,
                         .scalar = {.text = "in", .place = exception_.fields->scalar.place},
                         .items = {}};
    if (exception_.comps->is_list) return fail("Fields and comps must both be strings");
    std::string& comp = exception_.comps->scalar.text;
    comp = std::string(trim(comp));
    if (!takes_list(comp))
      return fail(
          "When fields is a single value, comps must be one of (in, pmatch, intersects) or a "
          "modifier operator (e.g. 'startswith oneof')");
    return check_field(exception_.fields->scalar.text);
  }

  Status check_field(const std::string& field) {
    if (!source_known_ || is_field(field, catalog_, rule_.source)) return {};
    std::vector<std::string> names;
    for (const auto& group : catalog_.classes())
      for (const auto& info : group.fields) names.emplace_back(info.name);
    return fail("'" + field + "' is not a supported filter field", suggest(field, names));
  }

  ExceptionDef& exception_;
  const RuleDef& rule_;
  bool source_known_;
  const filter::FieldCatalog& catalog_;
  Trail trail_;
  Reporter& reporter_;
};

// Writes one exception after the other onto a condition.
class Writer {
 public:
  Writer(SourceText& out, const Trail& rule_trail, Reporter& reporter)
      : out_(out), rule_trail_(rule_trail), reporter_(reporter) {}

  Status add(const ExceptionDef& exception) {
    if (exception.values.empty() || !exception.fields || !exception.comps) return {};
    const Trail trail{&rule_trail_, "exception", exception.name, exception.place};
    put(" and not ", exception.place);
    return exception.fields->is_list ? add_list(exception, trail) : add_single(exception, trail);
  }

 private:
  void put(std::string_view text, const FilePlace& place) { out_.add_fixed(text, place); }

  Status add_single(const ExceptionDef& exception, const Trail& trail) {
    put("(" + exception.fields->scalar.text + " " + exception.comps->scalar.text + " (",
        exception.fields->scalar.place);
    bool first = true;
    for (const ExceptionEntry& value : exception.values) {
      if (value.is_list)
        return reporter_.fail(kErrValidate, "Expected values array to contain a list of strings",
                              trail);
      if (!first) put(", ", value.scalar.place);
      first = false;
      put(quote_if_needed(value.scalar.text), value.scalar.place);
    }
    put("))", exception.place);
    return {};
  }

  Status add_list(const ExceptionDef& exception, const Trail& trail) {
    const auto& fields = exception.fields->items;
    const auto& comps = exception.comps->items;
    put("(", exception.place);
    bool first = true;
    for (const ExceptionEntry& values : exception.values) {
      if (!values.is_list || values.items.size() != fields.size())
        return reporter_.fail(kErrValidate, "Fields and values lists must have equal length",
                              trail);
      put(first ? "(" : " or (", values.scalar.place);
      first = false;
      for (size_t i = 0; i < fields.size(); ++i) {
        put((i == 0 ? " " : " and ") + fields[i].scalar.text + " " + comps[i].scalar.text + " ",
            fields[i].scalar.place);
        put(value_text(values.items[i], comps[i].scalar.text), values.items[i].scalar.place);
      }
      put(")", values.scalar.place);
    }
    put(")", exception.place);
    return {};
  }

  static std::string value_text(const ExceptionEntry& value, std::string_view comp) {
    if (!value.is_list) {
      const std::string& text = value.scalar.text;
      if (!takes_list(comp)) return quote_if_needed(text);
      return text.starts_with('(') ? text : "(" + text + ")";
    }
    std::string text = "(";
    for (const ExceptionEntry& item : value.items) {
      if (text.size() > 1) text += ", ";
      text += quote_if_needed(item.scalar.text);
    }
    return text + ")";
  }

  SourceText& out_;
  const Trail& rule_trail_;
  Reporter& reporter_;
};

}  // namespace

Status check_exception(ExceptionDef& exception, const RuleDef& rule, bool source_known,
                       const filter::FieldCatalog& catalog, const Trail& rule_trail,
                       Reporter& reporter) {
  return Checker(exception, rule, source_known, catalog, rule_trail, reporter).run();
}

Result<SourceText> condition_with_exceptions(const RuleDef& rule, const Trail& rule_trail,
                                             Reporter& reporter) {
  if (!rule.exceptions) return rule.condition;
  SourceText text;
  text.add_fixed("(", rule.condition_place);
  text.add(rule.condition);
  text.add_fixed(")", rule.condition_place);
  Writer writer(text, rule_trail, reporter);
  for (const ExceptionDef& exception : *rule.exceptions) SAKER_CHECK(writer.add(exception));
  return text;
}

}  // namespace saker::rules
