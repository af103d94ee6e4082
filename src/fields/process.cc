#include "fields/process.h"

#include "base/strings.h"

namespace saker::fields {

namespace {

// Environment belongs to the process, so to its main thread.
std::string_view env_of(const state::Thread& thread) {
  const state::Thread& leader = *thread.leader;
  return leader.image ? std::string_view(leader.image->env) : std::string_view();
}

// Takes the first element off a list; false when there is none.
bool next_element(std::string_view& list, std::string_view& element) {
  if (list.empty()) return false;
  const size_t end = list.find('\0');
  element = list.substr(0, end);
  list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  return true;
}

}  // namespace

std::string_view exe_of(const state::Thread& thread) {
  if (thread.image) return thread.image->exe;
  return thread.placeholder ? kUnknown : std::string_view();
}

std::string_view args_of(const state::Thread& thread) {
  if (!thread.image) return {};
  const std::string& args = thread.image->args;
  return args.size() == 1 && args[0] == '\0' ? std::string_view() : std::string_view(args);
}

std::string_view exepath_of(const state::Thread& thread) {
  return thread.image ? std::string_view(thread.image->exepath) : std::string_view();
}

void append_joined(std::string_view list, TextBuilder& out) {
  if (list.ends_with('\0')) list.remove_suffix(1);
  char* text = out.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) text[i] = list[i] == '\0' ? ' ' : list[i];
  out.advance(list.size());
}

void append_args(const state::Thread& thread, TextBuilder& out) {
  append_joined(args_of(thread), out);
}

void append_cmdline(const state::Thread& thread, TextBuilder& out) {
  out << thread.comm;
  const std::string_view args = args_of(thread);
  if (args.empty()) return;
  out << ' ';
  append_joined(args, out);
}

void append_env(const state::Thread& thread, TextBuilder& out) {
  append_joined(env_of(thread), out);
}

std::string_view env_value(const state::Thread& thread, std::string_view name) {
  std::string_view rest = env_of(thread);
  std::string_view entry;
  while (next_element(rest, entry)) {
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name))
      return trim(entry.substr(name.size() + 1));
  }
  return {};
}

std::string_view list_element(std::string_view list, uint64_t index) {
  std::string_view element;
  for (uint64_t i = 0; next_element(list, element); ++i)
    if (i == index) return element;
  return {};
}

}  // namespace saker::fields
