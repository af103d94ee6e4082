#include "output/format.h"

#include "base/strings.h"

namespace saker::output {

Format choose_format(const SinkSettings& settings, bool on_terminal) {
  const std::string_view format = settings.text("format");
  if (format == "json") return Format::json;
  if (format == "text") return Format::text;
  return settings.prefer_json || !on_terminal ? Format::json : Format::text;
}

std::string escape_controls(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  const std::string clean = sanitize_utf8(text);
  std::string out;
  out.reserve(clean.size());
  for (size_t i = 0; i < clean.size(); ++i) {
    const auto byte = static_cast<unsigned char>(clean[i]);
    // U+0080 to U+009F are control characters too: 0xc2 0x80 to 0xc2 0x9f.
    const bool c1 =
        byte == 0xc2 && i + 1 < clean.size() && static_cast<unsigned char>(clean[i + 1]) < 0xa0;
    if (byte >= 0x20 && byte != 0x7f && !c1) {
      out += clean[i];
      continue;
    }
    const auto code = c1 ? static_cast<unsigned char>(clean[++i]) : byte;
    switch (code) {
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out += kHex[code >> 4];
        out += kHex[code & 0xf];
    }
  }
  return out;
}

std::string safe_line(const finding::Finding& finding, const finding::JsonOptions& options) {
  return escape_controls(finding::to_line(finding, options.iso_time));
}

std::string_view colour_of(finding::Severity severity) {
  using enum finding::Severity;
  switch (severity) {
    case emergency:
    case alert:
    case critical: return "\x1b[1;31m";
    case error: return "\x1b[31m";
    case warning: return "\x1b[33m";
    case notice: return "\x1b[36m";
    case informational: return "\x1b[32m";
    case debug: return "\x1b[2m";
  }
  return {};
}

}  // namespace saker::output
