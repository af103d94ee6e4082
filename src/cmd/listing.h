// Tables for people and markdown, and JSON, for commands that list things.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace saker::cmd {

// Rows of text under headings. The last column is not padded.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  // Columns aligned with blanks; the last one is cut at `width` columns (0: never).
  [[nodiscard]] std::string to_text(size_t width = 0) const;
  [[nodiscard]] std::string to_markdown() const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

// Writes JSON onto a string; the caller nests correctly, commas come by themselves.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& text(std::string_view value);
  JsonWriter& number(uint64_t value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& texts(const std::vector<std::string>& values);
  [[nodiscard]] const std::string& result() const { return out_; }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string out_;
};

void print(std::string_view text);  // on stdout

}  // namespace saker::cmd
