#include "cases/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>

#include "base/fd.h"

namespace saker::cases {

namespace {

constexpr auto kTimeLimit = std::chrono::seconds(60);

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return errno_error("pipe", errno);
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

[[noreturn]] void become(const std::vector<std::string>& arguments, int in, int out, int err) {
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

// Feeds and drains the child until both outputs are closed. False when time ran out.
bool exchange(Pipe& in, Pipe& out, Pipe& err, std::string_view input, ProcessResult& result) {
  const auto deadline = std::chrono::steady_clock::now() + kTimeLimit;
  char buffer[65536];
  while (out.read.valid() || err.read.valid()) {
    if (input.empty()) in.write.reset();
    std::array<pollfd, 3> fds = {pollfd{out.read.get(), POLLIN, 0},
                                 pollfd{err.read.get(), POLLIN, 0},
                                 pollfd{in.write.get(), POLLOUT, 0}};
    if (std::chrono::steady_clock::now() > deadline) return false;
    if (::poll(fds.data(), fds.size(), 1000) <= 0) continue;
    const auto drain = [&](UniqueFd& fd, short events, std::string& to) {
      if (!fd.valid() || events == 0) return;
      const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
      if (count > 0) {
        to.append(buffer, static_cast<size_t>(count));
      } else {
        fd.reset();
      }
    };
    drain(out.read, fds[0].revents, result.output);
    drain(err.read, fds[1].revents, result.errors);
    if (in.write.valid() && fds[2].revents != 0) {
      const ssize_t count = ::write(in.write.get(), input.data(), input.size());
      if (count > 0) {
        input.remove_prefix(static_cast<size_t>(count));
      } else {
        in.write.reset();
      }
    }
  }
  return true;
}

}  // namespace

Result<ProcessResult> run_process(const std::vector<std::string>& arguments,
                                  const std::string& input) {
  Pipe in = SAKER_TRY(make_pipe());
  Pipe out = SAKER_TRY(make_pipe());
  Pipe err = SAKER_TRY(make_pipe());
  ::signal(SIGPIPE, SIG_IGN);
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("fork", errno);
  if (pid == 0) become(arguments, in.read.get(), out.write.get(), err.write.get());
  in.read.reset();
  out.write.reset();
  err.write.reset();
  ProcessResult result;
  const bool in_time = exchange(in, out, err, input, result);
  if (!in_time) ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (!in_time)
    return Error{.code = Code::busy, .message = arguments[0] + " ran longer than a minute"};
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

Result<std::string> make_scratch_folder() {
  std::string folder = "/tmp/saker-case-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr)
    return errno_error("cannot make a folder in /tmp", errno);
  return folder;
}

}  // namespace saker::cases
