// Any bytes as an event's record, as a ring buffer or a capture hands them over: what is accepted
// has every parameter within its record.
// parser: src/event/event.h src/event/event.cc
#include "event/event.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace {

using namespace saker;

void check(event::Event event, Bytes record) {
  static volatile uint64_t sum = 0;  // what was read counts as used
  const uint8_t* at = event.record;
  for (size_t i = 0; i < event.param_count; ++i) {
    const Bytes param = event.param(i);
    if (param.data() < at || param.data() + param.size() > record.data() + event.length)
      std::abort();
    at = param.data() + param.size();
    sum = sum + event.text(i).size() + event.get<uint64_t>(i);
  }
  sum = sum + static_cast<uint64_t>(event.result());
  if (event.type >= event::kEventCodeCount) return;
  event::Encoder encoder;
  encoder.begin(event.timestamp, event.tid, event.type);
  for (size_t i = 0; i < event.param_count; ++i) encoder.add(event.param(i));
  const Result<event::Event> again = event::Event::decode(encoder.finish(), event.cpu);
  if (!again.ok() || again->param_count != event.param_count) std::abort();
  for (size_t i = 0; i < event.param_count; ++i)
    if (as_text(again->param(i)) != as_text(event.param(i))) std::abort();
  event.keep_params(2);
  if (event.param_count > 2) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A copy of its own, so that a byte too far is seen.
  const std::vector<uint8_t> record(data, data + size);
  const Result<event::Event> event = event::Event::decode(record, 1);
  event::Event in_place;
  if (event::Event::decode_into(in_place, record, 1) != event.ok()) std::abort();
  if (event.ok())
    check(*event, record);
  else if (event.error().message.empty())
    std::abort();
  return 0;
}
