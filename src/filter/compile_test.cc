// Types, operators and the meaning of checks.
#include "filter/testing.h"

namespace saker::filter {
namespace {

TEST(Compile, UnknownFieldsNameTheNearest) {
  Error error = error_of("a.b = c and proc.nmae = x");
  EXPECT_EQ(error.message, "filter_check called with nonexistent field a.b");
  EXPECT_EQ(error.hint, "");
  error = error_of("proc.pid = 1 and\n  proc.nmae = x");
  EXPECT_EQ(error.message, "filter_check called with nonexistent field proc.nmae");
  EXPECT_EQ(error.hint, "did you mean proc.name?");
  EXPECT_EQ(error.position.line, 2u);
  EXPECT_EQ(error.position.column, 3u);
  error = error_of("proc.name[1] = x");
  EXPECT_EQ(error.message, "filter_check called with nonexistent field proc.name[1]");
  EXPECT_EQ(error.hint, "proc.name takes no argument");
  error = error_of("ka.verb = get");
  EXPECT_EQ(error.message, "filter_check called with nonexistent field ka.verb");
  EXPECT_EQ(error.hint, "ka.verb is a field of source k8s_audit");
  EXPECT_TRUE(compile_text("ka.verb = get", true, "k8s_audit").ok());
  EXPECT_TRUE(error_of("evt.arg = x").message.contains("field requires an argument"));
  EXPECT_TRUE(error_of("evt.never = x").message.contains("cannot be computed"));
  EXPECT_TRUE(error_of("evt.shown = x").message.contains("display only"));
  EXPECT_FALSE(holds("evt.old exists", FakeEvent()));
}

TEST(Compile, RefusesWhatATypeCannotDo) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"proc.pid contains 1", "'contains' operator not supported for numeric filters"},
      {"evt.is_io > 1", "'>' operator not supported for boolean filters"},
      {"fd.sip startswith 1", "'startswith' operator not supported for ip address filters"},
      {"evt.buffer icontains x", "'icontains' operator not supported for buffer filters"},
      {"proc.name bcontains 00", "'bcontains' operator not supported for string filters"},
      {"fd.types = file", "'=' operator not supported for list filters"},
      {"proc.owner = 0", "not supported"},
      {"evt.is_io = yes", "unrecognized boolean value yes"},
      {"proc.pid = abc", "not a valid number"},
      {"fd.sip = 1.2.3", "unrecognized IP address"},
      {"fd.snet = 1.2.3.4", "unrecognized IP network"},
      {"fd.snet = 1.2.3.4/33", "unrecognized IP network"},
      {"fd.sport = 70000", "out of range"},
      {"fd.sport = no-such-service", "unrecognized protocol"},
      {"evt.type = opne", "unknown event type opne"},
      {"proc.name = \"a\\x00\"", "NUL byte"},
      {"evt.buffer bcontains abc", "bcontains and bstartswith operator support hex strings only"},
      {"proc.name regex '('", "invalid regex pattern"},
      {"proc.name = val(proc.pid)", "comparison between different types"},
      {"fd.ip = val(fd.sip)", "cannot be compared"},
      {"proc.name in val(proc.aname)", "right side"},
      {"proc.name pmatch val(proc.pname)", "does not support a field"},
      {"tolower(proc.pid) = 1", "can't add field transformer: type 'int64'"},
      {"tolower(proc.aname) = 1", "can't add field transformer"},
      {"some_macro", "Undefined macro 'some_macro' used in filter."},
  };
  for (const auto& [text, message] : cases)
    EXPECT_TRUE(error_of(text).message.contains(message)) << text << ": " << error_of(text).message;
  EXPECT_EQ(error_of("evt.type = openatt").hint, "did you mean openat?");
  EXPECT_TRUE(error_of("proc.name = " + std::string(256, 'x')).message.contains("too long"));
  EXPECT_EQ(error_of("proc.name = " + std::string(255, 'x')).message, "");
}

TEST(Compile, RulesKeepEventTypesPlain) {
  EXPECT_EQ(error_of("tolower(evt.type) = open").message, "");
  EXPECT_NE(error_of("tolower(evt.type) = open", true).message, "");
  EXPECT_NE(error_of("evt.type = val(proc.name)", true).message, "");
  EXPECT_NE(error_of("proc.name = tolower(evt.type)", true).message, "");
  EXPECT_EQ(error_of("evt.type in (open, close)", true).message, "");
}

TEST(Compile, WarnsOfLikelyMistakes) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"proc.name = proc.pname",
       "'proc.pname' may be a valid field misused as a const string value"},
      {"proc.name in (a, 'tolower(proc.pname)')", "misused as a const string value"},
      {"proc.name regex .*abc", "may be optimized with simpler operators"}};
  for (const auto& [text, message] : cases) {
    const Result<CompiledFilter> filter = compile_text(text);
    ASSERT_TRUE(filter.ok()) << text;
    ASSERT_EQ(filter->warnings.size(), 1u) << text;
    EXPECT_TRUE(filter->warnings[0].message.contains(message)) << filter->warnings[0].message;
  }
  EXPECT_TRUE(compile_text("proc.name = a.b and proc.name regex a.b")->warnings.empty());
}

TEST(Compile, SpellsEqualChecksEqually) {
  const auto text_of = [](std::string_view text) {
    const Result<CompiledFilter> filter = compile_text(text);
    EXPECT_TRUE(filter.ok()) << text;
    return filter.ok() ? filter->root.check->text : "";
  };
  EXPECT_EQ(text_of("proc.name = a"), text_of("proc.name=='a'"));
  EXPECT_EQ(text_of("evt.arg.flags = a"), text_of("evt.arg[\"flags\"] = a"));
  EXPECT_EQ(text_of("proc.env[\"A\"] = a"), text_of("proc.env[A] = a"));
  EXPECT_EQ(text_of("proc.name in (a)"), text_of("proc.name in a"));
  const std::vector<std::string> different = {text_of("proc.name in (a, b)"),
                                              text_of("proc.name in ('a\", \"b')"),
                                              text_of("proc.name in ('a,b')"),
                                              text_of("proc.name = tolower(proc.pname)"),
                                              text_of("proc.name = 'tolower(proc.pname)'"),
                                              text_of("proc.name = oneof (a, b)"),
                                              text_of("proc.name != a"),
                                              text_of("proc.name intersects (a, b)"),
                                              text_of("proc.name in ()"),
                                              text_of("proc.name in ('')"),
                                              text_of("evt.arg[1] = x"),
                                              text_of("evt.arg[\"1 \"] = x")};
  for (size_t i = 0; i < different.size(); ++i)
    for (size_t j = 0; j < i; ++j) EXPECT_NE(different[i], different[j]);
}

TEST(Compile, ScopeIsProcessOnlyWhenAllFieldsAre) {
  const auto scope_of = [](std::string_view text) {
    return compile_text(text)->root.check->left.scope;
  };
  EXPECT_EQ(scope_of("proc.name = a"), Scope::process);
  EXPECT_EQ(scope_of("concat(proc.name, 'x') = a"), Scope::process);
  EXPECT_EQ(scope_of("join(',', (proc.name, proc.pid)) = a"), Scope::process);
  EXPECT_EQ(scope_of("join(',', (proc.name, fd.name)) = a"), Scope::event);
  EXPECT_EQ(scope_of("fd.name = a"), Scope::event);
}

TEST(Compile, TakesLongListsAndDeepTrees) {
  std::string list = "proc.name in (x";
  for (int i = 0; i < 100'000; ++i) list += ", item" + std::to_string(i);
  FakeEvent event;
  event.set_text("proc.name", {"item99999"});
  EXPECT_TRUE(holds(list + ")", event));
  const auto nested = [](int depth) {
    Node node = *parse("proc.name = item99999");
    for (int i = 0; i < depth; ++i) {
      Node outer;
      outer.kind = Node::Kind::negation;
      outer.children.push_back(std::move(node));
      node = std::move(outer);
    }
    return node;
  };
  const Result<CompiledFilter> allowed = compile(nested(2000), small_catalog(), {});
  ASSERT_TRUE(allowed.ok());
  Arena scratch;
  EXPECT_TRUE(matches(allowed->root, event.context(scratch)));
  const Result<CompiledFilter> deep = compile(nested(5000), small_catalog(), {});
  ASSERT_FALSE(deep.ok());
  EXPECT_EQ(deep.error().message, "condition nests too deeply");
}

TEST(Compare, NumbersAndTheirConstants) {
  FakeEvent event;
  event.set_integer("proc.pid", {-5});
  event.set_integer("user.uid", {4294967295});
  event.set_integer("fd.sport", {443});
  event.set_real("thread.cpu", 2.5);
  event.set_boolean("evt.is_io", true);
  for (std::string_view text :
       {"proc.pid < 0", "proc.pid = -5", "proc.pid = -0x5", "proc.pid <= -5", "proc.pid != 5",
        "proc.pid in (1, -5)", "user.uid = -1", "user.uid = 0xffffffff", "fd.sport = https",
        "fd.sport in (http, https)", "thread.cpu > 2", "thread.cpu < 3", "evt.is_io = true",
        "evt.is_io != false", "proc.pid = anyof (1, -5)", "proc.pid != allof (1, 2)"})
    EXPECT_TRUE(holds(text, event)) << text;
  for (std::string_view text : {"proc.pid > 4294967295", "proc.pid = 5", "user.uid < 5",
                                "fd.sport = ''", "thread.cpu = 2", "evt.is_io = false"})
    EXPECT_FALSE(holds(text, event)) << text;
}

TEST(Compare, MissingValuesMakeChecksFalse) {
  const FakeEvent none;
  for (std::string_view text :
       {"proc.name = a", "proc.name != a", "proc.name exists", "proc.name in ()",
        "proc.name startswith ''", "proc.name != allof (a)", "tolower(proc.name) != a",
        "fd.ip != 1.2.3.4", "fd.types in ()"})
    EXPECT_FALSE(holds(text, none)) << text;
  EXPECT_TRUE(holds("not (proc.name = a)", none));
  EXPECT_TRUE(holds("not proc.name exists", none));
  FakeEvent right_missing;
  right_missing.set_text("proc.name", {"a"});
  EXPECT_FALSE(holds("proc.name = val(proc.pname)", right_missing));
  EXPECT_FALSE(holds("proc.name != val(proc.pname)", right_missing));
  FakeEvent empty;
  empty.set_text("proc.name", {""});
  EXPECT_TRUE(holds("proc.name exists and proc.name = '' and proc.name contains ''", empty));
}

TEST(Compare, ListsAncestorsAndBothEnds) {
  FakeEvent event;
  event.set_text("fd.types", {"file", "ipv4"});
  event.set_text("proc.aname", {"bash", "sshd", "systemd"});
  event.set_text("proc.aname[2]", {"sshd"});
  event.set_ip("fd.ip", {"10.0.0.1", "192.168.1.7"});
  event.set_integer("fd.port", {443, 50000});
  for (std::string_view text :
       {"fd.types in (file, ipv4, pipe)", "fd.types intersects (pipe, file)", "fd.types exists",
        "proc.aname = sshd", "proc.aname in (x, systemd)", "proc.aname startswith sys",
        "proc.aname != bash", "proc.aname[2] = sshd", "fd.ip = 10.0.0.1",
        "fd.ip in (1.1.1.1, 192.168.1.7)", "fd.ip != 1.1.1.1", "fd.port = 443", "fd.port > 49999",
        "fd.port != 80"})
    EXPECT_TRUE(holds(text, event)) << text;
  for (std::string_view text :
       {"fd.types in (file)", "fd.types intersects (pipe)", "fd.types in ()", "proc.aname = init",
        "proc.aname[3] = sshd", "fd.ip = 1.1.1.1", "fd.ip != 10.0.0.1", "fd.port != 443"})
    EXPECT_FALSE(holds(text, event)) << text;
}

TEST(Compare, Addresses) {
  FakeEvent event;
  event.set_ip("fd.sip", {"10.1.2.3"});
  event.set_ip("fd.cip", {"2001:db8::1"});
  event.set_ip("fd.snet", {"10.1.2.3"});
  event.set_ip("fd.sip.name", {"127.0.0.1"});
  for (std::string_view text :
       {"fd.sip = 10.1.2.3", "fd.cip = 2001:db8:0:0::1", "fd.sip != ::1", "fd.snet = 10.0.0.0/8",
        "fd.snet = 10.1.2.3/32", "fd.snet = 10.1.2.0/30", "fd.snet = 0.0.0.0/0",
        "fd.snet in (192.168.0.0/16, 10.1.0.0/16)", "fd.snet != 2001:db8::/32",
        "fd.sip != val(fd.cip)", "fd.sip.name = localhost", "fd.sip.name in (localhost)"})
    EXPECT_TRUE(holds(text, event)) << text;
  for (std::string_view text : {"fd.sip = 10.1.2.4", "fd.snet = 10.1.2.4/31", "fd.snet = ::/0",
                                "fd.sip = val(fd.cip)", "fd.sip.name != localhost"})
    EXPECT_FALSE(holds(text, event)) << text;
}

TEST(Compare, RightSides) {
  FakeEvent event;
  event.set_text("proc.name", {"bash"});
  event.set_text("proc.pname", {"BASH"});
  event.set_text("fd.name", {"/bin/bash"});
  event.set_integer("fd.nums", {1, 2});
  for (std::string_view text :
       {"proc.name = tolower(proc.pname)", "proc.name = val(proc.name)",
        "proc.name != val(proc.pname)", "fd.name endswith val(proc.name)",
        "fd.name contains tolower(proc.pname)", "proc.name in val(proc.name)",
        "fd.nums in val(fd.nums)", "fd.nums intersects val(fd.nums)",
        "proc.name glob val(proc.name)", "toupper(proc.name) = val(proc.pname)"})
    EXPECT_TRUE(holds(text, event)) << text;
  EXPECT_FALSE(holds("proc.name startswith val(proc.pname)", event));
}

TEST(Transform, TextFunctions) {
  FakeEvent event;
  event.set_text("proc.name", {"aGVsbG8="});
  event.set_text("proc.pname", {"aGVsbG8"});
  event.set_text("proc.exepath", {"/usr/bin/Bash"});
  event.set_text("fd.name", {"/tmp/"});
  event.set_text("fd.types", {"file", "ipv4"});
  event.set_integer("proc.pid", {7});
  event.set_text("evt.buffer", {std::string("a\0b", 3)});
  for (std::string_view text :
       {"b64(proc.name) = hello", "b64(proc.pname) = hello", "len(b64(proc.pname)) = 5",
        "basename(proc.exepath) = Bash", "tolower(basename(proc.exepath)) = bash",
        "basename(fd.name) = ''", "basename(proc.pname) = aGVsbG8", "len(evt.buffer) = 3",
        "len(fd.types) = 2", "len(proc.name) = 8", "toupper(fd.types) in (FILE, IPV4)",
        "join(',', fd.types) = 'file,ipv4'", "join('', ()) = ''",
        "join('-', (proc.pid, 12, 'x')) = 7-12-x",
        "concat(proc.name, '!', fd.name) = 'aGVsbG8=!/tmp/'"})
    EXPECT_TRUE(holds(text, event)) << text;
  for (std::string_view text : {"b64(fd.name) exists", "b64(proc.exepath) exists",
                                "concat(proc.name, evt.type) exists", "len(evt.type) exists"})
    EXPECT_FALSE(holds(text, event)) << text;
  event.set_text("proc.name", {"YWIA"});  // "ab\0": a C string ends at the NUL
  EXPECT_TRUE(holds("b64(proc.name) = ab", event));
  for (const char* bad : {"a", "ab=", "a===", "ab*=", "abc=="}) {
    event.set_text("proc.name", {bad});
    EXPECT_FALSE(holds("b64(proc.name) exists", event)) << bad;
  }
}

TEST(Transform, Getopt) {
  FakeEvent event;
  event.set_text("fd.types", {"-vn", "-t5", "--long", "-o", "file", "-z", "stop", "-q"});
  for (std::string_view text :
       {"getopt(fd.types, 'vnt:o:q') intersects (v)", "getopt(fd.types, 'vnt:o:q') intersects (5)",
        "getopt(fd.types, 'vnt:o:q') intersects (file)",
        "getopt(fd.types, 'vnt:o:q') intersects ('?')", "getopt(fd.types, 'vnt:o:q')[t] = 5",
        "getopt(fd.types, 'vnt:o:q')[\"o\"] = file", "getopt(fd.types, 'vnt:o:q')[n] = n",
        "getopt(('-a', '-b'), 'ab')[b] exists", "getopt(('-a'), 'a:')[a] = ''",
        "getopt(('-a1', '-a2'), 'a:')[a] = 2", "getopt(('-a', '-'), 'a') in (a)",
        "getopt(('-a', '--', '-b'), 'ab') in (a)"})
    EXPECT_TRUE(holds(text, event)) << text;
  for (std::string_view text :
       {"getopt(fd.types, 'vnt:o:q') intersects (q)", "getopt(fd.types, 'vnt:o:q')[q] exists",
        "getopt(('x', '-a'), 'a') exists"})
    EXPECT_FALSE(holds(text, event)) << text;
}

}  // namespace
}  // namespace saker::filter
