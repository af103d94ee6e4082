#include "formats/line_diff.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace saker::formats {

namespace {

constexpr size_t kContext = 3;
constexpr size_t kLargestTable = 4'000'000;  // cells

// Lines with their ends.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const size_t size = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

struct Line {
  char mark;  // ' ', '-' or '+'
  std::string_view text;
};

using Lines = std::vector<std::string_view>;

// The changed middle part, by the longest common subsequence.
void diff_middle(const Lines& before, const Lines& after, std::vector<Line>& out) {
  const size_t rows = before.size(), columns = after.size();
  if (rows * columns > kLargestTable) {
    for (const std::string_view line : before) out.push_back({'-', line});
    for (const std::string_view line : after) out.push_back({'+', line});
    return;
  }
  std::vector<uint32_t> common((rows + 1) * (columns + 1));
  const auto cell = [&](size_t row, size_t column) -> uint32_t& {
    return common[row * (columns + 1) + column];
  };
  for (size_t row = rows; row-- > 0;)
    for (size_t column = columns; column-- > 0;)
      cell(row, column) = before[row] == after[column]
                              ? cell(row + 1, column + 1) + 1
                              : std::max(cell(row + 1, column), cell(row, column + 1));
  size_t row = 0, column = 0;
  while (row < rows || column < columns) {
    if (row < rows && column < columns && before[row] == after[column]) {
      out.push_back({' ', before[row++]});
      ++column;
    } else if (column == columns ||
               (row < rows && cell(row + 1, column) >= cell(row, column + 1))) {
      out.push_back({'-', before[row++]});
    } else {
      out.push_back({'+', after[column++]});
    }
  }
}

std::vector<Line> diff_lines(const Lines& before, const Lines& after) {
  size_t head = 0, tail = 0;
  const size_t shorter = std::min(before.size(), after.size());
  while (head < shorter && before[head] == after[head]) ++head;
  while (tail < shorter - head &&
         before[before.size() - 1 - tail] == after[after.size() - 1 - tail])
    ++tail;
  std::vector<Line> out;
  out.reserve(before.size() + after.size());
  for (size_t i = 0; i < head; ++i) out.push_back({' ', before[i]});
  const auto middle = [&](const Lines& lines) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(head),
                 lines.end() - static_cast<std::ptrdiff_t>(tail));
  };
  diff_middle(middle(before), middle(after), out);
  for (size_t i = before.size() - tail; i < before.size(); ++i) out.push_back({' ', before[i]});
  return out;
}

// "12,4", "12" for one line, "11,0" for none behind line 11.
std::string range_text(size_t begin, size_t count) {
  if (count == 0) return std::to_string(begin) + ",0";
  return std::to_string(begin + 1) + (count == 1 ? "" : "," + std::to_string(count));
}

void append_hunk(const std::vector<Line>& lines, size_t begin, size_t end, size_t before_line,
                 size_t after_line, std::string& out) {
  size_t before_count = 0, after_count = 0;
  for (size_t i = begin; i < end; ++i) {
    before_count += lines[i].mark != '+';
    after_count += lines[i].mark != '-';
  }
  out += "@@ -" + range_text(before_line, before_count) + " +" +
         range_text(after_line, after_count) + " @@\n";
  for (size_t i = begin; i < end; ++i) {
    out += lines[i].mark;
    out += lines[i].text;
    if (!lines[i].text.ends_with('\n')) out += "\n\\ No newline at end of file\n";
  }
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after,
                         std::string_view before_name, std::string_view after_name) {
  if (before == after) return {};
  const std::vector<Line> lines = diff_lines(lines_of(before), lines_of(after));
  std::string out = "--- " + std::string(before_name) + "\n+++ " + std::string(after_name) + "\n";
  size_t before_line = 0, after_line = 0, done = 0;
  const auto pass = [&](size_t to) {
    for (; done < to; ++done) {
      before_line += lines[done].mark != '+';
      after_line += lines[done].mark != '-';
    }
  };
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].mark == ' ') continue;
    const size_t begin = std::max(done, i < kContext ? 0 : i - kContext);
    size_t last = i;
    for (size_t k = i; k < lines.size() && k <= last + 2 * kContext + 1; ++k)
      if (lines[k].mark != ' ') last = k;
    const size_t end = std::min(lines.size(), last + kContext + 1);
    pass(begin);
    append_hunk(lines, begin, end, before_line, after_line, out);
    pass(end);
    i = end - 1;
  }
  return out;
}

}  // namespace saker::formats
