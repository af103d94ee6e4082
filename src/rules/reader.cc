// The items of a rules file: which keys, which kinds of values, what is required. See reader.h.
#include "rules/reader.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/strings.h"
#include "formats/yaml.h"
#include "rules/rule_reader.h"
#include "rules/version.h"

namespace saker::rules {

using formats::YamlNode;

namespace {

constexpr std::array<std::string_view, 4> kListKeys = {"list", "items", "append", "override"};
constexpr std::array<std::string_view, 4> kMacroKeys = {"macro", "condition", "append", "override"};
constexpr std::array<std::string_view, 5> kItemKinds = {
    "required_engine_version", "required_plugin_versions", "list", "macro", "rule"};
constexpr std::array<std::string_view, 1> kListOverrides = {"items"};
constexpr std::array<std::string_view, 1> kMacroOverrides = {"condition"};
constexpr std::array<std::string_view, 3> kBuiltinPlugins = {"k8saudit", "json", "container"};

bool is_macro_name(std::string_view name) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}
bool is_list_name(std::string_view name) {
  return name.find_first_of(" \b\t\n\r()\"'=,") == std::string_view::npos;
}

class FileReader {
 public:
  FileReader(uint32_t file, Reporter& reporter, Collector& collector, Requirements& requirements)
      : reporter_(reporter),
        collector_(collector),
        requirements_(requirements),
        decode_(file, reporter),
        root_{nullptr, "rules content", "", FilePlace{.file = file}} {}

  Status read() {
    const uint32_t file = root_.place.file;
    auto documents = formats::parse_yaml(reporter_.text_of(file), reporter_.name_of(file));
    if (!documents.ok()) {
      const Error& error = documents.error();
      root_.place.mark = {.line = error.position.line == 0 ? 0 : error.position.line - 1,
                          .column = error.position.column == 0 ? 0 : error.position.column - 1,
                          .offset = error.position.offset};
      return reporter_.fail("LOAD_ERR_YAML_PARSE", error.message, root_);
    }
    for (const YamlNode& document : *documents) SAKER_CHECK(read_document(document));
    return {};
  }

 private:
  Error fail(std::string message, const Trail& trail, std::string hint = {}) {
    return reporter_.fail(kErrYamlValidate, std::move(message), trail, std::move(hint));
  }

  Status read_document(const YamlNode& document) {
    if (document.is_null()) return {};
    root_.place = decode_.place(document);
    if (!document.is_sequence())
      return fail(document.is_map() ? "Rules content is not yaml array of objects"
                                    : "Rules content is not yaml",
                  root_, "a rules file is a list of items, each starting with '- '");
    for (const YamlNode& item : document.items)
      if (!item.is_null()) SAKER_CHECK(read_item(item));
    return {};
  }

  Status read_item(const YamlNode& item) {
    if (!item.is_map())
      return fail("Unexpected element type. Each element should be a yaml associative array.",
                  Trail{&root_, "rules content item", "", decode_.place(item)});
    if (item.find("required_engine_version") != nullptr) return read_engine_version(item);
    if (item.find("required_plugin_versions") != nullptr) return read_plugin_versions(item);
    if (item.find("list") != nullptr) return read_list(item);
    if (item.find("macro") != nullptr) return read_macro(item);
    if (item.find("rule") != nullptr) return read_rule(item, root_, decode_, reporter_, collector_);
    std::string hint;
    for (const auto& [key, value] : item.entries)
      if (hint.empty() && key.is_scalar())
        hint = suggest(key.text, {kItemKinds.begin(), kItemKinds.end()});
    reporter_.warn("LOAD_UNKNOWN_ITEM", "Unknown top level item",
                   Trail{&root_, "rules content item", "", decode_.place(item)}, hint);
    return {};
  }

  Status read_engine_version(const YamlNode& item) {
    const Trail trail{&root_, "required_engine_version", "", decode_.place(item)};
    warn_unknown_keys(item, std::span(kItemKinds).subspan(0, 1), trail, decode_, reporter_);
    const Scalar value = SAKER_TRY(decode_.text(item, "required_engine_version", trail));
    std::optional<Version> version = parse_version(value.text);
    const bool number = value.text.find_first_not_of("0123456789") == std::string::npos;
    if (number) version = parse_version("0." + value.text + ".0");
    if (!version)
      return fail("Unable to parse engine version '" + value.text +
                      "' as a semver string. Expected \"x.y.z\" semver format.",
                  trail);
    if (!is_compatible(kEngineVersion, *version))
      return reporter_.fail(kErrValidate,
                            "Rules require engine version " + to_text(*version) +
                                ", but engine version is " + to_text(kEngineVersion),
                            trail);
    requirements_.engine_version = to_text(*version);
    return {};
  }

  Status read_plugin_versions(const YamlNode& item) {
    const Trail trail{&root_, "required plugin versions", "", decode_.place(item)};
    warn_unknown_keys(item, std::span(kItemKinds).subspan(1, 1), trail, decode_, reporter_);
    const YamlNode& entries = *item.find("required_plugin_versions");
    if (!entries.is_sequence())
      return fail("Value of required_plugin_versions must be a sequence", trail);
    for (const YamlNode& entry : entries.items) {
      const Trail here{&trail, "required plugin versions entry", "", decode_.place(entry)};
      PluginRequirement requirement{.place = here.place, .names = {}, .text = {}};
      SAKER_CHECK(read_plugin(entry, here, requirement));
      if (const YamlNode* alternatives = entry.find("alternatives")) {
        if (!alternatives->is_sequence())
          return fail("Value of plugin version alternatives must be a sequence", here);
        for (const YamlNode& other : alternatives->items)
          SAKER_CHECK(read_plugin(
              other, Trail{&here, "required plugin versions alternative", "", decode_.place(other)},
              requirement));
      }
      requirements_.plugins.push_back(std::move(requirement));
    }
    return {};
  }

  Status read_plugin(const YamlNode& entry, const Trail& trail, PluginRequirement& requirement) {
    if (!entry.is_map()) return fail("Plugin version must be a yaml associative array", trail);
    const Scalar name = SAKER_TRY(decode_.text(entry, "name", trail));
    const Scalar version = SAKER_TRY(decode_.text(entry, "version", trail));
    if (!parse_version(version.text))
      return reporter_.fail(
          kErrValidate,
          "Invalid required version '" + version.text + "' for plugin '" + name.text + "'", trail);
    auto& names = requirement.names;
    if (std::find(names.begin(), names.end(), name.text) != names.end())
      return reporter_.fail(
          kErrValidate,
          "Defined multiple alternative version requirements for plugin '" + name.text + "'",
          trail);
    names.push_back(name.text);
    if (!requirement.text.empty()) requirement.text += ", ";
    requirement.text += name.text + " (>= " + version.text + ")";
    return {};
  }

  // An item with `append: true`, or with overrides; not with both.
  Result<bool> is_append(const YamlNode& item, std::span<const std::string_view> overridable,
                         const Trail& trail) {
    const bool append = SAKER_TRY(read_append_flag(item, trail, decode_, reporter_));
    const Overrides overrides =
        SAKER_TRY(read_overrides(item, overridable, overridable, trail, decode_, reporter_));
    if (append && !overrides.empty()) return fail(kAppendWithOverride, trail);
    return append || !overrides.append.empty();
  }

  Status read_list(const YamlNode& item) {
    Trail trail{&root_, "list", "", decode_.place(item)};
    const Scalar name = SAKER_TRY(decode_.text(item, "list", trail));
    trail.item_name = name.text;
    warn_unknown_keys(item, kListKeys, trail, decode_, reporter_);
    if (!is_list_name(name.text))
      reporter_.warn("LOAD_INVALID_LIST_NAME",
                     "List has an invalid name. List names should match a regular expression: "
                     "([^()\"'=,[:space:]]+)",
                     trail);
    const YamlNode* items = SAKER_TRY(decode_.required(item, "items", trail));
    ListDef list;
    list.items = SAKER_TRY(decode_.texts(*items, "items", trail));
    list.name = name.text;
    list.place = trail.place;
    if (SAKER_TRY(is_append(item, kListOverrides, trail))) return collector_.append(list, trail);
    collector_.define(std::move(list));
    return {};
  }

  Status read_macro(const YamlNode& item) {
    Trail trail{&root_, "macro", "", decode_.place(item)};
    const Scalar name = SAKER_TRY(decode_.text(item, "macro", trail));
    trail.item_name = name.text;
    warn_unknown_keys(item, kMacroKeys, trail, decode_, reporter_);
    if (!is_macro_name(name.text))
      reporter_.warn("LOAD_INVALID_MACRO_NAME",
                     "Macro has an invalid name. Macro names should match a regular expression: "
                     "[a-zA-Z]+[a-zA-Z0-9_]*",
                     trail);
    const Scalar condition = SAKER_TRY(decode_.text(item, "condition", trail));
    MacroDef macro{.name = name.text,
                   .condition = {},
                   .place = trail.place,
                   .condition_place = condition.place,
                   .order = {}};
    macro.condition.add(condition);
    if (SAKER_TRY(is_append(item, kMacroOverrides, trail))) return collector_.append(macro, trail);
    collector_.define(std::move(macro));
    return {};
  }

  Reporter& reporter_;
  Collector& collector_;
  Requirements& requirements_;
  Decoder decode_;
  Trail root_;
};

}  // namespace

Status read_rules(uint32_t file, Reporter& reporter, Collector& collector,
                  Requirements& requirements) {
  return FileReader(file, reporter, collector, requirements).read();
}

bool is_satisfied(const PluginRequirement& requirement) {
  return std::any_of(requirement.names.begin(), requirement.names.end(), [](const auto& name) {
    return std::find(kBuiltinPlugins.begin(), kBuiltinPlugins.end(), name) != kBuiltinPlugins.end();
  });
}

}  // namespace saker::rules
