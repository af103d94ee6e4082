// saker doctor: what works on this machine, and what to do about the rest.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "capture/bpf/live.h"
#include "cmd/command.h"
#include "cmd/listing.h"
#include "k8s/runtimes.h"

namespace saker::cmd {

namespace {

struct Row {
  std::string name;
  bool ok = false;
  bool needed = true;  // for live watching
  std::string detail, advice;
};

// The runtimes that are there, each asked once; one row says so when there is none.
void examine_runtimes(const std::vector<std::string>& sockets, std::vector<Row>& rows) {
  k8s::RuntimeConfig config;
  if (!sockets.empty()) config.runtime_sockets = sockets;
  bool any = false;
  for (const k8s::RuntimeStatus& status : k8s::Runtimes(config).check()) {
    if (!status.present) continue;
    any = true;
    rows.push_back({.name = "container runtime",
                    .ok = status.answers,
                    .needed = false,
                    .detail = status.socket + (status.answers ? " answers" : ": " + status.error),
                    .advice = ::access(status.socket.c_str(), R_OK | W_OK) == 0
                                  ? "is the runtime up? its containers' names and images come from "
                                    "what it left on disk, or stay unknown"
                                  : "run as root, or give access to the socket"});
  }
  if (any) return;
  rows.push_back({.name = "container runtime",
                  .needed = false,
                  .detail = "no socket of containerd, CRI-O, docker or podman",
                  .advice = "fine on a host without containers; a socket elsewhere is named by "
                            "containers.sockets (here: --socket)"});
}

std::vector<Row> examine(const std::vector<std::string>& sockets) {
  std::vector<Row> rows;
  for (capture::KernelSupportRow& row : capture::probe_kernel())
    rows.push_back({.name = std::move(row.name),
                    .ok = row.ok,
                    .detail = std::move(row.detail),
                    .advice = std::move(row.advice)});
  examine_runtimes(sockets, rows);
  return rows;
}

void print_text(const std::vector<Row>& rows) {
  const bool colour = ::isatty(STDOUT_FILENO) == 1 && ::getenv("NO_COLOR") == nullptr;
  for (const Row& row : rows) {
    const char* mark = row.ok ? "ok  " : row.needed ? "FAIL" : "-   ";
    const char* start = !colour ? "" : row.ok ? "\033[32m" : row.needed ? "\033[31m" : "\033[33m";
    std::printf("%s%s%s %-22s %s\n", start, mark, colour ? "\033[0m" : "", row.name.c_str(),
                row.detail.c_str());
    if (!row.ok && !row.advice.empty()) std::printf("     %-22s -> %s\n", "", row.advice.c_str());
  }
}

void print_json(const std::vector<Row>& rows) {
  JsonWriter json;
  json.begin_array();
  for (const Row& row : rows) {
    json.begin_object().key("name").text(row.name).key("ok").boolean(row.ok).key("needed").boolean(
        row.needed);
    json.key("detail").text(row.detail).key("advice").text(row.ok ? "" : row.advice).end_object();
  }
  json.end_array();
  print(json.result() + "\n");
}

Invocation prepare() {
  struct Arguments {
    bool json = false;
    std::vector<std::string> sockets;
  };
  auto arguments = std::make_shared<Arguments>();
  return {.options = {{.names = "--json", .help = "JSON", .flag = &arguments->json},
                      {.names = "--socket",
                       .value_name = "SOCKET",
                       .help = "Socket of a container runtime (repeatable; where it usually is)",
                       .list = &arguments->sockets}},
          .run = [arguments]() -> Result<int> {
            const std::vector<Row> rows = examine(arguments->sockets);
            if (arguments->json) {
              print_json(rows);
            } else {
              print_text(rows);
            }
            for (const Row& row : rows)
              if (row.needed && !row.ok) return kExitFailed;
            return kExitOk;
          }};
}

}  // namespace

extern const Command doctor_descriptor;
const Command doctor_descriptor = {
    .path = "doctor",
    .summary = "Check what works on this machine and say what to do about the rest",
    .description = "Exit code 1 when live watching can't work here.",
    .prepare = prepare,
};

}  // namespace saker::cmd
