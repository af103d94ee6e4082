#include "audit/digest.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/hash.h"

namespace saker::audit {

namespace {

// JSON texts are compared as they are written: a server writes the same value always the same way.
using Token = std::string_view;

uint64_t combine(uint64_t hash, Token token) {
  return hash_int(hash ^ hash_bytes(token));
}

// "kubectl" of "kubectl/v1.30.1 (linux/amd64) kubernetes/4d1c2a3".
Token program_of(Token agent) {
  constexpr size_t kLongest = 64;
  if (agent.size() < 3) return {};
  return agent.substr(1, std::min({agent.find_first_of("/ ") - 1, agent.size() - 2, kLongest}));
}

// The path of what is no object.
Token path_of(Token uri) {
  return uri.substr(0, uri.find('?'));
}

Outcome outcome_of(const AuditRecord& record, bool complete, bool started) {
  const Token code_text = record.value(AuditValue::code);
  int code = 0;
  std::from_chars(code_text.data(), code_text.data() + code_text.size(), code);
  if (record.value(AuditValue::decision) == "\"forbid\"" || code == 403) return Outcome::refused;
  if (code == 0) return Outcome::open;
  if (code == 401) return Outcome::unauthenticated;
  if (code >= 400) return Outcome::failed;
  return complete || started ? Outcome::allowed : Outcome::open;
}

ActorKind actor_kind_of(Token user) {
  if (user.size() <= 2) return ActorKind::nobody;
  if (!user.starts_with("\"system:")) return ActorKind::person;
  if (user.starts_with("\"system:serviceaccount:")) return ActorKind::service_account;
  if (user.starts_with("\"system:node:")) return ActorKind::node;
  return user == "\"system:anonymous\"" ? ActorKind::anonymous : ActorKind::system;
}

Act act_of(Token verb) {
  if (verb == "\"get\"") return Act::read;
  if (verb == "\"list\"") return Act::list;
  if (verb == "\"watch\"") return Act::watch;
  for (const Token write :
       {"\"create\"", "\"update\"", "\"patch\"", "\"delete\"", "\"deletecollection\""})
    if (verb == write) return Act::write;
  return Act::other;
}

void add_own(const AuditRecord& record, AuditDigest& digest) {
  digest.id =
      combine(hash_bytes(record.value(AuditValue::audit_id)), record.value(AuditValue::stage));
  digest.request =
      combine(hash_bytes(record.value(AuditValue::verb)), record.value(AuditValue::request_uri));
  digest.identity = combine(digest.id ^ digest.request, record.value(AuditValue::stage_time));
  const Token address = peer_address(record);
  digest.address = address.empty() ? 0 : hash_bytes(address);
  if (!digest.is_sensitive) return;
  const Token name = record.value(AuditValue::name);
  digest.name = name.empty() ? 0 : hash_bytes(name);
  digest.dry_run = digest.act == Act::write &&
                   record.value(AuditValue::request_uri).find("dryRun=") != Token::npos;
}

// What is no object is told by its path.
void add_kind(const AuditRecord& record, AuditDigest& digest) {
  const Token resource = record.value(AuditValue::resource);
  const uint64_t kind = resource.empty()
                            ? hash_bytes(path_of(record.value(AuditValue::request_uri)))
                            : combine(hash_bytes(resource), record.value(AuditValue::subresource));
  digest.access = combine(digest.actor ^ kind, record.value(AuditValue::name_space));
  digest.deed = combine(hash_int(digest.actor) ^ kind, record.value(AuditValue::verb));
}

}  // namespace

// The last address is the one that the server saw itself; those before it are the client's word.
std::string_view peer_address(const AuditRecord& record) {
  const Token array = record.value(AuditValue::source_ips);
  const size_t end = array.rfind('"');
  if (end == Token::npos || end == 0) return {};
  const size_t begin = array.rfind('"', end - 1);
  return begin == Token::npos ? Token() : array.substr(begin + 1, end - begin - 1);
}

AuditDigest digest_of(const AuditRecord& record) {
  AuditDigest digest;
  const Token user = record.value(AuditValue::user_name);
  const Token stage = record.value(AuditValue::stage);
  digest.actor = hash_bytes(user);
  if (const Token program = program_of(record.value(AuditValue::user_agent)); !program.empty())
    digest.program = hash_bytes(program);
  digest.complete = stage == "\"ResponseComplete\"";
  digest.outcome = outcome_of(record, digest.complete, stage == "\"ResponseStarted\"");
  digest.actor_kind = actor_kind_of(user);
  const Token resource = record.value(AuditValue::resource);
  digest.is_object = !resource.empty();
  digest.is_sensitive = (resource == "\"secrets\"" || resource == "\"configmaps\"") &&
                        record.value(AuditValue::subresource).empty();
  digest.act = act_of(record.value(AuditValue::verb));
  if (const Token other = record.value(AuditValue::impersonated_name); !other.empty())
    digest.impersonated = hash_bytes(other);
  add_kind(record, digest);
  add_own(record, digest);
  return digest;
}

AuditDigest digest_of(const AuditRecord& record, const AuditDigest& of_class) {
  AuditDigest digest = of_class;
  if (record.value(AuditValue::resource).empty()) add_kind(record, digest);
  add_own(record, digest);
  return digest;
}

uint64_t class_hash(const AuditRecord& record) {
  uint64_t hash = 0;
  for (const AuditValue value : kAuditClassValues) hash = combine(hash, record.value(value));
  return hash;
}

}  // namespace saker::audit
