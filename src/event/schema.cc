#include "event/schema.h"

#include <array>
#include <unordered_map>

#include "base/assert.h"
#include "base/strings.h"

namespace saker::event {

namespace {

// One constexpr array a flag table, then the parameters of each event, then the events.
#define FLAG_TABLE(name) constexpr FlagName k_##name[] = {
#define FLAG(flag_name, value) {flag_name, value},
#define FLAG_TABLE_END(name) \
  }                          \
  ;
#include "event/flags.def"
#undef FLAG_TABLE
#undef FLAG
#undef FLAG_TABLE_END

// Parameters that carry a kind byte of their own (Dyn) have no flag table.
constexpr std::array<FlagName, 0> k_ptrace_dynamic_param = {};
constexpr std::array<FlagName, 0> k_keyctl_dynamic_param = {};
constexpr std::array<FlagName, 0> k_sockopt_dynamic_param = {};
constexpr std::array<FlagName, 0> k_bpf_dynamic_param = {};

#define PARAM(param_name, param_type, fmt)                                   \
  ParamInfo {                                                                \
    .name = param_name, .type = ParamType::param_type, .format = Format::fmt \
  }
#define PARAM_FLAGS(param_name, param_type, fmt, table)                       \
  ParamInfo {                                                                 \
    .name = param_name, .type = ParamType::param_type, .format = Format::fmt, \
    .flags = FlagTable(k_##table)                                             \
  }
#define PARAM_REL(param_name, param_type, index)                            \
  ParamInfo {                                                               \
    .name = param_name, .type = ParamType::param_type, .dirfd_param = index \
  }
#define EVENT(code, ident, name, category, kind, flags, count, ...) \
  constexpr std::array<ParamInfo, count> kParams_##ident = {__VA_ARGS__};
#include "event/events.def"
#undef EVENT

// The fd that an event uses: the first parameter of type fd, but not the result of a call that
// creates one unless that is the only one there is.
constexpr int8_t fd_param_of(std::span<const ParamInfo> params, uint16_t flags) {
  if ((flags & (UsesFd | CreatesFd | DestroysFd)) == 0) return -1;
  for (size_t i = 0; i < params.size(); ++i)
    if (params[i].type == ParamType::Fd) return static_cast<int8_t>(i);
  return -1;
}

constexpr bool ends_in_e(std::string_view identifier) {
  return identifier.ends_with("_E");
}

// The first parameter of the end of a call is what it returned, whatever its name (getuid: "uid").
// Calls without an event of their own say nothing of it.
constexpr bool returns_value(EventCode code, uint8_t kind, std::span<const ParamInfo> params,
                             bool enter) {
  return (kind & KindSyscall) != 0 && !enter && !params.empty() && code != GENERIC_X;
}

constexpr EventInfo kEvents[] = {
#define EVENT(code, ident, name, category, kind, flags, count, ...)                      \
  EventInfo{EventCode::ident,                                                            \
            name,                                                                        \
            #ident,                                                                      \
            Category::category,                                                          \
            static_cast<uint8_t>(kind),                                                  \
            static_cast<uint16_t>(flags),                                                \
            std::span<const ParamInfo>(kParams_##ident),                                 \
            fd_param_of(kParams_##ident, flags),                                         \
            ends_in_e(#ident),                                                           \
            returns_value(EventCode::ident, static_cast<uint8_t>(kind), kParams_##ident, \
                          ends_in_e(#ident))},
#include "event/events.def"
#undef EVENT
#undef PARAM
#undef PARAM_FLAGS
#undef PARAM_REL
};
static_assert(std::size(kEvents) == kEventCodeCount);

constexpr SyscallInfo kSyscalls[] = {
#define SYSCALL(number, name, portable, event, state) \
  SyscallInfo{number, name, portable, EventCode::event, state != 0},
#include "event/syscalls.def"
#undef SYSCALL
};

struct PortableCode {
  uint16_t code;
  std::string_view name;
};
constexpr PortableCode kPortableCodes[] = {
#define PPM_SC(code, name) {code, name},
#include "event/ppm_sc.def"
#undef PPM_SC
};

struct NamedTable {
  std::string_view name;
  FlagTable table;
};
constexpr NamedTable kFlagTables[] = {
#define FLAG_TABLE(name) {#name, FlagTable(k_##name)},
#define FLAG(flag_name, value)
#define FLAG_TABLE_END(name)
#include "event/flags.def"
#undef FLAG_TABLE
#undef FLAG
#undef FLAG_TABLE_END
};

using NameIndex = std::unordered_map<std::string_view, std::vector<EventCode>>;

const NameIndex& codes_by_name() {
  static const NameIndex index = [] {
    NameIndex map;
    for (const EventInfo& event : kEvents)
      if (event.code > GENERIC_X && !event.has(Unused)) map[event.name].push_back(event.code);
    for (const PortableCode& row : kPortableCodes)
      if (!map.contains(row.name)) map[row.name] = {GENERIC_E, GENERIC_X};
    return map;
  }();
  return index;
}

}  // namespace

int EventInfo::param_index(std::string_view param_name) const {
  for (size_t i = 0; i < params.size(); ++i)
    if (params[i].name == param_name) return static_cast<int>(i);
  return -1;
}

const EventInfo& info(uint16_t code) {
  SAKER_ASSERT(code < kEventCodeCount);
  return kEvents[code];
}

std::span<const EventInfo> all_events() {
  return kEvents;
}
std::span<const SyscallInfo> all_syscalls() {
  return kSyscalls;
}

size_t fixed_size(ParamType type) {
  switch (type) {
    case ParamType::UInt8:
    case ParamType::Flags8:
    case ParamType::EnumFlags8:
    case ParamType::SigType: return 1;
    case ParamType::Int16:
    case ParamType::UInt16:
    case ParamType::Flags16:
    case ParamType::EnumFlags16:
    case ParamType::SyscallId:
    case ParamType::Port: return 2;
    case ParamType::Int32:
    case ParamType::UInt32:
    case ParamType::Flags32:
    case ParamType::EnumFlags32:
    case ParamType::Uid:
    case ParamType::Gid:
    case ParamType::Mode:
    case ParamType::SigSet:
    case ParamType::Fd32:
    case ParamType::Pid32:
    case ParamType::Ipv4Addr: return 4;
    case ParamType::Int64:
    case ParamType::UInt64:
    case ParamType::Errno:
    case ParamType::Fd:
    case ParamType::Pid:
    case ParamType::RelTime:
    case ParamType::AbsTime: return 8;
    case ParamType::Ipv6Addr: return 16;
    default: return 0;
  }
}

std::string_view to_string(ParamType type) {
  static constexpr std::string_view kNames[] = {"none",
                                                "int16",
                                                "int32",
                                                "int64",
                                                "uint8",
                                                "uint16",
                                                "uint32",
                                                "uint64",
                                                "errno",
                                                "fd",
                                                "fd32",
                                                "pid",
                                                "pid32",
                                                "uid",
                                                "gid",
                                                "mode",
                                                "flags8",
                                                "flags16",
                                                "flags32",
                                                "enumflags8",
                                                "enumflags16",
                                                "enumflags32",
                                                "syscallid",
                                                "sigtype",
                                                "sigset",
                                                "port",
                                                "reltime",
                                                "abstime",
                                                "charbuf",
                                                "charbufarray",
                                                "charbufpairarray",
                                                "bytebuf",
                                                "fspath",
                                                "fsrelpath",
                                                "sockaddr",
                                                "socktuple",
                                                "fdlist",
                                                "dyn",
                                                "ipv4addr",
                                                "ipv6addr"};
  return kNames[static_cast<size_t>(type)];
}

std::string_view to_string(Category category) {
  static constexpr std::string_view kNames[] = {
      "unknown", "other",  "file", "net",  "ipc",     "memory",   "process", "sleep",
      "system",  "signal", "user", "time", "io_read", "io_write", "io_other"};
  return kNames[static_cast<size_t>(category)];
}

std::string_view syscall_name_of_portable_code(uint32_t code) {
  return code < std::size(kPortableCodes) && kPortableCodes[code].code == code
             ? kPortableCodes[code].name
             : std::string_view();
}

std::string_view syscall_name_of_number(int64_t number) {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> table;
    for (const SyscallInfo& row : kSyscalls) {
      if (row.number < 0) continue;
      size_t slot = static_cast<size_t>(row.number);
      if (slot >= table.size()) table.resize(slot + 1);
      table[slot] = row.name;
    }
    return table;
  }();
  return number >= 0 && static_cast<size_t>(number) < names.size()
             ? names[static_cast<size_t>(number)]
             : std::string_view();
}

std::optional<uint16_t> portable_code_of_name(std::string_view name) {
  for (const PortableCode& row : kPortableCodes)
    if (row.name == name) return row.code;
  return std::nullopt;
}

std::vector<EventCode> codes_of_name(std::string_view name) {
  const NameIndex& index = codes_by_name();
  auto found = index.find(name);
  return found == index.end() ? std::vector<EventCode>{} : found->second;
}

FlagTable flag_table(std::string_view name) {
  for (const NamedTable& row : kFlagTables)
    if (row.name == name) return row.table;
  return {};
}

}  // namespace saker::event
