// Lists in conditions: a list's name in the text stands for its items. The substitution is on text,
// before parsing, as the rules language has it: for each list in order of definition, every
// occurrence of the name between delimiters. One pass does the same here: an inserted item may only
// be replaced by lists that come later in that order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rules/definitions.h"

namespace saker::rules {

// A value with blanks in double quotes, unless it is quoted.
std::string quote_if_needed(std::string_view value);

// What expansion may cost, over a whole rule set: bytes written and names tried.
struct ExpansionBudget {
  static constexpr size_t kWhole = size_t{64} << 20;
  size_t left = kWhole;

  bool spend(size_t amount) {
    if (amount > left) {
      left = 0;
      return false;
    }
    left -= amount;
    return true;
  }
};

// A text after substitution, and where its bytes stood before.
struct ExpandedText {
  struct Piece {
    uint32_t begin = 0;   // in `text`
    uint32_t source = 0;  // in the text before
    bool fixed = false;   // all of it stands for the name at `source`
  };
  std::string text;
  std::vector<Piece> pieces;
  std::vector<uint32_t> lists;  // those used, by number; sorted, unique

  [[nodiscard]] size_t source_of(size_t offset) const;
};

// The lists of a rule set as they are now. Immutable once built, but for the marks of use.
class ListTable {
 public:
  // Needs `lists` to stay. False when the lists name each other into too much text.
  bool build(const NamedVector<ListDef>& lists, ExpansionBudget& budget);

  // False when the budget is spent.
  bool expand(std::string_view text, ExpansionBudget& budget, ExpandedText& out) const;

  void mark_used(const std::vector<uint32_t>& numbers) {
    for (uint32_t number : numbers) entries_[number].used = true;
  }
  [[nodiscard]] bool is_used(size_t number) const { return entries_[number].used; }
  [[nodiscard]] const std::string& name(size_t number) const { return *entries_[number].name; }

 private:
  struct Entry {
    const std::string* name = nullptr;
    std::string text;  // the items, joined
    bool used = false;
  };
  class Expansion;

  // The first list from number `from` whose name stands at the front of `text`, between delimiters.
  [[nodiscard]] const Entry* match(std::string_view token, std::string_view text, size_t from,
                                   ExpansionBudget& budget) const;

  std::vector<Entry> entries_;
  std::unordered_map<std::string_view, uint32_t, StringHash> plain_;
  // Names with delimiters in them, by what stands before the first one.
  std::unordered_map<std::string_view, std::vector<uint32_t>, StringHash> odd_;
};

}  // namespace saker::rules
