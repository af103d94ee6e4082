// Finding fields by name.
#include "filter/field.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"
#include "filter/ast.h"
#include "filter/escape.h"

namespace saker::filter {

FieldCatalog::FieldCatalog(std::vector<FieldClass> classes) : classes_(std::move(classes)) {
  for (const FieldClass& row : classes_)
    for (const FieldInfo& info : row.fields) by_name_.emplace(info.name, Entry{row.source, &info});
}

bool FieldCatalog::knows(std::string_view name) const {
  return by_name_.contains(name);
}

static bool visible(std::string_view class_source, std::string_view source) {
  return source.empty() || class_source.empty() || class_source == source;
}

const FieldInfo* FieldCatalog::find(std::string_view name, std::string_view source) const {
  const auto [begin, end] = by_name_.equal_range(name);
  for (auto entry = begin; entry != end; ++entry)
    if (visible(entry->second.source, source)) return entry->second.info;
  return nullptr;
}

Error FieldCatalog::unknown_field(std::string_view text, std::string_view source) const {
  Error error{.code = Code::not_found,
              .message = fmt::format("filter_check called with nonexistent field {}", text)};
  const std::string_view name = text.substr(0, text.find('['));
  if (const FieldInfo* info = find(name, source); info != nullptr) {
    error.hint = fmt::format("{} takes no argument", name);
    return error;
  }
  if (const auto other = by_name_.find(name); other != by_name_.end()) {
    error.hint = fmt::format("{} is a field of source {}", name, other->second.source);
    return error;
  }
  std::vector<std::string> names;
  for (const FieldClass& row : classes_)
    if (visible(row.source, source))
      for (const FieldInfo& info : row.fields) names.emplace_back(info.name);
  if (std::optional<std::string> near = nearest(name, names))
    error.hint = fmt::format("did you mean {}?", *near);
  return error;
}

namespace {

struct Split {
  const FieldInfo* info = nullptr;
  std::string_view argument;  // as written: quotes included
  bool has_argument = false;
};

// "name[argument]", "name.argument" or "name".
Split split_field(const FieldCatalog& catalog, std::string_view text, std::string_view source) {
  const auto with_argument = [&](std::string_view name, std::string_view argument) -> Split {
    const FieldInfo* info = catalog.find(name, source);
    if (info == nullptr || info->arg == ArgRule::none || argument.empty()) return {};
    return {info, argument, true};
  };
  if (const size_t bracket = text.find('['); bracket != std::string_view::npos) {
    if (!text.ends_with(']')) return {};
    return with_argument(text.substr(0, bracket),
                         text.substr(bracket + 1, text.size() - bracket - 2));
  }
  if (const FieldInfo* info = catalog.find(text, source); info != nullptr) return {info, {}, false};
  for (size_t dot = text.rfind('.'); dot != std::string_view::npos && dot != 0;
       dot = text.rfind('.', dot - 1)) {
    const std::string_view name = text.substr(0, dot);
    if (catalog.find(name, source) != nullptr) return with_argument(name, text.substr(dot + 1));
  }
  return {};
}

// Parts joined by dots, each starting with a letter: what may follow the name after a dot.
bool is_dotted_name(std::string_view text) {
  for (std::string_view part : split(text, '.')) {
    const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
    const auto is_word = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; };
    if (part.empty() || !is_letter(part[0]) || !std::ranges::all_of(part, is_word)) return false;
  }
  return true;
}

bool is_plain_argument(std::string_view text) {
  const auto is_plain = [](char c) {
    return !is_blank(c) && c != '[' && c != ']' && c != '"' && c != '\'' &&
           static_cast<unsigned char>(c) >= 0x20;
  };
  return !text.empty() && std::ranges::all_of(text, is_plain);
}

// One spelling for each field with argument, however it was written: evt.arg.flags for fields that
// are nothing without argument, proc.aname[2] for the others.
std::string canonical(const FieldInfo& info, const FieldArg& arg) {
  std::string text(info.name);
  if (!arg.present) return text;
  if (info.arg == ArgRule::required && is_dotted_name(arg.text)) {
    text += '.';
    text += arg.text;
    return text;
  }
  text += '[';
  if (is_plain_argument(arg.text)) {
    text += arg.text;
  } else {
    append_quoted(arg.text, text);
  }
  text += ']';
  return text;
}

}  // namespace

Result<FieldRef> FieldCatalog::resolve(std::string_view text, std::string_view source) const {
  const Split found = split_field(*this, text, source);
  if (found.info == nullptr) return unknown_field(text, source);
  FieldRef field{.info = found.info, .type = found.info->type};
  if (found.has_argument) {
    field.arg.present = true;
    if (found.argument.starts_with('"') || found.argument.starts_with('\'')) {
      field.arg.text = SAKER_TRY(unescape(found.argument));
    } else {
      field.arg.text = found.argument;
    }
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (std::ranges::all_of(field.arg.text, is_digit)) field.arg.index = parse_uint(field.arg.text);
  } else if (found.info->arg == ArgRule::required) {
    return Error{.message = fmt::format("field requires an argument: {}", found.info->name),
                 .hint = fmt::format("write {}[...]", found.info->name)};
  }
  if (found.info->bind != nullptr) field.type = SAKER_TRY(found.info->bind(field.arg));
  field.text = canonical(*found.info, field.arg);
  return field;
}

}  // namespace saker::filter
