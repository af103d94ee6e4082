// Names out of an audit log, which a hostile client may have chosen, made fit to be shown.
#pragma once

#include <string>
#include <string_view>

#include "finding/finding.h"

namespace saker::cmd {

enum class Medium : uint8_t { terminal, markdown };

std::string shown(std::string_view text, Medium medium = Medium::terminal);
// One word for a shell.
std::string shell_quoted(std::string_view word);
// "warning".
std::string lower_name(finding::Severity severity);

}  // namespace saker::cmd
