// Typed access to the values of an item in a rules file, with the errors that rule authors know.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/yaml.h"
#include "rules/definitions.h"

namespace saker::rules {

// Views of one file. Every failure has been reported.
class Decoder {
 public:
  Decoder(uint32_t file, Reporter& reporter) : file_(file), reporter_(reporter) {}

  [[nodiscard]] FilePlace place(const formats::YamlNode& node) const {
    return {.file = file_, .mark = node.mark};
  }

  Result<const formats::YamlNode*> required(const formats::YamlNode& item, std::string_view key,
                                            const Trail& trail);
  Result<Scalar> scalar(const formats::YamlNode& value, std::string_view key, const Trail& trail);
  Result<Scalar> text(const formats::YamlNode& item, std::string_view key, const Trail& trail);
  Result<std::optional<Scalar>> optional_text(const formats::YamlNode& item, std::string_view key,
                                              const Trail& trail);
  Result<std::optional<bool>> optional_bool(const formats::YamlNode& item, std::string_view key,
                                            const Trail& trail);
  Result<std::optional<uint32_t>> optional_number(const formats::YamlNode& item,
                                                  std::string_view key, const Trail& trail);
  Result<std::vector<std::string>> texts(const formats::YamlNode& value, std::string_view key,
                                         const Trail& trail);
  Result<std::optional<std::set<std::string>>> optional_set(const formats::YamlNode& item,
                                                            std::string_view key,
                                                            const Trail& trail);

 private:
  uint32_t file_;
  Reporter& reporter_;
};

}  // namespace saker::rules
