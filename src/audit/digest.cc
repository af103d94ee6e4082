#include "audit/digest.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/arena.h"
#include "base/hash.h"
#include "formats/json_text.h"

namespace saker::audit {

namespace {

// JSON texts. Those of one event are compared as they are written: a server writes the same value
// always the same way.
using Token = std::string_view;

uint64_t combine(uint64_t hash, std::string_view text) {
  return hash_int(hash ^ hash_bytes(text));
}

// A string without its quotes; escapes are rare, and only then there is anything to do.
std::string_view plain(Token token, Arena& scratch) {
  if (token.size() < 2 || token.front() != '"') return token;
  if (token.find('\\') != Token::npos) return formats::json_text::to_text(token, scratch);
  return token.substr(1, token.size() - 2);
}

// "kubectl" of "kubectl/v1.30.1 (linux/amd64) kubernetes/4d1c2a3".
std::string_view program_of(std::string_view agent) {
  constexpr size_t kLongest = 64;
  return agent.substr(0, std::min(agent.find_first_of("/ "), kLongest));
}

uint64_t kind_hash(std::string_view resource, std::string_view part) {
  return combine(hash_bytes(resource), part);
}

uint64_t deed_hash_of(uint64_t actor, uint64_t kind, std::string_view verb) {
  return combine(hash_int(actor) ^ kind, verb);
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
  digest.address = part_hash(address);
  if (!digest.is_sensitive) return;
  const Token name = record.value(AuditValue::name);
  digest.name = name.empty() ? 0 : hash_bytes(name);
  digest.dry_run = digest.act == Act::write &&
                   record.value(AuditValue::request_uri).find("dryRun=") != Token::npos;
}

// What is no object is told by its path.
void add_kind(const AuditRecord& record, AuditDigest& digest) {
  Arena scratch;
  const Token resource = record.value(AuditValue::resource);
  const uint64_t kind = resource.empty()
                            ? hash_bytes(path_of(record.value(AuditValue::request_uri)))
                            : kind_hash(plain(resource, scratch),
                                        plain(record.value(AuditValue::subresource), scratch));
  digest.access = combine(digest.actor ^ kind, record.value(AuditValue::name_space));
  digest.deed = deed_hash_of(digest.actor, kind, plain(record.value(AuditValue::verb), scratch));
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

uint64_t actor_hash(std::string_view name) {
  return hash_bytes(name);
}

uint64_t part_hash(std::string_view text) {
  return text.empty() ? 0 : hash_bytes(text);
}

uint64_t deed_hash(uint64_t actor, std::string_view deed) {
  const std::string_view verb = deed.substr(0, deed.find(' '));
  deed.remove_prefix(std::min(verb.size() + 1, deed.size()));
  const std::string_view resource = deed.substr(0, deed.find('/'));
  deed.remove_prefix(std::min(resource.size() + 1, deed.size()));
  return deed_hash_of(actor, kind_hash(resource, deed), verb);
}

std::string program_name(const AuditRecord& record) {
  Arena scratch;
  return std::string(program_of(plain(record.value(AuditValue::user_agent), scratch)));
}

std::string deed_name(const AuditRecord& record) {
  Arena scratch;
  std::string out(plain(record.value(AuditValue::verb), scratch));
  out.append(" ").append(plain(record.value(AuditValue::resource), scratch));
  const std::string_view part = plain(record.value(AuditValue::subresource), scratch);
  return part.empty() ? out : out.append("/").append(part);
}

AuditDigest digest_of(const AuditRecord& record) {
  AuditDigest digest;
  const Token user = record.value(AuditValue::user_name);
  const Token stage = record.value(AuditValue::stage);
  Arena scratch;
  digest.actor = actor_hash(plain(user, scratch));
  digest.program = part_hash(program_of(plain(record.value(AuditValue::user_agent), scratch)));
  digest.complete = stage == "\"ResponseComplete\"";
  digest.outcome = outcome_of(record, digest.complete, stage == "\"ResponseStarted\"");
  digest.actor_kind = actor_kind_of(user);
  const Token resource = record.value(AuditValue::resource);
  digest.is_object = !resource.empty();
  digest.is_secret = resource == "\"secrets\"" && record.value(AuditValue::subresource).empty();
  digest.is_sensitive = digest.is_secret || (resource == "\"configmaps\"" &&
                                             record.value(AuditValue::subresource).empty());
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
