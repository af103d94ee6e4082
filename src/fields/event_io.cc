// Fields of kernel events about what was read, written or opened, and what failed.
#include "fields/event_common.h"
#include "fields/extract.h"

namespace saker::fields {

using event::Category;
using event::Event;
using event::FdType;

namespace {

bool is_file(const state::Fd* fd) {
  return fd != nullptr && fd->is_file();
}
bool is_file_or_directory(const state::Fd* fd) {
  return fd != nullptr && (fd->is_file() || fd->type == FdType::directory);
}
bool is_socket(const state::Fd* fd) {
  return fd != nullptr && (fd->is_inet() || fd->type == FdType::unix_socket);
}

bool opens_file(const Event& event) {
  switch (event.type) {
    case event::SYSCALL_OPEN_X:
    case event::SYSCALL_CREAT_X:
    case event::SYSCALL_OPENAT_2_X:
    case event::SYSCALL_OPENAT2_X:
    case event::SYSCALL_OPEN_BY_HANDLE_AT_X: return true;
    default: return false;
  }
}

bool connects(const Event& event) {
  switch (event.type) {
    case event::SOCKET_ACCEPT_5_X:
    case event::SOCKET_ACCEPT4_6_X:
    case event::SOCKET_CONNECT_X:
    case event::SOCKET_BIND_X: return true;
    default: return false;
  }
}

// Bytes moved by an event that reads, writes or otherwise uses a known fd.
bool moved_bytes(const EvalContext& context, uint64_t& bytes) {
  int64_t result = 0;
  if (context.fd == nullptr || !result_of(context, result) || result < 0) return false;
  const Category kind = context.event->info().category;
  bytes = static_cast<uint64_t>(result);
  return kind == Category::IoRead || kind == Category::IoWrite || kind == Category::IoOther;
}

enum class Way : uint8_t { any, in, out };
enum class Among : uint8_t { any, files, sockets };

template <Way way, Among among>
bool buffer_length(const EvalContext& context, const FieldArg&, Values& out) {
  uint64_t bytes = 0;
  if (!moved_bytes(context, bytes)) return false;
  const Category kind = context.event->info().category;
  if (way == Way::in && kind != Category::IoRead) return false;
  if (way == Way::out && kind != Category::IoWrite) return false;
  if (among == Among::files && !is_file(context.fd)) return false;
  if (among == Among::sockets && !context.fd->is_inet()) return false;
  return give_uint(out, bytes);
}

enum class Area : uint8_t { any, file, net, memory, other };

bool in_area(const EvalContext& context, Area area) {
  const Event& event = *context.event;
  const bool memory = event.info().category == Category::Memory;
  switch (area) {
    case Area::any: return true;
    case Area::file:
      return context.fd != nullptr ? is_file_or_directory(context.fd) : opens_file(event);
    case Area::net: return context.fd != nullptr ? is_socket(context.fd) : connects(event);
    case Area::memory: return memory;
    case Area::other:
      if (context.fd != nullptr) return !is_file_or_directory(context.fd) && !is_socket(context.fd);
      return !opens_file(event) && !connects(event) && !memory;
  }
  return false;
}

template <Area area>
bool error_count(const EvalContext& context, const FieldArg&, Values& out) {
  int64_t result = 0;
  if (!result_of(context, result) || !in_area(context, area)) return false;
  return give_uint(out, result < 0 ? 1 : 0);
}

template <uint16_t flag>
bool has_flag(const EvalContext& context, const FieldArg&, Values& out) {
  return context.event != nullptr && give_bool(out, context.event->info().has(flag));
}

constexpr uint32_t kReadBit = 1, kWriteBit = 2, kCreate = 4, kTmpFile = 8192, kCreated = 16384;
constexpr uint32_t kAnyExecuteBit = 0111;

// Index of the flags of an open, or -1.
int open_flags_param(const Event& event) {
  switch (event.type) {
    case event::SYSCALL_OPEN_X:
    case event::SYSCALL_OPEN_BY_HANDLE_AT_X: return 2;
    case event::SYSCALL_OPENAT_2_X:
    case event::SYSCALL_OPENAT2_X: return 3;
    default: return -1;
  }
}

uint32_t open_flags(const Event& event) {
  const int index = open_flags_param(event);
  return index < 0 ? 0 : event.get<uint32_t>(static_cast<size_t>(index));
}

template <uint32_t bit>
bool opened_with(const EvalContext& context, const FieldArg&, Values& out) {
  return context.event != nullptr && give_bool(out, (open_flags(*context.event) & bit) != 0);
}

bool opened_to_execute(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.event == nullptr) return false;
  const Event& event = *context.event;
  bool makes = event.type == event::SYSCALL_CREAT_X;
  uint32_t mode = makes ? event.get<uint32_t>(2) : 0;
  const int flags = open_flags_param(event);
  if (flags >= 0 && event.type != event::SYSCALL_OPEN_BY_HANDLE_AT_X) {
    makes = (open_flags(event) & (kCreate | kTmpFile)) != 0;
    mode = event.get<uint32_t>(static_cast<size_t>(flags) + 1);
  }
  return give_bool(out, makes && (mode & kAnyExecuteBit) != 0);
}

bool opened_new(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.event == nullptr) return false;
  const Event& event = *context.event;
  const uint32_t flags = open_flags(event);
  const bool unnamed = (flags & kTmpFile) != 0 && event.get<int64_t>(0, -1) >= 0;
  return give_bool(out, (flags & kCreated) != 0 || unnamed);
}

// The data that a read or write carried: the parameter of that name.
bool data_of(const EvalContext& context, Bytes& data) {
  if (context.event == nullptr) return false;
  const int index = context.event->info().param_index("data");
  if (index < 0) return false;
  data = context.event->param(static_cast<size_t>(index));
  return true;
}

bool io_direction(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.event == nullptr) return false;
  const event::EventInfo& info = context.event->info();
  if (info.has(event::WritesToFd)) return give(out, "write");
  return info.has(event::ReadsFromFd) && give(out, "read");
}

bool writes_to_syslog(const EvalContext& context, const FieldArg&, Values& out) {
  if (context.event == nullptr) return false;
  const bool writes = context.event->info().has(event::WritesToFd) && context.fd != nullptr;
  return give_bool(out, writes && context.fd->name.find("/dev/log") != std::string::npos);
}

constexpr FieldInfo kFields[] = {
    {.name = "evt.buffer",
     .type = Type::bytes,
     .summary = "The data that was read or written, as much of it as was captured.",
     .extract =
         +[](const EvalContext& context, const FieldArg&, Values& out) {
           Bytes data;
           return data_of(context, data) && give(out, as_text(data));
         }},
    {.name = "evt.buflen",
     .type = Type::uint64,
     .summary = "Bytes that were read or written.",
     .extract = buffer_length<Way::any, Among::any>},
    {.name = "evt.buflen.in",
     .type = Type::uint64,
     .flags = filter::kTableOnly,
     .summary = "Bytes that were read.",
     .extract = buffer_length<Way::in, Among::any>},
    {.name = "evt.buflen.out",
     .type = Type::uint64,
     .flags = filter::kTableOnly,
     .summary = "Bytes that were written.",
     .extract = buffer_length<Way::out, Among::any>},
    {.name = "evt.buflen.file",
     .type = Type::uint64,
     .flags = filter::kTableOnly,
     .summary = "Bytes that were read from or written to a file.",
     .extract = buffer_length<Way::any, Among::files>},
    {.name = "evt.buflen.file.in",
     .type = Type::uint64,
     .flags = filter::kTableOnly,
     .summary = "Bytes that were read from a file.",
     .extract = buffer_length<Way::in, Among::files>},
    {.name = "evt.buflen.file.out",
     .type = Type::uint64,
     .flags = filter::kTableOnly,
     .summary = "Bytes that were written to a file.",
     .extract = buffer_length<Way::out, Among::files>},
    {.name = "evt.buflen.net",
     .type = Type::uint64,
     .flags = filter::kTableOnly,
     .summary = "Bytes that went over the network.",
     .extract = buffer_length<Way::any, Among::sockets>},
    {.name = "evt.buflen.net.in",
     .type = Type::uint64,
     .flags = filter::kTableOnly,
     .summary = "Bytes that came from the network.",
     .extract = buffer_length<Way::in, Among::sockets>},
    {.name = "evt.buflen.net.out",
     .type = Type::uint64,
     .flags = filter::kTableOnly,
     .summary = "Bytes that were sent to the network.",
     .extract = buffer_length<Way::out, Among::sockets>},
    {.name = "evt.is_io",
     .type = Type::boolean,
     .summary = "True for calls that read from or write to an fd.",
     .extract = has_flag < event::ReadsFromFd | event::WritesToFd > },
    {.name = "evt.is_io_read",
     .type = Type::boolean,
     .summary = "True for calls that read from an fd.",
     .extract = has_flag<event::ReadsFromFd>},
    {.name = "evt.is_io_write",
     .type = Type::boolean,
     .summary = "True for calls that write to an fd.",
     .extract = has_flag<event::WritesToFd>},
    {.name = "evt.io_dir",
     .summary = "read or write, for calls that do either.",
     .extract = io_direction},
    {.name = "evt.is_wait",
     .type = Type::boolean,
     .summary = "True for calls that wait: poll, sleep ...",
     .extract = has_flag<event::Waits>},
    {.name = "evt.is_syslog",
     .type = Type::boolean,
     .summary = "True for a write to /dev/log.",
     .extract = writes_to_syslog},
    {.name = "evt.count.error",
     .type = Type::uint32,
     .summary = "1 when the call returned an error, else 0.",
     .extract = error_count<Area::any>},
    {.name = "evt.count.error.file",
     .type = Type::uint32,
     .summary = "1 when a call about a file returned an error, else 0.",
     .extract = error_count<Area::file>},
    {.name = "evt.count.error.net",
     .type = Type::uint32,
     .summary = "1 when a call about a socket returned an error, else 0.",
     .extract = error_count<Area::net>},
    {.name = "evt.count.error.memory",
     .type = Type::uint32,
     .summary = "1 when a call about memory returned an error, else 0.",
     .extract = error_count<Area::memory>},
    {.name = "evt.count.error.other",
     .type = Type::uint32,
     .summary = "1 when another call returned an error, else 0.",
     .extract = error_count<Area::other>},
    {.name = "evt.is_open_read",
     .type = Type::boolean,
     .summary = "True when a file was opened for reading.",
     .extract = opened_with<kReadBit>},
    {.name = "evt.is_open_write",
     .type = Type::boolean,
     .summary = "True when a file was opened for writing.",
     .extract = opened_with<kWriteBit>},
    {.name = "evt.is_open_exec",
     .type = Type::boolean,
     .summary = "True when a file was made by an open that lets somebody execute it.",
     .extract = opened_to_execute},
    {.name = "evt.is_open_create",
     .type = Type::boolean,
     .summary = "True when an open made the file.",
     .extract = opened_new},
};

}  // namespace

std::span<const FieldInfo> io_fields() {
  return kFields;
}

}  // namespace saker::fields
