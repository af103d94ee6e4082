// Owning a file descriptor, and whole-file reads with a bound.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace saker {

// Closes its descriptor when it goes. Move-only.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Opens with O_CLOEXEC; new files get mode 0600.
Result<UniqueFd> open_file(const std::string& path, int flags);

// The whole file; an error when it is larger than `limit` bytes.
Result<std::string> read_file(const std::string& path, size_t limit);

// Writes all of `data`, or says why not.
Status write_all(int fd, std::string_view data);

// The names in a folder, sorted.
Result<std::vector<std::string>> names_in(const std::string& folder);

// What was renamed, made or removed in a folder survives a crash.
Status sync_folder(const std::string& folder);

// Writes a file anew through a temporary beside it and a rename, so that readers see the old or the
// new.
Status replace_file(const std::string& path, std::string_view data);

}  // namespace saker
