// Buffered standard output for lines that come by the thousand.
#pragma once

#include <string>
#include <string_view>

namespace saker::agent {

// For one thread. Flushes when it goes.
class TextOutput {
 public:
  explicit TextOutput(int fd) : fd_(fd) { buffer_.reserve(kFlushAt * 2); }
  TextOutput(const TextOutput&) = delete;
  TextOutput& operator=(const TextOutput&) = delete;
  ~TextOutput() { flush(); }

  std::string& buffer() { return buffer_; }
  // To be called after appending: writes when enough has gathered.
  void maybe_flush() {
    if (buffer_.size() >= kFlushAt) flush();
  }
  void flush();
  // False after a write failed (a closed pipe): there is no reader any more.
  [[nodiscard]] bool alive() const { return alive_; }

 private:
  static constexpr size_t kFlushAt = 65536;

  int fd_;
  bool alive_ = true;
  std::string buffer_;
};

}  // namespace saker::agent
