// What no kernel would send: missing and odd parameters, cycles of pids, endless forks. Nothing may
// crash, run away or grow without bound; run under the sanitizers.
#include <chrono>
#include <random>

#include "state/test_driver.h"

namespace saker::state {
namespace {

using namespace event;

class Hostile : public StateTest {
 protected:
  Hostile() { process(1, 0, "init"); }

  // Looks at the threads in every way that fields do.
  void look_around(int64_t tid) {
    const Thread* thread = state.thread(tid);
    if (thread == nullptr) return;
    ASSERT_NE(thread->leader, nullptr);
    ASSERT_TRUE(thread->image);
    for (unsigned n : {0u, 1u, 2u, 50u, 100000u}) {
      const Thread* ancestor = state.ancestor(*thread, n);
      if (ancestor != nullptr) seen += ancestor->comm.size();
    }
    for (const Thread* leader : {state.session_leader(*thread), state.group_leader(*thread),
                                 state.host_group_leader(*thread), state.parent_record(*thread)})
      if (leader != nullptr) seen += leader->image->exe.size();
    state.for_each_fd(*thread, [&](int64_t number, const Fd& fd) {
      seen += fd.name.size() + static_cast<size_t>(number & 1);
    });
  }
  size_t seen = 0;
};

TEST_F(Hostile, CyclesOfPids) {
  for (int64_t i = 10; i < 20; ++i) clone({.tid = i, .pid = i, .ptid = i == 19 ? 10 : i + 1}).run();
  clone({.tid = 30, .pid = 30, .ptid = 30}).run();  // its own parent
  clone({.tid = 31, .pid = 32, .ptid = 31, .flags = kThread}).run();
  clone({.tid = 32, .pid = 31, .ptid = 31, .flags = kThread}).run();  // each the other's leader
  for (int64_t i : {10, 15, 19, 30, 31, 32}) look_around(i);
  for (int64_t i = 10; i < 20; ++i) exec({.pid = i, .ptid = i}).run();
  for (int64_t i : {10, 30, 31, 32, 12, 14, 11}) exit(i, i + 1).run();
  for (int64_t i = 10; i < 33; ++i) look_around(i);
}

TEST_F(Hostile, ForksWithoutExits) {
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 2; i < 100000; ++i) clone({.tid = i, .pid = i, .ptid = i / 2}).run();
  for (int64_t i = 100000; i < 200000; ++i) clone({.tid = i, .pid = i, .ptid = 1}).run();
  EXPECT_EQ(state.stats().threads, 199999u);
  for (int i = 0; i < 10000; ++i) exec({.pid = 1, .ptid = 0}).run();
  for (int64_t i = 199999; i > 1; --i) exit(i, 1).run();
  EXPECT_EQ(state.stats().threads, 1u);
  EXPECT_TRUE(state.thread(1)->children.empty());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_LT(took.count(), 60.0);  // seconds even under sanitizers; quadratic would be hours
}

TEST_F(Hostile, ExitOfAParentWithManyChildren) {
  fork(1, 2);
  for (int64_t i = 3; i < 50000; ++i) fork(2, i);
  exit(2, 1).run();
  EXPECT_EQ(state.thread(49999)->ptid, 1);
  EXPECT_EQ(state.thread(1)->children.size(), 49997u);
}

TEST_F(Hostile, OrphansFindTheirParentLate) {
  clone({.tid = 20, .pid = 20, .ptid = 1}).run();
  process(30, 29, "child");  // a snapshot in any order
  process(31, 29, "child");
  process(29, 1, "parent");
  EXPECT_EQ(state.thread(29)->children.size(), 2u);
  exit(30).run();
  EXPECT_EQ(state.thread(29)->children, std::vector<int64_t>{31});
  exit(29, 1).run();
  EXPECT_EQ(state.thread(31)->ptid, 1);
}

// One parameter: often a sensible one of the type, sometimes of another size or missing.
void add_random(Encoder& encoder, const ParamInfo& param, std::mt19937_64& random) {
  static constexpr int64_t kNumbers[] = {
      0, 1, 2, 3, 4, 7, -1, -9, -2, -100, 10, int64_t{1} << 40, INT64_MAX, INT64_MIN};
  static constexpr std::string_view kTexts[] = {
      "",
      "/",
      "/etc/passwd",
      "../x",
      "a/b/../../..",
      "<NA>",
      ".",
      "cat",
      "//",
      "container",
      "cpu=/docker/0123456789abcdef0123456789abcdef0123456789abcdef"};
  auto pick = [&](size_t count) { return random() % count; };
  if (pick(30) == 0) {
    encoder.add_empty();
    return;
  }
  if (pick(40) == 0) {
    std::string junk(pick(40), '\0');
    for (char& c : junk) c = static_cast<char>(random());
    encoder.add(as_bytes(junk));
    return;
  }
  int64_t value =
      pick(3) == 0 ? kNumbers[pick(std::size(kNumbers))] : static_cast<int64_t>(pick(40)) - 2;
  if (!param.flags.empty()) value = static_cast<int64_t>(random() & random() & 0x3fffffff);
  if (const size_t size = fixed_size(param.type); size != 0) {
    const int64_t wide[2] = {value, value};  // the widest are IPv6 addresses
    encoder.add(Bytes(reinterpret_cast<const uint8_t*>(wide), size));
    return;
  }
  if (param.type == ParamType::SockTuple || param.type == ParamType::SockAddr) {
    std::string bytes(1, "\x01\x02\x0a\x10"[pick(4)]);
    const size_t size = pick(2) == 0 ? 36 : pick(45);
    for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(pick(3));
    encoder.add(as_bytes(bytes));
    return;
  }
  encoder.add_text(kTexts[pick(std::size(kTexts))]);
}

TEST_F(Hostile, RandomEvents) {
  // A million under sanitizers takes minutes on a slow machine; SAKER_RANDOM_EVENTS asks for more.
  const char* wish = std::getenv("SAKER_RANDOM_EVENTS");
  const int events = wish == nullptr ? 200000 : std::atoi(wish);
  std::mt19937_64 random(4711);
  std::vector<uint16_t> favourites;
  for (const EventInfo& info : all_events())
    if (info.has(ModifiesState)) favourites.push_back(info.code);
  for (int i = 0; i < events; ++i) {
    const uint16_t type = random() % 4 != 0 ? favourites[random() % favourites.size()]
                                            : static_cast<uint16_t>(random() % kEventCodeCount);
    const auto tid = static_cast<int64_t>(random() % 40) - 1;
    encoder.begin(now += random() % 100'000'000, tid, type);
    for (const ParamInfo& param : info(type).params) {
      if (random() % 50 == 0) break;
      add_random(encoder, param, random);
    }
    auto event = Event::decode(encoder.finish(), 0);
    ASSERT_TRUE(event.ok());
    const Applied applied = state.apply(*event);
    if (applied.thread != nullptr) {
      ASSERT_NE(applied.thread->leader, nullptr);
      seen += applied.thread->comm.size();
    }
    if (applied.fd != nullptr) seen += applied.fd->name.size();
    if (applied.container != nullptr) seen += applied.container->name.size();
    if (random() % 16 == 0) look_around(static_cast<int64_t>(random() % 40));
    if (random() % 8 != 0) state.finish(*event);
  }
  EXPECT_GT(seen, 0u);
  EXPECT_LT(state.stats().threads, 20000u);
}

}  // namespace
}  // namespace saker::state
