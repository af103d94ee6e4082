#include "agent/audit_watch.h"

#include <algorithm>
#include <thread>

#include "audit/digest.h"
#include "base/log.h"
#include "capture/k8s_audit/log_reader.h"

namespace saker::agent {

using std::chrono::milliseconds;

bool AuditWatch::begin_batch(milliseconds patience) {
  batch_ = sources_.intake().pop(patience);
  if (!batch_) return false;
  read_ = false;
  group_ = std::make_shared<store::Writer::Group>();
  group_->name = batch_->source;
  group_->position = batch_->position;
  block_.load({.text = std::string_view(batch_->text).substr(0, batch_->size)});
  return true;
}

// False when the store has no room: what was judged waits, and what comes after it too.
bool AuditWatch::end_batch() {
  if (!read_) {
    read_ = true;
    for (const capture::AuditBlock::Problem& problem : block_.problems())
      ++stats_.lost[std::string(problem.reason)];
    if (block_.is_old_format()) lose_old_format();
  }
  if (!store_.submit(group_)) return false;
  sources_.judged(*batch_);
  batch_.reset();
  return true;
}

// Nothing of the rest of such a batch is read.
void AuditWatch::lose_old_format() {
  if (stats_.lost["log in the old text format"]++ == 0)
    log::error(capture::LogLosses(batch_->source).old_format(block_.lines()).to_text());
}

void AuditWatch::judge(event::Event& event) {
  if (seen_.see(audit::digest_of(block_.record())) == audit::SeenRequests::Sighting::repeated) {
    ++stats_.repeated;
    return;
  }
  event.number = ++stats_.events;
  pipeline_.update(event, block_.record());
  pipeline_.match(event);
}

bool AuditWatch::run(milliseconds budget, milliseconds patience) {
  constexpr uint32_t kCheckInterval = 64;
  constexpr milliseconds kHeldUp{5};
  const milliseconds pause = std::min(patience, kHeldUp);
  const Clock::time_point end = Clock::now() + budget;
  uint32_t since_check = 0;
  event::Event event;
  for (;;) {
    if (!batch_ && !begin_batch(patience)) return false;
    patience = milliseconds(0);
    while (!read_ && block_.next(event)) {
      judge(event);
      if (++since_check < kCheckInterval) continue;
      since_check = 0;
      if (Clock::now() >= end) return true;
    }
    if (!end_batch()) {
      std::this_thread::sleep_for(pause);
      return false;
    }
    if (Clock::now() >= end) return sources_.intake().size() != 0;
  }
}

}  // namespace saker::agent
