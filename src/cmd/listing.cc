// Tables and JSON. See listing.h.
#include "cmd/listing.h"

#include <algorithm>
#include <cstdio>

#include "finding/finding.h"

namespace saker::cmd {

static bool starts_character(char c) {
  return (static_cast<uint8_t>(c) & 0xc0) != 0x80;
}

static size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

// At most `width` characters, the last of them "…" when something is left out.
static std::string cut(const std::string& text, size_t width) {
  if (width == 0 || width_of(text) <= width) return text;
  std::string out;
  size_t count = 0;
  for (char c : text) {
    if (starts_character(c) && ++count == width) break;
    out += c;
  }
  return out + "…";
}

std::string Table::to_text(size_t width) const {
  std::vector<size_t> widths;
  for (const std::string& heading : headings_) widths.push_back(width_of(heading));
  for (const auto& row : rows_)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  size_t before = 0;
  for (size_t i = 0; i + 1 < widths.size(); ++i) before += widths[i] + 2;
  const size_t last = width == 0 ? 0 : std::max<size_t>(width, before + 20) - before;
  std::string out;
  auto append = [&](const std::vector<std::string>& row) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (i + 1 == row.size()) {
        out += cut(row[i], last);
      } else {
        out += row[i] + std::string(widths[i] + 2 - width_of(row[i]), ' ');
      }
    }
    while (out.ends_with(' ')) out.pop_back();
    out += '\n';
  };
  append(headings_);
  for (const auto& row : rows_) append(row);
  return out;
}

std::string Table::to_markdown() const {
  std::string out;
  auto append = [&](const std::vector<std::string>& row) {
    out += '|';
    for (const std::string& cell : row) {
      out += ' ';
      for (char c : cell) {
        if (c == '|') out += '\\';
        out += c == '\n' ? ' ' : c;
      }
      out += " |";
    }
    out += '\n';
  };
  append(headings_);
  append(std::vector<std::string>(headings_.size(), "---"));
  for (const auto& row : rows_) append(row);
  return out;
}

void JsonWriter::separate() {
  if (!out_.empty() && !std::string_view("{[:").contains(out_.back())) out_ += ',';
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  finding::append_json_string(name, out_);
  out_ += ':';
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  finding::append_json_string(value, out_);
  return *this;
}

JsonWriter& JsonWriter::number(uint64_t value) {
  separate();
  out_ += std::to_string(value);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::texts(const std::vector<std::string>& values) {
  begin_array();
  for (const std::string& value : values) text(value);
  return end_array();
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace saker::cmd
