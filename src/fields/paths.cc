#include "fields/paths.h"

#include <string>

#include "state/state.h"

namespace saker::fields {

namespace {

constexpr int64_t kAtFdCwd = -100;

// Index of the path among the parameters of an open-like event (its exit or its enter), or -1.
int path_param_of_open(const event::Event& event) {
  switch (event.type) {
    case event::SYSCALL_OPEN_E:
    case event::SYSCALL_CREAT_E: return 0;
    case event::SYSCALL_OPEN_X:
    case event::SYSCALL_CREAT_X:
    case event::SYSCALL_OPENAT_2_E:
    case event::SYSCALL_OPENAT2_E: return 1;
    case event::SYSCALL_OPENAT_2_X:
    case event::SYSCALL_OPENAT2_X: return 2;
    case event::SYSCALL_OPEN_BY_HANDLE_AT_X: return 3;
    default: return -1;
  }
}

}  // namespace

std::string_view working_directory(const state::Thread& thread) {
  return thread.placeholder ? std::string_view("./") : std::string_view(thread.leader->cwd);
}

std::string_view absolute_path(const filter::EvalContext& context, std::string_view base,
                               std::string_view path) {
  // Reused between calls, so that it allocates only until it is long enough.
  static thread_local std::string joined;
  state::concatenate_paths(base, path, joined);
  return joined == path ? path : context.scratch->copy(joined);
}

std::string_view directory_of(const filter::EvalContext& context, int dirfd_param) {
  if (context.thread == nullptr || context.state == nullptr || dirfd_param < 0) return kUnknownBase;
  const event::Event& event = *context.event;
  if (event.param(static_cast<size_t>(dirfd_param)).size() < 8) return kUnknownBase;
  const auto fd = event.get<int64_t>(static_cast<size_t>(dirfd_param));
  if (fd == kAtFdCwd) return working_directory(*context.thread);
  const state::Fd* directory = context.state->fd(*context.thread, fd);
  if (directory == nullptr) return kUnknownBase;
  if (directory->name.ends_with('/')) return directory->name;
  char* text = context.scratch->allocate(directory->name.size() + 1);
  std::memcpy(text, directory->name.data(), directory->name.size());
  text[directory->name.size()] = '/';
  return {text, directory->name.size() + 1};
}

std::string_view absolute_param(const filter::EvalContext& context, size_t index) {
  const event::Event& event = *context.event;
  const std::string_view path = event.text(index);
  if (path.empty()) return path;
  if (path.starts_with('/')) return absolute_path(context, {}, path);
  const auto params = event.info().params;
  const int dirfd = index < params.size() ? params[index].dirfd_param : -1;
  if (dirfd >= 0) return absolute_path(context, directory_of(context, dirfd), path);
  if (context.thread == nullptr) return path;
  return absolute_path(context, working_directory(*context.thread), path);
}

std::string_view opened_path_raw(const filter::EvalContext& context) {
  const int index = path_param_of_open(*context.event);
  return index < 0 ? std::string_view() : context.event->text(static_cast<size_t>(index));
}

std::string_view opened_path(const filter::EvalContext& context) {
  const int index = path_param_of_open(*context.event);
  return index < 0 ? std::string_view() : absolute_param(context, static_cast<size_t>(index));
}

}  // namespace saker::fields
