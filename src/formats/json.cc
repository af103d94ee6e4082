// JSON read as a tree: simdjson validates and gives its tape, which is copied into nodes of ours
// that outlive it. simdjson says what is wrong but not where, so that a refused text is walked a
// second time with its forward reader, which knows.
#include "formats/json.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/strings.h"

namespace saker::formats {
namespace {

constexpr size_t kMaxDepth = 256;
// A node takes some 130 bytes and two bytes of text can make one: without a limit, 16 MiB of
// "[0,0,0..." would ask for a gigabyte.
constexpr size_t kMaxNodes = 1'000'000;

class TreeBuilder {
 public:
  Status build(simdjson::dom::element from, JsonNode& to) {
    if (++nodes_ > kMaxNodes) {
      return Error{Code::unsupported, fmt::format("JSON has more than {} values", kMaxNodes)};
    }
    using Type = simdjson::dom::element_type;
    switch (from.type()) {
      case Type::NULL_VALUE: break;
      case Type::BOOL:
        to.kind = JsonNode::Kind::boolean;
        to.boolean = from.get_bool().value_unsafe();
        break;
      case Type::INT64:
        to.kind = JsonNode::Kind::integer;
        to.integer = from.get_int64().value_unsafe();
        break;
      case Type::UINT64:
        to.kind = JsonNode::Kind::unsigned_integer;
        to.unsigned_integer = from.get_uint64().value_unsafe();
        break;
      case Type::DOUBLE:
        to.kind = JsonNode::Kind::real;
        to.real = from.get_double().value_unsafe();
        break;
      case Type::STRING:
        to.kind = JsonNode::Kind::text;
        to.text = from.get_string().value_unsafe();
        break;
      case Type::ARRAY: return build_array(from.get_array().value_unsafe(), to);
      case Type::OBJECT: return build_object(from.get_object().value_unsafe(), to);
    }
    return {};
  }

 private:
  Status build_array(simdjson::dom::array from, JsonNode& to) {
    to.kind = JsonNode::Kind::array;
    for (simdjson::dom::element item : from) SAKER_CHECK(build(item, to.items.emplace_back()));
    return {};
  }

  Status build_object(simdjson::dom::object from, JsonNode& to) {
    to.kind = JsonNode::Kind::object;
    for (simdjson::dom::key_value_pair member : from) {
      auto& entry = to.members.emplace_back(std::string(member.key), JsonNode{});
      SAKER_CHECK(build(member.value, entry.second));
    }
    return {};
  }

  size_t nodes_ = 0;
};

// Keeps the point of a whole number: "-0" or "1" would be read back as an integer.
void append_real(double number, std::string& out) {
  const size_t start = out.size();
  fmt::format_to(std::back_inserter(out), "{}", number);
  if (out.find_first_of(".e", start) == std::string::npos) out += ".0";
}

void append_node(const JsonNode& node, std::string& out) {
  switch (node.kind) {
    case JsonNode::Kind::null: out += "null"; break;
    case JsonNode::Kind::boolean: out += node.boolean ? "true" : "false"; break;
    case JsonNode::Kind::integer: out += std::to_string(node.integer); break;
    case JsonNode::Kind::unsigned_integer: out += std::to_string(node.unsigned_integer); break;
    case JsonNode::Kind::real: append_real(node.real, out); break;
    case JsonNode::Kind::text: append_json_text(node.text, out); break;
    case JsonNode::Kind::array:
      out += '[';
      for (const JsonNode& item : node.items) {
        if (&item != &node.items.front()) out += ',';
        append_node(item, out);
      }
      out += ']';
      break;
    case JsonNode::Kind::object:
      out += '{';
      for (const auto& member : node.members) {
        if (&member != &node.members.front()) out += ',';
        append_json_text(member.first, out);
        out += ':';
        append_node(member.second, out);
      }
      out += '}';
      break;
  }
}

// Reads a value and everything in it, and throws the values away. A template, since the document
// itself is a type of its own with the same members.
template <typename Value>
simdjson::error_code walk(Value&& value) {
  using Type = simdjson::ondemand::json_type;
  Type type;
  if (auto error = value.type().get(type)) return error;
  switch (type) {
    case Type::array: {
      simdjson::ondemand::array array;
      if (auto error = value.get_array().get(array)) return error;
      for (auto item : array) {
        if (item.error()) return item.error();
        if (auto error = walk(item.value_unsafe())) return error;
      }
      return simdjson::SUCCESS;
    }
    case Type::object: {
      simdjson::ondemand::object object;
      if (auto error = value.get_object().get(object)) return error;
      for (auto member : object) {
        if (member.error()) return member.error();
        if (auto error = member.unescaped_key().error()) return error;
        if (auto error = walk(member.value_unsafe().value())) return error;
      }
      return simdjson::SUCCESS;
    }
    case Type::number: return value.get_number().error();
    case Type::string: return value.get_string().error();
    case Type::boolean: return value.get_bool().error();
    case Type::null: break;
  }
  bool is_null = false;
  if (auto error = value.is_null().get(is_null)) return error;
  return is_null ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
}

// The offset of the first byte that is no UTF-8.
size_t find_bad_utf8(std::string_view text) {
  size_t good = 0;
  for (size_t step = text.size(); step > 0;) {
    // Grows the good prefix by ever smaller steps; a step must not end inside a character.
    size_t end = std::min(text.size(), good + step);
    while (end < text.size() && end > good && (text[end] & 0xc0) == 0x80) --end;
    if (end > good && is_utf8(text.substr(good, end - good))) {
      good = end;
      if (good == text.size()) break;
    } else {
      step /= 2;
    }
  }
  return good;
}

// The offset of what follows an array or object at the top, or nothing when it is not closed.
std::optional<size_t> find_trailing_bytes(std::string_view text) {
  size_t depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && (depth == 0 || --depth == 0)) {
      const size_t next = text.find_first_not_of(" \t\r\n", i + 1);
      return next == std::string_view::npos ? std::nullopt : std::optional(next);
    }
  }
  return std::nullopt;
}

size_t find_mistake(const simdjson::padded_string& text, simdjson::error_code reason) {
  if (reason == simdjson::UTF8_ERROR) return find_bad_utf8({text.data(), text.size()});
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  if (parser.allocate(text.size(), kMaxDepth + 1) || parser.iterate(text).get(document)) return 0;
  // When all of the value is fine, the mistake is what comes after it.
  (void)walk(document);
  const char* place = nullptr;
  if (document.current_location().get(place)) return text.size();
  if (place != text.data()) return static_cast<size_t>(place - text.data());
  // It looks at the last byte first, and stays at the start when that closes nothing.
  return find_trailing_bytes({text.data(), text.size()}).value_or(0);
}

Error describe(const simdjson::padded_string& text, simdjson::error_code reason) {
  Error error{Code::invalid, {}, {}, {}};
  switch (reason) {
    case simdjson::EMPTY: error.message = "JSON text is empty"; return error;
    case simdjson::CAPACITY: error.message = "JSON text is too large"; return error;
    case simdjson::DEPTH_ERROR:
      error.message = fmt::format("JSON is nested deeper than {} levels", kMaxDepth);
      return error;
    default: break;
  }
  // simdjson's sentences end with advice for programmers; the part up to the first stop is for all.
  std::string_view what = simdjson::error_message(reason);
  if (size_t stop = what.find_first_of(".:"); stop != std::string_view::npos) {
    what = what.substr(0, stop);
  }
  error.position.offset = find_mistake(text, reason);
  error.message = fmt::format("invalid JSON at byte {}: {}", error.position.offset, what);
  return error;
}

}  // namespace

const JsonNode* JsonNode::find(std::string_view name) const {
  for (const auto& [key, value] : members) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string JsonNode::text_of(std::string_view name, std::string_view fallback) const {
  const JsonNode* node = find(name);
  return std::string(node && node->is_text() ? std::string_view(node->text) : fallback);
}

int64_t JsonNode::int_of(std::string_view name, int64_t fallback) const {
  const JsonNode* node = find(name);
  return node && node->kind == Kind::integer ? node->integer : fallback;
}

bool JsonNode::bool_of(std::string_view name, bool fallback) const {
  const JsonNode* node = find(name);
  return node && node->kind == Kind::boolean ? node->boolean : fallback;
}

std::string to_json(const JsonNode& node) {
  std::string out;
  append_node(node, out);
  return out;
}

void append_json_text(std::string_view text, std::string& out) {
  const bool is_clean = is_utf8(text);
  const std::string cleaned = is_clean ? std::string() : sanitize_utf8(text);
  out += '"';
  for (const char c : is_clean ? text : std::string_view(cleaned)) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<int>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

Result<JsonNode> parse_json(std::string_view text) {
  const simdjson::padded_string padded(text);
  simdjson::dom::parser parser;
  if (auto error = parser.allocate(std::max<size_t>(text.size(), 1), kMaxDepth)) {
    return describe(padded, error);
  }
  simdjson::dom::element root;
  if (auto error = parser.parse(padded).get(root)) return describe(padded, error);
  JsonNode node;
  SAKER_CHECK(TreeBuilder().build(root, node));
  return node;
}

}  // namespace saker::formats
