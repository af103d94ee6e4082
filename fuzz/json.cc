// Any bytes as JSON: what parses reads the same when written again, and the reader of single values
// (formats/json_text.h) finds the members that the tree has. The first line is a pointer for it.
// parser: src/formats/json.cc src/formats/json_text.cc
#include "formats/json.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "formats/json_text.h"

namespace {

using namespace saker;

void require(bool condition) {
  if (!condition) std::abort();
}

bool lies_in(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

// Everything that the reader offers, on text that need not be JSON.
void look_into(std::string_view text, std::string_view pointer) {
  Arena arena;
  const auto show = [&](formats::json_text::Token token) {
    require(lies_in(token, text));
    formats::json_text::to_text(token, arena);
    return true;
  };
  formats::json_text::for_each_element(text, show);
  formats::json_text::for_each_member(
      text, [&](formats::json_text::Token key, formats::json_text::Token value) {
        return formats::json_text::is_string(key) && show(key) && show(value);
      });
  if (const auto found = formats::json_text::find(text, pointer)) show(*found);
  if (const auto third = formats::json_text::element(text, 2)) show(*third);
  formats::json_text::to_pretty_text(text, arena);
}

void check_members(const formats::JsonNode& tree, std::string_view text) {
  Arena arena;
  size_t members = 0, elements = 0;
  const bool object =
      formats::json_text::for_each_member(text, [&](auto, auto) { return ++members > 0; });
  require(object == tree.is_object() && members == tree.members.size());
  const bool array =
      formats::json_text::for_each_element(text, [&](auto) { return ++elements > 0; });
  require(array == tree.is_array() && elements == tree.items.size());
  const Result<formats::JsonNode> pretty =
      formats::parse_json(formats::json_text::to_pretty_text(text, arena));
  require(pretty.ok() && formats::to_json(*pretty) == formats::to_json(tree));
  if (tree.is_text()) require(formats::json_text::to_text(text, arena) == tree.text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\n');
  const std::string_view pointer = input.substr(0, end);
  const std::string_view text =
      end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  look_into(text, pointer);
  const Result<formats::JsonNode> tree = formats::parse_json(text);
  if (!tree.ok()) {
    require(!tree.error().message.empty() && tree.error().position.offset <= text.size());
    return 0;
  }
  for (const char* name : {"", "a", "id"}) {
    (void)tree->text_of(name);
    (void)tree->int_of(name);
    (void)tree->bool_of(name);
  }
  const std::string written = formats::to_json(*tree);
  const Result<formats::JsonNode> again = formats::parse_json(written);
  require(again.ok() && formats::to_json(*again) == written);
  check_members(*tree, written);
  return 0;
}
