// Baselines: what is learnt, written and read back, what is told against one, and what is refused.
#include "audit/baseline.h"

#include <gtest/gtest.h>

#include "audit/analysis.h"
#include "audit/test_records.h"

namespace saker::audit {

namespace {

using test::digest_with_time;
using test::LoggedAct;
using test::TextRecord;

constexpr const char* kAccount = "system:serviceaccount:shop:web";

void take(Analysis& analysis, const std::vector<LoggedAct>& acts) {
  int id = 0;
  for (LoggedAct act : acts) {
    act.id = std::to_string(++id);
    const TextRecord record(act.json());
    analysis.take(digest_with_time(record), [&]() -> const AuditRecord& { return record; });
  }
}

Baseline learn(const std::vector<LoggedAct>& acts, const Baseline* known = nullptr) {
  Analysis analysis({}, known, true);
  take(analysis, acts);
  return analysis.baseline();
}

// "id actor", sorted as a report is.
std::vector<std::string> compare(const Baseline& baseline, const std::vector<LoggedAct>& acts) {
  Analysis analysis({}, &baseline);
  take(analysis, acts);
  std::vector<std::string> out;
  for (const Suspicion* found : analysis.suspicions())
    out.push_back(found->id + " " + found->actor);
  return out;
}

Baseline usual() {
  std::vector<LoggedAct> acts;
  for (int i = 0; i < 20; ++i) {
    const std::string time = (i < 10 ? "08:00:0" : "09:30:0") + std::to_string(i % 10);
    acts.push_back({.resource = "pods", .address = "203.0.113.5", .time = time});
    acts.push_back({.user = kAccount,
                    .verb = "get",
                    .resource = "pods",
                    .agent = "web/1.0",
                    .address = "10.4.1.2",
                    .time = time});
  }
  return learn(acts);
}

using Found = std::vector<std::string>;

const std::string kActor =
    R"({"name":"ana","requests":3,"first":"2026-03-02T08:00:00Z","last":"2026-03-04T09:00:00Z",)"
    R"("hours":"........##..............","addresses":["10.0.0.1"],"programs":["","kubectl"],"deeds":["get pods/log"]})";

std::string file_of(const std::string& actors) {
  return R"({"schema":"saker.audit.baseline.v1","left_out":0,"actors":[)" + actors + "]}";
}

}  // namespace

TEST(Baseline, HoldsWhatWasDone) {
  const Baseline learnt = usual();
  ASSERT_EQ(learnt.actors.size(), 2U);
  const ActorHabits& ana = learnt.actors[0];
  EXPECT_EQ(ana.name, "ana");
  EXPECT_EQ(ana.requests, 20U);
  EXPECT_EQ(ana.hours.to_ullong(), 1U << 8 | 1U << 9);
  EXPECT_EQ(ana.addresses, Found{"203.0.113.5"});
  EXPECT_EQ(ana.programs, Found{"kubectl"});
  EXPECT_EQ(ana.deeds, Found{"list pods"});
  EXPECT_EQ(learnt.actors[1].deeds, Found{"get pods"});
}

TEST(Baseline, IsReadAsItWasWritten) {
  const Baseline learnt = usual();
  const std::string text = to_text(learnt);
  const Result<Baseline> read = parse_baseline(text, "b.json");
  ASSERT_TRUE(read.ok()) << read.error().to_text();
  EXPECT_EQ(to_text(*read), text);
  EXPECT_EQ(to_text(learn({}, &*read)), text);
  EXPECT_EQ(to_text(*parse_baseline(file_of(kActor), "b")),
            R"({"schema":"saker.audit.baseline.v1","left_out":0,"actors":[)"
            "\n" +
                kActor + "\n]}\n");
}

// What is refused was not done, and what failed authentication was nobody.
TEST(Baseline, LearnsNoDeedsThatWereRefused) {
  const Baseline learnt =
      learn({{.code = 403, .time = "08:00:00"}, {.code = 401, .time = "08:00:00"}});
  ASSERT_EQ(learnt.actors.size(), 1U);
  EXPECT_TRUE(learnt.actors[0].deeds.empty());
}

TEST(Baseline, ToldAgainstItself) {
  EXPECT_TRUE(compare(usual(), {{.resource = "pods", .address = "203.0.113.5", .time = "20:00:00"}})
                  .empty());
}

TEST(Baseline, FirstTimeOfAPerson) {
  const LoggedAct usually{.address = "203.0.113.5", .time = "20:00:00"};
  LoggedAct pods = usually, secrets = usually;
  pods.verb = "delete";
  pods.resource = "pods";
  EXPECT_EQ(compare(usual(), {pods, pods}),
            Found{"kubernetes-user-does-something-for-the-first-time ana"});
  EXPECT_EQ(compare(usual(), {secrets}),
            Found{"kubernetes-user-touches-secrets-for-the-first-time ana"});
  EXPECT_EQ(compare(usual(), {{.user = "eve", .time = "20:00:00"}}),
            Found{"kubernetes-user-not-in-the-baseline eve"});
}

TEST(Baseline, FirstTimeOfAServiceAccount) {
  const LoggedAct usually{.user = kAccount,
                          .verb = "get",
                          .resource = "pods",
                          .agent = "web/2.0",
                          .address = "10.4.1.2",
                          .time = "20:00:00"};
  LoggedAct secrets = usually, deletes = usually, client = usually, outside = usually;
  secrets.resource = "secrets";
  deletes.verb = "delete";
  client.agent = "curl/8";
  outside.address = "198.51.100.2";
  EXPECT_TRUE(compare(usual(), {usually}).empty());
  EXPECT_EQ(
      compare(usual(), {secrets}),
      Found{"kubernetes-program-touches-secrets-for-the-first-time " + std::string(kAccount)});
  EXPECT_EQ(compare(usual(), {deletes}),
            Found{"kubernetes-program-does-something-for-the-first-time " + std::string(kAccount)});
  EXPECT_EQ(compare(usual(), {client}),
            Found{"kubernetes-service-account-with-a-new-client " + std::string(kAccount)});
  EXPECT_EQ(compare(usual(), {outside}),
            Found{"kubernetes-service-account-from-outside " + std::string(kAccount)});
}

// Nodes are alike: what one of them does is no news of another.
TEST(Baseline, FirstTimeOfANode) {
  LoggedAct act{.user = "system:node:a", .resource = "pods", .agent = "kubelet/v1"};
  std::vector<LoggedAct> acts;
  for (int i = 0; i < 20; ++i) {
    act.time = (i < 10 ? "08:00:0" : "09:30:0") + std::to_string(i % 10);
    act.user = i % 2 == 0 ? "system:node:a" : "system:node:b";
    acts.push_back(act);
  }
  acts.back().verb = "watch";  // of b alone
  const Baseline baseline = learn(acts);
  act.user = "system:node:a";
  act.verb = "watch";
  EXPECT_TRUE(compare(baseline, {act}).empty());
  act.verb = "delete";
  EXPECT_EQ(compare(baseline, {act}),
            Found{"kubernetes-program-does-something-for-the-first-time system:node:a"});
}

TEST(Baseline, APersonFromANewPlace) {
  const LoggedAct place{.resource = "pods", .address = "198.51.100.2", .time = "20:00:00"};
  LoggedAct both = place;
  both.agent = "Lens/1";
  EXPECT_EQ(compare(usual(), {place}), Found{"kubernetes-user-from-a-new-place ana"});
  EXPECT_EQ(compare(usual(), {both}),
            Found{"kubernetes-user-from-a-new-place-with-a-new-client ana"});
}

TEST(Baseline, OddHours) {
  Baseline baseline = usual();
  const LoggedAct night{.resource = "pods", .address = "203.0.113.5", .time = "20:00:00"};
  LoggedAct change = night, near = night;
  change.verb = "patch";
  near.time = "10:00:00";
  // Some days are needed to know somebody's hours.
  EXPECT_TRUE(compare(baseline, {night}).empty());
  baseline.actors[0].requests = 200;
  baseline.actors[0].first_ns -= 86'400'000'000'000 * 3;
  EXPECT_EQ(compare(baseline, {night, night}), Found{"kubernetes-user-active-at-an-odd-hour ana"});
  EXPECT_TRUE(compare(baseline, {near}).empty());
  baseline.actors[0].deeds = {"list pods", "patch pods"};
  EXPECT_EQ(compare(baseline, {change}), Found{"kubernetes-change-at-an-odd-hour ana"});
}

// Who is not in it may be among those that it had no room for.
TEST(Baseline, AnIncompleteOneKnowsNoStrangers) {
  Baseline baseline = usual();
  baseline.left_out = 1;
  EXPECT_TRUE(compare(baseline, {{.user = "eve", .time = "20:00:00"}}).empty());
}

TEST(Baseline, IsExtended) {
  const Baseline first = usual();
  const Baseline both = learn({{.user = "eve", .time = "20:00:00"},
                               {.verb = "watch", .address = "203.0.113.6", .time = "21:00:00"}},
                              &first);
  ASSERT_EQ(both.actors.size(), 3U);
  EXPECT_EQ(both.actors[0].requests, 21U);
  EXPECT_EQ(both.actors[0].addresses, (Found{"203.0.113.5", "203.0.113.6"}));
  EXPECT_EQ(both.actors[0].deeds, (Found{"list pods", "watch secrets"}));
  EXPECT_EQ(both.actors[0].hours.count(), 3U);
  EXPECT_EQ(both.actors[1].name, "eve");
}

TEST(Baseline, NamesOfAnyKindAreReadBack) {
  const std::string strange = R"(o\u0000p\"\\\u00e9 <&>)";
  const std::string longest(3000, 'x');
  const Baseline learnt = learn({{.user = strange, .agent = "a\\nb/1", .time = "08:00:00"},
                                 {.user = longest, .resource = longest, .time = "08:00:00"},
                                 {.user = "\\ud800x", .time = "08:00:00"}});
  ASSERT_EQ(learnt.actors.size(), 3U);
  const Result<Baseline> read = parse_baseline(to_text(learnt), "b.json");
  ASSERT_TRUE(read.ok()) << read.error().to_text();
  EXPECT_TRUE(compare(*read, {{.user = strange, .agent = "a\\nb/2", .time = "09:00:00"}}).empty());
}

TEST(Baseline, RefusesWhatIsNone) {
  const auto message = [](const std::string& text) {
    const Result<Baseline> read = parse_baseline(text, "b.json");
    return read.ok() ? "" : read.error().to_text();
  };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = file_of(kActor);
    text.replace(text.find(from), from.size(), to);
    return message(text);
  };
  EXPECT_EQ(message(file_of(kActor)), "");
  EXPECT_NE(message("{").find("b.json"), std::string::npos);
  EXPECT_NE(message("[]").find("does not say that this is a baseline"), std::string::npos);
  EXPECT_NE(with("baseline.v1", "baseline.v9").find("reads v1"), std::string::npos);
  EXPECT_NE(with("\"left_out\":0", "\"left_out\":-1").find("left_out is no count"),
            std::string::npos);
  EXPECT_NE(with("\"ana\"", "7").find("actors[0].name is no name"), std::string::npos);
  EXPECT_NE(with("\"requests\":3", "\"requests\":\"3\"").find("actors[0].requests"),
            std::string::npos);
  EXPECT_NE(with("T09:00:00Z", "").find("actors[0].last is no time"), std::string::npos);
  EXPECT_NE(with("..##..", "..##.").find("actors[0].hours is no picture"), std::string::npos);
  EXPECT_NE(with("..##..", "..#x..").find("actors[0].hours is no picture"), std::string::npos);
  EXPECT_NE(with("[\"10.0.0.1\"]", "[1]").find("actors[0].addresses has"), std::string::npos);
  EXPECT_NE(with("[\"\",\"kubectl\"]", "{}").find("actors[0].programs is no list"),
            std::string::npos);
  EXPECT_NE(with("\"\",\"kubectl\"", "\"b\",\"a\"").find("is not in order"), std::string::npos);
  EXPECT_NE(message(file_of(kActor + "," + kActor)).find("actors[1].name is not behind"),
            std::string::npos);
}

TEST(Baseline, RefusesWhatIsBeyondItsBounds) {
  std::string actors;
  for (size_t i = 0; i <= Baseline::kMostActors; ++i) actors += (i == 0 ? "" : ",") + kActor;
  EXPECT_FALSE(parse_baseline(file_of(actors), "b.json").ok());
  std::string deeds = "\"a\"";
  for (size_t i = 0; i < Baseline::kMostHabits; ++i) deeds += ",\"a\"";
  std::string text = file_of(kActor);
  text.replace(text.find("\"get pods/log\""), 14, deeds);
  const Result<Baseline> read = parse_baseline(text, "b.json");
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().message.find("beyond what is kept"), std::string::npos);
}

}  // namespace saker::audit
