// The catalog against the list of the reference's fields, and whether each field is tested.
#include "fields/catalog.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/fd.h"
#include "base/strings.h"

namespace saker::fields {
namespace {

using filter::FieldClass;
using filter::FieldInfo;

const std::string kShared = SAKER_SOURCE_DIR "/../shared/";

std::string read(const std::string& path) {
  Result<std::string> text = read_file(path, 1 << 22);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

std::string all_tests() {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(SAKER_SOURCE_DIR "/src/fields"))
    if (entry.path().string().ends_with("_test.cc")) text += read(entry.path().string());
  return text;
}

// Quoted in a test, with or without an argument behind it.
bool is_tested(const std::string& tests, std::string_view field) {
  const std::string quoted = '"' + std::string(field);
  for (size_t at = tests.find(quoted); at != std::string::npos; at = tests.find(quoted, at + 1)) {
    const char next = tests[at + quoted.size()];
    if (next == '"' || next == '[' || next == '.' || next == ' ') return true;
  }
  return false;
}

TEST(Catalog, HasEveryFieldOfTheReference) {
  const std::string list = kShared + "spec/falco-fields.tsv";
  if (!std::filesystem::exists(list)) GTEST_SKIP() << "skipped: no " << list;
  const std::string text = read(list);
  size_t fields = 0;
  for (std::string_view line : split(text, '\n')) {
    const std::string_view name = split(line, '\t')[0];
    if (name.empty() || name == "field") continue;
    ++fields;
    EXPECT_TRUE(catalog().knows(name)) << name;
  }
  EXPECT_GT(fields, 400u);
}

TEST(Catalog, RowsAreComplete) {
  std::set<std::string_view> names;
  for (const FieldClass& group : catalog().classes()) {
    EXPECT_FALSE(group.summary.empty()) << group.name;
    for (const FieldInfo& field : group.fields) {
      EXPECT_TRUE(names.insert(field.name).second) << field.name << " is there twice";
      EXPECT_NE(field.extract, nullptr) << field.name;
      EXPECT_TRUE(field.summary.ends_with('.')) << field.name << ": " << field.summary;
    }
  }
}

TEST(Catalog, DeprecatedFieldsNeverHaveAValue) {
  Arena scratch;
  for (const FieldClass& group : catalog().classes()) {
    for (const FieldInfo& field : group.fields) {
      if (!field.has(filter::kDeprecated | filter::kNotComputed)) continue;
      filter::Values values;
      EXPECT_FALSE(field.extract({.scratch = &scratch}, {}, values)) << field.name;
    }
  }
}

TEST(Catalog, EveryFieldIsTested) {
  const std::string list = kShared + "conformance/falco/fields/FIELDS.txt";
  if (!std::filesystem::exists(list)) GTEST_SKIP() << "skipped: no " << list;
  const std::string golden_text = read(list);
  std::set<std::string_view> golden;
  for (std::string_view line : split(golden_text, '\n'))
    golden.insert(line.substr(0, line.find('[')));
  const std::string tests = all_tests();
  std::vector<std::string_view> untested;
  for (const FieldClass& group : catalog().classes()) {
    for (const FieldInfo& field : group.fields) {
      if (field.has(filter::kDeprecated | filter::kNotComputed)) continue;
      // Of the rows that three lists of containers share one test makes the names.
      if (field.name.starts_with("ka.req.pod.initContainers.") ||
          field.name.starts_with("ka.req.pod.ephemeralContainers."))
        continue;
      if (!golden.contains(field.name) && !is_tested(tests, field.name))
        untested.push_back(field.name);
    }
  }
  // The two prefixes of JSON fields are tested together.
  std::erase_if(untested, [](std::string_view name) {
    return name.starts_with("json.") || name.starts_with("jevt.");
  });
  EXPECT_TRUE(untested.empty()) << join({untested.begin(), untested.end()}, ", ");
}

}  // namespace
}  // namespace saker::fields
