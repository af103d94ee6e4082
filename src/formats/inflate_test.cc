// Streams of `gzip` and `zstd` (made by those programs) in pieces of many sizes, and broken ones.
#include "formats/inflate.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "base/fd.h"

namespace saker::formats {
namespace {

std::string sample(size_t size) {
  std::mt19937 random(7);
  std::string text;
  while (text.size() < size) {
    text += "line " + std::to_string(random() % 5000) + " of a capture";
    if (random() % 50 == 0) text.append(300, static_cast<char>(random()));
  }
  text.resize(size);
  return text;
}

// What `command` makes of `input`; empty when the program is not there.
std::string through(const std::string& command, const std::string& input) {
  const std::string path = testing::TempDir() + "/inflate_test." + std::to_string(getpid());
  if (!replace_file(path, input).ok()) return {};
  std::string output;
  if (FILE* pipe = popen((command + " < " + path).c_str(), "r")) {
    std::array<char, 65536> buffer;
    while (size_t count = fread(buffer.data(), 1, buffer.size(), pipe))
      output.append(buffer.data(), count);
    pclose(pipe);
  }
  std::remove(path.c_str());
  return output;
}

// Inflates with input pieces of `in_step` bytes into output pieces of `out_step` bytes.
Result<std::string> in_pieces(Compression kind, const std::string& packed, size_t in_step,
                              size_t out_step) {
  Inflater inflater(kind);
  std::string plain;
  std::vector<uint8_t> out(out_step);
  for (size_t at = 0; at < packed.size(); at += in_step) {
    Bytes in = as_bytes(std::string_view(packed).substr(at, in_step));
    for (;;) {
      Inflater::Step step = SAKER_TRY(inflater.run(in, out));
      plain.append(reinterpret_cast<char*>(out.data()), step.produced);
      in = in.subspan(step.consumed);
      if (step.produced < out.size() && (in.empty() || step.consumed == 0)) break;
    }
    EXPECT_TRUE(in.empty());
  }
  SAKER_CHECK(inflater.finish());
  return plain;
}

struct Packed {
  Compression kind;
  std::string command;
};
const Packed kPackers[] = {{Compression::gzip, "gzip -1"},
                           {Compression::gzip, "gzip -9"},
                           {Compression::zstd, "zstd -q -c"},
                           {Compression::zstd, "zstd -q -19 -c"}};

TEST(Inflate, piecesOfAnySizeGiveTheSameBytes) {
  const std::string text = sample(100'000);
  for (const Packed& packer : kPackers) {
    const std::string packed = through(packer.command, text);
    if (packed.empty()) GTEST_SKIP() << "skipped: no " << packer.command;
    ASSERT_EQ(detect_compression(as_bytes(packed)), packer.kind);
    for (size_t in_step : std::initializer_list<size_t>{1, 2, 3, 7, 64, 1000, 65536, 1 << 20})
      for (size_t out_step : std::initializer_list<size_t>{97, 4096, 33000, 1 << 20}) {
        auto plain = in_pieces(packer.kind, packed, in_step, out_step);
        ASSERT_TRUE(plain.ok()) << plain.error().to_text() << " " << in_step << " " << out_step;
        ASSERT_EQ(*plain, text) << packer.command << " " << in_step << " " << out_step;
      }
  }
}

TEST(Inflate, membersThatFollowEachOtherAreOneStream) {
  const std::string text = sample(10'000);
  for (const Packed& packer : kPackers) {
    const std::string packed = through(packer.command, text);
    if (packed.empty()) GTEST_SKIP() << "skipped: no " << packer.command;
    const std::string empty = through(packer.command, "");
    for (size_t in_step : std::initializer_list<size_t>{1, 5, 100, 1 << 20}) {
      auto plain = in_pieces(packer.kind, packed + empty + packed, in_step, 5000);
      ASSERT_TRUE(plain.ok()) << plain.error().to_text();
      EXPECT_EQ(*plain, text + text) << packer.command << in_step;
    }
  }
}

TEST(Inflate, restAfterAGzipStreamIsIgnored) {
  const std::string text = sample(1000);
  const std::string packed = through("gzip", text);
  if (packed.empty()) GTEST_SKIP() << "skipped: no gzip";
  for (const std::string& rest : {std::string(700, '\0'), std::string("rubbish\x1f\x8b")})
    for (size_t in_step : std::initializer_list<size_t>{1, 10000}) {
      auto plain = in_pieces(Compression::gzip, packed + rest, in_step, 333);
      ASSERT_TRUE(plain.ok()) << plain.error().to_text();
      EXPECT_EQ(*plain, text);
    }
}

TEST(Inflate, truncatedStreamsAreNamed) {
  const std::string text = sample(20'000);
  for (const Packed& packer : kPackers) {
    const std::string packed = through(packer.command, text);
    if (packed.empty()) GTEST_SKIP() << "skipped: no " << packer.command;
    for (size_t cut = 4; cut < packed.size(); cut += 1 + cut / 20) {
      auto plain =
          inflate_all(packer.kind, as_bytes(std::string_view(packed).substr(0, cut)), 1 << 20);
      ASSERT_FALSE(plain.ok()) << cut;
      EXPECT_NE(plain.error().message.find("ends too early"), std::string::npos)
          << plain.error().message;
    }
  }
}

TEST(Inflate, flippedBitsAreNoticed) {
  const std::string text = sample(20'000);
  for (const Packed& packer : kPackers) {
    std::string packed = through(packer.command, text);
    if (packed.empty()) GTEST_SKIP() << "skipped: no " << packer.command;
    size_t unnoticed = 0;
    for (size_t at = 10; at < packed.size(); at += 29) {
      packed[at] = static_cast<char>(packed[at] ^ 0x10);
      auto plain = inflate_all(packer.kind, as_bytes(packed), 1 << 20);
      // A gzip header has bits (the file name, flags) that do not change the data.
      if (plain.ok() && *plain != text) ++unnoticed;
      packed[at] = static_cast<char>(packed[at] ^ 0x10);
    }
    EXPECT_EQ(unnoticed, 0U) << packer.command;
  }
}

// Found by fuzzing: here ISA-L claims to have left more than it was given.
TEST(Inflate, neverConsumesMoreThanItWasGiven) {
  constexpr uint8_t kDamaged[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                  0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x90, 0x5c,
                                  0x19, 0xa3, 0x22, 0xa3, 0xc7, 0x43, 0x56, 0x04, 0x00, 0x2c,
                                  0x23, 0xb5, 0x81, 0x27, 0xd0, 0x06, 0x00, 0x00};
  std::vector<uint8_t> out(4096);
  auto step = Inflater(Compression::gzip).run(kDamaged, out);
  ASSERT_TRUE(step.ok());
  EXPECT_LE(step->consumed, std::size(kDamaged));
  EXPECT_FALSE(inflate_all(Compression::gzip, kDamaged, 1 << 20).ok());
}

TEST(Inflate, whatStandsBeforeAMistakeComesOut) {
  const std::string text = sample(50'000);
  for (const Packed& packer : kPackers) {
    std::string packed = through(packer.command, text);
    if (packed.empty()) GTEST_SKIP() << "skipped: no " << packer.command;
    packed[packed.size() - 2] =
        static_cast<char>(packed[packed.size() - 2] ^ 1);  // the check at its end
    Inflater inflater(packer.kind);
    // Given room for all, zstd checks a frame before it lets anything out.
    std::vector<uint8_t> out(packer.kind == Compression::gzip ? 60'000 : 5'000);
    std::string plain;
    Bytes in = as_bytes(packed);
    auto step = inflater.run(in, out);
    for (; step.ok(); step = inflater.run(in, out)) {
      plain.append(reinterpret_cast<char*>(out.data()), step->produced);
      in = in.subspan(step->consumed);
      ASSERT_LE(plain.size(), text.size());
    }
    EXPECT_NE(plain, "") << packer.command;
    EXPECT_EQ(plain, text.substr(0, plain.size())) << packer.command;
    EXPECT_TRUE(packer.kind != Compression::gzip || plain.size() == text.size());
    EXPECT_FALSE(inflater.run(in, out).ok());
    EXPECT_FALSE(inflater.finish().ok());
  }
}

TEST(Inflate, limitIsKept) {
  const std::string text(100'000, 'x');
  const std::string packed = through("gzip", text);
  if (packed.empty()) GTEST_SKIP() << "skipped: no gzip";
  EXPECT_TRUE(inflate_all(Compression::gzip, as_bytes(packed), text.size()).ok());
  auto refused = inflate_all(Compression::gzip, as_bytes(packed), text.size() - 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "more than 99999 bytes inflated");
}

TEST(Inflate, plainBytesPass) {
  const std::string text = sample(5000);
  EXPECT_EQ(detect_compression(as_bytes(text)), Compression::none);
  EXPECT_EQ(*inflate_all(Compression::none, as_bytes(text), 1 << 20), text);
  EXPECT_EQ(*inflate_all(Compression::none, {}, 10), "");
}

}  // namespace
}  // namespace saker::formats
