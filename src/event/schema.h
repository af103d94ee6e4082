// The event schema as C++ tables: event types, parameter types, flag names, syscalls. Single
// source: the .def files beside this header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace saker::event {

// Event type codes, as in capture files (EventCode::SYSCALL_OPEN_X ...). Unscoped on purpose: codes
// index tables.
enum EventCode : uint16_t {
#define EVENT(code, ident, ...) ident = code,
#include "event/events.def"
#undef EVENT
  kEventCodeCount
};

enum class ParamType : uint8_t {
  None,
  Int16,
  Int32,
  Int64,
  UInt8,
  UInt16,
  UInt32,
  UInt64,
  Errno,
  Fd,
  Fd32,
  Pid,
  Pid32,
  Uid,
  Gid,
  Mode,
  Flags8,
  Flags16,
  Flags32,
  EnumFlags8,
  EnumFlags16,
  EnumFlags32,
  SyscallId,
  SigType,
  SigSet,
  Port,
  RelTime,
  AbsTime,
  CharBuf,
  CharBufArray,
  CharBufPairArray,
  ByteBuf,
  FsPath,
  FsRelPath,
  SockAddr,
  SockTuple,
  FdList,
  Dyn,
  Ipv4Addr,
  Ipv6Addr,
};

enum class Format : uint8_t { Na, Dec, Hex, Oct };

enum class Category : uint8_t {
  Unknown,
  Other,
  File,
  Net,
  Ipc,
  Memory,
  Process,
  Sleep,
  System,
  Signal,
  User,
  Time,
  IoRead,
  IoWrite,
  IoOther,
};

// Bits of EventInfo::flags.
enum EventFlags : uint16_t {
  NoFlags = 0,
  CreatesFd = 1,
  DestroysFd = 2,
  UsesFd = 4,
  ReadsFromFd = 8,
  WritesToFd = 16,
  ModifiesState = 32,
  Unused = 64,
  Waits = 128,
  Skipparsereset = 256,
  OldVersion = 512,
  ConverterManaged = 1024,
  LargePayload = 2048,
};

// Bits of EventInfo::kind: where the event comes from.
enum EventKind : uint8_t {
  KindNone = 0,
  KindSyscall = 1,
  KindTracepoint = 2,
  KindMeta = 4,
  KindInternal = 8,
  KindPlugin = 16,
  KindWait = 32,
  KindProcessing = 64,
  KindScheduler = 128,
  KindIter = 192,
};

struct FlagName {
  std::string_view name;
  uint32_t value;
};
using FlagTable = std::span<const FlagName>;

struct ParamInfo {
  std::string_view name;
  ParamType type = ParamType::None;
  Format format = Format::Na;
  FlagTable flags = {};     // names of bits or values, empty when the type has none
  int8_t dirfd_param = -1;  // FsRelPath: index of the parameter with the directory fd
};

struct EventInfo {
  EventCode code;
  std::string_view name;        // "openat"; "syscall" for generic events
  std::string_view identifier;  // "SYSCALL_OPENAT_2_X"
  Category category;
  uint8_t kind;
  uint16_t flags;
  std::span<const ParamInfo> params;
  int8_t fd_param;  // index of the parameter with the fd that the event uses, or -1
  bool is_enter;    // the identifier ends in _E and the event has an exit or none at all

  [[nodiscard]] bool has(uint16_t flag) const { return (flags & flag) != 0; }
  // The index of a parameter by name, or -1.
  [[nodiscard]] int param_index(std::string_view param_name) const;
  // Parameter 0 is the result of the call.
  [[nodiscard]] bool has_return_value() const { return return_value; }
  bool return_value;
};

// The row of a code below kEventCodeCount.
const EventInfo& info(uint16_t code);
std::span<const EventInfo> all_events();

// The size in bytes that a fixed-size parameter has on the wire, 0 for those with a length of their
// own.
size_t fixed_size(ParamType type);
std::string_view to_string(ParamType type);
std::string_view to_string(Category category);

// Syscall and portable code look-ups. Names are lower case.
std::string_view syscall_name_of_portable_code(uint32_t code);
std::string_view syscall_name_of_number(int64_t number);
std::optional<uint16_t> portable_code_of_name(std::string_view name);

struct SyscallInfo {
  int16_t number;  // x86_64, or -1
  std::string_view name;
  uint16_t portable_code;
  EventCode exit_event;
  bool needed_for_state;
};
std::span<const SyscallInfo> all_syscalls();

// All event codes with this name (enter, exit, old versions); for a syscall without an event of its
// own the two generic codes. Empty when no event and no syscall has the name.
std::vector<EventCode> codes_of_name(std::string_view name);

// Named flag tables, for those who print or parse them.
FlagTable flag_table(std::string_view name);

// "ENOENT" for 2; empty when unknown. "SIGKILL" for 9; empty when unknown. "CAP_CHOWN" for 0.
std::string_view errno_name(int error_number);
std::string_view signal_name(int signal_number);
std::string_view capability_name(unsigned bit);

}  // namespace saker::event
