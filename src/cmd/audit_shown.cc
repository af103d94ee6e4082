// See audit_shown.h.
#include "cmd/audit_shown.h"

#include "base/strings.h"
#include "output/format.h"

namespace saker::cmd {

// Markdown knows HTML.
std::string shown(std::string_view text, Medium medium) {
  const std::string plain = output::escape_controls(sanitize_utf8(text));
  if (medium == Medium::terminal) return plain;
  std::string out;
  for (const char c : plain) {
    if (c == '<')
      out += "&lt;";
    else if (c == '`' || c == '*' || c == '[' || c == '_')
      out.append("\\").push_back(c);
    else
      out += c;
  }
  return out;
}

std::string shell_quoted(std::string_view word) {
  std::string out = "'";
  for (const char c : word)
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  return out + "'";
}

std::string lower_name(finding::Severity severity) {
  std::string out(finding::to_string(severity));
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace saker::cmd
