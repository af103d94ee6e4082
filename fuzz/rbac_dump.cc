// Any bytes as a dump of RBAC objects, and as the names in a log that its rights are compared with:
// no crash, and what is granted allows what was done.
// parser: src/audit/rbac_read.cc
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "audit/grant.h"

using namespace saker;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  audit::RbacObjects objects;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!audit::read_rbac(text, "dump", objects).ok()) return 0;
  audit::Deeds deeds;
  for (const audit::RbacRole& role : objects.roles)
    for (const audit::RbacRule& rule : role.rules)
      for (const std::string& verb : rule.verbs)
        for (const std::string& resource : rule.resources)
          if (!resource.empty() && deeds.allowed.size() < 100)
            deeds.allowed[{.verb = verb, .resource = resource, .name_space = role.name_space}] = 1;
  for (const audit::RbacBinding& binding : objects.bindings)
    for (audit::RbacSubject subject : binding.subjects) {
      if (subject.name_space.empty()) subject.name_space = binding.name_space;
      if (audit::rights_use(objects, subject, deeds).bindings == 0) std::abort();
    }
  const auto roles = audit::least_roles(deeds, {});
  for (const auto& [access, count] : deeds.allowed) {
    bool allowed = false;
    for (const audit::RbacRole& role : roles)
      for (const audit::RbacRule& rule : role.rules) {
        const bool here = role.name_space.empty() || role.name_space == access.name_space;
        allowed = allowed || (here && audit::allows(rule, access));
      }
    if (!allowed) std::abort();
  }
  return 0;
}
