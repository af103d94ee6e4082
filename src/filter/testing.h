// Short forms for the tests of this room.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "filter/compile.h"
#include "filter/fake_catalog.h"

namespace saker::filter {

inline Result<CompiledFilter> compile_text(std::string_view text, bool in_rule = false,
                                           std::string_view source = "syscall") {
  const Node node = SAKER_TRY(parse(text));
  return compile(node, small_catalog(), {.source = source, .in_rule = in_rule});
}

// Whether the condition holds for the event; a failure of the test when it does not compile.
inline bool holds(std::string_view text, const FakeEvent& event) {
  const Result<CompiledFilter> filter = compile_text(text);
  EXPECT_TRUE(filter.ok()) << text << ": " << (filter.ok() ? "" : filter.error().to_text());
  if (!filter) return false;
  Arena scratch;
  return matches(filter->root, event.context(scratch));
}

// The message of the error that the condition gives, "" when it compiles.
inline Error error_of(std::string_view text, bool in_rule = false) {
  Result<CompiledFilter> filter = compile_text(text, in_rule);
  return filter.ok() ? Error{} : std::move(filter).error();
}

}  // namespace saker::filter
