// The difference of two texts by lines, as `diff -u` prints it and `patch` reads it.
#pragma once

#include <string>
#include <string_view>

namespace saker::formats {

// Nothing when the texts are equal. Texts whose changed parts have very many lines are shown as
// replaced.
std::string unified_diff(std::string_view before, std::string_view after,
                         std::string_view before_name, std::string_view after_name);

}  // namespace saker::formats
