// Small workloads in child processes, watched through the real kernel: what falco-kernel.md says of
// the values.
#include "capture/bpf/live.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "capture/bpf/plan.h"
#include "kernel/probes.h"

namespace saker::capture {
namespace {

using event::EventCode;

// An event with bytes of its own.
struct Kept {
  event::Event view;
  std::vector<uint8_t> bytes;
  explicit Kept(const event::Event& event) : bytes(event.record, event.record + event.length) {
    event::Event::decode_into(view, bytes, event.cpu);
  }
  Kept(Kept&& other) noexcept : bytes(std::move(other.bytes)) {
    event::Event::decode_into(view, bytes, 0);
  }
  [[nodiscard]] int index(std::string_view name) const { return view.info().param_index(name); }
  [[nodiscard]] std::string text(std::string_view name) const {
    return std::string(as_text(view.param(static_cast<size_t>(index(name)))));
  }
  template <typename T = int64_t>
  [[nodiscard]] T get(std::string_view name) const {
    return view.get<T>(static_cast<size_t>(index(name)), T{});
  }
  [[nodiscard]] size_t size(std::string_view name) const {
    return view.param(static_cast<size_t>(index(name))).size();
  }
};

class LiveTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const KernelSupportRow& row : probe_kernel()) {
      if (!row.ok) GTEST_SKIP() << row.name << ": " << row.detail;
    }
  }

  // Runs `work` in a child of its own and returns all that it and its children did.
  std::vector<Kept> watch(const std::function<void()>& work, LiveOptions options) {
    int gate[2];
    EXPECT_EQ(pipe(gate), 0);
    const pid_t child = fork();
    if (child == 0) {
      char go = 0;
      if (read(gate[0], &go, 1) != 1) _exit(99);
      close(gate[0]);
      close(gate[1]);
      work();
      _exit(7);
    }
    child_ = child;
    options.only_tree_of = static_cast<uint32_t>(child);
    Result<std::unique_ptr<LiveSource>> live = open_live(options);
    EXPECT_TRUE(live.ok()) << (live.ok() ? "" : live.error().to_text());
    std::vector<Kept> out;
    if (!live.ok() || write(gate[1], "x", 1) != 1) return out;
    close(gate[0]);
    close(gate[1]);
    bool gone = false;
    event::Event event;
    for (;;) {
      const Next next = (*live)->next(event);
      if (next == Next::event) {
        out.emplace_back(event);
        continue;
      }
      if (gone) break;
      gone = waitpid(child, nullptr, WNOHANG) == child;
    }
    stats_ = (*live)->stats();
    return out;
  }

  std::vector<Kept> record(const std::function<void()>& work) {
    LiveOptions options;
    options.demand.everything = true;
    return watch(work, options);
  }

  static std::vector<const Kept*> of(const std::vector<Kept>& events, EventCode code) {
    std::vector<const Kept*> out;
    for (const Kept& kept : events)
      if (kept.view.type == code) out.push_back(&kept);
    return out;
  }

  pid_t child_ = 0;
  SourceStats stats_;
};

constexpr std::string_view kZero("\0", 1);

event::ArgumentTest paths_only(event::PathPatterns paths) {
  event::ArgumentTest test;
  test.set_classes({.which = event::ClassTest::Which::paths, .paths = std::move(paths)},
                   [](event::OpenMode, bool) { return true; });
  return test;
}

TEST_F(LiveTest, OpensCarryNameFlagsDeviceAndInode) {
  const auto events = record([] {
    int fd = static_cast<int>(syscall(SYS_open, "/etc/passwd", O_RDONLY | O_CLOEXEC, 0));
    close(fd);
    syscall(SYS_open, "", O_RDONLY);
    syscall(SYS_open, nullptr, O_RDONLY);
    syscall(SYS_openat, AT_FDCWD, "/", O_DIRECTORY, 0);
    syscall(SYS_open, "/tmp/saker_live_test", O_RDWR | O_CREAT | O_DSYNC, 0640);
    unlink("/tmp/saker_live_test");
    syscall(SYS_close, 999);
  });
  const auto opens = of(events, event::SYSCALL_OPEN_X);
  ASSERT_EQ(opens.size(), 4u);
  struct stat file{};
  ASSERT_EQ(stat("/etc/passwd", &file), 0);
  EXPECT_GE(opens[0]->view.result(), 0);
  EXPECT_EQ(opens[0]->text("name"), std::string("/etc/passwd") + std::string(kZero));
  EXPECT_EQ(opens[0]->get<uint32_t>("flags") & 0xffff & ~0x18000u, 1u | 4096u);
  EXPECT_EQ(opens[0]->get<uint64_t>("ino"), file.st_ino);
  EXPECT_EQ(opens[1]->view.result(), -ENOENT);
  EXPECT_EQ(opens[1]->text("name"), kZero);
  EXPECT_EQ(opens[2]->view.result(), -EFAULT);
  EXPECT_EQ(opens[2]->size("name"), 0u);
  // O_DSYNC shows O_SYNC too; the file is new.
  EXPECT_EQ(opens[3]->get<uint32_t>("flags"), 3u | 4u | 16u | 128u | 16384u);
  EXPECT_EQ(opens[3]->get<uint32_t>("mode"), 0640u);
  bool directory = false;
  for (const Kept* at : of(events, event::SYSCALL_OPENAT_2_X)) {
    if (at->text("name") != std::string("/") + std::string(kZero)) continue;
    directory = true;
    EXPECT_EQ(at->get("dirfd"), -100);
    EXPECT_EQ(at->get<uint32_t>("flags") & 0x3fff, 1u | 1024u | 8192u);
  }
  EXPECT_TRUE(directory);
  bool bad_close = false;
  for (const Kept* close : of(events, event::SYSCALL_CLOSE_X))
    bad_close |= close->get("fd") == 999 && close->view.result() == -EBADF;
  EXPECT_TRUE(bad_close);
}

TEST_F(LiveTest, ExecTellsArgumentsEnvironmentAndExecutable) {
  const auto events = record([] {
    const pid_t pid = fork();
    if (pid == 0) {
      char* argv[] = {const_cast<char*>("true"), const_cast<char*>("one"),
                      const_cast<char*>("two words"), nullptr};
      char* envp[] = {const_cast<char*>("A=1"), const_cast<char*>("B=2"), nullptr};
      execve("/bin/true", argv, envp);
      _exit(1);
    }
    waitpid(pid, nullptr, 0);
  });
  const auto execs = of(events, event::SYSCALL_EXECVE_19_X);
  ASSERT_EQ(execs.size(), 1u);
  const Kept& exec = *execs[0];
  EXPECT_EQ(exec.view.param_count, 31u);
  EXPECT_EQ(exec.view.result(), 0);
  EXPECT_EQ(exec.text("exe"), std::string("true\0", 5));
  EXPECT_EQ(exec.text("args"), std::string("one\0two words\0", 14));
  EXPECT_EQ(exec.text("env"), std::string("A=1\0B=2\0", 8));
  EXPECT_EQ(exec.text("comm"), std::string("true\0", 5));
  EXPECT_EQ(exec.text("filename"), std::string("/bin/true\0", 10));
  EXPECT_EQ(exec.text("trusted_exepath"), std::string("/usr/bin/true\0", 14));
  EXPECT_EQ(exec.get("tid"), exec.view.tid);
  EXPECT_EQ(exec.get("ptid"), child_);
  EXPECT_EQ(exec.get<uint32_t>("uid"), geteuid());
  struct stat file{};
  ASSERT_EQ(stat("/usr/bin/true", &file), 0);
  EXPECT_EQ(exec.get<uint64_t>("exe_ino"), file.st_ino);
  EXPECT_EQ(exec.get<uint64_t>("exe_ino_mtime"),
            static_cast<uint64_t>(file.st_mtim.tv_sec) * 1'000'000'000 +
                static_cast<uint64_t>(file.st_mtim.tv_nsec));
  EXPECT_EQ(exec.text("cgroups").substr(0, 8), "cpuset=/");
  // As the reference on x86: the parent's and the child's exit from clone.
  const auto clones = of(events, event::SYSCALL_CLONE_20_X);
  ASSERT_EQ(clones.size(), 2u);
  int64_t child = 0;
  for (const Kept* clone : clones)
    if (clone->view.result() > 0) child = clone->view.result();
  EXPECT_EQ(child, exec.view.tid);
  const auto exits = of(events, event::PROCEXIT_1_E);
  ASSERT_EQ(exits.size(), 2u);
  EXPECT_EQ(exits[1]->view.tid, child_);
  EXPECT_EQ(exits[1]->get("status"), 0x700);
  EXPECT_EQ(exits[1]->get("ret"), 7);
  EXPECT_EQ(exits[1]->get("reaper_tid"), 0);
}

TEST_F(LiveTest, FailedExecKeepsSixteenArguments) {
  const auto events = record([] {
    std::vector<std::string> words;
    for (int i = 0; i < 21; ++i) words.push_back("a" + std::to_string(i));
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    char* envp[] = {nullptr};
    execve("/no/such/file", argv.data(), envp);
  });
  const auto execs = of(events, event::SYSCALL_EXECVE_19_X);
  ASSERT_EQ(execs.size(), 1u);
  EXPECT_EQ(execs[0]->view.result(), -ENOENT);
  EXPECT_EQ(execs[0]->text("exe"), std::string("a0\0", 3));
  std::string expected;
  for (int i = 1; i < 16; ++i) expected += "a" + std::to_string(i) + std::string(kZero);
  EXPECT_EQ(execs[0]->text("args"), expected);
  EXPECT_EQ(execs[0]->text("filename"), std::string("/no/such/file\0", 14));
  char self[4096] = {};
  ASSERT_GT(readlink("/proc/self/exe", self, sizeof self - 1), 0);
  EXPECT_EQ(execs[0]->text("trusted_exepath"), self + std::string(kZero));
}

TEST_F(LiveTest, ScriptsAndMemfds) {
  const std::string script = "/tmp/saker_live_script";
  FILE* file = fopen(script.c_str(), "w");
  ASSERT_NE(file, nullptr);
  fputs("#!/bin/sh\nexit 0\n", file);
  fclose(file);
  chmod(script.c_str(), 0755);
  const auto events = record([&] {
    if (fork() == 0) {
      execl(script.c_str(), script.c_str(), "x", nullptr);
      _exit(1);
    }
    wait(nullptr);
    const int source = open("/bin/true", O_RDONLY);
    const int memory = memfd_create("hidden", 0);
    char buffer[4096];
    ssize_t got = 0;
    while ((got = read(source, buffer, sizeof buffer)) > 0)
      if (write(memory, buffer, static_cast<size_t>(got)) != got) _exit(1);
    if (fork() == 0) {
      char* argv[] = {const_cast<char*>("m"), nullptr};
      fexecve(memory, argv, environ);
      _exit(1);
    }
    wait(nullptr);
  });
  unlink(script.c_str());
  std::vector<const Kept*> execs;
  for (const Kept* exec : of(events, event::SYSCALL_EXECVE_19_X))
    if (exec->view.result() == 0) execs.push_back(exec);
  ASSERT_EQ(execs.size(), 2u);
  EXPECT_EQ(execs[0]->text("filename"), script + std::string(kZero));
  EXPECT_EQ(execs[0]->text("trusted_exepath"), std::string("/usr/bin/dash\0", 14));
  EXPECT_EQ(execs[0]->text("exe"), std::string("/bin/sh\0", 8));
  EXPECT_EQ(execs[1]->text("trusted_exepath"), std::string("memfd:hidden\0", 13));
  EXPECT_EQ(execs[1]->get<uint32_t>("flags") & 4, 4u);
  EXPECT_TRUE(execs[1]->text("filename").starts_with("/dev/fd/"));
}

TEST_F(LiveTest, SocketsTellBothEnds) {
  uint16_t port = 0;
  const auto events = record([] {
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) _exit(1);
    listen(server, 5);
    socklen_t length = sizeof address;
    getsockname(server, reinterpret_cast<sockaddr*>(&address), &length);
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address);
    accept(server, nullptr, nullptr);
    sockaddr_in6 mapped{};
    mapped.sin6_family = AF_INET6;
    mapped.sin6_port = address.sin_port;
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
    const int six = socket(AF_INET6, SOCK_STREAM, 0);
    connect(six, reinterpret_cast<sockaddr*>(&mapped), sizeof mapped);
    const int local = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, "\0saker_foo", 10);
    bind(local, reinterpret_cast<sockaddr*>(&name), sizeof(sa_family_t) + 10);
    const int datagram = socket(AF_INET, SOCK_DGRAM, 0);
    sendto(datagram, "hello", 5, 0, reinterpret_cast<sockaddr*>(&address), sizeof address);
  });
  const auto connects = of(events, event::SOCKET_CONNECT_X);
  ASSERT_EQ(connects.size(), 2u);
  EXPECT_EQ(connects[0]->view.result(), -EINPROGRESS);
  const std::string tuple = connects[0]->text("tuple");
  ASSERT_EQ(tuple.size(), 13u);
  EXPECT_EQ(tuple[0], 2);
  const auto client_port = load<uint16_t>(tuple.data() + 5);
  port = load<uint16_t>(tuple.data() + 11);
  EXPECT_NE(port, 0);
  const std::string address = connects[0]->text("addr");
  ASSERT_EQ(address.size(), 7u);
  EXPECT_EQ(load<uint16_t>(address.data() + 5), port);
  const auto accepts = of(events, event::SOCKET_ACCEPT_5_X);
  ASSERT_EQ(accepts.size(), 1u);
  const std::string accepted = accepts[0]->text("tuple");
  ASSERT_EQ(accepted.size(), 13u);
  EXPECT_EQ(load<uint16_t>(accepted.data() + 5), client_port);
  EXPECT_EQ(load<uint16_t>(accepted.data() + 11), port);
  const std::string six = connects[1]->text("tuple");
  ASSERT_EQ(six.size(), 37u);
  EXPECT_EQ(six[0], 10);
  EXPECT_EQ(load<uint16_t>(six.data() + 35), port);
  const auto binds = of(events, event::SOCKET_BIND_X);
  ASSERT_EQ(binds.size(), 2u);
  EXPECT_EQ(binds[1]->text("addr"), std::string("\1saker_foo\0", 11));
  const auto sends = of(events, event::SOCKET_SENDTO_X);
  ASSERT_EQ(sends.size(), 1u);
  EXPECT_EQ(sends[0]->text("data"), "hello");
  const std::string sent = sends[0]->text("tuple");
  ASSERT_EQ(sent.size(), 13u);
  EXPECT_EQ(load<uint16_t>(sent.data() + 11), port);
  const auto sockets = of(events, event::SOCKET_SOCKET_X);
  ASSERT_GE(sockets.size(), 2u);
  EXPECT_EQ(sockets[1]->get<uint32_t>("flags"), 64u);
}

TEST_F(LiveTest, CredentialsAndControl) {
  const auto events = record([] {
    syscall(SYS_setresuid, -1, 1000, -1);
    prctl(PR_SET_NAME, "renamed");
    syscall(SYS_getppid);
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) _exit(1);
    if (write(fds[1], "0123456789", 10) != 10) _exit(1);
    syscall(SYS_fcntl, fds[0], F_DUPFD_CLOEXEC, 50);
    mkdir("/tmp/saker_live_dir", 0711);
    rmdir("/tmp/saker_live_dir");
    kill(getpid(), 0);
  });
  const auto uids = of(events, event::SYSCALL_SETRESUID_X);
  ASSERT_EQ(uids.size(), 1u);
  EXPECT_EQ(uids[0]->get<uint32_t>("ruid"), 0xffffffffu);
  EXPECT_EQ(uids[0]->get<uint32_t>("euid"), 1000u);
  const auto names = of(events, event::SYSCALL_PRCTL_X);
  ASSERT_GE(names.size(), 1u);
  EXPECT_EQ(names[0]->text("arg2_str"), std::string("renamed\0", 8));
  bool generic = false;
  for (const Kept* kept : of(events, event::GENERIC_X))
    generic |= kept->get<uint16_t>("nativeID") == SYS_getppid;
  EXPECT_TRUE(generic);
  const auto pipes = of(events, event::SYSCALL_PIPE2_X);
  ASSERT_EQ(pipes.size(), 1u);
  EXPECT_EQ(pipes[0]->get("fd2"), pipes[0]->get("fd1") + 1);
  EXPECT_EQ(pipes[0]->get<uint32_t>("flags"), 4096u);
  EXPECT_NE(pipes[0]->get<uint64_t>("ino"), 0u);
  bool written = false;
  for (const Kept* kept : of(events, event::SYSCALL_WRITE_X))
    written |= kept->text("data") == "0123456789";
  EXPECT_TRUE(written);
  const auto controls = of(events, event::SYSCALL_FCNTL_X);
  ASSERT_EQ(controls.size(), 1u);
  EXPECT_EQ(controls[0]->get<uint8_t>("cmd"), 26);
  EXPECT_EQ(controls[0]->view.result(), 50);
  const auto folders = of(events, event::SYSCALL_MKDIR_2_X);
  ASSERT_EQ(folders.size(), 1u);
  EXPECT_EQ(folders[0]->get<uint32_t>("mode"), 0711u);
}

// Watching: a new task is told of before it does anything, and its end after all that it did.
TEST_F(LiveTest, ProcessLifeFramesFileEvents) {
  LiveOptions options;
  for (const EventCode code : {event::SYSCALL_OPEN_X, event::SYSCALL_OPENAT_2_X})
    options.demand.events.set(code);
  const auto events = watch(
      [] {
        for (int i = 0; i < 200; ++i) {
          if (fork() == 0) {
            close(static_cast<int>(syscall(SYS_open, "/etc/hostname", O_RDONLY)));
            _exit(0);
          }
        }
        while (wait(nullptr) > 0) {
        }
      },
      options);
  std::map<int64_t, int> stage;
  stage[child_] = 1;
  int opens = 0;
  for (const Kept& kept : events) {
    const int64_t tid = kept.view.tid;
    if (kept.view.type == event::SYSCALL_CLONE_20_X && kept.view.result() == 0) stage[tid] = 1;
    if (kept.view.type == event::SYSCALL_OPEN_X) {
      ++opens;
      EXPECT_EQ(stage[tid], 1) << "open of a task that was not there";
    }
    if (kept.view.type == event::PROCEXIT_1_E) {
      EXPECT_EQ(stage[tid], 1);
      stage[tid] = 2;
    }
  }
  EXPECT_EQ(opens, 200);
  EXPECT_EQ(stage.size(), 201u);
}

TEST_F(LiveTest, ThreadsShareTheirGroup) {
  LiveOptions options;
  const auto events = watch([] { std::thread([] {}).join(); }, options);
  const auto clones = of(events, event::SYSCALL_CLONE3_X);
  ASSERT_EQ(clones.size(), 1u);
  EXPECT_EQ(clones[0]->get("pid"), child_);
  EXPECT_NE(clones[0]->get("tid"), child_);
  EXPECT_EQ(clones[0]->get<uint32_t>("flags") & (1 << 13), 1u << 13);
  EXPECT_EQ(of(events, event::PROCEXIT_1_E).size(), 2u);
}

// With tests in the kernel and without, what satisfies a test comes in both cases; what can't be
// decided passes.
TEST_F(LiveTest, PathTestsDropOnlyWhatCantMatch) {
  const auto work = [] {
    const auto touch = [](const char* path) {
      close(static_cast<int>(syscall(SYS_open, path, O_RDONLY)));
    };
    touch("/etc/shadow");
    touch("/etc/hostname");
    touch("/usr/lib/os-release");
    touch("/tmp/../etc/shadow");
    touch("//etc/shadow");
    touch("/proc/self/./status");
    touch("/usr/share/.hidden/x");
    if (chdir("/etc") != 0) _exit(1);
    touch("shadow");
    touch("hostname");
    touch("/home/x/.ssh/id_rsa");
    touch("/home/x/.ssh/id_rsa.pub");
  };
  LiveOptions options;
  options.demand.events.set(event::SYSCALL_OPEN_X);
  options.demand.tests[event::SYSCALL_OPEN_X] =
      paths_only({.prefixes = {"/etc/sha", "/root"}, .suffixes = {"/id_rsa"}});
  const auto names = [&] {
    std::vector<std::string> out;
    const auto events = watch(work, options);
    for (const Kept* open : of(events, event::SYSCALL_OPEN_X))
      out.emplace_back(open->text("name").c_str());
    return out;
  };
  EXPECT_EQ(names(), (std::vector<std::string>{"/etc/shadow", "/tmp/../etc/shadow", "//etc/shadow",
                                               "/proc/self/./status", "shadow", "hostname",
                                               "/home/x/.ssh/id_rsa"}));
  options.push_down = false;
  EXPECT_EQ(names().size(), 11u);
  // Suffixes alone decide relative paths too.
  options.push_down = true;
  options.demand.tests[event::SYSCALL_OPEN_X] = paths_only({.suffixes = {"adow"}});
  EXPECT_EQ(names(), (std::vector<std::string>{"/etc/shadow", "/tmp/../etc/shadow", "//etc/shadow",
                                               "/proc/self/./status", "shadow"}));
  // A text anywhere in the absolute path: relative ones may have it in their beginning.
  options.demand.tests[event::SYSCALL_OPEN_X] = paths_only({.substrings = {".ssh", "-rel"}});
  EXPECT_EQ(names(),
            (std::vector<std::string>{"/usr/lib/os-release", "/tmp/../etc/shadow", "//etc/shadow",
                                      "/proc/self/./status", "shadow", "hostname",
                                      "/home/x/.ssh/id_rsa", "/home/x/.ssh/id_rsa.pub"}));
  // In the argument as it is, relative or not.
  options.demand.tests[event::SYSCALL_OPEN_X] = paths_only({.raw_substrings = {"stn"}});
  EXPECT_EQ(names(), (std::vector<std::string>{"/etc/hostname", "/tmp/../etc/shadow",
                                               "//etc/shadow", "/proc/self/./status", "hostname"}));
}

TEST_F(LiveTest, OpenModeAndResultTests) {
  LiveOptions options;
  options.demand.events.set(event::SYSCALL_OPEN_X);
  options.demand.tests[event::SYSCALL_OPEN_X].set_classes(
      {},
      [](event::OpenMode mode, bool failed) { return mode != event::OpenMode::read && !failed; });
  const auto events = watch(
      [] {
        syscall(SYS_open, "/dev/null", O_RDONLY);
        syscall(SYS_open, "/dev/null", O_WRONLY);
        syscall(SYS_open, "/no/such", O_WRONLY);
        syscall(SYS_open, "/dev/null", O_RDWR);
        syscall(SYS_open, "/etc", O_RDONLY);  // a directory: state needs it
      },
      options);
  std::vector<int> flags;
  for (const Kept* open : of(events, event::SYSCALL_OPEN_X))
    flags.push_back(open->get<int>("flags") & 3);
  EXPECT_EQ(flags, (std::vector<int>{2, 3, 1}));
}

TEST_F(LiveTest, DemandChangesWhileWatching) {
  LiveOptions options;
  auto live = open_live(options);
  ASSERT_TRUE(live.ok());
  const auto count_opens = [&] {
    const pid_t child = fork();
    if (child == 0) {
      syscall(SYS_open, "/etc/hostname", O_RDONLY);
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    int opens = 0;
    event::Event event;
    for (Next next = (*live)->next(event); next == Next::event; next = (*live)->next(event))
      opens += event.type == event::SYSCALL_OPEN_X && event.tid == child;
    return opens;
  };
  EXPECT_EQ(count_opens(), 0);
  event::Demand demand;
  demand.events.set(event::SYSCALL_OPEN_X);
  ASSERT_TRUE((*live)->set_demand(demand).ok());
  EXPECT_EQ(count_opens(), 1);
  ASSERT_TRUE((*live)->set_demand(event::Demand{}).ok());
  EXPECT_EQ(count_opens(), 0);
}

struct Collected : event::SnapshotSink {
  std::map<int64_t, std::string> exepaths, commands, cwds;
  std::map<int64_t, std::string> fds;  // of this process
  size_t machines = 0, users = 0, interfaces = 0;
  uint16_t port = 0;
  void on_machine(const event::MachineInfo&) override { ++machines; }
  void on_process(const event::ProcessEntry& process) override {
    exepaths[process.tid] = process.exepath;
    commands[process.tid] = process.exe;
    cwds[process.tid] = process.cwd;
  }
  void on_fd(const event::FdEntry& fd) override {
    if (fd.tid != getpid()) return;
    fds[fd.fd] = fd.name;
    if (fd.type == event::FdType::ipv4_server) port = fd.source_port;
  }
  void on_user(const event::UserEntry&) override { ++users; }
  void on_interface(const event::InterfaceEntry&) override { ++interfaces; }
};

TEST_F(LiveTest, SnapshotKnowsThisProcess) {
  const int file = open("/etc/hostname", O_RDONLY);
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ASSERT_EQ(bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  listen(server, 1);
  socklen_t length = sizeof address;
  getsockname(server, reinterpret_cast<sockaddr*>(&address), &length);
  auto live = open_live({});
  ASSERT_TRUE(live.ok());
  Collected seen;
  ASSERT_TRUE((*live)->snapshot(seen).ok());
  char self[4096] = {}, cwd[4096] = {};
  ASSERT_GT(readlink("/proc/self/exe", self, sizeof self - 1), 0);
  ASSERT_NE(getcwd(cwd, sizeof cwd), nullptr);
  EXPECT_EQ(seen.exepaths[getpid()], self);
  EXPECT_EQ(seen.cwds[getpid()], cwd);
  EXPECT_EQ(seen.fds[file], "/etc/hostname");
  EXPECT_EQ(seen.port, ntohs(address.sin_port));
  EXPECT_EQ(seen.machines, 1u);
  EXPECT_GT(seen.users, 5u);
  EXPECT_TRUE(seen.exepaths.contains(getppid()));
  close(file);
  close(server);
}

TEST_F(LiveTest, AFullRingIsCountedByType) {
  LiveOptions options;
  options.file_ring_bytes = 65536;
  options.demand.events.set(event::SYSCALL_OPEN_X);
  auto live = open_live(options);
  ASSERT_TRUE(live.ok());
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 5000; ++i)
      close(static_cast<int>(syscall(SYS_open, "/etc/hostname", O_RDONLY)));
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  const SourceStats stats = (*live)->stats();
  EXPECT_GT(stats.lost.at("file ring full"), 3000u);
  EXPECT_GT(stats.lost_by_type.at("open"), 3000u);
  EXPECT_FALSE(stats.lost.contains("process ring full"));
}

}  // namespace
}  // namespace saker::capture
