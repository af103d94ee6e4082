// saker doctor: what works on this machine, and what to do about the rest.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "capture/bpf/live.h"
#include "cmd/command.h"
#include "cmd/listing.h"

namespace saker::cmd {

namespace {

struct Row {
  std::string name;
  bool ok = false;
  bool needed = true;  // for live watching
  std::string detail, advice;
};

Row socket_row(const std::string& name, std::initializer_list<const char*> paths) {
  Row row{.name = name, .needed = false};
  for (const char* path : paths) {
    struct stat info{};
    if (::stat(path, &info) != 0 || !S_ISSOCK(info.st_mode)) continue;
    row.ok = ::access(path, R_OK | W_OK) == 0;
    row.detail = path;
    if (!row.ok) row.advice = "run as root, or give access to the socket";
    return row;
  }
  row.detail = "no socket";
  row.advice =
      "container names and images stay unknown without a runtime; fine on a host without "
      "containers";
  return row;
}

std::vector<Row> examine() {
  std::vector<Row> rows;
  for (capture::KernelSupportRow& row : capture::probe_kernel())
    rows.push_back({.name = std::move(row.name),
                    .ok = row.ok,
                    .detail = std::move(row.detail),
                    .advice = std::move(row.advice)});
  rows.push_back(socket_row(
      "containerd", {"/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock"}));
  rows.push_back(socket_row("CRI-O", {"/run/crio/crio.sock"}));
  rows.push_back(socket_row("docker", {"/var/run/docker.sock"}));
  rows.push_back(socket_row("podman", {"/run/podman/podman.sock"}));
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
  auto as_json = std::make_shared<bool>(false);
  return {.options = {{.names = "--json", .help = "JSON", .flag = as_json.get()}},
          .run = [as_json]() -> Result<int> {
            const std::vector<Row> rows = examine();
            if (*as_json) {
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
