// fields_dump CAPTURE FIELDS.txt: one JSON object an event with the values of the fields that the
// file names, for comparison with those of the reference (conformance/tools/compare_fields.py).
#include <cstdio>

#include "base/fd.h"
#include "base/strings.h"
#include "capture/scap/scap.h"
#include "fields/catalog.h"
#include "filter/ast.h"
#include "filter/compile.h"
#include "filter/output_template.h"
#include "state/state.h"

namespace saker {

namespace {

constexpr size_t kFlushAt = 1 << 20;

Result<std::vector<filter::Operand>> compile_fields(const std::string& path) {
  const std::string text = SAKER_TRY(read_file(path, 1 << 20));
  std::vector<filter::Operand> operands;
  for (std::string_view line : split(text, '\n')) {
    const std::string_view name = trim(line);
    if (name.empty()) continue;
    filter::ParsedOperand parsed = SAKER_TRY(filter::parse_operand(name));
    operands.push_back(
        SAKER_TRY(filter::compile_operand(parsed.operand, fields::catalog(), "syscall")));
  }
  return operands;
}

void append_row(const std::vector<filter::Operand>& operands, const filter::EvalContext& context,
                filter::Values& values, std::string& out) {
  char separator = '{';
  for (const filter::Operand& operand : operands) {
    const finding::FieldValue value = filter::show_value(operand, context, values);
    if (std::holds_alternative<std::monostate>(value)) continue;
    out += separator;
    separator = ',';
    finding::append_json_string(operand.text, out);
    out += ':';
    finding::append_json_value(value, out);
  }
  out += separator == '{' ? "{}\n" : "}\n";
}

Status dump(const std::string& capture_path, const std::string& fields_path) {
  const std::vector<filter::Operand> operands = SAKER_TRY(compile_fields(fields_path));
  auto reader = SAKER_TRY(capture::ScapReader::open({.path = capture_path}));
  state::State state;
  state.set_reference_quirks(true);
  SAKER_CHECK(reader->snapshot(state));
  Arena scratch;
  filter::Values values;
  std::string out;
  event::Event event;
  for (;;) {
    const capture::Next next = reader->next_event(event);
    if (next == capture::Next::end) break;
    if (next == capture::Next::failed) return reader->error();
    scratch.reset();
    const state::Applied applied = state.apply(event);
    filter::EvalContext context{.event = &event,
                                .thread = applied.thread,
                                .fd = applied.fd,
                                .state = &state,
                                .scratch = &scratch};
    append_row(operands, context, values, out);
    if (out.size() > kFlushAt) {
      SAKER_CHECK(write_all(1, out));
      out.clear();
    }
    state.finish(event);
  }
  return write_all(1, out);
}

}  // namespace

}  // namespace saker

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: fields_dump CAPTURE FIELDS.txt\n", stderr);
    return 2;
  }
  if (saker::Status status = saker::dump(argv[1], argv[2]); !status.ok()) {
    std::fprintf(stderr, "%s\n", status.error().to_text().c_str());
    return 1;
  }
  return 0;
}
