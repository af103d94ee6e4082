// Reads baselines. See baseline.h.
#include <algorithm>

#include "audit/baseline.h"
#include "base/time.h"
#include "formats/json.h"

namespace saker::audit {

namespace {

using formats::JsonNode;

constexpr std::string_view kFamily = "saker.audit.baseline.";

Error broken(const std::string& where, const std::string& what) {
  return {.code = Code::invalid, .message = where + " " + what};
}

bool in_order(const std::vector<std::string>& texts) {
  return std::ranges::adjacent_find(texts, std::ranges::greater_equal()) == texts.end();
}

class Reader {
 public:
  Result<Baseline> read(const JsonNode& root) {
    SAKER_CHECK(check_schema(root));
    Baseline out;
    SAKER_CHECK(read_count(root, "left_out", out.left_out));
    const JsonNode* const actors = root.find("actors");
    if (actors == nullptr || !actors->is_array()) return broken("actors", "is no list");
    if (actors->items.size() > Baseline::kMostActors) return broken("actors", "are too many");
    for (const JsonNode& actor : actors->items) {
      where_ = "actors[" + std::to_string(out.actors.size()) + "]";
      out.actors.push_back(SAKER_TRY(read_actor(actor)));
      if (out.actors.size() > 1 && out.actors.end()[-2].name >= out.actors.back().name)
        return broken(where_ + ".name", "is not behind the one before");
    }
    return out;
  }

 private:
  static Status check_schema(const JsonNode& root) {
    const std::string schema = root.text_of("schema");
    if (schema == std::string(kFamily) + "v1") return {};
    if (schema.starts_with(kFamily))
      return broken("schema", "is " + schema + "; this version of saker reads v1");
    return broken("schema", "does not say that this is a baseline");
  }

  [[nodiscard]] Status read_count(const JsonNode& node, std::string_view key, uint64_t& out) const {
    const JsonNode* const found = node.find(key);
    if (found == nullptr || found->kind != JsonNode::Kind::integer || found->integer < 0)
      return broken(path(key), "is no count");
    out = static_cast<uint64_t>(found->integer);
    return {};
  }

  [[nodiscard]] Status read_time(const JsonNode& node, std::string_view key, uint64_t& out) const {
    const std::optional<uint64_t> time = parse_rfc3339(node.text_of(key));
    if (!time) return broken(path(key), "is no time of RFC 3339");
    out = *time;
    return {};
  }

  // A picture of the day, an hour a character: "........#########.......".
  [[nodiscard]] Status read_hours(const JsonNode& node, HoursOfDay& out) const {
    const std::string hours = node.text_of("hours");
    if (hours.size() != out.size() || hours.find_first_not_of(".#") != std::string::npos)
      return broken(path("hours"), "is no picture of 24 hours");
    for (size_t hour = 0; hour < out.size(); ++hour) out.set(hour, hours[hour] == '#');
    return {};
  }

  Status read_texts(const JsonNode& node, std::string_view key, std::vector<std::string>& out) {
    const JsonNode* const texts = node.find(key);
    if (texts == nullptr || !texts->is_array()) return broken(path(key), "is no list");
    habits_ += texts->items.size();
    if (habits_ > Baseline::kMostHabits) return broken(path(key), "is beyond what is kept");
    for (const JsonNode& text : texts->items) {
      if (!text.is_text() || text.text.size() > Baseline::kMostText)
        return broken(path(key), "has what is no text, or too long");
      out.push_back(text.text);
    }
    return in_order(out) ? Status() : broken(path(key), "is not in order");
  }

  Result<ActorHabits> read_actor(const JsonNode& node) {
    ActorHabits out{.name = node.text_of("name")};
    if (out.name.empty() || out.name.size() > Baseline::kMostText)
      return broken(path("name"), "is no name");
    SAKER_CHECK(read_count(node, "requests", out.requests));
    SAKER_CHECK(read_time(node, "first", out.first_ns));
    SAKER_CHECK(read_time(node, "last", out.last_ns));
    SAKER_CHECK(read_hours(node, out.hours));
    SAKER_CHECK(read_texts(node, "addresses", out.addresses));
    SAKER_CHECK(read_texts(node, "programs", out.programs));
    SAKER_CHECK(read_texts(node, "deeds", out.deeds));
    return out;
  }

  [[nodiscard]] std::string path(std::string_view key) const {
    return where_.empty() ? std::string(key) : where_ + "." + std::string(key);
  }

  std::string where_;  // of the actor that is read
  size_t habits_ = 0;
};

}  // namespace

Result<Baseline> parse_baseline(std::string_view text, const std::string& file) {
  Result<JsonNode> root = formats::parse_json(text);
  Result<Baseline> out =
      root.ok() ? Reader().read(*root) : Result<Baseline>(std::move(root.error()));
  if (out.ok()) return out;
  out.error().position.file = file;
  out.error().hint = "learn it again: saker audit analyze --learn FILE LOG...";
  return out;
}

}  // namespace saker::audit
