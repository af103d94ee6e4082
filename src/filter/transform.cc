// Evaluation of transformers. Texts that they make live in the context's scratch arena.
#include <cstring>

#include "filter/compile.h"
#include "filter/print.h"
#include "filter/text_match.h"

namespace saker::filter {

namespace {

using TextFunction = bool (*)(std::string_view in, Arena& scratch, std::string_view& out);

template <char (*Convert)(char)>
bool convert_case(std::string_view in, Arena& scratch, std::string_view& out) {
  char* to = scratch.allocate(in.size());
  for (size_t i = 0; i < in.size(); ++i) to[i] = Convert(in[i]);
  out = {to, in.size()};
  return true;
}

bool base_name(std::string_view in, Arena&, std::string_view& out) {
  out = in.substr(in.rfind('/') + 1);  // npos + 1 is 0: all of it
  return true;
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

bool decode_base64(std::string_view in, Arena& scratch, std::string_view& out) {
  size_t padding = 0;
  while (padding < 2 && in.ends_with('=')) {
    in.remove_suffix(1);
    ++padding;
  }
  if (in.size() % 4 == 1 || (padding != 0 && (in.size() + padding) % 4 != 0)) return false;
  char* to = scratch.allocate(in.size() / 4 * 3 + 3);
  size_t size = 0;
  uint32_t bits = 0;
  uint32_t count = 0;
  for (char c : in) {
    const int digit = base64_digit(c);
    if (digit < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    to[size++] = static_cast<char>(bits >> count & 0xff);
  }
  out = {to, size};
  return true;
}

// Applies a function of one text to each value; no value when it fails for one of them.
bool each_text(const Values& in, TextFunction function, bool is_c_string, Arena& scratch,
               Values& out) {
  for (const Value& value : in.span()) {
    std::string_view text;
    if (!function(value.text(), scratch, text)) return false;
    if (is_c_string) text = text.substr(0, text.find('\0'));
    out.add(Value::of_text(text));
  }
  return !out.empty();
}

bool length_of(const Operand& arg, const EvalContext& context, Values& out) {
  Values in;
  const bool has_value = evaluate(arg, context, in);
  if (arg.many == Many::list) {
    if (!has_value && arg.kind != Operand::Kind::list) return false;
    out.add(Value::of_uint(in.size()));
    return true;
  }
  if (!has_value) return false;
  out.add(Value::of_uint(in[0].size));
  return true;
}

// The single value of an operand as text; false when it has none.
bool single_text(const Operand& operand, const EvalContext& context, std::string_view& out) {
  Values values;
  if (!evaluate(operand, context, values)) return false;
  out = to_scratch_text(operand, values[0], *context.scratch);
  return true;
}

// Writes several texts one after another, with a separator between them.
std::string_view glue(std::span<const std::string_view> parts, std::string_view separator,
                      Arena& scratch) {
  size_t size = 0;
  for (std::string_view part : parts) size += part.size() + separator.size();
  char* to = scratch.allocate(size);
  char* at = to;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i != 0 && !separator.empty())
      at = static_cast<char*>(mempcpy(at, separator.data(), separator.size()));
    if (!parts[i].empty()) at = static_cast<char*>(mempcpy(at, parts[i].data(), parts[i].size()));
  }
  return {to, static_cast<size_t>(at - to)};
}

// Room for `count` texts in the arena.
std::span<std::string_view> text_array(size_t count, Arena& scratch) {
  auto* memory = scratch.allocate(count * sizeof(std::string_view));
  auto* first = reinterpret_cast<std::string_view*>(memory);
  std::uninitialized_default_construct_n(first, count);
  return {first, count};
}

bool join(const Operand& operand, const EvalContext& context, Values& out) {
  Arena& scratch = *context.scratch;
  std::string_view separator;
  if (!single_text(operand.args[0], context, separator)) return false;
  const Operand& list = operand.args[1];
  std::span<std::string_view> parts;
  if (list.kind == Operand::Kind::list) {
    parts = text_array(list.args.size(), scratch);
    for (size_t i = 0; i < parts.size(); ++i)
      if (!single_text(list.args[i], context, parts[i])) return false;
  } else {
    Values values;
    if (!evaluate(list, context, values)) return false;
    parts = text_array(values.size(), scratch);
    for (size_t i = 0; i < parts.size(); ++i) parts[i] = to_scratch_text(list, values[i], scratch);
  }
  out.add(Value::of_text(glue(parts, separator, scratch)));
  return true;
}

bool concat(const Operand& operand, const EvalContext& context, Values& out) {
  const std::span<std::string_view> parts = text_array(operand.args.size(), *context.scratch);
  for (size_t i = 0; i < parts.size(); ++i)
    if (!single_text(operand.args[i], context, parts[i])) return false;
  out.add(Value::of_text(glue(parts, {}, *context.scratch)));
  return true;
}

// POSIX getopt over a list of words: calls found(option, known, argument) for each option, where
// argument is null for one that takes none.
template <typename Found>
void for_each_option(const Values& words, std::string_view options, Found found) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i].text();
    if (word.size() < 2 || word[0] != '-' || word == "--") return;
    if (word.starts_with("--")) continue;
    for (size_t at = 1; at < word.size(); ++at) {
      const size_t known = word[at] == ':' ? std::string_view::npos : options.find(word[at]);
      if (known == std::string_view::npos) {
        found(word.substr(at, 1), false, nullptr);
        continue;
      }
      if (known + 1 >= options.size() || options[known + 1] != ':') {
        found(options.substr(known, 1), true, nullptr);
        continue;
      }
      std::string_view argument = word.substr(at + 1);
      if (argument.empty() && ++i < words.size()) argument = words[i].text();
      found(options.substr(known, 1), true, &argument);
      break;
    }
  }
}

bool getopt(const Operand& operand, const EvalContext& context, Values& out) {
  Values words;
  std::string_view options;
  if (!evaluate(operand.args[0], context, words)) return false;
  if (!single_text(operand.args[1], context, options)) return false;
  std::string_view selected;
  bool is_selected = false;
  const auto found = [&](std::string_view option, bool known, const std::string_view* argument) {
    if (operand.selector) {
      if (!known || option[0] != *operand.selector) return;
      is_selected = true;
      selected = argument != nullptr ? *argument : option;
      return;
    }
    out.add(Value::of_text(known ? option : std::string_view("?")));
    if (argument != nullptr) out.add(Value::of_text(*argument));
  };
  for_each_option(words, options, found);
  if (operand.selector && is_selected) out.add(Value::of_text(selected));
  return !out.empty();
}

bool list_values(const Operand& operand, const EvalContext& context, Values& out) {
  for (const Operand& arg : operand.args) {
    Values values;
    if (!evaluate(arg, context, values)) return false;
    out.add(values[0]);
  }
  return !out.empty();
}

}  // namespace

bool evaluate_call(const Operand& operand, const EvalContext& context, Values& out) {
  switch (operand.kind) {
    case Operand::Kind::field: return evaluate(operand, context, out);
    case Operand::Kind::literal: out.add(Value::of_text(operand.literal)); return true;
    case Operand::Kind::list: return list_values(operand, context, out);
    case Operand::Kind::transformer: break;
  }
  TextFunction function = nullptr;
  switch (operand.transformer) {
    case TransformerKind::val: return evaluate(operand.args[0], context, out);
    case TransformerKind::len: return length_of(operand.args[0], context, out);
    case TransformerKind::join: return join(operand, context, out);
    case TransformerKind::concat: return concat(operand, context, out);
    case TransformerKind::getopt: return getopt(operand, context, out);
    case TransformerKind::tolower: function = convert_case<lower>; break;
    case TransformerKind::toupper: function = convert_case<upper>; break;
    case TransformerKind::basename: function = base_name; break;
    case TransformerKind::b64: function = decode_base64; break;
  }
  Values in;
  return evaluate(operand.args[0], context, in) &&
         each_text(in, function, is_text(operand.type), *context.scratch, out);
}

}  // namespace saker::filter
