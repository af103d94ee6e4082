#include "filter/output_template.h"

#include <tuple>

#include "event/event.h"
#include "filter/testing.h"

namespace saker::filter {
namespace {

OutputTemplate make(std::string_view text) {
  Result<OutputTemplate> made = OutputTemplate::compile(text, small_catalog(), "syscall");
  EXPECT_TRUE(made.ok()) << text << ": " << (made.ok() ? "" : made.error().to_text());
  return made.ok() ? std::move(*made) : OutputTemplate();
}

Error template_error(std::string_view text) {
  Result<OutputTemplate> made = OutputTemplate::compile(text, small_catalog(), "syscall");
  EXPECT_FALSE(made.ok()) << text;
  return made.ok() ? Error{} : std::move(made).error();
}

FakeEvent full_event() {
  FakeEvent event;
  event.set_text("proc.name", {"bash"});
  event.set_text("evt.type", {"open"});
  event.set_text("evt.arg[flags]", {"O_RDONLY"});
  event.set_text("proc.aname", {"sh", "init"});
  event.set_text("proc.aname[2]", {"init"});
  event.set_text("fd.types", {"file", "ipv4"});
  event.set_text("evt.buffer", {std::string("a\0\nb\xff", 5)});
  event.set_integer("proc.pid", {-7});
  event.set_integer("fd.mode", {0644});
  event.set_integer("fd.flags", {-1});
  event.set_integer("fd.frac", {42});
  event.set_real("thread.cpu", 2.25);
  event.set_boolean("evt.is_io", true);
  event.set_ip("fd.sip", {"2001:db8::1"});
  event.set_text("evt.time", {"10:00:00"});
  return event;
}

std::string render(std::string_view text) {
  const FakeEvent event = full_event();
  Arena scratch;
  std::string out = "old";
  EXPECT_TRUE(make(text).render(event.context(scratch), out));
  return out;
}

TEST(OutputTemplate, TailIsLeftOutWhenItsFieldSaysSo) {
  for (const auto& [absent_when, expected, fields] :
       {std::tuple("sh", "open name=bash pid=-7", 3U), std::tuple("bash", "open", 1U)}) {
    OutputTemplate output = make("%evt.type");
    ASSERT_TRUE(output
                    .append({.text = " name=%proc.name pid=%proc.pid",
                             .field = "proc.name",
                             .absent_when = absent_when},
                            small_catalog(), "syscall")
                    .ok());
    const FakeEvent event = full_event();
    Arena scratch;
    std::string text;
    EXPECT_TRUE(output.render(event.context(scratch), text, true));
    EXPECT_EQ(text, expected);
    std::string joined;
    for (const std::string& piece : output.render_pieces(event.context(scratch))) joined += piece;
    EXPECT_EQ(joined, expected);
    std::vector<finding::NamedValue> values;
    output.collect(event.context(scratch), values);
    EXPECT_EQ(values.size(), fields);
  }
}

TEST(OutputTemplate, FillsInTokens) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {"plain", "plain"},
      {"*%proc.name", "bash"},
      {"(user=%proc.name, %evt.type.)", "(user=bash, open.)"},
      {"%evt.typefoo", "openfoo"},
      {"%proc.name.Then", "bash.Then"},
      {"%proc.name[x]", "bash[x]"},
      {"%evt.arg.flags|%evt.arg[flags]", "O_RDONLY|O_RDONLY"},
      {"%proc.aname[2] %proc.aname", "init sh init"},
      {"%fd.types", "(file,ipv4)"},
      {"%evt.buffer", "a..b."},
      {"%proc.pid %fd.mode %fd.flags %fd.frac", "-7 644 FFFFFFFF 000000042"},
      {"%thread.cpu %evt.is_io %fd.sip", "2.2 true 2001:db8::1"},
      {"%fd.name", "<NA>"},
      {"[%8proc.name][%2proc.name]", "[bash    ][ba]"},
      {"%toupper(proc.name)x%len(fd.types)", "BASHx2"},
      {"%join(\"-\", (proc.name, proc.pid))", "bash--7"},
      {"%evt.old", "<NA>"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(render(text), expected) << text;
}

TEST(OutputTemplate, MissingFieldsCanSuppressTheLine) {
  const FakeEvent event = full_event();
  Arena scratch;
  std::string out;
  EXPECT_FALSE(make("%fd.name").render(event.context(scratch), out, true));
  EXPECT_TRUE(make("*%fd.name").render(event.context(scratch), out, true));
  EXPECT_TRUE(make("%proc.name").render(event.context(scratch), out, true));
}

TEST(OutputTemplate, RefusesWhatIsNoField) {
  EXPECT_TRUE(template_error("a %proc.nmae b").message.contains("unknown filter: proc.nmae"));
  EXPECT_EQ(template_error("a %proc.nmae b").hint, "did you mean proc.name?");
  EXPECT_EQ(template_error("a\n %proc.nmae b").position.line, 2u);
  EXPECT_TRUE(template_error("100% sure").message.contains("unknown filter"));
  EXPECT_TRUE(template_error("%tolower(proc.name").message.contains("unknown filter"));
  EXPECT_TRUE(template_error("%tolower(proc.pid)").message.contains("can't add field transformer"));
  EXPECT_TRUE(template_error("100%").message.contains("cannot end with a %"));
  EXPECT_TRUE(template_error("%20").message.contains("cannot end with a %"));
  EXPECT_TRUE(template_error("%99999999999999999999proc.name").message.contains("width"));
  EXPECT_TRUE(template_error("%fd.ip").message.contains(
      "is filter only and cannot be used as a display field"));
  EXPECT_TRUE(template_error("%ka.verb").message.contains("unknown filter"));
  EXPECT_TRUE(template_error("%" + std::string(100'000, 'a') + ".b").message.contains("unknown"));
}

TEST(OutputTemplate, CollectsTypedFields) {
  const FakeEvent fake = full_event();
  event::Event event;
  event.timestamp = 123456789;
  Arena scratch;
  EvalContext context = fake.context(scratch);
  context.event = &event;
  std::vector<finding::NamedValue> fields;
  make(
      "%proc.name %proc.name %tolower(proc.name) %proc.pid %fd.mode %fd.types %fd.name %evt.time "
      "%evt.is_io %thread.cpu %fd.frac %concat(evt.type, \"x\") %evt.arg[flags]")
      .collect(context, fields);
  using finding::FieldValue;
  const std::vector<std::pair<std::string, FieldValue>> expected = {
      {"proc.name", "bash"},
      {"proc.pid", int64_t{-7}},
      {"fd.mode", "644"},
      {"fd.types", std::vector<std::string>{"file", "ipv4"}},
      {"fd.name", std::monostate()},
      {"evt.time", uint64_t{123456789}},
      {"evt.is_io", true},
      {"thread.cpu", 2.25},
      {"fd.frac", int64_t{42}},
      {"evt.type", "open"},
      {"evt.arg[flags]", "O_RDONLY"},
  };
  ASSERT_EQ(fields.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(fields[i].name, expected[i].first);
    EXPECT_EQ(fields[i].value, expected[i].second) << fields[i].name;
  }
}

}  // namespace
}  // namespace saker::filter
