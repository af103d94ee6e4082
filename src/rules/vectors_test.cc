// Rules files with what the reference makes of them.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "formats/json.h"
#include "rules/fake_catalog.h"
#include "rules/ruleset.h"

namespace saker::rules {
namespace {

constexpr const char* kVectors =
    SAKER_SOURCE_DIR "/../shared/conformance/falco/rule-load-vectors.jsonl";
constexpr const char* kStockRules =
    SAKER_SOURCE_DIR "/../shared/conformance/falco/rules/falco_rules.yaml";
constexpr const char* kFields = SAKER_SOURCE_DIR "/../shared/spec/falco-fields.tsv";

// A condition without what its rendering may differ in.
std::string bare(std::string_view condition) {
  std::string out;
  for (char c : condition)
    if (!std::string_view(" \t\n()\"'").contains(c)) out += c;
  return out;
}

std::string all_text(const LoadResult& result) {
  std::string text;
  for (const FileReport& report : result.reports) text += to_text(report, true);
  return text;
}

bool has_message(const std::vector<Problem>& problems, const std::string& part) {
  for (const Problem& problem : problems)
    if (problem.message.find(part) != std::string::npos) return true;
  return false;
}

bool has_warning(const std::vector<Problem>& problems, const formats::JsonNode& wanted) {
  for (const Problem& problem : problems) {
    if (problem.code != wanted.text_of("code")) continue;
    if (wanted.find("message") != nullptr && problem.message != wanted.text_of("message")) continue;
    for (const Location& location : problem.context)
      if (location.item_type == wanted.text_of("item_type") &&
          (wanted.find("item_name") == nullptr ||
           location.item_name == wanted.text_of("item_name")))
        return true;
  }
  return false;
}

class Vector {
 public:
  Vector(const formats::JsonNode& node, const filter::FieldCatalog& catalog) : node_(node) {
    const formats::JsonNode& yaml = *node.find("rules_yaml");
    if (yaml.is_text()) files_.push_back({"rules.yaml", yaml.text});
    for (const formats::JsonNode& text : yaml.items)
      files_.push_back({"rules" + std::to_string(files_.size()) + ".yaml", text.text});
    result_ = load(files_, {.catalog = &catalog});
    for (const FileReport& report : result_.reports) {
      errors_.insert(errors_.end(), report.errors.begin(), report.errors.end());
      warnings_.insert(warnings_.end(), report.warnings.begin(), report.warnings.end());
    }
  }

  void check() const {
    SCOPED_TRACE(node_.text_of("source") + "\n" + files_.back().text + all_text(result_));
    EXPECT_EQ(result_.ok(), node_.text_of("expect") == "ok");
    if (!result_.ok()) {
      EXPECT_EQ(errors_.size(), 1u);
    }
    if (node_.find("error_code") != nullptr && !errors_.empty()) {
      EXPECT_EQ(errors_[0].code, node_.text_of("error_code"));
    }
    for (const std::string& part : texts("error_contains")) EXPECT_TRUE(has_message(errors_, part));
    for (const std::string& part : texts("warning_contains"))
      EXPECT_TRUE(has_message(warnings_, part)) << part;
    for (const std::string& part : texts("no_warning_contains"))
      EXPECT_FALSE(has_message(warnings_, part)) << part;
    if (node_.find("warnings") != nullptr) {
      EXPECT_EQ(static_cast<int64_t>(warnings_.size()), node_.int_of("warnings"));
    }
    if (const formats::JsonNode* wanted = node_.find("warnings_list")) {
      for (const formats::JsonNode& warning : wanted->items)
        EXPECT_TRUE(has_warning(warnings_, warning)) << warning.text_of("code");
    }
    if (const formats::JsonNode* wanted = node_.find("compiled_condition"))
      for (const auto& [rule, condition] : wanted->members) check_condition(rule, condition.text);
  }

 private:
  std::vector<std::string> texts(std::string_view key) const {
    std::vector<std::string> result;
    if (const formats::JsonNode* list = node_.find(key))
      for (const formats::JsonNode& item : list->items) result.push_back(item.text);
    return result;
  }
  void check_condition(const std::string& name, const std::string& wanted) const {
    for (const Rule& rule : result_.set.rules) {
      if (rule.name != name) continue;
      EXPECT_EQ(bare(filter::to_text(rule.condition)), bare(wanted));
      return;
    }
    ADD_FAILURE() << "no rule " << name;
  }

  const formats::JsonNode& node_;
  std::vector<RulesText> files_;
  LoadResult result_;
  std::vector<Problem> errors_, warnings_;
};

TEST(RuleLoadVectors, AllAreMet) {
  const auto fake = FakeCatalog::read(kFields);
  std::ifstream file(kVectors);
  if (!file || fake == nullptr) GTEST_SKIP() << "skipped: no conformance folder";
  size_t count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const auto node = formats::parse_json(line);
    ASSERT_TRUE(node.ok());
    Vector(*node, fake->catalog()).check();
  }
  EXPECT_GT(count, 70u);
}

TEST(StockRules, LoadWithoutComplaint) {
  const auto fake = FakeCatalog::read(kFields);
  std::ifstream file(kStockRules);
  if (!file || fake == nullptr) GTEST_SKIP() << "skipped: no conformance folder";
  std::stringstream text;
  text << file.rdbuf();
  const std::vector<RulesText> files = {{"falco_rules.yaml", text.str()}};
  const LoadResult result = load(files, {.catalog = &fake->catalog()});
  ASSERT_TRUE(result.ok()) << all_text(result);
  EXPECT_EQ(result.set.rules.size(), 25u);
  for (const Problem& warning : result.reports[0].warnings) {
    EXPECT_TRUE(warning.code == "LOAD_UNUSED_MACRO" || warning.code == "LOAD_UNUSED_LIST")
        << warning.code << " " << warning.message;
  }
  EXPECT_EQ(result.set.required_engine_version, "0.57.0");
}

}  // namespace
}  // namespace saker::rules
