// The audit spool against what it must survive: crashes in the middle of a write, damage, bounds,
// many writers, a reader beside them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "formats/spool_format.h"
#include "formats/spool_reader.h"
#include "store/audit_spool.h"

namespace saker::store {
namespace {

using namespace std::chrono_literals;
using namespace formats;

class SpoolTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "saker_spool_" + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<AuditSpool> open(uint64_t segment_bytes = 1 << 20, uint64_t max_bytes = 1 << 30) {
    return AuditSpool::open(
               {.folder = folder_, .max_bytes = max_bytes, .segment_bytes = segment_bytes})
        .value();
  }
  static void append(AuditSpool& spool, const std::string& line, uint64_t time_ns = 1) {
    ASSERT_TRUE(
        spool.append({.lines = line + "\n", .events = 1, .first_ns = time_ns, .last_ns = time_ns})
            .ok());
  }
  std::vector<std::string> read(SpoolPosition behind = {}) const {
    auto reader = SpoolReader::open(folder_).value();
    reader->start_behind(behind);
    return rest(*reader);
  }
  static std::vector<std::string> rest(SpoolReader& reader) {
    std::vector<std::string> lines;
    SpoolFrame frame;
    while (reader.next(frame)) {
      EXPECT_TRUE(frame.lines.ends_with('\n'));
      lines.emplace_back(frame.lines.substr(0, frame.lines.size() - 1));
    }
    return lines;
  }
  std::string segment(uint64_t number) const { return folder_ + "/" + segment_name(number); }
  // Text that does not compress.
  static std::string noise(size_t size) {
    std::string out;
    uint64_t x = 88172645463325252;
    while (out.size() < size) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      out += static_cast<char>('!' + x % 90);
    }
    return out;
  }

  std::string folder_;
};

TEST_F(SpoolTest, KeepsWhatIsAppendedOverRestarts) {
  {
    const auto spool = open();
    append(*spool, "one");
    append(*spool, "two");
  }
  const auto spool = open();
  append(*spool, "three");
  EXPECT_EQ(read(), (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_EQ(spool->stats().segments, 2U);
}

TEST_F(SpoolTest, AnEmptySegmentDoesNotStay) {
  for (int i = 0; i < 3; ++i) open();
  EXPECT_EQ(open()->stats().segments, 1U);
}

TEST_F(SpoolTest, OneWriterAtATime) {
  const auto spool = open();
  const auto second = AuditSpool::open({.folder = folder_});
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message.find("another saker"), std::string::npos);
}

TEST_F(SpoolTest, ReadsBehindAPosition) {
  const auto spool = open(64);  // nearly each frame its segment
  append(*spool, "one");
  const SpoolPosition position = spool->committed();
  append(*spool, "two");
  append(*spool, "three");
  EXPECT_EQ(read(position), (std::vector<std::string>{"two", "three"}));
  EXPECT_TRUE(read(spool->committed()).empty());
}

TEST_F(SpoolTest, PositionsAsText) {
  const SpoolPosition position{.segment = 12, .offset = 3456};
  EXPECT_EQ(parse_spool_position(to_text(position)), position);
  for (const char* text : {"", "12", "12:", ":3", "12:x", "-1:2", "1:2:3"})
    EXPECT_FALSE(parse_spool_position(text).has_value()) << text;
}

TEST_F(SpoolTest, BeforeTheLastEvents) {
  const auto spool = open(64);
  for (const char* line : {"one", "two", "three"}) append(*spool, line);
  EXPECT_EQ(read(before_last_events(folder_, 2).value()),
            (std::vector<std::string>{"two", "three"}));
  EXPECT_EQ(read(before_last_events(folder_, 9).value()).size(), 3U);
}

TEST_F(SpoolTest, NeverAPositionThatWasMatched) {
  auto spool =
      AuditSpool::open({.folder = folder_, .matched = {.segment = 7, .offset = 99}}).value();
  append(*spool, "one");
  EXPECT_EQ(spool->committed().segment, 8U);
}

TEST_F(SpoolTest, AWriteThatACrashInterruptedIsCutAway) {
  uint64_t whole = 0;
  {
    const auto spool = open();
    append(*spool, "one");
    whole = std::filesystem::file_size(segment(1));
    append(*spool, "two");
  }
  const uint64_t size = std::filesystem::file_size(segment(1));
  for (uint64_t cut = whole + 1; cut < size; ++cut) {
    std::filesystem::resize_file(segment(1), cut);
    EXPECT_EQ(whole_frames(segment(1)).value(), whole);
  }
  const auto spool = open();
  EXPECT_GT(spool->stats().torn_bytes, 0U);
  append(*spool, "three");
  EXPECT_EQ(read(), (std::vector<std::string>{"one", "three"}));
}

TEST_F(SpoolTest, DamageCostsTheFrameAndIsTold) {
  {
    const auto spool = open();
    for (const char* line : {"one", "two", "three"}) append(*spool, line);
  }
  const std::string path = segment(1);
  std::string bytes;
  {
    std::ifstream in(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  const size_t frame = (bytes.size() - kSegmentHeader) / 3;
  for (const size_t at : {kSegmentHeader + frame + 2, kSegmentHeader + frame + kFrameHeader + 6}) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    std::ofstream(path, std::ios::binary) << damaged;
    auto reader = SpoolReader::open(folder_).value();
    EXPECT_EQ(rest(*reader), (std::vector<std::string>{"one", "three"}));
    ASSERT_EQ(reader->problems().size(), 1U);
    EXPECT_NE(reader->problems()[0].find(segment_name(1)), std::string::npos);
    EXPECT_GT(reader->damaged_bytes(), 0U);
  }
}

TEST_F(SpoolTest, HostileSizesAreNotBelieved) {
  std::string header(kFrameHeader, '\0');
  put_frame_header({.size = 100, .content_size = kLargestContent + 1}, header.data());
  EXPECT_FALSE(read_frame_header(as_bytes(header)).has_value());
  put_frame_header({.size = 0xffffffff, .content_size = 5}, header.data());
  {
    open();
  }
  std::ofstream(segment(1), std::ios::binary) << segment_header() << header << "rest";
  std::ofstream(segment(2), std::ios::binary) << "no segment at all";
  auto reader = SpoolReader::open(folder_).value();
  EXPECT_TRUE(rest(*reader).empty());
  EXPECT_FALSE(reader->problems().empty());
}

TEST_F(SpoolTest, OnlyWhatMayBeOfATime) {
  const auto spool = open();
  append(*spool, "early", 10);
  append(*spool, "late", 20);
  auto reader = SpoolReader::open(segment(1)).value();
  reader->only(15, 25);
  EXPECT_EQ(rest(*reader), (std::vector<std::string>{"late"}));
}

TEST_F(SpoolTest, TheOldestGoWhenItIsFull) {
  const auto spool = open(4096, 32 << 10);
  for (int i = 0; i < 64; ++i) append(*spool, noise(2000));
  const SpoolStats stats = spool->stats();
  EXPECT_LE(stats.bytes, (32U << 10) + 8192);
  EXPECT_GT(stats.removed_bytes, 0U);
  EXPECT_EQ(stats.unmatched_bytes > 0, true);
  const size_t left = read().size();
  EXPECT_GT(left, 4U);
  EXPECT_LT(left, 64U);
}

TEST_F(SpoolTest, ManyWritersAndAReader) {
  constexpr int kThreads = 4, kEach = 100;
  const auto spool = open(8192);
  std::atomic<bool> ended = false;
  std::vector<std::string> seen;
  std::jthread follower([&] {
    auto reader = SpoolReader::open(folder_).value();
    SpoolFrame frame;
    for (;;) {
      const bool last = ended;
      while (reader->next(frame, spool->committed()))
        seen.emplace_back(frame.lines.substr(0, frame.lines.size() - 1));
      if (last) break;
      spool->wait_beyond(reader->position(), 5ms);
    }
    EXPECT_TRUE(reader->problems().empty());
  });
  {
    std::vector<std::jthread> writers;
    for (int t = 0; t < kThreads; ++t)
      writers.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i)
          append(*spool, std::to_string(t) + "-" + std::to_string(i) + noise(300));
      });
  }
  ended = true;
  follower.join();
  EXPECT_EQ(seen.size(), size_t{kThreads} * kEach);
  EXPECT_EQ(seen, read());
  EXPECT_GT(spool->stats().segments, 5U);
}

}  // namespace
}  // namespace saker::store
