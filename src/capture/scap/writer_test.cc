// What the writer writes is what the reader reads, plain and compressed.
#include "capture/scap/writer.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "capture/scap/blocks.h"
#include "capture/scap/test_support.h"
#include "formats/inflate.h"

namespace saker::capture {
namespace {

using formats::Compression;

// Copies a capture; gives what was in it.
Contents copy_capture(const ScapOptions& from, const ScapWriterOptions& to) {
  Contents contents;
  auto reader = ScapReader::open(from);
  auto writer = ScapWriter::create(to);
  EXPECT_TRUE(reader.ok() && writer.ok());
  if (!reader.ok() || !writer.ok()) return contents;
  TextSink sink;
  sink.also = writer->get();
  EXPECT_TRUE((*reader)->snapshot(sink).ok());
  event::Event event;
  while ((*reader)->next(event) == Next::event) {
    contents.events.push_back(to_line(event));
    EXPECT_TRUE((*writer)->write(event).ok());
  }
  EXPECT_TRUE((*writer)->close().ok());
  EXPECT_EQ((*writer)->events(), contents.events.size());
  EXPECT_EQ((*writer)->skipped(), 0U);
  contents.snapshot = std::move(sink.lines);
  return contents;
}

TEST(ScapWriter, copiesOfRealCapturesAreEqual) {
  if (conformance_captures().empty()) GTEST_SKIP() << "skipped: no conformance data";
  for (const std::string name : {"cat_write", "connect_localhost", "c_shell", "memfd"}) {
    const ScapOptions from{.path = kConformance + "/captures/" + name + ".scap"};
    for (const char* suffix : {".scap", ".scap.gz", ".scap.zst"}) {
      TempFile copy("", suffix);
      const Contents original = copy_capture(from, {.path = copy.path()});
      const Contents again = read_all({.path = copy.path()});
      EXPECT_EQ(again.error, "");
      ASSERT_EQ(again.snapshot, original.snapshot) << name << suffix;
      ASSERT_EQ(again.events, original.events) << name << suffix;
      EXPECT_TRUE(again.stats.lost.empty());
    }
  }
}

event::ProcessEntry sample_process(int64_t tid) {
  return {.tid = tid,
          .pid = tid,
          .ptid = 1,
          .sid = 2,
          .vpgid = 3,
          .pgid = 4,
          .vtid = 5,
          .vpid = 6,
          .comm = "sh",
          .exe = "/bin/sh",
          .exepath = "/usr/bin/dash",
          .args = {"-c\0x", 4},
          .cwd = "/",
          .env = "A=1",
          .cgroups = "cpu=/a",
          .root = "/r",
          .fdlimit = 7,
          .flags = 8,
          .uid = 9,
          .gid = 10,
          .loginuid = 11,
          .vmsize_kb = 12,
          .vmrss_kb = 13,
          .vmswap_kb = 14,
          .pfmajor = 15,
          .pfminor = 16,
          .pidns_init_start_ts = 17,
          .tty = 18,
          .cap_inheritable = 19,
          .cap_permitted = 20,
          .cap_effective = 21,
          .exe_ino = 22,
          .exe_ino_ctime = 23,
          .exe_ino_mtime = 24,
          .exe_writable = true,
          .exe_upper_layer = true,
          .exe_lower_layer = true,
          .exe_from_memfd = true};
}

TEST(ScapWriter, everyKindOfEntryComesBack) {
  TempFile file;
  auto writer = ScapWriter::create({.path = file.path()});
  ASSERT_TRUE(writer.ok());
  TextSink expected;
  expected.also = writer->get();
  expected.on_machine(
      {.cpus = 4,
       .memory_bytes = 5,
       .max_pid = 6,
       .hostname = "host",
       .boot_time_ns = 0,  // not read back: replays show times since boot as they are
       .flags = 8});
  expected.on_interface(
      {.is_ipv6 = false, .address = {127, 0, 0, 1}, .netmask = {255}, .name = "lo"});
  expected.on_interface({.is_ipv6 = true,
                         .address = {0xfe, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14},
                         .netmask = {255, 255},
                         .name = "eth0"});
  expected.on_user(
      {.id = 1000, .gid = 100, .name = "ann", .home = "/home/ann", .shell = "/bin/sh"});
  expected.on_user({.is_group = true, .id = 100, .gid = 100, .name = "users"});
  // More than one block full.
  for (int64_t tid = 1; tid <= 1500; ++tid) expected.on_process(sample_process(tid));
  for (int type = 0; type <= static_cast<int>(event::FdType::pidfd); ++type) {
    event::FdEntry fd{
        .tid = 1 + type / 5, .fd = type, .ino = 77, .type = static_cast<event::FdType>(type)};
    switch (fd.type) {
      case event::FdType::unknown: break;
      case event::FdType::ipv4_socket:
        fd.dest_ip = {5, 6, 7, 8};
        fd.dest_port = 80;
        [[fallthrough]];
      case event::FdType::ipv4_server:
        fd.source_ip = {1, 2, 3, 4};
        fd.source_port = 4000;
        fd.l4 = event::L4Proto::tcp;
        break;
      case event::FdType::ipv6_socket:
        fd.dest_ip = {9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};
        fd.dest_port = 443;
        [[fallthrough]];
      case event::FdType::ipv6_server:
        fd.source_ip = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
        fd.source_port = 4001;
        fd.l4 = event::L4Proto::udp;
        break;
      case event::FdType::unix_socket:
        fd.unix_source = 0x1234;
        fd.unix_dest = 0x5678;
        fd.name = "/run/socket";
        break;
      case event::FdType::file_v2:
        fd.open_flags = 0x41;
        fd.dev = 0x801;
        [[fallthrough]];
      default: fd.name = "/some/name";
    }
    expected.on_fd(fd);
  }
  event::Encoder encoder;
  encoder.begin(1, 2, event::SYSCALL_CLOSE_X);
  encoder.add_value<int64_t>(0);
  encoder.add_value<int64_t>(3);
  ASSERT_TRUE((*writer)->write(*event::Event::decode(encoder.finish(), 6)).ok());
  const std::string payload(200'000, 'j');
  encoder.begin(3, 4, event::CONTAINER_JSON_2_E);
  encoder.add_text(payload);
  ASSERT_TRUE((*writer)->write(*event::Event::decode(encoder.finish(), 6)).ok());
  encoder.begin(5, 6, event::SYSCALL_READ_X);
  encoder.add_value<int64_t>(0);
  encoder.add(as_bytes(std::string_view(payload).substr(0, 65'530)));
  ASSERT_TRUE((*writer)->write(*event::Event::decode(encoder.finish(), 6)).ok());
  ASSERT_TRUE((*writer)->close().ok());
  EXPECT_EQ((*writer)->skipped(), 1U);  // longer than other readers allow
  EXPECT_EQ((*writer)->events(), 2U);
  EXPECT_EQ((*writer)->bytes(), std::filesystem::file_size(file.path()));

  const Contents contents = read_all({.path = file.path()});
  EXPECT_EQ(contents.error, "");
  EXPECT_EQ(contents.snapshot, expected.lines);
  ASSERT_EQ(contents.events.size(), 2U);
  EXPECT_TRUE(contents.events[0].starts_with("1 1 2 SYSCALL_CLOSE_X 6"));
  EXPECT_EQ(contents.events[1],
            "2 3 4 CONTAINER_JSON_2_E 6 [" + payload + std::string(1, '\0') + "]");
  struct stat about{};
  ASSERT_EQ(stat(file.path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
}

TEST(ScapWriter, entriesBehindAnEventAreLeftOut) {
  TempFile file;
  auto writer = ScapWriter::create({.path = file.path()});
  event::Encoder encoder;
  encoder.begin(1, 2, event::PROCEXIT_1_E);
  const Bytes record = encoder.finish();
  ASSERT_TRUE((*writer)->write(*event::Event::decode(record, 0)).ok());
  (*writer)->on_process({.tid = 1});
  (*writer)->on_user({.id = 1});
  ASSERT_TRUE((*writer)->write(*event::Event::decode(record, 0)).ok());
  ASSERT_TRUE((*writer)->close().ok());
  const Contents contents = read_all({.path = file.path()});
  EXPECT_EQ(contents.error, "");
  EXPECT_EQ(contents.events.size(), 2U);
  EXPECT_TRUE(contents.snapshot.empty());
}

TEST(ScapWriter, longStringsAreCutToWhatReadersAccept) {
  TempFile file;
  auto writer = ScapWriter::create({.path = file.path()});
  const std::string longer(100'000, 'x');
  event::ProcessEntry process{.tid = 1, .comm = longer, .args = longer};
  (*writer)->on_process(process);
  event::Encoder encoder;
  encoder.begin(1, 2, event::PROCEXIT_1_E);
  ASSERT_TRUE((*writer)->write(*event::Event::decode(encoder.finish(), 0)).ok());
  ASSERT_TRUE((*writer)->close().ok());
  const Contents contents = read_all({.path = file.path()});
  EXPECT_EQ(contents.error, "");
  ASSERT_EQ(contents.snapshot.size(), 2U);
  EXPECT_NE(contents.snapshot[0].find(" " + longer.substr(0, 1023) + "|||" +
                                      longer.substr(0, 4095) + "|"),
            std::string::npos);
}

TEST(ScapWriter, flushedEventsAreThereBeforeTheEnd) {
  for (const Compression kind : {Compression::none, Compression::gzip, Compression::zstd}) {
    TempFile file;
    auto writer = ScapWriter::create({.path = file.path(), .compression = kind});
    ASSERT_TRUE(writer.ok());
    event::Encoder encoder;
    encoder.begin(1, 2, event::PROCEXIT_1_E);
    ASSERT_TRUE((*writer)->write(*event::Event::decode(encoder.finish(), 0)).ok());
    ASSERT_TRUE((*writer)->flush().ok());
    const Contents early = read_all({.path = file.path()});
    EXPECT_EQ(early.events.size(), 1U) << formats::to_string(kind);
    // A compressed stream without its end is one that was cut off.
    EXPECT_EQ(early.error.empty(), kind == Compression::none) << early.error;
    ASSERT_TRUE((*writer)->close().ok());
    EXPECT_EQ(read_all({.path = file.path()}).error, "");
    EXPECT_EQ((*writer)->file_bytes(), std::filesystem::file_size(file.path()));
  }
}

TEST(ScapWriter, mistakesAreReported) {
  EXPECT_FALSE(ScapWriter::create({.path = "/nonexistent/x.scap"}).ok());
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "skipped: no /dev/full";
  for (const Compression kind : {Compression::none, Compression::gzip, Compression::zstd}) {
    auto writer = ScapWriter::create({.path = "/dev/full", .compression = kind});
    ASSERT_TRUE(writer.ok());
    EXPECT_FALSE((*writer)->flush().ok());
    EXPECT_FALSE((*writer)->close().ok());
  }
}

}  // namespace
}  // namespace saker::capture
