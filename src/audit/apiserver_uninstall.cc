// What install put in is what its second manifest has and its first has not. Of that goes what is
// still there as it was put.
#include <algorithm>

#include "audit/apiserver_install.h"
#include "formats/yaml_write.h"

namespace saker::audit {

namespace {

using formats::YamlChange;
using formats::YamlNode;
using formats::YamlPath;

const YamlNode* named(const YamlNode* list, const YamlNode& like, std::string_view key) {
  const YamlNode* wanted = like.find(key);
  if (list == nullptr || wanted == nullptr) return nullptr;
  for (const YamlNode& item : list->items)
    if (const YamlNode* name = item.find(key); name != nullptr && name->text == wanted->text)
      return &item;
  return nullptr;
}

bool holds(const YamlNode* list, const YamlNode& wanted) {
  return list != nullptr &&
         std::any_of(list->items.begin(), list->items.end(),
                     [&](const YamlNode& item) { return formats::same_value(item, wanted); });
}

class Remover {
 public:
  Remover(const ApiserverManifest& manifest, const ApiserverManifest& before,
          const ApiserverManifest& after)
      : manifest_(manifest), before_(before), after_(after) {}
  Result<UninstallPlan> plan();

 private:
  void flags();
  void undo_flag(const ApiserverFlag& ours);
  void list_items(const YamlPath& before, const YamlPath& after, const YamlPath& now,
                  std::string_view key, std::string_view what);
  void drop(const YamlPath& list, const YamlNode* old_list, std::vector<size_t> indexes);
  void undo_values(const YamlNode& old, const YamlNode& ours, const YamlPath& path);
  void annotation();

  const ApiserverManifest& manifest_;
  const ApiserverManifest& before_;
  const ApiserverManifest& after_;
  UninstallPlan plan_;
  std::vector<YamlChange> changes_;
  std::vector<size_t> gone_args_, gone_command_;  // entries of the two lists
};

// Items of a list; the list's key goes with its last item when it came with the first.
void Remover::drop(const YamlPath& list, const YamlNode* old_list, std::vector<size_t> indexes) {
  if (indexes.empty()) return;
  const YamlNode* node = formats::find_node(manifest_.pod, list);
  if (node == nullptr) return;
  std::sort(indexes.begin(), indexes.end());
  indexes.erase(std::unique(indexes.begin(), indexes.end()), indexes.end());
  if (indexes.size() == node->items.size()) {
    if (old_list == nullptr)
      changes_.push_back({.kind = YamlChange::Kind::remove, .path = list});
    else
      changes_.push_back(
          {.kind = YamlChange::Kind::clear,
           .path = list,
           .values = {old_list->is_null() ? YamlNode{} : formats::yaml_sequence({})}});
    return;
  }
  for (const size_t index : indexes) {
    YamlPath path = list;
    path.push_back({.index = index});
    changes_.push_back({.kind = YamlChange::Kind::remove, .path = std::move(path)});
  }
}

void Remover::undo_flag(const ApiserverFlag& ours) {
  const ApiserverFlag* now = manifest_.find_flag(ours.name);
  const ApiserverFlag* old = before_.find_flag(ours.name);
  if (now == nullptr || (old != nullptr && old->value == now->value)) return;
  if (now->value != ours.value) {
    plan_.kept.push_back("flag --" + ours.name + "=" + now->value + ", which was changed since");
    return;
  }
  const std::string text = "--" + now->name + "=" + now->value;
  if (old != nullptr) {
    const std::string back = "--" + old->name + "=" + old->value;
    changes_.push_back({.kind = YamlChange::Kind::set,
                        .path = now->path,
                        .values = {formats::yaml_text(now->own_item ? old->value : back)}});
    plan_.changes.push_back("flag " + back + " instead of " + now->value);
    return;
  }
  plan_.changes.push_back("no flag " + text);
  YamlPath list = now->path;
  list.pop_back();
  std::vector<size_t>& indexes = list.back().key == "args" ? gone_args_ : gone_command_;
  indexes.push_back(now->path.back().index);
  if (now->own_item) indexes.push_back(now->path.back().index - 1);
}

void Remover::flags() {
  for (const ApiserverFlag& ours : after_.flags) {
    const ApiserverFlag* old = before_.find_flag(ours.name);
    if (after_.find_flag(ours.name) == &ours && (old == nullptr || old->value != ours.value))
      undo_flag(ours);
  }
  const auto drop_from = [&](const std::string& key, std::vector<size_t> indexes) {
    YamlPath list = manifest_.container, old_list = before_.container;
    list.push_back({.key = key});
    old_list.push_back({.key = key});
    drop(list, formats::find_node(before_.pod, old_list), std::move(indexes));
  };
  drop_from("args", std::move(gone_args_));
  drop_from("command", std::move(gone_command_));
}

// Scalars that install set or added in an item that was there before.
void Remover::undo_values(const YamlNode& old, const YamlNode& ours, const YamlPath& path) {
  for (const auto& [key, value] : ours.entries) {
    YamlPath place = path;
    place.push_back({.key = key.text});
    const YamlNode* was = old.find(key.text);
    const YamlNode* now = formats::find_node(manifest_.pod, place);
    if (now == nullptr || (was != nullptr && formats::same_value(*was, value))) continue;
    if (was != nullptr && was->is_map() && value.is_map()) {
      undo_values(*was, value, place);
    } else if (!formats::same_value(*now, value)) {
      plan_.kept.push_back(key.text + " " + now->text + ", which was changed since");
    } else if (was == nullptr) {
      changes_.push_back({.kind = YamlChange::Kind::remove, .path = place});
      plan_.changes.push_back("no " + key.text + " " + value.text);
    } else {
      changes_.push_back({.kind = YamlChange::Kind::set, .path = place, .values = {*was}});
      plan_.changes.push_back(key.text + " " + was->text + " instead of " + value.text);
    }
  }
}

void Remover::list_items(const YamlPath& before, const YamlPath& after, const YamlPath& now,
                         std::string_view key, std::string_view what) {
  const YamlNode* old_list = formats::find_node(before_.pod, before);
  const YamlNode* our_list = formats::find_node(after_.pod, after);
  const YamlNode* list = formats::find_node(manifest_.pod, now);
  if (our_list == nullptr || list == nullptr) return;
  std::vector<size_t> indexes;
  for (size_t i = 0; i < our_list->items.size(); ++i) {
    const YamlNode& ours = our_list->items[i];
    if (holds(old_list, ours)) continue;
    // By its place, which for items that were changed is the same in both.
    const bool was_there = old_list != nullptr && i < old_list->items.size();
    const YamlNode* there = named(list, ours, key);
    if (there == nullptr) continue;
    const auto index = static_cast<size_t>(there - list->items.data());
    YamlPath place = now;
    place.push_back({.index = index});
    if (was_there) {
      undo_values(old_list->items[i], ours, place);
    } else if (formats::same_value(*there, ours)) {
      indexes.push_back(index);
      plan_.changes.push_back("no " + std::string(what) + " " + ours.find(key)->text);
    } else {
      plan_.kept.push_back(std::string(what) + " " + ours.find(key)->text +
                           ", which was changed since");
    }
  }
  drop(now, old_list, std::move(indexes));
}

void Remover::annotation() {
  const YamlPath list = {{.key = "metadata"}, {.key = "annotations"}};
  YamlPath path = list;
  path.push_back({.key = std::string(kPolicyAnnotation)});
  const YamlNode* now = formats::find_node(manifest_.pod, path);
  if (now == nullptr || formats::find_node(before_.pod, path) != nullptr) return;
  const bool only = formats::find_node(manifest_.pod, list)->entries.size() == 1;
  changes_.push_back({.kind = YamlChange::Kind::remove, .path = only ? list : path});
  plan_.changes.push_back("no annotation " + std::string(kPolicyAnnotation));
}

Result<UninstallPlan> Remover::plan() {
  if (manifest_.text == after_.text) {
    plan_.text = before_.text;
    plan_.changes.push_back("the manifest as it was before, to the byte");
    return std::move(plan_);
  }
  flags();
  YamlPath before = before_.container, after = after_.container, now = manifest_.container;
  for (YamlPath* path : {&before, &after, &now}) path->push_back({.key = "volumeMounts"});
  list_items(before, after, now, "mountPath", "mount");
  const YamlPath volumes = {{.key = "spec"}, {.key = "volumes"}};
  list_items(volumes, volumes, volumes, "name", "volume");
  annotation();
  plan_.text = SAKER_TRY(formats::edit_yaml(manifest_.text, manifest_.file, changes_));
  return std::move(plan_);
}

}  // namespace

Result<UninstallPlan> plan_uninstall(const ApiserverManifest& manifest,
                                     const ApiserverManifest& before,
                                     const ApiserverManifest& after) {
  return Remover(manifest, before, after).plan();
}

}  // namespace saker::audit
