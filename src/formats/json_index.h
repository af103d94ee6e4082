// A JSON object of which only a few values are wanted, again and again: one forward pass finds
// where the members of the object and of the small objects in it lie; deeper values are looked for
// in their text when they are asked for. Facade over simdjson.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "formats/json.h"

namespace saker::formats {

// Used for one text after the other without allocating, once warm. Not thread-safe.
class JsonIndex {
 public:
  JsonIndex();
  ~JsonIndex();
  JsonIndex(JsonIndex&&) noexcept;
  JsonIndex& operator=(JsonIndex&&) noexcept;

  // False when the text is no JSON object, or invalid in what the pass looks at: then there are no
  // members. kJsonPadding bytes behind the text must be readable. The text stays the caller's and
  // must live as long as it is asked about.
  bool load(std::string_view text);

  [[nodiscard]] std::string_view text() const { return text_; }

  // The value that an RFC 6901 pointer names, as its text. As json_text::find().
  [[nodiscard]] std::optional<std::string_view> find(std::string_view pointer) const;

 private:
  struct Member {
    std::string_view key;    // between the quotes, as written
    std::string_view value;  // with quotes
    uint32_t first_child = 0, child_count = 0;
    bool has_children = false;  // its members are in the table
  };
  struct Parser;

  template <typename Object>
  bool add_members(Object& object, std::vector<Member>& out, bool nested);
  static const Member* find_member(const Member* members, size_t count, std::string_view part);

  std::string_view text_;
  std::vector<Member> members_, children_;
  bool escaped_keys_ = false;  // the table can't answer: some key is written with escapes
  std::unique_ptr<Parser> parser_;
};

}  // namespace saker::formats
