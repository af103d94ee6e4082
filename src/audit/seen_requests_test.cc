// Repetitions, and ids that other requests had: what tells them apart.
#include "audit/seen_requests.h"

#include <gtest/gtest.h>

#include "audit/test_records.h"

namespace saker::audit {

namespace {

using test::LoggedAct;
using test::TextRecord;

using Sighting = SeenRequests::Sighting;

Sighting see(SeenRequests& seen, const LoggedAct& request) {
  return seen.see(digest_of(TextRecord(request.json())));
}

const LoggedAct kFirst{.id = "1"};
const LoggedAct kLater{.id = "1", .time = "00:00:09"};
const LoggedAct kOther{.id = "1", .verb = "delete"};

}  // namespace

TEST(SeenRequests, KnowsARepetition) {
  SeenRequests seen;
  EXPECT_EQ(see(seen, kFirst), Sighting::fresh);
  EXPECT_EQ(see(seen, kFirst), Sighting::repeated);
  EXPECT_EQ(see(seen, {.id = "2"}), Sighting::fresh);
}

TEST(SeenRequests, AnotherRequestOfAnIdIsNone) {
  SeenRequests seen;
  EXPECT_EQ(see(seen, kFirst), Sighting::fresh);
  EXPECT_EQ(see(seen, kOther), Sighting::id_reused);
  EXPECT_EQ(see(seen, kOther), Sighting::repeated);
  EXPECT_EQ(see(seen, kFirst), Sighting::repeated);
}

// Two servers log the same request; what comes a third time is on purpose.
TEST(SeenRequests, AnIdHandedOnIsNotReused) {
  SeenRequests seen;
  EXPECT_EQ(see(seen, kFirst), Sighting::fresh);
  EXPECT_EQ(see(seen, kLater), Sighting::fresh);
  EXPECT_EQ(see(seen, kLater), Sighting::repeated);
  EXPECT_EQ(see(seen, {.id = "1", .time = "00:00:10"}), Sighting::id_reused);
}

TEST(SeenRequests, ForgetsWhatIsLongAgo) {
  SeenRequests seen;
  AuditDigest digest;
  for (uint64_t i = 1; i <= 3 * SeenRequests::kWindow; ++i) {
    digest.id = digest.identity = i;
    ASSERT_EQ(seen.see(digest), Sighting::fresh);
  }
  EXPECT_EQ(seen.see(digest), Sighting::repeated);
  digest.id = digest.identity = 1;
  EXPECT_EQ(seen.see(digest), Sighting::fresh);
}

}  // namespace saker::audit
