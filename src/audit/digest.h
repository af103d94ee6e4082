// What the analyses that depend on the order of events need of one event, as hashes: made where the
// event was parsed, by any thread, and used later by one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "event/audit_record.h"

namespace saker::audit {

// What came of a request.
enum class Outcome : uint8_t {
  open,             // not told (yet)
  refused,          // by authorization
  unauthenticated,  // 401: nobody knows who
  allowed,          // done, or a session begun
  failed,           // for any other reason
};

enum class ActorKind : uint8_t { nobody, anonymous, person, service_account, node, system };

// What a request is to its object; watching reads it, too.
enum class Act : uint8_t { other, read, list, watch, write };

// Hashes are of this run of the program only. 0: the event does not say.
struct AuditDigest {
  uint64_t time_ns = 0;   // of the stage; whoever makes the digest of an event sets it
  uint64_t id = 0;        // the audit id and the stage
  uint64_t request = 0;   // verb and path
  uint64_t identity = 0;  // what makes the event itself: a repetition has the same
  uint64_t actor = 0;
  uint64_t impersonated = 0;  // in whose name it acts
  uint64_t access = 0;        // actor, kind of object and namespace
  uint64_t deed = 0;          // actor, verb and kind of object
  uint64_t name = 0;          // of a secret or config map
  uint64_t program = 0;       // of the user agent, without its version
  uint64_t address = 0;       // the trustworthy one: of the peer that the server saw
  Outcome outcome = Outcome::open;
  ActorKind actor_kind = ActorKind::nobody;
  Act act = Act::other;
  bool is_object = false;     // a request about objects, not about a path
  bool is_sensitive = false;  // about secrets or config maps
  bool is_secret = false;
  bool dry_run = false;   // a write of those that is not kept
  bool complete = false;  // ResponseComplete
};

AuditDigest digest_of(const AuditRecord& record);

// The same with what is already known of the record's class (kAuditClassValues): the digest of
// another event of it.
AuditDigest digest_of(const AuditRecord& record, const AuditDigest& of_class);

// The same hashes of texts that are known from elsewhere: an actor's name; an address or a program,
// which may be empty; "get pods/log".
uint64_t actor_hash(std::string_view name);
uint64_t part_hash(std::string_view text);
uint64_t deed_hash(uint64_t actor, std::string_view deed);

// The texts: the user agent without its version, and "get pods/log".
std::string program_name(const AuditRecord& record);
std::string deed_name(const AuditRecord& record);

// The trustworthy address: of the peer that the server saw. Empty when the event does not say.
std::string_view peer_address(const AuditRecord& record);

// Of all values that make a record's class.
uint64_t class_hash(const AuditRecord& record);

}  // namespace saker::audit
