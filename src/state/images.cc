// What execs and cgroups leave on a thread, kept within the budget for texts.
#include "state/world.h"

namespace saker::state {

namespace {

// The kernel side cuts each at 4096 bytes; old captures have a little more.
constexpr size_t kLongestText = 16384;
constexpr size_t kLongestExe = 4096;
constexpr size_t kTextsWhenShort = 256;
constexpr size_t kMaxRequested = 65536;

}  // namespace

void Image::dispose() {
  if (budget != nullptr) budget->used -= charged;
  delete this;
}

Ref<Image> World::new_image() {
  auto image = make_ref<Image>();
  image->budget = &texts;
  return image;
}

void World::set_texts(Image& image, std::string_view exe, std::string_view args,
                      std::string_view env) {
  size_t longest = kLongestText;
  if (texts.used - image.charged + args.size() + env.size() > texts.limit) {
    longest = kTextsWhenShort;
    ++stats.dropped_texts;
  }
  image.exe.assign(exe.substr(0, kLongestExe));
  image.args.assign(args.substr(0, longest));
  image.env.assign(env.substr(0, longest));
  texts.used -= image.charged;
  image.charged = image.args.size() + image.env.size();
  texts.used += image.charged;
}

void World::request_metadata(const Thread& thread) {
  if (!thread.in_container() || !container_request) return;
  const std::string& id = thread.cgroups->container_id;
  if (requested_containers.contains(id) || containers.find(id) != nullptr) return;
  if (requested_containers.size() >= kMaxRequested) requested_containers.clear();
  requested_containers.insert(id);
  container_request(*thread.cgroups, thread);
}

void World::set_cgroups(Thread& thread, std::string_view text) {
  if (!thread.cgroups || thread.cgroups->text != text) {
    Ref<Cgroups> entered = cgroups.intern(text);
    constexpr uint32_t kNoThread = 2;  // the table's reference and ours
    // Who enters a container that is empty starts it, perhaps under a name that was another's.
    if (entered->references == kNoThread && container_forget && !entered->container_id.empty() &&
        !cgroups.is_inhabited_beside(*entered))
      forget_container(*entered);
    thread.cgroups = std::move(entered);
  }
  request_metadata(thread);
}

void World::forget_container(const Cgroups& gone) {
  containers.remove(gone.container_id);
  requested_containers.erase(gone.container_id);
  users.remove_container(gone.container_id);
  if (container_forget) container_forget(gone);
}

}  // namespace saker::state
