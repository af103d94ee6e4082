#include "filter/text_match.h"

#include <algorithm>
#include <cctype>

namespace saker::filter {

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  return part.empty() ||
         std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

namespace {

// One step of a glob against one byte.
struct Step {
  bool matches = false;
  size_t length = 1;  // of the pattern that the step took
};

bool in_class(std::string_view name, unsigned char c, bool& known) {
  struct Class {
    std::string_view name;
    int (*test)(int);
  };
  static constexpr Class kClasses[] = {
      {"alpha", std::isalpha}, {"digit", std::isdigit}, {"alnum", std::isalnum},
      {"upper", std::isupper}, {"lower", std::islower}, {"space", std::isspace},
      {"blank", std::isblank}, {"punct", std::ispunct}, {"print", std::isprint},
      {"graph", std::isgraph}, {"cntrl", std::iscntrl}, {"xdigit", std::isxdigit},
  };
  for (const Class& row : kClasses)
    if (row.name == name) return row.test(c) != 0;
  known = false;
  return false;
}

// A bracket expression at the front of `pattern`. Not closed: an ordinary '['.
class Bracket {
 public:
  Bracket(std::string_view pattern, char c, bool fold_case)
      : pattern_(pattern), byte_(c), fold_case_(fold_case) {}

  Step match() {
    size_t at = 1;
    const bool negated = at < pattern_.size() && (pattern_[at] == '!' || pattern_[at] == '^');
    if (negated) ++at;
    bool found = false;
    for (bool first = true;; first = false) {
      if (at >= pattern_.size()) return {.matches = byte_ == '['};
      if (pattern_[at] == ']' && !first) break;
      if (!element(at, found)) return {.matches = byte_ == '['};
      if (bad_) return {.matches = false, .length = pattern_.size()};
    }
    return {.matches = found != negated, .length = at + 1};
  }

 private:
  // One character, range or class; false when the pattern ends in it.
  bool element(size_t& at, bool& found) {
    if (pattern_.substr(at).starts_with("[:")) {
      const size_t end = pattern_.find(":]", at + 2);
      if (end != std::string_view::npos) {
        const std::string_view name = pattern_.substr(at + 2, end - at - 2);
        if (std::ranges::all_of(name, [](char c) { return c >= 'a' && c <= 'z'; })) {
          found |= is_in_class(name);
          at = end + 2;
          return true;
        }
      }
    }
    char low = 0;
    if (!character(at, low)) return false;
    char high = low;
    if (at + 1 < pattern_.size() && pattern_[at] == '-' && pattern_[at + 1] != ']') {
      ++at;
      if (!character(at, high)) return false;
    }
    found |= is_in_range(low, high);
    return true;
  }

  bool character(size_t& at, char& out) const {
    if (pattern_[at] == '\\' && ++at >= pattern_.size()) return false;
    out = pattern_[at++];
    return true;
  }

  bool is_in_class(std::string_view name) {
    bool known = true;
    const bool found = in_class(name, static_cast<unsigned char>(byte_), known);
    bad_ |= !known;
    return found;
  }

  [[nodiscard]] bool is_in_range(char low, char high) const {
    const auto byte = [&](char c) { return static_cast<unsigned char>(fold_case_ ? lower(c) : c); };
    return byte(low) <= byte(byte_) && byte(byte_) <= byte(high);
  }

  std::string_view pattern_;
  char byte_;
  bool fold_case_;
  bool bad_ = false;  // names a class that there is not
};

Step match_byte(std::string_view pattern, char c, bool fold_case) {
  const auto same = [&](char a) { return fold_case ? lower(a) == lower(c) : a == c; };
  switch (pattern[0]) {
    case '?': return {.matches = true};
    case '[': return Bracket(pattern, c, fold_case).match();
    case '\\':
      if (pattern.size() == 1) return {.matches = false};
      return {.matches = same(pattern[1]), .length = 2};
    default: return {.matches = same(pattern[0])};
  }
}

// The next path component of `path`, which loses it; empty at the end.
std::string_view next_component(std::string_view& path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  const size_t end = std::min(path.find('/'), path.size());
  const std::string_view component = path.substr(0, end);
  path.remove_prefix(end);
  return component;
}

}  // namespace

bool matches_glob(std::string_view pattern, std::string_view text, bool fold_case) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;  // the last '*' seen: only it is ever retried
  size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
      continue;
    }
    if (p < pattern.size()) {
      const Step step = match_byte(pattern.substr(p), text[t], fold_case);
      if (step.matches) {
        p += step.length;
        ++t;
        continue;
      }
    }
    if (star == std::string_view::npos) return false;
    p = star + 1;
    t = ++star_text;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool matches_path_prefix(std::string_view pattern, std::string_view text) {
  for (;;) {
    const std::string_view wanted = next_component(pattern);
    if (wanted.empty()) return true;
    const std::string_view actual = next_component(text);
    if (actual.empty()) return false;
    const bool is_glob = wanted.find_first_of("?*[") != std::string_view::npos;
    if (is_glob ? !matches_glob(wanted, actual) : wanted != actual) return false;
  }
}

}  // namespace saker::filter
