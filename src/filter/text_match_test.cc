#include "filter/text_match.h"

#include <fnmatch.h>
#include <gtest/gtest.h>

#include <ctime>
#include <random>

#include "filter/regex.h"

namespace saker::filter {
namespace {

bool reference(const std::string& pattern, const std::string& text, bool fold) {
  return ::fnmatch(pattern.c_str(), text.c_str(), fold ? FNM_CASEFOLD : 0) == 0;
}

// Every pattern of up to 4 signs against every text of up to 3.
TEST(Glob, AgreesWithFnmatchOnASmallAlphabet) {
  const std::string signs = "ab*?[]!-\\";
  const std::string letters = "ab-]";
  std::vector<std::string> texts = {""};
  for (size_t begin = 0, round = 0; round < 3; ++round) {
    const size_t end = texts.size();
    for (; begin < end; ++begin)
      for (char c : letters) texts.push_back(texts[begin] + c);
  }
  std::vector<std::string> patterns = {""};
  for (size_t begin = 0, round = 0; round < 4; ++round) {
    const size_t end = patterns.size();
    for (; begin < end; ++begin)
      for (char c : signs) patterns.push_back(patterns[begin] + c);
  }
  size_t differences = 0;
  for (const std::string& pattern : patterns)
    for (const std::string& text : texts)
      if (matches_glob(pattern, text) != reference(pattern, text, false) && ++differences < 20)
        ADD_FAILURE() << "'" << pattern << "' against '" << text << "', fnmatch says "
                      << reference(pattern, text, false);
  EXPECT_EQ(differences, 0u);
}

TEST(Glob, AgreesWithFnmatchOnRandomPatterns) {
  std::mt19937 random(7);
  const std::string signs = "aAzZ09*?[]^!-\\/.: ";
  const std::vector<std::string> words = {"[[:alpha:]]", "[[:upper:]x]", "[a-z]", "[!A-Z]", "[]a]"};
  const auto make = [&](size_t most, bool with_words) {
    std::string text;
    for (size_t i = random() % (most + 1); i > 0; --i) {
      if (with_words && random() % 6 == 0) {
        text += words[random() % words.size()];
      } else {
        text += signs[random() % signs.size()];
      }
    }
    return text;
  };
  for (int i = 0; i < 200'000; ++i) {
    const std::string pattern = make(8, true);
    const std::string text = make(6, false);
    const bool fold = random() % 2 == 0;
    ASSERT_EQ(matches_glob(pattern, text, fold), reference(pattern, text, fold))
        << "'" << pattern << "' against '" << text << "' fold " << fold;
  }
}

TEST(Glob, ManyStarsTakeNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 80; ++i) pattern += "*a";
  const std::clock_t start = std::clock();  // of the processor: the machine may be busy
  EXPECT_FALSE(matches_glob(pattern + "*b", std::string(4000, 'a')));
  EXPECT_LT(std::clock() - start, 1 * CLOCKS_PER_SEC);
}

TEST(Glob, TakesAnyByte) {
  EXPECT_TRUE(matches_glob("a?b", std::string_view("a\0b", 3)));
  EXPECT_TRUE(matches_glob("a\xff*", "a\xff\xfe"));
  EXPECT_TRUE(matches_glob("[\xf0-\xff]", "\xfe"));
}

TEST(PathPrefix, ComparesComponents) {
  struct Case {
    std::string_view pattern, text;
    bool matches;
  };
  const Case cases[] = {
      {"/var/lib", "/var/lib", true},
      {"/var/lib", "/var/lib/x", true},
      {"/var/lib", "/var/library", false},
      {"/var/lib/", "//var///lib", true},
      {"var/lib", "/var/lib/x", true},
      {"/var/lib", "/var", false},
      {"/", "/anything", true},
      {"/", "/", true},
      {"/*/log", "/var/log/x", true},
      {"/*/log", "/var/a/log", false},
      {"/v[ab]r", "/var/x", true},
      {"/v?r", "/var", true},
      {"/var", "", false},
      {"/a*b", "/aXXb/c", true},
  };
  for (const Case& row : cases)
    EXPECT_EQ(matches_path_prefix(row.pattern, row.text), row.matches)
        << row.pattern << " " << row.text;
}

TEST(ContainsIgnoringCase, FoldsAsciiOnly) {
  EXPECT_TRUE(contains_ignoring_case("Hello World", "o wO"));
  EXPECT_TRUE(contains_ignoring_case("", ""));
  EXPECT_FALSE(contains_ignoring_case("abc", "abcd"));
  EXPECT_FALSE(contains_ignoring_case("\xc3\x84", "\xc3\xa4"));
}

TEST(Regex, MatchesTheWholeValue) {
  const auto match = [](std::string_view pattern, std::string_view text) {
    const auto regex = compile_regex(pattern);
    EXPECT_TRUE(regex.ok()) << pattern;
    return regex.ok() && matches_regex(**regex, text);
  };
  EXPECT_TRUE(match("a.*", "abc"));
  EXPECT_FALSE(match("b", "abc"));
  EXPECT_TRUE(match("a|ab", "ab"));
  EXPECT_TRUE(match("[[:alpha:]]+", "abc"));
  EXPECT_TRUE(match("a..b",
                    "a\xff\xff"
                    "b") ||
              match("a.b",
                    "a\xff\xff"
                    "b"));
  EXPECT_TRUE(match("a\xef\xbf\xbd", "a\xff"));
  EXPECT_FALSE(match("a", std::string_view("a\0", 2)));
}

TEST(Regex, RefusesBadAndHugePatterns) {
  for (std::string_view pattern : {"(", "[z-a]", "a**b(", "*", "((((a{1000}){1000}){1000}){1000})",
                                   "(((x{1,100}){1,10}){1,100}y{500})z{800}"})
    EXPECT_FALSE(compile_regex(pattern).ok()) << pattern;
}

}  // namespace
}  // namespace saker::filter
