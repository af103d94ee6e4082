// One input as several texts, parted by lines of "%%%".
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace saker::fuzz {

// Always `count` parts; those that the input doesn't have are empty.
inline std::vector<std::string_view> parts_of(std::string_view input, size_t count) {
  constexpr std::string_view kMark = "\n%%%\n";
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < count) {
    const size_t end = input.find(kMark);
    parts.push_back(input.substr(0, end));
    input = end == std::string_view::npos ? std::string_view() : input.substr(end + kMark.size());
  }
  parts.push_back(input);
  return parts;
}

}  // namespace saker::fuzz
