// Signals are for the main thread: every other one begins with this.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace saker {

inline void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace saker
