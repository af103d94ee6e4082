// Records that are no calls: users, groups and containers that came or went.
#include "k8s/container_json.h"
#include "state/world.h"

namespace saker::state {

namespace {

using namespace event;

void on_user_added(World& world, const Event& event) {
  const User user{.name = std::string(event.text(2)),
                  .home = std::string(event.text(3)),
                  .shell = std::string(event.text(4)),
                  .gid = event.get<uint32_t>(1)};
  if (world.users.set_user(event.text(5), event.get<uint32_t>(0), user)) world.touch_all();
}

void on_user_deleted(World& world, const Event& event) {
  if (world.users.remove_user(event.text(5), event.get<uint32_t>(0))) world.touch_all();
}

void on_group_added(World& world, const Event& event) {
  if (world.users.set_group(event.text(2), event.get<uint32_t>(0), event.text(1)))
    world.touch_all();
}

void on_group_deleted(World& world, const Event& event) {
  if (world.users.remove_group(event.text(2), event.get<uint32_t>(0))) world.touch_all();
}

void add_container(World& world, k8s::ContainerInfo info) {
  if (info.id.empty()) return;
  world.applied.container = &world.containers.set(std::move(info));
  world.touch_all();
}

void add_container_json(World& world, std::string_view json) {
  Result<k8s::ContainerInfo> info = k8s::parse_container_json(json);
  if (info.ok()) add_container(world, std::move(info).value());
}

// The record of old captures: id, kind, name, image.
void on_container(World& world, const Event& event) {
  k8s::ContainerInfo info = k8s::from_container_event(event.text(0), event.get<uint32_t>(1),
                                                      event.text(2), event.text(3));
  add_container(world, std::move(info));
}

void on_container_json(World& world, const Event& event) {
  add_container_json(world, event.text(0));
}

void on_async(World& world, const Event& event) {
  const std::string_view name = event.text(1);
  if (name == "container") {
    add_container_json(world, event.text(2));
  } else if (name == "container_removed") {
    Result<k8s::ContainerInfo> info = k8s::parse_container_json(event.text(2));
    if (!info.ok()) return;
    // The rules still see it; what is known of it goes with the event that follows.
    world.applied.container = world.containers.find(info->id);
    world.pending = {.kind = Pending::Kind::container};
    world.gone_container = info->id;
  }
}

}  // namespace

void add_meta_steps(Step* steps) {
  auto add = [&](uint16_t type, LoneHandler handler) {
    steps[type] = {.who = Step::Who::nobody, .handle_alone = handler};
  };
  add(USER_ADDED_E, on_user_added);
  add(USER_DELETED_E, on_user_deleted);
  add(GROUP_ADDED_E, on_group_added);
  add(GROUP_DELETED_E, on_group_deleted);
  add(CONTAINER_E, on_container);
  add(CONTAINER_JSON_E, on_container_json);
  add(CONTAINER_JSON_2_E, on_container_json);
  add(ASYNCEVENT_E, on_async);
}

}  // namespace saker::state
