// Whether kube-apiserver comes back after its manifest changed: by its health address, and by its
// process where we see it.
#include <algorithm>
#include <thread>

#include "base/fd.h"
#include "base/strings.h"
#include "cmd/audit_host.h"
#include "net/http_client.h"

namespace saker::cmd {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPause = std::chrono::milliseconds(300);
constexpr int kSteady = 4;  // answers in a row that we believe

std::vector<int> processes_named(std::string_view wanted) {
  std::vector<int> found;
  const auto names = names_in("/proc");
  if (!names.ok()) return found;
  for (const std::string& entry : *names) {
    const auto process = parse_uint(entry);
    if (!process) continue;
    const auto name = read_file("/proc/" + entry + "/comm", 64);
    if (name.ok() && trim(*name) == wanted) found.push_back(static_cast<int>(*process));
  }
  return found;
}

}  // namespace

HealthWatch::HealthWatch(HealthOptions options) : options_(std::move(options)) {
  running_ = options_.timeout.count() > 0 && is_up();
  if (!running_) return;
  processes_ = processes_named("kube-apiserver");
  has_kubelet_ = !processes_named("kubelet").empty();
}

// A server that wants to know who asks is up, too. Nothing secret is sent, so its certificate does
// not matter.
bool HealthWatch::is_up() const {
  auto client = net::HttpClient::open(options_.url, {.connect_timeout = std::chrono::seconds(1),
                                                     .timeout = std::chrono::seconds(3),
                                                     .tls = {.insecure = true}});
  if (!client.ok()) return false;
  const auto reply = client->get();
  return reply.ok() && (reply->status == 200 || reply->status == 401 || reply->status == 403);
}

HealthWatch::Outcome HealthWatch::wait() {
  if (!running_) return Outcome::not_running;
  const auto begin = Clock::now(), end = begin + options_.timeout;
  const auto leaves = begin + (has_kubelet_ ? kMostToLeave : kMostToLeaveAlone);
  bool gone = false;
  int steady = 0;
  while (Clock::now() < end) {
    const bool up = is_up();
    const bool was_gone = gone;
    gone |= !up;
    if (!gone && !processes_.empty())
      for (const int process : processes_named("kube-apiserver"))
        gone |= std::find(processes_.begin(), processes_.end(), process) == processes_.end();
    // What the old one answered does not count.
    steady = up && was_gone ? steady + 1 : 0;
    if (gone && steady >= kSteady) return Outcome::restarted;
    if (!gone && Clock::now() >= leaves) return Outcome::not_seen;
    std::this_thread::sleep_for(kPause);
  }
  return gone ? Outcome::down : Outcome::not_seen;
}

bool HealthWatch::wait_until_up() {
  const auto end = Clock::now() + options_.timeout;
  while (!is_up()) {
    if (Clock::now() >= end) return false;
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

}  // namespace saker::cmd
