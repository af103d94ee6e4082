// Users and groups by container and number: the host's under the empty container id.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"
#include "state/state.h"

namespace saker::state {

class UserTable {
 public:
  explicit UserTable(size_t max_entries) : max_entries_(max_entries) {}

  // True when something changed.
  bool set_user(std::string_view container_id, uint32_t uid, const User& user);
  bool set_group(std::string_view container_id, uint32_t gid, std::string_view name);
  bool remove_user(std::string_view container_id, uint32_t uid);
  bool remove_group(std::string_view container_id, uint32_t gid);
  void remove_container(std::string_view container_id);

  [[nodiscard]] const User* user(std::string_view container_id, uint32_t uid) const;
  [[nodiscard]] const std::string* group(std::string_view container_id, uint32_t gid) const;

 private:
  struct Names {
    std::unordered_map<uint32_t, User> users;
    std::unordered_map<uint32_t, std::string> groups;
  };
  [[nodiscard]] const Names* names_of(std::string_view container_id) const;
  Names* names_for(std::string_view container_id);

  std::unordered_map<std::string, Names, StringHash, std::equal_to<>> containers_;
  size_t entries_ = 0;
  size_t max_entries_;
};

}  // namespace saker::state
