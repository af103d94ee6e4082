// Joining and normalising paths as text: what a process passed, on its working directory or the
// path of a directory fd. No file system is asked, so symbolic links stay as they are.
#include "state/state.h"

namespace saker::state {

namespace {

constexpr size_t kMaxPath = 1024;
constexpr std::string_view kTooLong = "/DIR_TOO_LONG/FILENAME_TOO_LONG";

// Whether the path is its own normal form, which most are: no "//", no component "." or "..", no
// slash at the end (but for "/").
bool is_normal(std::string_view path) {
  if (path.size() > 1 && path.back() == '/') return false;
  for (size_t at = 0; at < path.size(); ++at) {
    if (path[at] != '/' && at != 0) continue;
    const size_t component = path[at] == '/' ? at + 1 : at;
    if (component >= path.size()) break;
    if (path[component] == '/') return false;
    if (path[component] != '.') continue;
    std::string_view rest = path.substr(component);
    if (rest == "." || rest == ".." || rest.starts_with("./") || rest.starts_with("../"))
      return false;
  }
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
  if (is_normal(out)) return;
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
