// Fields of the paths that file system calls change: one path (mkdir, unlink, chmod ...), or a
// source and a target (rename, link, symlink, mount). Only of calls that worked.
#include "fields/extract.h"
#include "fields/paths.h"

namespace saker::fields {

namespace {

using event::Event;

enum class Which : uint8_t { name, source, target };

constexpr int kNone = -1;
constexpr int kOpened = -2;  // the path that an open is about
constexpr int kOfFd = -3;    // the path of the fd that the event uses

int name_param(uint16_t type) {
  switch (type) {
    case event::SYSCALL_OPEN_X:
    case event::SYSCALL_OPENAT_2_X:
    case event::SYSCALL_OPENAT2_X: return kOpened;
    case event::SYSCALL_FCHMOD_X:
    case event::SYSCALL_FCHOWN_X: return kOfFd;
    case event::SYSCALL_MKDIR_2_X:
    case event::SYSCALL_RMDIR_2_X:
    case event::SYSCALL_UNLINK_2_X:
    case event::SYSCALL_CHMOD_X:
    case event::SYSCALL_CHOWN_X:
    case event::SYSCALL_LCHOWN_X:
    case event::SYSCALL_QUOTACTL_X:
    case event::SYSCALL_UMOUNT_1_X:
    case event::SYSCALL_UMOUNT2_X: return 1;
    case event::SYSCALL_MKDIRAT_X:
    case event::SYSCALL_UNLINKAT_2_X:
    case event::SYSCALL_FCHMODAT_X:
    case event::SYSCALL_FCHOWNAT_X: return 2;
    default: return kNone;
  }
}

// Old path, new path of a rename; of a link the new one is the source.
int pair_param(uint16_t type, Which which) {
  const bool source = which == Which::source;
  switch (type) {
    case event::SYSCALL_RENAME_X: return source ? 1 : 2;
    case event::SYSCALL_RENAMEAT_X:
    case event::SYSCALL_RENAMEAT2_X: return source ? 2 : 4;
    case event::SYSCALL_LINK_2_X: return source ? 2 : 1;
    case event::SYSCALL_LINKAT_2_X: return source ? 4 : 2;
    case event::SYSCALL_SYMLINK_X: return source ? 2 : 1;
    case event::SYSCALL_SYMLINKAT_X: return source ? 3 : 1;
    case event::SYSCALL_MOUNT_X: return source ? 1 : 2;
    default: return kNone;
  }
}

bool worked(const Event& event, int param) {
  const auto result = event.get<int64_t>(0, -1);
  // An open counts as failed only by this one value.
  return param == kOpened ? result != -1 : result == 0;
}

// The reference knows a directory only when it was opened as one, and nothing of the path of a
// relative open that failed.
bool base_is_lost(const EvalContext& context, size_t param) {
  const auto params = context.event->info().params;
  const int dirfd = params[param].dirfd_param;
  if (dirfd < 0 || !context.state->reference_quirks()) return false;
  const auto number = context.event->get<int64_t>(static_cast<size_t>(dirfd));
  const state::Fd* fd = context.state->fd(*context.thread, number);
  return fd != nullptr && fd->type != event::FdType::directory;
}

// The target of symlinkat has no base that the reference knows; what it is relative to is where the
// link is.
std::string_view resolve(const EvalContext& context, size_t param) {
  const Event& event = *context.event;
  const std::string_view path = event.text(param);
  if (path.empty() || path.starts_with('/')) return absolute_param(context, param);
  const bool link_target = event.type == event::SYSCALL_SYMLINKAT_X && param == 1;
  if (link_target || base_is_lost(context, param))
    return absolute_path(context, kUnknownBase, path);
  return absolute_param(context, param);
}

// The fd that an open made; of one that failed what it would have opened.
std::string_view opened(const EvalContext& context) {
  if (context.fd != nullptr) return context.fd->name;
  if (context.state->reference_quirks() && !opened_path_raw(context).starts_with('/'))
    return kUnknownBase;
  return opened_path(context);
}

template <Which which, bool raw>
bool path(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.event == nullptr || context.thread == nullptr || context.state == nullptr)
    return false;
  const Event& event = *context.event;
  const int param = which == Which::name ? name_param(event.type) : pair_param(event.type, which);
  if (param == kNone || !worked(event, param)) return false;
  if (param == kOpened) {
    if (raw) return give(out, opened_path_raw(context));
    return give(out, opened(context));
  }
  if (param == kOfFd) {
    if (context.fd == nullptr) return false;
    return give(out, raw ? context.fd->name_raw : context.fd->name);
  }
  const auto index = static_cast<size_t>(param);
  if (event.param(index).empty()) return false;
  return give(out, raw ? event.text(index) : resolve(context, index));
}

constexpr FieldInfo kFields[] = {
    {.name = "fs.path.name",
     .summary = "Path that the call is about, made absolute.",
     .extract = path<Which::name, false>},
    {.name = "fs.path.nameraw",
     .summary = "The same as the process gave it.",
     .extract = path<Which::name, true>},
    {.name = "fs.path.source",
     .summary = "Old path of a rename, path of a new link, device of a mount; made absolute.",
     .extract = path<Which::source, false>},
    {.name = "fs.path.sourceraw",
     .summary = "The same as the process gave it.",
     .extract = path<Which::source, true>},
    {.name = "fs.path.target",
     .summary = "New path of a rename, what a link points to, directory of a mount; absolute.",
     .extract = path<Which::target, false>},
    {.name = "fs.path.targetraw",
     .summary = "The same as the process gave it.",
     .extract = path<Which::target, true>},
};

}  // namespace

std::span<const FieldInfo> fspath_fields() {
  return kFields;
}

}  // namespace saker::fields
