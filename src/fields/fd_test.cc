// Fields of file descriptors, sockets, poll lists and changed paths.
#include "fields/test_driver.h"

namespace saker::fields {
namespace {

using namespace event;
using state::address4;
using state::ip4;
using state::tuple4;

class Descriptors : public FieldTest {
 protected:
  Descriptors() {
    process(1, 0, "init");
    process(10, 1, "bash", "/home");
    event::InterfaceEntry local;
    local.address = {10, 0, 0, 1};
    local.netmask = {255, 255, 255, 0};
    local.name = "eth0";
    state.on_interface(local);
  }

  // A connection from this machine to a web server.
  void connect() {
    socket(10, 4, 2, 1).run();
    at(call(10, SOCKET_CONNECT_X)
           .i64(0)
           .bytes(tuple4(ip4(10, 0, 0, 1), 5000, ip4(1, 2, 3, 4), 443))
           .i64(4)
           .bytes(address4(ip4(1, 2, 3, 4), 443)));
  }
};

TEST_F(Descriptors, Files) {
  at(openat(10, 3, "sub//x.txt", 1 | 32768));
  EXPECT_EQ(text("fd.num"), "3");
  EXPECT_EQ(text("fd.type"), "file");
  EXPECT_EQ(text("fd.typechar"), "f");
  EXPECT_EQ(text("fd.name"), "/home/sub/x.txt");
  EXPECT_EQ(text("fd.nameraw"), "sub//x.txt");
  EXPECT_EQ(text("fd.directory"), "/home/sub");
  EXPECT_EQ(text("fd.filename"), "x.txt");
  EXPECT_EQ(text("fd.containername"), ":/home/sub/x.txt");
  EXPECT_EQ(text("fd.containerdirectory"), ":/home/sub");
  EXPECT_EQ(text("fd.uid"), "103");
  EXPECT_EQ(text("fd.dev"), "801");
  EXPECT_EQ(text("fd.dev.major"), "8");
  EXPECT_EQ(text("fd.dev.minor"), "1");
  EXPECT_EQ(text("fd.ino"), "99");
  EXPECT_EQ(text("fd.is_upper_layer"), "true");
  EXPECT_EQ(text("fd.is_lower_layer"), "false");
  EXPECT_EQ(text("fd.name_changed"), "true");
  EXPECT_EQ(text("fd.l4proto"), "<NA>");
  EXPECT_EQ(text("fd.sockfamily"), kNone);
  EXPECT_FALSE(holds("fd.ip exists"));
  EXPECT_FALSE(holds("fd.port != 80"));
}

TEST_F(Descriptors, DirectoriesAndFailedOpens) {
  at(openat(10, 3, "/var/log", 1024));
  EXPECT_EQ(text("fd.type"), "directory");
  EXPECT_EQ(text("fd.directory"), "/var/log");
  EXPECT_EQ(text("fd.filename"), kNone);
  at(openat(10, -13, "secret"));
  EXPECT_EQ(text("fd.name"), "/home/secret");
  EXPECT_EQ(text("fd.nameraw"), "secret");
  EXPECT_EQ(text("fd.directory"), "/home");
  EXPECT_EQ(text("fd.typechar"), "f");
  EXPECT_EQ(text("fd.type"), kNone);
  at(call(10, SYSCALL_NANOSLEEP_X).i64(0).u64(1));
  EXPECT_EQ(text("fd.num"), kNone);
  EXPECT_EQ(text("fd.name"), kNone);
}

TEST_F(Descriptors, GuessedLetters) {
  at(socket(10, -13, 2, 1));
  EXPECT_EQ(text("fd.typechar"), "4");
  at(call(10, SYSCALL_PIPE2_X).i64(-13).i64(-1).i64(-1).u64(0).u32(0));
  EXPECT_EQ(text("fd.typechar"), "p");
  at(call(10, SYSCALL_READ_X).i64(-9).none().i64(77).u32(1));
  EXPECT_EQ(text("fd.typechar"), "o");
}

TEST_F(Descriptors, AllTypes) {
  openat(10, 0, "/dev/null").run();
  socket(10, 4, 1, 1).run();
  at(openat(10, 5, "/a"));
  EXPECT_EQ(text("fd.types"), "(file,unix)");
  EXPECT_EQ(text("fd.types[4]"), "(unix)");
  EXPECT_EQ(text("fd.types[9]"), kNone);
  EXPECT_TRUE(holds("fd.types intersects (unix, pipe)"));
  EXPECT_FALSE(holds("fd.types in (file)"));
}

TEST_F(Descriptors, Connections) {
  connect();
  EXPECT_EQ(text("fd.name"), "10.0.0.1:5000->1.2.3.4:443");
  EXPECT_EQ(text("fd.type"), "ipv4");
  EXPECT_EQ(text("fd.typechar"), "4");
  EXPECT_EQ(text("fd.cip"), "10.0.0.1");
  EXPECT_EQ(text("fd.sip"), "1.2.3.4");
  EXPECT_EQ(text("fd.lip"), "10.0.0.1");
  EXPECT_EQ(text("fd.rip"), "1.2.3.4");
  EXPECT_EQ(text("fd.cport"), "5000");
  EXPECT_EQ(text("fd.sport"), "443");
  EXPECT_EQ(text("fd.lport"), "5000");
  EXPECT_EQ(text("fd.rport"), "443");
  EXPECT_EQ(text("fd.cproto"), "5000");
  EXPECT_EQ(text("fd.sproto"), "443");
  EXPECT_EQ(text("fd.lproto"), "5000");
  EXPECT_EQ(text("fd.rproto"), "443");
  EXPECT_EQ(text("fd.l4proto"), "tcp");
  EXPECT_EQ(text("fd.sockfamily"), "ip");
  EXPECT_EQ(text("fd.is_server"), "false");
  EXPECT_EQ(text("fd.connected"), "true");
  EXPECT_TRUE(holds("fd.ip = 1.2.3.4"));
  EXPECT_TRUE(holds("fd.ip = 10.0.0.1"));
  EXPECT_FALSE(holds("fd.ip != 10.0.0.1"));
  EXPECT_TRUE(holds("fd.ip != 9.9.9.9"));
  EXPECT_TRUE(holds("fd.port in (443, 80)"));
  EXPECT_TRUE(holds("fd.proto = 443"));
  EXPECT_TRUE(holds("fd.net = 1.0.0.0/8"));
  EXPECT_TRUE(holds("fd.cnet = 10.0.0.0/8"));
  EXPECT_TRUE(holds("fd.snet = 1.2.0.0/16"));
  EXPECT_FALSE(holds("fd.lnet = 1.2.0.0/16"));
  EXPECT_TRUE(holds("fd.rnet in (1.2.0.0/16)"));
  EXPECT_TRUE(holds("fd.sip.name = 1.2.3.4"));
  EXPECT_FALSE(holds("fd.cip.name = 1.2.3.4"));
  EXPECT_FALSE(holds("fd.lip.name = 1.2.3.4"));
  EXPECT_TRUE(holds("fd.rip.name = 1.2.3.4"));
  EXPECT_EQ(text("fd.sip.name"), kNone);
}

TEST_F(Descriptors, Listeners) {
  socket(10, 4, 2, 1).run();
  at(call(10, SOCKET_BIND_X).i64(0).bytes(address4(ip4(0, 0, 0, 0), 80)).i64(4));
  EXPECT_EQ(text("fd.name"), "0.0.0.0:80");
  EXPECT_EQ(text("fd.sip"), "0.0.0.0");
  EXPECT_EQ(text("fd.sport"), "80");
  EXPECT_EQ(text("fd.cip"), kNone);
  EXPECT_EQ(text("fd.cport"), kNone);
  EXPECT_EQ(text("fd.is_server"), "true");
  EXPECT_TRUE(holds("fd.port = 80"));
  EXPECT_FALSE(holds("fd.port = 0"));
}

TEST_F(Descriptors, PollLists) {
  connect();
  const std::string list = std::string("\2\0", 2) + std::string("\4\0\0\0\0\0\0\0\1\0", 10) +
                           std::string("\x63\0\0\0\0\0\0\0\4\0", 10);
  at(call(10, SYSCALL_POLL_X).i64(1).bytes(list).i64(100));
  EXPECT_EQ(text("evt.arg.fds"), "4:41 99:?4");
  EXPECT_EQ(text("fdlist.nums"), "4,99");
  EXPECT_EQ(text("fdlist.names"), "10.0.0.1:5000->1.2.3.4:443,<NA>");
  EXPECT_EQ(text("fdlist.cips"), "10.0.0.1");
  EXPECT_EQ(text("fdlist.sips"), "1.2.3.4");
  EXPECT_EQ(text("fdlist.cports"), "5000");
  EXPECT_EQ(text("fdlist.sports"), "443");
  at(call(10, SYSCALL_POLL_X).i64(1).bytes(std::string("\xff\xff\1", 3)).i64(100));
  EXPECT_EQ(text("fdlist.nums"), kNone);
}

TEST_F(Descriptors, ChangedPaths) {
  openat(10, 4, "/var/log", 1024).run();
  at(call(10, SYSCALL_MKDIR_2_X).i64(0).text("d").u32(0755));
  EXPECT_EQ(text("fs.path.name"), "/home/d");
  EXPECT_EQ(text("fs.path.nameraw"), "d");
  EXPECT_EQ(text("fs.path.source"), kNone);
  at(call(10, SYSCALL_MKDIR_2_X).i64(-17).text("d").u32(0755));
  EXPECT_EQ(text("fs.path.name"), kNone);
  at(call(10, SYSCALL_UNLINKAT_2_X).i64(0).i64(4).text("x").u32(0));
  EXPECT_EQ(text("fs.path.name"), "/var/log/x");
  at(call(10, SYSCALL_RENAMEAT_X).i64(0).i64(-100).text("a").i64(4).text("b"));
  EXPECT_EQ(text("fs.path.source"), "/home/a");
  EXPECT_EQ(text("fs.path.sourceraw"), "a");
  EXPECT_EQ(text("fs.path.target"), "/var/log/b");
  EXPECT_EQ(text("fs.path.targetraw"), "b");
  at(call(10, SYSCALL_LINK_2_X).i64(0).text("/old").text("new"));
  EXPECT_EQ(text("fs.path.source"), "/home/new");
  EXPECT_EQ(text("fs.path.target"), "/old");
  at(call(10, SYSCALL_SYMLINKAT_X).i64(0).text("to").i64(4).text("l"));
  EXPECT_EQ(text("fs.path.source"), "/var/log/l");
  EXPECT_EQ(text("fs.path.target"), "<UNKNOWN>to");
  at(call(10, SYSCALL_FCHOWN_X).i64(0).i64(4).u32(0).u32(0));
  EXPECT_EQ(text("fs.path.name"), "/var/log");
}

}  // namespace
}  // namespace saker::fields
