#include "formats/json_structure.h"

#include <simdjson.h>

#include <algorithm>

namespace saker::formats {

struct JsonStructure::Stage {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

JsonStructure::JsonStructure() : stage_(std::make_unique<Stage>()) {}
JsonStructure::~JsonStructure() = default;
JsonStructure::JsonStructure(JsonStructure&&) noexcept = default;
JsonStructure& JsonStructure::operator=(JsonStructure&&) noexcept = default;

bool JsonStructure::scan(std::string_view text) {
  constexpr size_t kLeastRoom = size_t{64} * 1024, kDepth = 1;  // no stage that nests is run
  positions_ = {};
  if (text.empty() || text.size() > simdjson::SIMDJSON_MAXSIZE_BYTES) return false;
  auto& parser = stage_->parser;
  if (parser == nullptr || parser->capacity() < text.size()) {
    const size_t room = std::max(kLeastRoom, text.size() + text.size() / 2);
    parser.reset();
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            std::min(room, simdjson::SIMDJSON_MAXSIZE_BYTES), kDepth, parser) != simdjson::SUCCESS)
      return false;
  }
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  if (parser->stage1(bytes, text.size(), simdjson::stage1_mode::regular) != simdjson::SUCCESS)
    return false;
  positions_ = {parser->structural_indexes.get(), size_t{parser->n_structural_indexes} + 1};
  return true;
}

}  // namespace saker::formats
