// Judging the events of a log. See policy_log.h.
#include "audit/policy_log.h"

#include <algorithm>

#include "audit/uri_path.h"

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

LoggedRequest::LoggedRequest() : picker_(kPaths) {}

Status LoggedRequest::read(std::string_view event) {
  SAKER_CHECK(picker_.read(event));
  if (!picker_[kAuditId].present) return Error{.message = "no auditID: no audit event"};
  decode_uri_path(picker_[kUri].text, path_text_);
  request_ = {.has_user = picker_[kUsername].present || picker_[kGroups].present,
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
  if (request_.verb == "create" && request_.subresource.empty()) request_.name = {};
  size_ = event.size() + 1;
  return {};
}

std::optional<Stage> LoggedRequest::stage() const {
  return parse_stage(picker_[kStage].text);
}
std::optional<Level> LoggedRequest::level() const {
  return parse_level(picker_[kLevel].text);
}
std::string_view LoggedRequest::time() const {
  return picker_[kTime].text;
}

std::optional<uint64_t> LoggedRequest::kept_size(const Decision& decision) const {
  const auto its = stage();
  if (decision.level == Level::none || (its && decision.omit_stages.contains(*its)))
    return std::nullopt;
  uint64_t bodies = 0;  // those that the policy leaves out; they are compact in a log
  if (decision.level < Level::request) bodies += picker_.size_of(kRequestObject);
  if (decision.level < Level::request_response) bodies += picker_.size_of(kResponseObject);
  return size_ - std::min(size_, bodies);
}

PolicyTester::PolicyTester(const Policy& policy) : matcher_(policy) {
  trial_.rules.resize(policy.rules.size() + 1);
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

void PolicyTester::take(const LoggedRequest& event) {
  const RequestView& request = event.request();
  const Decision decision = matcher_.decide(request);
  const size_t rule = decision.rule.value_or(trial_.rules.size() - 1);
  trial_.all.add(event.size());
  PolicyTrial::Day* day = day_of(event.time());
  if (day != nullptr) day->all.add(event.size());
  const std::optional<uint64_t> kept = event.kept_size(decision);
  if (!kept) return lose(request, rule, event.size());
  const auto logged = event.level();
  trial_.deeper += logged && request.is_resource && *logged < decision.level ? 1 : 0;
  trial_.kept.add(*kept);
  trial_.rules[rule].kept.add(*kept);
  trial_.levels[static_cast<size_t>(decision.level)].add(*kept);
  if (day != nullptr) day->kept.add(*kept);
}

}  // namespace saker::audit
