#include "agent/metadata.h"

#include <algorithm>

#include "base/arena.h"
#include "base/strings.h"
#include "state/fd_table.h"

namespace saker::agent {

namespace {

bool is_metadata(std::string_view field) {
  return field.starts_with("container.") || field.starts_with("k8s.");
}

bool wants_metadata(const filter::Operand& operand) {
  if (operand.kind == filter::Operand::Kind::field) return is_metadata(operand.field.text);
  return std::ranges::any_of(operand.args, wants_metadata);
}

bool needs_metadata(const rules::Rule& rule) {
  return std::ranges::any_of(rule.output.operands(), [](const filter::Operand* operand) {
    return wants_metadata(*operand);
  });
}

// The path of the cgroup that names the container; on v1 other controllers may be at the root.
std::string cgroup_path(const state::Cgroups& cgroups) {
  for (std::string_view entry : split(cgroups.text, '\0')) {
    const size_t equals = entry.find('=');
    const std::string_view path =
        equals == std::string_view::npos ? entry : entry.substr(equals + 1);
    if (path.find(cgroups.full_container_id) != std::string_view::npos) return std::string(path);
  }
  return {};
}

}  // namespace

MetadataDesk::MetadataDesk(state::State& state, const k8s::RuntimeConfig& config, size_t cache_size,
                           std::chrono::milliseconds wait, Emit emit)
    : state_(state),
      wait_(wait),
      emit_(std::move(emit)),
      resolver_(config, k8s::ResolverLimits{.max_known = cache_size}) {
  state_.set_container_request([this](const state::Cgroups& cgroups, const state::Thread& thread) {
    resolver_.request({.full_id = cgroups.full_container_id,
                       .type = cgroups.container_type,
                       .cgroup_path = cgroup_path(cgroups),
                       .pid = thread.pid});
  });
  state_.set_container_forget(
      [this](const state::Cgroups& cgroups) { resolver_.forget(cgroups.full_container_id); });
}

void MetadataDesk::forget_deserted(Clock::time_point now) {
  constexpr auto kInterval = std::chrono::seconds(5);
  if (now - forgot_at_ < kInterval) return;
  forgot_at_ = now;
  state_.forget_deserted_containers();
}

void MetadataDesk::handle(finding::Finding finding, const rules::Rule& rule,
                          const filter::EvalContext& context) {
  const state::Thread* thread = context.thread;
  if (thread == nullptr || !thread->in_container() ||
      state_.container(thread->cgroups->container_id) != nullptr || !needs_metadata(rule)) {
    emit_(std::move(finding));
    return;
  }
  Held held{.finding = std::move(finding),
            .rule = &rule,
            .pieces = rule.output.render_pieces(context),
            .cgroups = thread->cgroups,
            .deadline = Clock::now() + wait_};
  // The outcome is asked first: what is resolved by then is among what take_in() brings.
  const bool pending = resolver_.outcome(held.cgroups->full_container_id) == k8s::Outcome::pending;
  take_in();
  if (pending && held_.size() < kMostHeld) {
    held_.push_back(std::move(held));
  } else {
    release(held);
  }
}

// The process may be gone; its container is all that the late fields look at.
void MetadataDesk::release(Held& held) {
  if (state_.container(held.cgroups->container_id) != nullptr) {
    Arena scratch;
    state::Thread stand_in;
    stand_in.leader = &stand_in;
    stand_in.cgroups = held.cgroups;
    event::Event event;
    event.timestamp = held.finding.time_ns;
    const filter::EvalContext context{
        .event = &event, .thread = &stand_in, .state = &state_, .scratch = &scratch};
    held.rule->output.refresh(context, wants_metadata, held.pieces);
    held.finding.message.clear();
    for (const std::string& piece : held.pieces) held.finding.message += piece;
    std::vector<finding::NamedValue> fresh;
    held.rule->output.collect(context, fresh);
    for (finding::NamedValue& value : fresh) {
      if (!is_metadata(value.name) || value.name == "container.start_ts" ||
          value.name == "container.duration")
        continue;
      auto old = std::ranges::find(held.finding.fields, value.name, &finding::NamedValue::name);
      if (old != held.finding.fields.end()) old->value = std::move(value.value);
    }
  }
  emit_(std::move(held.finding));
}

void MetadataDesk::take_in() {
  found_.clear();
  resolver_.poll(found_);
  for (k8s::ContainerInfo& info : found_) state_.set_container(std::move(info));
}

void MetadataDesk::poll() {
  take_in();
  const auto now = Clock::now();
  forget_deserted(now);
  if (held_.empty()) return;
  std::vector<Held> rest;
  for (Held& held : held_) {
    const bool waits = now < held.deadline &&
                       state_.container(held.cgroups->container_id) == nullptr &&
                       resolver_.outcome(held.cgroups->full_container_id) == k8s::Outcome::pending;
    if (waits) {
      rest.push_back(std::move(held));
    } else {
      release(held);
    }
  }
  held_ = std::move(rest);
}

void MetadataDesk::release_all() {
  for (Held& held : held_) release(held);
  held_.clear();
}

}  // namespace saker::agent
