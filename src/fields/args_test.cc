// Parameters of events as text and as values.
#include "fields/test_driver.h"

namespace saker::fields {
namespace {

using namespace event;
using state::address4;
using state::ip4;
using state::tuple4;
using state::tuple_unix;

class Parameters : public FieldTest {
 protected:
  Parameters() {
    process(1, 0, "init");
    process(10, 1, "bash", "/home");
    state.on_user({.is_group = false, .id = 1000, .name = "ann"});
    state.on_user({.is_group = true, .id = 1000, .name = "staff"});
  }
};

TEST_F(Parameters, ByNameAndNumber) {
  at(openat(10, 3, "x", 1 | 4096));
  EXPECT_EQ(text("evt.args"),
            "fd=3(<f>/home/x) dirfd=-100(AT_FDCWD) name=x(/home/x) flags=4097(O_RDONLY|O_CLOEXEC) "
            "mode=0 dev=801 ino=99");
  EXPECT_EQ(text("evt.info"), text("evt.args"));
  EXPECT_EQ(text("evt.arg.name"), "/home/x");
  EXPECT_EQ(text("evt.arg[2]"), "/home/x");
  EXPECT_EQ(text("evt.arg.fd"), "<f>/home/x");
  EXPECT_EQ(text("evt.arg.flags"), "O_RDONLY|O_CLOEXEC");
  EXPECT_EQ(text("evt.arg[7]"), kNone);
  EXPECT_EQ(text("evt.arg.res"), kNone);
  EXPECT_NE(error("evt.arg.nosuchparameter = 1"), "");
  EXPECT_NE(error("evt.arg = 1"), "");
}

TEST_F(Parameters, RawValues) {
  at(openat(10, 3, "x", 1 | 4096));
  EXPECT_TRUE(holds("evt.rawarg.flags = 4097"));
  EXPECT_TRUE(holds("evt.rawarg.fd >= 3"));
  EXPECT_TRUE(holds("evt.rawarg.name = x"));
  EXPECT_FALSE(holds("evt.rawarg.res exists"));
  EXPECT_NE(error("evt.rawarg[1] = 1"), "");
  at(call(10, SYSCALL_OPENAT_2_X).i64(3).i64(-100).none().u32(1).u32(0).u32(0).u64(0));
  EXPECT_FALSE(holds("evt.rawarg.name exists"));
  EXPECT_EQ(text("evt.arg.name"), "<NA>");
  at(call(10, SYSCALL_LSEEK_X).i64(5).i64(3).u64(~uint64_t{0}).u8(1));
  EXPECT_EQ(text("evt.arg.offset"), "-1");
  EXPECT_EQ(text("evt.arg.whence"), "SEEK_CUR");
}

TEST_F(Parameters, UsersSignalsAndTimes) {
  at(call(10, SYSCALL_SETUID_X).i64(0).u32(1000));
  EXPECT_EQ(text("evt.args"), "res=0 uid=1000(ann)");
  at(call(10, SYSCALL_SETGID_X).i64(0).u32(1000));
  EXPECT_EQ(text("evt.arg.gid"), "staff");
  at(call(10, SYSCALL_SETUID_X).i64(0).u32(4711));
  EXPECT_EQ(text("evt.args"), "res=0 uid=4711(<NA>)");
  at(call(10, SYSCALL_SETUID_X).i64(0).u32(0xffffffff));
  EXPECT_EQ(text("evt.args"), "res=0 uid=-1(<NONE>)");
  at(call(10, SYSCALL_KILL_X).i64(-3).i64(1).u8(9));
  EXPECT_EQ(text("evt.args"), "res=-3(ESRCH) pid=1(init) sig=9(SIGKILL)");
  at(call(10, SYSCALL_NANOSLEEP_X).i64(0).u64(1'500'000'000));
  EXPECT_EQ(text("evt.args"), "res=0 interval=1500000000(1.5s)");
}

TEST_F(Parameters, FlagsAndEnumerations) {
  at(socket(10, 3, 1, 1));
  EXPECT_EQ(text("evt.args"),
            "fd=3(<u>) domain=1(AF_LOCAL|AF_UNIX) type=1 proto=0 flags=0(O_NONE)");
  at(call(10, SYSCALL_CHMOD_X).i64(0).text("/a").u32(0x805));
  EXPECT_EQ(text("evt.arg.mode"), "S_IXOTH|S_IROTH|S_ISUID");
  at(call(10, SYSCALL_FUTEX_X).i64(0).u64(16).u16(129).u64(1));
  EXPECT_EQ(text("evt.args"), "res=0 addr=10 op=129(FUTEX_PRIVATE_FLAG|FUTEX_WAKE) val=1");
}

TEST_F(Parameters, Addresses) {
  socket(10, 4, 2, 1).run();
  at(call(10, SOCKET_CONNECT_X)
         .i64(0)
         .bytes(tuple4(ip4(10, 0, 0, 1), 5000, ip4(1, 2, 3, 4), 443))
         .i64(4)
         .bytes(address4(ip4(1, 2, 3, 4), 443)));
  EXPECT_EQ(text("evt.args"),
            "res=0 tuple=10.0.0.1:5000->1.2.3.4:443 fd=4(<4t>10.0.0.1:5000->1.2.3.4:443) "
            "addr=1.2.3.4:443");
  at(call(10, SOCKET_CONNECT_X).i64(-2).none().i64(4).bytes(std::string("\x01/run/x\0", 8)));
  EXPECT_EQ(text("evt.arg.tuple"), "NULL");
  EXPECT_EQ(text("evt.arg.addr"), "/run/x");
  at(call(10, SOCKET_CONNECT_X).i64(-2).bytes(tuple_unix(0xab, 0xcd, "/run/y")).i64(4).none());
  EXPECT_EQ(text("evt.arg.tuple"), "ab->cd /run/y");
  EXPECT_EQ(text("evt.arg.addr"), "<NA>");
  at(call(10, SOCKET_CONNECT_X).i64(-2).bytes("\x02zz").i64(4).bytes("\x63zz"));
  EXPECT_EQ(text("evt.arg.tuple"), "INVALID IPv4");
  EXPECT_EQ(text("evt.arg.addr"), "family 99");
}

TEST_F(Parameters, OfManyKinds) {
  const std::string timeval("\4\0\0\0\0\1\0\0\0", 9), number("\2\7\0\0\0", 5), bytes("\0a\1", 3);
  at(call(10, SOCKET_SETSOCKOPT_X).i64(0).i64(3).u8(1).u8(20).bytes(timeval).u32(16));
  EXPECT_EQ(text("evt.arg.val"), "4.29497s");
  at(call(10, SOCKET_SETSOCKOPT_X).i64(0).i64(3).u8(1).u8(8).bytes(number).u32(4));
  EXPECT_EQ(text("evt.arg.val"), "7");
  at(call(10, SOCKET_SETSOCKOPT_X).i64(0).i64(3).u8(1).u8(8).bytes(bytes).u32(2));
  EXPECT_EQ(text("evt.arg.val"), "a.");
  at(call(10, SOCKET_SETSOCKOPT_X).i64(0).i64(3).u8(1).u8(8).bytes("\x63").u32(2));
  EXPECT_EQ(text("evt.arg.val"), "<NA>");
  at(call(10, SYSCALL_PTRACE_X)
         .i64(0)
         .bytes(std::string("\0\x10\0\0\0\0\0\0\0", 9))
         .bytes("\1\x09")
         .u16(0)
         .i64(1));
  EXPECT_EQ(text("evt.arg.addr"), "10");
  EXPECT_EQ(text("evt.arg.data"), "SIGKILL");
}

TEST_F(Parameters, AbsolutePaths) {
  openat(10, 4, "/var/log", 1024).run();
  at(openat(10, 5, "../spool/./x", 1, 4));
  EXPECT_EQ(text("evt.abspath"), "/var/spool/x");
  at(openat(10, 5, "x", 1, 99));
  EXPECT_EQ(text("evt.abspath"), "<UNKNOWN>/x");
  at(call(10, SYSCALL_RENAMEAT_X).i64(0).i64(-100).text("a").i64(4).text("b"));
  EXPECT_EQ(text("evt.abspath"), "/home/a");
  EXPECT_EQ(text("evt.abspath.src"), "/home/a");
  EXPECT_EQ(text("evt.abspath.dst"), "/var/log/b");
  at(call(10, SYSCALL_OPEN_X).i64(3).text("a").u32(1).u32(0).u32(0).u64(0));
  EXPECT_EQ(text("evt.abspath"), kNone);
  EXPECT_NE(error("evt.abspath.up = a"), "");
}

}  // namespace
}  // namespace saker::fields
