// Substitution of lists. See lists.h.
#include "rules/lists.h"

#include <algorithm>
#include <array>

namespace saker::rules {

namespace {

// What replacing a name costs of the budget besides the text: lists can be made that double into
// nothing.
constexpr size_t kCostOfSubstitution = 64;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_delimiter(char c) {
  return is_blank(c) || c == '(' || c == ')' || c == ',' || c == '=';
}
size_t token_length(std::string_view text) {
  return static_cast<size_t>(std::find_if(text.begin(), text.end(), is_delimiter) - text.begin());
}

}  // namespace

std::string quote_if_needed(std::string_view value) {
  const bool quoted = value.starts_with('"') || value.starts_with('\'');
  if (quoted || !value.contains(' ')) return std::string(value);
  return '"' + std::string(value) + '"';
}

size_t ExpandedText::source_of(size_t offset) const {
  auto after = std::upper_bound(pieces.begin(), pieces.end(), offset,
                                [](size_t at, const Piece& piece) { return at < piece.begin; });
  if (after == pieces.begin()) return offset;
  const Piece& piece = *std::prev(after);
  return piece.source + (piece.fixed ? 0 : offset - piece.begin);
}

bool ListTable::build(const NamedVector<ListDef>& lists, ExpansionBudget& budget) {
  const auto& all = lists.all();
  entries_.clear();
  entries_.resize(all.size());
  plain_.clear();
  odd_.clear();
  for (uint32_t i = 0; i < all.size(); ++i) {
    const std::string_view name = all[i].name;
    const size_t length = token_length(name);
    entries_[i].name = &all[i].name;
    if (length == name.size())
      plain_.emplace(name, i);
    else if (length > 0)
      odd_[name.substr(0, length)].push_back(i);
  }
  for (size_t i = 0; i < all.size(); ++i) {
    auto add = [&](const std::string& item) {
      if (!budget.spend(item.size() + 2)) return false;
      std::string& text = entries_[i].text;
      if (!text.empty()) text += ", ";
      text += quote_if_needed(item);
      return true;
    };
    for (const std::string& item : all[i].items) {
      const ListDef* inner = lists.find(item);
      if (inner == nullptr || inner->order.index >= all[i].order.visibility) {
        if (!add(item)) return false;
        continue;
      }
      entries_[static_cast<size_t>(inner - all.data())].used = true;
      for (const std::string& inner_item : inner->items)
        if (!add(inner_item)) return false;
    }
  }
  return true;
}

const ListTable::Entry* ListTable::match(std::string_view token, std::string_view text, size_t from,
                                         ExpansionBudget& budget) const {
  const Entry* found = nullptr;
  if (auto plain = plain_.find(token); plain != plain_.end() && plain->second >= from)
    found = &entries_[plain->second];
  if (odd_.empty()) return found;
  auto odd = odd_.find(token);
  if (odd == odd_.end()) return found;
  for (uint32_t number : odd->second) {
    const Entry& entry = entries_[number];
    if (!budget.spend(entry.name->size())) return nullptr;
    if (number < from || (found != nullptr && found <= &entry)) continue;
    const size_t size = entry.name->size();
    if (text.starts_with(*entry.name) && (text.size() == size || is_delimiter(text[size])))
      found = &entry;
  }
  return found;
}

// The state of one expansion: texts being read, innermost last, and the text being written.
class ListTable::Expansion {
 public:
  Expansion(const ListTable& table, std::string_view text, ExpansionBudget& budget,
            ExpandedText& out)
      : table_(table), budget_(budget), out_(out) {
    frames_.push_back({.text = text, .from = 0});
  }

  bool run() {
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      if (frame.position == frame.text.size()) {
        frames_.pop_back();
        if (!frames_.empty()) end_substitution();
      } else if (is_delimiter(frame.text[frame.position])) {
        take_delimiter(frame);
      } else if (!take_token(frame)) {
        return false;
      }
    }
    return true;
  }

 private:
  struct Frame {
    std::string_view text;
    size_t from;  // lists before this number are no longer looked for
    size_t position = 0;
  };

  void take_delimiter(Frame& frame) {
    const char c = frame.text[frame.position];
    if (is_blank(c)) {
      if (!eat_blanks_) write(frame.text.substr(frame.position, 1));
    } else if (c != ',' || !drop_comma_) {
      write(frame.text.substr(frame.position, 1));
      eat_blanks_ = drop_comma_ = false;
    } else {
      drop_comma_ = eat_blanks_ = false;
    }
    ++frame.position;
  }

  bool take_token(Frame& frame) {
    const std::string_view rest = frame.text.substr(frame.position);
    const std::string_view token = rest.substr(0, token_length(rest));
    const Entry* entry = table_.match(token, rest, frame.from, budget_);
    if (!budget_.spend(token.size() + 1)) return false;
    if (entry == nullptr) {
      write(token);
      eat_blanks_ = drop_comma_ = false;
      frame.position += token.size();
      return true;
    }
    if (!budget_.spend(kCostOfSubstitution)) return false;
    begin_substitution(*entry);
    frame.position += entry->name->size();
    const auto number = static_cast<size_t>(entry - table_.entries_.data());
    out_.lists.push_back(static_cast<uint32_t>(number));
    frames_.push_back({.text = entry->text, .from = number + 1});
    return true;
  }

  // Blanks before the name are eaten, and one is put back; an empty list takes a comma with it.
  void begin_substitution(const Entry& entry) {
    if (frames_.size() == 1) name_at_ = frames_.front().position;
    std::string& text = out_.text;
    while (!text.empty() && is_blank(text.back())) text.pop_back();
    if (entry.text.empty()) {
      if (text.ends_with(','))
        text.pop_back();
      else
        drop_comma_ = true;
    }
    for (size_t i = out_.pieces.size(); i > 0 && out_.pieces[i - 1].begin > text.size(); --i)
      out_.pieces[i - 1].begin = static_cast<uint32_t>(text.size());
    out_.pieces.push_back({.begin = static_cast<uint32_t>(text.size()),
                           .source = static_cast<uint32_t>(name_at_),
                           .fixed = true});
    if (!text.empty()) text += ' ';
    eat_blanks_ = false;
  }
  void end_substitution() {
    out_.text += ' ';
    eat_blanks_ = true;
  }

  void write(std::string_view part) {
    if (frames_.size() == 1) {
      const auto source = static_cast<size_t>(frames_.front().position);
      const bool continues =
          !out_.pieces.empty() && !out_.pieces.back().fixed &&
          out_.pieces.back().source + (out_.text.size() - out_.pieces.back().begin) == source;
      if (!continues)
        out_.pieces.push_back({.begin = static_cast<uint32_t>(out_.text.size()),
                               .source = static_cast<uint32_t>(source),
                               .fixed = false});
    }
    out_.text += part;
  }

  const ListTable& table_;
  ExpansionBudget& budget_;
  ExpandedText& out_;
  std::vector<Frame> frames_;
  size_t name_at_ = 0;       // in the outermost text: the name being replaced
  bool eat_blanks_ = false;  // a substitution has just ended
  bool drop_comma_ = false;  // an empty list stands where a comma follows
};

bool ListTable::expand(std::string_view text, ExpansionBudget& budget, ExpandedText& out) const {
  out = {};
  out.text.reserve(text.size());
  if (!Expansion(*this, text, budget, out).run()) return false;
  std::sort(out.lists.begin(), out.lists.end());
  out.lists.erase(std::unique(out.lists.begin(), out.lists.end()), out.lists.end());
  return true;
}

}  // namespace saker::rules
