// The reference's filter vectors: what parses, what compiles, and what matches.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/strings.h"
#include "filter/compile.h"
#include "filter/fake_catalog.h"

namespace saker::filter {
namespace {

using Json = nlohmann::json;

constexpr const char* kShared = SAKER_SOURCE_DIR "/../shared/";

std::vector<Json> read_vectors() {
  std::ifstream file(std::string(kShared) + "conformance/falco/filter-vectors.jsonl");
  std::vector<Json> vectors;
  for (std::string line; std::getline(file, line);) vectors.push_back(Json::parse(line));
  return vectors;
}

Type type_of(std::string_view name) {
  static const std::map<std::string_view, Type> types = {
      {"u64", Type::uint64},      {"u32", Type::uint32},  {"i16", Type::int16},
      {"i32", Type::int32},       {"i64", Type::int64},   {"dbl", Type::real},
      {"bool", Type::boolean},    {"port", Type::port},   {"reltime", Type::reltime},
      {"abstime", Type::abstime}, {"bytes", Type::bytes}, {"ip", Type::ip},
      {"net", Type::net},         {"dyn", Type::int64},
  };
  const auto found = types.find(name);
  return found == types.end() ? Type::text : found->second;
}

FieldInfo info_of(std::string_view name, std::string_view type, std::string_view flags) {
  FieldInfo info{.type = type_of(type)};
  if (flags.contains("REQUIRED") || flags.contains("Required")) info.arg = ArgRule::required;
  if (flags.contains("ARG_ALLOWED") || flags.contains("ARG_INDEX")) info.arg = ArgRule::optional;
  if (flags.contains("IS_LIST") || type.contains("(list)")) info.many = Many::list;
  if (name == "fd.ip" || name == "fd.port" || name == "fd.proto" || name == "fd.net")
    info.many = Many::either;
  unsigned bits = 0;
  if (flags.contains("NO_RHS")) bits |= kNoRhs;
  if (flags.contains("NO_TRANSFORMER")) bits |= kNoTransformer;
  if (flags.contains("FILTER_ONLY")) bits |= kFilterOnly;
  if (flags.contains("PRINT_ONLY")) bits |= kPrintOnly;
  info.flags = static_cast<uint16_t>(bits);
  return info;
}

// The reference's fields with their types, and the few that only the vectors have.
const FieldCatalog& reference_catalog() {
  static FakeCatalog fake = [] {
    FakeCatalog rows;
    std::ifstream file(std::string(kShared) + "spec/falco-fields.tsv");
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      const std::vector<std::string_view> columns = split(line, '\t');
      const std::string_view name = columns[0];
      if (name.starts_with("ka.") || name.starts_with("k8smeta.")) continue;
      rows.add(std::string(name), info_of(name, columns[2], columns[3]));
    }
    for (const char* name : {"c.true", "c.false", "c.singlequote", "c.doublequote", "test.path"})
      rows.add(name, {});
    rows.add("c.buffer", {.type = Type::bytes});
    return rows;
  }();
  return fake.get();
}

std::string bytes_of_hex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(*parse_uint("0x" + std::string(hex.substr(i, 2))));
  return bytes;
}

void set_text_field(FakeEvent& event, const std::string& field, std::string value) {
  static const std::string kRendered = "rendered text of ";
  static const std::string kBytes = "bytes hex ";
  if (value.starts_with(kRendered)) value = value.substr(kRendered.size());
  if (value.starts_with(kBytes)) value = bytes_of_hex(value.substr(kBytes.size()));
  if (value == "every check true") value = "1";
  if (value == "every check false") value = "0";
  event.set_text(field, {value});
}

FakeEvent event_of(const Json& fields) {
  FakeEvent event;
  event.set_integer("evt.num", {1});
  for (const auto& [name, value] : fields.items()) {
    std::string field = name;
    for (const std::string prefix : {"evt.arg.", "evt.rawarg."})
      if (name.starts_with(prefix))
        field = prefix.substr(0, prefix.size() - 1) + "[" + name.substr(prefix.size()) + "]";
    if (value.is_number()) {
      event.set_integer(field, {value.get<int64_t>()});
    } else if (name != "note" && name != "fd.cip" && name != "fd.sip") {
      set_text_field(event, field, value);
    }
  }
  if (fields.contains("fd.cip")) {
    const std::string client = fields["fd.cip"];
    const std::string server = fields["fd.sip"];
    for (const char* field : {"fd.ip", "fd.net"}) event.set_ip(field, {client, server});
    for (const char* field : {"fd.cip", "fd.rip", "fd.cnet", "fd.rnet"})
      event.set_ip(field, {client});
    for (const char* field : {"fd.sip", "fd.lip", "fd.snet", "fd.lnet"})
      event.set_ip(field, {server});
  }
  return event;
}

class Vectors : public testing::Test {
 protected:
  void SetUp() override {
    vectors_ = read_vectors();
    if (vectors_.empty()) GTEST_SKIP() << "no shared folder";
  }
  std::vector<Json> of_kinds(const std::set<std::string>& kinds) const {
    std::vector<Json> found;
    for (const Json& vector : vectors_)
      if (kinds.contains(vector["kind"])) found.push_back(vector);
    return found;
  }
  std::vector<Json> vectors_;
};

TEST_F(Vectors, Parse) {
  const std::vector<Json> vectors = of_kinds({"parse"});
  EXPECT_EQ(vectors.size(), 324u);
  for (const Json& vector : vectors) {
    const std::string text = vector["filter"];
    const Result<Node> node = parse(text);
    EXPECT_EQ(node.ok(), vector["expect"] == "accept") << text;
    if (!node.ok()) {
      const std::string wanted = vector.value("error", "");
      EXPECT_TRUE(node.error().message.contains(wanted)) << text << ": " << node.error().message;
      EXPECT_GE(node.error().position.line, 1u) << text;
      EXPECT_LE(node.error().position.offset, text.size()) << text;
      continue;
    }
    const std::string again = to_text(*node);
    const Result<Node> second = parse(again);
    ASSERT_TRUE(second.ok()) << again << ": " << second.error().message;
    EXPECT_EQ(to_text(*second), again) << text;
  }
}

TEST_F(Vectors, Compile) {
  const std::vector<Json> vectors = of_kinds({"compile"});
  EXPECT_EQ(vectors.size(), 232u);
  for (const Json& vector : vectors) {
    const std::string text = vector["filter"];
    const Result<Node> node = parse(text);
    if (!node) {
      EXPECT_TRUE(vector["expect"] == "reject") << text << ": " << node.error().message;
      continue;
    }
    const Result<CompiledFilter> filter =
        compile(*node, reference_catalog(), {.source = "", .in_rule = false});
    EXPECT_EQ(filter.ok(), vector["expect"] == "accept")
        << text << ": " << (filter.ok() ? "" : filter.error().message);
    if (!filter.ok() || !vector.contains("warnings")) continue;
    EXPECT_EQ(filter->warnings.size(), vector["warnings"].get<size_t>()) << text;
  }
}

TEST_F(Vectors, Evaluate) {
  const std::vector<Json> vectors = of_kinds({"eval", "boolean", "pmatch"});
  EXPECT_EQ(vectors.size(), 166u);
  Arena scratch;
  for (const Json& vector : vectors) {
    const std::string text = vector["filter"];
    const Result<Node> node = parse(text);
    ASSERT_TRUE(node.ok()) << text << ": " << node.error().message;
    const Result<CompiledFilter> filter =
        compile(*node, reference_catalog(), {.source = "", .in_rule = false});
    ASSERT_TRUE(filter.ok()) << text << ": " << filter.error().message;
    const FakeEvent event = event_of(vector["fields"]);
    scratch.reset();
    EXPECT_EQ(matches(filter->root, event.context(scratch)), vector["expect"] == "match") << text;
  }
}

TEST_F(Vectors, Unescape) {
  const std::vector<Json> vectors = of_kinds({"unescape"});
  EXPECT_EQ(vectors.size(), 6u);
  for (const Json& vector : vectors) {
    const std::string text = vector["filter"];
    const Result<std::string> value = unescape(text);
    EXPECT_EQ(value.ok() ? *value : "reject", vector["expect"].get<std::string>()) << text;
  }
}

}  // namespace
}  // namespace saker::filter
