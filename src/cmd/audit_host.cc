#include "cmd/audit_host.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "audit/apiserver_manifest.h"
#include "base/fd.h"
#include "base/strings.h"
#include "cmd/listing.h"
#include "formats/json.h"

namespace saker::cmd {

namespace {

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), ::free);
  return real != nullptr ? real.get() : path;
}

// A backup's file name for one of the files.
std::string copy_name(const std::string& folder, size_t index, std::string_view which) {
  return folder + "/file-" + std::to_string(index) + "." + std::string(which);
}

}  // namespace

Result<std::optional<std::string>> read_if_there(const std::string& path) {
  Result<std::string> text = read_file(path, kLargestManifest);
  if (text.ok()) return std::optional<std::string>(std::move(*text));
  if (text.error().code == Code::not_found) return std::optional<std::string>();
  return std::move(text).error();
}

Status write_host_file(const std::string& path, std::string_view data, std::optional<uint32_t> user,
                       std::optional<uint32_t> group) {
  const std::string target = real_path(path);
  const std::string folder = audit::folder_of(target);
  const std::string temporary =
      folder + "/.saker-" + target.substr(target.rfind('/') + 1) + "." + std::to_string(::getpid());
  struct stat old{};
  const bool exists = ::stat(target.c_str(), &old) == 0;
  const uid_t owner = exists ? old.st_uid : user.value_or(::geteuid());
  const gid_t owner_group = exists ? old.st_gid : group.value_or(::getegid());
  const auto write = [&]() -> Status {
    const UniqueFd fd = SAKER_TRY(open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW));
    SAKER_CHECK(write_all(fd.get(), data));
    const bool foreign = owner != ::geteuid() || owner_group != ::getegid();
    if (foreign && ::fchown(fd.get(), owner, owner_group) != 0)
      return errno_error("cannot give " + target + " its owner", errno);
    if (::fchmod(fd.get(), exists ? old.st_mode & 07777 : 0600) != 0)
      return errno_error("cannot give " + target + " its mode", errno);
    if (::fsync(fd.get()) != 0) return errno_error("cannot sync " + temporary, errno);
    if (::rename(temporary.c_str(), target.c_str()) != 0)
      return errno_error("cannot replace " + target, errno);
    return {};
  };
  Status written = write();
  if (!written.ok()) {
    ::unlink(temporary.c_str());
    return written;
  }
  return sync_folder(folder);
}

std::vector<std::string> missing_folders(std::string path) {
  std::vector<std::string> missing;
  struct stat info{};
  for (; path.size() > 1 && ::stat(path.c_str(), &info) != 0; path = audit::folder_of(path))
    missing.insert(missing.begin(), path);
  return missing;
}

Status make_folders(const std::string& path, unsigned mode) {
  for (const std::string& folder : missing_folders(path))
    if (::mkdir(folder.c_str(), folder == path ? mode : 0755) != 0 && errno != EEXIST)
      return errno_error("cannot make the folder " + folder, errno);
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
  return Error{.message = path + " is no folder", .hint = "move it away"};
}

Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return errno_error("cannot remove " + path, errno);
  return {};
}

std::vector<std::string> stray_manifests(const std::string& manifest) {
  const std::string real = real_path(manifest);
  const std::string folder = audit::folder_of(real);
  std::vector<std::string> strays;
  const auto names = names_in(folder);
  if (!names.ok()) return strays;
  for (const std::string& name : *names) {
    std::string path = folder == "/" ? "" : folder;
    path.append("/").append(name);
    struct stat info{};
    if (name[0] == '.' || path == real || ::stat(path.c_str(), &info) != 0 ||
        !S_ISREG(info.st_mode))
      continue;
    const auto text = read_file(path, kLargestManifest);
    if (text.ok() && audit::read_apiserver_manifest(*text, path).ok()) strays.push_back(path);
  }
  return strays;
}

std::optional<uint64_t> free_space(std::string path) {
  struct statvfs info{};
  while (::statvfs(path.c_str(), &info) != 0) {
    if (errno != ENOENT || path == "/" || path.empty()) return std::nullopt;
    path = audit::folder_of(path);
  }
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

std::string backup_folder(const std::string& folder, const std::string& manifest) {
  std::string name;
  for (const char c : real_path(manifest))
    name += std::isalnum(static_cast<uint8_t>(c)) != 0 || c == '.' || c == '-' ? c : '_';
  return folder + "/" + name;
}

Result<std::optional<InstallRecord>> load_record(const std::string& folder) {
  const auto text = SAKER_TRY(read_if_there(folder + "/record.json"));
  if (!text) return std::optional<InstallRecord>();
  const formats::JsonNode json = SAKER_TRY(formats::parse_json(*text));
  InstallRecord record;
  record.manifest_before = SAKER_TRY(read_file(folder + "/manifest.before", kLargestManifest));
  record.manifest_after = SAKER_TRY(read_file(folder + "/manifest.after", kLargestManifest));
  const formats::JsonNode* files = json.find("files");
  for (size_t i = 0; files != nullptr && i < files->items.size(); ++i) {
    InstallRecord::File file{.path = files->items[i].text_of("path")};
    if (files->items[i].bool_of("existed"))
      file.before = SAKER_TRY(read_file(copy_name(folder, i, "before"), kLargestManifest));
    file.after = SAKER_TRY(read_file(copy_name(folder, i, "after"), kLargestManifest));
    record.files.push_back(std::move(file));
  }
  if (const formats::JsonNode* folders = json.find("folders"))
    for (const formats::JsonNode& made : folders->items) record.folders.push_back(made.text);
  return std::optional<InstallRecord>(std::move(record));
}

// The list of files comes last: without it there is no record.
Status save_record(const std::string& folder, const std::string& manifest,
                   const InstallRecord& record) {
  for (const std::string& missing : missing_folders(folder))
    SAKER_CHECK(make_folders(missing, 0700));
  SAKER_CHECK(write_host_file(folder + "/manifest.before", record.manifest_before));
  SAKER_CHECK(write_host_file(folder + "/manifest.after", record.manifest_after));
  JsonWriter json;
  json.begin_object();
  json.key("files").begin_array();
  for (size_t i = 0; i < record.files.size(); ++i) {
    const InstallRecord::File& file = record.files[i];
    if (file.before) SAKER_CHECK(write_host_file(copy_name(folder, i, "before"), *file.before));
    SAKER_CHECK(write_host_file(copy_name(folder, i, "after"), file.after));
    json.begin_object();
    json.key("existed").boolean(file.before.has_value());
    json.key("path").text(file.path).end_object();
  }
  json.end_array();
  json.key("folders").texts(record.folders);
  json.key("manifest").text(manifest);
  json.key("schema").text("saker.audit.install.record.v1");
  return write_host_file(folder + "/record.json", json.end_object().result() + "\n");
}

Status remove_record(const std::string& folder) {
  SAKER_CHECK(remove_file(folder + "/record.json"));
  const auto names = names_in(folder);
  if (!names.ok()) return {};
  for (const std::string& name : *names)
    if (name.starts_with("manifest.") || name.starts_with("file-"))
      SAKER_CHECK(remove_file(std::string(folder).append("/").append(name)));
  ::rmdir(folder.c_str());
  return {};
}

bool ask(std::string_view question) {
  if (::isatty(STDIN_FILENO) == 0) return false;
  std::fprintf(stderr, "%.*s [y/N] ", static_cast<int>(question.size()), question.data());
  char line[64] = {};
  if (std::fgets(line, sizeof line, stdin) == nullptr) return false;
  const std::string answer = to_lower(trim(line));
  return answer == "y" || answer == "yes";
}

}  // namespace saker::cmd
