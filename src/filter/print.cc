#include "filter/print.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "event/event.h"
#include "filter/output_template.h"
#include "filter/text_match.h"

namespace saker::filter {

namespace {

constexpr size_t kMostBufferBytes = 1023;  // of a byte buffer that is printed

Print print_of(const Operand& operand) {
  return operand.kind == Operand::Kind::field ? operand.field.info->print : Print::decimal;
}

bool is_signed(Type type) {
  return type == Type::int16 || type == Type::int32 || type == Type::int64;
}

// A number within its type's width, so that hexadecimal shows no more digits than it has.
uint64_t masked(uint64_t bits, Type type) {
  switch (type) {
    case Type::uint8: return bits & 0xff;
    case Type::int16:
    case Type::uint16:
    case Type::port: return bits & 0xffff;
    case Type::int32:
    case Type::uint32:
    case Type::uid: return bits & 0xffffffff;
    default: return bits;
  }
}

// A number, boolean or real. A real number of 64 bits has at most 309 digits before the point.
using ScalarText = std::array<char, 336>;

std::string_view format_number(auto number, int base, ScalarText& buffer) {
  char* const begin = buffer.data();
  char* const end = std::to_chars(begin, begin + buffer.size(), number, base).ptr;
  if (base == 16) std::transform(begin, end, begin, upper);
  return {begin, end};
}

std::string_view format_padded(uint64_t number, ScalarText& buffer) {
  constexpr size_t kDigits = 9;
  ScalarText digits;
  const std::string_view text = format_number(number, 10, digits);
  const size_t zeros = kDigits - std::min(kDigits, text.size());
  char* const end = std::ranges::copy(text, std::fill_n(buffer.data(), zeros, '0')).out;
  return {buffer.data(), end};
}

std::string_view format_scalar(const Operand& operand, const Value& value, ScalarText& buffer) {
  const uint64_t bits = value.unsigned_integer;
  if (value.kind == Value::Kind::boolean) return bits != 0 ? "true" : "false";
  if (value.kind == Value::Kind::real) {
    char* const begin = buffer.data();
    const auto fixed = std::chars_format::fixed;
    return {begin, std::to_chars(begin, begin + buffer.size(), value.real, fixed, 1).ptr};
  }
  switch (print_of(operand)) {
    case Print::hex: return format_number(masked(bits, operand.type), 16, buffer);
    case Print::octal: return format_number(masked(bits, operand.type), 8, buffer);
    case Print::padded9: return format_padded(bits, buffer);
    case Print::decimal: break;
  }
  return value.kind == Value::Kind::integer ? format_number(value.integer, 10, buffer)
                                            : format_number(bits, 10, buffer);
}

using IpText = char[INET6_ADDRSTRLEN];
std::string_view format_ip(const IpAddress& address, IpText& buffer) {
  const int family = address.v6 ? AF_INET6 : AF_INET;
  const char* text = ::inet_ntop(family, address.bytes.data(), buffer, sizeof buffer);
  return text != nullptr ? text : "";
}

void append_printable(std::string_view bytes, std::string& out) {
  bytes = bytes.substr(0, kMostBufferBytes);
  const auto printable = [](char c) { return c >= 0x20 && c < 0x7f ? c : '.'; };
  std::ranges::transform(bytes, std::back_inserter(out), printable);
}

std::string value_text(const Operand& operand, const Value& value) {
  std::string text;
  append_value_text(operand, value, text);
  return text;
}

}  // namespace

void append_value_text(const Operand& operand, const Value& value, std::string& out) {
  switch (value.kind) {
    case Value::Kind::text:
      if (operand.type == Type::bytes) {
        append_printable(value.text(), out);
      } else {
        out += value.text();
      }
      return;
    case Value::Kind::ip: {
      IpText buffer;
      out += format_ip(*value.ip, buffer);
      return;
    }
    default: break;
  }
  ScalarText buffer;
  out += format_scalar(operand, value, buffer);
}

std::string_view to_scratch_text(const Operand& operand, const Value& value, Arena& scratch) {
  switch (value.kind) {
    case Value::Kind::text: return value.text();
    case Value::Kind::ip: {
      IpText buffer;
      return scratch.copy(format_ip(*value.ip, buffer));
    }
    default: break;
  }
  ScalarText buffer;
  return scratch.copy(format_scalar(operand, value, buffer));
}

void append_text(const Operand& operand, const Values& values, std::string& out) {
  const bool is_list = operand.many == Many::list;
  if (is_list) out += '(';
  for (size_t i = 0; i < values.size(); ++i) {
    if (i != 0) out += is_list ? ',' : ' ';
    append_value_text(operand, values[i], out);
  }
  if (is_list) out += ')';
}

finding::FieldValue to_field_value(const Operand& operand, const Values& values,
                                   const EvalContext& context) {
  if (values.empty()) return std::monostate();
  if (operand.kind == Operand::Kind::field && operand.field.info->has(kTimeText) &&
      context.event != nullptr)
    return context.event->timestamp;
  if (operand.many == Many::list) {
    std::vector<std::string> list;
    for (const Value& value : values.span()) list.push_back(value_text(operand, value));
    return list;
  }
  if (values.size() > 1) {
    std::string text;
    append_text(operand, values, text);
    return text;
  }
  const Value& value = values[0];
  const Print print = print_of(operand);
  switch (value.kind) {
    case Value::Kind::boolean: return value.unsigned_integer != 0;
    case Value::Kind::real: return value.real;
    case Value::Kind::integer:
    case Value::Kind::unsigned_integer:
      if (print == Print::hex || print == Print::octal) return value_text(operand, value);
      if (value.kind == Value::Kind::integer || is_signed(operand.type)) return value.integer;
      return value.unsigned_integer;
    case Value::Kind::text:
    case Value::Kind::ip: return value_text(operand, value);
  }
  return std::monostate();
}

}  // namespace saker::filter
