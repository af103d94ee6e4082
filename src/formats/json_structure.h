// Where the brackets, commas, colons and values of JSON text begin: the first stage of simdjson,
// which is chosen for the processor when the program runs. The text may hold many documents.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace saker::formats {

// Used for one text after the other without allocating, once warm. Not thread-safe.
class JsonStructure {
 public:
  JsonStructure();
  ~JsonStructure();
  JsonStructure(JsonStructure&&) noexcept;
  JsonStructure& operator=(JsonStructure&&) noexcept;

  // False, with no positions, when the text has an open string, a control character in a string or
  // invalid UTF-8, or is empty or beyond 4 GB.
  bool scan(std::string_view text);

  // Offsets in the text, ascending, with one more behind the last: the text's length.
  [[nodiscard]] std::span<const uint32_t> positions() const { return positions_; }

 private:
  struct Stage;

  std::unique_ptr<Stage> stage_;
  std::span<const uint32_t> positions_;
};

}  // namespace saker::formats
