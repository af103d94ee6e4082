// Which container a thread is in (from its cgroups), and what is known of the containers.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "base/ref.h"
#include "k8s/container.h"
#include "state/thread.h"

namespace saker::state {

// One record a distinct cgroup text, so that the container's id is worked out once.
class CgroupTable {
 public:
  Ref<Cgroups> intern(std::string_view text);
  [[nodiscard]] size_t size() const { return table_.size(); }
  // Whether any thread is in the container, through other cgroups than these.
  [[nodiscard]] bool is_inhabited_beside(const Cgroups& these) const;
  // Takes the records of containers that no thread is in.
  std::vector<Ref<Cgroups>> take_deserted();

 private:
  void sweep();

  std::unordered_map<std::string_view, Ref<Cgroups>> table_;  // keys view the records' texts
  size_t sweep_at_ = 1024;
};

// Metadata by container id, the oldest dropped when there are too many.
class ContainerTable {
 public:
  explicit ContainerTable(size_t max_containers) : max_containers_(max_containers) {}

  const k8s::ContainerInfo& set(k8s::ContainerInfo info);
  void remove(std::string_view id);
  [[nodiscard]] const k8s::ContainerInfo* find(std::string_view id) const;
  [[nodiscard]] size_t size() const { return table_.size(); }

 private:
  std::unordered_map<std::string, k8s::ContainerInfo, StringHash, std::equal_to<>> table_;
  std::deque<std::string> order_;  // of arrival; may name some that are gone
  size_t max_containers_;
};

}  // namespace saker::state
