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

  // Puts the predicate into the index when its operator allows; says whether it did. The check has
  // to stay.
  bool add(PredicateId id, const filter::Check& check);

  [[nodiscard]] const filter::Operand& left() const { return left_; }
  [[nodiscard]] bool has_index() const { return has_index_; }

  // Appends the indexed predicates that hold for the values.
  void find(const filter::Values& values, std::vector<PredicateId>& out) const;

 private:
  [[nodiscard]] bool index_text(PredicateId id, const filter::Check& check);
  [[nodiscard]] bool index_number(PredicateId id, const filter::Check& check);
  void find_text(std::string_view text, std::vector<PredicateId>& out) const;

  // A predicate in the chain of those with one constant.
  struct Link {
    PredicateId predicate;
    uint32_t next;  // in links_, or kEnd
  };
  static constexpr uint32_t kEnd = UINT32_MAX;

  void add_link(uint32_t& first, PredicateId id);
  void follow(uint32_t first, std::vector<PredicateId>& out) const {
    for (uint32_t at = first; at != kEnd; at = links_[at].next) out.push_back(links_[at].predicate);
  }

  filter::Operand left_;
  bool has_index_ = false;
  std::vector<Link> links_;
  // First links by constant; the texts are those of the checks.
  std::unordered_map<std::string_view, uint32_t, StringHash> exact_;
  std::unordered_map<uint64_t, uint32_t> numbers_;
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

// Interns checks, which have to stay as long as the table.
class PredicateTable {
 public:
  PredicateId intern(const std::shared_ptr<const filter::Check>& check);

  [[nodiscard]] size_t size() const { return predicates_.size(); }
  [[nodiscard]] const Predicate& operator[](PredicateId id) const { return predicates_[id]; }
  [[nodiscard]] std::span<const PredicateGroup> groups() const { return groups_; }

 private:
  std::vector<Predicate> predicates_;
  std::vector<PredicateGroup> groups_;
  std::unordered_map<const filter::Check*, PredicateId> by_check_;
  // Texts of the checks, which predicates_ keeps.
  std::unordered_map<std::string_view, PredicateId, StringHash> by_text_;
  std::unordered_map<std::string_view, uint32_t, StringHash> groups_by_left_;
};

}  // namespace saker::rules
