#include "state/test_driver.h"

namespace saker::state {
namespace {

using namespace event;

constexpr uint32_t kStream = 1, kDatagram = 2;

class Sockets : public StateTest {
 protected:
  Sockets() {
    process(10, 1, "nc", "/");
    InterfaceEntry interface;
    interface.address = {10, 0, 0, 5};
    interface.netmask = {255, 255, 255, 0};
    interface.name = "eth0";
    state.on_interface(interface);
  }
  Applied connect(int64_t fd, int64_t result, const std::string& tuple,
                  const std::string& address = "") {
    return call(10, SOCKET_CONNECT_X).i64(result).bytes(tuple).i64(fd).bytes(address).run();
  }
  Applied sendto(int64_t fd, const std::string& tuple) {
    return call(10, SOCKET_SENDTO_X).i64(1).bytes("x").i64(fd).u32(1).bytes(tuple).run();
  }
  Applied recvfrom(int64_t fd, const std::string& tuple) {
    return call(10, SOCKET_RECVFROM_X).i64(1).bytes("x").bytes(tuple).i64(fd).u32(1).run();
  }
  const std::string here = ip4(10, 0, 0, 5), there = ip4(93, 184, 216, 34);
};

TEST_F(Sockets, KindsAndProtocols) {
  EXPECT_EQ(socket(10, 3, 2, kStream).run().fd->l4, L4Proto::tcp);
  EXPECT_EQ(socket(10, 3, 2, kStream | 0x80000).run().fd->cloexec, true);
  EXPECT_EQ(socket(10, 3, 10, kDatagram).run().fd->l4, L4Proto::udp);
  EXPECT_EQ(fd(10, 3)->type, FdType::ipv6_socket);
  EXPECT_EQ(socket(10, 3, 2, 3, 1).run().fd->l4, L4Proto::raw);
  EXPECT_EQ(socket(10, 3, 2, kDatagram, 1).run().fd->l4, L4Proto::icmp);
  EXPECT_EQ(socket(10, 3, 1, kStream).run().fd->type, FdType::unix_socket);
  EXPECT_EQ(socket(10, 3, 16, 3).run().fd->type, FdType::netlink);
  EXPECT_EQ(socket(10, 3, 40, 1).run().fd->type, FdType::unknown);
  EXPECT_EQ(socket(10, -97, 2, 1).run().fd, nullptr);
}

TEST_F(Sockets, ConnectMakesAClient) {
  socket(10, 3, 2, kStream).run();
  const Applied applied = connect(3, -115, tuple4(here, 4000, there, 443));
  EXPECT_EQ(applied.fd->name, "10.0.0.5:4000->93.184.216.34:443");
  EXPECT_EQ(applied.fd->role, SocketRole::client);
  EXPECT_TRUE(applied.fd->connected);
  EXPECT_TRUE(applied.fd_name_changed);
  EXPECT_EQ(applied.fd->dest_port, 443);
  socket(10, 4, 2, kStream).run();
  connect(4, -111, tuple4(here, 4000, there, 443));
  EXPECT_EQ(name(10, 4), "");
  EXPECT_FALSE(fd(10, 4)->connected);
}

TEST_F(Sockets, ConnectWithoutATupleKnowsTheDestination) {
  socket(10, 3, 2, kStream).run();
  connect(3, 0, "", address4(there, 443));
  EXPECT_EQ(name(10, 3), "10.0.0.5:0->93.184.216.34:443");
}

TEST_F(Sockets, Ipv6AndMappedIpv4) {
  std::string loopback(16, '\0');
  loopback[15] = 1;
  socket(10, 3, 10, kStream).run();
  connect(3, 0, tuple6(loopback, 1, loopback, 80));
  EXPECT_EQ(name(10, 3), "::1:1->::1:80");
  EXPECT_EQ(fd(10, 3)->type, FdType::ipv6_socket);
  const std::string mapped = std::string(10, '\0') + "\xff\xff";
  socket(10, 4, 10, kStream).run();
  connect(4, 0, tuple6(mapped + here, 1, mapped + there, 80));
  EXPECT_EQ(name(10, 4), "10.0.0.5:1->93.184.216.34:80");
  EXPECT_EQ(fd(10, 4)->type, FdType::ipv4_socket);
}

TEST_F(Sockets, BindMakesAServer) {
  socket(10, 3, 2, kStream).run();
  const Applied applied =
      call(10, SOCKET_BIND_X).i64(0).bytes(address4(ip4(0, 0, 0, 0), 8080)).i64(3).run();
  EXPECT_EQ(applied.fd->type, FdType::ipv4_server);
  EXPECT_EQ(applied.fd->name, "0.0.0.0:8080");
  EXPECT_EQ(applied.fd->role, SocketRole::server);
  socket(10, 4, 2, kStream).run();
  call(10, SOCKET_BIND_X).i64(0).bytes(address4(ip4(0, 0, 0, 0), 0)).i64(4).run();
  EXPECT_EQ(fd(10, 4)->type, FdType::ipv4_socket);
  EXPECT_EQ(fd(10, 4)->role, SocketRole::none);
  socket(10, 5, 1, kStream).run();
  call(10, SOCKET_BIND_X).i64(0).bytes(std::string("\x01/run/x\0", 8)).i64(5).run();
  EXPECT_EQ(name(10, 5), "/run/x");
  socket(10, 6, 2, kStream).run();
  call(10, SOCKET_BIND_X).i64(-98).bytes(address4(ip4(0, 0, 0, 0), 80)).i64(6).run();
  EXPECT_EQ(name(10, 6), "");
}

TEST_F(Sockets, AcceptGivesTheServersEnd) {
  const Applied applied = call(10, SOCKET_ACCEPT4_6_X)
                              .i64(7)
                              .bytes(tuple4(there, 5000, here, 80))
                              .u8(0)
                              .u32(0)
                              .u32(0)
                              .u32(4096)
                              .run();
  EXPECT_EQ(applied.fd_number, 7);
  EXPECT_EQ(applied.fd->name, "93.184.216.34:5000->10.0.0.5:80");
  EXPECT_EQ(applied.fd->role, SocketRole::server);
  EXPECT_EQ(applied.fd->l4, L4Proto::tcp);
  EXPECT_TRUE(applied.fd->cloexec);
  call(10, SOCKET_ACCEPT_5_X).i64(8).bytes(tuple_unix(0xab, 0xcd, "/run/s")).none(3).run();
  EXPECT_EQ(name(10, 8), "ab->cd /run/s");
  EXPECT_EQ(call(10, SOCKET_ACCEPT_5_X).i64(9).none(4).run().fd, nullptr);
  EXPECT_EQ(call(10, SOCKET_ACCEPT_5_X).i64(-11).none(4).run().fd, nullptr);
}

TEST_F(Sockets, DatagramsTellTheEnds) {
  socket(10, 3, 2, kDatagram).run();
  Applied applied = sendto(3, tuple4(here, 4000, there, 53));
  EXPECT_EQ(applied.fd->name, "10.0.0.5:4000->93.184.216.34:53");
  EXPECT_EQ(applied.fd->role, SocketRole::client);
  EXPECT_TRUE(applied.fd_name_changed);
  EXPECT_FALSE(sendto(3, tuple4(here, 4000, there, 53)).fd_name_changed);
  // The answer comes from the server: the client stays the source.
  applied = recvfrom(3, tuple4(there, 53, here, 4000));
  EXPECT_EQ(applied.fd->name, "10.0.0.5:4000->93.184.216.34:53");
  EXPECT_FALSE(applied.fd_name_changed);
  applied = sendto(3, tuple4(here, 4000, ip4(8, 8, 8, 8), 53));
  EXPECT_EQ(applied.fd->name, "10.0.0.5:4000->8.8.8.8:53");
  EXPECT_TRUE(applied.fd_name_changed);
}

TEST_F(Sockets, ADatagramServerIsTheDestination) {
  socket(10, 3, 2, kDatagram).run();
  call(10, SOCKET_BIND_X).i64(0).bytes(address4(here, 53)).i64(3).run();
  Applied applied = recvfrom(3, tuple4(there, 999, here, 53));
  EXPECT_EQ(applied.fd->name, "93.184.216.34:999->10.0.0.5:53");
  EXPECT_EQ(applied.fd->role, SocketRole::server);
  applied = sendto(3, tuple4(here, 53, there, 999));
  EXPECT_EQ(applied.fd->name, "93.184.216.34:999->10.0.0.5:53");
}

TEST_F(Sockets, TcpIsNotRenamedByItsData) {
  socket(10, 3, 2, kStream).run();
  connect(3, 0, tuple4(here, 4000, there, 443));
  EXPECT_FALSE(sendto(3, tuple4(here, 1, there, 2)).fd_name_changed);
  EXPECT_EQ(name(10, 3), "10.0.0.5:4000->93.184.216.34:443");
}

TEST_F(Sockets, ASharedRecordIsCopiedBeforeItChanges) {
  socket(10, 3, 2, kDatagram).run();
  fork(10, 20);
  sendto(3, tuple4(here, 4000, there, 53));
  EXPECT_EQ(name(20, 3), "");
  EXPECT_EQ(name(10, 3), "10.0.0.5:4000->93.184.216.34:53");
}

TEST_F(Sockets, UnixPairsAndNames) {
  const Applied applied = call(10, SOCKET_SOCKETPAIR_X)
                              .i64(0)
                              .i64(3)
                              .i64(4)
                              .u64(0x11)
                              .u64(0x22)
                              .u32(1)
                              .u32(1)
                              .u32(0)
                              .run();
  EXPECT_EQ(applied.fd_number, 4);
  EXPECT_EQ(fd(10, 3)->unix_source, 0x11u);
  EXPECT_EQ(fd(10, 4)->unix_source, 0x22u);
  EXPECT_EQ(name(10, 3), "");
  socket(10, 5, 1, kDatagram).run();
  connect(5, 0, tuple_unix(0, 0xbeef, "/dev/log"));
  EXPECT_EQ(name(10, 5), "0->beef /dev/log");
  sendto(5, tuple_unix(0, 0xbeef, "/dev/log"));
  EXPECT_EQ(name(10, 5), "/dev/log");
}

TEST_F(Sockets, CutParametersAreIgnored) {
  socket(10, 3, 2, kStream).run();
  for (size_t size = 0; size < 13; ++size) {
    connect(3, 0, tuple4(here, 4000, there, 443).substr(0, size));
    EXPECT_EQ(name(10, 3), "") << size;
  }
}

TEST_F(Sockets, SnapshotRolesFollowTheServerPorts) {
  FdEntry entry;
  entry.tid = 10;
  entry.fd = 3;
  entry.type = FdType::ipv4_socket;  // comes before the server is known
  entry.source_ip = {10, 0, 0, 5};
  entry.source_port = 80;
  entry.dest_ip = {93, 184, 216, 34};
  entry.dest_port = 5000;
  entry.l4 = L4Proto::tcp;
  state.on_fd(entry);
  entry.fd = 5;
  entry.source_port = 81;
  state.on_fd(entry);
  FdEntry server;
  server.tid = 10;
  server.fd = 4;
  server.type = FdType::ipv4_server;
  server.dest_port = 80;
  server.l4 = L4Proto::tcp;
  state.on_fd(server);
  call(10, SYSCALL_GETUID_X).u32(0).run();
  EXPECT_EQ(name(10, 4), "0.0.0.0:80");
  EXPECT_EQ(name(10, 3), "93.184.216.34:5000->10.0.0.5:80");
  EXPECT_EQ(fd(10, 3)->role, SocketRole::server);
  EXPECT_EQ(name(10, 5), "10.0.0.5:81->93.184.216.34:5000");
  EXPECT_EQ(fd(10, 5)->role, SocketRole::client);
}

TEST_F(Sockets, LocalAddresses) {
  std::array<uint8_t, 16> ip{127, 0, 0, 9};
  EXPECT_TRUE(state.is_local_address(ip, false));
  EXPECT_TRUE(state.is_local_address({10, 0, 0, 5}, false));
  EXPECT_FALSE(state.is_local_address({10, 0, 0, 6}, false));
}

}  // namespace
}  // namespace saker::state
