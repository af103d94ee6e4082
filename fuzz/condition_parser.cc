// Conditions of any text: parsing says yes or no, what parses reads the same when written again,
// and what compiles evaluates.
// parser: src/filter/parser.cc src/filter/ast.cc src/filter/escape.cc
// parser: src/filter/compile.cc src/filter/constant.cc
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "filter/compile.h"
#include "filter_fields.h"

namespace {

using namespace saker;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_evaluation(const filter::Node& node, const filter::Node& again) {
  const filter::CompileOptions options{.source = "", .in_rule = false};
  const Result<filter::CompiledFilter> first = filter::compile(node, fuzz::catalog(), options);
  const Result<filter::CompiledFilter> second = filter::compile(again, fuzz::catalog(), options);
  require(first.ok() == second.ok());
  if (!first.ok()) {
    require(first.error().message == second.error().message);
    return;
  }
  Arena scratch;
  const filter::EvalContext context{.scratch = &scratch};
  require(filter::matches(first->root, context) == filter::matches(second->root, context));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const Result<std::string> value = filter::unescape(text); value.ok())
    require(value->size() <= size);
  const Result<filter::Node> node = filter::parse(text);
  if (!node.ok()) {
    require(!node.error().message.empty() && node.error().position.offset <= size);
    return 0;
  }
  const std::string written = filter::to_text(*node);
  const Result<filter::Node> again = filter::parse(written, 4 * filter::kRuleDepth);
  require(again.ok() && filter::to_text(*again) == written);
  check_evaluation(*node, *again);
  return 0;
}
