#include "formats/json_index.h"

#include <simdjson.h>

#include "base/strings.h"
#include "formats/json_text.h"

namespace saker::formats {

namespace {

namespace ondemand = simdjson::ondemand;

constexpr size_t kMostMembers = 64;

// What stands between a key's quotes; the text is valid JSON up to there.
std::string_view key_at(const char* begin) {
  const char* end = begin;
  while (*end != '"') end += *end == '\\' ? 2 : 1;
  return {begin, end};
}

// Bodies of requests are large, and few ask about them.
bool is_looked_into(std::string_view key) {
  return key != "requestObject" && key != "responseObject";
}

}  // namespace

struct JsonIndex::Parser {
  ondemand::parser parser;
};

JsonIndex::JsonIndex() : parser_(std::make_unique<Parser>()) {}
JsonIndex::~JsonIndex() = default;
JsonIndex::JsonIndex(JsonIndex&&) noexcept = default;
JsonIndex& JsonIndex::operator=(JsonIndex&&) noexcept = default;

template <typename Object>
bool JsonIndex::add_members(Object& object, std::vector<Member>& out, bool nested) {
  const size_t begin = out.size();
  for (auto field : object) {
    if (field.error() != simdjson::SUCCESS) return false;
    ondemand::raw_json_string raw;
    if (field.key().get(raw) != simdjson::SUCCESS) return false;
    ondemand::value value;
    if (field.value().get(value) != simdjson::SUCCESS) return false;
    Member member;
    member.key = key_at(raw.raw());
    escaped_keys_ |= member.key.find('\\') != std::string_view::npos;
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    std::string_view token;
    if (type == ondemand::json_type::object) {
      ondemand::object inner;
      if (value.get_object().get(inner) != simdjson::SUCCESS) return false;
      if (inner.raw_json().get(token) != simdjson::SUCCESS) return false;
      if (!nested && is_looked_into(member.key)) {
        if (inner.reset().error() != simdjson::SUCCESS) return false;
        member.first_child = static_cast<uint32_t>(children_.size());
        member.has_children = add_members(inner, children_, true);
        member.child_count = static_cast<uint32_t>(children_.size()) - member.first_child;
        if (!member.has_children) return false;
      }
    } else if (type == ondemand::json_type::array) {
      ondemand::array inner;
      if (value.get_array().get(inner) != simdjson::SUCCESS) return false;
      if (inner.raw_json().get(token) != simdjson::SUCCESS) return false;
    } else {
      token = value.raw_json_token();
    }
    member.value = trim(token);
    if (out.size() - begin < kMostMembers)
      out.push_back(member);
    else
      escaped_keys_ = true;  // too many for the table: whoever asks looks through the text
  }
  return true;
}

bool JsonIndex::load(std::string_view text) {
  text_ = text;
  members_.clear();
  children_.clear();
  escaped_keys_ = false;
  ondemand::document document;
  const simdjson::padded_string_view padded(text.data(), text.size(), text.size() + kJsonPadding);
  if (parser_->parser.iterate(padded).get(document) != simdjson::SUCCESS) return false;
  ondemand::object object;
  if (document.get_object().get(object) != simdjson::SUCCESS ||
      !add_members(object, members_, false) ||
      document.current_location().error() != simdjson::OUT_OF_BOUNDS) {  // something follows
    members_.clear();
    children_.clear();
    return false;
  }
  return true;
}

const JsonIndex::Member* JsonIndex::find_member(const Member* members, size_t count,
                                                std::string_view part) {
  for (size_t i = 0; i < count; ++i)
    if (json_text::names(part, members[i].key)) return &members[i];
  return nullptr;
}

std::optional<std::string_view> JsonIndex::find(std::string_view pointer) const {
  if (pointer.empty()) return text_;
  if (escaped_keys_) return json_text::find(text_, pointer);
  if (pointer.front() == '/') pointer.remove_prefix(1);
  const size_t slash = pointer.find('/');
  const Member* member = find_member(members_.data(), members_.size(), pointer.substr(0, slash));
  if (member == nullptr) return std::nullopt;
  if (slash == std::string_view::npos) return member->value;
  if (!member->has_children) return json_text::find(member->value, pointer.substr(slash));
  const std::string_view rest = pointer.substr(slash + 1);
  const size_t next = rest.find('/');
  const Member* child = find_member(children_.data() + member->first_child, member->child_count,
                                    rest.substr(0, next));
  if (child == nullptr) return std::nullopt;
  if (next == std::string_view::npos) return child->value;
  return json_text::find(child->value, rest.substr(next));
}

}  // namespace saker::formats
