// The store against what it must survive: kill -9, a full disk, damage, bounds, a busy reader.
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "base/fd.h"
#include "base/time.h"
#include "store/query.h"
#include "store/schema.h"
#include "store/writer.h"

namespace saker::store {
namespace {

using namespace std::chrono_literals;

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "saker_store_" + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
    path_ = store_path(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  WriterOptions options() const { return {.path = path_, .batch_time = 20ms, .retry_wait = 20ms}; }
  std::unique_ptr<Writer> writer() const { return Writer::open(options()).value(); }

  std::vector<StoredAlert> read(const AlertFilter& filter = {}) const {
    std::vector<StoredAlert> alerts;
    Result<Reader> reader = Reader::open(path_);
    EXPECT_TRUE(reader.ok()) << reader.error().to_text();
    if (!reader.ok()) return alerts;
    Status status = reader->each(filter, [&](const StoredAlert& alert) {
      alerts.push_back(alert);
      return true;
    });
    EXPECT_TRUE(status.ok()) << status.error().to_text();
    return alerts;
  }
  std::vector<std::string> messages(const AlertFilter& filter = {}) const {
    std::vector<std::string> all;
    for (const StoredAlert& alert : read(filter)) all.push_back(alert.finding.message);
    return all;
  }
  std::string folder_, path_;
};

finding::Finding make(std::string message, uint64_t time_ns = now_ns()) {
  return {.time_ns = time_ns,
          .rule = "Rule",
          .severity = finding::Severity::warning,
          .message = std::move(message)};
}

finding::Finding rich_finding() {
  return {.time_ns = 1'700'000'000'123'456'789,
          .rule = "Rule \"with\" 'quotes'; DROP TABLE alerts; --",
          .severity = finding::Severity::critical,
          .source = "syscall",
          .hostname = "host",
          .message = "line\nbreak \xc3\xa4",
          .tags = {"a,b", "mitre_execution"},
          .fields = {{.name = "z.text", .value = std::string("x")},
                     {.name = "a.null", .value = std::monostate{}},
                     {.name = "b.flag", .value = true},
                     {.name = "c.negative", .value = int64_t{-5}},
                     {.name = "d.huge", .value = UINT64_MAX},
                     {.name = "e.real", .value = 1.5},
                     {.name = "f.list", .value = std::vector<std::string>{"x", "y"}}},
          .container_id = "0123456789ab",
          .sequence = 77};
}

TEST_F(StoreTest, KeepsAFindingWhole) {
  auto store = writer();
  store->submit(rich_finding());
  store->stop();
  const std::vector<StoredAlert> alerts = read();
  ASSERT_EQ(alerts.size(), 1u);
  const finding::Finding& got = alerts[0].finding;
  const finding::JsonOptions all{.include_message = true};
  EXPECT_EQ(finding::to_json(got, all), finding::to_json(rich_finding(), all));
  EXPECT_EQ(got.container_id, "0123456789ab");
  EXPECT_EQ(got.sequence, 77u);
  ASSERT_EQ(got.fields.size(), 7u);
  EXPECT_EQ(got.fields[0].name, "z.text");  // the order is kept
}

TEST_F(StoreTest, FilesArePrivate) {
  ::umask(0);
  auto store = writer();
  store->submit(make("x"));
  ASSERT_TRUE(store->flush(5s));
  struct stat info{};
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << entry.path();
  }
  ASSERT_EQ(::stat(folder_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ::umask(022);
}

TEST_F(StoreTest, ReportsWhatIsStored) {
  std::atomic<int64_t> last = 0;
  WriterOptions with_report = options();
  with_report.on_stored = [&](int64_t id, const finding::Finding&) { last = id; };
  auto store = Writer::open(with_report).value();
  for (int i = 0; i < 10; ++i) store->submit(make(std::to_string(i)));
  ASSERT_TRUE(store->flush(5s));
  EXPECT_EQ(last, 10);
  EXPECT_EQ(read().size(), 10u);  // while the writer is open
  EXPECT_EQ(store->stats().stored, 10u);
}

std::shared_ptr<const Writer::Group> group(std::vector<std::string> messages,
                                           std::string position) {
  auto out = std::make_shared<Writer::Group>();
  for (std::string& message : messages)
    out->findings.push_back(std::make_shared<const finding::Finding>(make(std::move(message))));
  out->name = "log";
  out->position = std::move(position);
  return out;
}

TEST_F(StoreTest, APositionIsKeptWithItsFindings) {
  {
    const auto store = writer();
    EXPECT_EQ(store->position("log"), "");
    EXPECT_TRUE(store->submit(group({"a", "b"}, "1")));
    EXPECT_TRUE(store->submit(group({}, "2")));
    EXPECT_TRUE(store->flush(5s));
    EXPECT_EQ(store->stats().stored, 2U);
  }
  EXPECT_EQ(messages(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(writer()->position("log"), "2");
}

TEST_F(StoreTest, AGroupWaitsForRoom) {
  WriterOptions small = options();
  small.queue_capacity = 2;
  small.start = false;
  const auto store = Writer::open(small).value();
  EXPECT_TRUE(store->submit(group({"a", "b", "c"}, "1")));
  EXPECT_FALSE(store->submit(group({"d"}, "2")));
  EXPECT_EQ(store->stats().dropped, 0U);
  store->start();
  EXPECT_TRUE(store->flush(5s));
  EXPECT_TRUE(store->submit(group({"d"}, "2")));
}

TEST_F(StoreTest, IdsAreNeverUsedAgain) {
  {
    auto store = writer();
    store->submit(make("a"));
  }
  Database database = open_for_writing(path_).value();
  ASSERT_TRUE(database.execute("DELETE FROM alerts").ok());
  auto store = writer();
  store->submit(make("b"));
  store->stop();
  EXPECT_EQ(read()[0].id, 2);
}

// The child stores as fast as it can and says through a pipe what is stored; it is killed at a
// moment of its own choosing, several times on the same store. All that it said must be there.
TEST_F(StoreTest, KillLosesNothingThatWasReported) {
  std::set<std::string> reported;
  for (int round = 0; round < 8; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      WriterOptions mine = options();
      mine.batch_time = std::chrono::milliseconds(round);
      mine.on_stored = [&](int64_t, const finding::Finding& finding) {
        const std::string line = finding.message + "\n";
        if (::write(ends[1], line.data(), line.size()) < 0) ::_exit(2);
      };
      auto store = Writer::open(mine).value();
      for (int i = 0;; ++i) {
        store->submit(make(std::to_string(round) + "." + std::to_string(i)));
        if (i % 64 == 0) std::this_thread::sleep_for(1ms);
      }
    }
    ::close(ends[1]);
    UniqueFd from(ends[0]);
    std::string text;
    char buffer[65536];
    const size_t enough = 2000 + static_cast<size_t>(round) * 3777;
    while (text.size() < enough) {
      const ssize_t count = ::read(from.get(), buffer, sizeof buffer);
      ASSERT_GT(count, 0);
      text.append(buffer, static_cast<size_t>(count));
    }
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    for (ssize_t count; (count = ::read(from.get(), buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<size_t>(count));
    for (size_t start = 0, end; (end = text.find('\n', start)) != std::string::npos;
         start = end + 1)
      reported.insert(text.substr(start, end - start));
  }
  std::set<std::string> stored;
  for (std::string& message : messages()) EXPECT_TRUE(stored.insert(message).second) << message;
  EXPECT_GT(reported.size(), 2000u);
  for (const std::string& message : reported)
    if (!stored.contains(message)) ADD_FAILURE() << message << " was reported but is not there";
  Database database = open_for_reading(path_).value();
  Statement check = database.prepare("PRAGMA integrity_check").value();
  ASSERT_TRUE(check.step().value());
  EXPECT_EQ(check.text(0), "ok");
}

// A child reads a "log" of numbers from where the store says that it was; killed again and again,
// it stores each number once.
TEST_F(StoreTest, KilledReadersGoOnWhereTheyWere) {
  for (int round = 0; round < 6; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      WriterOptions mine = options();
      mine.batch_time = 1ms;
      mine.batch_size = 7;
      auto store = Writer::open(mine).value();
      const std::string begin = store->position("log");
      for (int i = begin.empty() ? 0 : std::stoi(begin);; i += 3) {
        const auto three = group({std::to_string(i), std::to_string(i + 1), std::to_string(i + 2)},
                                 std::to_string(i + 3));
        while (!store->submit(three)) std::this_thread::sleep_for(1ms);
      }
    }
    std::this_thread::sleep_for(60ms + std::chrono::milliseconds(7 * round));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
  }
  const std::vector<std::string> all = messages();
  ASSERT_GT(all.size(), 50U);
  for (size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], std::to_string(i));
  EXPECT_EQ(writer()->position("log"), std::to_string(all.size()));
}

TEST_F(StoreTest, FullDiskIsSurvivedAndCounted) {
  std::filesystem::create_directories(folder_);
  if (::mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=8m") != 0) GTEST_SKIP() << "cannot mount";
  const std::string ballast = folder_ + "/ballast";
  {
    WriterOptions small = options();
    small.queue_capacity = 50;
    auto store = Writer::open(small).value();
    store->submit(make("before"));
    ASSERT_TRUE(store->flush(5s));
    {
      std::ofstream out(ballast);
      const std::string block(4096, 'b');
      while (out << block << std::flush) {
      }
    }
    for (int i = 0; i < 2000; ++i) store->submit(make(std::string(2000, 'x')));
    while (store->stats().failed_commits < 2) std::this_thread::sleep_for(1ms);
    WriterStats stats = store->stats();
    EXPECT_GT(stats.dropped, 0u);
    EXPECT_FALSE(stats.last_error.empty());
    std::filesystem::remove(ballast);
    ASSERT_TRUE(store->flush(20s));  // what was waiting is stored after all
    store->submit(make("after"));
    ASSERT_TRUE(store->flush(5s));
    stats = store->stats();
    EXPECT_EQ(stats.stored + stats.dropped + stats.lost, 2002u);
    EXPECT_EQ(stats.lost, 0u);
    const std::vector<std::string> all = messages();
    EXPECT_EQ(all.size(), stats.stored);
    EXPECT_EQ(all.front(), "before");
    EXPECT_EQ(all.back(), "after");
    std::ofstream out(ballast);
    const std::string block(4096, 'b');
    while (out << block << std::flush) {
    }
    for (int i = 0; i < 40; ++i) store->submit(make(std::string(8000, 'y')));
    store->stop();  // ends although nothing can be written
    stats = store->stats();
    EXPECT_EQ(stats.stored + stats.dropped + stats.lost, 2042u);
    EXPECT_GT(stats.lost, 0u);
  }
  ::umount(folder_.c_str());
}

TEST_F(StoreTest, SizeIsBounded) {
  WriterOptions small = options();
  small.max_bytes = 4 << 20;
  auto store = Writer::open(small).value();
  const int kCount = 6000;
  for (int i = 0; i < kCount; ++i) {
    store->submit(make(std::to_string(i) + std::string(2000, 'x')));
    ASSERT_TRUE(i % 500 != 0 || store->flush(20s));
  }
  ASSERT_TRUE(store->flush(20s));
  const WriterStats stats = store->stats();
  EXPECT_EQ(stats.stored, static_cast<uint64_t>(kCount));
  EXPECT_GT(stats.removed, 0u);
  store->stop();
  uint64_t size = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) size += entry.file_size();
  EXPECT_LE(size, small.max_bytes);
  const std::vector<std::string> left = messages();
  EXPECT_EQ(left.size(), kCount - stats.removed);
  EXPECT_GT(left.size(), 400u);
  EXPECT_TRUE(left.back().starts_with(std::to_string(kCount - 1)));  // the oldest went
  EXPECT_EQ(Reader::open(path_)->stats({})->removed, stats.removed);
}

TEST_F(StoreTest, AgeIsBounded) {
  {
    auto store = writer();
    store->submit(make("old", now_ns() - 40ull * 24 * 3600 * 1'000'000'000));
    store->submit(make("new"));
  }
  WriterOptions with_age = options();
  with_age.max_age = 30 * 24h;
  auto store = Writer::open(with_age).value();
  EXPECT_EQ(store->stats().removed, 1u);
  EXPECT_EQ(messages(), std::vector<std::string>{"new"});
}

TEST_F(StoreTest, DamageIsMovedAside) {
  std::filesystem::create_directories(folder_);
  std::ofstream(path_) << std::string(20'000, 'j');
  auto store = writer();
  store->submit(make("x"));
  store->stop();
  EXPECT_EQ(messages(), std::vector<std::string>{"x"});
  int damaged = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_))
    damaged += entry.path().string().find(".damaged-") != std::string::npos;
  EXPECT_EQ(damaged, 1);
}

TEST_F(StoreTest, NewerStoreIsLeftAlone) {
  {
    auto store = writer();
  }
  {
    Database database = Database::open(path_, Database::Mode::create).value();
    ASSERT_TRUE(database.execute("PRAGMA user_version = 99").ok());
  }
  EXPECT_EQ(Writer::open(options()).error().code, Code::unsupported);
  EXPECT_EQ(Reader::open(path_).error().code, Code::unsupported);
}

TEST_F(StoreTest, NoStoreYet) {
  Result<Reader> reader = Reader::open(path_);
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().code, Code::not_found);
}

TEST_F(StoreTest, ReadersCannotWrite) {
  {
    auto store = writer();
  }
  Database database = open_for_reading(path_).value();
  EXPECT_FALSE(database.execute("DELETE FROM alerts").ok());
}

// A reader that stops in the middle must not keep the log from being folded back.
TEST_F(StoreTest, SlowReaderDoesNotHoldTheLog) {
  auto store = writer();
  for (int i = 0; i < 600; ++i) store->submit(make(std::string(1000, 'x')));
  ASSERT_TRUE(store->flush(5s));
  Reader reader = Reader::open(path_).value();
  bool wrote = false;
  Status status = reader.each({}, [&](const StoredAlert&) {
    if (!wrote) {
      wrote = true;
      for (int i = 0; i < 8000; ++i) {
        store->submit(make(std::string(1000, 'y')));
        EXPECT_TRUE(i % 1000 != 0 || store->flush(20s));
      }
      EXPECT_TRUE(store->flush(20s));
      EXPECT_LT(std::filesystem::file_size(path_ + "-wal"), 6u << 20);
    }
    return true;
  });
  EXPECT_TRUE(status.ok());
}

TEST_F(StoreTest, ManyProducers) {
  WriterOptions large = options();
  large.queue_capacity = 100'000;
  auto store = Writer::open(large).value();
  {
    std::vector<std::jthread> producers;
    for (int t = 0; t < 4; ++t)
      producers.emplace_back([&] {
        for (int i = 0; i < 500; ++i) store->submit(make("x"));
      });
    for (int i = 0; i < 20; ++i) static_cast<void>(store->stats());
  }
  ASSERT_TRUE(store->flush(20s));
  EXPECT_EQ(read().size(), 2000u);
}

class QueryTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    auto store = writer();
    finding::Finding finding = make("one", base_);
    finding.tags = {"container", "mitre_execution"};
    finding.container_id = "aaaabbbbcccc";
    store->submit(finding);
    finding = make("two", base_ + 1'000'000'000);
    finding.rule = "Other [rule]";
    finding.severity = finding::Severity::critical;
    store->submit(finding);
    finding = make("three", base_ + 2'000'000'000);
    finding.source = "k8s_audit";
    finding.severity = finding::Severity::debug;
    store->submit(finding);
  }
  using List = std::vector<std::string>;
  List query(std::vector<std::pair<const char*, std::string>> values) {
    AlertFilter filter;
    for (const auto& [name, value] : values) {
      Status status = set_filter(filter, name, value, base_ + 3'000'000'000);
      EXPECT_TRUE(status.ok()) << status.error().to_text();
    }
    // The same filter must say the same about findings in memory.
    if (filter.limit == 0 && filter.after_id == 0) {
      List in_memory;
      for (const StoredAlert& alert : read())
        if (filter.matches(alert.finding)) in_memory.push_back(alert.finding.message);
      EXPECT_EQ(in_memory, messages(filter));
    }
    return messages(filter);
  }
  const uint64_t base_ = now_ns() / 1'000'000'000 * 1'000'000'000;
};

TEST_F(QueryTest, Filters) {
  EXPECT_EQ(query({}), (List{"one", "two", "three"}));
  EXPECT_EQ(query({{"since", "2s"}}), (List{"two", "three"}));
  EXPECT_EQ(query({{"until", "2s"}}), (List{"one"}));
  EXPECT_EQ(query({{"since", "2s"}, {"until", "1s"}}), (List{"two"}));
  EXPECT_EQ(query({{"rule", "Other*"}}), (List{"two"}));
  EXPECT_EQ(query({{"rule", "other*"}}), List{});
  EXPECT_EQ(query({{"rule", "*"}}), (List{"one", "two", "three"}));
  EXPECT_EQ(query({{"priority", "warning"}}), (List{"one", "two"}));
  EXPECT_EQ(query({{"priority", "CRITICAL"}}), (List{"two"}));
  EXPECT_EQ(query({{"source", "k8s_audit"}}), (List{"three"}));
  EXPECT_EQ(query({{"container", "aaaab"}}), (List{"one"}));
  EXPECT_EQ(query({{"container", "b"}}), List{});
  EXPECT_EQ(query({{"tag", "mitre_*"}}), (List{"one"}));
  EXPECT_EQ(query({{"tag", "mitre"}}), List{});
  EXPECT_EQ(query({{"limit", "2"}}), (List{"two", "three"}));
  EXPECT_EQ(query({{"limit", "1"}, {"priority", "warning"}}), (List{"two"}));
  EXPECT_EQ(query({{"limit", "100"}}), (List{"one", "two", "three"}));
  EXPECT_EQ(query({{"after", "2"}}), (List{"three"}));
  EXPECT_EQ(query({{"rule", "' OR 1=1 --"}}), List{});
}

TEST_F(QueryTest, RefusesNonsense) {
  AlertFilter filter;
  for (auto [name, value] : std::vector<std::pair<const char*, const char*>>{{"since", "yesterday"},
                                                                             {"priority", "loud"},
                                                                             {"limit", "x"},
                                                                             {"colour", "red"},
                                                                             {"after", "-1"}})
    EXPECT_FALSE(set_filter(filter, name, value, 0).ok()) << name;
}

TEST_F(QueryTest, FindAndStats) {
  Reader reader = Reader::open(path_).value();
  EXPECT_EQ(reader.find(2).value()->finding.message, "two");
  EXPECT_FALSE(reader.find(9).value().has_value());
  EXPECT_EQ(reader.last_id().value(), 3);
  const AlertStats stats = reader.stats({}).value();
  EXPECT_EQ(stats.total, 3u);
  EXPECT_EQ(stats.first_ns, base_);
  EXPECT_EQ(stats.last_ns, base_ + 2'000'000'000);
  EXPECT_EQ(stats.by_priority.at(finding::Severity::critical), 1u);
  ASSERT_EQ(stats.by_rule.size(), 2u);
  EXPECT_EQ(stats.by_rule[0], (std::pair<std::string, uint64_t>{"Rule", 2}));
  EXPECT_EQ(stats.by_container.size(), 1u);
  EXPECT_GT(stats.bytes, 0u);
}

TEST(ParseTime, Forms) {
  constexpr uint64_t kNow = 1'700'000'000'000'000'000;
  EXPECT_EQ(parse_time("1h", kNow).value(), kNow - 3'600'000'000'000);
  EXPECT_EQ(parse_time("2d", kNow).value(), kNow - 172'800'000'000'000);
  EXPECT_EQ(parse_time("99w", 5).value(), 0u);
  EXPECT_EQ(parse_time("2023-11-14T22:13:20Z", 0).value(), kNow);
  EXPECT_EQ(parse_time("2023-11-14 22:13:20", 0).value(), kNow);
  EXPECT_EQ(parse_time("2023-11-14T23:13:20.5+01:00", 0).value(), kNow + 500'000'000);
  EXPECT_EQ(parse_time("2023-11-14T17:13:20-0500", 0).value(), kNow);
  EXPECT_EQ(parse_time("1970-01-02", 0).value(), 86'400'000'000'000u);
  for (const char* bad :
       {"", "x", "2023-13-01", "2023-02-30", "2023-11-14T25:00:00", "2023-11-14T22:13",
        "2023-11-14T22:13:20.", "2023-11-14T22:13:20+1", "2023/11/14", "9999-01-01"})
    EXPECT_FALSE(parse_time(bad, kNow).ok()) << bad;
}

}  // namespace
}  // namespace saker::store
