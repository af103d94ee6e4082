#include "state/users.h"

namespace saker::state {

namespace {

// Names come from passwd files of containers; nobody's are longer than this.
constexpr size_t kLongest = 1024;

// "host" is how events about users call what threads call "".
std::string_view key_of(std::string_view container_id) {
  return container_id == "host" ? std::string_view{} : container_id.substr(0, 64);
}

User cut(const User& user) {
  return {.name = user.name.substr(0, kLongest),
          .home = user.home.substr(0, kLongest),
          .shell = user.shell.substr(0, kLongest),
          .gid = user.gid};
}

bool same(const User& a, const User& b) {
  return a.name == b.name && a.home == b.home && a.shell == b.shell && a.gid == b.gid;
}

}  // namespace

const UserTable::Names* UserTable::names_of(std::string_view container_id) const {
  auto found = containers_.find(key_of(container_id));
  return found == containers_.end() ? nullptr : &found->second;
}

// The names to add to; null when there is no room for one more.
UserTable::Names* UserTable::names_for(std::string_view container_id) {
  auto found = containers_.find(key_of(container_id));
  if (found != containers_.end()) return &found->second;
  if (entries_ >= max_entries_) return nullptr;
  return &containers_[std::string(key_of(container_id))];
}

bool UserTable::set_user(std::string_view container_id, uint32_t uid, const User& user) {
  Names* names = names_for(container_id);
  if (names == nullptr) return false;
  auto found = names->users.find(uid);
  if (found == names->users.end()) {
    if (entries_ >= max_entries_) return false;
    ++entries_;
    names->users.emplace(uid, cut(user));
    return true;
  }
  if (same(found->second, user)) return false;
  found->second = cut(user);
  return true;
}

bool UserTable::set_group(std::string_view container_id, uint32_t gid, std::string_view name) {
  Names* names = names_for(container_id);
  if (names == nullptr) return false;
  auto found = names->groups.find(gid);
  if (found == names->groups.end()) {
    if (entries_ >= max_entries_) return false;
    ++entries_;
    names->groups.emplace(gid, name.substr(0, kLongest));
    return true;
  }
  if (found->second == name) return false;
  found->second = name.substr(0, kLongest);
  return true;
}

bool UserTable::remove_user(std::string_view container_id, uint32_t uid) {
  auto found = containers_.find(key_of(container_id));
  if (found == containers_.end() || found->second.users.erase(uid) == 0) return false;
  --entries_;
  return true;
}

bool UserTable::remove_group(std::string_view container_id, uint32_t gid) {
  auto found = containers_.find(key_of(container_id));
  if (found == containers_.end() || found->second.groups.erase(gid) == 0) return false;
  --entries_;
  return true;
}

void UserTable::remove_container(std::string_view container_id) {
  auto found = containers_.find(key_of(container_id));
  if (found == containers_.end() || found->first.empty()) return;
  entries_ -= found->second.users.size() + found->second.groups.size();
  containers_.erase(found);
}

const User* UserTable::user(std::string_view container_id, uint32_t uid) const {
  const Names* names = names_of(container_id);
  if (names == nullptr) return nullptr;
  auto found = names->users.find(uid);
  return found == names->users.end() ? nullptr : &found->second;
}

const std::string* UserTable::group(std::string_view container_id, uint32_t gid) const {
  const Names* names = names_of(container_id);
  if (names == nullptr) return nullptr;
  auto found = names->groups.find(gid);
  return found == names->groups.end() ? nullptr : &found->second;
}

}  // namespace saker::state
