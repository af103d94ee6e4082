// How a finding looks in a sink: a line for people, or a JSON object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "finding/finding.h"
#include "output/sink.h"

namespace saker::output {

enum class Format : uint8_t { text, json };

// "text", "json", or "auto": JSON when json_output says so or when nobody watches.
Format choose_format(const SinkSettings& settings, bool on_terminal);

// The line for people. Control characters of a hostile command line are escaped, so that an alert
// is one line and can't steer the terminal.
std::string safe_line(const finding::Finding& finding, const finding::JsonOptions& options);
std::string escape_controls(std::string_view text);

// The escape sequence that a severity is shown in, and the one that ends it.
std::string_view colour_of(finding::Severity severity);
inline constexpr std::string_view kColourEnd = "\x1b[0m";

}  // namespace saker::output
