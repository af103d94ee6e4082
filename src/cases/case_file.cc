#include "cases/case_file.h"

#include <algorithm>

#include "base/strings.h"

namespace saker::cases {

namespace {

constexpr std::string_view kSeparator = "----";

bool is_indented(std::string_view line) {
  return line.starts_with(' ') || line.starts_with('\t');
}

// "# name: x" gives x for key "name".
bool header(std::string_view line, std::string_view key, std::string& value) {
  line = trim(line.substr(1));
  if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ':') return false;
  value = trim(line.substr(key.size() + 1));
  return true;
}

void read_header(std::string_view line, Case& current) {
  std::string value;
  if (header(line, "name", value)) current.name = value;
  if (header(line, "requires", value))
    for (std::string_view word : split(value, ' '))
      if (!word.empty()) current.requirements.emplace_back(word);
}

void unindent(std::vector<std::string>& block) {
  while (!block.empty() && trim(block.back()).empty()) block.pop_back();
  size_t common = std::string::npos;
  for (const std::string& line : block)
    if (!trim(line).empty()) common = std::min(common, line.find_first_not_of(' '));
  for (std::string& line : block) line.erase(0, std::min(common, line.size()));
}

Step parse_step(std::string_view line, uint32_t number) {
  const size_t end = line.find(' ');
  Step step{.verb = std::string(line.substr(0, end)), .line = number, .end_line = number};
  if (end != std::string_view::npos) step.rest = trim(line.substr(end));
  step.words = split_words(step.rest);
  return step;
}

void finish(Case& current, CaseFile& file) {
  if (current.steps.empty()) return;
  for (Step& step : current.steps) unindent(step.block);
  if (current.name.empty()) current.name = file.path + ":" + std::to_string(current.steps[0].line);
  current.line = current.steps[0].line;
  file.cases.push_back(std::move(current));
}

}  // namespace

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && i + 1 < line.size()) {
      word += line[++i];
      in_word = true;
    } else if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

Result<CaseFile> parse_cases(std::string_view text, std::string_view path) {
  CaseFile file{.path = std::string(path)};
  Case current;
  uint32_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.starts_with(kSeparator)) {
      finish(current, file);
      current = {};
    } else if (is_indented(line) || (trim(line).empty() && !current.steps.empty())) {
      if (current.steps.empty())
        return Error{.message = "an indented line without a step above it",
                     .position = {.file = file.path, .line = number, .column = 1}};
      current.steps.back().block.emplace_back(line);
      if (!trim(line).empty()) current.steps.back().end_line = number;
    } else if (line.starts_with('#')) {
      read_header(line, current);
    } else if (!trim(line).empty()) {
      current.steps.push_back(parse_step(line, number));
    }
  }
  finish(current, file);
  return file;
}

}  // namespace saker::cases
