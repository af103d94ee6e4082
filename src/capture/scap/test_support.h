// What the tests of captures share: where the conformance captures are, and a capture as comparable
// text.
#pragma once

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/fd.h"
#include "capture/scap/scap.h"

namespace saker::capture {

inline const std::string kConformance = SAKER_SOURCE_DIR "/../shared/conformance/falco";

inline std::vector<std::string> conformance_captures() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(kConformance + "/captures", error))
    names.push_back(entry.path().stem().string());
  return names;
}

// A file that goes with the test.
class TempFile {
 public:
  explicit TempFile(std::string_view contents = {}, std::string_view suffix = "") {
    static int count = 0;
    path_ = fmt::format("{}saker-scap-{}-{}{}", "/tmp/", getpid(), count++, suffix);
    // Not replace_file(): its wait for the disk would dominate thousands of small files.
    std::ofstream(path_, std::ios::binary) << contents;
  }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Entries of a snapshot as lines of text.
class TextSink final : public event::SnapshotSink {
 public:
  std::vector<std::string> lines;
  event::SnapshotSink* also = nullptr;  // gets everything as well

  void on_machine(const event::MachineInfo& m) override {
    lines.push_back(fmt::format("machine {} {} {} {} {} {}", m.cpus, m.memory_bytes, m.max_pid,
                                m.hostname, m.boot_time_ns, m.flags));
    if (also != nullptr) also->on_machine(m);
  }
  void on_process(const event::ProcessEntry& p) override {
    lines.push_back(fmt::format("process {} {} {} {} {} {} {} {} {}|{}|{}|{}|{}|{}|{}|{}", p.tid,
                                p.pid, p.ptid, p.sid, p.vpgid, p.pgid, p.vtid, p.vpid, p.comm,
                                p.exe, p.exepath, p.args, p.cwd, p.env, p.cgroups, p.root));
    lines.push_back(fmt::format(
        "more {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", p.fdlimit,
        p.flags, p.uid, p.gid, p.loginuid, p.vmsize_kb, p.vmrss_kb, p.vmswap_kb, p.pfmajor,
        p.pfminor, p.pidns_init_start_ts, p.tty, p.cap_inheritable, p.cap_permitted,
        p.cap_effective, p.exe_ino, p.exe_ino_ctime, p.exe_ino_mtime, p.exe_writable,
        p.exe_upper_layer, p.exe_lower_layer, p.exe_from_memfd));
    if (also != nullptr) also->on_process(p);
  }
  void on_fd(const event::FdEntry& f) override {
    lines.push_back(fmt::format("fd {} {} {} {} {} {} {} {} {} {} {} {} {} {}", f.tid, f.fd, f.ino,
                                static_cast<int>(f.type), f.open_flags, f.dev, f.name, f.source_ip,
                                f.dest_ip, f.source_port, f.dest_port, static_cast<int>(f.l4),
                                f.unix_source, f.unix_dest));
    if (also != nullptr) also->on_fd(f);
  }
  void on_user(const event::UserEntry& u) override {
    lines.push_back(fmt::format("user {} {} {} {} {} {} {}", u.is_group, u.id, u.gid, u.name,
                                u.home, u.shell, u.container_id));
    if (also != nullptr) also->on_user(u);
  }
  void on_interface(const event::InterfaceEntry& i) override {
    lines.push_back(fmt::format("interface {} {} {} {}", i.is_ipv6, i.address, i.netmask, i.name));
    if (also != nullptr) also->on_interface(i);
  }
};

inline std::string to_line(const event::Event& event) {
  std::string line = fmt::format("{} {} {} {} {}", event.number, event.timestamp, event.tid,
                                 event.info().identifier, event.cpu);
  for (size_t i = 0; i < event.param_count; ++i) {
    line += " [";
    line += as_text(event.param(i));
    line += ']';
  }
  return line;
}

struct Contents {
  std::vector<std::string> snapshot;
  std::vector<std::string> events;
  std::string error;  // empty: read to its end
  SourceStats stats;
};

inline Contents read_all(const ScapOptions& options) {
  Contents contents;
  auto reader = ScapReader::open(options);
  if (!reader.ok()) {
    contents.error = reader.error().to_text();
    return contents;
  }
  TextSink sink;
  const Status status = (*reader)->snapshot(sink);
  contents.snapshot = std::move(sink.lines);
  sink.lines = {};
  if (!status.ok()) {
    contents.error = status.error().to_text();
    return contents;
  }
  event::Event event;
  Next next;
  while ((next = (*reader)->next(event)) == Next::event) contents.events.push_back(to_line(event));
  if (next == Next::failed) contents.error = (*reader)->error().to_text();
  contents.snapshot.insert(contents.snapshot.end(), sink.lines.begin(), sink.lines.end());
  contents.stats = (*reader)->stats();
  return contents;
}

}  // namespace saker::capture
