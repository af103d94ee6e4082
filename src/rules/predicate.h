// The distinct checks of a rule set, grouped by their left side, so that one look-up of a value
// answers all checks on it at once: a hash table for = and in, tries for startswith and endswith,
// and the plain comparison for the rest.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "filter/compile.h"

namespace saker::rules {

using PredicateId = uint32_t;

// Finds which of many patterns a text starts with (or, read backwards, ends with).
class PatternTrie {
 public:
  enum class Direction : uint8_t { forwards, backwards };
  explicit PatternTrie(Direction direction) : direction_(direction) {}

  void add(std::string_view pattern, PredicateId predicate);
  [[nodiscard]] bool empty() const { return nodes_.size() == 1 && nodes_[0].predicates.empty(); }
  // Appends the predicates of all patterns that `text` starts (ends) with; one may come several
  // times.
  void find(std::string_view text, std::vector<PredicateId>& out) const;

 private:
  struct Node {
    std::string label;  // bytes from the parent to here, in reading direction
    std::vector<uint32_t> children;
    std::vector<PredicateId> predicates;
  };

  Direction direction_;
  std::vector<Node> nodes_ = std::vector<Node>(1);
};

// All predicates with the same left side.
class PredicateGroup {
 public:
  explicit PredicateGroup(const filter::Operand& left) : left_(left) {}

  // Puts the predicate into the index when its operator allows; says whether it did.
  bool add(PredicateId id, const filter::Check& check);

  [[nodiscard]] const filter::Operand& left() const { return left_; }
  [[nodiscard]] std::span<const PredicateId> indexed() const { return indexed_; }

  // Appends the indexed predicates that hold for the values.
  void find(const filter::Values& values, std::vector<PredicateId>& out) const;

 private:
  [[nodiscard]] bool index_text(PredicateId id, const filter::Check& check);
  [[nodiscard]] bool index_number(PredicateId id, const filter::Check& check);
  void find_text(std::string_view text, std::vector<PredicateId>& out) const;

  filter::Operand left_;
  std::vector<PredicateId> indexed_;
  std::unordered_map<std::string, std::vector<PredicateId>, StringHash, std::equal_to<>> exact_;
  std::unordered_map<uint64_t, std::vector<PredicateId>> numbers_;
  PatternTrie prefixes_{PatternTrie::Direction::forwards};
  PatternTrie suffixes_{PatternTrie::Direction::backwards};
};

// A distinct check.
struct Predicate {
  std::shared_ptr<const filter::Check> check;
  uint32_t group = 0;
  bool indexed = false;
  bool process_scope = false;  // its value stays until the thread's epoch moves
};

// Interns checks.
class PredicateTable {
 public:
  PredicateId intern(const std::shared_ptr<const filter::Check>& check);

  [[nodiscard]] size_t size() const { return predicates_.size(); }
  [[nodiscard]] const Predicate& operator[](PredicateId id) const { return predicates_[id]; }
  [[nodiscard]] std::span<const PredicateGroup> groups() const { return groups_; }

 private:
  std::vector<Predicate> predicates_;
  std::vector<PredicateGroup> groups_;
  std::unordered_map<std::string, PredicateId, StringHash, std::equal_to<>> by_text_;
  std::unordered_map<std::string, uint32_t, StringHash, std::equal_to<>> groups_by_left_;
};

}  // namespace saker::rules
