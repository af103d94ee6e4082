#include "base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace saker {

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<UniqueFd> open_file(const std::string& path, int flags) {
  int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (fd < 0) return errno_error("cannot open " + path, errno);
  return UniqueFd(fd);
}

static Error too_large(const std::string& path, size_t limit) {
  return Error{.code = Code::invalid,
               .message = path + " is larger than the limit of " + std::to_string(limit) + " bytes",
               .position = {.file = path}};
}

Result<std::string> read_file(const std::string& path, size_t limit) {
  UniqueFd fd = SAKER_TRY(open_file(path, O_RDONLY));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return errno_error("cannot stat " + path, errno);
  if (S_ISDIR(info.st_mode))
    return Error{.code = Code::invalid, .message = path + " is a directory"};
  if (S_ISREG(info.st_mode) && static_cast<size_t>(info.st_size) > limit)
    return too_large(path, limit);
  std::string text;
  text.reserve(static_cast<size_t>(info.st_size) + 1);
  char buffer[65536];
  for (;;) {
    ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("cannot read " + path, errno);
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
    if (text.size() > limit) return too_large(path, limit);
  }
}

Status write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    ssize_t count = ::write(fd, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("cannot write", errno);
    data.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

Result<std::vector<std::string>> names_in(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (open == nullptr) return errno_error("cannot read the folder " + folder, errno);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Status sync_folder(const std::string& folder) {
  const UniqueFd fd = SAKER_TRY(open_file(folder, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return errno_error("cannot sync " + folder, errno);
  return {};
}

Status replace_file(const std::string& path, std::string_view data) {
  std::string temporary = path + ".tmp." + std::to_string(::getpid());
  {
    UniqueFd fd = SAKER_TRY(open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC));
    SAKER_CHECK(write_all(fd.get(), data));
    if (::fsync(fd.get()) != 0) return errno_error("cannot sync " + temporary, errno);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0)
    return errno_error("cannot replace " + path, errno);
  return {};
}

}  // namespace saker
