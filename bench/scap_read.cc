// How fast the capture reader is: events a second of each file, the reader alone. Not in the
// default build:
//   cmake --build BUILD --target saker_capture, then link this file with saker_capture,
//   saker_formats, saker_event, saker_base, isal and zstd.
// Usage: scap_read [-n ROUNDS] [-c CHUNK_KIB] [-k CHUNKS] FILE...
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "capture/scap/scap.h"

namespace {

struct NullSink final : saker::event::SnapshotSink {
  void on_machine(const saker::event::MachineInfo& /*machine*/) override {}
  void on_process(const saker::event::ProcessEntry& /*process*/) override {}
  void on_fd(const saker::event::FdEntry& /*fd*/) override {}
  void on_user(const saker::event::UserEntry& /*user*/) override {}
  void on_interface(const saker::event::InterfaceEntry& /*interface*/) override {}
};

}  // namespace

int main(int argc, char** argv) {
  int rounds = 10;
  saker::capture::ScapOptions options;
  for (int option; (option = getopt(argc, argv, "n:c:k:")) != -1;) {
    const auto value = static_cast<size_t>(std::atoi(optarg));
    if (option == 'n') rounds = static_cast<int>(value);
    if (option == 'c') options.chunk_bytes = value * 1024;
    if (option == 'k') options.chunks = value;
  }
  for (int i = optind; i < argc; ++i) {
    options.path = argv[i];
    double best = 1e9;
    uint64_t events = 0;
    uint64_t check = 0;
    for (int round = 0; round < rounds; ++round) {
      const auto start = std::chrono::steady_clock::now();
      auto reader = saker::capture::ScapReader::open(options);
      NullSink sink;
      if (!reader.ok() || !(*reader)->snapshot(sink).ok()) return 1;
      saker::event::Event event;
      saker::capture::Next next;
      while ((next = (*reader)->next_event(event)) == saker::capture::Next::event)
        check += event.type + event.get<uint64_t>(0);
      if (next == saker::capture::Next::failed) fmt::print("{}\n", (*reader)->error().to_text());
      events = (*reader)->stats().delivered;
      reader->reset();
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      best = std::min(best, took.count());
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    fmt::print(
        "{}: {} events, {:.2f} ms, {:.1f} ns/event, {:.1f} M events/s, RSS {:.1f} MiB ({:x})\n",
        options.path, events, best * 1e3, best * 1e9 / static_cast<double>(events),
        static_cast<double>(events) / best / 1e6, static_cast<double>(usage.ru_maxrss) / 1024,
        check & 0xff);
  }
}
