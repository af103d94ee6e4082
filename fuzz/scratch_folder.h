// A folder of one's own in memory, for parsers that read files by name. Goes at exit.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace saker::fuzz {

class ScratchFolder {
 public:
  ScratchFolder() : path_("/dev/shm/saker-fuzz-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const { return path_; }

  // Writes a file; its folders come into being.
  void put(const std::string& name, std::string_view text) const {
    const std::filesystem::path whole = path_ + "/" + name;
    std::filesystem::create_directories(whole.parent_path());
    std::FILE* file = std::fopen(whole.c_str(), "wb");
    if (file == nullptr) std::abort();
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }
  // A symbolic link to any text that can be a link's target.
  void link(const std::string& name, std::string_view target) const {
    const std::filesystem::path whole = path_ + "/" + name;
    std::filesystem::create_directories(whole.parent_path());
    ::unlink(whole.c_str());
    const std::string text(target.substr(0, target.find('\0')));
    if (!text.empty()) (void)!::symlink(text.c_str(), whole.c_str());
  }

 private:
  std::string path_;
};

}  // namespace saker::fuzz
