// Any bytes as a stream of events (u16 type, u8 thread, u8 number of parameters, and for each a u8
// length and the data), then every field of each event, extracted and shown: as text, as JSON, with
// every kind of argument.
// parser: src/fields/args.cc src/fields/evt.cc src/fields/fd.cc src/fields/fdlist.cc
// parser: src/fields/event.cc src/fields/event_io.cc
// parser: src/fields/render.cc src/fields/render_address.cc
// parser: src/fields/proc.cc src/fields/thread.cc src/fields/socket.cc src/fields/fspath.cc
// parser: src/fields/ka.cc src/fields/ka_pod.cc src/fields/ka_request.cc
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "event/audit_record.h"
#include "event/event.h"
#include "fields/catalog.h"
#include "filter/output_template.h"
#include "formats/json_text.h"
#include "state/state.h"

namespace {

using namespace saker;

// The rest of the input as an audit event.
struct FuzzedRecord : audit::AuditRecord {
  explicit FuzzedRecord(std::string_view all) : json(all) {}
  [[nodiscard]] std::string_view text() const override { return json; }
  [[nodiscard]] std::optional<std::string_view> find(std::string_view pointer) const override {
    return formats::json_text::find(json, pointer);
  }
  std::string_view json;
};

// Every field without argument, with a number, and with a word.
std::vector<filter::Operand> all_operands() {
  std::vector<filter::Operand> operands;
  for (const filter::FieldClass& group : fields::catalog().classes()) {
    for (const filter::FieldInfo& field : group.fields) {
      for (const char* argument : {"", "[0]", "[2]", "[flags]", "[a*]", "[/a/0]"}) {
        const std::string name = std::string(field.name) + argument;
        Result<filter::ParsedOperand> parsed = filter::parse_operand(name);
        if (!parsed.ok() || parsed->length != name.size()) continue;
        Result<filter::Operand> made =
            filter::compile_operand(parsed->operand, fields::catalog(), "");
        if (made.ok()) operands.push_back(std::move(*made));
      }
    }
  }
  return operands;
}

size_t show_all(const filter::EvalContext& context) {
  static const std::vector<filter::Operand> operands = all_operands();
  filter::Values values;
  std::string text;
  size_t shown = 0;
  for (const filter::Operand& operand : operands) {
    values.clear();
    if (!filter::evaluate_shown(operand, context, values)) continue;
    text.clear();
    filter::append_text(operand, values, text);
    finding::append_json_value(filter::to_field_value(operand, values, context), text);
    values.clear();
    filter::evaluate(operand, context, values);
    shown += text.size() + values.size();
  }
  return shown;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kLongest = 4096;
  ByteReader reader({data, std::min(size, kLongest)});
  const FuzzedRecord record(as_text({data, std::min(size, kLongest)}));
  state::State state({.max_threads = 64, .max_fds_per_process = 64, .max_containers = 8});
  event::Encoder encoder;
  Arena scratch;
  uint64_t now = 1'000'000'000;
  size_t shown = 0;
  while (reader.remaining() >= 4) {
    const auto type = static_cast<uint16_t>(reader.read<uint16_t>() % event::kEventCodeCount);
    const auto tid = static_cast<int64_t>(reader.read<uint8_t>() % 16);
    const size_t count = reader.read<uint8_t>() % (event::kMaxParams + 1);
    encoder.begin(now += 50'000'000, tid, type);
    for (size_t i = 0; i < count && reader.remaining() > 0; ++i)
      encoder.add(reader.take(std::min<size_t>(reader.read<uint8_t>(), reader.remaining())));
    auto event = event::Event::decode(encoder.finish(), 0);
    if (!event.ok()) std::abort();
    const state::Applied applied = state.apply(*event);
    scratch.reset();
    shown += show_all({.event = &*event,
                       .thread = applied.thread,
                       .fd = applied.fd,
                       .state = &state,
                       .scratch = &scratch});
    state.finish(*event);
  }
  event::Event audit_event;
  audit_event.source = event::Source::k8s_audit;
  scratch.reset();
  shown += show_all({.event = &audit_event, .audit = &record, .scratch = &scratch});
  return shown == SIZE_MAX ? 1 : 0;
}
