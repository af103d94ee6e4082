// Sinks that are exchanged while findings come.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "output/dispatcher.h"

namespace saker::output {
namespace {

using namespace std::chrono_literals;

class Exchange : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = "/tmp/saker-exchange-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  SinkSpec file(const std::string& name) {
    const SinkInfo* info = find_sink("file");
    SinkSpec spec{.info = info, .settings = default_settings(*info)};
    spec.settings.values["path"] = folder_ + "/" + name;
    spec.settings.values["format"] = "text";
    return spec;
  }

  Status use(std::vector<SinkSpec> specs, DispatcherOptions options = {}) {
    Result<Dispatcher::Prepared> prepared = dispatcher_.prepare(options, std::move(specs));
    if (!prepared.ok()) return prepared.error();
    dispatcher_.exchange(std::move(*prepared));
    return {};
  }

  void submit(const std::string& message) {
    dispatcher_.submit(finding::Finding{.rule = "r", .message = message});
  }

  // The messages in a file, each cut to what was submitted.
  std::string read(const std::string& name) {
    std::ifstream file(folder_ + "/" + name);
    std::string all;
    for (std::string line; std::getline(file, line);) all += line.back();
    return all;
  }

  std::string folder_;
  Dispatcher dispatcher_{DispatcherOptions{}};
};

TEST_F(Exchange, EachFindingGoesToTheSinksOfItsTime) {
  ASSERT_TRUE(use({file("a")}).ok());
  submit("1");
  submit("2");
  ASSERT_TRUE(use({file("b")}).ok());  // at once: what was handed to a still goes there
  submit("3");
  ASSERT_TRUE(use({}).ok());
  submit("4");
  EXPECT_TRUE(dispatcher_.stop(5s));
  EXPECT_EQ(read("a"), "12");
  EXPECT_EQ(read("b"), "3");
  const std::vector<SinkStats> stats = dispatcher_.stats();
  ASSERT_EQ(stats.size(), 1U);  // what is gone is still counted
  EXPECT_EQ(stats[0].name, "file");
  EXPECT_EQ(stats[0].delivered, 3U);
}

TEST_F(Exchange, SinkThatStaysIsNotOpenedAgain) {
  ASSERT_TRUE(use({file("a")}).ok());
  submit("1");
  ASSERT_TRUE(dispatcher_.flush(5s));
  std::filesystem::rename(folder_ + "/a", folder_ + "/old");
  ASSERT_TRUE(use({file("a")}).ok());
  submit("2");
  ASSERT_TRUE(dispatcher_.flush(5s));
  EXPECT_EQ(read("old"), "12");
  ASSERT_TRUE(use({file("a")}, {.queue_capacity = 7}).ok());  // another queue: another lane
  submit("3");
  ASSERT_TRUE(dispatcher_.flush(5s));
  EXPECT_EQ(read("a"), "3");
  EXPECT_EQ(dispatcher_.stats().front().capacity, 7U);
}

TEST_F(Exchange, WhatCannotBeOpenedChangesNothing) {
  ASSERT_TRUE(use({file("a")}).ok());
  EXPECT_FALSE(use({file("b"), file("none/b")}).ok());
  submit("1");
  EXPECT_TRUE(dispatcher_.stop(5s));
  EXPECT_EQ(read("a"), "1");
}

TEST_F(Exchange, LimitOfRateChanges) {
  ASSERT_TRUE(use({file("a")}, {.rate = 0.001, .burst = 1}).ok());
  submit("1");
  submit("2");
  EXPECT_EQ(dispatcher_.rate_limited(), 1U);
  ASSERT_TRUE(use({file("a")}).ok());
  submit("3");
  submit("4");
  EXPECT_TRUE(dispatcher_.stop(5s));
  EXPECT_EQ(read("a"), "134");
}

}  // namespace
}  // namespace saker::output
