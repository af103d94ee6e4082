// A catalog with the names and types of the fields, read from a table of the specification, so that
// tests of the language and of rules files do not depend on the real fields. No extractor works.
#pragma once

#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/strings.h"
#include "filter/field.h"

namespace saker::rules {

class FakeCatalog {
 public:
  // `path` is the table: field, class, type, flags by tabs, with a header. Null when it can't be
  // read.
  static std::unique_ptr<FakeCatalog> read(const std::string& path) {
    std::ifstream file(path);
    if (!file) return nullptr;
    auto fake = std::unique_ptr<FakeCatalog>(new FakeCatalog);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      const auto columns = split(line, '\t');
      if (columns.size() >= 4) fake->add(columns[0], columns[1], columns[2], columns[3]);
    }
    std::vector<filter::FieldClass> classes;
    for (const auto& [name, fields] : fake->fields_)
      classes.push_back({.name = name,
                         .source = source_of(name),
                         .summary = "",
                         .fields = {fields.data(), fields.size()}});
    fake->catalog_ = std::make_unique<filter::FieldCatalog>(std::move(classes));
    return fake;
  }

  [[nodiscard]] const filter::FieldCatalog& catalog() const { return *catalog_; }

 private:
  FakeCatalog() = default;

  static std::string_view source_of(std::string_view group) {
    if (group == "gen_event") return "";
    return group == "k8saudit" || group == "json" ? "k8s_audit" : "syscall";
  }

  static filter::Type type_of(std::string_view name) {
    static const std::map<std::string_view, filter::Type> kTypes = {
        {"bool", filter::Type::boolean},    {"i16", filter::Type::int16},
        {"i32", filter::Type::int32},       {"i64", filter::Type::int64},
        {"u32", filter::Type::uint32},      {"u64", filter::Type::uint64},
        {"dbl", filter::Type::real},        {"port", filter::Type::port},
        {"reltime", filter::Type::reltime}, {"abstime", filter::Type::abstime},
        {"bytes", filter::Type::bytes},     {"ip", filter::Type::ip},
        {"net", filter::Type::net}};
    auto found = kTypes.find(name);
    return found == kTypes.end() ? filter::Type::text : found->second;
  }

  void add(std::string_view field, std::string_view group, std::string_view type,
           std::string_view flags) {
    filter::FieldInfo info;
    info.name = names_.emplace_back(field);
    info.type = type_of(type);
    if (flags.contains("REQUIRED") || flags.contains("Required"))
      info.arg = filter::ArgRule::required;
    else if (flags.contains("ARG_") || flags.contains("Index"))
      info.arg = filter::ArgRule::optional;
    if (flags.contains("IS_LIST") || type.contains("list")) info.many = filter::Many::list;
    if (flags.contains("FILTER_ONLY")) info.flags |= filter::kFilterOnly;
    if (flags.contains("NO_RHS")) info.flags |= filter::kNoRhs;
    if (flags.contains("NO_TRANSFORMER")) info.flags |= filter::kNoTransformer;
    if (flags.contains("DEPRECATED")) info.flags |= filter::kDeprecated;
    info.extract = [](const filter::EvalContext&, const filter::FieldArg&, filter::Values&) {
      return false;
    };
    fields_[std::string(group)].push_back(info);
  }

  std::deque<std::string> names_;
  std::map<std::string, std::vector<filter::FieldInfo>> fields_;
  std::unique_ptr<filter::FieldCatalog> catalog_;
};

}  // namespace saker::rules
