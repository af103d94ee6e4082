// The reader against the conformance captures and what the reference says about their events, and
// against damaged and hostile bytes.
#include "capture/scap/scap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <thread>

#include "capture/scap/test_support.h"
#include "formats/inflate.h"

namespace saker::capture {
namespace {

std::string inflate_file(const std::string& path) {
  auto packed = read_file(path, 100 << 20);
  if (!packed.ok()) return {};
  const Bytes bytes = as_bytes(*packed);
  auto plain = formats::inflate_all(formats::detect_compression(bytes), bytes, 1 << 30);
  return plain.ok() ? *plain : std::string();
}

// Blocks by hand.
std::string u16(uint16_t value) {
  return {reinterpret_cast<char*>(&value), sizeof value};
}
std::string u32(uint32_t value) {
  return {reinterpret_cast<char*>(&value), sizeof value};
}
std::string u64(uint64_t value) {
  return {reinterpret_cast<char*>(&value), sizeof value};
}
std::string text16(std::string_view text) {
  return u16(static_cast<uint16_t>(text.size())) + std::string(text);
}
std::string block(uint32_t code, std::string body) {
  body.resize((body.size() + 3) / 4 * 4);
  const std::string total = u32(static_cast<uint32_t>(body.size() + 12));
  return u32(code) + total + body + total;
}
std::string section_header() {
  return block(0x0a0d0d0a, u32(0x1a2b3c4d) + u16(1) + u16(2) + u64(~uint64_t{0}));
}
std::string event_v2(uint16_t type, const std::vector<std::string>& params, int64_t tid = 7) {
  event::Encoder encoder;
  encoder.begin(1000, tid, type);
  for (const std::string& param : params) encoder.add(as_bytes(param));
  return block(0x216, u16(3) + std::string(as_text(encoder.finish())));
}
const std::string kSwitch = event_v2(event::SCHEDSWITCH_6_E, {u64(1), "", "", "", "", ""});

Contents read_text(const std::string& bytes, size_t chunk_bytes = 4096) {
  TempFile file(bytes);
  return read_all({.path = file.path(), .chunk_bytes = chunk_bytes, .chunks = 2});
}

// The value of a field in one line of a golden file, as its JSON text.
std::string field(std::string_view row, const std::string& name) {
  const size_t at = row.find("\"" + name + "\":");
  if (at == std::string_view::npos) return {};
  std::string_view rest = row.substr(at + name.size() + 3);
  return std::string(rest.substr(0, rest.find_first_of(",}")));
}

// Types that the reference numbers, but shows no row for.
bool shows_no_row(const event::Event& event) {
  return event.type == event::USER_ADDED_E || event.type == event::GROUP_ADDED_E ||
         event.type == event::CONTAINER_JSON_2_E || event.type == event::SYSCALL_OPEN_E ||
         event.type == event::SOCKET_CONNECT_E;
}

std::string type_of(const event::Event& event) {
  std::string_view name = event.info().name;
  if (event.type == event::GENERIC_X) {
    const auto code = event.get<uint16_t>(0);
    name = code != 0 ? event::syscall_name_of_portable_code(code)
                     : event::syscall_name_of_number(event.get<uint16_t>(1));
  }
  return "\"" + std::string(name) + "\"";
}

TEST(ScapConformance, numbersTypesAndTimesAreThoseOfTheReference) {
  size_t compared = 0;
  for (const std::string& name : conformance_captures()) {
    const std::string golden = inflate_file(kConformance + "/fields/" + name + ".jsonl.zst");
    if (golden.empty()) continue;
    auto reader = ScapReader::open({.path = kConformance + "/captures/" + name + ".scap"});
    ASSERT_TRUE(reader.ok()) << reader.error().to_text();
    event::Event event;
    std::string_view rows = golden;
    while ((*reader)->next(event) == Next::event) {
      const std::string_view row = rows.substr(0, rows.find('\n'));
      if (field(row, "evt.num") != std::to_string(event.number)) {
        ASSERT_TRUE(shows_no_row(event)) << name << " " << to_line(event) << "\n" << row;
        continue;
      }
      rows.remove_prefix(std::min(rows.size(), row.size() + 1));
      ++compared;
      ASSERT_EQ(field(row, "evt.type"), type_of(event)) << name << " " << event.number;
      ASSERT_EQ(field(row, "evt.rawtime"), std::to_string(event.timestamp)) << name << event.number;
      ASSERT_EQ(field(row, "evt.cpu"), std::to_string(event.cpu)) << name << event.number;
      const std::string result = field(row, "evt.rawres");
      ASSERT_TRUE(result.empty() || result == std::to_string(event.result())) << to_line(event);
    }
    EXPECT_TRUE(rows.empty()) << name << ": " << rows.substr(0, 200);
    const SourceStats stats = (*reader)->stats();
    EXPECT_TRUE(stats.lost.empty()) << name << stats.lost.begin()->first;
  }
  if (compared == 0) GTEST_SKIP() << "skipped: no conformance data";
  EXPECT_GT(compared, 60'000U);
}

TEST(ScapConformance, everyEventIsOfTodaysSchema) {
  size_t seen = 0;
  for (const std::string& name : conformance_captures()) {
    auto reader = ScapReader::open({.path = kConformance + "/captures/" + name + ".scap"});
    ASSERT_TRUE(reader.ok());
    event::Event event;
    while ((*reader)->next(event) == Next::event) {
      ++seen;
      const event::EventInfo& info = event.info();
      ASSERT_FALSE(info.has(event::Unused) || info.has(event::OldVersion)) << to_line(event);
      ASSERT_TRUE(!info.has(event::ConverterManaged) || event.param_count == info.params.size())
          << name << to_line(event);
    }
  }
  if (seen == 0) GTEST_SKIP() << "skipped: no conformance data";
}

TEST(ScapConformance, chunkSizesDoNotMatter) {
  if (conformance_captures().empty()) GTEST_SKIP() << "skipped: no conformance data";
  for (const std::string name :
       {"cat_write", "connect_localhost", "open-multiple-files", "links"}) {
    const std::string path = kConformance + "/captures/" + name + ".scap";
    const Contents whole = read_all({.path = path});
    ASSERT_EQ(whole.error, "") << name;
    ASSERT_FALSE(whole.snapshot.empty());
    TempFile plain(inflate_file(path));
    for (size_t chunk_bytes : std::initializer_list<size_t>{16, 61, 1000, 4096, 40'000, 1 << 20})
      for (size_t chunks : std::initializer_list<size_t>{2, 5})
        for (const std::string& from : {path, plain.path()}) {
          const Contents parts =
              read_all({.path = from, .chunk_bytes = chunk_bytes, .chunks = chunks});
          ASSERT_EQ(parts.error, "");
          ASSERT_EQ(parts.snapshot, whole.snapshot) << name << chunk_bytes;
          ASSERT_EQ(parts.events, whole.events) << name << chunk_bytes;
        }
  }
}

TEST(ScapConformance, snapshotOfAnOldCapture) {
  const std::string path = kConformance + "/captures/connect_localhost.scap";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "skipped: no conformance data";
  const Contents contents = read_all({.path = path});
  auto count = [&](std::string_view kind) {
    return std::ranges::count_if(contents.snapshot,
                                 [&](auto& line) { return line.starts_with(kind); });
  };
  EXPECT_EQ(count("process "), 184);
  EXPECT_EQ(count("fd "), 690);
  EXPECT_EQ(count("machine 2 8364613632 0 ubuntu 0 0"), 1);
}

// Every prefix and many changes of real captures: an error or an end, never a crash. The sanitizers
// watch.
void expect_survival(const std::string& bytes, const std::string& what) {
  const Contents contents = read_text(bytes, 1 << 16);
  EXPECT_TRUE(contents.error.empty() || contents.error.find("offset ") != std::string::npos)
      << what << ": " << contents.error;
}

TEST(ScapHostile, truncatedAnywhere) {
  const std::string path = kConformance + "/captures/cat_write.scap";
  const std::string plain = inflate_file(path);
  if (plain.empty()) GTEST_SKIP() << "skipped: no conformance data";
  const Contents whole = read_text(plain);
  std::set<size_t> ends;  // of blocks
  for (size_t at = 0; at < plain.size(); at += load<uint32_t>(plain.data() + at + 4))
    ends.insert(at);
  std::mt19937 random(1);
  for (int i = 0; i < 600; ++i) {
    // Half of the cuts fall among the events, which come last.
    const size_t from = i % 2 == 0 ? 0 : plain.size() - 30'000;
    const size_t cut = from + random() % (plain.size() - from);
    const Contents part = read_text(plain.substr(0, cut), 1 << 16);
    ASSERT_LE(part.events.size(), whole.events.size());
    ASSERT_TRUE(std::equal(part.events.begin(), part.events.end(), whole.events.begin()));
    ASSERT_EQ(part.error.empty(), ends.contains(cut) && !part.events.empty()) << cut << part.error;
  }
  const std::string packed = *read_file(path, 1 << 20);
  for (size_t cut = 0; cut < packed.size(); cut += 61) {
    const Contents part = read_text(packed.substr(0, cut), 1 << 16);
    ASSERT_FALSE(part.error.empty()) << cut;
    ASSERT_TRUE(std::equal(part.events.begin(), part.events.end(), whole.events.begin()));
  }
}

TEST(ScapHostile, flippedBits) {
  size_t tried = 0;
  for (const std::string name : {"cat_write", "connect_localhost", "links", "memfd"}) {
    const std::string plain = inflate_file(kConformance + "/captures/" + name + ".scap");
    std::mt19937 random(static_cast<unsigned>(plain.size()));
    for (int i = 0; !plain.empty() && i < 250; ++i, ++tried) {
      std::string bytes = plain;
      const int flips = 1 + i % 4;
      for (int k = 0; k < flips; ++k) {
        char& byte = bytes[random() % (i % 3 == 0 ? 3000 : bytes.size())];
        byte = static_cast<char>(byte ^ (1 << random() % 8));
      }
      expect_survival(bytes, name);
    }
  }
  if (tried == 0) GTEST_SKIP() << "skipped: no conformance data";
}

TEST(ScapHostile, lyingNumbers) {
  size_t tried = 0;
  for (const std::string name : {"open-multiple-files", "links"}) {
    const std::string plain = inflate_file(kConformance + "/captures/" + name + ".scap");
    std::mt19937 random(3);
    for (int i = 0; !plain.empty() && i < 400; ++i, ++tried) {
      std::string bytes = plain;
      const uint32_t lies[] = {
          0, 1, 0xff, 0xffff, 0x7fffffff, 0xffffffff, static_cast<uint32_t>(random())};
      const uint32_t lie = lies[random() % std::size(lies)];
      const size_t width = size_t{1} << random() % 3;
      std::memcpy(bytes.data() + random() % (i % 3 == 0 ? 3000 : bytes.size() - 4), &lie, width);
      expect_survival(bytes, name);
    }
    const std::string packed = *read_file(kConformance + "/captures/" + name + ".scap", 1 << 20);
    for (int i = 0; !plain.empty() && i < 200; ++i) {
      std::string bytes = packed;
      bytes[random() % bytes.size()] = static_cast<char>(random());
      expect_survival(bytes, name);
    }
  }
  if (tried == 0) GTEST_SKIP() << "skipped: no conformance data";
}

TEST(ScapErrors, whatIsWrongAndWhere) {
  const std::string head = section_header();
  TempFile empty;
  EXPECT_EQ(read_all({.path = empty.path()}).error, empty.path() + ": empty file");
  EXPECT_NE(read_all({.path = "/nonexistent.scap"}).error.find("No such file"), std::string::npos);
  EXPECT_NE(read_all({.path = "/tmp"}).error.find("is a folder"), std::string::npos);

  struct Case {
    std::string bytes;
    std::string error;  // after the file's name
    size_t events = 0;
  };
  std::string big_endian = head;
  std::reverse(big_endian.begin() + 8, big_endian.begin() + 12);
  std::string newer = head;
  newer[12] = 2;
  std::string bad_trailer = head;
  bad_trailer.back() = 1;
  const std::string machine = block(0x201, std::string(172, 0));
  std::string bad_machine = machine;
  bad_machine.back() = 1;
  std::string short_event = kSwitch;
  short_event[8 + 2 + 16] = 10;  // the event's own length
  const Case cases[] = {
      {"plain text, no capture", "offset 0: not a capture: no section header"},
      {"ab", "offset 0: the file ends within the section header"},
      {big_endian, "offset 0: invalid magic number"},
      {newer, "offset 0: format version 2 is newer than this program knows"},
      {bad_trailer, "offset 0: wrong block total length"},
      {head, "offset 28: no events in file"},
      {head + machine, "offset 212: no events in file"},
      {head + bad_machine + kSwitch, "offset 28: wrong block total length"},
      {head + u32(0x201) + u32(11) + kSwitch, "offset 28: wrong block total length"},
      {head + kSwitch + machine, "offset 88: unexpected block", 1},
      {head + kSwitch + kSwitch.substr(0, 40), "offset 88: the file ends within an event", 1},
      {head + kSwitch + kSwitch.substr(0, 3), "offset 88: the file ends within a block header", 1},
      {head + kSwitch + short_event, "offset 88: event length does not fit its block", 1},
      {head + kSwitch + u32(0x216) + u32(0x7fffffff) + kSwitch,
       "offset 88: event block of 2147483647 bytes", 1},
      {head + kSwitch + u32(0x216) + u32(16) + u64(0), "offset 88: event shorter than its header",
       1},
      {head + block(0x215, u32(0x7fffffff) + u64(0)) + kSwitch,
       "offset 36: an entry is longer than its block"},
      {head + block(0x215, u32(20) + std::string(16, 0)) + kSwitch,
       "offset 36: entry longer than its length says"},
      {head + block(0x215, u32(2) + std::string(16, 0)) + kSwitch,
       "offset 36: entry shorter than its own length"},
      {head + block(0x218, u32(2)) + kSwitch, "offset 28: fd list without a thread"},
      {head + block(0x203, u64(1) + u64(3) + u64(4) + std::string(1, 99)) + kSwitch,
       "offset 44: unknown type of file descriptor"},
  };
  for (const Case& c : cases) {
    TempFile file(c.bytes);
    const Contents contents = read_all({.path = file.path()});
    EXPECT_EQ(contents.error, file.path() + ": " + c.error);
    EXPECT_EQ(contents.events.size(), c.events) << c.error;
  }
}

TEST(ScapReader, unknownBlocksAndTypesAreSkipped) {
  const Contents contents = read_text(section_header() + block(0x999, "12345678") +
                                      event_v2(2000, {"x"}) + kSwitch + event_v2(2000, {"y"}));
  EXPECT_EQ(contents.error, "");
  ASSERT_EQ(contents.events.size(), 1U);
  EXPECT_TRUE(contents.events[0].starts_with("1 1000 7 SCHEDSWITCH_6_E 3"));
  EXPECT_EQ(contents.stats.lost.at("unknown event type"), 2U);
  EXPECT_EQ(contents.stats.lost_by_type.at("type 2000"), 2U);
  EXPECT_EQ(contents.stats.seen, 3U);
}

TEST(ScapReader, eventsMayBeLongerThanAChunk) {
  const std::string payload(3'000'000, 'p');
  event::Encoder encoder;
  encoder.begin(5, 6, event::PLUGINEVENT_E);
  encoder.add_value<uint32_t>(9);
  encoder.add(as_bytes(payload));
  const std::string large = block(0x221, u16(0) + std::string(as_text(encoder.finish())));
  const Contents contents =
      read_text(section_header() + kSwitch + large + kSwitch + large + kSwitch);
  EXPECT_EQ(contents.error, "");
  ASSERT_EQ(contents.events.size(), 5U);
  EXPECT_EQ(contents.events[1], "2 5 6 PLUGINEVENT_E 0 [" + u32(9) + "] [" + payload + "]");
  EXPECT_TRUE(contents.events[4].starts_with("5 1000 7 SCHEDSWITCH_6_E"));
}

TEST(ScapReader, aSecondSectionGoesOn) {
  const std::string user = block(0x220, u32(4 + 1 + 8 + 6 + 3) + std::string(1, 0) + u32(5) +
                                            u32(6) + text16("ann") + text16("") + text16(""));
  const Contents contents =
      read_text(section_header() + user + kSwitch + section_header() + user + kSwitch);
  EXPECT_EQ(contents.error, "");
  EXPECT_EQ(contents.events.size(), 2U);
  EXPECT_EQ(contents.snapshot,
            (std::vector<std::string>{"user false 5 6 ann   ", "user false 5 6 ann   "}));
}

TEST(ScapReader, dumpFlagsAndBytesBehindTheEventAreIgnored) {
  event::Encoder encoder;
  encoder.begin(1, 2, event::SYSCALL_CLOSE_X);
  encoder.add_value<int64_t>(0);
  encoder.add_value<int64_t>(3);
  const std::string bytes(as_text(encoder.finish()));
  const std::string plain = block(0x216, u16(1) + bytes + std::string(30, 'c'));
  const std::string flagged = block(0x217, u16(1) + u32(7) + bytes);
  const Contents contents = read_text(section_header() + plain + flagged);
  EXPECT_EQ(contents.error, "");
  const std::string params = " 1 2 SYSCALL_CLOSE_X 1 [" + u64(0) + "] [" + u64(3) + "]";
  EXPECT_EQ(contents.events, (std::vector<std::string>{"1" + params, "2" + params}));
}

TEST(ScapReader, eventsV1TellTheirParametersByTheirLength) {
  auto event_v1 = [](uint16_t type, uint32_t extra, const std::string& tail) {
    return block(0x204, u16(0) + u64(8) + u64(9) +
                            u32(static_cast<uint32_t>(22 + tail.size() + extra)) + u16(type) +
                            tail);
  };
  const std::string close = event_v1(event::SYSCALL_CLOSE_X, 0, u16(8) + u64(2));
  const std::string note = event_v1(event::NOTIFICATION_E, 3, u16(2) + u16(2) + "id" + "ds");
  const std::string exit = event_v1(event::PROCEXIT_1_E, 0, u16(8) + u64(1));
  const Contents contents = read_text(section_header() + close + note + exit);
  EXPECT_EQ(contents.error, "");
  // The close exit lacks its fd and its enter event: zero.
  EXPECT_EQ(contents.events,
            (std::vector<std::string>{"1 8 9 SYSCALL_CLOSE_X 0 [" + u64(2) + "] [" + u64(0) + "]",
                                      "2 8 9 NOTIFICATION_E 0 [id] [ds]",
                                      "3 8 9 PROCEXIT_1_E 0 [" + u64(1) + "]"}));
  const Contents bad =
      read_text(section_header() + event_v1(event::SYSCALL_CLOSE_X, 0, u16(7) + u64(2)));
  EXPECT_NE(bad.error.find("offset 28: number of parameters can't be told"), std::string::npos)
      << bad.error;
}

TEST(ScapReader, olderProcessListsAndTheirDefaults) {
  const std::string ids = u64(10) + u64(11) + u64(12);
  const std::string v1 = ids + text16("sh") + text16("/bin/sh") + text16("-c") + text16("/root/") +
                         u64(1024) + u32(0) + u32(1) + u32(2);
  const std::string v3 = v1 + u32(5) + u32(6) + u32(7) + u64(8) + u64(9) + text16("A=1");
  const std::string v5 = v3 + u64(20) + u64(21) + text16("cpu=/") + text16("/r");
  const std::string ids_v8 = ids + u64(30) + u64(31);
  const std::string v8 =
      ids_v8 + text16("sh") + text16("/bin/sh") + text16("/usr/bin/sh") + v5.substr(24 + 4 + 9);
  std::string v9 = v8 + u64(77) + u32(4) + u32(1000) + std::string(1, 1) + u64(1) + u64(2) + u64(3);
  const std::string added(13, 'z');  // fields of a later day
  auto line = [&](const std::string& bytes, uint32_t code) {
    const Contents contents = read_text(section_header() + block(code, bytes) + kSwitch);
    EXPECT_EQ(contents.error, "") << code;
    return contents.snapshot;
  };
  using Lines = std::vector<std::string>;
  const std::string no_tail = " 0 0 0 0 0 0 0 0 false false false false";
  const std::string unknown = " 4294967295";
  EXPECT_EQ(line(v1 + v1, 0x202), (Lines{"process 10 11 12 -1 -1 -1 -1 -1 sh|/bin/sh||-c|/root/|||",
                                         "more 1024 0 1 2" + unknown + " 0 0 0 0 0" + no_tail,
                                         "process 10 11 12 -1 -1 -1 -1 -1 sh|/bin/sh||-c|/root/|||",
                                         "more 1024 0 1 2" + unknown + " 0 0 0 0 0" + no_tail}));
  EXPECT_EQ(line(v3, 0x8014abcd),
            (Lines{"process 10 11 12 -1 -1 -1 -1 -1 sh|/bin/sh||-c|/root/|A=1||",
                   "more 1024 0 1 2" + unknown + " 5 6 7 8 9" + no_tail}));
  EXPECT_EQ(line(v5, 0x211),
            (Lines{"process 10 11 12 -1 -1 -1 20 21 sh|/bin/sh||-c|/root/|A=1|cpu=/|/r",
                   "more 1024 0 1 2" + unknown + " 5 6 7 8 9" + no_tail}));
  const std::string first =
      "process 10 11 12 30 31 -1 20 21 sh|/bin/sh|/usr/bin/sh|-c|/root/|A=1|cpu=/|/r";
  EXPECT_EQ(line(v8, 0x214), (Lines{first, "more 1024 0 1 2" + unknown + " 5 6 7 8 9" + no_tail}));
  EXPECT_EQ(
      line(u32(static_cast<uint32_t>(4 + v9.size())) + v9, 0x215),
      (Lines{first, "more 1024 0 1 2 1000 5 6 7 8 9 77 4 1 2 3 0 0 0 true false false false"}));
  v9 += std::string(1, 1) + u64(5) + u64(6) + u64(7) + std::string(1, 1) + std::string(1, 0) +
        u64(99) + added;
  const std::string full =
      "process 10 11 12 30 31 99 20 21 sh|/bin/sh|/usr/bin/sh|-c|/root/|A=1|cpu=/|/r";
  EXPECT_EQ(line(u32(static_cast<uint32_t>(4 + v9.size())) + v9, 0x215),
            (Lines{full, "more 1024 0 1 2 1000 5 6 7 8 9 77 4 1 2 3 5 6 7 true true false true"}));
}

TEST(ScapReader, stopEndsAWaitForInput) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string bytes = section_header() + kSwitch;
  ASSERT_EQ(write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  auto reader = ScapReader::open({.path = "/dev/fd/" + std::to_string(ends[0])});
  ASSERT_TRUE(reader.ok()) << reader.error().to_text();
  event::Event event;
  // The event comes although the writer is still there and has sent less than a chunk.
  ASSERT_EQ((*reader)->next(event), Next::event);
  std::thread stopper([&] { (*reader)->stop(); });
  EXPECT_EQ((*reader)->next(event), Next::end);
  EXPECT_EQ((*reader)->next(event), Next::end);
  stopper.join();
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace saker::capture
