// The least roles: judged by an evaluator of its own on what random actors did; and what of present
// rights was used.
#include "audit/grant.h"

#include <gtest/gtest.h>

#include <random>

#include "formats/json_index.h"

namespace saker::audit {

namespace {

struct TextRecord : AuditRecord {
  explicit TextRecord(const std::string& json)
      : text_(json + std::string(formats::kJsonPadding, ' ')) {
    EXPECT_TRUE(index_.load(std::string_view(text_).substr(0, json.size()))) << json;
  }
  [[nodiscard]] std::string_view text() const override { return index_.text(); }
  [[nodiscard]] std::optional<std::string_view> find(std::string_view pointer) const override {
    return index_.find(pointer);
  }

 private:
  std::string text_;
  static inline const formats::JsonPaths kPaths{kAuditPointers};
  formats::JsonIndex index_{kPaths};
};

struct Event {
  std::string user = "ana", verb = "get", resource, part, group, space, name, path;
  int code = 200;
  std::string decision = "allow", as, stage = "ResponseComplete";

  [[nodiscard]] std::string json() const {
    std::string out = R"({"auditID":"1","stage":")" + stage + R"(","verb":")" + verb +
                      R"(","user":{"username":")" + user + R"(","groups":["developers"]})";
    if (!as.empty())
      out += R"(,"impersonatedUser":{"username":")" + as + R"(","groups":["others"]})";
    out += R"(,"requestURI":")" + (path.empty() ? "/x" : path) + "\"";
    if (!resource.empty())
      out += R"(,"objectRef":{"resource":")" + resource + R"(","namespace":")" + space +
             R"(","name":")" + name + R"(","apiGroup":")" + group + R"(","subresource":")" + part +
             R"("})";
    out += R"(,"responseStatus":{"code":)" + std::to_string(code) + "}";
    if (!decision.empty())
      out += R"(,"annotations":{"authorization.k8s.io/decision":")" + decision + R"("})";
    return out + R"(,"stageTimestamp":"2026-03-02T00:00:00.000000Z"})";
  }
};

Deeds deeds_of(const std::vector<Event>& events, const std::string& user = "ana",
               DeedFilter filter = {}) {
  DeedCollector collector({.user = user, .group = {}}, std::move(filter));
  for (const Event& event : events) collector.take(TextRecord(event.json()), 1000);
  const auto found = collector.actors().find(user);
  return found == collector.actors().end() ? Deeds{} : found->second;
}

// Written anew from what RBAC is, not from rbac.cc: that rules have only plain words is asserted.
bool permits(const std::vector<RbacRole>& roles, const Event& event) {
  const auto has = [](const std::vector<std::string>& list, const std::string& word) {
    return std::count(list.begin(), list.end(), word) != 0;
  };
  const bool unnamed =
      event.part.empty() && (event.verb == "create" || event.verb == "deletecollection");
  const std::string resource =
      event.part.empty() ? event.resource : event.resource + "/" + event.part;
  for (const RbacRole& role : roles) {
    if (!role.name_space.empty() && role.name_space != event.space) continue;
    for (const RbacRule& rule : role.rules) {
      EXPECT_FALSE(has(rule.verbs, "*") || has(rule.resources, "*") || has(rule.groups, "*"));
      if (!has(rule.verbs, event.verb)) continue;
      if (event.resource.empty()) {
        if (has(rule.urls, event.path)) return true;
        continue;
      }
      const bool named = rule.names.empty() || (!unnamed && has(rule.names, event.name));
      if (has(rule.groups, event.group) && has(rule.resources, resource) && named) return true;
    }
  }
  return false;
}

Event random_event(std::mt19937& random) {
  const auto pick = [&](const std::vector<std::string>& from) {
    return from[random() % from.size()];
  };
  Event event{.verb = pick({"get", "list", "watch", "create", "update", "patch", "delete"})};
  const auto kind = random() % 12;
  if (kind == 0) {
    event.path = "/metrics/" + pick({"a", "b"});
    event.verb = pick({"get", "post"});
  } else {
    event.resource = pick({"pods", "secrets", "configmaps", "deployments"});
    event.group = event.resource == "deployments" ? "apps" : "";
    if (event.resource == "pods" && random() % 3 == 0) event.part = pick({"exec", "log"});
    event.space = pick({"", "shop", "pay"});
    if (event.verb != "list" && event.verb != "watch")
      event.name = "n" + std::to_string(random() % 14);
  }
  if (random() % 5 == 0) {
    event.code = 403;
    event.decision = "forbid";
  }
  return event;
}

TEST(Grant, AllThatWasAllowedAndNoRuleTooMany) {
  std::mt19937 random(7);
  size_t rules = 0;
  for (int round = 0; round < 60; ++round) {
    std::vector<Event> events(1 + random() % 60);
    for (Event& event : events) event = random_event(random);
    const std::vector<RbacRole> roles = least_roles(deeds_of(events), {});
    for (const Event& event : events)
      EXPECT_TRUE(event.code != 200 || permits(roles, event)) << event.json();
    for (size_t i = 0; i < roles.size(); ++i)
      for (size_t j = 0; j < roles[i].rules.size(); ++j) {
        ++rules;
        std::vector<RbacRole> without = roles;
        without[i].rules.erase(without[i].rules.begin() + static_cast<ptrdiff_t>(j));
        EXPECT_TRUE(std::any_of(
            events.begin(), events.end(),
            [&](const Event& event) { return event.code == 200 && !permits(without, event); }))
            << "rule " << j << " of role " << i;
      }
  }
  EXPECT_GT(rules, 300U);
}

TEST(Grant, NothingElse) {
  // By name where names are few, and never in another namespace or by another verb.
  const std::vector<RbacRole> roles = least_roles(
      deeds_of({{.resource = "secrets", .space = "shop", .name = "db"},
                {.verb = "create", .resource = "configmaps", .space = "shop", .name = "new"}}),
      {});
  EXPECT_FALSE(permits(roles, {.resource = "secrets", .space = "shop", .name = "other"}));
  EXPECT_FALSE(permits(roles, {.resource = "secrets", .space = "pay", .name = "db"}));
  EXPECT_FALSE(permits(roles, {.verb = "list", .resource = "secrets", .space = "shop"}));
  EXPECT_TRUE(permits(
      roles, {.verb = "create", .resource = "configmaps", .space = "shop", .name = "next"}));
}

TEST(Grant, WhatWasRefusedOnlyWhenAsked) {
  const Event refused{
      .resource = "secrets", .space = "shop", .name = "db", .code = 403, .decision = "forbid"};
  const Event undecided{.resource = "nodes", .code = 429, .decision = ""};
  const Deeds deeds = deeds_of({refused, undecided, {.resource = "pods", .space = "shop"}});
  EXPECT_FALSE(permits(least_roles(deeds, {}), refused));
  EXPECT_TRUE(permits(least_roles(deeds, {.refused = true}), refused));
  EXPECT_FALSE(permits(least_roles(deeds, {.refused = true}), undecided));
  // The server found no object, or did not like what was sent: the right was there.
  for (const int code : {404, 409, 403}) {
    const Event failed{.resource = "pods", .space = "x", .name = "web", .code = code};
    EXPECT_TRUE(permits(least_roles(deeds_of({failed}), {}), failed)) << code;
  }
}

TEST(Grant, ManyNamesBecomeAnyName) {
  std::vector<Event> events;
  for (int i = 0; i < 9; ++i)
    events.push_back({.resource = "pods", .space = "shop", .name = "web-" + std::to_string(i)});
  const Event other{.resource = "pods", .space = "shop", .name = "web-x"};
  EXPECT_TRUE(permits(least_roles(deeds_of(events), {}), other));
  EXPECT_EQ(deeds_of(events).any_name.size(), 1U);
  EXPECT_FALSE(permits(least_roles(deeds_of(events, "ana", {.most_names = 9}), {}), other));
  // Names that were refused don't count: somebody who guesses must not widen anything.
  std::vector<Event> guesses = events;
  for (size_t i = 1; i < guesses.size(); ++i) guesses[i].code = 403, guesses[i].decision = "forbid";
  EXPECT_FALSE(permits(least_roles(deeds_of(guesses), {}), other));
}

TEST(Grant, WidensOnRequest) {
  const Deeds deeds =
      deeds_of({{.verb = "update", .resource = "pods", .space = "shop", .name = "a"},
                {.verb = "update", .resource = "pods", .space = "pay", .name = "b"},
                {.verb = "watch", .resource = "secrets", .space = "shop"}});
  const Event third{.verb = "update", .resource = "pods", .space = "third", .name = "c"};
  EXPECT_FALSE(permits(least_roles(deeds, {}), third));
  const auto wide = least_roles(deeds, {.widen_namespaces = true});
  EXPECT_TRUE(permits(wide, third));
  EXPECT_FALSE(permits(wide, {.verb = "watch", .resource = "secrets", .space = "pay"}));
  const auto more = least_roles(deeds, {.expand_verbs = true});
  EXPECT_TRUE(permits(more, {.verb = "patch", .resource = "pods", .space = "shop", .name = "a"}));
  EXPECT_TRUE(permits(more, {.verb = "list", .resource = "secrets", .space = "shop"}));
}

TEST(Grant, ImpersonationBelongsToTheOther) {
  const Event event{.resource = "pods", .space = "shop", .as = "bob"};
  EXPECT_TRUE(permits(least_roles(deeds_of({event}, "bob"), {}), event));
  const Deeds own = deeds_of({event}, "ana");
  EXPECT_TRUE(least_roles(own, {}).empty());
  EXPECT_EQ(own.impersonated.at("bob"), 1U);
  EXPECT_TRUE(permits(least_roles(own, {.impersonation = true}),
                      {.verb = "impersonate", .resource = "users", .name = "bob"}));
}

TEST(Grant, FiltersByTimeNamespaceAndGroup) {
  DeedCollector collector({.user = {}, .group = "developers"},
                          {.since_ns = 10, .until_ns = 20, .namespaces = {"shop"}});
  for (const uint64_t time : {9, 10, 19, 20})
    collector.take(
        TextRecord(
            Event{.resource = "pods", .space = "shop", .name = "t" + std::to_string(time)}.json()),
        time);
  collector.take(TextRecord(Event{.resource = "pods", .space = "pay"}.json()), 15);
  collector.take(TextRecord(Event{.path = "/metrics"}.json()), 15);
  ASSERT_EQ(collector.actors().size(), 1U);
  const Deeds& deeds = collector.actors().find("developers")->second;
  ASSERT_EQ(deeds.allowed.size(), 2U);
  EXPECT_EQ(deeds.allowed.begin()->first.name, "t10");
  EXPECT_EQ(deeds.requests, 2U);
}

TEST(Grant, ASessionIsOneRequest) {
  Event begin{.verb = "create",
              .resource = "pods",
              .part = "exec",
              .space = "shop",
              .name = "web",
              .code = 101,
              .stage = "ResponseStarted"};
  Event end = begin;
  end.stage = "ResponseComplete";
  EXPECT_EQ(deeds_of({begin, end}).requests, 1U);
  EXPECT_EQ(deeds_of({begin}).allowed.size(), 1U) << "one that goes on counts as well";
}

TEST(Grant, RisksAreTold) {
  const auto risks = [](const Event& event) {
    return risks_of(least_roles(deeds_of({event}), {}));
  };
  EXPECT_EQ(risks({.verb = "list", .resource = "secrets", .space = "shop"}).size(), 1U);
  EXPECT_EQ(
      risks({.verb = "create", .resource = "pods", .part = "exec", .space = "shop", .name = "web"})
          .size(),
      1U);
  EXPECT_EQ(risks({.resource = "configmaps", .space = "shop"}).size(), 0U);
  const Deeds other = deeds_of({{.resource = "pods", .as = "bob"}});
  EXPECT_EQ(risks_of(least_roles(other, {.impersonation = true})).size(), 1U);
}

constexpr const char* kDump = R"(
apiVersion: v1
kind: List
items:
- kind: Role
  metadata: {name: dev, namespace: shop}
  rules:
  - {apiGroups: [""], resources: [secrets, configmaps], verbs: [get, update, delete]}
  - {apiGroups: [apps], resources: [deployments], verbs: ["*"]}
- kind: RoleBinding
  metadata: {name: dev, namespace: shop}
  roleRef: {kind: Role, name: dev}
  subjects: [{kind: Group, name: developers}]
- kind: ClusterRole
  metadata: {name: everything}
  rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
- kind: ClusterRoleBinding
  metadata: {name: other}
  roleRef: {kind: ClusterRole, name: everything}
  subjects: [{kind: User, name: bob}]
- kind: ClusterRoleBinding
  metadata: {name: gone}
  roleRef: {kind: ClusterRole, name: gone}
  subjects: [{kind: User, name: ana}]
- kind: ConfigMap
  metadata: {name: x}
)";

TEST(Grant, RightsThatNobodyUsed) {
  RbacObjects objects;
  ASSERT_TRUE(read_rbac(kDump, "dump", objects).ok());
  ASSERT_EQ(objects.roles.size(), 2U);
  const Deeds deeds =
      deeds_of({{.resource = "secrets", .space = "shop", .name = "a"},
                {.verb = "update", .resource = "configmaps", .space = "shop", .name = "b"},
                {.resource = "nodes", .name = "n"}});
  const RightsUse use = rights_use(objects, subject_of_user("ana"), deeds);
  EXPECT_EQ(use.bindings, 2U);
  ASSERT_EQ(use.missing_roles.size(), 1U);
  ASSERT_EQ(use.unused.size(), 2U);
  EXPECT_EQ(use.unused[0].verbs, std::vector<std::string>{"delete"});
  EXPECT_EQ(use.unused[0].combinations,
            (std::vector<std::string>{"get configmaps", "update secrets"}));
  EXPECT_TRUE(use.unused[1].whole);
  ASSERT_EQ(use.not_by_these.size(), 1U);
  EXPECT_EQ(to_text(use.not_by_these[0]), "get nodes n");

  const Deeds scaled = deeds_of({{.verb = "patch",
                                  .resource = "deployments",
                                  .group = "apps",
                                  .space = "shop",
                                  .name = "web"}});
  const RightsUse star = rights_use(objects, subject_of_user("ana"), scaled);
  ASSERT_EQ(star.unused.size(), 2U);
  EXPECT_EQ(star.unused[1].used_instead, std::vector<std::string>{"patch deployments.apps"});
}

TEST(Rbac, ReadsJsonListsAndDocuments) {
  RbacObjects objects;
  ASSERT_TRUE(
      read_rbac(
          R"({"kind":"RoleList","items":[{"kind":"Role","metadata":{"name":"a","namespace":"n"},
      "rules":[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]}]})",
          "a", objects)
          .ok());
  ASSERT_TRUE(read_rbac("kind: Role\nmetadata: {name: b}\n---\nkind: Role\nmetadata: {name: c}\n",
                        "b", objects)
                  .ok());
  ASSERT_EQ(objects.roles.size(), 3U);
  EXPECT_EQ(objects.roles[0].rules.at(0).resources, std::vector<std::string>{"pods"});
  EXPECT_FALSE(read_rbac("kind: Pod\n", "pod.yaml", objects).ok());
  EXPECT_FALSE(read_rbac("a: [", "bad.yaml", objects).ok());
}

TEST(Rbac, WordsThatAreMoreThanWords) {
  const RbacRule scale{
      .verbs = {"*"}, .groups = {"*"}, .resources = {"*/scale"}, .names = {}, .urls = {"/logs/*"}};
  EXPECT_TRUE(allows(scale, {.verb = "get", .group = "apps", .resource = "deployments/scale"}));
  EXPECT_FALSE(allows(scale, {.verb = "get", .group = "apps", .resource = "deployments"}));
  EXPECT_TRUE(allows(scale, {.verb = "get", .path = "/logs/a"}));
  EXPECT_FALSE(allows(scale, {.verb = "get", .path = "/logs"}));
  EXPECT_FALSE(allows({.verbs = {"get"}, .groups = {""}, .resources = {"pods/*"}},
                      {.verb = "get", .resource = "pods/log"}));
  EXPECT_FALSE(allows({.verbs = {"get"}, .groups = {""}, .resources = {"pods"}, .names = {"a"}},
                      {.verb = "get", .resource = "pods"}));
}

}  // namespace

}  // namespace saker::audit
