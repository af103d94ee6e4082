// Fields of the file descriptor that an event is about: kind, name, path, device. Of an fd that is
// not known (a failed open, say) there is still the name that the event gives.
#include "base/text_builder.h"
#include "fields/fd_common.h"
#include "fields/fd_kinds.h"
#include "fields/paths.h"
#include "fields/users.h"

namespace saker::fields {

namespace {

using event::FdType;
using state::Fd;

std::string_view fd_name(const EvalContext& context) {
  return context.fd != nullptr ? std::string_view(context.fd->name) : opened_path(context);
}

// What an event that failed would have made.
char guessed_letter(const event::Event& event) {
  switch (event.type) {
    case event::SYSCALL_OPEN_X:
    case event::SYSCALL_OPEN_E:
    case event::SYSCALL_CREAT_X:
    case event::SYSCALL_CREAT_E:
    case event::SYSCALL_OPENAT_2_X:
    case event::SYSCALL_OPENAT_2_E:
    case event::SYSCALL_OPENAT2_X:
    case event::SYSCALL_OPENAT2_E:
    case event::SYSCALL_OPEN_BY_HANDLE_AT_X: return 'f';
    case event::SOCKET_SOCKET_X:
    case event::SOCKET_ACCEPT_5_X:
    case event::SOCKET_ACCEPT4_6_X: return '4';
    case event::SYSCALL_PIPE_X:
    case event::SYSCALL_PIPE2_X: return 'p';
    case event::SYSCALL_EVENTFD_X:
    case event::SYSCALL_EVENTFD2_X: return 'e';
    case event::SYSCALL_SIGNALFD_X:
    case event::SYSCALL_SIGNALFD4_X: return 's';
    case event::SYSCALL_TIMERFD_CREATE_X: return 't';
    case event::SYSCALL_INOTIFY_INIT_X:
    case event::SYSCALL_INOTIFY_INIT1_X: return 'i';
    default: return 'o';
  }
}

std::string_view letter_text(char letter) {
  static constexpr std::string_view kLetters = "fd46upesltinbrmPoX";
  const size_t place = kLetters.find(letter);
  return kLetters.substr(place == std::string_view::npos ? kLetters.find('o') : place, 1);
}

// The directory of a file, the name of a directory; false for other kinds.
bool directory(const EvalContext& context, std::string_view& path) {
  if (!about_fd(context)) return false;
  path = fd_name(context);
  if (context.fd != nullptr && context.fd->type == FdType::directory) return true;
  if (context.fd != nullptr && !context.fd->is_file()) return false;
  const size_t slash = path.rfind('/');
  path = slash == std::string_view::npos || slash == 0 ? "/" : path.substr(0, slash);
  return true;
}

bool file_name(const EvalContext& context, const FieldArg&, Values& out) {
  if (!about_fd(context) || context.fd == nullptr || !context.fd->is_file()) return false;
  const std::string_view path = context.fd->name;
  const size_t slash = path.rfind('/');
  const bool named = slash != std::string_view::npos && slash + 1 < path.size();
  return give(out, named ? path.substr(slash + 1) : "/");
}

bool in_container(const EvalContext& context, std::string_view what, Values& out) {
  const std::string_view id = container_of(*context.thread);
  TextBuilder text(*context.scratch, id.size() + what.size() + 1);
  text << id << ':' << what;
  return give(out, text.view());
}

template <auto member>
bool fd_flag(const EvalContext& context, const FieldArg&, Values& out) {
  return about_fd(context) && context.fd != nullptr && give_bool(out, context.fd->*member);
}

constexpr uint32_t major(uint32_t dev) {
  return (dev & 0xfff00) >> 8;
}
constexpr uint32_t minor(uint32_t dev) {
  return (dev & 0xff) | ((dev >> 12) & 0xfff00);
}

template <uint32_t (*part)(uint32_t)>
bool device(const EvalContext& context, const FieldArg&, Values& out) {
  return about_fd(context) && context.fd != nullptr && give_int(out, part(context.fd->dev));
}
constexpr uint32_t whole(uint32_t dev) {
  return dev;
}

// Adds a kind to those that were met so far.
void add_type(std::string_view word, Values& out) {
  for (const Value& value : out.span())
    if (value.text() == word) return;
  give(out, word);
}

// The kinds of all fds of the process, each once, in the order of their lowest number.
bool all_types(const EvalContext& context, const FieldArg& arg, Values& out) {
  if (!about_fd(context)) return false;
  if (arg.index) {
    const Fd* fd = context.state->fd(*context.thread, static_cast<int64_t>(*arg.index));
    return fd != nullptr && give(out, type_word(fd->type));
  }
  // One captured pointer: more, and the std::function would allocate.
  context.state->for_each_fd(*context.thread,
                             [&out](int64_t, const Fd& fd) { add_type(type_word(fd.type), out); });
  return !out.empty();
}

constexpr FieldInfo kFields[] = {
    {.name = "fd.num",
     .type = Type::int64,
     .summary = "Number of the fd.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           int64_t number = 0;
           return fd_number(context, number) && give_int(out, number);
         }},
    {.name = "fd.type",
     .summary = "Kind of fd: file, directory, ipv4, ipv6, unix, pipe ...",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return about_fd(context) && context.fd != nullptr &&
                  give(out, type_word(context.fd->type));
         }},
    {.name = "fd.types",
     .arg = ArgRule::optional,
     .many = Many::list,
     .flags = filter::kNoRhs,
     .summary = "Kinds of all fds that the process has open; fd.types[1] is that of one.",
     .extract = all_types},
    {.name = "fd.typechar",
     .summary = "Kind of fd as a letter: f file, d directory, 4 or 6 internet socket, u unix "
                "socket, p pipe, e event, s signal, l epoll, i inotify, t timer, n netlink, b bpf, "
                "r io_uring, m memfd, P pidfd, o other.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           if (!about_fd(context)) return false;
           return give(out, letter_text(context.fd != nullptr ? type_letter(context.fd->type)
                                                              : guessed_letter(*context.event)));
         }},
    {.name = "fd.name",
     .summary = "Full path of a file, addresses and ports of a socket.",
     .extract = +[](const EvalContext& context, const FieldArg&,
                    Values& out) { return about_fd(context) && give(out, fd_name(context)); }},
    {.name = "fd.nameraw",
     .summary = "Path of a file as the process gave it.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return about_fd(context) &&
                  give(out, context.fd != nullptr ? std::string_view(context.fd->name_raw)
                                                  : opened_path_raw(context));
         }},
    {.name = "fd.directory",
     .summary = "Directory that a file is in.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           std::string_view path;
           return directory(context, path) && give(out, path);
         }},
    {.name = "fd.filename",
     .summary = "Name of a file without its directory.",
     .extract = file_name},
    {.name = "fd.containername",
     .summary = "Container id, a colon and fd.name.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return about_fd(context) && in_container(context, fd_name(context), out);
         }},
    {.name = "fd.containerdirectory",
     .summary = "Container id, a colon and fd.directory.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           std::string_view path;
           return directory(context, path) && in_container(context, path, out);
         }},
    {.name = "fd.uid",
     .summary = "Thread id and number of the fd in one word.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           int64_t number = 0;
           if (!fd_number(context, number)) return false;
           TextBuilder text(*context.scratch, 40);
           return give(out, text.decimal(context.thread->tid).decimal(number).view());
         }},
    {.name = "fd.connected",
     .type = Type::boolean,
     .summary = "True for a socket that is connected.",
     .extract = fd_flag<&Fd::connected>},
    {.name = "fd.name_changed",
     .type = Type::boolean,
     .summary = "True when the event gave the fd its name.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return about_fd(context) && context.fd != nullptr &&
                  give_bool(out, context.state->applied().fd_name_changed);
         }},
    {.name = "fd.dev",
     .type = Type::int32,
     .print = Print::hex,
     .summary = "Device number of the filesystem that the file is on.",
     .extract = device<whole>},
    {.name = "fd.dev.major",
     .type = Type::int32,
     .summary = "Major number of that device.",
     .extract = device<major>},
    {.name = "fd.dev.minor",
     .type = Type::int32,
     .summary = "Minor number of that device.",
     .extract = device<minor>},
    {.name = "fd.ino",
     .type = Type::int64,
     .summary = "Inode number.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           return about_fd(context) && context.fd != nullptr &&
                  give_int(out, static_cast<int64_t>(context.fd->ino));
         }},
    {.name = "fd.is_upper_layer",
     .type = Type::boolean,
     .summary = "True for a file in the upper, writable layer of an overlayfs.",
     .extract = fd_flag<&Fd::upper_layer>},
    {.name = "fd.is_lower_layer",
     .type = Type::boolean,
     .summary = "True for a file in a lower layer of an overlayfs.",
     .extract = fd_flag<&Fd::lower_layer>},
};

}  // namespace

std::span<const FieldInfo> fd_fields() {
  return kFields;
}

}  // namespace saker::fields
