// Any bytes as a file of data-driven tests: split into cases, and what its lines say of processes,
// fds, containers and events is told to a state.
// parser: src/cases/case_file.cc src/cases/event_line.cc src/cases/audit_line.cc
// parser: src/cases/values.cc
#include "cases/case_file.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "cases/audit_line.h"
#include "cases/event_line.h"
#include "reading_sink.h"

namespace {

using namespace saker;

Status read_step(const cases::Step& step, cases::EventBuilder& builder, event::SnapshotSink& sink) {
  const bool event = step.verb == "event";
  if (event && step.words.empty()) return {};
  const cases::Attributes attributes =
      SAKER_TRY(cases::parse_attributes(step.words, event ? 1 : 0));
  if (step.verb == "process") return cases::tell_process(attributes, sink);
  if (step.verb == "fd") return cases::tell_fd(attributes, sink);
  if (step.verb == "container") {
    (void)SAKER_TRY(cases::parse_container(attributes));
    return {};
  }
  if (step.verb == "audit") {
    const Result<std::string> json = cases::audit_event_json(attributes, 1, 1);
    if (!json.ok()) return json.error();
    if (json->empty() || json->back() != '}') std::abort();
    return {};
  }
  if (!event) return {};
  const Bytes record = SAKER_TRY(builder.build(step.words[0], attributes, sink));
  if (!event::Event::decode(record, 0).ok()) std::abort();
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Result<cases::CaseFile> file =
      cases::parse_cases({reinterpret_cast<const char*>(data), size}, "fuzz.test");
  if (!file.ok()) return file.error().message.empty() ? std::abort(), 0 : 0;
  fuzz::ReadingSink sink;
  for (const cases::Case& one : file->cases) {
    if (one.steps.empty() || one.name.empty()) std::abort();
    cases::EventBuilder builder;
    for (const cases::Step& step : one.steps) {
      const Status status = read_step(step, builder, sink);
      if (!status.ok() && status.error().message.empty()) std::abort();
    }
  }
  return sink.sum == 1 ? 1 : 0;
}
