// Words and letters for kinds of file descriptors.
#pragma once

#include <string_view>

#include "base/text_builder.h"
#include "event/snapshot.h"
#include "state/thread.h"

namespace saker::fields {

// "file", "ipv4" ...; "<NA>" for kinds without a word.
std::string_view type_word(event::FdType type);
// 'f', '4' ...
char type_letter(event::FdType type);
// "tcp" ...; "<NA>" when it has none.
std::string_view l4_word(event::L4Proto proto);

// "<4t>1.2.3.4:5->6.7.8.9:10": how a parameter shows an fd.
void append_fd(const state::Fd& fd, TextBuilder& out);

}  // namespace saker::fields
