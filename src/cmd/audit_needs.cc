// Judges a condition for representatives of requests in three values: what a policy decides by is
// known of each, all else (bodies, codes, addresses) may be anything. See audit_needs.h.
#include "cmd/audit_needs.h"

#include <algorithm>
#include <array>
#include <map>

#include "audit/kube_resources.h"

namespace saker::cmd {

namespace {

using audit::Level;
using audit::Stage;
using filter::Node;
using filter::Op;

enum class Truth : uint8_t { no, maybe, yes };

// A judgement, and the level that it takes to make it for certain.
struct Verdict {
  Truth truth = Truth::maybe;
  Level level = Level::metadata;
};

enum class Dimension : uint8_t { verb, resource, subresource, name_space, name, user, other };

struct FieldName {
  std::string_view field;
  Dimension dimension;
};
constexpr auto kFields = std::to_array<FieldName>({
    {"ka.verb", Dimension::verb},
    {"jevt.value[/verb]", Dimension::verb},
    {"ka.target.resource", Dimension::resource},
    {"jevt.value[/objectRef/resource]", Dimension::resource},
    {"ka.target.subresource", Dimension::subresource},
    {"jevt.value[/objectRef/subresource]", Dimension::subresource},
    {"ka.target.namespace", Dimension::name_space},
    {"jevt.value[/objectRef/namespace]", Dimension::name_space},
    {"ka.target.name", Dimension::name},
    {"jevt.value[/objectRef/name]", Dimension::name},
    {"ka.user.name", Dimension::user},
    {"jevt.value[/user/username]", Dimension::user},
});

Dimension dimension_of(std::string_view field) {
  for (const FieldName& row : kFields)
    if (row.field == field) return row.dimension;
  return Dimension::other;
}

Level level_of(std::string_view field) {
  if (field.starts_with("ka.req.") || field.starts_with("jevt.value[/requestObject"))
    return Level::request;
  if (field.starts_with("ka.resp.") || field.starts_with("jevt.value[/responseObject"))
    return Level::request_response;
  return Level::metadata;
}

// A request as the event tells it, and the stage of the event.
struct Candidate {
  audit::Request request;  // with the object's name, which the event of a create has, too
  std::string who;
  Stage stage = Stage::response_complete;
};

// The value of a field, as far as it is known: nothing is "anything", an empty text is "not there".
std::optional<std::string> value_of(std::string_view field, const Candidate& candidate) {
  const audit::Request& request = candidate.request;
  switch (dimension_of(field)) {
    case Dimension::verb: return request.verb;
    case Dimension::resource: return request.resource;
    case Dimension::subresource: return request.subresource;
    case Dimension::name_space: return request.name_space;
    case Dimension::name: return request.name;
    case Dimension::user: return request.user;
    case Dimension::other: break;
  }
  if (field == "ka.stage" || field == "jevt.value[/stage]")
    return std::string(audit::kStages[static_cast<size_t>(candidate.stage)]);
  if (field == "ka.uri" && !request.is_resource) return request.path;
  if (field == "jevt.rawtime") return "1";
  if (request.has_user) return std::nullopt;
  if (field == "ka.response.code") return "401";
  if (field == "ka.auth.decision" || field == "ka.auth.reason") return "";
  return std::nullopt;
}

Truth truth_of(bool value) {
  return value ? Truth::yes : Truth::no;
}

Truth compare(const Node& check, const std::string& value) {
  if (check.op == Op::exists) return truth_of(!value.empty());
  if (value.empty()) return check.op == Op::ne ? Truth::maybe : Truth::no;
  const auto any = [&](auto matches) {
    return truth_of(std::any_of(check.values.begin(), check.values.end(), matches));
  };
  switch (check.op) {
    case Op::eq:
    case Op::in:
    case Op::intersects: return any([&](const std::string& v) { return v == value; });
    case Op::ne: return any([&](const std::string& v) { return v != value; });
    case Op::startswith: return any([&](const std::string& v) { return value.starts_with(v); });
    case Op::endswith: return any([&](const std::string& v) { return value.ends_with(v); });
    case Op::contains: return any([&](const std::string& v) { return value.contains(v); });
    default: return Truth::maybe;
  }
}

Level operand_level(const filter::OperandAst& operand) {
  Level level =
      operand.kind == filter::OperandAst::Kind::field ? level_of(operand.text) : Level::metadata;
  for (const filter::OperandAst& argument : operand.args)
    level = std::max(level, operand_level(argument));
  return level;
}

Verdict judge_check(const Node& check, const Candidate& candidate) {
  Verdict verdict{.level = operand_level(check.left)};
  if (check.right != nullptr) {
    verdict.level = std::max(verdict.level, operand_level(*check.right));
    return verdict;
  }
  if (check.left.kind != filter::OperandAst::Kind::field) return verdict;
  // Who has a name was not turned away for having none.
  if (check.left.text == "ka.response.code" && check.op == Op::eq && candidate.request.has_user &&
      check.values[0] == "401")
    return {.truth = Truth::no};
  const std::optional<std::string> value = value_of(check.left.text, candidate);
  if (value) verdict.truth = compare(check, *value);
  return verdict;
}

Verdict judge(const Node& node, const Candidate& candidate) {
  switch (node.kind) {
    case Node::Kind::check: return judge_check(node, candidate);
    case Node::Kind::macro: return {};
    case Node::Kind::negation: {
      Verdict verdict = judge(node.children[0], candidate);
      if (verdict.truth != Truth::maybe)
        verdict.truth = verdict.truth == Truth::yes ? Truth::no : Truth::yes;
      return verdict;
    }
    default: break;
  }
  // One child that is `decisive` decides; else what is open needs what it needs.
  const Truth decisive = node.kind == Node::Kind::all ? Truth::no : Truth::yes;
  Verdict out{.truth = node.kind == Node::Kind::all ? Truth::yes : Truth::no};
  for (const Node& child : node.children) {
    const Verdict verdict = judge(child, candidate);
    if (verdict.truth == decisive) return {.truth = decisive};
    if (verdict.truth != Truth::maybe) continue;
    out.truth = Truth::maybe;
    out.level = std::max(out.level, verdict.level);
  }
  return out;
}

using Literals = std::map<Dimension, std::vector<std::string>>;

void collect_literals(const Node& node, Literals& out) {
  constexpr size_t kMost = 24;
  for (const Node& child : node.children) collect_literals(child, out);
  if (node.kind != Node::Kind::check) return;
  const Dimension dimension = dimension_of(node.left.text);
  const bool prefix = node.op == Op::startswith;
  if (dimension == Dimension::other || (node.op != Op::eq && node.op != Op::in && !prefix)) return;
  std::vector<std::string>& list = out[dimension];
  for (std::string value : node.values) {
    if (prefix) value += "x";  // one of those that begin so
    if (list.size() < kMost && std::find(list.begin(), list.end(), value) == list.end())
      list.push_back(std::move(value));
  }
}

// Stands for every namespace that the condition does not name.
constexpr std::string_view kAnyNamespace = "shop";

struct Actor {
  std::string who, user;
};

std::vector<Actor> actors_of(const Literals& literals) {
  std::vector<Actor> out = {
      {"a person", "ana"},
      {"an anonymous client", "system:anonymous"},
      {"a node", "system:node:worker-1"},
      {"a service account of kube-system", "system:serviceaccount:kube-system:controller"},
      {"a service account", "system:serviceaccount:shop:cart"},
      {"a failed authentication", ""}};
  if (const auto users = literals.find(Dimension::user); users != literals.end())
    for (const std::string& user : users->second)
      if (user != "system:anonymous") out.push_back({user, user});
  return out;
}

struct Target {
  std::string group, resource, subresource;
  bool namespaced = true;
};

void add_target(std::vector<Target>& out, const std::string& resource,
                const std::vector<std::string>& subresources) {
  std::vector<std::string> groups = audit::groups_of(resource);
  if (groups.empty()) groups.emplace_back("");
  for (const std::string& group : groups) {
    const audit::KubeResource* known = audit::find_kube_resource(group, resource);
    const bool namespaced = known == nullptr || known->namespaced;
    out.push_back({group, resource, "", namespaced});
    for (const std::string& subresource : subresources)
      if (!subresource.empty() && (known == nullptr || audit::has_subresource(*known, subresource)))
        out.push_back({group, resource, subresource, namespaced});
  }
}

// The resources that the condition names, and some that stand for all others.
std::vector<Target> targets_of(const Literals& literals) {
  std::vector<std::string> subresources, resources;
  if (const auto found = literals.find(Dimension::subresource); found != literals.end())
    subresources = found->second;
  if (const auto found = literals.find(Dimension::resource); found != literals.end())
    resources = found->second;
  for (const char* other : {"pods", "services", "secrets", "deployments", "leases", "nodes"})
    if (std::find(resources.begin(), resources.end(), other) == resources.end())
      resources.emplace_back(other);
  std::vector<Target> out;
  for (const std::string& resource : resources) add_target(out, resource, subresources);
  out.push_back({"example.com", "widgets", "", true});
  return out;
}

bool can_have(const Target& target, std::string_view verb) {
  const audit::KubeResource* known = audit::find_kube_resource(target.group, target.resource);
  if (known != nullptr && known->only_create && target.subresource.empty()) return verb == "create";
  const std::string& sub = target.subresource;
  if (sub.empty() || sub == "proxy") return true;
  if (sub == "exec" || sub == "attach" || sub == "portforward")
    return verb == "create" || verb == "get";
  if (sub == "token" || sub == "eviction" || sub == "binding") return verb == "create";
  return verb == "get" || verb == "update" || verb == "patch";
}

bool is_session(const Target& target) {
  const std::string& sub = target.subresource;
  return sub == "exec" || sub == "attach" || sub == "portforward" || sub == "proxy" || sub == "log";
}

class Needs {
 public:
  explicit Needs(const Node& condition) : condition_(condition) {
    collect_literals(condition, literals_);
  }

  std::vector<audit::SightNeed> find() {
    const std::vector<Target> targets = targets_of(literals_);
    for (const Actor& actor : actors_of(literals_)) {
      for (const Target& target : targets)
        for (std::string_view verb : audit::kResourceVerbs)
          if (can_have(target, verb)) try_resource(actor, target, verb);
      for (const char* path : {"/healthz", "/api", "/metrics"}) try_path(actor, path);
    }
    return std::move(out_);
  }

 private:
  Candidate candidate_of(const Actor& actor) {
    Candidate candidate{.who = actor.who};
    candidate.request.has_user = !actor.user.empty();
    candidate.request.user = actor.user;
    if (candidate.request.has_user) candidate.request.groups = audit::groups_implied_by(actor.user);
    return candidate;
  }

  std::vector<std::string> values(Dimension dimension, std::vector<std::string> others) {
    const auto found = literals_.find(dimension);
    if (found == literals_.end()) return others;
    others.insert(others.end(), found->second.begin(), found->second.end());
    return others;
  }

  void try_resource(const Actor& actor, const Target& target, std::string_view verb) {
    Candidate candidate = candidate_of(actor);
    candidate.request.verb = verb;
    candidate.request.is_resource = true;
    candidate.request.api_group = target.group;
    candidate.request.resource = target.resource;
    candidate.request.subresource = target.subresource;
    const std::vector<std::string> spaces =
        target.namespaced
            ? values(Dimension::name_space, {std::string(kAnyNamespace), "kube-system"})
            : std::vector<std::string>{""};
    const bool long_running = is_session(target) || verb == "watch";
    for (const std::string& space : spaces)
      for (const std::string& name : values(Dimension::name, {"web"})) {
        candidate.request.name_space = space;
        candidate.request.name = name;
        add(candidate, long_running);
      }
    if (!target.namespaced || (verb != "list" && verb != "watch")) return;
    candidate.request.name_space.clear();  // of all namespaces at once
    candidate.request.name.clear();
    add(candidate, long_running);
  }

  void try_path(const Actor& actor, const char* path) {
    Candidate candidate = candidate_of(actor);
    candidate.request.verb = "get";
    candidate.request.path = path;
    add(candidate, false);
  }

  // A class is needed when the condition can be true for one of its events.
  void add(Candidate& candidate, bool long_running) {
    constexpr size_t kMostNeeds = 20'000;
    if (out_.size() >= kMostNeeds) return;
    std::vector<Stage> stages = {Stage::response_complete};
    if (long_running) stages.insert(stages.begin(), Stage::response_started);
    if (!candidate.request.has_user) stages = {Stage::response_started};
    const std::string& space = candidate.request.name_space;
    audit::SightNeed need{.request = candidate.request,
                          .who = candidate.who,
                          .any_namespace = space == kAnyNamespace || space.empty()};
    for (Stage stage : stages) try_stage(candidate, stage, need);
    // A crash comes instead of an end; who can see that does not need to see crashes.
    if (need.stages.empty() && candidate.request.has_user) try_stage(candidate, Stage::panic, need);
    if (need.stages.empty()) return;
    // The policy is asked before the server has read the body with the name.
    if (need.request.verb == "create" && need.request.subresource.empty())
      need.request.name.clear();
    out_.push_back(std::move(need));
  }

  void try_stage(Candidate& candidate, Stage stage, audit::SightNeed& need) const {
    candidate.stage = stage;
    const Verdict verdict = judge(condition_, candidate);
    if (verdict.truth == Truth::no) return;
    // A certain match needs nothing that an event at Metadata doesn't have.
    if (verdict.truth == Truth::maybe) need.level = std::max(need.level, verdict.level);
    need.stages.push_back(stage);
  }

  const Node& condition_;
  Literals literals_;
  std::vector<audit::SightNeed> out_;
};

}  // namespace

audit::DetectionNeeds needs_of(std::string_view name, const filter::Node& condition) {
  return {.name = std::string(name), .needs = Needs(condition).find()};
}

}  // namespace saker::cmd
