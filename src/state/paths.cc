// Joining and normalising paths as text: what a process passed, on its working directory or the
// path of a directory fd. No file system is asked, so symbolic links stay as they are.
#include "base/bytes.h"
#include "state/state.h"

namespace saker::state {

namespace {

constexpr size_t kMaxPath = 1024;
constexpr std::string_view kTooLong = "/DIR_TOO_LONG/FILENAME_TOO_LONG";

constexpr uint64_t kOnes = 0x0101010101010101;

// The top bit of every byte of `word` that equals `c` (and of a byte above one that does, at
// times).
constexpr uint64_t bytes_equal(uint64_t word, char c) {
  const uint64_t difference = word ^ (kOnes * static_cast<uint8_t>(c));
  return (difference - kOnes) & ~difference & (kOnes << 7);
}

// Whether the path is surely its own normal form, which most are: no "//", no component that starts
// with a dot, no slash at the end (but for "/"). Eight bytes at a time.
bool is_plain(std::string_view path) {
  const size_t size = path.size();
  if (size == 0) return true;
  if (path[0] == '.' || (size > 1 && path.back() == '/')) return false;
  auto odd_pair = [&](size_t at) {
    return path[at] == '/' && (path[at + 1] == '/' || path[at + 1] == '.');
  };
  size_t at = 0;
  for (; at + 9 <= size; at += 8) {
    const auto first = load<uint64_t>(path.data() + at);
    const auto second = load<uint64_t>(path.data() + at + 1);
    const uint64_t odd = bytes_equal(second, '/') | bytes_equal(second, '.');
    if ((bytes_equal(first, '/') & odd) == 0) [[likely]]
      continue;
    for (size_t i = at; i < at + 8; ++i)
      if (odd_pair(i)) return false;
  }
  for (; at + 1 < size; ++at)
    if (odd_pair(at)) return false;
  return true;
}

// Takes the last component off `out`, which is normal so far. False when there is none to take: at
// the root, or behind a leading "..".
bool pop_component(std::string& out, size_t floor) {
  if (out.size() <= floor) return false;
  size_t slash = out.rfind('/');
  if (slash == std::string::npos || slash < floor) {
    if (out.substr(floor) == "..") return false;
    out.resize(floor);
    return true;
  }
  if (out.substr(slash + 1) == "..") return false;
  out.resize(slash > floor ? slash : floor);
  return true;
}

// Appends the components of `path` to `out`; `out` starts with "/" for an absolute one.
void append_normal(std::string_view path, std::string& out) {
  const size_t floor = out.size();  // 1 behind the leading slash, else 0
  const bool absolute = floor != 0;
  size_t at = 0;
  while (at < path.size()) {
    size_t end = path.find('/', at);
    if (end == std::string_view::npos) end = path.size();
    std::string_view component = path.substr(at, end - at);
    at = end + 1;
    if (component.empty() || component == ".") continue;
    if (component == ".." && (pop_component(out, floor) || absolute)) continue;
    if (out.size() > floor) out.push_back('/');
    out.append(component);
  }
}

}  // namespace

void concatenate_paths(std::string_view base, std::string_view path, std::string& out) {
  const bool absolute = path.starts_with('/');
  if (absolute) base = {};
  // A base that is no path ("<UNKNOWN>") is put in front as it is.
  const bool separate = !base.empty() && base.front() == '/' && base.back() != '/';
  if (base.size() + path.size() + 1 > kMaxPath) {
    out.assign(kTooLong);
    return;
  }
  out.assign(base);
  if (separate && !path.empty()) out.push_back('/');
  out.append(path);
  if (is_plain(out)) return;
  char joined[kMaxPath + 1];
  const size_t size = out.copy(joined, kMaxPath);
  std::string_view whole(joined, size);
  out.clear();
  if (whole.starts_with('/')) {
    out.push_back('/');
    whole.remove_prefix(1);
  }
  append_normal(whole, out);
}

std::string concatenate_paths(std::string_view base, std::string_view path) {
  std::string out;
  concatenate_paths(base, path, out);
  return out;
}

}  // namespace saker::state
