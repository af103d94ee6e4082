#include "agent/recorder.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include "agent/event_printer.h"
#include "agent/pipeline.h"
#include "agent/tree_snapshot.h"
#include "base/fd.h"
#include "capture/bpf/live.h"
#include "capture/scap/writer.h"
#include "fields/catalog.h"
#include "state/state.h"

namespace saker::agent {

namespace {

using Clock = std::chrono::steady_clock;

std::atomic<bool> stop_requested{false};
void on_signal(int) {
  stop_requested.store(true, std::memory_order_relaxed);
}

// A command that waits after fork until it is let go, so that its first system call is already
// recorded.
class Command {
 public:
  static Result<Command> prepare(const std::vector<std::string>& words) {
    int gate[2];
    if (::pipe2(gate, O_CLOEXEC) != 0) return errno_error("pipe", errno);
    Command command;
    command.gate_ = UniqueFd(gate[1]);
    UniqueFd wait_end(gate[0]);
    command.pid_ = ::fork();
    if (command.pid_ < 0) return errno_error("fork", errno);
    if (command.pid_ == 0) become(words, wait_end.get());
    return command;
  }

  [[nodiscard]] uint32_t pid() const { return static_cast<uint32_t>(pid_); }
  void let_go() {
    [[maybe_unused]] const ssize_t written = ::write(gate_.get(), "g", 1);
    gate_.reset();
  }
  // The exit code once it has ended.
  std::optional<int> ended() {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  [[noreturn]] static void become(const std::vector<std::string>& words, int gate) {
    char go = 0;
    if (::read(gate, &go, 1) != 1) ::_exit(127);  // the recorder is gone
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    const std::string message = "saker record: cannot run " + words[0] + "\n";
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, message.data(), message.size());
    ::_exit(127);
  }

  pid_t pid_ = -1;
  UniqueFd gate_;
};

// Hands a snapshot to two.
class Fanout : public event::SnapshotSink {
 public:
  Fanout(event::SnapshotSink& first, event::SnapshotSink& second)
      : first_(first), second_(second) {}
  void on_machine(const event::MachineInfo& machine) override {
    first_.on_machine(machine);
    second_.on_machine(machine);
  }
  void on_process(const event::ProcessEntry& process) override {
    first_.on_process(process);
    second_.on_process(process);
  }
  void on_fd(const event::FdEntry& fd) override {
    first_.on_fd(fd);
    second_.on_fd(fd);
  }
  void on_user(const event::UserEntry& user) override {
    first_.on_user(user);
    second_.on_user(user);
  }
  void on_interface(const event::InterfaceEntry& interface) override {
    first_.on_interface(interface);
    second_.on_interface(interface);
  }

 private:
  event::SnapshotSink& first_;
  event::SnapshotSink& second_;
};

class Recorder : private Pipeline::FindingSink {
 public:
  explicit Recorder(const RecordOptions& options) : options_(options), pipeline_(state_, *this) {}

  Status run(RecordSummary& summary) {
    if (!options_.filter.empty())
      filter_ =
          SAKER_TRY(compile_condition(options_.filter, fields::catalog(), event::Source::syscall));
    writer_ = SAKER_TRY(capture::ScapWriter::create({.path = options_.path}));
    std::optional<Command> command;
    if (!options_.command.empty()) command = SAKER_TRY(Command::prepare(options_.command));
    capture::LiveOptions live{.snaplen = options_.snaplen};
    live.demand.everything = true;
    if (command) live.only_tree_of = command->pid();
    std::unique_ptr<capture::LiveSource> source = SAKER_TRY(capture::open_live(live));
    SAKER_CHECK(snapshot(*source, command));
    if (command) command->let_go();
    SAKER_CHECK(loop(*source, command, summary));
    SAKER_CHECK(writer_->close());
    summary.events = writer_->events();
    summary.skipped = writer_->skipped();
    summary.file_bytes = writer_->file_bytes();
    summary.lost = source->stats().lost;
    return {};
  }

 private:
  void on_finding(finding::Finding, const rules::Rule&, const filter::EvalContext&) override {}

  Status snapshot(capture::LiveSource& source, const std::optional<Command>& command) {
    std::optional<TreeSnapshot> tree;
    if (command) tree.emplace(command->pid(), *writer_);
    Fanout fanout(state_, tree ? static_cast<event::SnapshotSink&>(*tree) : *writer_);
    return source.snapshot(fanout);
  }

  Status loop(capture::LiveSource& source, std::optional<Command>& command,
              RecordSummary& summary) {
    ::signal(SIGINT, on_signal);
    ::signal(SIGTERM, on_signal);
    auto end = options_.duration_seconds == 0
                   ? Clock::time_point::max()
                   : Clock::now() + std::chrono::seconds(options_.duration_seconds);
    event::Event event;
    while (!stop_requested.load(std::memory_order_relaxed) && Clock::now() < end) {
      const capture::Next next = source.next(event);
      if (next == capture::Next::failed) return source.error();
      if (next == capture::Next::end) return {};
      if (next == capture::Next::event) {
        SAKER_CHECK(write(event));
        continue;
      }
      if (!command) continue;
      if (std::optional<int> code =
              command->ended()) {  // nothing left in the rings, and nobody to fill them
        summary.command_exit = *code;
        command.reset();
        end = Clock::now() + std::chrono::milliseconds(100);
      }
    }
    return {};
  }

  Status write(event::Event& event) {
    if ((event.info().kind & event::KindIter) == event::KindIter) {
      state_.apply(event);
      return {};
    }
    if (!filter_) return writer_->write(event);
    event.number = ++number_;
    const filter::EvalContext& context = pipeline_.update(event);
    pipeline_.scratch().reset();
    const bool wanted = filter::matches(*filter_, context);
    pipeline_.done(event);
    return wanted ? writer_->write(event) : Status{};
  }

  const RecordOptions& options_;
  state::State state_;
  Pipeline pipeline_;
  std::unique_ptr<capture::ScapWriter> writer_;
  std::optional<filter::Expr> filter_;
  uint64_t number_ = 0;
};

}  // namespace

Status record(const RecordOptions& options, RecordSummary& summary) {
  return Recorder(options).run(summary);
}

}  // namespace saker::agent
