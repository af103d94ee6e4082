// Fields that a plugin of the reference makes by watching the Kubernetes API. Rules that use them
// are refused when they are loaded, rather than never to match in silence.
#include "fields/extract.h"

namespace saker::fields {

namespace {

constexpr FieldInfo foreign(std::string_view name, Many many = Many::single,
                            ArgRule arg = ArgRule::none) {
  return {.name = name,
          .arg = arg,
          .many = many,
          .flags = filter::kNotComputed,
          .summary = "Made by the k8smeta plugin of Falco only.",
          .extract = never};
}

constexpr FieldInfo kFields[] = {
    foreign("k8smeta.pod.name"),
    foreign("k8smeta.pod.uid"),
    foreign("k8smeta.pod.label", Many::single, ArgRule::required),
    foreign("k8smeta.pod.labels", Many::list),
    foreign("k8smeta.pod.ip"),
    foreign("k8smeta.ns.name"),
    foreign("k8smeta.ns.uid"),
    foreign("k8smeta.ns.label", Many::single, ArgRule::required),
    foreign("k8smeta.ns.labels", Many::list),
    foreign("k8smeta.deployment.name"),
    foreign("k8smeta.deployment.uid"),
    foreign("k8smeta.deployment.label", Many::single, ArgRule::required),
    foreign("k8smeta.deployment.labels", Many::list),
    foreign("k8smeta.svc.name", Many::list),
    foreign("k8smeta.svc.uid", Many::list),
    foreign("k8smeta.svc.label", Many::list, ArgRule::required),
    foreign("k8smeta.svc.labels", Many::list),
    foreign("k8smeta.rs.name"),
    foreign("k8smeta.rs.uid"),
    foreign("k8smeta.rs.label", Many::single, ArgRule::required),
    foreign("k8smeta.rs.labels", Many::list),
    foreign("k8smeta.rc.name"),
    foreign("k8smeta.rc.uid"),
    foreign("k8smeta.rc.label", Many::single, ArgRule::required),
    foreign("k8smeta.rc.labels", Many::list),
};

}  // namespace

std::span<const FieldInfo> k8smeta_fields() {
  return kFields;
}

}  // namespace saker::fields
