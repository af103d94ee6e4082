#include "cases/runner.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/fd.h"
#include "base/strings.h"
#include "cases/world.h"

namespace saker::cases {

namespace fs = std::filesystem;

namespace {

constexpr size_t kLargestCaseFile = 16 << 20;

Result<std::vector<std::string>> find_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  std::error_code error;
  for (const std::string& path : paths) {
    if (!fs::exists(path))
      return Error{.code = Code::not_found, .message = path + " does not exist"};
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (auto entry = fs::recursive_directory_iterator(path, error);
         entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      if (error) return Error{.code = Code::io, .message = path + ": " + error.message()};
      if (entry->path().extension() == ".test") files.push_back(entry->path().string());
    }
  }
  std::ranges::sort(files);
  return files;
}

// The reason why a requirement is not met, or nothing.
std::string unmet(const std::string& requirement, const RunOptions& options) {
  if (requirement == "root") return ::geteuid() == 0 ? "" : "needs root";
  if (requirement == "bpf") {
    if (::geteuid() != 0) return "eBPF needs root";
    return fs::exists("/sys/kernel/btf/vmlinux") ? "" : "the kernel has no BTF";
  }
  if (requirement == "shared")
    return !options.shared.empty() && fs::exists(options.shared)
               ? ""
               : "the conformance data is not here";
  return "unknown requirement '" + requirement + "'";
}

std::string unmet(const Case& test, const RunOptions& options) {
  for (const std::string& requirement : test.requirements)
    if (std::string reason = unmet(requirement, options); !reason.empty()) return reason;
  return {};
}

void print_indented(const std::string& text) {
  for (std::string_view line : split(text, '\n'))
    std::printf("    %.*s\n", static_cast<int>(line.size()), line.data());
}

class Runner {
 public:
  explicit Runner(const RunOptions& options) : options_(options) {}

  Status run_file(const std::string& path) {
    const std::string text = SAKER_TRY(read_file(path, kLargestCaseFile));
    const CaseFile file = SAKER_TRY(parse_cases(text, path));
    for (const Case& test : file.cases) {
      if (!options_.only.empty() && test.name.find(options_.only) == std::string::npos) continue;
      if (options_.list) {
        std::printf("%s\n", test.name.c_str());
      } else {
        run_case(file, test);
      }
    }
    return {};
  }

  [[nodiscard]] RunSummary summary() const { return summary_; }

 private:
  void run_case(const CaseFile& file, const Case& test) {
    if (std::string reason = unmet(test, options_); !reason.empty()) {
      skip(test, reason);
      return;
    }
    World world(options_, fs::path(file.path).parent_path().string());
    for (const Step& step : test.steps)
      if (!settle(file, test, step.line, world.run(step))) return;
    if (!settle(file, test, test.steps.back().line, world.finish())) return;
    if (!world.had_expectation()) {
      fail(file, test, test.line, "a case without expect proves nothing");
      return;
    }
    ++summary_.passed;
    if (options_.verbose) std::printf("ok      %s\n", test.name.c_str());
  }

  // True when the case goes on.
  bool settle(const CaseFile& file, const Case& test, uint32_t line, const Outcome& outcome) {
    if (outcome.kind == Outcome::Kind::ok) return true;
    if (outcome.kind == Outcome::Kind::skipped) {
      skip(test, outcome.text);
    } else {
      fail(file, test, line, outcome.text);
    }
    return false;
  }

  void fail(const CaseFile& file, const Case& test, uint32_t line, const std::string& text) {
    ++summary_.failed;
    std::printf("FAILED  %s:%u: %s\n", file.path.c_str(), line, test.name.c_str());
    print_indented(text);
  }

  void skip(const Case& test, const std::string& reason) {
    ++summary_.skipped;
    std::printf("skipped %s: %s\n", test.name.c_str(), reason.c_str());
  }

  const RunOptions& options_;
  RunSummary summary_;
};

}  // namespace

Result<RunSummary> run_cases(const RunOptions& options) {
  const std::vector<std::string> files = SAKER_TRY(find_files(options.paths));
  if (files.empty()) return Error{.code = Code::not_found, .message = "no .test files found"};
  RunOptions complete = options;
  if (complete.saker.empty()) complete.saker = fs::read_symlink("/proc/self/exe").string();
  Runner runner(complete);
  for (const std::string& file : files) SAKER_CHECK(runner.run_file(file));
  const RunSummary summary = runner.summary();
  if (!options.list)
    std::printf("%u passed, %u failed, %u skipped\n", summary.passed, summary.failed,
                summary.skipped);
  return summary;
}

}  // namespace saker::cases
