// Users, groups, containers, and the limits of the tables.
#include "state/test_driver.h"

namespace saker::state {
namespace {

using namespace event;

constexpr std::string_view kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

std::string cgroups_of(std::string_view id) {
  return "cpu=/docker/" + std::string(id) + '\0' + "memory=/docker/" + std::string(id) + '\0';
}

class Meta : public StateTest {
 protected:
  Meta() { process(10, 1, "bash"); }
};

TEST_F(Meta, UsersAndGroups) {
  const uint32_t before = epoch(10);
  call(-1, USER_ADDED_E).u32(7).u32(8).text("joe").text("/home/joe").text("/bin/sh").text("").run();
  ASSERT_NE(state.user("", 7), nullptr);
  EXPECT_EQ(state.user("", 7)->home, "/home/joe");
  EXPECT_EQ(state.user("c1", 7), nullptr);
  call(-1, GROUP_ADDED_E).u32(8).text("staff").text("c1").run();
  ASSERT_NE(state.group("c1", 8), nullptr);
  EXPECT_EQ(*state.group("c1", 8), "staff");
  EXPECT_EQ(state.group("", 8), nullptr);
  call(10, SYSCALL_GETUID_X).u32(0).run();
  EXPECT_GT(epoch(10), before);  // user.name may be another now
  call(-1, USER_DELETED_E).u32(7).u32(8).text("joe").text("").text("").text("").run();
  EXPECT_EQ(state.user("", 7), nullptr);
  call(-1, GROUP_DELETED_E).u32(8).text("staff").text("c1").run();
  EXPECT_EQ(state.group("c1", 8), nullptr);
  EXPECT_EQ(state.stats().placeholders, 0u);
}

TEST_F(Meta, ContainersComeFromCgroups) {
  std::vector<std::string> asked;
  state.set_container_request([&](const Cgroups& cgroups, const Thread& thread) {
    EXPECT_EQ(thread.cgroups.get(), &cgroups);
    asked.push_back(cgroups.full_container_id);
  });
  const std::string cgroups = cgroups_of(kId);
  clone({.tid = 20, .pid = 20, .ptid = 10, .cgroups = cgroups}).run();
  clone({.tid = 21, .pid = 21, .ptid = 20, .cgroups = cgroups}).run();
  ASSERT_TRUE(state.thread(20)->in_container());
  EXPECT_EQ(state.thread(20)->cgroups->container_id, kId.substr(0, 12));
  EXPECT_EQ(state.thread(20)->cgroups.get(), state.thread(21)->cgroups.get());
  EXPECT_EQ(asked, std::vector<std::string>{std::string(kId)});
  clone({.tid = 22, .pid = 22, .ptid = 20}).run();  // no cgroups in the event: the parent's
  EXPECT_TRUE(state.thread(22)->in_container());
  EXPECT_FALSE(state.thread(10)->in_container());
}

TEST_F(Meta, DesertedContainersAreForgotten) {
  std::vector<std::string> asked, forgotten;
  state.set_container_request(
      [&](const Cgroups& cgroups, const Thread&) { asked.push_back(cgroups.full_container_id); });
  state.set_container_forget(
      [&](const Cgroups& cgroups) { forgotten.push_back(cgroups.full_container_id); });
  const std::string cgroups = cgroups_of(kId);
  clone({.tid = 20, .pid = 20, .ptid = 10, .cgroups = cgroups}).run();
  state.set_container({.id = std::string(kId.substr(0, 12)), .full_id = std::string(kId)});
  state.forget_deserted_containers();
  EXPECT_EQ(state.stats().containers, 1U);
  EXPECT_EQ(forgotten.size(), 1U);  // when it was entered, empty
  EXPECT_EQ(asked.size(), 1U);
  exit(20).run();
  // Entered again before anybody looked: it is not what it was.
  clone({.tid = 21, .pid = 21, .ptid = 10, .cgroups = cgroups}).run();
  EXPECT_EQ(state.stats().containers, 0U);
  EXPECT_EQ(asked.size(), 2U);
  state.set_container({.id = std::string(kId.substr(0, 12)), .full_id = std::string(kId)});
  exit(21).run();
  EXPECT_EQ(state.stats().containers, 1U);
  state.forget_deserted_containers();
  EXPECT_EQ(state.stats().containers, 0U);
  EXPECT_EQ(forgotten, std::vector<std::string>(3, std::string(kId)));
}

TEST_F(Meta, ContainerMetadataInAllItsForms) {
  constexpr std::string_view kJson =
      R"({"container":{"id":"0123456789ab","full_id":"0123456789abcdef","type":7,"name":"web"}})";
  Applied applied = call(-1, CONTAINER_JSON_2_E).text(kJson).run();
  ASSERT_NE(applied.container, nullptr);
  EXPECT_EQ(applied.container->name, "web");
  EXPECT_EQ(state.container("0123456789ab"), applied.container);
  applied = call(-1, ASYNCEVENT_E).u32(0).text("container_removed").text(kJson).apply();
  ASSERT_NE(applied.container, nullptr);
  EXPECT_EQ(applied.container->name, "web");
  applied = call(-1, ASYNCEVENT_E).u32(0).text("container").text("{broken").run();
  EXPECT_EQ(applied.container, nullptr);
  EXPECT_EQ(state.container("0123456789ab"), nullptr);
  call(-1, ASYNCEVENT_E).u32(0).text("container").text(kJson).run();
  EXPECT_NE(state.container("0123456789ab"), nullptr);
  call(-1, CONTAINER_E).text("aaaaaaaaaaaa").u32(0).text("old").text("busybox").run();
  ASSERT_NE(state.container("aaaaaaaaaaaa"), nullptr);
  EXPECT_EQ(state.container("aaaaaaaaaaaa")->name, "old");
  EXPECT_EQ(state.stats().containers, 2u);
}

TEST_F(Meta, LateMetadataMakesBitsStale) {
  const uint32_t before = epoch(10);
  state.set_container({.id = "0123456789ab"});
  call(10, SYSCALL_GETUID_X).u32(0).run();
  EXPECT_GT(epoch(10), before);
}

class Small : public StateTest {
 protected:
  Small()
      : StateTest(
            {.max_threads = 50, .max_containers = 3, .max_users = 5, .max_text_bytes = 1000}) {
    process(1, 0, "init");
  }
};

TEST_F(Small, TablesStopGrowing) {
  for (int i = 2; i < 200; ++i) fork(1, i);
  EXPECT_EQ(state.stats().threads, 50u);
  EXPECT_GT(state.stats().dropped_threads, 0u);
  EXPECT_EQ(call(1000, SYSCALL_GETUID_X).u32(0).run().thread, nullptr);
  for (int i = 0; i < 10; ++i) state.set_container({.id = "c" + std::to_string(i)});
  EXPECT_EQ(state.stats().containers, 3u);
  EXPECT_NE(state.container("c9"), nullptr);
  for (uint32_t i = 0; i < 10; ++i) call(-1, GROUP_ADDED_E).u32(i).text("g").text("").run();
  EXPECT_NE(state.group("", 4), nullptr);
  EXPECT_EQ(state.group("", 5), nullptr);
  exec({.pid = 1, .args = std::string(4000, 'x')}).run();
  EXPECT_EQ(state.thread(1)->image->args.size(), 256u);
  EXPECT_EQ(state.stats().dropped_texts, 1u);
}

TEST_F(Small, AFullTableForgetsTheIdle) {
  for (int i = 2; i < 200; ++i) fork(1, i);
  now += 3600ULL * 1'000'000'000;
  call(7, SYSCALL_GETUID_X).u32(0).run();
  const Applied applied = call(1000, SYSCALL_GETUID_X).u32(0).run();
  EXPECT_NE(applied.thread, nullptr);
  EXPECT_NE(state.thread(7), nullptr);
  EXPECT_EQ(state.thread(8), nullptr);
}

class Asker : public LiveLookup {
 public:
  bool look_up_thread(int64_t tid, SnapshotSink& sink) override {
    ++asked;
    if (tid != 77) return false;
    ProcessEntry entry;
    entry.tid = entry.pid = entry.vtid = entry.vpid = tid;
    entry.comm = "found";
    entry.cwd = "/x";
    sink.on_process(entry);
    FdEntry fd;
    fd.tid = tid;
    fd.fd = 3;
    fd.type = FdType::file_v2;
    fd.name = "/log";
    sink.on_fd(fd);
    return true;
  }
  int asked = 0;
};

TEST_F(Meta, LiveSourcesAreAskedOnce) {
  Asker asker;
  state.set_live_lookup(&asker);
  const Applied applied = call(77, SYSCALL_READ_X).i64(1).bytes("x").i64(3).u32(1).run();
  ASSERT_NE(applied.thread, nullptr);
  EXPECT_EQ(applied.thread->comm, "found");
  ASSERT_NE(applied.fd, nullptr);
  EXPECT_EQ(applied.fd->name, "/log");
  call(77, SYSCALL_GETUID_X).u32(0).run();
  call(78, SYSCALL_GETUID_X).u32(0).run();
  call(78, SYSCALL_GETUID_X).u32(0).run();
  EXPECT_EQ(asker.asked, 2);
  EXPECT_TRUE(state.thread(78)->placeholder);
}

}  // namespace
}  // namespace saker::state
