// Fields of events: number, time, type, category, result, data, flags of opens.
#include <cstdlib>
#include <ctime>

#include "fields/test_driver.h"

namespace saker::fields {
namespace {

using namespace event;
using filter::FieldInfo;

class EventFields : public FieldTest {
 protected:
  EventFields() {
    setenv("TZ", "UTC", 1);
    tzset();
    process(1, 0, "init");
    process(10, 1, "bash", "/home");
    state.on_machine({.hostname = "node1"});
  }
};

TEST_F(EventFields, Time) {
  now = 1'700'000'000'000'001'000 - 1000;
  at(openat(10, 3, "/etc/passwd"));
  EXPECT_EQ(text("evt.num"), "1");
  EXPECT_EQ(text("evt.time"), "22:13:20.000001000");
  EXPECT_EQ(text("evt.time.s"), "22:13:20");
  EXPECT_EQ(text("evt.time.iso8601"), "2023-11-14T22:13:20.000001000+0000");
  EXPECT_EQ(text("evt.datetime"), "2023-11-14 22:13:20.000001000");
  EXPECT_EQ(text("evt.datetime.s"), "2023-11-14 22:13:20");
  EXPECT_EQ(text("evt.outputtime"), "22:13:20.000001000");
  EXPECT_EQ(text("evt.rawtime"), "1700000000000001000");
  EXPECT_EQ(text("evt.rawtime.s"), "1700000000");
  EXPECT_EQ(text("evt.rawtime.ns"), "000001000");
  EXPECT_EQ(text("evt.reltime"), "0");
  now += 2'500'000'000;
  at(openat(10, 4, "/etc/shadow"));
  EXPECT_EQ(text("evt.num"), "2");
  EXPECT_EQ(text("evt.reltime"), "2500001000");
  EXPECT_EQ(text("evt.reltime.s"), "2");
  EXPECT_EQ(text("evt.reltime.ns"), "500001000");
  EXPECT_EQ(text("evt.deltatime"), "2500001000");
  EXPECT_EQ(text("evt.deltatime.s"), "2");
  EXPECT_EQ(text("evt.deltatime.ns"), "500001000");
}

TEST_F(EventFields, Around) {
  now = 1'700'000'000'000'000'000 - 1000;
  at(openat(10, 3, "/etc/passwd"));
  ASSERT_EQ(text("evt.rawtime"), "1700000000000000000");
  for (std::string_view near :
       {"evt.around[1700000000000000000]=0", "evt.around[1700000000002000000]=2",
        "evt.around[1699999999998000000] = 2", "evt.around[1]=1700000000000"})
    EXPECT_TRUE(holds(near)) << near;
  for (std::string_view far : {"evt.around[1700000000002000001]=2",
                               "evt.around[1699999999997999999]=2", "evt.around[1]=2"})
    EXPECT_FALSE(holds(far)) << far;
}

TEST_F(EventFields, Constants) {
  at(openat(10, 3, "/etc/passwd"));
  EXPECT_EQ(text("evt.hostname"), "node1");
  EXPECT_EQ(text("evt.source"), "syscall");
  EXPECT_EQ(text("evt.pluginname"), kNone);
  EXPECT_EQ(text("evt.plugininfo"), kNone);
  EXPECT_EQ(text("evt.asynctype"), kNone);
  EXPECT_EQ(text("evt.is_async"), "false");
  for (std::string_view zero : {"evt.latency", "evt.latency.s", "evt.latency.ns",
                                "evt.latency.quantized", "evt.wait_latency"})
    EXPECT_EQ(text(zero), "0") << zero;
  EXPECT_EQ(text("evt.latency.human"), "0ns");
  EXPECT_EQ(text("evt.dir"), "<");
  EXPECT_EQ(text("evt.count"), "1");
  EXPECT_EQ(text("evt.count.exit"), "1");
  EXPECT_EQ(text("evt.cpu"), "3");
  EXPECT_EQ(text("evt.infra.docker.name"), kNone);
  EXPECT_EQ(text("evt.infra.docker.container.id"), kNone);
  EXPECT_EQ(text("evt.infra.docker.container.name"), kNone);
  EXPECT_EQ(text("evt.infra.docker.container.image"), kNone);
}

TEST_F(EventFields, Types) {
  at(openat(10, 3, "/etc/passwd"));
  EXPECT_EQ(text("evt.type"), "openat");
  EXPECT_EQ(text("syscall.type"), "openat");
  EXPECT_EQ(text("evt.type.is.openat"), "1");
  EXPECT_EQ(text("evt.type.is.open"), "0");
  EXPECT_NE(error("evt.type.is.nosuchcall = 1"), "");
  EXPECT_NE(error("evt.type = nosuchcall"), "");
  EXPECT_TRUE(holds("evt.type in (open, openat)"));
  at(call(10, GENERIC_X).u16(*portable_code_of_name("getpid")).u16(39));
  EXPECT_EQ(text("evt.type"), "getpid");
  EXPECT_EQ(text("evt.args"), "");
  EXPECT_EQ(text("evt.res"), kNone);
  at(call(10, GENERIC_X).u16(0).u16(221));
  EXPECT_EQ(text("evt.type"), "fadvise64");
  EXPECT_EQ(text("evt.arg[0]"), "unknown");
  at(call(10, PROCINFO_E).u64(1).u64(2));
  EXPECT_EQ(text("evt.type"), "procinfo");
  EXPECT_EQ(text("syscall.type"), kNone);
  EXPECT_EQ(text("evt.is_async"), "true");
  EXPECT_EQ(text("evt.asynctype"), "procinfo");
  EXPECT_EQ(text("evt.dir"), ">");
  EXPECT_EQ(text("evt.count.exit"), kNone);
  EXPECT_EQ(text("evt.count.procinfo"), "1");
  EXPECT_EQ(text("evt.category"), "internal");
}

TEST_F(EventFields, Results) {
  at(openat(10, -2, "/nope"));
  EXPECT_EQ(text("evt.res"), "ENOENT");
  EXPECT_EQ(text("evt.rawres"), "-2");
  EXPECT_EQ(text("evt.failed"), "true");
  EXPECT_EQ(text("evt.count.error"), "1");
  EXPECT_EQ(text("evt.count.error.file"), "1");
  EXPECT_EQ(text("evt.count.error.net"), kNone);
  EXPECT_EQ(text("evt.count.error.memory"), kNone);
  EXPECT_EQ(text("evt.count.error.other"), kNone);
  at(call(10, SYSCALL_MPROTECT_X).i64(-12).u64(0).u64(1).u32(0));
  EXPECT_EQ(text("evt.count.error.memory"), "1");
  EXPECT_EQ(text("evt.count.error.other"), kNone);
  at(call(10, SYSCALL_GETUID_X).u32(0));
  EXPECT_EQ(text("evt.res"), "SUCCESS");
  EXPECT_EQ(text("evt.rawres"), "0");
  at(openat(10, -100000, "/nope"));
  EXPECT_EQ(text("evt.res"), "-100000");
}

TEST_F(EventFields, ReadsAndWrites) {
  openat(10, 3, "/etc/passwd").run();
  at(call(10, SYSCALL_READ_X).i64(5).bytes(std::string("ab\0\x01z", 5)).i64(3).u32(100));
  EXPECT_EQ(text("evt.category"), "file");
  EXPECT_EQ(text("evt.buffer"), "ab..z");
  EXPECT_TRUE(holds("evt.buffer bcontains 6200"));
  EXPECT_TRUE(holds("evt.buffer contains ab"));
  EXPECT_EQ(text("evt.arg.data"), "ab..z");
  EXPECT_EQ(text("evt.buflen"), "5");
  EXPECT_EQ(text("evt.buflen.in"), "5");
  EXPECT_EQ(text("evt.buflen.out"), kNone);
  EXPECT_EQ(text("evt.buflen.file.in"), "5");
  EXPECT_EQ(text("evt.buflen.net"), kNone);
  EXPECT_EQ(text("evt.is_io"), "true");
  EXPECT_EQ(text("evt.is_io_read"), "true");
  EXPECT_EQ(text("evt.is_io_write"), "false");
  EXPECT_EQ(text("evt.io_dir"), "read");
  EXPECT_EQ(text("evt.is_wait"), "false");
  at(call(10, SYSCALL_READ_X).i64(-9).none().i64(77).u32(100));
  EXPECT_EQ(text("evt.buflen"), kNone);
  EXPECT_EQ(text("evt.category"), "unknown");
  EXPECT_EQ(text("evt.buffer"), "");
  at(openat(10, 4, "/etc/hosts"));
  EXPECT_EQ(text("evt.buffer"), kNone);
  EXPECT_EQ(text("evt.io_dir"), kNone);
}

TEST_F(EventFields, Syslog) {
  openat(10, 3, "/dev/log", 2).run();
  at(call(10, SYSCALL_WRITE_X).i64(1).bytes("x").i64(3).u32(1));
  EXPECT_EQ(text("evt.is_syslog"), "true");
  EXPECT_EQ(text("evt.io_dir"), "write");
  at(call(10, SYSCALL_READ_X).i64(1).bytes("x").i64(3).u32(1));
  EXPECT_EQ(text("evt.is_syslog"), "false");
}

TEST_F(EventFields, Opens) {
  at(openat(10, 3, "/a", 1));
  EXPECT_EQ(text("evt.is_open_read"), "true");
  EXPECT_EQ(text("evt.is_open_write"), "false");
  at(openat(10, 3, "/a", 3 | 16384));
  EXPECT_EQ(text("evt.is_open_read"), "true");
  EXPECT_EQ(text("evt.is_open_write"), "true");
  EXPECT_EQ(text("evt.is_open_create"), "true");
  EXPECT_EQ(text("evt.is_open_exec"), "false");
  at(call(10, SYSCALL_OPENAT_2_X).i64(3).i64(-100).text("/a").u32(2 | 4).u32(0755).u32(0).u64(0));
  EXPECT_EQ(text("evt.is_open_exec"), "true");
  EXPECT_EQ(text("evt.is_open_create"), "false");
  at(call(10, SYSCALL_CREAT_X).i64(3).text("/a").u32(0100).u32(0).u64(0).u16(0));
  EXPECT_EQ(text("evt.is_open_exec"), "true");
  at(openat(10, -1, "/a", 8192));
  EXPECT_EQ(text("evt.is_open_create"), "false");
  at(openat(10, 5, "/a", 8192));
  EXPECT_EQ(text("evt.is_open_create"), "true");
}

TEST_F(EventFields, WithoutAnything) {
  context_ = {.scratch = context_.scratch};
  for (const filter::FieldClass& group : catalog().classes()) {
    for (const FieldInfo& field : group.fields) {
      filter::Values values;
      filter::FieldArg arg;
      EXPECT_FALSE(field.extract(context_, arg, values)) << field.name;
    }
  }
}

}  // namespace
}  // namespace saker::fields
