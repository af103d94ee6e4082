#include "state/containers.h"

#include <algorithm>
#include <unordered_set>

namespace saker::state {

namespace {

constexpr size_t kLongestText = 8192;  // five controllers' paths are some hundred bytes

void find_container(Cgroups& cgroups) {
  std::string_view rest = cgroups.text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\0'), rest.size());
    std::string_view entry = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    auto match = k8s::match_cgroup(entry.substr(equals + 1));
    if (!match) continue;
    cgroups.container_type = match->type;
    cgroups.full_container_id = match->full_id;
    cgroups.container_id = k8s::short_id(match->type, match->full_id);
    cgroups.pod_uid = std::move(match->pod_uid);
    return;
  }
}

}  // namespace

Ref<Cgroups> CgroupTable::intern(std::string_view text) {
  text = text.substr(0, kLongestText);
  auto found = table_.find(text);
  if (found != table_.end()) return found->second;
  if (table_.size() >= sweep_at_) sweep();
  auto cgroups = make_ref<Cgroups>();
  cgroups->text = text;
  find_container(*cgroups);
  table_.emplace(cgroups->text, cgroups);
  return cgroups;
}

bool CgroupTable::is_inhabited_beside(const Cgroups& these) const {
  return std::ranges::any_of(table_, [&](const auto& entry) {
    const Ref<Cgroups>& cgroups = entry.second;
    return cgroups.get() != &these && !cgroups.unique() &&
           cgroups->container_id == these.container_id;
  });
}

std::vector<Ref<Cgroups>> CgroupTable::take_deserted() {
  std::unordered_set<std::string_view> inhabited;
  for (const auto& [text, cgroups] : table_)
    if (!cgroups.unique()) inhabited.insert(cgroups->container_id);
  std::vector<Ref<Cgroups>> deserted;
  std::erase_if(table_, [&](const auto& entry) {
    const Ref<Cgroups>& cgroups = entry.second;
    if (cgroups->container_id.empty() || inhabited.contains(cgroups->container_id)) return false;
    deserted.push_back(cgroups);
    return true;
  });
  return deserted;
}

// Drops the texts that no thread has any more.
void CgroupTable::sweep() {
  std::erase_if(table_, [](const auto& entry) { return entry.second.unique(); });
  sweep_at_ = std::max<size_t>(1024, table_.size() * 2);
}

const k8s::ContainerInfo& ContainerTable::set(k8s::ContainerInfo info) {
  auto found = table_.find(info.id);
  if (found != table_.end()) {
    found->second = std::move(info);
    return found->second;
  }
  while (table_.size() >= max_containers_ && !order_.empty()) {
    table_.erase(order_.front());
    order_.pop_front();
  }
  if (order_.size() > 2 * max_containers_)
    std::erase_if(order_, [&](const std::string& id) { return !table_.contains(id); });
  order_.push_back(info.id);
  std::string id = info.id;
  return table_.insert_or_assign(std::move(id), std::move(info)).first->second;
}

void ContainerTable::remove(std::string_view id) {
  auto found = table_.find(id);
  if (found != table_.end()) table_.erase(found);
}

const k8s::ContainerInfo* ContainerTable::find(std::string_view id) const {
  auto found = table_.find(id);
  return found == table_.end() ? nullptr : &found->second;
}

}  // namespace saker::state
