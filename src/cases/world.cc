#include "cases/world.h"

#include <algorithm>
#include <filesystem>

#include "agent/event_printer.h"
#include "agent/rule_files.h"
#include "base/fd.h"
#include "base/strings.h"
#include "base/time.h"
#include "capture/scap/scap.h"
#include "cases/audit_line.h"
#include "cases/process.h"
#include "fields/catalog.h"
#include "filter/output_template.h"

namespace saker::cases {

namespace fs = std::filesystem;

namespace {

std::string block_text(const Step& step) {
  std::string text;
  for (const std::string& line : step.block) text += line + "\n";
  return text;
}

std::string describe(const finding::Finding& finding) {
  return "\"" + finding.rule + "\" " + std::string(finding::to_string(finding.severity)) +
         " at event " + std::to_string(finding.sequence) + ": " + finding.message;
}

std::string position_text(const Error& error) {
  return std::to_string(error.position.line) + ":" + std::to_string(error.position.column);
}

}  // namespace

World::World(const RunOptions& options, std::string folder)
    : options_(options), folder_(std::move(folder)), pipeline_(state_, *this) {
  state_.on_machine({.cpus = 1, .hostname = "test"});
  state_.on_user({.id = 0, .name = "root", .home = "/root", .shell = "/bin/sh"});
  state_.on_user({.is_group = true, .id = 0, .name = "root"});
}

World::~World() {
  std::error_code ignored;
  if (!scratch_folder_.empty()) fs::remove_all(scratch_folder_, ignored);
}

void World::on_finding(finding::Finding finding, const rules::Rule&, const filter::EvalContext&) {
  findings_.push_back(std::move(finding));
}

std::optional<std::string> World::resolve(const std::string& path) const {
  constexpr std::string_view kShared = "@shared/";
  if (path.starts_with(kShared)) {
    if (options_.shared.empty() || !fs::exists(options_.shared)) return std::nullopt;
    return options_.shared + "/" + path.substr(kShared.size());
  }
  if (path.starts_with('/')) return path;
  if (!scratch_folder_.empty() && fs::exists(scratch_folder_ + "/" + path))
    return scratch_folder_ + "/" + path;
  return folder_ + "/" + path;
}

Outcome World::run(const Step& step) {
  using Handler = Outcome (World::*)(const Step&);
  static constexpr std::pair<std::string_view, Handler> kHandlers[] = {
      {"rules", &World::step_rules},   {"process", &World::step_process},
      {"fd", &World::step_fd},         {"container", &World::step_container},
      {"event", &World::step_event},   {"audit", &World::step_audit},
      {"replay", &World::step_replay}, {"condition", &World::step_condition},
      {"file", &World::step_file},     {"run", &World::step_run},
      {"expect", &World::step_expect}};
  for (const auto& [verb, handler] : kHandlers)
    if (verb == step.verb) return (this->*handler)(step);
  return Outcome::failed("no verb '" + step.verb +
                         "'; there are rules, process, fd, container, event, audit, "
                         "condition, replay, file, run, expect");
}

Outcome World::finish() {
  return unexpected_findings();
}

Outcome World::unexpected_findings() {
  if (findings_.empty()) return {};
  return Outcome::failed("unexpected finding " + describe(findings_.front()));
}

Outcome World::load_rules(const std::vector<std::string>& paths, const std::string& inline_text,
                          const Step& step) {
  std::vector<rules::RulesText> texts;
  if (!paths.empty()) {
    Result<std::vector<rules::RulesText>> read = rules::read_rules_files(paths);
    if (!read.ok()) return Outcome::failed(read.error().to_text());
    texts = std::move(*read);
  }
  if (!inline_text.empty())
    texts.push_back({.name = "line " + std::to_string(step.line), .text = inline_text});
  rules::LoadResult loaded = rules::load(texts, {.catalog = &fields::catalog()});
  error_text_.clear();
  for (const rules::FileReport& report : loaded.reports)
    if (!report.successful()) error_text_ += rules::to_text(report, true);
  if (loaded.ok()) {
    engine_.emplace(std::move(loaded.set), rules::Matching::all, "test");
    pipeline_.set_engine(&*engine_);
    pipeline_.set_verify(true);
  }
  return {};
}

Outcome World::step_rules(const Step& step) {
  std::vector<std::string> paths;
  size_t first = !step.words.empty() && step.words[0] == "file" ? 1 : 0;
  for (size_t i = first; i < step.words.size(); ++i) {
    std::optional<std::string> path = resolve(step.words[i]);
    if (!path) return Outcome::skipped("the conformance data is not here");
    paths.push_back(*path);
  }
  return load_rules(paths, block_text(step), step);
}

Outcome World::step_process(const Step& step) {
  Result<Attributes> attributes = parse_attributes(step.words, 0);
  if (!attributes.ok()) return Outcome::failed(attributes.error().to_text());
  if (Status status = tell_process(*attributes, state_); !status.ok())
    return Outcome::failed(status.error().to_text());
  builder_.note_process(parse_int((*attributes)["pid"]).value_or(-1));
  return {};
}

Outcome World::step_fd(const Step& step) {
  Result<Attributes> attributes = parse_attributes(step.words, 0);
  if (!attributes.ok()) return Outcome::failed(attributes.error().to_text());
  if (Status status = tell_fd(*attributes, state_); !status.ok())
    return Outcome::failed(status.error().to_text());
  return {};
}

Outcome World::step_container(const Step& step) {
  Result<Attributes> attributes = parse_attributes(step.words, 0);
  if (!attributes.ok()) return Outcome::failed(attributes.error().to_text());
  Result<k8s::ContainerInfo> info = parse_container(*attributes);
  if (!info.ok()) return Outcome::failed(info.error().to_text());
  state_.set_container(std::move(*info));
  return {};
}

Outcome World::need_rules(const Step& step) {
  if (!engine_ && !options_.rules.empty()) {
    if (Outcome outcome = load_rules(options_.rules, "", step); outcome.kind != Outcome::Kind::ok)
      return outcome;
  }
  if (error_text_.empty()) return {};
  return Outcome::failed("the rules did not load:\n" + error_text_);
}

Outcome World::step_event(const Step& step) {
  if (Outcome outcome = need_rules(step); outcome.kind != Outcome::Kind::ok) return outcome;
  if (step.words.empty()) return Outcome::failed("event NAME key=value ...");
  Result<Attributes> attributes = parse_attributes(step.words, 1);
  if (!attributes.ok()) return Outcome::failed(attributes.error().to_text());
  Result<Bytes> record = builder_.build(step.words[0], *attributes, state_);
  if (!record.ok()) return Outcome::failed(record.error().to_text());
  if (!last_event_.empty()) {
    Result<event::Event> previous = event::Event::decode(last_event_, 0);
    if (previous.ok()) pipeline_.done(*previous);
  }
  last_event_.assign(record->begin(), record->end());
  Result<event::Event> event = event::Event::decode(last_event_, 0);
  if (!event.ok()) return Outcome::failed(event.error().to_text());
  event->number = ++event_number_;
  current_event_ = *event;
  has_event_ = true;
  pipeline_.update(current_event_);
  pipeline_.match(current_event_);
  if (pipeline_.disagreements() != 0) return Outcome::failed(pipeline_.first_disagreement());
  return {};
}

// KEY=VALUE words make one event; events as JSON stand in the line or below it, one a line.
Outcome World::step_audit(const Step& step) {
  if (Outcome outcome = need_rules(step); outcome.kind != Outcome::Kind::ok) return outcome;
  std::vector<std::string> texts = step.block;
  if (step.rest.starts_with('{')) {
    texts.insert(texts.begin(), step.rest);
  } else if (!step.words.empty()) {
    Result<Attributes> attributes = parse_attributes(step.words, 0);
    if (!attributes.ok()) return Outcome::failed(attributes.error().to_text());
    const auto later = attributes->find("time");
    constexpr uint64_t kSecond = 1'000'000'000, kStep = 1'000'000;
    audit_time_ns_ +=
        later == attributes->end() ? kStep : parse_uint(later->second).value_or(0) * kSecond;
    Result<std::string> text = audit_event_json(*attributes, event_number_ + 1, audit_time_ns_);
    if (!text.ok()) return Outcome::failed(text.error().to_text());
    texts.insert(texts.begin(), std::move(*text));
  }
  if (texts.empty()) return Outcome::failed("audit KEY=VALUE ..., or an event as JSON");
  for (const std::string& text : texts)
    if (Outcome outcome = judge_audit(text); outcome.kind != Outcome::Kind::ok) return outcome;
  return {};
}

Outcome World::judge_audit(std::string_view text) {
  audit_text_ = text;
  audit_text_.append(formats::kJsonPadding, '\0');
  if (!audit_record_.load(std::string_view(audit_text_).substr(0, text.size())))
    return Outcome::failed("not a JSON object: " + std::string(text));
  const std::string_view time = audit_record_.find("/stageTimestamp").value_or("\"\"");
  const std::optional<uint64_t> ns = parse_rfc3339(time.substr(1, time.size() - 2));
  if (!ns) return Outcome::failed("an audit event needs a stageTimestamp: " + std::string(text));
  current_event_ = {};
  current_event_.source = event::Source::k8s_audit;
  current_event_.type = event::PLUGINEVENT_E;
  current_event_.timestamp = *ns;
  current_event_.length = static_cast<uint32_t>(text.size());
  current_event_.number = ++event_number_;
  has_event_ = true;
  pipeline_.update(current_event_, audit_record_);
  pipeline_.match(current_event_);
  if (pipeline_.disagreements() != 0) return Outcome::failed(pipeline_.first_disagreement());
  return {};
}

Outcome World::step_condition(const Step& step) {
  error_text_.clear();
  condition_.reset();
  Result<filter::Expr> compiled =
      agent::compile_condition(step.rest, fields::catalog(), event::Source::syscall);
  if (compiled.ok()) {
    condition_ = std::move(*compiled);
  } else {
    error_text_ = position_text(compiled.error()) + " " + compiled.error().message;
  }
  return {};
}

Outcome World::step_replay(const Step& step) {
  if (!error_text_.empty()) return Outcome::failed("the rules did not load:\n" + error_text_);
  if (step.words.empty()) return Outcome::failed("replay FILE.scap, or an audit log");
  std::optional<std::string> path = resolve(step.words[0]);
  if (!path) return Outcome::skipped("the conformance data is not here");
  Outcome outcome =
      path->find(".scap") != std::string::npos ? replay_capture(*path) : replay_audit_log(*path);
  if (outcome.kind == Outcome::Kind::ok && pipeline_.disagreements() != 0)
    return Outcome::failed(pipeline_.first_disagreement());
  return outcome;
}

Outcome World::replay_capture(const std::string& path) {
  Result<std::unique_ptr<capture::ScapReader>> source = capture::ScapReader::open({.path = path});
  if (!source.ok()) {
    error_text_ = source.error().to_text();
    return {};
  }
  if (Status status = (*source)->snapshot(state_); !status.ok()) {
    error_text_ = status.error().to_text();
    return {};
  }
  event::Event event;
  capture::Next next;
  while ((next = (*source)->next_event(event)) == capture::Next::event) pipeline_.handle(event);
  if (next == capture::Next::failed) error_text_ = (*source)->error().to_text();
  return {};
}

Outcome World::replay_audit_log(const std::string& path) {
  Result<std::unique_ptr<capture::AuditLogReader>> source = capture::AuditLogReader::open(path);
  if (!source.ok()) {
    error_text_ = source.error().to_text();
    return {};
  }
  event::Event event;
  capture::Next next;
  while ((next = (*source)->next(event)) == capture::Next::event) {
    pipeline_.update(event, (*source)->record());
    pipeline_.match(event);
  }
  if (next == capture::Next::failed) error_text_ = (*source)->error().to_text();
  return {};
}

Outcome World::step_file(const Step& step) {
  if (step.words.size() != 1 || step.words[0].find("..") != std::string::npos)
    return Outcome::failed("file NAME, with its content indented below");
  if (scratch_folder_.empty()) {
    Result<std::string> made = make_scratch_folder();
    if (!made.ok()) return Outcome::failed(made.error().to_text());
    scratch_folder_ = *made;
  }
  const fs::path path = fs::path(scratch_folder_) / step.words[0];
  fs::create_directories(path.parent_path());
  if (Status status = replace_file(path.string(), block_text(step)); !status.ok())
    return Outcome::failed(status.error().to_text());
  return {};
}

Outcome World::step_run(const Step& step) {
  std::vector<std::string> arguments = {options_.saker};
  for (const std::string& word : step.words) {
    const bool is_path = word.starts_with("@shared/") || word.starts_with("@here/") ||
                         (!scratch_folder_.empty() && fs::exists(scratch_folder_ + "/" + word));
    std::optional<std::string> path = word.starts_with("@here/")
                                          ? std::optional(folder_ + "/" + word.substr(6))
                                      : is_path ? resolve(word)
                                                : word;
    if (!path) return Outcome::skipped("the conformance data is not here");
    arguments.push_back(*path);
  }
  Result<ProcessResult> result = run_process(arguments, block_text(step));
  if (!result.ok()) return Outcome::failed(result.error().to_text());
  output_ = std::move(result->output);
  errors_ = std::move(result->errors);
  exit_code_ = result->exit_code;
  return {};
}

}  // namespace saker::cases
