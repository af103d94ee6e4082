// A YAML tree as the API server's YAML library (go-yaml v2) and JSON decoder see it: merge keys are
// expanded, keys are texts and occur once, plain scalars have the types of YAML 1.1.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/policy.h"
#include "formats/yaml.h"

namespace saker::audit {

enum class ScalarType : uint8_t { null, boolean, integer, real, text };

// Of a null or scalar node: `yes` and `n` are booleans, `0x1f` and `1_000` numbers.
ScalarType scalar_type(const formats::YamlNode& node);
bool is_true(std::string_view boolean_text);

// What a JSON value must look like.
struct Shape;
struct ShapeField {
  std::string_view name;
  const Shape* shape;
};
struct Shape {
  enum class Kind : uint8_t { text, boolean, integer, time, any, list, map, object } kind;
  const Shape* item = nullptr;              // list, map
  std::span<const ShapeField> fields = {};  // object
};

class TreeChecker {
 public:
  explicit TreeChecker(std::vector<PolicyProblem>& problems) : problems_(problems) {}

  // Expands merge keys and drops all but the last of repeated keys, which makes a warning.
  void normalise(formats::YamlNode& node);
  // Reports values of a wrong type as errors, and fields that the shape doesn't have as warnings.
  void check(const formats::YamlNode& node, const Shape& shape, const std::string& path);

 private:
  class MapBuilder;
  void normalise_map(formats::YamlNode& node);
  void warn(std::string id, std::string field, std::string message, const formats::YamlMark& mark,
            std::string hint = {});
  void check_object(const formats::YamlNode& node, const Shape& shape, const std::string& path);
  void check_scalar(const formats::YamlNode& node, const Shape& shape, const std::string& path);
  void wrong_type(const formats::YamlNode& node, std::string_view wanted, const std::string& path);

  std::vector<PolicyProblem>& problems_;
  size_t warnings_ = 0;
};

PolicyProblem decode_error(std::string message, const formats::YamlMark& mark);

}  // namespace saker::audit
