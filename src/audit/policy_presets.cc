// The presets and the noise that policies leave out.
#include <algorithm>
#include <array>

#include "audit/policy_new.h"

namespace saker::audit {

namespace {

constexpr std::string_view kAuthenticated = "system:authenticated";

std::vector<Word> words(const std::vector<std::string>& texts) {
  std::vector<Word> out;
  for (const std::string& text : texts) out.push_back({.text = text});
  return out;
}

DraftRule none(std::string reason, const std::vector<std::string>& verbs,
               const std::vector<std::string>& resources, const std::vector<std::string>& groups) {
  DraftRule draft{make_rule(Level::none, verbs, resources), std::move(reason)};
  draft.rule.user_groups = words(groups);
  return draft;
}

DraftRule no_paths(std::string reason, const std::vector<std::string>& urls,
                   const std::vector<std::string>& groups) {
  DraftRule draft = none(std::move(reason), {}, {}, groups);
  draft.rule.urls = words(urls);
  return draft;
}

const std::vector<std::string> kWrites = {"create", "update", "patch", "delete",
                                          "deletecollection"};

DraftRule sensitive() {
  return {make_rule(Level::metadata, {},
                    {"secrets", "configmaps", "serviceaccounts/token",
                     "tokenreviews.authentication.k8s.io",
                     "certificatesigningrequests.certificates.k8s.io",
                     "certificatesigningrequests/approval.certificates.k8s.io"}),
          "Who read or changed secrets, config maps, tokens and certificate requests. Never with "
          "bodies: those would put the secrets into the log."};
}

DraftRule sessions() {
  return {make_rule(Level::metadata, {},
                    {"pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy",
                     "nodes/proxy"}),
          "Who got into containers, nodes and services. These have no bodies; the command is in "
          "the request's URI."};
}

DraftRule access_rights(Level level) {
  return {make_rule(level, kWrites, {"*.rbac.authorization.k8s.io"}),
          "Changes of access rights: which rights were given to whom is in the body; of a patch "
          "the whole object is only in the response."};
}

DraftRule workloads(const std::vector<std::string>& resources, std::string reason) {
  return {make_rule(Level::request, kWrites, resources), std::move(reason)};
}

DraftRule rest(std::string reason) {
  return {make_rule(Level::metadata, {}, {}), std::move(reason)};
}

const char* const kRestReason =
    "Everything else, so that no attempt goes unseen: refused requests (403), failed "
    "authentications (401, which have no user and match no rule that names one), anonymous ones.";

std::vector<DraftRule> minimal() {
  DraftRule others = none(
      "Nothing else of users who are logged in. Refused reads (403) are lost with it; preset "
      "recommended keeps them.",
      {}, {}, {std::string(kAuthenticated)});
  return {sensitive(),
          sessions(),
          {make_rule(Level::metadata, kWrites, {}), "Every change, without bodies."},
          std::move(others),
          rest("What is left has no user or an anonymous one: failed authentications (401), "
               "anonymous requests.")};
}

std::vector<DraftRule> recommended() {
  return {
      sensitive(),
      sessions(),
      access_rights(Level::request_response),
      workloads({"pods", "pods/ephemeralcontainers", "replicationcontrollers", "*.apps", "*.batch"},
                "Changes of workloads: privileged containers, host paths and images are in "
                "the body."),
      workloads({"services", "namespaces", "serviceaccounts", "ingresses.networking.k8s.io",
                 "networkpolicies.networking.k8s.io"},
                "Changes of what is exposed, of isolation and of identities."),
      workloads(
          {"*.admissionregistration.k8s.io", "*.apiregistration.k8s.io", "*.apiextensions.k8s.io"},
          "Changes of admission and of the API itself: ways to see and alter every "
          "request."),
      rest(kRestReason)};
}

std::vector<DraftRule> forensic() {
  return {sensitive(),
          sessions(),
          {make_rule(Level::request_response, kWrites, {}),
           "Every change with both bodies: before an incident nobody knows what will matter. "
           "Needs much room."},
          rest(kRestReason)};
}

std::vector<DraftRule> cis() {
  DraftRule first = sensitive();
  first.reason += " (CIS 3.2.2 asks for secrets, config maps and token reviews.)";
  DraftRule second = sessions();
  second.reason += " (CIS asks for exec, port-forward and proxy.)";
  return {std::move(first), std::move(second),
          workloads({"pods", "deployments.apps"}, "Changes of pods and deployments, as CIS asks."),
          rest(kRestReason)};
}

struct Noise {
  std::string_view name;
  std::vector<DraftRule> (*rules)();
};

const std::array<Noise, 9> kNoise = {{
    {"health",
     [] {
       return std::vector{
           no_paths("Probes, some each second.", {"/healthz*", "/livez*", "/readyz*"}, {})};
     }},
    {"discovery",
     [] {
       return std::vector{
           no_paths("What clients ask before they ask; anonymous ones stay visible.",
                    {"/api", "/api/*", "/apis", "/apis/*", "/openapi/*", "/version", "/version/"},
                    {std::string(kAuthenticated)})};
     }},
    {"metrics",
     [] {
       return std::vector{no_paths("Scrapes; anonymous ones stay visible.", {"/metrics*"},
                                   {std::string(kAuthenticated)})};
     }},
    {"leases",
     [] {
       return std::vector{none("Heartbeats: up to half of all requests.", {},
                               {"leases.coordination.k8s.io"}, {std::string(kAuthenticated)})};
     }},
    {"events",
     [] {
       return std::vector{
           none("Kubernetes' own events, which are short-lived anyway. Their "
                "deletion stays visible: it hides tracks.",
                {"create", "update", "patch", "get", "list", "watch"},
                {"events", "events.events.k8s.io"}, {std::string(kAuthenticated)})};
     }},
    {"nodes",
     [] {
       return std::vector{none("Nodes reporting their own and their pods' state.",
                               {"get", "update", "patch"}, {"nodes/status", "pods/status"},
                               {"system:nodes"})};
     }},
    {"endpoints",
     [] {
       return std::vector{none("Controllers keeping endpoints up to date.",
                               {"get", "create", "update", "patch", "delete"},
                               {"endpoints", "endpointslices.discovery.k8s.io"},
                               {"system:serviceaccounts:kube-system"})};
     }},
    {"reviews",
     [] {
       return std::vector{
           none("Components asking whether a caller may do something. Users who ask "
                "for themselves (self...reviews) stay visible: so does who scouts.",
                {"create"},
                {"subjectaccessreviews.authorization.k8s.io",
                 "localsubjectaccessreviews.authorization.k8s.io"},
                {std::string(kAuthenticated)})};
     }},
    {"watches",
     [] {
       DraftRule rule = none("The control plane following objects.", {"watch"}, {}, {});
       rule.rule.users = words({"system:kube-controller-manager", "system:kube-scheduler",
                                "system:kube-proxy", "system:apiserver"});
       return std::vector{std::move(rule)};
     }},
}};

}  // namespace

std::vector<DraftRule> noise_rules(std::string_view name) {
  for (const Noise& noise : kNoise)
    if (noise.name == name) return noise.rules();
  return {};
}

std::vector<std::string> noise_names() {
  std::vector<std::string> out;
  for (const Noise& noise : kNoise) out.emplace_back(noise.name);
  return out;
}

std::vector<std::string> preset_noise(std::string_view name) {
  if (name == "minimal")
    return {"health", "leases", "events", "nodes", "endpoints", "reviews", "watches"};
  if (name == "recommended") return {"health", "leases", "events", "nodes", "endpoints", "watches"};
  if (name == "cis") return {"health", "leases", "events", "nodes"};
  return {};
}

Result<std::vector<DraftRule>> preset_rules(std::string_view name) {
  if (name == "minimal") return minimal();
  if (name == "recommended") return recommended();
  if (name == "forensic") return forensic();
  if (name == "cis") return cis();
  return Error{.message = "there is no preset '" + std::string(name) + "'",
               .position = {},
               .hint = "minimal, recommended, forensic, cis"};
}

}  // namespace saker::audit
