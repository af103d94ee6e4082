#include "agent/event_printer.h"

#include <algorithm>

#include "base/strings.h"
#include "finding/finding.h"

namespace saker::agent {

namespace {

constexpr std::string_view kAuditFormat =
    "*%evt.num %evt.datetime %ka.stage %ka.response.code %ka.user.name %ka.verb %ka.uri";
constexpr std::string_view kSyscallFormat =
    "*%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info";

// Splits at commas outside brackets and parentheses.
std::vector<std::string> split_fields(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (char c : text) {
    if (c == '[' || c == '(') ++depth;
    if (c == ']' || c == ')') --depth;
    if (c == ',' && depth <= 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  for (std::string& part : parts) part = trim(part);
  std::erase(parts, "");
  return parts;
}

Result<filter::Operand> compile_field(const std::string& text, const filter::FieldCatalog& catalog,
                                      event::Source source) {
  const std::string_view bare =
      std::string_view(text).starts_with('%') ? std::string_view(text).substr(1) : text;
  filter::ParsedOperand parsed = SAKER_TRY(filter::parse_operand(bare));
  if (parsed.length != bare.size())
    return Error{.message = "'" + text + "' is not a field", .hint = "saker fields lists them"};
  return filter::compile_operand(parsed.operand, catalog, event::to_string(source));
}

}  // namespace

Result<filter::Expr> compile_condition(std::string_view text, const filter::FieldCatalog& catalog,
                                       event::Source source) {
  filter::Node node = SAKER_TRY(filter::parse(text));
  filter::CompiledFilter compiled = SAKER_TRY(
      filter::compile(node, catalog, {.source = event::to_string(source), .in_rule = false}));
  return std::move(compiled.root);
}

Result<EventPrinter> EventPrinter::make(const PrinterOptions& options,
                                        const filter::FieldCatalog& catalog, event::Source source) {
  EventPrinter printer;
  printer.json_ = options.json;
  if (!options.filter.empty())
    printer.filter_ = SAKER_TRY(compile_condition(options.filter, catalog, source));
  for (const std::string& field : split_fields(options.fields))
    printer.fields_.push_back(SAKER_TRY(compile_field(field, catalog, source)));
  if (!options.count_by.empty())
    printer.count_by_ = SAKER_TRY(compile_field(options.count_by, catalog, source));
  if (printer.count_by_ || !printer.fields_.empty()) return printer;
  const std::string_view format = !options.format.empty() ? std::string_view(options.format)
                                  : source == event::Source::syscall ? kSyscallFormat
                                                                     : kAuditFormat;
  printer.format_ =
      SAKER_TRY(filter::OutputTemplate::compile(format, catalog, event::to_string(source)));
  return printer;
}

void EventPrinter::print_fields(const filter::EvalContext& context, std::string& out) {
  bool first = true;
  if (json_) out += '{';
  for (const filter::Operand& field : fields_) {
    values_.clear();
    const bool has_value = filter::evaluate_shown(field, context, values_);
    if (json_) {
      if (!has_value) continue;
      if (!first) out += ',';
      finding::append_json_string(field.text, out);
      out += ':';
      finding::append_json_value(filter::to_field_value(field, values_, context), out);
    } else {
      if (!first) out += '\t';
      if (has_value) {
        filter::append_text(field, values_, out);
      } else {
        out += "<NA>";
      }
    }
    first = false;
  }
  out += json_ ? "}\n" : "\n";
}

void EventPrinter::count(const filter::EvalContext& context) {
  values_.clear();
  std::string key = "<NA>";
  if (filter::evaluate_shown(*count_by_, context, values_)) {
    key.clear();
    filter::append_text(*count_by_, values_, key);
  }
  ++counts_[key];
}

void EventPrinter::print(const filter::EvalContext& context, std::string& out) {
  if (filter_ && !filter::matches(*filter_, context)) return;
  ++matched_;
  if (count_by_) {
    count(context);
    return;
  }
  if (!fields_.empty()) {
    print_fields(context, out);
    return;
  }
  if (!json_) {
    format_.render(context, line_);
    out += line_;
    out += '\n';
    return;
  }
  std::vector<finding::NamedValue> values;
  format_.collect(context, values);
  out += '{';
  for (size_t i = 0; i < values.size(); ++i) {
    if (i != 0) out += ',';
    finding::append_json_string(values[i].name, out);
    out += ':';
    finding::append_json_value(values[i].value, out);
  }
  out += "}\n";
}

void EventPrinter::finish(std::string& out) const {
  if (!count_by_) return;
  std::vector<std::pair<uint64_t, std::string>> rows;
  for (const auto& [value, count] : counts_) rows.emplace_back(count, value);
  std::ranges::sort(rows, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  for (const auto& [count, value] : rows) {
    if (json_) {
      out += "{\"count\":" + std::to_string(count) + ",\"value\":";
      finding::append_json_string(value, out);
      out += "}\n";
    } else {
      const std::string number = std::to_string(count);
      out.append(number.size() < 10 ? 10 - number.size() : 0, ' ');
      out += number + "  " + value + "\n";
    }
  }
}

}  // namespace saker::agent
