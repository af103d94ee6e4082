// Following a log over all that servers and logrotate do to it: each line once, in order.
#include "capture/k8s_audit/log_follower.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/fd.h"

namespace saker::capture {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

TEST(RotatedName, Forms) {
  const auto stamp = parse_rotated_name("audit-2026-09-17T08-48-00.932.log");
  ASSERT_TRUE(stamp.has_value());
  EXPECT_EQ(stamp->live, "audit.log");
  EXPECT_EQ(stamp->time_ns, 1789634880'932000000ULL);
  EXPECT_FALSE(stamp->compressed);
  const auto packed = parse_rotated_name("kube-apiserver-2026-09-17T08-48-00.932.log.gz");
  ASSERT_TRUE(packed.has_value());
  EXPECT_EQ(packed->live, "kube-apiserver.log");
  EXPECT_TRUE(packed->compressed);
  EXPECT_EQ(parse_rotated_name("audit-2026-09-17T08-48-00.932")->live, "audit");
  EXPECT_EQ(parse_rotated_name("audit.log.1")->live, "audit.log");
  EXPECT_EQ(parse_rotated_name("audit.log.12.gz")->live, "audit.log");
  EXPECT_EQ(parse_rotated_name("audit.log-20260917.zst")->live, "audit.log");
  for (const char* name : {"audit.log", "audit.json", "audit.log.old", "audit-2026.log", ".1", "x"})
    EXPECT_FALSE(parse_rotated_name(name).has_value()) << name;
}

class LogFollowerTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "saker_follow_" + std::to_string(::getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    path_ = folder_ + "/audit.log";
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& text) const { std::ofstream(path_, std::ios::app) << text; }
  void line(int number) const {
    write("{\"line\":" + std::to_string(number) + ",\"pad\":\"" + std::string(40, 'x') + "\"}\n");
  }
  // As kube-apiserver does; `age` puts the rotations of one test into an order.
  std::string rotate() {
    const auto now = std::chrono::system_clock::now();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    std::array<char, 64> stamp{};
    std::strftime(stamp.data(), stamp.size(), "%Y-%m-%dT%H-%M-%S", std::gmtime(&seconds));
    std::array<char, 16> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ".%03d", static_cast<int>(ms.count() % 1000));
    const std::string name = folder_ + "/audit-" + stamp.data() + fraction.data() + ".log";
    fs::rename(path_, name);
    std::ofstream(path_, std::ios::app).flush();
    ::usleep(2000);  // the next rotation has another stamp
    return name;
  }
  static bool compress(const std::string& path) {
    return std::system(("gzip -f " + path).c_str()) == 0;
  }
  void copy_truncate(const std::string& suffix) const {
    ::usleep(10'000);  // the time of a file's last write is a few milliseconds late
    fs::copy_file(path_, path_ + suffix, fs::copy_options::overwrite_existing);
    fs::resize_file(path_, 0);
    ::usleep(10'000);
  }

  std::unique_ptr<LogFollower> follow(std::optional<LogPosition> from = std::nullopt) const {
    return std::make_unique<LogFollower>(path_, from, 0ms);
  }
  // All that is there: the numbers of the lines.
  std::vector<int> read(LogFollower& follower) {
    std::vector<int> numbers;
    LogFollower::Piece piece;
    for (int again = 0; again < 3; ++again) {
      while (follower.next(piece)) {
        std::string_view text = piece.text;
        for (size_t end; (end = text.find('\n')) != std::string_view::npos;
             text.remove_prefix(end + 1)) {
          EXPECT_TRUE(text.starts_with("{\"line\":")) << text.substr(0, end);
          numbers.push_back(std::atoi(text.data() + 8));
        }
        EXPECT_TRUE(text.empty()) << text;
        last_ = piece.behind;
      }
    }
    return numbers;
  }

  std::string folder_, path_;
  std::optional<LogPosition> last_;
};

using Numbers = std::vector<int>;

TEST_F(LogFollowerTest, PositionsAsText) {
  const LogPosition position{
      .device = 1, .inode = 2, .offset = 3, .head_size = 4, .head = 5, .seen_ns = 6};
  EXPECT_EQ(parse_log_position(to_text(position)), position);
  for (const char* text : {"", "1:2:3:4:5", "1:2:3:4:5:6:7", "1:2:3:4:x:6", "1:2:3:999:5:6"})
    EXPECT_FALSE(parse_log_position(text).has_value()) << text;
}

TEST_F(LogFollowerTest, WaitsForTheFileAndForWholeLines) {
  const auto follower = follow();
  EXPECT_TRUE(read(*follower).empty());
  EXPECT_EQ(follower->take_messages().size(), 1U);
  EXPECT_TRUE(read(*follower).empty());
  EXPECT_TRUE(follower->take_messages().empty());
  line(1);
  write("{\"line\":2,\"half");
  EXPECT_EQ(read(*follower), (Numbers{1}));
  write("\":0}\n");
  EXPECT_EQ(read(*follower), (Numbers{2}));
}

TEST_F(LogFollowerTest, OverRotations) {
  line(1);
  const auto follower = follow();
  EXPECT_EQ(read(*follower), (Numbers{1}));
  line(2);
  rotate();
  line(3);
  EXPECT_EQ(read(*follower), (Numbers{2, 3}));
  // Several between two looks; one of them is compressed at once.
  line(4);
  rotate();
  line(5);
  ASSERT_TRUE(compress(rotate()));
  line(6);
  rotate();
  line(7);
  EXPECT_EQ(read(*follower), (Numbers{4, 5, 6, 7}));
  EXPECT_EQ(follower->gaps(), 0U);
}

TEST_F(LogFollowerTest, ResumesWhereverTheFileIs) {
  line(1);
  EXPECT_EQ(read(*follow()), (Numbers{1}));
  line(2);
  EXPECT_EQ(read(*follow(last_)), (Numbers{2}));
  line(3);
  const std::string rotated = rotate();
  line(4);
  const std::optional<LogPosition> before = last_;
  EXPECT_EQ(read(*follow(before)), (Numbers{3, 4}));
  ASSERT_TRUE(compress(rotated));
  EXPECT_EQ(read(*follow(before)), (Numbers{3, 4}));
  rotate();
  line(5);
  EXPECT_EQ(read(*follow(before)), (Numbers{3, 4, 5}));
}

TEST_F(LogFollowerTest, AFileThatIsGoneIsTold) {
  line(1);
  EXPECT_EQ(read(*follow()), (Numbers{1}));
  line(2);
  fs::remove(rotate());
  line(3);
  const auto follower = follow(last_);
  EXPECT_EQ(read(*follower), (Numbers{3}));
  EXPECT_EQ(follower->gaps(), 1U);
  EXPECT_EQ(follower->take_messages().size(), 1U);
}

TEST_F(LogFollowerTest, CopyAndTruncate) {
  line(1);
  auto follower = follow();
  EXPECT_EQ(read(*follower), (Numbers{1}));
  line(2);
  copy_truncate(".1");
  line(3);
  EXPECT_EQ(read(*follower), (Numbers{2, 3}));
  line(4);
  copy_truncate("-20260102");
  for (int i = 5; i < 20; ++i) line(i);  // longer than it was
  EXPECT_EQ(read(*follow(last_)).size(), 16U);
}

TEST_F(LogFollowerTest, TruncatedByAWriterThatGoesOnAtItsOldPlace) {
  line(1);
  const auto follower = follow();
  EXPECT_EQ(read(*follower), (Numbers{1}));
  const auto size = fs::file_size(path_);
  copy_truncate(".1");
  const UniqueFd file(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
  const std::string text = "{\"line\":2}\n";
  ASSERT_EQ(::pwrite(file.get(), text.data(), text.size(), static_cast<off_t>(size + (1U << 30))),
            static_cast<ssize_t>(text.size()));
  EXPECT_EQ(read(*follower), (Numbers{2}));
  EXPECT_EQ(follower->gaps(), 0U);
}

TEST_F(LogFollowerTest, AnEmptyFileIsKnownAgain) {
  line(1);
  EXPECT_EQ(read(*follow()), (Numbers{1}));
  rotate();
  auto follower = follow(last_);
  EXPECT_TRUE(read(*follower).empty());
  line(2);
  EXPECT_EQ(read(*follower), (Numbers{2}));
}

// A writer and a follower that do what they like, with restarts.
class AnyOrder : public LogFollowerTest, public testing::WithParamInterface<unsigned> {};

TEST_P(AnyOrder, EachLineComesOnce) {
  std::mt19937 random(GetParam());
  int written = 0;
  Numbers seen;
  auto follower = follow();
  std::string rotated;
  line(++written);
  seen = read(*follower);
  for (int step = 0; step < 200; ++step) {
    switch (random() % 12) {
      case 0: rotated = rotate(); break;
      case 1:
        if (!rotated.empty() && fs::exists(rotated)) {
          ASSERT_TRUE(compress(rotated));
        }
        break;
      case 2:  // only what was read before, as a log without copies loses what was not
        if (step % 3 == 0) {
          const Numbers more = read(*follower);
          seen.insert(seen.end(), more.begin(), more.end());
          copy_truncate("." + std::to_string(step));
        }
        break;
      case 3: follower = follow(last_); break;
      case 4:
      case 5: {
        const Numbers more = read(*follower);
        seen.insert(seen.end(), more.begin(), more.end());
        break;
      }
      default: line(++written);
    }
  }
  const Numbers more = read(*follower);
  seen.insert(seen.end(), more.begin(), more.end());
  Numbers all;
  for (int i = 1; i <= written; ++i) all.push_back(i);
  EXPECT_EQ(seen, all);
}
INSTANTIATE_TEST_SUITE_P(Seeds, AnyOrder, testing::Range(1U, 9U));

TEST_F(LogFollowerTest, SetsOfAFolder) {
  line(1);
  const std::string first = rotate();
  line(2);
  ASSERT_TRUE(compress(rotate()));
  std::ofstream(folder_ + "/other.log") << "x";
  const auto files = expand_logs({folder_}).value();
  ASSERT_EQ(files.size(), 4U);
  EXPECT_EQ(files[0], first);
  EXPECT_TRUE(files[1].ends_with(".log.gz"));
  EXPECT_EQ(files[2], path_);
  EXPECT_EQ(files[3], folder_ + "/other.log");
  EXPECT_EQ(expand_logs({path_}).value(), std::vector<std::string>{path_});
  EXPECT_FALSE(expand_logs({"/proc/self/fdinfo/none/"}).value().empty());
}

}  // namespace
}  // namespace saker::capture
