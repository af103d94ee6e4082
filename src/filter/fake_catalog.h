// A catalog for tests: fields whose values a test sets by name.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "filter/field.h"

namespace saker::filter {

// The values of fields, by the field's complete text: "proc.aname[2]".
class FakeEvent {
 public:
  void set_text(const std::string& field, std::initializer_list<std::string> texts);
  void set_integer(const std::string& field, std::initializer_list<int64_t> numbers);
  void set_boolean(const std::string& field, bool value);
  void set_real(const std::string& field, double value);
  void set_ip(const std::string& field, std::initializer_list<std::string> addresses);
  void clear(const std::string& field) { values_.erase(field); }

  // A context with this event's values; valid while the event and the arena live.
  [[nodiscard]] EvalContext context(Arena& scratch) const;

  // Adds the field's values; false when it has none.
  bool extract(const std::string& field, Values& out) const;

 private:
  struct Stored {
    Value value;
    std::string text;
    IpAddress ip;
  };
  std::map<std::string, std::vector<Stored>> values_;
};

// Owns the rows of a catalog. At most 512 fields in one program.
class FakeCatalog {
 public:
  // All fields are added before the first call of get(). The extractor is set here.
  void add(const std::string& name, FieldInfo info, const std::string& source = "");
  const FieldCatalog& get();

 private:
  std::map<std::string, std::vector<FieldInfo>> rows_;  // by source
  std::unique_ptr<FieldCatalog> catalog_;
};

// Fields of every type and kind, for the tests of this room.
const FieldCatalog& small_catalog();

}  // namespace saker::filter
