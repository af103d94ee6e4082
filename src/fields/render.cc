// One function for each way in which parameter types look. Numbers are little-endian; a parameter
// that is shorter than its type is treated as empty, since captures are not to be trusted.
#include "fields/render.h"

#include <cmath>
#include <cstdio>
#include <ctime>

#include "base/text_builder.h"
#include "fields/extract.h"
#include "fields/fd_kinds.h"
#include "fields/paths.h"
#include "fields/render_address.h"
#include "fields/users.h"
#include "state/state.h"

namespace saker::fields {

using event::Format;
using event::ParamInfo;
using event::ParamType;
using filter::EvalContext;

namespace {

constexpr int64_t kAtFdCwd = -100;

std::string_view empty_text(ParamType type) {
  switch (type) {
    case ParamType::ByteBuf:
    case ParamType::SockTuple:
    case ParamType::FdList:
    case ParamType::Dyn: return "NULL";
    default: return kUnknown;
  }
}

std::string_view decimal(const EvalContext& context, int64_t value) {
  TextBuilder out(*context.scratch, 24);
  out.decimal(value);
  return out.view();
}

std::string_view unsigned_text(const EvalContext& context, uint64_t value, Format format) {
  TextBuilder out(*context.scratch, 24);
  switch (format) {
    case Format::Hex: out.hex(value); break;
    case Format::Oct: out.octal(value); break;
    default: out.decimal(value); break;
  }
  return out.view();
}

// Decimal numbers of 64 bits are shown as signed ones, as the reference does: lseek's offset -1.
std::string_view wide_text(const EvalContext& context, uint64_t value, Format format) {
  if (format == Format::Hex || format == Format::Oct) return unsigned_text(context, value, format);
  return decimal(context, static_cast<int64_t>(value));
}

// Signed numbers in hex or octal show their bits in their own width.
std::string_view signed_text(const EvalContext& context, int64_t value, size_t width,
                             Format format) {
  if (format != Format::Hex && format != Format::Oct) return decimal(context, value);
  const uint64_t mask = width >= 8 ? ~uint64_t{0} : (uint64_t{1} << (width * 8)) - 1;
  return unsigned_text(context, static_cast<uint64_t>(value) & mask, format);
}

int64_t load_signed(Bytes bytes, size_t width) {
  switch (width) {
    case 2: return load<int16_t>(bytes.data());
    case 4: return load<int32_t>(bytes.data());
    default: return load<int64_t>(bytes.data());
  }
}

uint64_t load_unsigned(Bytes bytes, size_t width) {
  switch (width) {
    case 1: return bytes[0];
    case 2: return load<uint16_t>(bytes.data());
    case 4: return load<uint32_t>(bytes.data());
    default: return load<uint64_t>(bytes.data());
  }
}

std::string_view errno_text(int64_t value) {
  if (value >= 0 || value < -4095) return {};
  return event::errno_name(static_cast<int>(-value));
}

RenderedParam render_fd(const EvalContext& context, int64_t fd) {
  RenderedParam shown{decimal(context, fd), {}};
  if (fd < 0) {
    shown.resolved = fd == kAtFdCwd ? "AT_FDCWD" : errno_text(fd);
    return shown;
  }
  if (context.thread == nullptr || context.state == nullptr) return shown;
  if (const state::Fd* known = context.state->fd(*context.thread, fd)) {
    TextBuilder out(*context.scratch, known->name.size() + 8);
    append_fd(*known, out);
    shown.resolved = out.view();
  }
  return shown;
}

RenderedParam render_pid(const EvalContext& context, int64_t pid) {
  RenderedParam shown{decimal(context, pid), {}};
  if (context.state == nullptr) return shown;
  if (const state::Thread* known = context.state->thread(pid)) shown.resolved = known->comm;
  return shown;
}

RenderedParam render_flag_param(const EvalContext& context, const ParamInfo& param,
                                uint64_t value) {
  return {unsigned_text(context, value, Format::Dec), render_flags(context, param.flags, value)};
}

// Every name of the value: AF_LOCAL and AF_UNIX are both 1.
RenderedParam render_enum_param(const EvalContext& context, const ParamInfo& param,
                                uint64_t value) {
  RenderedParam shown{unsigned_text(context, value, Format::Dec), {}};
  for (size_t i = 0; i < param.flags.size(); ++i) {
    if (param.flags[i].value != value) continue;
    if (shown.resolved.empty()) {
      shown.resolved = param.flags[i].name;
      continue;
    }
    TextBuilder out(*context.scratch);
    out << shown.resolved << '|' << param.flags[i].name;
    shown.resolved = out.view();
  }
  return shown;
}

RenderedParam render_uid(const EvalContext& context, uint32_t id, bool group) {
  if (id == 0xffffffff) return {"-1", "<NONE>"};
  RenderedParam shown{unsigned_text(context, id, Format::Dec), kUnknown};
  if (context.state == nullptr) return shown;
  const std::string_view container =
      context.thread != nullptr ? container_of(*context.thread) : std::string_view();
  if (group) {
    if (const std::string* name = context.state->group(container, id)) shown.resolved = *name;
  } else if (const state::User* user = context.state->user(container, id)) {
    shown.resolved = user->name;
  }
  return shown;
}

RenderedParam render_interval(const EvalContext& context, uint64_t ns) {
  char buffer[40];
  const int size =
      std::snprintf(buffer, sizeof buffer, "%gs", static_cast<double>(ns) / 1'000'000'000.0);
  return {unsigned_text(context, ns, Format::Dec),
          context.scratch->copy({buffer, static_cast<size_t>(size)})};
}

std::string_view date_text(const EvalContext& context, uint64_t ns) {
  const auto seconds = static_cast<time_t>(ns / 1'000'000'000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char buffer[40];
  const size_t size = std::strftime(buffer, sizeof buffer, "%Y-%m-%d %H:%M:%S.", &parts);
  TextBuilder out(*context.scratch, 40);
  out << std::string_view(buffer, size);
  out.padded(ns % 1'000'000'000, 9);
  return out.view();
}

RenderedParam render_path(const EvalContext& context, size_t index) {
  const std::string_view path = context.event->text(index);
  RenderedParam shown{path, {}};
  if (path.empty() || path.starts_with('/') || path == kUnknown) return shown;
  const std::string_view absolute = absolute_param(context, index);
  if (absolute != path) shown.resolved = absolute;
  return shown;
}

// NUL separated texts, shown with dots in between.
std::string_view render_text_list(const EvalContext& context, Bytes bytes) {
  while (!bytes.empty() && bytes.back() == 0) bytes = bytes.first(bytes.size() - 1);
  return render_bytes(context, bytes);
}

// "3:p1 5:u3": number, kind and poll flags of each fd.
std::string_view render_fd_list(const EvalContext& context, Bytes bytes) {
  ByteReader reader(bytes);
  const auto count = reader.read<uint16_t>();
  TextBuilder out(*context.scratch);
  for (uint16_t i = 0; i < count && reader.remaining() >= 10; ++i) {
    const auto number = reader.read<int64_t>();
    const auto flags = reader.read<int16_t>();
    const state::Fd* fd = context.thread != nullptr && context.state != nullptr
                              ? context.state->fd(*context.thread, number)
                              : nullptr;
    if (i != 0) out << ' ';
    out.decimal(number) << ':' << (fd != nullptr ? type_letter(fd->type) : '?');
    out.lower_hex(static_cast<uint32_t>(static_cast<int32_t>(flags)));
  }
  return out.view();
}

// Parameters whose first byte says what the rest is. The kinds are those of the parameter's table.
ParamInfo dynamic_kind(const ParamInfo& param, event::EventCode code, uint8_t kind) {
  struct Row {
    ParamType type;
    Format format;
  };
  static constexpr Row kPtrace[] = {{ParamType::UInt64, Format::Hex},
                                    {ParamType::SigType, Format::Dec}};
  static constexpr Row kBpf[] = {{ParamType::Fd, Format::Dec}, {ParamType::Errno, Format::Dec}};
  static constexpr Row kSockopt[] = {{ParamType::ByteBuf, Format::Na},
                                     {ParamType::Errno, Format::Dec},
                                     {ParamType::UInt32, Format::Dec},
                                     {ParamType::UInt64, Format::Dec},
                                     {ParamType::RelTime, Format::Dec}};
  static constexpr Row kKeyctl[] = {{ParamType::UInt64, Format::Dec},
                                    {ParamType::CharBuf, Format::Na}};
  std::span<const Row> rows;
  switch (code) {
    case event::SYSCALL_PTRACE_X: rows = kPtrace; break;
    case event::SYSCALL_BPF_X: rows = kBpf; break;
    case event::SOCKET_SETSOCKOPT_X:
    case event::SOCKET_GETSOCKOPT_X: rows = kSockopt; break;
    default: rows = kKeyctl; break;
  }
  if (kind >= rows.size()) return {.name = param.name, .type = ParamType::None};
  return {.name = param.name, .type = rows[kind].type, .format = rows[kind].format};
}

RenderedParam render(const EvalContext& context, const ParamInfo& param, size_t index, Bytes bytes);

RenderedParam render_dynamic(const EvalContext& context, const ParamInfo& param, size_t index,
                             Bytes bytes) {
  const auto code = static_cast<event::EventCode>(context.event->type);
  return render(context, dynamic_kind(param, code, bytes[0]), index, bytes.subspan(1));
}

RenderedParam render_number(const EvalContext& context, const ParamInfo& param, Bytes bytes,
                            size_t width) {
  switch (param.type) {
    case ParamType::Int16:
    case ParamType::Int32:
    case ParamType::Int64:
      return {signed_text(context, load_signed(bytes, width), width, param.format), {}};
    case ParamType::Errno: {
      const int64_t value = load_signed(bytes, width);
      return {decimal(context, value), errno_text(value)};
    }
    case ParamType::Fd:
    case ParamType::Fd32: return render_fd(context, load_signed(bytes, width));
    case ParamType::Pid:
    case ParamType::Pid32: return render_pid(context, load_signed(bytes, width));
    case ParamType::Uid:
    case ParamType::Gid:
      return render_uid(context, load<uint32_t>(bytes.data()), param.type == ParamType::Gid);
    case ParamType::Flags8:
    case ParamType::Flags16:
    case ParamType::Flags32: return render_flag_param(context, param, load_unsigned(bytes, width));
    case ParamType::Mode: {
      const uint64_t value = load_unsigned(bytes, width);
      return {unsigned_text(context, value, Format::Oct),
              render_flags(context, param.flags, value)};
    }
    case ParamType::EnumFlags8:
    case ParamType::EnumFlags16:
    case ParamType::EnumFlags32:
      return render_enum_param(context, param, load_unsigned(bytes, width));
    case ParamType::SyscallId: {
      const auto name = event::syscall_name_of_portable_code(load<uint16_t>(bytes.data()));
      return {name.empty() ? std::string_view("unknown") : name, {}};
    }
    case ParamType::SigType:
      return {unsigned_text(context, bytes[0], Format::Dec), event::signal_name(bytes[0])};
    case ParamType::UInt64:
      return {wide_text(context, load<uint64_t>(bytes.data()), param.format), {}};
    case ParamType::RelTime: return render_interval(context, load<uint64_t>(bytes.data()));
    case ParamType::AbsTime: return {date_text(context, load<uint64_t>(bytes.data())), {}};
    case ParamType::Ipv4Addr:
    case ParamType::Ipv6Addr: return {render_ip(context, bytes.first(width)), {}};
    default: return {unsigned_text(context, load_unsigned(bytes, width), param.format), {}};
  }
}

RenderedParam render(const EvalContext& context, const ParamInfo& param, size_t index,
                     Bytes bytes) {
  if (bytes.empty()) return {empty_text(param.type), {}};
  if (const size_t width = event::fixed_size(param.type); width != 0) {
    if (bytes.size() < width) return {kUnknown, {}};
    return render_number(context, param, bytes, width);
  }
  switch (param.type) {
    case ParamType::CharBuf: return {as_c_string(bytes), {}};
    case ParamType::FsPath:
    case ParamType::FsRelPath: return render_path(context, index);
    case ParamType::ByteBuf: return {render_bytes(context, bytes), {}};
    case ParamType::CharBufArray:
    case ParamType::CharBufPairArray: return {render_text_list(context, bytes), {}};
    case ParamType::SockAddr: return {render_sockaddr(context, bytes), {}};
    case ParamType::SockTuple: return {render_socktuple(context, bytes), {}};
    case ParamType::FdList: return {render_fd_list(context, bytes), {}};
    case ParamType::Dyn: return render_dynamic(context, param, index, bytes);
    default: return {kUnknown, {}};
  }
}

}  // namespace

std::string_view render_flags(const EvalContext& context, event::FlagTable table, uint64_t value) {
  const uint64_t whole = value;
  std::string_view first;
  TextBuilder* joined = nullptr;
  alignas(TextBuilder) char storage[sizeof(TextBuilder)];
  for (const event::FlagName& flag : table) {
    const bool named =
        flag.value == 0 ? whole == 0 : value != 0 && (value & flag.value) == flag.value;
    if (!named) continue;
    value &= ~uint64_t{flag.value};
    if (first.empty()) {
      first = flag.name;
      continue;
    }
    if (joined == nullptr) {
      joined = new (storage) TextBuilder(*context.scratch);
      *joined << first;
    }
    *joined << '|' << flag.name;
  }
  return joined != nullptr ? joined->view() : first;
}

std::string_view render_bytes(const EvalContext& context, Bytes bytes) {
  char* text = context.scratch->allocate(bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    const uint8_t c = bytes[i];
    text[i] = c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '.';
  }
  return {text, bytes.size()};
}

RenderedParam render_param(const EvalContext& context, size_t index) {
  const event::Event& event = *context.event;
  const ParamInfo& param = event.info().params[index];
  return render(context, param, index, event.param(index));
}

std::string_view render_params(const EvalContext& context) {
  const event::Event& event = *context.event;
  if (event.type == event::GENERIC_X || event.type == event::GENERIC_E) return {};
  const auto params = event.info().params;
  TextBuilder out(*context.scratch, 512);
  const size_t count = std::min<size_t>(params.size(), event.param_count);
  for (size_t i = 0; i < count; ++i) {
    const RenderedParam shown = render_param(context, i);
    if (i != 0) out << ' ';
    out << params[i].name << '=' << shown.raw;
    if (!shown.resolved.empty()) out << '(' << shown.resolved << ')';
  }
  return out.view();
}

}  // namespace saker::fields
