// Finding and reading rules files: a file, or every .yaml and .yml of a folder.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/fd.h"
#include "base/log.h"
#include "rules/ruleset.h"

namespace saker::rules {

namespace fs = std::filesystem;

static constexpr size_t kLargestFile = size_t{64} << 20;

static bool has_rules_name(const fs::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml";
}

static bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

// Reads a file that somebody may be writing: half of a file can be valid rules, so what changed
// while it was read is read again.
static Result<std::string> read_unchanged(const std::string& path) {
  constexpr int kAttempts = 5;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    struct stat before{}, after{};
    if (::stat(path.c_str(), &before) != 0) return errno_error("cannot read " + path, errno);
    std::string text = SAKER_TRY(read_file(path, kLargestFile));
    if (::stat(path.c_str(), &after) != 0) return errno_error("cannot read " + path, errno);
    const bool whole = !S_ISREG(after.st_mode) || text.size() == static_cast<size_t>(after.st_size);
    if (whole && (!S_ISREG(after.st_mode) || is_same(before, after))) return text;
  }
  return Error{.code = Code::busy, .message = path + " keeps changing while it is read"};
}

// The rules files of a folder, not of those in it, sorted by path.
static Result<std::vector<std::string>> files_of_folder(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (has_rules_name(entry->path()) && entry->is_regular_file(ignored))
      found.push_back(entry->path().string());
  }
  if (error) return errno_error("cannot list " + folder, error.value());
  std::sort(found.begin(), found.end());
  return found;
}

Result<std::vector<RulesText>> read_rules_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      const auto inside = SAKER_TRY(files_of_folder(path));
      files.insert(files.end(), inside.begin(), inside.end());
    } else if (has_rules_name(path)) {
      files.push_back(path);
    } else {
      log::warning("skipping " + path + ": rules files end in .yaml or .yml");
    }
  }
  if (files.empty())
    return Error{.code = Code::not_found,
                 .message = "no rules files",
                 .position = {},
                 .hint = "name files that end in .yaml or .yml, or a folder with such files"};
  std::vector<RulesText> texts;
  for (std::string& file : files) {
    std::string text = SAKER_TRY(read_unchanged(file));
    texts.push_back({.name = std::move(file), .text = std::move(text)});
  }
  return texts;
}

}  // namespace saker::rules
