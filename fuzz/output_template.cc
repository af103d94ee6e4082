// Output templates of any text: they compile or say why not, and what compiles renders.
// parser: src/filter/output_template.cc
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "filter/output_template.h"
#include "filter_fields.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace saker;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<filter::OutputTemplate> output =
      filter::OutputTemplate::compile(text, fuzz::catalog(), "");
  if (!output.ok()) {
    if (output.error().message.empty() || output.error().position.offset > size) std::abort();
    return 0;
  }
  Arena scratch;
  const filter::EvalContext context{.scratch = &scratch};
  std::string line;
  if (!output->render(context, line)) std::abort();
  // Piece by piece, and those pieces made anew, it is the same text.
  std::vector<std::string> pieces = output->render_pieces(context);
  output->refresh(context, +[](const filter::Operand&) { return true; }, pieces);
  std::string joined;
  for (const std::string& piece : pieces) joined += piece;
  if (joined != line) std::abort();
  std::vector<finding::NamedValue> fields;
  output->collect(context, fields);
  if (!output->operands().empty() && fields.size() > 16 * output->operands().size() + size)
    std::abort();
  return 0;
}
