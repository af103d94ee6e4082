// Judging the events of a log. See policy_log.h.
#include "audit/policy_log.h"

#include <algorithm>

#include "audit/uri_path.h"
#include "formats/json_text.h"

namespace saker::audit {

namespace json_text = formats::json_text;

namespace {

// A value that is there, and not null.
std::string_view present(const AuditRecord& record, AuditValue value) {
  const std::string_view token = record.value(value);
  return token == "null" ? std::string_view() : token;
}

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

// Of a string; anything else is none.
std::string_view LoggedRequest::text(const AuditRecord& record, AuditValue value) {
  const std::string_view token = record.value(value);
  return json_text::is_string(token) ? json_text::to_text(token, arena_) : std::string_view();
}

bool LoggedRequest::read(const AuditRecord& record) {
  using enum AuditValue;
  if (present(record, audit_id).empty()) return false;
  arena_.reset();
  groups_.clear();
  json_text::for_each_element(record.value(user_groups), [this](std::string_view group) {
    if (json_text::is_string(group)) groups_.push_back(json_text::to_text(group, arena_));
    return true;
  });
  const bool is_resource = !present(record, resource).empty();
  path_text_.clear();  // of an object no rule asks for the path
  if (!is_resource) decode_uri_path(text(record, request_uri), path_text_);
  request_ = {
      .has_user = !present(record, user_name).empty() || !present(record, user_groups).empty(),
      .user = text(record, user_name),
      .groups = groups_,
      .verb = text(record, verb),
      .is_resource = !present(record, resource).empty(),
      .name_space = text(record, name_space),
      .api_group = text(record, api_group),
      .resource = text(record, resource),
      .subresource = text(record, subresource),
      .name = text(record, name),
      .path = path_text_};
  // The event has the name from the body; the policy was asked before the body was read.
  if (request_.verb == "create" && request_.subresource.empty()) request_.name = {};
  stage_ = parse_stage(text(record, AuditValue::stage));
  level_ = parse_level(text(record, AuditValue::level));
  time_ = text(record, stage_time);
  size_ = record.text().size() + 1;
  request_body_ = present(record, request_object).size();
  response_body_ = present(record, response_object).size();
  return true;
}

std::optional<uint64_t> LoggedRequest::kept_size(const Decision& decision) const {
  if (decision.level == Level::none || (stage_ && decision.omit_stages.contains(*stage_)))
    return std::nullopt;
  uint64_t bodies = 0;  // those that the policy leaves out; they are compact in a log
  if (decision.level < Level::request) bodies += request_body_;
  if (decision.level < Level::request_response) bodies += response_body_;
  return size_ - std::min(size_, bodies);
}

PolicyTester::PolicyTester(const Policy& policy) : matcher_(policy) {
  trial_.rules.resize(policy.rules.size() + 1);
}

namespace {

constexpr size_t kMostKinds = 5000, kMostDays = 10'000;

void add_lost(PolicyTrial& trial, std::string kind, const Volume& volume) {
  if (trial.lost_kinds.size() >= kMostKinds && !trial.lost_kinds.contains(kind)) kind = "(other)";
  trial.lost_kinds[std::move(kind)].add(volume);
}

PolicyTrial::Day* day_at(PolicyTrial& trial, std::string_view date) {
  auto found = trial.days.find(date);
  if (found == trial.days.end() && trial.days.size() < kMostDays)
    found = trial.days.emplace(date, PolicyTrial::Day{}).first;
  return found == trial.days.end() ? nullptr : &found->second;
}

void widen(PolicyTrial& trial, std::string_view first, std::string_view last) {
  if (trial.first_time.empty() || (!first.empty() && first < trial.first_time))
    trial.first_time = first;
  if (last > trial.last_time) trial.last_time = last;
}

}  // namespace

void PolicyTrial::add(const PolicyTrial& other) {
  all.add(other.all);
  kept.add(other.kept);
  lost.add(other.lost);
  for (size_t i = 0; i < levels.size(); ++i) levels[i].add(other.levels[i]);
  rules.resize(std::max(rules.size(), other.rules.size()));
  for (size_t i = 0; i < other.rules.size(); ++i) {
    rules[i].kept.add(other.rules[i].kept);
    rules[i].lost.add(other.rules[i].lost);
  }
  for (const auto& [date, volumes] : other.days) {
    Day* day = day_at(*this, date);
    if (day == nullptr) continue;
    day->all.add(volumes.all);
    day->kept.add(volumes.kept);
  }
  for (const auto& [kind, volume] : other.lost_kinds) add_lost(*this, kind, volume);
  deeper += other.deeper;
  widen(*this, other.first_time, other.last_time);
}

void PolicyTester::lose(const RequestView& request, size_t rule, uint64_t size) {
  trial_.lost.add(size);
  trial_.rules[rule].lost.add(size);
  add_lost(trial_, kind_of(request), {.events = 1, .bytes = size});
}

PolicyTrial::Day* PolicyTester::day_of(std::string_view time) {
  constexpr size_t kDate = 10;
  if (time.size() < kDate) return nullptr;
  widen(trial_, time, time);
  return day_at(trial_, time.substr(0, kDate));
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
