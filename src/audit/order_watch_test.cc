// New addresses, new programs and accepted guesses: what is told, and what looks alike and is not.
#include "audit/order_watch.h"

#include <gtest/gtest.h>

#include "audit/test_records.h"

namespace saker::audit {

namespace {

using test::digest_with_time;
using test::LoggedAct;
using test::TextRecord;

constexpr const char* kAccount = "system:serviceaccount:shop:web";

// The titles of what is told, in order.
std::vector<std::string> look(const std::vector<LoggedAct>& requests) {
  OrderWatch watch;
  std::vector<std::string> out;
  for (const LoggedAct& request : requests) {
    const TextRecord record(request.json());
    watch.look(
        digest_with_time(record), [&]() -> const AuditRecord& { return record; },
        [&](const SuspicionKind& kind) { out.emplace_back(kind.title); });
  }
  return out;
}

// An actor that keeps to what it does for an hour and a half, and then `last`.
std::vector<std::string> settled(const LoggedAct& usual, const LoggedAct& last) {
  std::vector<LoggedAct> requests;
  for (int i = 0; i < 20; ++i) {
    requests.push_back(usual);
    requests.back().time =
        i < 10 ? "08:00:0" + std::to_string(i) : "09:30:0" + std::to_string(i - 10);
  }
  requests.push_back(last);
  return look(requests);
}

using Titles = std::vector<std::string>;

const Titles kNothing;
const Titles kNewPlace = {"Kubernetes user from a new place with a new client"};
const Titles kAccepted = {"Kubernetes credential accepted after failures"};

std::vector<LoggedAct> failures(int count, const std::string& time) {
  return {static_cast<size_t>(count),
          LoggedAct{.code = 401, .agent = "curl/8", .address = "192.0.2.7", .time = time}};
}

}  // namespace

TEST(OrderWatch, APersonFromElsewhereWithAnotherProgram) {
  const LoggedAct usual{.address = "203.0.113.5"};
  EXPECT_EQ(settled(usual, {.agent = "Lens/1", .address = "198.51.100.2", .time = "10:00:00"}),
            kNewPlace);
  EXPECT_EQ(
      settled(usual, {.code = 403, .agent = "", .address = "2001:db8::1", .time = "10:00:00"}),
      kNewPlace);
}

TEST(OrderWatch, APersonWhoOnlyTravelsOrOnlyTriesAProgram) {
  const LoggedAct usual{.address = "203.0.113.5"};
  EXPECT_EQ(settled(usual, {.address = "198.51.100.2", .time = "10:00:00"}), kNothing);
  EXPECT_EQ(settled(usual, {.agent = "Lens/1", .address = "203.0.113.5", .time = "10:00:00"}),
            kNothing);
  EXPECT_EQ(settled(usual, {.agent = "Lens/1", .address = "203.0.113.77", .time = "10:00:00"}),
            kNothing);
}

TEST(OrderWatch, WhoIsHardlyKnownIsNotJudged) {
  const LoggedAct strange{.agent = "Lens/1", .address = "198.51.100.2", .time = "11:00:00"};
  EXPECT_EQ(look({{.time = "08:00:00"}, {.time = "08:00:01"}, strange}), kNothing);  // few requests
  std::vector<LoggedAct> soon(20, LoggedAct{.time = "10:30:00"});
  soon.push_back(strange);
  EXPECT_EQ(look(soon), kNothing);  // within an hour
}

// Whatever is done from the new place belongs to it, for an hour.
TEST(OrderWatch, WhatFollowsBelongsToIt) {
  std::vector<LoggedAct> requests(20, LoggedAct{.address = "203.0.113.5", .time = "08:00:00"});
  const LoggedAct strange{.agent = "Lens/1", .address = "198.51.100.2", .time = "10:00:00"};
  requests.push_back(strange);
  requests.push_back({.address = "203.0.113.5", .time = "10:10:00"});
  requests.push_back(strange);
  requests.back().time = "10:20:00";
  requests.push_back(strange);
  requests.back().time = "11:00:01";
  EXPECT_EQ(look(requests), (Titles{kNewPlace[0], kNewPlace[0]}));
}

TEST(OrderWatch, AServiceAccountElsewhere) {
  const LoggedAct usual{.user = kAccount, .address = "10.4.1.2"};
  const auto moved = [&](const std::string& address) {
    return settled(usual, {.user = kAccount, .address = address, .time = "10:00:00"});
  };
  EXPECT_EQ(moved("10.4.9.9"), Titles{"Kubernetes service account moved"});
  EXPECT_EQ(moved("10.9.1.2"), Titles{"Kubernetes service account from a new address"});
  EXPECT_EQ(moved("192.0.2.1"), Titles{"Kubernetes service account from outside"});
  EXPECT_EQ(moved("10.4.1.2"), kNothing);
}

// A program that runs everywhere has many addresses; none of them is news.
TEST(OrderWatch, AServiceAccountOfManyAddresses) {
  std::vector<LoggedAct> requests;
  for (int i = 0; i < 480; ++i)
    requests.push_back({.user = kAccount,
                        .address = "192.0.2." + std::to_string(i * 7 % 24 + (i > 200 ? 1 : 0)),
                        .time = "0" + std::to_string(i / 60) + ":00:00"});
  EXPECT_EQ(look(requests), kNothing);
}

TEST(OrderWatch, ANodeElsewhere) {
  const LoggedAct usual{.user = "system:node:n1", .address = "10.4.1.2"};
  EXPECT_EQ(settled(usual, {.user = "system:node:n1", .address = "10.9.1.2", .time = "10:00:00"}),
            Titles{"Kubernetes node from a new address"});
}

TEST(OrderWatch, ACredentialAcceptedAfterGuesses) {
  std::vector<LoggedAct> requests = failures(5, "08:00:00");
  requests.push_back({.code = 403, .address = "192.0.2.7", .time = "08:30:00"});
  requests.push_back({.address = "192.0.2.7", .time = "08:31:00"});
  EXPECT_EQ(look(requests), (Titles{kAccepted[0], kAccepted[0]}));
}

TEST(OrderWatch, AnExpiredCredentialIsNoGuess) {
  std::vector<LoggedAct> few = failures(4, "08:00:00");
  few.push_back({.address = "192.0.2.7", .time = "08:00:01"});
  EXPECT_EQ(look(few), kNothing);
  // Who was there before fetched another token.
  std::vector<LoggedAct> known = failures(9, "08:00:00");
  known.insert(known.begin(), {.address = "192.0.2.7", .time = "07:00:00"});
  known.push_back({.address = "192.0.2.7", .time = "08:00:01"});
  EXPECT_EQ(look(known), kNothing);
  std::vector<LoggedAct> late = failures(9, "08:00:00");
  late.push_back({.address = "192.0.2.7", .time = "09:00:01"});
  EXPECT_EQ(look(late), kNothing);
  // One every quarter of an hour.
  std::vector<LoggedAct> slow;
  for (const char* time : {"08:00:00", "08:15:00", "08:30:00", "08:45:00", "09:00:00", "09:15:00"})
    slow.push_back(failures(1, time)[0]);
  slow.push_back({.address = "192.0.2.7", .time = "09:16:00"});
  EXPECT_EQ(look(slow), kNothing);
}

// Behind one address of many it takes the program that failed.
TEST(OrderWatch, GuessesFromASharedAddress) {
  std::vector<LoggedAct> requests;
  for (const char* user : {"bea", "cem", "dan"})
    requests.push_back({.user = user, .address = "192.0.2.7", .time = "07:00:00"});
  const std::vector<LoggedAct> failed = failures(5, "08:00:00");
  requests.insert(requests.end(), failed.begin(), failed.end());
  requests.push_back({.user = "eve", .address = "192.0.2.7", .time = "08:00:01"});
  EXPECT_EQ(look(requests), kNothing);
  requests.back().agent = "curl/8";
  EXPECT_EQ(look(requests), kAccepted);
}

}  // namespace saker::audit
