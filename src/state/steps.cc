// What each event type needs: the thread, the fd, the handler. Built once from the event schema.
#include <array>

#include "state/world.h"

namespace saker::state {

namespace {

using namespace event;

// The fd that an event uses: the first parameter that is one, but for the result of a call (dup and
// fcntl give descriptors).
int8_t used_fd(const EventInfo& info) {
  if (!info.has(UsesFd | DestroysFd)) return -1;
  for (size_t i = info.has_return_value() ? 1 : 0; i < info.params.size(); ++i)
    if (info.params[i].type == ParamType::Fd) return static_cast<int8_t>(i);
  return -1;
}

std::array<Step, kEventCodeCount> make_steps() {
  std::array<Step, kEventCodeCount> table{};
  for (const EventInfo& info : all_events()) {
    Step& step = table[info.code];
    // Events that the kernel reports by itself are no reason to make up a thread.
    if ((info.kind & KindMeta) != 0) step.who = Step::Who::nobody;
    if (info.has(Skipparsereset)) step.who = Step::Who::know;
  }
  add_process_steps(table.data());
  add_exec_steps(table.data());
  add_credential_steps(table.data());
  add_file_steps(table.data());
  add_fd_steps(table.data());
  add_socket_steps(table.data());
  add_meta_steps(table.data());
  for (const EventInfo& info : all_events()) table[info.code].fd_index = used_fd(info);
  return table;
}

}  // namespace

const Step* steps() {
  static const std::array<Step, kEventCodeCount> table = make_steps();
  return table.data();
}

}  // namespace saker::state
