// A few values of one JSON object, by their names, without allocating anything once it is warm.
// Facade over simdjson's tape, whose reader is chosen for the processor when the program runs (its
// forward reader is not). For streams of records; json.h is for trees.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/json.h"

namespace saker::formats {

struct JsonPick {
  bool present = false;                 // and not null
  std::string_view text;                // of a text
  std::vector<std::string_view> items;  // the texts in an array
};

// Not thread-safe. Picks are views of the input and of the picker; they live until the next read.
class JsonPicker {
 public:
  // "user.username": a member of a member. No path may lead into another's value.
  explicit JsonPicker(std::span<const std::string_view> paths);
  JsonPicker(JsonPicker&&) noexcept;
  JsonPicker& operator=(JsonPicker&&) noexcept;
  ~JsonPicker();

  // Reads the object `text`, behind which kJsonPadding bytes must be readable. Of names that come
  // twice the last counts.
  Status read(std::string_view text);
  [[nodiscard]] const JsonPick& operator[](size_t path) const { return picks_[path]; }
  // How long the value is as compact JSON; 0 when it is not there.
  [[nodiscard]] size_t size_of(size_t path) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::vector<JsonPick> picks_;
};

}  // namespace saker::formats
