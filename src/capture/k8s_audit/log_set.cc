#include "capture/k8s_audit/log_set.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "base/fd.h"
#include "base/strings.h"
#include "base/time.h"
#include "formats/spool_reader.h"

namespace saker::capture {

namespace {

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "-2006-01-02T15-04-05.000" at the end of `text`.
std::optional<uint64_t> stamp_at_end(std::string_view text) {
  constexpr std::string_view kForm = "-dddd-dd-ddTdd-dd-dd.ddd";
  if (text.size() <= kForm.size()) return std::nullopt;
  const std::string_view stamp = text.substr(text.size() - kForm.size());
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool fits = kForm[i] == 'd' ? is_digits(stamp.substr(i, 1)) : stamp[i] == kForm[i];
    if (!fits) return std::nullopt;
  }
  std::string time(stamp.substr(1));
  time[13] = time[16] = ':';
  return parse_rfc3339(time + "Z");
}

// What logrotate appends: a number or a date.
bool is_logrotate_suffix(std::string_view suffix) {
  constexpr size_t kMostDigits = 4, kDateDigits = 8;
  if (suffix.starts_with('.'))
    return suffix.size() <= kMostDigits + 1 && is_digits(suffix.substr(1));
  if (!suffix.starts_with('-') || suffix.size() < kDateDigits + 1) return false;
  return is_digits(suffix.substr(1, kDateDigits)) &&
         suffix.find_first_not_of("0123456789-.") == std::string_view::npos;
}

// Of regular files and links to them; none where the folder can't be read.
std::vector<std::string> files_of(const std::string& folder) {
  Result<std::vector<std::string>> names = names_in(folder);
  if (!names.ok()) return {};
  std::erase_if(*names, [&](const std::string& name) {
    struct stat about{};
    return ::stat((folder + "/" + name).c_str(), &about) != 0 || !S_ISREG(about.st_mode);
  });
  return std::move(*names);
}

uint64_t modified_ns(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) return 0;
  return static_cast<uint64_t>(about.st_mtim.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(about.st_mtim.tv_nsec);
}

std::string without_compression(const std::string& path) {
  return path.substr(0, path.rfind('.'));
}

// Oldest first; where a file and its compressed form are both there, the form may not be complete.
void put_in_order(std::vector<RotatedLog>& logs) {
  std::ranges::sort(logs, [](const RotatedLog& a, const RotatedLog& b) {
    return std::tie(a.time_ns, a.path) < std::tie(b.time_ns, b.path);
  });
  std::vector<std::string> plain;
  for (const RotatedLog& log : logs)
    if (!log.compressed) plain.push_back(log.path);
  std::erase_if(logs, [&](const RotatedLog& log) {
    return log.compressed && std::ranges::find(plain, without_compression(log.path)) != plain.end();
  });
}

RotatedLog to_log(const RotatedName& name, const std::string& path) {
  return {.path = path,
          .time_ns = name.time_ns != 0 ? name.time_ns : modified_ns(path),
          .compressed = name.compressed};
}

Result<std::vector<std::string>> logs_of(const std::string& path) {
  struct stat about{};
  const bool folder = ::stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
  if (!folder || formats::is_spool(path)) return std::vector<std::string>{path};
  std::map<std::string, std::vector<RotatedLog>> sets;  // by the name of the live log
  for (const std::string& name : files_of(path)) {
    if (name.starts_with('.')) continue;
    const std::string whole = path + (path.ends_with('/') ? "" : "/") + name;
    if (const std::optional<RotatedName> rotated = parse_rotated_name(name)) {
      sets[rotated->live].push_back(to_log(*rotated, whole));
    } else {
      sets[name].push_back({.path = whole, .time_ns = UINT64_MAX});
    }
  }
  std::vector<std::string> out;
  for (auto& [live, logs] : sets) {
    put_in_order(logs);
    for (RotatedLog& log : logs) out.push_back(std::move(log.path));
  }
  if (out.empty())
    return Error{.code = Code::not_found, .message = path + ": is a folder without logs"};
  return out;
}

}  // namespace

std::optional<RotatedName> parse_rotated_name(std::string_view name) {
  RotatedName out;
  for (const std::string_view suffix : {".gz", ".zst"}) {
    if (!name.ends_with(suffix)) continue;
    name.remove_suffix(suffix.size());
    out.compressed = true;
    break;
  }
  const size_t dot = name.rfind('.');
  // The stamp has a dot of its own: "audit-…05.000" is a name without an extension.
  for (const size_t end : {dot, name.size()}) {
    if (end == std::string_view::npos) continue;
    const std::optional<uint64_t> stamp = stamp_at_end(name.substr(0, end));
    if (!stamp) continue;
    constexpr size_t kStamp = 24;
    out.live = std::string(name.substr(0, end - kStamp)) + std::string(name.substr(end));
    out.time_ns = *stamp;
    return out;
  }
  for (size_t at = 1; at < name.size(); ++at) {
    if (!is_logrotate_suffix(name.substr(at))) continue;
    out.live = name.substr(0, at);
    return out;
  }
  return std::nullopt;
}

std::vector<RotatedLog> rotated_logs(const std::string& live_path) {
  const size_t slash = live_path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : live_path.substr(0, slash + 1);
  const std::string live = live_path.substr(slash == std::string::npos ? 0 : slash + 1);
  std::vector<RotatedLog> logs;
  for (const std::string& name : files_of(folder)) {
    const std::optional<RotatedName> rotated = parse_rotated_name(name);
    if (rotated && rotated->live == live)
      logs.push_back(to_log(*rotated, slash == std::string::npos ? name : folder + name));
  }
  put_in_order(logs);
  return logs;
}

Result<std::vector<std::string>> expand_logs(const std::vector<std::string>& paths) {
  std::vector<std::string> all;
  for (const std::string& path : paths)
    for (std::string& log : SAKER_TRY(logs_of(path))) all.push_back(std::move(log));
  return all;
}

}  // namespace saker::capture
