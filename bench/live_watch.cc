// Watches the kernel with a demand made by hand, without rules or state: for measurements of the
// capture alone.
//   live_watch [--everything] [--events a,b] [--prefix P] [--suffix S] [--write] [--seconds N]
//   [--print] [--tree PID]
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/fd.h"
#include "base/strings.h"
#include "capture/bpf/live.h"
#include "capture/bpf/plan.h"

using namespace saker;

namespace {

struct CountingSink : event::SnapshotSink {
  size_t processes = 0, fds = 0, users = 0;
  bool print = false;
  void on_machine(const event::MachineInfo&) override {}
  void on_process(const event::ProcessEntry& p) override {
    ++processes;
    if (print)
      printf("P %ld %ld %ld comm=%.*s exe=%.*s path=%.*s cwd=%.*s root=%.*s cg=%.*s env=%zu\n",
             (long)p.tid, (long)p.pid, (long)p.ptid, (int)p.comm.size(), p.comm.data(),
             (int)p.exe.size(), p.exe.data(), (int)p.exepath.size(), p.exepath.data(),
             (int)p.cwd.size(), p.cwd.data(), (int)p.root.size(), p.root.data(),
             (int)std::min<size_t>(60, p.cgroups.size()), p.cgroups.data(), p.env.size());
  }
  void on_fd(const event::FdEntry& f) override {
    ++fds;
    if (print)
      printf("F %ld %ld type=%d %.*s ports %d %d\n", (long)f.tid, (long)f.fd, (int)f.type,
             (int)f.name.size(), f.name.data(), f.source_port, f.dest_port);
  }
  void on_user(const event::UserEntry&) override { ++users; }
  void on_interface(const event::InterfaceEntry&) override {}
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void print_event(const event::Event& e) {
  printf("%lu %ld %s", (unsigned long)e.timestamp, (long)e.tid,
         std::string(e.info().identifier).c_str());
  for (size_t i = 0; i < e.param_count; ++i) {
    const Bytes p = e.param(i);
    const event::ParamInfo& info = e.info().params[i];
    printf(" %s=", std::string(info.name).c_str());
    const size_t fixed = event::fixed_size(info.type);
    if (p.empty())
      printf("<NA>");
    else if (fixed != 0 && p.size() == fixed) {
      uint64_t v = 0;
      std::memcpy(&v, p.data(), fixed);
      if (fixed == 8)
        printf("%ld", (long)v);
      else
        printf("%lu", (unsigned long)v);
    } else {
      putchar('\'');
      for (size_t k = 0; k < p.size() && k < 200; ++k) {
        if (p[k] >= 32 && p[k] < 127)
          putchar(p[k]);
        else
          printf("\\x%02x", p[k]);
      }
      putchar('\'');
    }
  }
  putchar('\n');
}

}  // namespace

int main(int argc, char** argv) {
  capture::LiveOptions options;
  double seconds = 5;
  bool print = false, explain = false;
  event::PathPatterns paths;
  bool only_write = false;
  std::string events;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    auto value = [&] { return std::string(argv[++i]); };
    if (arg == "--everything")
      options.demand.everything = true;
    else if (arg == "--events")
      events = value();
    else if (arg == "--prefix")
      paths.prefixes.push_back(value());
    else if (arg == "--suffix")
      paths.suffixes.push_back(value());
    else if (arg == "--write")
      only_write = true;
    else if (arg == "--fds")
      options.demand.needs_all_fds = true;
    else if (arg == "--seconds")
      seconds = std::stod(value());
    else if (arg == "--tree")
      options.only_tree_of = (uint32_t)std::stoul(value());
    else if (arg == "--print")
      print = true;
    else if (arg == "--explain")
      explain = true;
    else if (arg == "--ring")
      options.file_ring_bytes = std::stoul(value()) << 20;
  }
  event::ArgumentTest test;
  using Which = event::ClassTest::Which;
  test.set_classes({.which = paths.size() == 0 ? Which::all : Which::paths, .paths = paths},
                   [&](event::OpenMode mode, bool) {
                     return !only_write || mode != event::OpenMode::read;
                   });
  for (std::string_view name : split(events, ',')) {
    if (name.empty()) continue;
    for (event::EventCode code : event::codes_of_name(name)) {
      options.demand.events.set(code);
      options.demand.tests[code] = test;
      if (code == event::GENERIC_X)
        options.demand.generic_syscalls.set(*event::portable_code_of_name(name));
    }
  }
  if (explain) {
    for (const std::string& line :
         capture::explain(capture::make_plan(options.demand), options.demand))
      puts(line.c_str());
    return 0;
  }
  const double start = seconds_now();
  auto live = capture::open_live(options);
  if (!live) {
    fprintf(stderr, "%s\n", live.error().to_text().c_str());
    return 1;
  }
  const double opened = seconds_now();
  CountingSink sink;
  sink.print = print;
  if (Status s = (*live)->snapshot(sink); !s.ok())
    fprintf(stderr, "%s\n", s.error().to_text().c_str());
  const double ready = seconds_now();
  fprintf(stderr, "open %.0f ms, snapshot %.0f ms: %zu processes, %zu fds, %zu users\n",
          (opened - start) * 1e3, (ready - opened) * 1e3, sink.processes, sink.fds, sink.users);
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  event::Event event;
  uint64_t last = 0, backwards = 0;
  while (seconds_now() - ready < seconds) {
    for (int i = 0; i < 1000; ++i) {
      const capture::Next next = (*live)->next(event);
      if (next != capture::Next::event) break;
      if (event.timestamp < last) ++backwards;
      last = event.timestamp;
      if (print) print_event(event);
    }
  }
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  const capture::SourceStats stats = (*live)->stats();
  const auto cpu = [](const rusage& r) {
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
  };
  const std::string status = *read_file("/proc/self/status", 65536);
  const size_t rss = status.find("VmRSS:");
  fprintf(stderr, "seen %lu delivered %lu bytes %lu out-of-order %lu cpu %.3f s (%.1f %%) %s\n",
          (unsigned long)stats.seen, (unsigned long)stats.delivered, (unsigned long)stats.bytes,
          (unsigned long)backwards, cpu(after) - cpu(before),
          100 * (cpu(after) - cpu(before)) / seconds,
          status.substr(rss, status.find('\n', rss) - rss).c_str());
  for (const auto& [reason, count] : stats.lost)
    fprintf(stderr, "lost %lu: %s\n", (unsigned long)count, reason.c_str());
  for (const auto& [type, count] : stats.lost_by_type)
    fprintf(stderr, "lost %lu of %s\n", (unsigned long)count, type.c_str());
}
