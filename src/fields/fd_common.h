// Which fd an event is about.
#pragma once

#include "fields/extract.h"

namespace saker::fields {

// The number of the fd that the event uses, makes or closes; false for other events. The fd itself
// (context.fd) may be unknown all the same.
inline bool fd_number(const EvalContext& context, int64_t& number) {
  if (context.event == nullptr || context.state == nullptr) return false;
  constexpr uint16_t kAboutFd = event::UsesFd | event::CreatesFd | event::DestroysFd;
  if (context.thread == nullptr || !context.event->info().has(kAboutFd)) return false;
  number = context.state->applied().fd_number;
  return true;
}

inline bool about_fd(const EvalContext& context) {
  int64_t number = 0;
  return fd_number(context, number);
}

}  // namespace saker::fields
