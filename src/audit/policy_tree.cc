// Types of scalars, merge keys, and the check against a shape. See policy_tree.h.
#include "audit/policy_tree.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/hash.h"
#include "base/strings.h"

namespace saker::audit {

namespace {

using formats::YamlEntry;
using formats::YamlNode;

constexpr std::array<std::string_view, 11> kTrue = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                                    "True", "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 11> kFalse = {"n",     "N",     "no",  "No",  "NO", "false",
                                                     "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 12> kSpecialReals = {".nan",  ".NaN",  ".NAN",  ".inf",
                                                            ".Inf",  ".INF",  "+.inf", "+.Inf",
                                                            "+.INF", "-.inf", "-.Inf", "-.INF"};

template <size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool all_of(std::string_view text, std::string_view digits) {
  return !text.empty() && text.find_first_not_of(digits) == std::string_view::npos;
}

constexpr std::string_view kDecimal = "0123456789";

bool is_integer(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::string prefix = to_lower(text.substr(0, 2));
  if (prefix == "0x") return all_of(text.substr(2), "0123456789abcdefABCDEF");
  if (prefix == "0o") return all_of(text.substr(2), "01234567");
  if (prefix == "0b") return all_of(text.substr(2), "01");
  if (text.starts_with('0')) return all_of(text, "01234567");
  // Longer ones don't fit 64 bits; they are reals.
  return all_of(text, kDecimal) && text.size() <= 19;
}

size_t count_digits(std::string_view text) {
  return std::min(text.find_first_not_of(kDecimal), text.size());
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool is_real(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const size_t whole = count_digits(text);
  text.remove_prefix(whole);
  size_t fraction = 0;
  if (text.starts_with('.')) {
    fraction = count_digits(text.substr(1));
    text.remove_prefix(1 + fraction);
  }
  if (whole + fraction == 0) return false;
  if (!text.starts_with('e') && !text.starts_with('E')) return text.empty();
  text.remove_prefix(1);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return all_of(text, kDecimal);
}

bool is_two_digits(std::string_view text, size_t at, int most) {
  if (at + 2 > text.size() || !all_of(text.substr(at, 2), kDecimal)) return false;
  return (text[at] - '0') * 10 + (text[at + 1] - '0') <= most;
}

// RFC 3339, as metav1.Time wants it.
bool is_time(std::string_view text) {
  if (text.size() < 20 || !all_of(text.substr(0, 4), kDecimal)) return false;
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':')
    return false;
  if (!is_two_digits(text, 5, 12) || !is_two_digits(text, 8, 31) || !is_two_digits(text, 11, 23) ||
      !is_two_digits(text, 14, 59) || !is_two_digits(text, 17, 59))
    return false;
  text.remove_prefix(19);
  if (text.starts_with('.')) {
    const size_t digits = count_digits(text.substr(1));
    if (digits == 0) return false;
    text.remove_prefix(1 + digits);
  }
  if (text == "Z") return true;
  return text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':' &&
         is_two_digits(text, 1, 23) && is_two_digits(text, 4, 59);
}

bool is_merge_key(const YamlNode& key) {
  return key.is_scalar() && !key.quoted && key.text == "<<";
}

std::string_view type_name(const YamlNode& node) {
  if (node.is_map()) return "object";
  if (node.is_sequence()) return "array";
  switch (scalar_type(node)) {
    case ScalarType::null: return "null";
    case ScalarType::boolean: return "bool";
    case ScalarType::integer:
    case ScalarType::real: return "number";
    case ScalarType::text: break;
  }
  return "string";
}

}  // namespace

PolicyProblem decode_error(std::string message, const formats::YamlMark& mark) {
  return {.id = "undecodable",
          .kind = "Decode",
          .field = {},
          .message = std::move(message),
          .mark = mark};
}

ScalarType scalar_type(const YamlNode& node) {
  if (node.is_null()) return ScalarType::null;
  const std::string_view text = node.text;
  if (node.quoted) return ScalarType::text;
  if (is_one_of(text, kTrue) || is_one_of(text, kFalse)) return ScalarType::boolean;
  if (is_one_of(text, kSpecialReals)) return ScalarType::real;
  if (text.empty() || !std::string_view("+-.0123456789").contains(text.front()))
    return ScalarType::text;
  std::string plain(text);
  if (text.front() != '.') std::erase(plain, '_');
  if (is_integer(plain)) return ScalarType::integer;
  return is_real(plain) ? ScalarType::real : ScalarType::text;
}

bool is_true(std::string_view boolean_text) {
  return is_one_of(boolean_text, kTrue);
}

void TreeChecker::normalise(YamlNode& node) {
  for (YamlNode& item : node.items) normalise(item);
  if (node.is_map()) normalise_map(node);
}

// Collects the entries of one map; a key that comes again takes the place of the former.
class TreeChecker::MapBuilder {
 public:
  MapBuilder(TreeChecker& checker, size_t size) : checker_(checker) { entries_.reserve(size); }

  void put(YamlEntry entry) {
    const auto [place, is_new] = index_.try_emplace(entry.first.text, entries_.size());
    if (is_new) {
      entries_.push_back(std::move(entry));
      return;
    }
    checker_.warn("duplicate-key", {},
                  "key '" + entry.first.text + "' is there twice; the last one counts",
                  entry.first.mark);
    entries_[place->second] = std::move(entry);
  }

  // Of a list of maps the earlier ones take precedence, so the later ones are put first.
  void merge(const YamlNode& value) {
    if (value.is_map()) {
      for (const YamlEntry& entry : value.entries) put(entry);
      return;
    }
    bool all_maps = value.is_sequence();
    for (const YamlNode& item : value.items) all_maps = all_maps && item.is_map();
    if (!all_maps) {
      checker_.problems_.push_back(
          decode_error("map merge requires map or sequence of maps as the value", value.mark));
      return;
    }
    for (size_t i = value.items.size(); i-- > 0;) merge(value.items[i]);
  }

  std::vector<YamlEntry> take() { return std::move(entries_); }

 private:
  TreeChecker& checker_;
  std::vector<YamlEntry> entries_;
  std::unordered_map<std::string, size_t, StringHash, std::equal_to<>> index_;
};

void TreeChecker::warn(std::string id, std::string field, std::string message,
                       const formats::YamlMark& mark, std::string hint) {
  constexpr size_t kMostWarnings = 1000;
  if (++warnings_ > kMostWarnings) return;
  problems_.push_back({.severity = PolicyProblem::Severity::warning,
                       .id = std::move(id),
                       .kind = "Strict",
                       .field = std::move(field),
                       .message = std::move(message),
                       .hint = std::move(hint),
                       .mark = mark});
}

void TreeChecker::normalise_map(YamlNode& node) {
  MapBuilder builder(*this, node.entries.size());
  for (YamlEntry& entry : node.entries) {
    normalise(entry.second);
    if (is_merge_key(entry.first)) {
      builder.merge(entry.second);
    } else if (entry.first.is_scalar()) {
      builder.put(std::move(entry));
    } else {
      problems_.push_back(decode_error(
          "a key must be a text, not " + std::string(type_name(entry.first)), entry.first.mark));
    }
  }
  node.entries = builder.take();
}

void TreeChecker::wrong_type(const YamlNode& node, std::string_view wanted,
                             const std::string& path) {
  PolicyProblem problem = decode_error(
      path + ": must be " + std::string(wanted) + ", not " + std::string(type_name(node)),
      node.mark);
  problem.field = path;
  if (wanted == "a string" && node.is_scalar()) problem.hint = "write \"" + node.text + "\"";
  problems_.push_back(std::move(problem));
}

void TreeChecker::check(const YamlNode& node, const Shape& shape, const std::string& path) {
  if (shape.kind == Shape::Kind::any || node.is_null()) return;
  switch (shape.kind) {
    case Shape::Kind::list:
      if (!node.is_sequence()) return wrong_type(node, "a list", path);
      for (size_t i = 0; i < node.items.size(); ++i)
        check(node.items[i], *shape.item, path + "[" + std::to_string(i) + "]");
      return;
    case Shape::Kind::map:
      if (!node.is_map()) return wrong_type(node, "a map", path);
      for (const YamlEntry& entry : node.entries)
        check(entry.second, *shape.item, path + "." + entry.first.text);
      return;
    case Shape::Kind::object: return check_object(node, shape, path);
    default: return check_scalar(node, shape, path);
  }
}

void TreeChecker::check_object(const YamlNode& node, const Shape& shape, const std::string& path) {
  if (!node.is_map()) return wrong_type(node, "a map", path.empty() ? "the policy" : path);
  for (const YamlEntry& entry : node.entries) {
    const std::string name = path.empty() ? entry.first.text : path + "." + entry.first.text;
    const auto field =
        std::find_if(shape.fields.begin(), shape.fields.end(),
                     [&](const ShapeField& f) { return f.name == entry.first.text; });
    if (field != shape.fields.end()) {
      check(entry.second, *field->shape, name);
      continue;
    }
    std::vector<std::string> names;
    for (const ShapeField& known : shape.fields) names.emplace_back(known.name);
    const auto near = nearest(entry.first.text, names);
    warn("unknown-field", name, "unknown field '" + name + "': kube-apiserver warns and ignores it",
         entry.first.mark, near ? "did you mean '" + *near + "'?" : std::string());
  }
}

void TreeChecker::check_scalar(const YamlNode& node, const Shape& shape, const std::string& path) {
  const bool scalar = node.is_scalar();
  const ScalarType type = scalar ? scalar_type(node) : ScalarType::null;
  switch (shape.kind) {
    case Shape::Kind::boolean:
      if (type != ScalarType::boolean) wrong_type(node, "true or false", path);
      return;
    case Shape::Kind::integer:
      if (type != ScalarType::integer) wrong_type(node, "an integer", path);
      return;
    case Shape::Kind::time:
      if (type != ScalarType::text || !is_time(node.text))
        wrong_type(node, "a time (2006-01-02T15:04:05Z)", path);
      return;
    default:
      if (type != ScalarType::text) wrong_type(node, "a string", path);
  }
}

}  // namespace saker::audit
