#include "agent/text_output.h"

#include "base/fd.h"

namespace saker::agent {

void TextOutput::flush() {
  if (alive_ && !buffer_.empty()) alive_ = write_all(fd_, buffer_).ok();
  buffer_.clear();
}

}  // namespace saker::agent
