// What `saker audit grant` says about one actor: the roles to apply as YAML with comments, or all
// of it as JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/grant.h"
#include "cmd/listing.h"

namespace saker::cmd {

struct ActorGrant {
  audit::RbacSubject subject;
  const audit::Deeds* deeds = nullptr;
  std::vector<audit::RbacRole> roles;
  std::vector<std::string> risks;
  std::optional<audit::RightsUse> use;  // of the present rights, when those were given
  std::string name;                     // of the objects
};

ActorGrant make_actor_grant(const audit::RbacSubject& subject, const audit::Deeds& deeds,
                            const audit::GrantOptions& options, const audit::RbacObjects* present);

std::string grant_yaml(const ActorGrant& grant, const audit::GrantOptions& options);
void append_grant(const ActorGrant& grant, JsonWriter& json);

}  // namespace saker::cmd
