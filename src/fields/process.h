// What several fields say of a process: names, command lines, arguments.
#pragma once

#include <string_view>

#include "base/text_builder.h"
#include "fields/extract.h"
#include "state/thread.h"

namespace saker::fields {

std::string_view exe_of(const state::Thread& thread);
std::string_view exepath_of(const state::Thread& thread);
// What stands after argv[0], NUL separated. One empty text is what a process has that wrote its
// title over its arguments: none.
std::string_view args_of(const state::Thread& thread);
inline std::string_view name_of(const state::Thread& thread) {
  return thread.comm;
}

// NUL separated texts, each with its NUL, joined by blanks.
void append_joined(std::string_view list, TextBuilder& out);

// The arguments after argv[0].
void append_args(const state::Thread& thread, TextBuilder& out);
// Name and arguments.
void append_cmdline(const state::Thread& thread, TextBuilder& out);
void append_env(const state::Thread& thread, TextBuilder& out);

// The value of an environment variable without outer blanks; empty when it is not set.
std::string_view env_value(const state::Thread& thread, std::string_view name);

// Element `index` of a NUL separated list; empty beyond its end.
std::string_view list_element(std::string_view list, uint64_t index);

}  // namespace saker::fields
