// Loading of rules files beyond the vectors: places, hints, order, selections, several files,
// hostile input and speed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "formats/json.h"
#include "rules/fake_catalog.h"
#include "rules/ruleset.h"

namespace saker::rules {
namespace {

namespace fs = std::filesystem;

class Loader : public testing::Test {
 protected:
  void SetUp() override {
    if (catalog() == nullptr) GTEST_SKIP() << "skipped: no conformance folder";
  }
  static const filter::FieldCatalog* catalog() {
    static const auto fake = FakeCatalog::read(SAKER_SOURCE_DIR "/../shared/spec/falco-fields.tsv");
    return fake == nullptr ? nullptr : &fake->catalog();
  }
  LoadResult load_texts(const std::vector<std::string>& texts, LoadOptions options = {}) {
    std::vector<RulesText> files;
    for (const std::string& text : texts)
      files.push_back({.name = "f" + std::to_string(files.size()) + ".yaml", .text = text});
    options.catalog = catalog();
    return load(files, options);
  }
  // The one error of a text.
  Problem error_of(const std::string& text) {
    const LoadResult result = load_texts({text});
    if (result.reports.empty() || result.reports.back().errors.size() != 1) {
      ADD_FAILURE() << "no error in\n" << text;
      return {};
    }
    return result.reports.back().errors[0];
  }
  static std::string rule(std::string_view name, std::string_view condition,
                          std::string_view more = "") {
    return "- rule: " + std::string(name) + "\n  desc: d\n  condition: " + std::string(condition) +
           "\n  output: o\n  priority: INFO\n" + std::string(more);
  }
  static std::string place(const Problem& problem) {
    const Location& location = problem.context.back();
    return std::to_string(location.line + 1) + ":" + std::to_string(location.column + 1);
  }
  static std::vector<std::string> names(const LoadResult& result, bool enabled_only = false) {
    std::vector<std::string> out;
    for (const Rule& item : result.set.rules)
      if (item.enabled || !enabled_only) out.push_back(item.name);
    return out;
  }
};

using Names = std::vector<std::string>;

TEST_F(Loader, PlacesOfErrorsInPlainText) {
  const Problem problem = error_of(rule("r", "evt.type = open and proc.nam = cat"));
  EXPECT_EQ(problem.code, "LOAD_ERR_COMPILE_CONDITION");
  EXPECT_EQ(place(problem), "3:34");
  EXPECT_EQ(problem.hint, "did you mean proc.name?");
  EXPECT_EQ(problem.snippet,
            "  condition: evt.type = open and proc.nam = cat\n"
            "                                 ^\n");
}

TEST_F(Loader, PlacesOfErrorsInFoldedAndBlockText) {
  EXPECT_EQ(place(error_of(rule("r", ">\n    evt.type = open\n      and\n    proc.nam = cat"))),
            "6:5");
  EXPECT_EQ(place(error_of(rule("r", "|\n    evt.type = open and\n    proc.nam = cat"))), "5:5");
  EXPECT_EQ(place(error_of(rule("r", "\"evt.type = open and \\\"proc.nam\\\" = cat\""))), "3:35");
  EXPECT_EQ(place(error_of(rule("r", "'evt.type = open and proc.name = ''it'' and proc.x = 1'"))),
            "3:58");
  EXPECT_EQ(place(error_of(rule("r", "evt.type = open and\n    proc.nam = cat"))), "4:5");
}

TEST_F(Loader, PlacesOfErrorsInMacrosListsExceptionsAndAppends) {
  const std::string list = "- list: l\n  items: [aaaaaaaaaaaaaa, bbbbbbbbbbbb, 'c d']\n";
  EXPECT_EQ(place(error_of(list + rule("r", "evt.type=open and proc.name in (l) and proc.nam=1"))),
            "5:53");
  const std::string macro = "- macro: m\n  condition: fd.nam = x\n";
  const Problem in_macro = error_of(macro + rule("r", "evt.type = open and m"));
  EXPECT_EQ(place(in_macro), "2:14");
  EXPECT_EQ(in_macro.context[1].item_name, "r");
  EXPECT_EQ(in_macro.context[2].item_name, "m");
  EXPECT_EQ(place(error_of(rule("r", "evt.type = open",
                                "  exceptions:\n  - name: e\n    fields: [fd.num]\n"
                                "    values:\n    - [x]\n"))),
            "8:14");
  EXPECT_EQ(place(error_of(rule("r", "evt.type = open") +
                           "- rule: r\n  condition: and proc.nam = x\n  override: {condition: "
                           "append}\n")),
            "7:18");
}

TEST_F(Loader, SyntaxErrors) {
  const Problem problem = error_of("- rule: x\n  desc: [a\n");
  EXPECT_EQ(problem.code, "LOAD_ERR_YAML_PARSE");
  EXPECT_EQ(place(problem), "3:1");
  EXPECT_EQ(place(error_of(rule("r", "evt.type = open and and proc.name = x"))), "3:38");
}

TEST_F(Loader, Suggestions) {
  const std::string macro = "- macro: open_write\n  condition: evt.type = open\n";
  EXPECT_EQ(error_of(macro + rule("r", "open_wirte")).hint, "did you mean 'open_write'?");
  const std::string list = "- list: shell_binaries\n  items: [sh]\n";
  EXPECT_EQ(error_of(list + rule("r", "shell_binarys")).hint, "did you mean 'shell_binaries'?");
  EXPECT_EQ(error_of(rule("r", "evt.type = openatt")).hint, "did you mean openat?");
  EXPECT_EQ(error_of(rule("some rule", "evt.type = open") +
                     "- rule: some rul\n  condition: or evt.type = close\n  append: true\n")
                .hint,
            "did you mean 'some rule'?");
  const LoadResult unused =
      load_texts({list + rule("r", "evt.type = open and proc.name in (shell_binarys)")});
  ASSERT_EQ(unused.reports[0].warnings.size(), 1u);
  EXPECT_NE(unused.reports[0].warnings[0].hint.find("shell_binarys"), std::string::npos);
  const LoadResult key = load_texts({rule("r", "evt.type = open", "  tag: [x]\n")});
  ASSERT_EQ(key.reports[0].warnings.size(), 1u);
  EXPECT_EQ(key.reports[0].warnings[0].code, "LOAD_UNKNOWN_KEY");
  EXPECT_EQ(key.reports[0].warnings[0].hint, "did you mean 'tags'?");
}

TEST_F(Loader, Warnings) {
  auto codes = [&](const std::string& text) {
    std::string out;
    const LoadResult result = load_texts({text});
    EXPECT_TRUE(result.ok()) << to_text(result.reports[0], true);
    for (const Problem& warning : result.reports[0].warnings) out += warning.code + " ";
    return out;
  };
  EXPECT_EQ(codes(rule("r", "evt.type = open and evt.dir = < and evt.dir = <")),
            "LOAD_DEPRECATED_ITEM ");
  EXPECT_EQ(codes(rule("r", "ka.verb = \"<NA>\" and ka.uri in (x, <NA>)", "  source: k8s_audit\n")),
            "LOAD_UNSAFE_NA_CHECK ");
  EXPECT_EQ(codes(rule("r", "evt.type = open and proc.name = \"<NA>\"")), "");
  EXPECT_EQ(codes(rule("r", "evt.type != open")), "LOAD_NO_EVTTYPE ");
  EXPECT_EQ(codes(rule("r", "evt.type = open and proc.name = proc.pname")),
            "LOAD_COMPILE_CONDITION ");
  EXPECT_EQ(codes("- what: x\n"), "LOAD_UNKNOWN_ITEM ");
  EXPECT_EQ(codes("- list: l\n  items: []\n- macro: m\n  condition: evt.num = 0\n"),
            "LOAD_UNUSED_MACRO LOAD_UNUSED_LIST ");
  EXPECT_EQ(codes(rule("r", "evt.type = open") + "- rule: r\n  enabled: false\n"),
            "LOAD_DEPRECATED_ITEM ");
  std::string with_info = rule("r", "evt.type = open");
  with_info.replace(with_info.find("output: o"), 9, "output: a %container.info b");
  EXPECT_EQ(codes(with_info), "LOAD_DEPRECATED_ITEM ");
}

TEST_F(Loader, ErrorsOfStructure) {
  auto error = [&](const std::string& text) {
    const Problem problem = error_of(text);
    return problem.code.substr(9) + ": " + problem.message;
  };
  EXPECT_EQ(error("- x\n"),
            "YAML_VALIDATE: Unexpected element type. Each element should be a yaml associative "
            "array.");
  EXPECT_EQ(error("- rule: r\n  condition: a.b = 1\n"),
            "YAML_VALIDATE: Item has no mapping for key 'output'");
  EXPECT_EQ(error("- rule: r\n  tags: [x]\n"),
            "YAML_VALIDATE: Item has no mapping for key 'enabled'");
  EXPECT_EQ(error("- rule: r\n  enabled: true\n"),
            "VALIDATE: Rule has 'enabled' key but no rule by that name already exists");
  EXPECT_EQ(error("- list: l\n"), "YAML_VALIDATE: Item has no mapping for key 'items'");
  EXPECT_EQ(error("- list: l\n  items: x\n"), "YAML_VALIDATE: Value is not a sequence");
  EXPECT_EQ(error("- list: l\n  items: [[x]]\n"), "YAML_VALIDATE: sequence value is not scalar");
  EXPECT_EQ(error("- macro: m\n  condition: ''\n"), "YAML_VALIDATE: Value must be non-empty");
  EXPECT_EQ(error("- macro: m\n  condition:\n"),
            "YAML_VALIDATE: Mapping for key 'condition' is empty");
  EXPECT_EQ(error("- macro: m\n  condition: [a]\n"), "YAML_VALIDATE: Value is not a scalar value");
  EXPECT_EQ(error(rule("r", "evt.type = open", "  enabled: foo\n")),
            "YAML_VALIDATE: Can't decode YAML scalar value");
  EXPECT_EQ(error("- required_engine_version: 0.99.0\n"),
            "VALIDATE: Rules require engine version 0.99.0, but engine version is 0.63.0");
  EXPECT_EQ(error("- required_plugin_versions:\n  - name: cloudtrail\n    version: 0.1.0\n"),
            "VALIDATE: Plugin requirement not satisfied, must load one of: cloudtrail (>= 0.1.0)");
  EXPECT_EQ(error("- required_plugin_versions:\n  - name: json\n    version: x\n"),
            "VALIDATE: Invalid required version 'x' for plugin 'json'");
  EXPECT_EQ(error(rule("r", "evt.type = open") +
                  "- rule: r\n  priority: INFO\n  override: {priority: append}\n"),
            "YAML_VALIDATE: Key 'priority' cannot be appended to, use 'replace' instead");
  EXPECT_EQ(
      error(rule("r", "evt.type = open") + "- rule: r\n  override: {desc: replace}\n"),
      "YAML_VALIDATE: An replace override for 'desc' was specified but 'desc' is not defined");
  EXPECT_EQ(error("- macro: b\n  condition: a\n- macro: a\n  condition: evt.num = 1\n"),
            "VALIDATE: Undefined macro 'a' used in filter.");
  EXPECT_EQ(error("- macro: a\n  condition: evt.num = 1\n- macro: b\n  condition: a\n"
                  "- macro: a\n  condition: b\n"),
            "VALIDATE: reference loop in macro 'a'");
}

TEST_F(Loader, PluginsThatArePartOfSakerCount) {
  EXPECT_TRUE(load_texts({"- required_plugin_versions:\n  - name: k8saudit\n    version: 0.7.0\n"
                          "    alternatives:\n    - name: k8saudit-eks\n      version: 0.4.0\n"
                          "  - name: json\n    version: 9.9.9\n  - name: container\n"
                          "    version: 0.4.0\n"})
                  .ok());
}

TEST_F(Loader, RulesKeepTheirPlaceAndSelectionsMoveThem) {
  const std::string text = rule("a", "evt.type = open", "  tags: [x, y]\n") +
                           rule("b", "evt.type = open", "  enabled: false\n  tags: [y]\n") +
                           rule("c", "evt.type = open") + rule("a", "evt.type = close");
  EXPECT_EQ(names(load_texts({text})), (Names{"a", "b", "c"}));
  LoadOptions options;
  options.selections = {{.enable = false, .rule_glob = "*", .tag = ""},
                        {.enable = true, .rule_glob = "", .tag = "y"},
                        {.enable = true, .rule_glob = "a*", .tag = ""}};
  EXPECT_EQ(names(load_texts({text}, options), true), (Names{"b", "a"}));
  options.selections = {{.enable = false, .rule_glob = "?", .tag = ""}};
  EXPECT_EQ(names(load_texts({text}, options), true), (Names{"a", "c"}));
}

TEST_F(Loader, LowPrioritiesAreLeftOut) {
  LoadOptions options;
  options.minimum_priority = finding::Severity::warning;
  const std::string text = "- macro: m\n  condition: evt.type = open\n" + rule("a", "m");
  const LoadResult result = load_texts({text}, options);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result.set.rules.empty());
  ASSERT_EQ(result.reports[0].warnings.size(), 1u);
  EXPECT_EQ(result.reports[0].warnings[0].code, "LOAD_UNUSED_MACRO");
}

TEST_F(Loader, LaterFilesChangeEarlierRules) {
  const std::string base = "- list: l\n  items: [a]\n- macro: m\n  condition: proc.name in (l)\n" +
                           rule("r", "evt.type = open and m") + rule("s", "evt.type = close");
  const std::string more =
      "- list: l\n  items: [b]\n  override: {items: append}\n"
      "- rule: s\n  enabled: false\n  override: {enabled: replace}\n";
  const LoadResult result = load_texts({base, more, "- list: unused\n  items: []\n"});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(filter::to_text(result.set.rules[0].condition),
            "(evt.type = open and proc.name in (a, b))");
  EXPECT_FALSE(result.set.rules[1].enabled);
  EXPECT_TRUE(result.reports[0].warnings.empty());
  EXPECT_TRUE(result.reports[1].warnings.empty());
  EXPECT_EQ(result.reports[2].warnings.size(), 1u);
  EXPECT_EQ(result.set.rules[0].lists, Names{"l"});
  EXPECT_EQ(result.set.rules[0].macros, Names{"m"});
  EXPECT_EQ(result.set.rules[0].fields, (Names{"evt.type", "proc.name"}));
}

TEST_F(Loader, WarningsOfEarlierFilesComeAgain) {
  const LoadResult result = load_texts({rule("r", "proc.name = x"), rule("s", "evt.type = open")});
  ASSERT_EQ(result.reports.size(), 2u);
  ASSERT_EQ(result.reports[1].warnings.size(), 1u);
  EXPECT_EQ(result.reports[1].warnings[0].context.back().file, "f0.yaml");
}

TEST_F(Loader, ReportsForPeopleAreWithoutRepetitions) {
  const std::string lists = "- list: used\n  items: [a]\n- list: unused\n  items: [a]\n";
  const LoadResult result =
      load_texts({lists + rule("r", "proc.name = x"), "- macro: m\n  condition: evt.num = 1\n",
                  rule("s", "evt.type = open and proc.name in (used)")});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.reports[0].warnings.size(), 3u);
  EXPECT_EQ(result.reports[1].warnings.size(), 4u);
  EXPECT_EQ(result.reports[2].warnings.size(), 3u);
  const auto reports = without_repetitions(result.reports);
  ASSERT_EQ(reports[0].warnings.size(), 2u);
  EXPECT_EQ(reports[0].warnings[0].code, "LOAD_NO_EVTTYPE");
  EXPECT_EQ(reports[0].warnings[1].context.back().item_name, "unused");
  ASSERT_EQ(reports[1].warnings.size(), 1u);
  EXPECT_EQ(reports[1].warnings[0].code, "LOAD_UNUSED_MACRO");
  EXPECT_TRUE(reports[2].warnings.empty());
  EXPECT_TRUE(without_repetitions({}).empty());
}

TEST_F(Loader, StopsAtTheFirstInvalidFile) {
  const LoadResult result = load_texts({rule("a", "evt.type = open"), "- x\n", "- y\n"});
  EXPECT_EQ(result.reports.size(), 2u);
  EXPECT_FALSE(result.ok());
  EXPECT_TRUE(result.set.rules.empty());
}

TEST_F(Loader, Bursts) {
  const LoadResult result = load_texts(
      {rule("r", "evt.type = open",
            "  burst: {count: 20, seconds: 10, by: [proc.pid, user.name], distinct: fd.name}\n")});
  ASSERT_TRUE(result.ok()) << to_text(result.reports[0], true);
  ASSERT_TRUE(result.set.rules[0].burst.has_value());
  EXPECT_EQ(result.set.rules[0].burst->count, 20u);
  EXPECT_EQ(result.set.rules[0].burst->seconds, 10u);
  ASSERT_EQ(result.set.rules[0].burst->by.size(), 2u);
  EXPECT_EQ(result.set.rules[0].burst->by[1].text, "user.name");
  EXPECT_EQ(result.set.rules[0].burst->distinct->text, "fd.name");
  EXPECT_EQ(error_of(rule("r", "evt.type = open", "  burst: {count: 3, by: proc.pidd}\n")).hint,
            "did you mean 'proc.pid'?");
  EXPECT_EQ(error_of(rule("r", "evt.type = open", "  burst: {seconds: 3}\n")).code,
            "LOAD_ERR_YAML_VALIDATE");
}

TEST_F(Loader, Reports) {
  const LoadResult bad = load_texts({rule("r", "evt.type = open and proc.nam = \"\xc3\xa4\"")});
  EXPECT_EQ(to_text(bad.reports[0], true),
            "f0.yaml: Invalid\n"
            "1 Errors:\n"
            "In rules content: (f0.yaml:1:1)\n"
            "    rule 'r': (f0.yaml:1:3)\n"
            "    condition expression: (f0.yaml:3:34)\n"
            "------\n"
            "  condition: evt.type = open and proc.nam = \"\xc3\xa4\"\n"
            "                                 ^\n"
            "------\n"
            "LOAD_ERR_COMPILE_CONDITION (Error compiling condition): " +
                bad.reports[0].errors[0].message +
                "\n"
                "hint: did you mean proc.name?\n");
  EXPECT_EQ(to_text(bad.reports[0], false),
            "f0.yaml: Invalid\n 1 errors: [LOAD_ERR_COMPILE_CONDITION (Error compiling "
            "condition)]\n");
  const LoadResult good = load_texts({rule("r", "evt.type = open")});
  EXPECT_EQ(to_text(good.reports[0], true), "f0.yaml: Ok\n");
  EXPECT_EQ(to_json(good.reports),
            "{\"falco_load_results\":[{\"errors\":[],\"name\":\"f0.yaml\",\"successful\":true,"
            "\"warnings\":[]}]}");
  const auto json = formats::parse_json(to_json(bad.reports));
  ASSERT_TRUE(json.ok());
  const formats::JsonNode& error =
      json->find("falco_load_results")->items[0].find("errors")->items[0];
  EXPECT_EQ(error.text_of("code"), "LOAD_ERR_COMPILE_CONDITION");
  const formats::JsonNode& last = error.find("context")->find("locations")->items[2];
  EXPECT_EQ(last.text_of("item_type"), "condition expression");
  EXPECT_EQ(last.find("position")->int_of("line"), 2);
  EXPECT_EQ(last.find("position")->int_of("column"), 33);
  EXPECT_EQ(last.find("position")->int_of("offset"), 53);
}

TEST_F(Loader, HostileConditions) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(error_of(rule("r", std::string(5000, '(') + "evt.num=1" + std::string(5000, ')'))).code,
            "LOAD_ERR_COMPILE_CONDITION");
  std::string nots;
  for (int i = 0; i < 5000; ++i) nots += "not (";
  EXPECT_EQ(error_of(rule("r", nots + "evt.num=1" + std::string(5000, ')'))).code,
            "LOAD_ERR_COMPILE_CONDITION");
  std::string large = "evt.type = open and proc.name in (";
  while (large.size() < 10'000'000) large += "some_program_name, ";
  EXPECT_TRUE(load_texts({rule("r", large + "x)")}).ok());
  std::string list = "- list: l\n  items: [";
  for (int i = 0; i < 100'000; ++i) list += "item" + std::to_string(i) + ", ";
  const LoadResult result =
      load_texts({list + "x]\n" + rule("r", "evt.type = open and proc.name in (l)")});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.set.rules[0].condition.children.at(1).values.size(), 100'001u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST_F(Loader, MacroBombs) {
  std::string doubling = "- macro: m0\n  condition: evt.num = 1\n";
  std::string chain = doubling;
  for (int i = 1; i < 80; ++i) {
    const std::string last = "m" + std::to_string(i - 1);
    doubling += "- macro: m" + std::to_string(i) + "\n  condition: " + last + " or " + last + "\n";
  }
  EXPECT_EQ(error_of(doubling + rule("r", "m79")).code, "LOAD_ERR_COMPILE_CONDITION");
  for (int i = 1; i < 5000; ++i)
    chain +=
        "- macro: m" + std::to_string(i) + "\n  condition: not m" + std::to_string(i - 1) + "\n";
  EXPECT_EQ(error_of(chain).message, "macros nest too deeply");
}

TEST_F(Loader, EverythingTruncated) {
  std::string text = "- list: l\n  items: [a, b]\n- macro: m\n  condition: proc.name in (l)\n" +
                     rule("r", "evt.type = open and m",
                          "  exceptions:\n  - {name: e, fields: [fd.name], values: [[x]]}\n");
  for (size_t size = 0; size < text.size(); ++size) {
    const LoadResult result = load_texts({text.substr(0, size)});
    ASSERT_EQ(result.reports.size(), 1u);
    to_json(result.reports);
    for (const Problem& problem : result.reports[0].errors) EXPECT_FALSE(problem.context.empty());
  }
}

class Folder : public Loader {
 protected:
  void SetUp() override {
    Loader::SetUp();
    folder_ = fs::temp_directory_path() / ("saker-rules-" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "sub.yaml");
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  fs::path folder_;
};

TEST_F(Folder, FilesOfAFolderAreSorted) {
  write("b.yaml", "b");
  write("a.yml", "a");
  write("c.txt", "c");
  write(".yaml", "dot");
  fs::create_symlink("b.yaml", folder_ / "z.yaml");
  const auto read = read_rules_files({folder_.string()});
  ASSERT_TRUE(read.ok()) << read.error().to_text();
  std::string texts;
  for (const RulesText& text : *read) texts += text.text + " ";
  EXPECT_EQ(texts, "a b b ");
  EXPECT_FALSE(read_rules_files({(folder_ / "missing.yaml").string()}).ok());
  EXPECT_FALSE(read_rules_files({(folder_ / "c.txt").string()}).ok());
  EXPECT_FALSE(read_rules_files({}).ok());
}

TEST_F(Folder, AFileIsNeverHalfOfTwo) {
  const std::string path = (folder_ / "rules.yaml").string();
  const std::string one(1'000'000, 'a'), two(1'500'000, 'b');
  write("rules.yaml", one);
  std::jthread writer([&](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i) {
      std::ofstream(folder_ / "new") << (i % 2 == 0 ? two : one);
      fs::rename(folder_ / "new", path);
    }
  });
  for (int i = 0; i < 50; ++i) {
    const auto read = read_rules_files({path});
    if (!read.ok()) {
      EXPECT_EQ(read.error().code, Code::busy) << read.error().to_text();
      continue;
    }
    EXPECT_TRUE(read->at(0).text == one || read->at(0).text == two);
  }
}

TEST_F(Loader, Speed) {
  std::ifstream file(SAKER_SOURCE_DIR "/../shared/conformance/falco/rules/falco_rules.yaml");
  if (!file) GTEST_SKIP() << "skipped: no conformance folder";
  std::stringstream stream;
  stream << file.rdbuf();
  std::string generated;
  for (int i = 0; i < 1000; ++i) {
    const std::string n = std::to_string(i);
    if (i % 10 == 0)
      generated += "- list: list_" + n + "\n  items: [alpha" + n + ", beta, gamma, delta]\n" +
                   "- macro: macro_" + n + "\n  condition: (proc.name in (list_" + n +
                   ") or proc.pname startswith x" + n + ")\n";
    const std::string near = std::to_string(i - i % 10);
    generated += rule("rule " + n,
                      "evt.type in (open, openat, openat2) and evt.is_open_write = "
                      "true and macro_" +
                          near + " and not fd.name startswith /tmp/" + n +
                          " and not container.id = host and user.uid != 0",
                      "  tags: [a, b]\n");
  }
  auto best_of = [&](const std::string& text, size_t rules) {
    double best = 1e9;
    for (int i = 0; i < 5; ++i) {
      const auto start = std::chrono::steady_clock::now();
      const LoadResult result = load_texts({text});
      best = std::min(
          best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
                    .count());
      EXPECT_TRUE(result.ok());
      EXPECT_EQ(result.set.rules.size(), rules);
    }
    return best;
  };
  std::printf("25 stable rules: %.2f ms\n", best_of(stream.str(), 25));
  std::printf("1,000 rules: %.1f ms\n", best_of(generated, 1000));
}

}  // namespace
}  // namespace saker::rules
