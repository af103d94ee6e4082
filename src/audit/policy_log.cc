// Reading logs line by line and judging each event. See policy_log.h.
#include "audit/policy_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "audit/uri_path.h"
#include "base/bytes.h"
#include "base/fd.h"
#include "formats/inflate.h"

namespace saker::audit {

namespace {

enum Path : size_t {
  kAuditId,
  kLevel,
  kStage,
  kUri,
  kVerb,
  kUsername,
  kGroups,
  kResource,
  kNamespace,
  kName,
  kApiGroup,
  kSubresource,
  kRequestObject,
  kResponseObject,
  kTime,
  kPathCount
};
constexpr std::array<std::string_view, kPathCount> kPaths = {"auditID",
                                                             "level",
                                                             "stage",
                                                             "requestURI",
                                                             "verb",
                                                             "user.username",
                                                             "user.groups",
                                                             "objectRef.resource",
                                                             "objectRef.namespace",
                                                             "objectRef.name",
                                                             "objectRef.apiGroup",
                                                             "objectRef.subresource",
                                                             "requestObject",
                                                             "responseObject",
                                                             "stageTimestamp"};

// Gives a file's lines, whatever it is compressed with, from one buffer that grows to the longest
// line.
class LineReader {
 public:
  static constexpr size_t kLongestLine = size_t{64} << 20;

  explicit LineReader(UniqueFd fd) : fd_(std::move(fd)), in_(kChunk), buffer_(2 * kChunk) {}

  // The next line without its end; nothing at the end. `too_long` says that one was passed over.
  Result<bool> next(std::string_view& line, bool& too_long) {
    too_long = false;
    for (;;) {
      const char* begin = buffer_.data() + begin_;
      const void* newline = std::memchr(begin + scanned_, '\n', end_ - begin_ - scanned_);
      if (newline != nullptr) {
        line = {begin, static_cast<size_t>(static_cast<const char*>(newline) - begin)};
        begin_ += line.size() + 1;
        scanned_ = 0;
        too_long = std::exchange(skipping_, false);
        return true;
      }
      scanned_ = end_ - begin_;
      if (at_end_) {
        if (scanned_ == 0) return false;
        line = {begin, scanned_};
        begin_ = end_;
        scanned_ = 0;
        too_long = std::exchange(skipping_, false);
        return true;
      }
      if (scanned_ > kLongestLine) {
        begin_ = end_;
        scanned_ = 0;
        skipping_ = true;
      }
      SAKER_CHECK(fill());
    }
  }

 private:
  static constexpr size_t kChunk = size_t{256} << 10;

  Status fill() {
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ + kChunk + formats::kJsonPadding > buffer_.size()) buffer_.resize(buffer_.size() * 2);
    if (in_begin_ == in_end_) SAKER_CHECK(read_more());
    if (at_end_) return {};
    if (!inflater_) {
      const Bytes head(in_.data(), std::min(in_end_, formats::kCompressionMagicSize));
      inflater_ = std::make_unique<formats::Inflater>(formats::detect_compression(head));
    }
    const size_t room = buffer_.size() - formats::kJsonPadding - end_;
    const std::span<uint8_t> out(reinterpret_cast<uint8_t*>(buffer_.data()) + end_, room);
    const auto step =
        SAKER_TRY(inflater_->run(Bytes(in_.data() + in_begin_, in_end_ - in_begin_), out));
    in_begin_ += step.consumed;
    end_ += step.produced;
    return {};
  }

  Status read_more() {
    const ssize_t got = ::read(fd_.get(), in_.data(), in_.size());
    if (got < 0) return errno_error("cannot read", errno);
    in_begin_ = 0;
    in_end_ = static_cast<size_t>(got);
    at_end_ = got == 0;
    if (at_end_ && inflater_) return inflater_->finish();
    return {};
  }

  UniqueFd fd_;
  std::vector<uint8_t> in_;
  size_t in_begin_ = 0, in_end_ = 0;
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0, scanned_ = 0;
  bool at_end_ = false, skipping_ = false;
  std::unique_ptr<formats::Inflater> inflater_;
};

std::string kind_of(const RequestView& request) {
  std::string out(request.verb);
  out += ' ';
  if (!request.is_resource) return out + "(no resource)";
  out += request.resource;
  if (!request.subresource.empty()) out.append("/").append(request.subresource);
  if (!request.api_group.empty()) out.append(".").append(request.api_group);
  return out;
}

}  // namespace

PolicyTester::PolicyTester(const Policy& policy) : matcher_(policy), picker_(kPaths) {
  trial_.rules.resize(policy.rules.size() + 1);
}

RequestView PolicyTester::request() {
  decode_uri_path(picker_[kUri].text, path_text_);
  RequestView request{.has_user = picker_[kUsername].present || picker_[kGroups].present,
                      .user = picker_[kUsername].text,
                      .groups = picker_[kGroups].items,
                      .verb = picker_[kVerb].text,
                      .is_resource = picker_[kResource].present,
                      .name_space = picker_[kNamespace].text,
                      .api_group = picker_[kApiGroup].text,
                      .resource = picker_[kResource].text,
                      .subresource = picker_[kSubresource].text,
                      .name = picker_[kName].text,
                      .path = path_text_};
  // The event has the name from the body; the policy was asked before the body was read.
  if (request.verb == "create" && request.subresource.empty()) request.name = {};
  return request;
}

void PolicyTester::lose(const RequestView& request, size_t rule, uint64_t size) {
  constexpr size_t kMostKinds = 5000;
  trial_.lost.add(size);
  trial_.rules[rule].lost.add(size);
  std::string kind = kind_of(request);
  if (trial_.lost_kinds.size() >= kMostKinds && !trial_.lost_kinds.contains(kind)) kind = "(other)";
  trial_.lost_kinds[std::move(kind)].add(size);
}

PolicyTrial::Day* PolicyTester::day_of(std::string_view time) {
  constexpr size_t kMostDays = 10'000, kDate = 10;
  if (time.size() < kDate) return nullptr;
  if (trial_.first_time.empty() || time < trial_.first_time) trial_.first_time = time;
  if (time > trial_.last_time) trial_.last_time = time;
  const std::string_view date = time.substr(0, kDate);
  auto found = trial_.days.find(date);
  if (found == trial_.days.end() && trial_.days.size() < kMostDays)
    found = trial_.days.emplace(date, PolicyTrial::Day{}).first;
  return found == trial_.days.end() ? nullptr : &found->second;
}

void PolicyTester::judge(std::string_view line) {
  const RequestView view = request();
  const Decision decision = matcher_.decide(view);
  const size_t rule = decision.rule.value_or(trial_.rules.size() - 1);
  const uint64_t size = line.size() + 1;
  trial_.all.add(size);
  PolicyTrial::Day* day = day_of(picker_[kTime].text);
  if (day != nullptr) day->all.add(size);
  const auto stage = parse_stage(picker_[kStage].text);
  const bool omitted = stage && decision.omit_stages.contains(*stage);
  if (decision.level == Level::none || omitted) return lose(view, rule, size);
  uint64_t bodies = 0;  // those that the policy leaves out; they are compact in a log
  if (decision.level < Level::request) bodies += picker_.size_of(kRequestObject);
  if (decision.level < Level::request_response) bodies += picker_.size_of(kResponseObject);
  const uint64_t kept = size - std::min(size, bodies);
  const auto logged = parse_level(picker_[kLevel].text);
  trial_.deeper += logged && view.is_resource && *logged < decision.level ? 1 : 0;
  trial_.kept.add(kept);
  trial_.rules[rule].kept.add(kept);
  trial_.levels[static_cast<size_t>(decision.level)].add(kept);
  if (day != nullptr) day->kept.add(kept);
}

void PolicyTester::take(std::string_view line, std::string_view path, uint64_t line_number) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  if (line.empty()) return;
  Status status = picker_.read(line);
  const bool list = status.ok() && !picker_[kAuditId].present;
  if (list) status = Error{.message = "no auditID: no audit event (lists of events are not read)"};
  if (status.ok()) return judge(line);
  if (trial_.skipped++ == 0)
    trial_.first_skipped =
        std::string(path) + ":" + std::to_string(line_number) + ": " + status.error().message;
}

Status PolicyTester::read(const std::string& path) {
  UniqueFd fd = SAKER_TRY(open_file(path, O_RDONLY));
  LineReader reader(std::move(fd));
  std::string_view line;
  for (uint64_t number = 1;; ++number) {
    bool too_long = false;
    Result<bool> more = reader.next(line, too_long);
    if (!more.ok()) {
      more.error().position.file = path;
      return std::move(more).error();
    }
    if (!*more) return {};
    if (!too_long) {
      take(line, path, number);
    } else if (trial_.skipped++ == 0) {
      trial_.first_skipped = path + ":" + std::to_string(number) + ": line longer than 64 MiB";
    }
  }
}

}  // namespace saker::audit
