// What rules files define, collected before anything is compiled: lists, macros and rules after
// appends and overrides, each with the place that it came from.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "finding/finding.h"
#include "rules/diagnostics.h"

namespace saker::rules {

// A scalar of a file and where it stands.
struct Scalar {
  std::string text;
  FilePlace place;
};

// Text put together from scalars of the files, which remembers for each byte where it came from.
struct SourceText {
  struct Piece {
    uint32_t begin = 0;       // in `text`
    uint32_t whole_size = 0;  // of the scalar's value
    bool fixed = false;       // text of ours, that stands for the scalar's beginning
    FilePlace place;          // of the scalar
  };
  std::string text;
  std::vector<Piece> pieces;

  void add(const Scalar& scalar);
  void add_fixed(std::string_view made, const FilePlace& place);
  void add(const SourceText& other);
  // The place of a byte; `file_text` gives the text of a file.
  [[nodiscard]] FilePlace locate(size_t offset, const Reporter& files) const;
};

// Order of definition: `index` is the first, kept when redefined; `visibility` the newest.
struct Order {
  size_t index = 0;
  size_t visibility = 0;
};

struct ListDef {
  std::string name;
  std::vector<std::string> items;
  FilePlace place;
  Order order;
};

struct MacroDef {
  std::string name;
  SourceText condition;
  FilePlace place;
  FilePlace condition_place;
  Order order;
};

// A value, field or operator of an exception: one, or a list of them.
struct ExceptionEntry {
  bool is_list = false;
  Scalar scalar;
  std::vector<ExceptionEntry> items;
};

struct ExceptionDef {
  std::string name;
  FilePlace place;
  std::optional<ExceptionEntry> fields;
  std::optional<ExceptionEntry> comps;
  std::vector<ExceptionEntry> values;
};

// Our extension: only many matches together make an alert. Fields by name, looked up later.
struct BurstDef {
  uint32_t count = 2;
  uint32_t seconds = 60;
  std::vector<Scalar> by;
  std::optional<Scalar> distinct;
};

struct RuleDef {
  std::string name;
  SourceText condition;
  SourceText output;
  std::string description;
  finding::Severity priority = finding::Severity::debug;
  std::string source = "syscall";
  std::set<std::string> tags;
  bool enabled = true;
  bool warn_evttypes = true;
  bool skip_if_unknown_filter = false;
  bool capture = false;
  uint32_t capture_duration_ms = 0;
  std::optional<std::vector<ExceptionDef>> exceptions;
  std::optional<BurstDef> burst;
  bool unknown_source = false;
  FilePlace place;
  FilePlace condition_place;
  FilePlace output_place;
  Order order;
};

// The part of a rule that an append or a replace brings.
struct RuleUpdate {
  std::string name;
  std::optional<Scalar> condition;
  std::optional<Scalar> output;
  std::optional<std::string> description;
  std::optional<std::set<std::string>> tags;
  std::optional<std::vector<ExceptionDef>> exceptions;
  std::optional<finding::Severity> priority;
  std::optional<bool> enabled;
  std::optional<bool> warn_evttypes;
  std::optional<bool> skip_if_unknown_filter;
  std::optional<bool> capture;
  std::optional<uint32_t> capture_duration_ms;
  std::optional<BurstDef> burst;
};

// A vector that is also found by name, in order of first definition.
template <typename T>
class NamedVector {
 public:
  T* find(std::string_view name) {
    auto found = index_.find(name);
    return found == index_.end() ? nullptr : &items_[found->second];
  }
  [[nodiscard]] const T* find(std::string_view name) const {
    auto found = index_.find(name);
    return found == index_.end() ? nullptr : &items_[found->second];
  }
  void add(T item) {
    index_.emplace(item.name, items_.size());
    items_.push_back(std::move(item));
  }
  [[nodiscard]] const std::vector<T>& all() const { return items_; }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    result.reserve(items_.size());
    for (const T& item : items_) result.push_back(item.name);
    return result;
  }

 private:
  std::vector<T> items_;
  std::unordered_map<std::string, size_t, StringHash, std::equal_to<>> index_;
};

}  // namespace saker::rules
