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

// The last address is the one that the server saw itself; those before it are the client's word.
Token last_address(Token array) {
  const size_t end = array.rfind('"');
  if (end == Token::npos || end == 0) return {};
  const size_t begin = array.rfind('"', end - 1);
  return begin == Token::npos ? Token() : array.substr(begin + 1, end - begin - 1);
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

}  // namespace

AuditDigest digest_of(const AuditRecord& record) {
  AuditDigest digest;
  const Token user = record.value(AuditValue::user_name);
  const Token verb = record.value(AuditValue::verb);
  const Token uri = record.value(AuditValue::request_uri);
  const Token stage = record.value(AuditValue::stage);
  const Token resource = record.value(AuditValue::resource);
  digest.identity = hash_bytes(record.value(AuditValue::audit_id));
  for (const Token token : {stage, record.value(AuditValue::stage_time), verb, uri})
    digest.identity = combine(digest.identity, token);
  digest.actor = hash_bytes(user);
  uint64_t kind = 0;
  if (resource.empty())
    kind = hash_bytes(path_of(uri));
  else
    kind = combine(hash_bytes(resource), record.value(AuditValue::subresource));
  digest.access = combine(digest.actor ^ kind, record.value(AuditValue::name_space));
  digest.deed = combine(hash_int(digest.actor) ^ kind, verb);
  if (const Token program = program_of(record.value(AuditValue::user_agent)); !program.empty())
    digest.program = hash_bytes(program);
  if (const Token address = last_address(record.value(AuditValue::source_ips)); !address.empty())
    digest.address = hash_bytes(address);
  digest.complete = stage == "\"ResponseComplete\"";
  digest.outcome = outcome_of(record, digest.complete, stage == "\"ResponseStarted\"");
  digest.service_account = user.starts_with("\"system:serviceaccount:");
  return digest;
}

}  // namespace saker::audit
