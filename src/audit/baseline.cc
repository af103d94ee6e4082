// Writes baselines. See baseline.h.
#include "audit/baseline.h"

#include <ctime>

#include "formats/json.h"

namespace saker::audit {

namespace {

void append_key(std::string_view key, std::string& out) {
  out.append(out.ends_with('{') ? "\"" : ",\"").append(key).append("\":");
}

void append_texts(std::string_view key, const std::vector<std::string>& texts, std::string& out) {
  append_key(key, out);
  out += '[';
  for (const std::string& text : texts) {
    if (!out.ends_with('[')) out += ',';
    formats::append_json_text(text, out);
  }
  out += ']';
}

// To the second, as whoever reads the file needs it.
void append_time(std::string_view key, uint64_t time_ns, std::string& out) {
  const auto seconds = static_cast<std::time_t>(time_ns / 1'000'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  append_key(key, out);
  formats::append_json_text({text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)},
                            out);
}

void append_actor(const ActorHabits& actor, std::string& out) {
  out += '{';
  append_key("name", out);
  formats::append_json_text(actor.name, out);
  append_key("requests", out);
  out += std::to_string(actor.requests);
  append_time("first", actor.first_ns, out);
  append_time("last", actor.last_ns, out);
  append_key("hours", out);
  out += '"';
  for (size_t hour = 0; hour < actor.hours.size(); ++hour) out += actor.hours[hour] ? '#' : '.';
  out += '"';
  append_texts("addresses", actor.addresses, out);
  append_texts("programs", actor.programs, out);
  append_texts("deeds", actor.deeds, out);
  out += '}';
}

}  // namespace

std::string to_text(const Baseline& baseline) {
  std::string out =
      "{\"schema\":\"saker.audit.baseline.v1\",\"left_out\":" + std::to_string(baseline.left_out) +
      ",\"actors\":[";
  for (const ActorHabits& actor : baseline.actors) {
    out += out.ends_with('[') ? "\n" : ",\n";
    append_actor(actor, out);
  }
  return out + "\n]}\n";
}

}  // namespace saker::audit
