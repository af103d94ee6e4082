// Writes whole lines to a descriptor, in a way that another thread can interrupt.
#pragma once

#include <atomic>
#include <string_view>

#include "base/result.h"

namespace saker::output {

// For one thread, but for cancel().
class LineWriter {
 public:
  // Writes all of `text` or says why not. `written` tells how far it came. A pipe or terminal whose
  // reader sleeps is waited for, until cancel().
  Status write(int fd, std::string_view text, size_t& written);
  void cancel() { cancelled_ = true; }

 private:
  std::atomic<bool> cancelled_ = false;
};

}  // namespace saker::output
