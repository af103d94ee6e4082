// The resolver against a look-up that does as the test says.
#include "k8s/resolver.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace saker::k8s {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr ResolverLimits kQuick{.first_retry = milliseconds(1),
                                .longest_retry = milliseconds(4),
                                .give_up_after = milliseconds(30),
                                .deny_for = milliseconds(150),
                                .patience = milliseconds(2000)};

FoundContainer found(const ContainerRequest& request, bool complete = true) {
  FoundContainer container;
  container.info.full_id = request.full_id;
  container.info.name = complete ? "whole" : "part";
  container.complete = complete;
  return container;
}

ContainerRequest ask(std::string id) {
  return {.full_id = std::move(id)};
}

Outcome wait(const MetadataResolver& resolver, std::string_view id,
             milliseconds time = seconds(5)) {
  return resolver.wait_for(id, steady_clock::now() + time);
}

std::vector<ContainerInfo> poll_until(MetadataResolver& resolver, size_t count) {
  std::vector<ContainerInfo> out;
  const auto deadline = steady_clock::now() + seconds(5);
  while (out.size() < count && steady_clock::now() < deadline) {
    if (resolver.poll(out) == 0) std::this_thread::yield();
  }
  return out;
}

TEST(Resolver, GivesWhatIsFound) {
  MetadataResolver resolver([](const auto& request) { return found(request); }, kQuick);
  EXPECT_EQ(resolver.outcome("a"), Outcome::unknown);
  EXPECT_EQ(wait(resolver, "a"), Outcome::unknown);
  ASSERT_TRUE(resolver.request(ask("a")));
  EXPECT_EQ(wait(resolver, "a"), Outcome::resolved);
  std::vector<ContainerInfo> out;
  EXPECT_EQ(resolver.poll(out), 1U);
  EXPECT_EQ(out[0].full_id, "a");
  EXPECT_EQ(resolver.poll(out), 0U);
}

TEST(Resolver, TriesAgainUntilTheContainerIsRegistered) {
  std::atomic<int> calls = 0;
  MetadataResolver resolver(
      [&](const auto& request) -> Result<FoundContainer> {
        if (++calls < 4) return Error{Code::not_found, "not yet"};
        return found(request);
      },
      kQuick);
  ASSERT_TRUE(resolver.request(ask("a")));
  EXPECT_EQ(wait(resolver, "a"), Outcome::resolved);
  EXPECT_EQ(calls, 4);
}

TEST(Resolver, GivesUpAndDeniesForAWhile) {
  std::atomic<int> calls = 0;
  MetadataResolver resolver(
      [&](const auto&) -> Result<FoundContainer> {
        ++calls;
        return Error{Code::not_found, "none"};
      },
      kQuick);
  ASSERT_TRUE(resolver.request(ask("a")));
  EXPECT_EQ(wait(resolver, "a"), Outcome::failed);
  const int before = calls;
  EXPECT_GE(before, 4);
  EXPECT_FALSE(resolver.request(ask("a")));
  EXPECT_EQ(calls, before);
  EXPECT_EQ(resolver.stats().given_up, 1U);
  EXPECT_EQ(resolver.stats().denied, 1U);
  const auto deadline = steady_clock::now() + seconds(5);
  bool again = false;
  while (!again && steady_clock::now() < deadline) again = resolver.request(ask("a"));
  EXPECT_TRUE(again);
}

TEST(Resolver, OutlastsARuntimeThatIsDown) {
  std::atomic<bool> is_down = true;
  MetadataResolver resolver(
      [&](const auto& request) -> Result<FoundContainer> {
        if (is_down) return Error{Code::io, "down"};
        return found(request);
      },
      kQuick);
  ASSERT_TRUE(resolver.request(ask("a")));
  // Longer than what would give up a container that is denied.
  EXPECT_EQ(wait(resolver, "a", milliseconds(100)), Outcome::pending);
  EXPECT_EQ(resolver.stats().last_error, "down");
  is_down = false;
  EXPECT_EQ(wait(resolver, "a"), Outcome::resolved);
  EXPECT_GT(resolver.stats().failures, 3U);
}

TEST(Resolver, TellsAPartAtOnceAndTheRestLater) {
  std::atomic<bool> is_down = true;
  MetadataResolver resolver([&](const auto& request) { return found(request, !is_down); }, kQuick);
  ASSERT_TRUE(resolver.request(ask("a")));
  auto out = poll_until(resolver, 1);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].name, "part");
  EXPECT_EQ(resolver.outcome("a"), Outcome::resolved);
  is_down = false;
  out = poll_until(resolver, 1);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].name, "whole");
  EXPECT_EQ(resolver.stats().partial, 1U);
}

TEST(Resolver, AsksOnceForManyRequests) {
  std::promise<void> gate;
  auto opened = gate.get_future().share();
  std::atomic<int> calls = 0;
  MetadataResolver resolver(
      [&](const auto& request) {
        ++calls;
        opened.wait();
        return found(request);
      },
      kQuick);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(resolver.request(ask("a")));
  gate.set_value();
  EXPECT_EQ(wait(resolver, "a"), Outcome::resolved);
  EXPECT_EQ(poll_until(resolver, 1).size(), 1U);
  EXPECT_EQ(calls, 1);
}

TEST(Resolver, NeverBlocksTheAskerWhileARuntimeHangs) {
  std::promise<void> gate;
  auto opened = gate.get_future().share();
  MetadataResolver resolver(
      [&](const auto& request) {
        opened.wait();
        return found(request);
      },
      ResolverLimits{.max_queue = 8});
  const auto start = steady_clock::now();
  int taken = 0;
  for (int i = 0; i < 1000; ++i) taken += resolver.request(ask(std::to_string(i)));
  EXPECT_LT(steady_clock::now() - start, seconds(1));
  EXPECT_GE(taken, 8);
  EXPECT_LE(taken, 9);  // one may be with the look-up
  EXPECT_EQ(resolver.stats().dropped, static_cast<uint64_t>(1000 - taken));
  EXPECT_EQ(wait(resolver, "0", milliseconds(20)), Outcome::pending);
  gate.set_value();
  EXPECT_EQ(wait(resolver, "0"), Outcome::resolved);
}

TEST(Resolver, RemembersABoundedNumber) {
  MetadataResolver resolver([](const auto& request) { return found(request); },
                            ResolverLimits{.max_known = 10});
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(resolver.request(ask(std::to_string(i))));
    ASSERT_EQ(wait(resolver, std::to_string(i)), Outcome::resolved);
  }
  EXPECT_EQ(resolver.outcome("0"), Outcome::unknown);
  EXPECT_EQ(resolver.outcome("99"), Outcome::resolved);
  EXPECT_EQ(resolver.stats().forgotten, 90U);
}

TEST(Resolver, WaitsWithLookUpsWhileNobodyCollects) {
  std::atomic<int> calls = 0;
  MetadataResolver resolver(
      [&](const auto& request) {
        ++calls;
        return found(request);
      },
      ResolverLimits{.max_queue = 4});
  int asked = 0;
  for (int i = 0; i < 8; ++i) {
    if (!resolver.request(ask(std::to_string(i)))) continue;
    ++asked;
    if (i < 4) wait(resolver, std::to_string(i));
  }
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(poll_until(resolver, static_cast<size_t>(asked)).size(), static_cast<size_t>(asked));
}

TEST(Resolver, LooksUpANameAgainButNotAnId) {
  std::atomic<int> calls = 0;
  MetadataResolver resolver(
      [&](const auto& request) {
        ++calls;
        return found(request);
      },
      kQuick);
  const std::string id(64, 'a');
  for (const std::string& name : {id, std::string("web")}) {
    calls = 0;
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(resolver.request(ask(name)));
      ASSERT_EQ(wait(resolver, name), Outcome::resolved);
      EXPECT_EQ(poll_until(resolver, 1).size(), 1U);
    }
    EXPECT_EQ(calls, name == id ? 1 : 2);
  }
}

TEST(Resolver, DropsTheAnswerForAForgottenContainer) {
  std::promise<void> gate;
  auto opened = gate.get_future().share();
  std::atomic<int> calls = 0;
  MetadataResolver resolver(
      [&](const auto& request) {
        if (++calls == 1) opened.wait();
        return found(request);
      },
      kQuick);
  ASSERT_TRUE(resolver.request(ask("a")));
  while (calls == 0) std::this_thread::yield();
  resolver.forget("a");
  EXPECT_EQ(wait(resolver, "a"), Outcome::unknown);
  gate.set_value();
  ASSERT_TRUE(resolver.request(ask("b")));
  ASSERT_EQ(wait(resolver, "b"), Outcome::resolved);
  const auto out = poll_until(resolver, 1);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].full_id, "b");
}

TEST(Resolver, EndsWithWorkUnderWay) {
  MetadataResolver resolver(
      [](const auto&) -> Result<FoundContainer> { return Error{Code::io, "down"}; }, kQuick);
  for (int i = 0; i < 100; ++i) resolver.request(ask(std::to_string(i)));
}

}  // namespace
}  // namespace saker::k8s
