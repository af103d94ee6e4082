// Scalars and sequences of rules files. See decode.h.
#include "rules/decode.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/strings.h"

namespace saker::rules {

using formats::YamlNode;

// YAML 1.1 booleans, each in lower case, upper case or with a capital.
static std::optional<bool> parse_bool(std::string_view text) {
  constexpr std::array<std::string_view, 4> kTrue = {"y", "yes", "true", "on"};
  constexpr std::array<std::string_view, 4> kFalse = {"n", "no", "false", "off"};
  const std::string lower = to_lower(text);
  std::string capital = lower;
  if (!capital.empty()) capital.front() = to_upper(capital.substr(0, 1)).front();
  if (text != lower && text != to_upper(text) && text != capital) return std::nullopt;
  if (std::find(kTrue.begin(), kTrue.end(), lower) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), lower) != kFalse.end()) return false;
  return std::nullopt;
}

Result<const YamlNode*> Decoder::required(const YamlNode& item, std::string_view key,
                                          const Trail& trail) {
  const YamlNode* value = item.find(key);
  if (value == nullptr)
    return reporter_.fail(kErrYamlValidate,
                          "Item has no mapping for key '" + std::string(key) + "'", trail);
  if (value->is_null())
    return reporter_.fail(kErrYamlValidate, "Mapping for key '" + std::string(key) + "' is empty",
                          Trail{&trail, "value for", key, place(*value)});
  return value;
}

Result<Scalar> Decoder::scalar(const YamlNode& value, std::string_view key, const Trail& trail) {
  const Trail here{&trail, "value for", key, place(value)};
  if (value.is_null())
    return reporter_.fail(kErrYamlValidate, "Mapping for key '" + std::string(key) + "' is empty",
                          here);
  if (!value.is_scalar())
    return reporter_.fail(kErrYamlValidate, "Value is not a scalar value", here);
  if (value.text.empty()) return reporter_.fail(kErrYamlValidate, "Value must be non-empty", here);
  return Scalar{.text = value.text, .place = place(value)};
}

Result<Scalar> Decoder::text(const YamlNode& item, std::string_view key, const Trail& trail) {
  return scalar(*SAKER_TRY(required(item, key, trail)), key, trail);
}

Result<std::optional<Scalar>> Decoder::optional_text(const YamlNode& item, std::string_view key,
                                                     const Trail& trail) {
  const YamlNode* value = item.find(key);
  if (value == nullptr) return std::optional<Scalar>();
  return std::optional<Scalar>(SAKER_TRY(scalar(*value, key, trail)));
}

Result<std::optional<bool>> Decoder::optional_bool(const YamlNode& item, std::string_view key,
                                                   const Trail& trail) {
  const auto value = SAKER_TRY(optional_text(item, key, trail));
  if (!value) return std::optional<bool>();
  const auto parsed = parse_bool(value->text);
  if (!parsed)
    return reporter_.fail(kErrYamlValidate, "Can't decode YAML scalar value",
                          Trail{&trail, "value for", key, value->place}, "write true or false");
  return parsed;
}

Result<std::optional<uint32_t>> Decoder::optional_number(const YamlNode& item, std::string_view key,
                                                         const Trail& trail) {
  const auto value = SAKER_TRY(optional_text(item, key, trail));
  if (!value) return std::optional<uint32_t>();
  const auto parsed = parse_uint(value->text);
  if (!parsed || *parsed > std::numeric_limits<uint32_t>::max())
    return reporter_.fail(kErrYamlValidate, "Can't decode YAML scalar value",
                          Trail{&trail, "value for", key, value->place}, "write a whole number");
  return std::optional(static_cast<uint32_t>(*parsed));
}

Result<std::vector<std::string>> Decoder::texts(const YamlNode& value, std::string_view key,
                                                const Trail& trail) {
  const Trail here{&trail, "value for", key, place(value)};
  if (!value.is_sequence())
    return reporter_.fail(kErrYamlValidate, "Value is not a sequence", here);
  std::vector<std::string> result;
  result.reserve(value.items.size());
  for (const YamlNode& item : value.items) {
    if (!item.is_scalar())
      return reporter_.fail(kErrYamlValidate, "sequence value is not scalar",
                            Trail{&here, "list item", "", place(item)});
    result.push_back(item.text);
  }
  return result;
}

Result<std::optional<std::set<std::string>>> Decoder::optional_set(const YamlNode& item,
                                                                   std::string_view key,
                                                                   const Trail& trail) {
  const YamlNode* value = item.find(key);
  if (value == nullptr) return std::optional<std::set<std::string>>();
  const auto words = SAKER_TRY(texts(*value, key, trail));
  return std::optional(std::set<std::string>(words.begin(), words.end()));
}

}  // namespace saker::rules
