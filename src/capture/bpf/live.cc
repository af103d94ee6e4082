// Reads the two rings in the order of time. A record's time is taken before its place in a ring is,
// and what a task did before is in its ring before: so whoever takes the older of the two heads
// never lets an event overtake the fork, exec or exit that came before it. What is being written is
// waited for.
#include "capture/bpf/live.h"

#include <linux/membarrier.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "capture/bpf/plan.h"
#include "capture/bpf/snapshot.h"
#include "capture/bpf/syscall_table.h"
#include "kernel/probes.h"

namespace saker::capture {

namespace {

using kernel::Ring;

bool is_power_of_two(size_t size) {
  return size != 0 && (size & (size - 1)) == 0;
}

class Live final : public LiveSource {
 public:
  static Result<std::unique_ptr<LiveSource>> open(const LiveOptions& options);

  Status snapshot(event::SnapshotSink& sink) override { return send_snapshot(*probes_, sink); }
  Next next(event::Event& event) override;
  [[nodiscard]] const Error& error() const override { return error_; }
  [[nodiscard]] SourceStats stats() const override;
  void stop() override { stopped_.store(true, std::memory_order_relaxed); }
  Status set_demand(const event::Demand& demand) override;

 private:
  explicit Live(const LiveOptions& options) : options_(options) {}
  Status start();
  void apply(const CapturePlan& plan, bool running);
  void set_control(const CapturePlan& plan);
  Status attach(const CapturePlan& plan);
  // The ring whose head is next; null when both are empty.
  Ring* choose(Bytes& bytes);
  bool wait();

  LiveOptions options_;
  std::unique_ptr<kernel::Probes> probes_;
  Ring files_, processes_;
  Ring* taken_ = nullptr;  // holds the record that was handed out
  UniqueFd poll_;
  std::atomic<bool> stopped_ = false;
  Error error_;
  uint64_t delivered_ = 0, bytes_ = 0, malformed_ = 0;
};

uint64_t time_of(Bytes record) {
  return record.size() >= sizeof(uint64_t) ? load<uint64_t>(record.data()) : 0;
}

void relax(unsigned tries) {
  if (tries < 200)
    __builtin_ia32_pause();
  else
    usleep(20);
}

Ring* Live::choose(Bytes& bytes) {
  for (unsigned tries = 0;; ++tries) {
    Bytes file, process;
    // The second look at the first ring sees all that was there when the second was looked at.
    Ring::Head file_head = files_.peek(file);
    const Ring::Head process_head = processes_.peek(process);
    if (file_head == Ring::Head::empty) file_head = files_.peek(file);
    if (file_head == Ring::Head::busy || process_head == Ring::Head::busy) {
      if (stopped_.load(std::memory_order_relaxed)) return nullptr;
      relax(tries);
      continue;
    }
    const bool has_file = file_head == Ring::Head::record;
    const bool has_process = process_head == Ring::Head::record;
    if (!has_file && !has_process) return nullptr;
    const bool file_first = has_file && (!has_process || time_of(file) < time_of(process));
    bytes = file_first ? file : process;
    return file_first ? &files_ : &processes_;
  }
}

// Sleeps until something is there or the time is over; false when it is.
bool Live::wait() {
  files_.release();
  processes_.release();
  volatile kernel::Control* control = probes_->shared().control;
  control->reader_awake = 0;
  epoll_event ready[2];
  const int count = epoll_wait(poll_.get(), ready, 2, static_cast<int>(options_.wait_ms));
  control->reader_awake = 1;
  return count > 0;
}

Next Live::next(event::Event& event) {
  constexpr uint64_t kReleaseBytes = 64 * 1024;
  if (taken_ != nullptr) {
    taken_->pop();
    if (taken_->unreleased() >= kReleaseBytes) taken_->release();
    taken_ = nullptr;
  }
  bool waited = false;
  for (;;) {
    if (stopped_.load(std::memory_order_relaxed)) return Next::end;
    Bytes bytes;
    Ring* ring = choose(bytes);
    if (ring == nullptr) {
      if (waited) return Next::idle;
      wait();
      waited = true;
      continue;
    }
    // The CPU follows the record.
    uint16_t cpu = 0;
    if (bytes.size() >= event::kHeaderSize + 2) {
      const auto length = load<uint32_t>(bytes.data() + 16);
      if (length + sizeof cpu <= bytes.size()) cpu = load<uint16_t>(bytes.data() + length);
    }
    if (!event::Event::decode_into(event, bytes, cpu)) {
      ++malformed_;
      ring->pop();
      continue;
    }
    event.number = ++delivered_;
    bytes_ += event.length;
    taken_ = ring;
    return Next::event;
  }
}

SourceStats Live::stats() const {
  const kernel::Counters counters = probes_->counters();
  SourceStats out;
  out.seen = counters.seen;
  out.delivered = delivered_;
  out.bytes = bytes_;
  static constexpr std::string_view kReasons[] = {"file ring full", "process ring full",
                                                  "event too large"};
  static_assert(std::size(kReasons) == kernel::LOSS_REASONS);
  for (size_t i = 0; i < kernel::LOSS_REASONS; ++i) {
    if (counters.lost[i] != 0) out.lost[std::string(kReasons[i])] = counters.lost[i];
  }
  if (malformed_ != 0) out.lost["malformed record"] = malformed_;
  for (uint16_t code = 0; code < event::kEventCodeCount && code < kernel::kMaxEventCodes; ++code) {
    if (counters.lost_by_type[code] != 0)
      out.lost_by_type[std::string(event::info(code).name)] += counters.lost_by_type[code];
  }
  return out;
}

// Changes the shared tables so that at every moment at least what both demands want is sent.
void Live::apply(const CapturePlan& plan, bool running) {
  const kernel::Shared shared = probes_->shared();
  // Programs that run now have ended when this returns; before they are attached there are none.
  const auto fence = [&] {
    if (!running) return;
    std::atomic_thread_fence(std::memory_order_seq_cst);
    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
  };
  for (size_t i = 0; i < kernel::kSyscalls; ++i) {
    shared.tests[i].flags = 0;
    shared.wanted[i] |= plan.wanted[i];
  }
  fence();
  std::ranges::copy(plan.path_tests, shared.path_tests);
  std::ranges::copy(plan.ports, shared.port_bits);
  for (size_t i = 0; i < kernel::kSyscalls; ++i) {
    std::ranges::copy(plan.tests[i].by_class, shared.tests[i].by_class);
    shared.tests[i].state_when = plan.tests[i].state_when;
  }
  shared.control->tests_generation = shared.control->tests_generation + 1;
  fence();
  for (size_t i = 0; i < kernel::kSyscalls; ++i) {
    if (options_.push_down) shared.tests[i].flags = plan.tests[i].flags;
    shared.wanted[i] = plan.wanted[i];
  }
  shared.control->no_data = plan.data ? 0 : 1;
}

void Live::set_control(const CapturePlan& plan) {
  volatile kernel::Control& control = *probes_->shared().control;
  control.boot_epoch_ns = boot_epoch_ns();
  control.self_tgid = static_cast<uint32_t>(getpid());
  control.snaplen = options_.snaplen;
  control.drop_failed = options_.drop_failed ? 1 : 0;
  control.everything = plan.everything ? 1 : 0;
  control.only_tracked = options_.only_tree_of != 0 ? 1 : 0;
  control.emit_fork = plan.everything ? 0 : 1;
  control.quarter_file = static_cast<uint32_t>(options_.file_ring_bytes / 4);
  control.quarter_process = static_cast<uint32_t>(options_.process_ring_bytes / 4);
  control.reader_awake = 1;
}

Status Live::attach(const CapturePlan& plan) {
  // Fork before exit and exec, so that no child is heard of first by its end.
  for (kernel::Hook hook :
       {kernel::Hook::fork, kernel::Hook::exec, kernel::Hook::exit, kernel::Hook::sys_exit})
    SAKER_CHECK(probes_->attach(hook));
  if (plan.signals) return probes_->attach(kernel::Hook::signal);
  probes_->detach(kernel::Hook::signal);
  return {};
}

Status Live::start() {
  const CapturePlan plan = make_plan(options_.demand);
  probes_ = SAKER_TRY(kernel::Probes::open(
      {.file_ring = options_.file_ring_bytes, .process_ring = options_.process_ring_bytes}));
  kernel::Constants constants = probes_->constants();
  fill_constants(constants);
  if (getrandom(constants.pointer_key, sizeof *constants.pointer_key, 0) < 0)
    return errno_error("getrandom", errno);
  SAKER_CHECK(probes_->load());
  set_control(plan);
  apply(plan, false);
  if (options_.only_tree_of != 0) SAKER_CHECK(probes_->track(options_.only_tree_of));
  files_ = SAKER_TRY(probes_->file_ring());
  processes_ = SAKER_TRY(probes_->process_ring());
  poll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!poll_.valid()) return errno_error("epoll_create1", errno);
  for (const int fd : {probes_->file_ring_fd(), probes_->process_ring_fd()}) {
    // Edge-triggered: a wake-up, not "there is data", ends the wait.
    epoll_event interest{.events = EPOLLIN | EPOLLET, .data = {.fd = fd}};
    if (epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd, &interest) != 0)
      return errno_error("epoll_ctl on a ring buffer", errno);
  }
  return attach(plan);
}

Status Live::set_demand(const event::Demand& demand) {
  if (demand.everything != options_.demand.everything)
    return Error{.code = Code::invalid,
                 .message = "a running capture can't change between watching and recording"};
  const CapturePlan plan = make_plan(demand);
  options_.demand = demand;
  apply(plan, true);
  return attach(plan);
}

Result<std::unique_ptr<LiveSource>> Live::open(const LiveOptions& options) {
  constexpr size_t kSmallestRing = 64 * 1024, kLargestRing = 1 << 30;
  for (const size_t size : {options.file_ring_bytes, options.process_ring_bytes}) {
    if (!is_power_of_two(size) || size < kSmallestRing || size > kLargestRing)
      return Error{.message = "the size of a ring buffer is " + std::to_string(size) + " bytes",
                   .hint = "use a power of two from 65536 to 1073741824"};
  }
  SAKER_CHECK(check_live());
  std::unique_ptr<Live> live(new Live(options));
  SAKER_CHECK(live->start());
  return std::unique_ptr<LiveSource>(std::move(live));
}

}  // namespace

Result<std::unique_ptr<LiveSource>> open_live(const LiveOptions& options) {
  return Live::open(options);
}

Status check_live() {
  return kernel::check_support();
}

std::vector<KernelSupportRow> probe_kernel() {
  std::vector<KernelSupportRow> out;
  for (kernel::SupportRow& row : kernel::probe_support())
    out.push_back({.name = std::move(row.name),
                   .ok = row.ok,
                   .detail = std::move(row.detail),
                   .advice = std::move(row.advice)});
  return out;
}

}  // namespace saker::capture
