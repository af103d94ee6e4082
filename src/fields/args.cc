// Parameters of events as fields: evt.arg.NAME, evt.rawarg.NAME, evt.args, evt.abspath. A name is
// turned into a small number when a condition is compiled, so that finding the parameter of an
// event is one look-up in a table.
#include <algorithm>
#include <vector>

#include "base/text_builder.h"
#include "fields/extract.h"
#include "fields/paths.h"
#include "fields/render.h"

namespace saker::fields {

using event::Event;
using event::ParamType;

namespace {

// FieldArg::index of a parameter named by name: this bit, and the number of the name.
constexpr uint64_t kNamed = uint64_t{1} << 32;

// The type that a raw parameter has in comparisons.
Type raw_type(ParamType type) {
  switch (type) {
    case ParamType::Int16: return Type::int16;
    case ParamType::Int32:
    case ParamType::Fd32:
    case ParamType::Pid32: return Type::int32;
    case ParamType::Int64:
    case ParamType::Errno:
    case ParamType::Fd:
    case ParamType::Pid: return Type::int64;
    case ParamType::UInt8:
    case ParamType::Flags8:
    case ParamType::EnumFlags8:
    case ParamType::SigType: return Type::uint8;
    case ParamType::UInt16:
    case ParamType::Flags16:
    case ParamType::EnumFlags16:
    case ParamType::SyscallId: return Type::uint16;
    case ParamType::UInt32:
    case ParamType::Flags32:
    case ParamType::EnumFlags32:
    case ParamType::Mode:
    case ParamType::SigSet: return Type::uint32;
    case ParamType::UInt64: return Type::uint64;
    case ParamType::Uid:
    case ParamType::Gid: return Type::uid;
    case ParamType::Port: return Type::port;
    case ParamType::RelTime: return Type::reltime;
    case ParamType::AbsTime: return Type::abstime;
    case ParamType::CharBuf: return Type::text;
    case ParamType::FsPath:
    case ParamType::FsRelPath: return Type::path;
    case ParamType::Ipv4Addr:
    case ParamType::Ipv6Addr: return Type::ip;
    default: return Type::bytes;
  }
}

// All parameter names, and which parameter of each event has them.
class ParamNames {
 public:
  static const ParamNames& get() {
    static const ParamNames names;
    return names;
  }

  // The number of a name, or -1.
  [[nodiscard]] int number_of(std::string_view name) const {
    auto found = std::ranges::lower_bound(names_, name, {}, &Name::text);
    return found != names_.end() && found->text == name ? static_cast<int>(found - names_.begin())
                                                        : -1;
  }

  // The index of the parameter with this name in an event, or -1.
  [[nodiscard]] int index_in(uint16_t event_type, size_t name) const {
    return table_[event_type * names_.size() + name];
  }

  // The type of the first parameter of that name in the schema.
  [[nodiscard]] Type type_of(size_t name) const { return names_[name].type; }

 private:
  struct Name {
    std::string_view text;
    Type type;
    size_t place = 0;  // in the schema: of equal names the first stays
  };

  ParamNames() {
    for (const event::EventInfo& event : event::all_events())
      for (const event::ParamInfo& param : event.params)
        names_.push_back({param.name, raw_type(param.type)});
    for (size_t i = 0; i < names_.size(); ++i) names_[i].place = i;
    std::ranges::sort(names_, [](const Name& a, const Name& b) {
      return a.text != b.text ? a.text < b.text : a.place < b.place;
    });
    auto rest = std::ranges::unique(names_, {}, &Name::text);
    names_.erase(rest.begin(), rest.end());
    table_.assign(event::kEventCodeCount * names_.size(), -1);
    for (const event::EventInfo& event : event::all_events())
      for (size_t i = event.params.size(); i-- > 0;)
        table_[event.code * names_.size() + static_cast<size_t>(number_of(event.params[i].name))] =
            static_cast<int8_t>(i);
  }

  std::vector<Name> names_;
  std::vector<int8_t> table_;
};

Result<Type> bind_param(FieldArg& arg) {
  if (arg.index) return Type::text;
  const int number = ParamNames::get().number_of(arg.text);
  if (number < 0)
    return Error{.message = "unknown event parameter '" + arg.text + "'",
                 .hint = "saker events lists the parameters of each event"};
  arg.index = kNamed | static_cast<uint64_t>(number);
  return Type::text;
}

Result<Type> bind_raw_param(FieldArg& arg) {
  if (arg.index) return Error{.message = "evt.rawarg takes the name of a parameter, not a number"};
  SAKER_TRY(bind_param(arg));
  return ParamNames::get().type_of(*arg.index & ~kNamed);
}

// The parameter that the argument means, if the event has it.
bool find_param(const EvalContext& context, const FieldArg& arg, size_t& index) {
  if (context.event == nullptr || context.event->source != event::Source::syscall) return false;
  const Event& event = *context.event;
  int found = -1;
  if (!arg.index) {
    found = event.info().param_index(arg.text);
  } else if ((*arg.index & kNamed) != 0) {
    found = ParamNames::get().index_in(event.type, *arg.index & ~kNamed);
  } else if (*arg.index < event.info().params.size()) {
    found = static_cast<int>(*arg.index);
  }
  if (found < 0 || found >= event.param_count) return false;
  index = static_cast<size_t>(found);
  return true;
}

bool param_text(const EvalContext& context, const FieldArg& arg, Values& out) {
  size_t index = 0;
  return find_param(context, arg, index) && give(out, render_param(context, index).text());
}

bool give_signed(Values& out, Bytes bytes, size_t width) {
  switch (width) {
    case 2: return give_int(out, load<int16_t>(bytes.data()));
    case 4: return give_int(out, load<int32_t>(bytes.data()));
    default: return give_int(out, load<int64_t>(bytes.data()));
  }
}

bool give_unsigned(Values& out, Bytes bytes, size_t width) {
  switch (width) {
    case 1: return give_uint(out, bytes[0]);
    case 2: return give_uint(out, load<uint16_t>(bytes.data()));
    case 4: return give_uint(out, load<uint32_t>(bytes.data()));
    default: return give_uint(out, load<uint64_t>(bytes.data()));
  }
}

bool is_signed(Type type) {
  return type == Type::int16 || type == Type::int32 || type == Type::int64;
}

bool give_address(const EvalContext& context, Values& out, Bytes bytes) {
  std::array<uint8_t, 16> address{};
  std::ranges::copy(bytes, address.begin());
  return give_ip(context, out, address, bytes.size() == 16);
}

// The parameter in its own type. An event whose parameter of that name is of another kind than
// the condition was compiled for has no value.
bool raw_param(const EvalContext& context, const FieldArg& arg, Values& out) {
  size_t index = 0;
  if (!find_param(context, arg, index)) return false;
  const Bytes bytes = context.event->param(index);
  if (bytes.empty()) return false;
  const ParamType actual = context.event->info().params[index].type;
  const Type type = raw_type(actual);
  const Type expected = arg.index && (*arg.index & kNamed) != 0
                            ? ParamNames::get().type_of(*arg.index & ~kNamed)
                            : type;
  const size_t width = event::fixed_size(actual);
  if (bytes.size() < width) return false;
  if (type == Type::ip)
    return expected == Type::ip && give_address(context, out, bytes.first(width));
  if (width == 0) {
    if (filter::is_text(type)) return filter::is_text(expected) && give(out, as_c_string(bytes));
    return expected == Type::bytes && give(out, as_text(bytes));
  }
  if (filter::is_text(expected) || expected == Type::bytes || expected == Type::ip) return false;
  if (is_signed(expected) == is_signed(type))
    return is_signed(type) ? give_signed(out, bytes, width) : give_unsigned(out, bytes, width);
  // Signed in one event and unsigned in another: the kind of value must be the expected one.
  Values number;
  is_signed(type) ? give_signed(number, bytes, width) : give_unsigned(number, bytes, width);
  return is_signed(expected) ? give_int(out, static_cast<int64_t>(number[0].unsigned_integer))
                             : give_uint(out, number[0].unsigned_integer);
}

bool all_params(const EvalContext& context, const FieldArg&, Values& out) {
  return context.event != nullptr && context.event->source == event::Source::syscall &&
         give(out, render_params(context));
}

// Index of the (first or second) path of an event that is relative to a directory fd, or -1.
int relative_path(const Event& event, bool second) {
  switch (event.type) {
    case event::SYSCALL_RENAMEAT_X:
    case event::SYSCALL_RENAMEAT2_X:
    case event::SYSCALL_LINKAT_2_X: return second ? 4 : 2;
    case event::SYSCALL_SYMLINKAT_X: return second ? -1 : 3;
    case event::SYSCALL_OPENAT_2_X:
    case event::SYSCALL_OPENAT2_X:
    case event::SYSCALL_UNLINKAT_2_X:
    case event::SYSCALL_MKDIRAT_X:
    case event::SYSCALL_FCHMODAT_X:
    case event::SYSCALL_FCHOWNAT_X: return second ? -1 : 2;
    default: return -1;
  }
}

bool absolute(const EvalContext& context, const FieldArg& arg, Values& out) {
  if (context.event == nullptr || context.thread == nullptr) return false;
  const Event& event = *context.event;
  const bool second = arg.present && arg.text == "dst";
  if (event.type == event::SYSCALL_OPEN_BY_HANDLE_AT_X) {
    if (second || event.get<int64_t>(0, -1) <= 0 || event.text(3).empty()) return false;
    return give(out, absolute_param(context, 3));
  }
  const int index = relative_path(event, second);
  if (index < 0) return false;
  // The parameter before the path is its directory.
  const std::string_view path = event.text(static_cast<size_t>(index));
  if (path.empty() || event.param(static_cast<size_t>(index) - 1).empty()) return false;
  std::string_view base = directory_of(context, index - 1);
  if (base == kUnknownBase) base = "<UNKNOWN>/";
  return give(out, absolute_path(context, base, path));
}

Result<Type> bind_which_path(FieldArg& arg) {
  if (!arg.present || arg.text == "src" || arg.text == "dst") return Type::text;
  return Error{.message = "evt.abspath takes src or dst, not '" + arg.text + "'"};
}

constexpr FieldInfo kFields[] = {
    {.name = "evt.args",
     .summary = "All parameters as one text: name=value(what it means) ...",
     .extract = all_params},
    {.name = "evt.info", .summary = "The same as evt.args.", .extract = all_params},
    {.name = "evt.arg",
     .arg = ArgRule::required,
     .summary = "A parameter by name or number, as people read it: a path, names of flags ...",
     .extract = param_text,
     .bind = bind_param},
    {.name = "evt.rawarg",
     .arg = ArgRule::required,
     .flags = filter::kNoRhs | filter::kNoTransformer,
     .summary = "A parameter by name, as the number or text that it is.",
     .extract = raw_param,
     .bind = bind_raw_param},
    {.name = "evt.abspath",
     .arg = ArgRule::optional,
     .summary = "The path that a call with a directory fd means; .src and .dst when it has two.",
     .extract = absolute,
     .bind = bind_which_path},
};

}  // namespace

std::span<const FieldInfo> argument_fields() {
  return kFields;
}

}  // namespace saker::fields
