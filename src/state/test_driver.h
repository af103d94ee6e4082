// For this room's tests: makes events parameter by parameter and runs them through decode and
// state.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "event/event.h"
#include "state/state.h"

namespace saker::state {

// One event in the making: parameters in their order on the wire.
class Call {
 public:
  Call(event::Encoder& encoder, State& state, uint64_t timestamp, int64_t tid, uint16_t type)
      : encoder_(encoder), state_(state) {
    encoder.begin(timestamp, tid, type);
  }

  Call& i64(int64_t value) { return put(value); }
  Call& u64(uint64_t value) { return put(value); }
  Call& u32(uint32_t value) { return put(value); }
  Call& u16(uint16_t value) { return put(value); }
  Call& u8(uint8_t value) { return put(value); }
  Call& text(std::string_view value) {
    encoder_.add_text(value);
    return *this;
  }
  Call& bytes(std::string_view value) {
    encoder_.add(as_bytes(value));
    return *this;
  }
  Call& none(int count = 1) {
    for (int i = 0; i < count; ++i) encoder_.add_empty();
    return *this;
  }

  // As the rules see it: before finish().
  Applied apply() {
    auto event = event::Event::decode(encoder_.finish(), 0);
    EXPECT_TRUE(event.ok());
    return state_.apply(*event);
  }
  Applied run() {
    auto event = event::Event::decode(encoder_.finish(), 0);
    EXPECT_TRUE(event.ok());
    const Applied applied = state_.apply(*event);
    state_.finish(*event);
    return applied;
  }

 private:
  template <typename T>
  Call& put(T value) {
    encoder_.add_value(value);
    return *this;
  }
  event::Encoder& encoder_;
  State& state_;
};

class StateTest : public testing::Test {
 protected:
  explicit StateTest(Limits limits = {}) : state(limits) {}

  Call call(int64_t tid, uint16_t type) { return {encoder, state, now += 1000, tid, type}; }

  // A process of a snapshot: main thread, host, root.
  void process(int64_t pid, int64_t ppid, std::string_view comm, std::string_view cwd = "/") {
    event::ProcessEntry entry;
    entry.tid = entry.pid = entry.vtid = entry.vpid = pid;
    entry.ptid = ppid;
    entry.sid = entry.pgid = entry.vpgid = 1;
    entry.comm = entry.exe = comm;
    const std::string path = "/bin/" + std::string(comm);
    entry.exepath = path;
    entry.cwd = cwd;
    entry.uid = entry.gid = 0;
    entry.fdlimit = 1024;
    state.on_process(entry);
  }

  struct Clone {
    int64_t result = 0, tid = 0, pid = 0, ptid = 0;
    uint32_t flags = 0;
    std::string_view comm = "sh", exe = "sh", args = {}, cgroups = {};
    int64_t vtid = 0, vpid = 0;
    uint32_t uid = 0;
    uint16_t type = event::SYSCALL_CLONE_20_X;
  };
  Call clone(const Clone& of) {
    Call made = call(of.tid, of.type);
    made.i64(of.result).text(of.exe).bytes(of.args).i64(of.tid).i64(of.pid).i64(of.ptid);
    made.text("").i64(2048).u64(1).u64(2).u32(30).u32(20).u32(10).text(of.comm).bytes(of.cgroups);
    made.u32(of.flags).u32(of.uid).u32(of.uid);
    made.i64(of.vtid == 0 ? of.tid : of.vtid).i64(of.vpid == 0 ? of.pid : of.vpid).u64(0);
    return made;
  }
  // The child's side, of a process on the host.
  void fork(int64_t parent, int64_t child) {
    clone({.tid = child, .pid = child, .ptid = parent}).run();
  }
  static constexpr uint32_t kThread = 8192;
  void thread(int64_t pid, int64_t tid) {
    const Thread* main = state.thread(pid);
    clone({.tid = tid, .pid = pid, .ptid = main == nullptr ? 1 : main->ptid, .flags = kThread})
        .run();
  }

  struct Exec {
    int64_t result = 0, pid = 0, ptid = 1;
    std::string_view comm = "ls", exe = "ls", args = {}, env = {}, path = "/bin/ls", cgroups = {};
    uint32_t flags = 0, uid = 0, gid = 0;
  };
  Call exec(const Exec& of) {
    Call made = call(of.pid, event::SYSCALL_EXECVE_19_X);
    made.i64(of.result).text(of.exe).bytes(of.args).i64(of.pid).i64(of.pid).i64(of.ptid);
    made.text("").u64(1024).u64(3).u64(4).u32(30).u32(20).u32(10).text(of.comm).bytes(of.cgroups);
    made.bytes(of.env).u32(34816).i64(77).u32(1000).u32(of.flags).u64(1).u64(2).u64(4);
    made.u64(4711).u64(5).u64(6).u32(of.uid).text(of.path).i64(78).u32(of.gid).text(of.path);
    return made;
  }
  Call exit(int64_t tid, int64_t reaper = 0) {
    Call made = call(tid, event::PROCEXIT_1_E);
    made.i64(0).i64(0).u8(0).u8(0).i64(reaper);
    return made;
  }
  Call openat(int64_t tid, int64_t fd, std::string_view path, uint32_t flags = 1,
              int64_t dirfd = -100) {
    Call made = call(tid, event::SYSCALL_OPENAT_2_X);
    made.i64(fd).i64(dirfd).text(path).u32(flags).u32(0).u32(2049).u64(99);
    return made;
  }
  Call close(int64_t tid, int64_t fd, int64_t result = 0) {
    Call made = call(tid, event::SYSCALL_CLOSE_X);
    made.i64(result).i64(fd);
    return made;
  }
  Call socket(int64_t tid, int64_t fd, uint32_t domain, uint32_t type, uint32_t protocol = 0) {
    Call made = call(tid, event::SOCKET_SOCKET_X);
    made.i64(fd).u32(domain).u32(type).u32(protocol).u32(0);
    return made;
  }

  const Fd* fd(int64_t tid, int64_t number) {
    const Thread* owner = state.thread(tid);
    return owner == nullptr ? nullptr : state.fd(*owner, number);
  }
  std::string name(int64_t tid, int64_t number) {
    const Fd* found = fd(tid, number);
    return found == nullptr ? "(none)" : found->name;
  }
  uint32_t epoch(int64_t tid) { return state.thread(tid)->rules.epoch; }

  State state;
  event::Encoder encoder;
  uint64_t now = 1'000'000'000'000;
};

// Parameters of sockets.
inline std::string bytes_of(const void* from, size_t size) {
  return {static_cast<const char*>(from), size};
}
inline std::string port_bytes(uint16_t port) {
  return bytes_of(&port, 2);
}
inline std::string ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  const uint8_t bytes[] = {a, b, c, d};
  return bytes_of(bytes, 4);
}
inline std::string tuple4(const std::string& source, uint16_t sport, const std::string& dest,
                          uint16_t dport) {
  return std::string(1, '\x02') + source + port_bytes(sport) + dest + port_bytes(dport);
}
inline std::string tuple6(const std::string& source, uint16_t sport, const std::string& dest,
                          uint16_t dport) {
  return std::string(1, '\x0a') + source + port_bytes(sport) + dest + port_bytes(dport);
}
inline std::string address4(const std::string& ip, uint16_t port) {
  return std::string(1, '\x02') + ip + port_bytes(port);
}
inline std::string tuple_unix(uint64_t source, uint64_t dest, std::string_view path) {
  return std::string(1, '\x01') + bytes_of(&source, 8) + bytes_of(&dest, 8) + std::string(path) +
         '\0';
}

}  // namespace saker::state
