#include "procfs/users.h"

#include "base/fd.h"
#include "base/strings.h"

namespace saker::procfs {

namespace {

constexpr size_t kLargestFile = 16 << 20;

template <typename Row>
void for_each_row(const std::string& path, size_t fields, const Row& row) {
  const Result<std::string> text = read_file(path, kLargestFile);
  if (!text) return;
  for (std::string_view line : split(*text, '\n')) {
    const std::vector<std::string_view> parts = split(line, ':');
    if (parts.size() < fields) continue;
    row(parts);
  }
}

}  // namespace

void send_users(const std::string& root, event::SnapshotSink& sink) {
  const std::string base = root.ends_with('/') ? root : root + "/";
  for_each_row(base + "etc/passwd", 7, [&](const std::vector<std::string_view>& parts) {
    const std::optional<uint64_t> uid = parse_uint(parts[2]), gid = parse_uint(parts[3]);
    if (!uid || !gid) return;
    event::UserEntry user;
    user.id = static_cast<uint32_t>(*uid);
    user.gid = static_cast<uint32_t>(*gid);
    user.name = parts[0];
    user.home = parts[5];
    user.shell = parts[6];
    sink.on_user(user);
  });
  for_each_row(base + "etc/group", 3, [&](const std::vector<std::string_view>& parts) {
    const std::optional<uint64_t> gid = parse_uint(parts[2]);
    if (!gid) return;
    event::UserEntry group;
    group.is_group = true;
    group.id = group.gid = static_cast<uint32_t>(*gid);
    group.name = parts[0];
    sink.on_user(group);
  });
}

}  // namespace saker::procfs
