// Events written as text: "openat pid=10 comm=cat name=/etc/shadow flags=O_RDONLY fd=3". Encoded in
// the event layout, so that they pass through the same decoder as real ones.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "event/event.h"
#include "event/snapshot.h"
#include "k8s/container.h"

namespace saker::cases {

using Attributes = std::map<std::string, std::string>;

// "a=1 b=2" as a map; the words before the first '=' are not touched.
Result<Attributes> parse_attributes(const std::vector<std::string>& words, size_t from);

// "process pid=10 ppid=1 comm=sh exe=/bin/sh args='-c id' uid=0": tells the sink of a process.
// Unknown keys are errors.
Status tell_process(const Attributes& attributes, event::SnapshotSink& sink);

// "fd pid=10 num=3 type=ipv4 sip=1.2.3.4 sport=443 cip=10.0.0.1 cport=5000 l4proto=tcp", "...
// type=file name=/x".
Status tell_fd(const Attributes& attributes, event::SnapshotSink& sink);

// "container id=0123456789ab name=web image=nginx:1 repository=nginx privileged=true
// label.app=web".
Result<k8s::ContainerInfo> parse_container(const Attributes& attributes);

// Encodes event lines. Keys are the event's parameters; tid and pid say who makes it, and for a
// process that no line named before, process keys (comm, exe, ppid ...) introduce it. Execs take
// their parameters from the process keys.
class EventBuilder {
 public:
  // `name` is an event's name or identifier. The record is valid until the next call.
  Result<Bytes> build(const std::string& name, const Attributes& attributes,
                      event::SnapshotSink& sink);
  void note_process(int64_t pid) { known_.insert(pid); }

 private:
  Status add_param(const event::ParamInfo& param, const Attributes& attributes);
  Status introduce(const event::EventInfo& info, const Attributes& attributes,
                   event::SnapshotSink& sink);

  std::set<int64_t> known_;
  event::Encoder encoder_;
  uint64_t clock_ns_ = 1'700'000'000'000'000'000;
};

}  // namespace saker::cases
