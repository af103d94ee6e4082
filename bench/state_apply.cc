// What keeping state costs: nanoseconds an event of each capture, all its events in memory, without
// reading and rules. Not in the default build: link with saker_state, saker_capture and below.
// Usage: state_apply [-n ROUNDS] FILE...
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "capture/scap/scap.h"
#include "state/state.h"

namespace {

using namespace saker;

struct Record {
  size_t offset;
  uint32_t length;
  uint16_t cpu;
};

struct Loaded {
  std::vector<uint8_t> bytes;
  std::vector<Record> records;
};

bool load(const std::string& path, event::SnapshotSink& sink, Loaded* into) {
  auto reader = capture::ScapReader::open({.path = path});
  if (!reader.ok() || !(*reader)->snapshot(sink).ok()) return false;
  event::Event event;
  while (into != nullptr && (*reader)->next_event(event) == capture::Next::event) {
    into->records.push_back({into->bytes.size(), event.length, event.cpu});
    into->bytes.insert(into->bytes.end(), event.record, event.record + event.length);
  }
  return true;
}

double best_of(int rounds, auto&& run) {
  double best = 1e9;
  for (int i = 0; i < rounds; ++i) best = std::min(best, run());
  return best;
}

// Of this thread alone, so that a busy machine counts less.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
  int rounds = 10;
  for (int option; (option = getopt(argc, argv, "n:")) != -1;)
    if (option == 'n') rounds = std::atoi(optarg);
  for (int i = optind; i < argc; ++i) {
    Loaded loaded;
    state::State scratch;
    if (!load(argv[i], scratch, &loaded)) return 1;
    uint64_t check = 0;
    auto each = [&](auto&& use) {
      const double start = cpu_seconds();
      event::Event event;
      for (const Record& record : loaded.records) {
        event::Event::decode_into(event, {loaded.bytes.data() + record.offset, record.length},
                                  record.cpu);
        use(event);
      }
      return cpu_seconds() - start;
    };
    const double decode =
        best_of(rounds, [&] { return each([&](event::Event& event) { check += event.type; }); });
    state::StateStats stats;
    const double all = best_of(rounds, [&] {
      state::State state;
      load(argv[i], state, nullptr);
      const double took = each([&](event::Event& event) {
        check += state.apply(event).fd != nullptr ? 1 : 0;
        state.finish(event);
      });
      stats = state.stats();
      return took;
    });
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto events = static_cast<double>(loaded.records.size());
    fmt::print(
        "{}: {} events, decode {:.1f} ns, apply {:.1f} ns/event; threads {}, fds {}, containers "
        "{}, placeholders {}; RSS {:.1f} MiB, events {:.1f} MiB ({:x})\n",
        argv[i], loaded.records.size(), decode * 1e9 / events, (all - decode) * 1e9 / events,
        stats.threads, stats.fds, stats.containers, stats.placeholders,
        static_cast<double>(usage.ru_maxrss) / 1024,
        static_cast<double>(loaded.bytes.capacity()) / 1048576, check & 0xff);
  }
}
