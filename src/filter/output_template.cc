// Compiling and filling in output templates.
#include "filter/output_template.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <span>

#include "base/assert.h"
#include "base/strings.h"
#include "filter/compile_cache.h"
#include "filter/diagnostics.h"

namespace saker::filter {

class OutputTemplate::Compiler {
 public:
  Compiler(std::string_view text, const FieldCatalog& catalog, std::string_view source,
           CompileCache* cache)
      : text_(text), catalog_(catalog), source_(source), cache_(cache) {}

  Result<OutputTemplate> run() {
    OutputTemplate result;
    if (text_.starts_with('*')) {
      result.starts_with_star_ = true;
      pos_ = 1;
    }
    const auto percents = static_cast<size_t>(std::ranges::count(text_, '%'));
    constexpr size_t kMostExpected = 64;
    result.tokens_.reserve(std::min(percents, kMostExpected) + 1);
    result.fields_.reserve(std::min(percents, kMostExpected));
    for (;;) {
      const size_t percent = text_.find('%', pos_);
      Token token;
      token.literal = text_.substr(pos_, percent - pos_);
      if (percent == std::string_view::npos) {
        if (!token.literal.empty()) result.tokens_.push_back(std::move(token));
        return result;
      }
      pos_ = percent + 1;
      SAKER_CHECK(add_operand(token, result));
      result.tokens_.push_back(std::move(token));
    }
  }

 private:
  static constexpr uint32_t kWidest = 4096;
  static constexpr size_t kLongestRetried = 256;  // of a name that is shortened byte by byte

  Status add_operand(Token& token, OutputTemplate& result) {
    const size_t start = pos_;
    SAKER_CHECK(width(token.width));
    if (pos_ >= text_.size())
      return fail("invalid formatting syntax: formatting cannot end with a %", start);
    ParsedOperand parsed = SAKER_TRY(longest_operand());
    token.operand = SAKER_TRY(shared_operand(parsed));
    add_fields(parsed.operand, token.operand, result.fields_);
    pos_ += parsed.length;
    return {};
  }

  Result<std::shared_ptr<const Operand>> shared_operand(const ParsedOperand& parsed) {
    const bool cached = cache_ != nullptr && parsed.operand.kind == OperandAst::Kind::field;
    std::string key;
    if (cached) {
      key = fmt::format("{} {}", source_, parsed.operand.text);
      if (const auto found = cache_->operands.find(key); found != cache_->operands.end())
        return found->second;
    }
    Result<Operand> operand = compile_operand(parsed.operand, catalog_, source_);
    if (!operand) return unknown(std::move(operand).error(), parsed.length);
    SAKER_CHECK(check_displayable(*operand));
    auto shared = std::make_shared<const Operand>(std::move(*operand));
    if (cached) cache_->operands.emplace(std::move(key), shared);
    return shared;
  }

  Status width(uint32_t& out) {
    const size_t start = pos_;
    while (pos_ < text_.size() && text_[pos_] >= '0' && text_[pos_] <= '9') ++pos_;
    if (pos_ == start) return {};
    const std::optional<uint64_t> number = parse_uint(text_.substr(start, pos_ - start));
    if (!number || *number > kWidest) return fail("field width is too large", start);
    out = static_cast<uint32_t>(*number);
    return {};
  }

  // A field name may run into the words after it: shorten until it is one.
  Result<ParsedOperand> longest_operand() const {
    const std::string_view rest = text_.substr(pos_);
    Result<ParsedOperand> whole = parse_operand(rest);
    if (whole && whole->operand.kind != OperandAst::Kind::field) return whole;
    if (whole && is_field(whole->operand)) return whole;
    // The name alone, when the text after it only looked like an argument.
    const size_t name = std::min(rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz"
                                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_."),
                                 rest.size());
    for (size_t length = std::min(name, kLongestRetried); length > 2; --length) {
      Result<ParsedOperand> shorter = parse_operand(rest.substr(0, length));
      if (shorter && shorter->length == length && is_field(shorter->operand)) return shorter;
    }
    if (whole) return whole;  // its error says what is unknown
    constexpr size_t kShown = 40;
    Error error = std::move(whole).error();
    return fail(fmt::format("unknown filter: {} ({})", rest.substr(0, kShown), error.message),
                pos_);
  }

  [[nodiscard]] bool is_field(const OperandAst& ast) const {
    const std::string_view text = ast.text;
    const FieldInfo* info = catalog_.find(text, source_);
    if (info != nullptr && info->arg != ArgRule::required && info->bind == nullptr) return true;
    return catalog_.resolve(text, source_).ok();
  }

  Error unknown(Error error, size_t length) const {
    const std::string_view token = text_.substr(pos_, length);
    error.message = fmt::format("unknown filter: {} ({})", token, error.message);
    return located_here(std::move(error), pos_);
  }

  Status check_displayable(const Operand& operand) const {
    if (operand.kind == Operand::Kind::field && operand.field.info->has(kFilterOnly))
      return fail(fmt::format("{} is filter only and cannot be used as a display field",
                              operand.field.info->name),
                  pos_);
    for (const Operand& arg : operand.args) SAKER_CHECK(check_displayable(arg));
    return {};
  }

  // The fields of an operand, each once under the name that the template has for it.
  static void add_fields(const OperandAst& ast, const std::shared_ptr<const Operand>& operand,
                         std::vector<Named>& out) {
    if (operand->kind == Operand::Kind::field) {
      const auto same = [&](const Named& row) { return row.name == ast.text; };
      if (std::ranges::none_of(out, same)) out.push_back({ast.text, operand});
      return;
    }
    // What is inside lives as long as the whole.
    for (size_t i = 0; i < ast.args.size(); ++i)
      add_fields(ast.args[i], {operand, &operand->args[i]}, out);
  }

  [[nodiscard]] Error located_here(Error error, size_t offset) const {
    const std::string_view before = text_.substr(0, offset);
    const auto lines = std::ranges::count(before, '\n');
    const size_t newline = before.rfind('\n');
    const size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
    return located(std::move(error),
                   {static_cast<uint32_t>(offset), static_cast<uint32_t>(lines + 1),
                    static_cast<uint32_t>(offset - line_start + 1)});
  }

  [[nodiscard]] Error fail(std::string message, size_t offset) const {
    return located_here({.message = std::move(message)}, offset);
  }

  std::string_view text_;
  const FieldCatalog& catalog_;
  std::string_view source_;
  CompileCache* cache_;
  size_t pos_ = 0;
};

Result<OutputTemplate> OutputTemplate::compile(std::string_view text, const FieldCatalog& catalog,
                                               std::string_view source, CompileCache* cache) {
  constexpr size_t kLongest = 1 << 20;
  if (text.size() > kLongest) return Error{.message = "output is too long"};
  return Compiler(text, catalog, source, cache).run();
}

Status OutputTemplate::append(const OutputTail& tail, const FieldCatalog& catalog,
                              std::string_view source, CompileCache* cache) {
  SAKER_ASSERT(tail_field_ == nullptr);
  OutputTemplate more = SAKER_TRY(compile(tail.text, catalog, source, cache));
  OutputTemplate field = SAKER_TRY(compile("%" + tail.field, catalog, source, cache));
  tail_field_ = std::move(field.tokens_.front().operand);
  tail_absent_when_ = tail.absent_when;
  body_tokens_ = tokens_.size();
  body_fields_ = fields_.size();
  std::ranges::move(more.tokens_, std::back_inserter(tokens_));
  std::ranges::move(more.fields_, std::back_inserter(fields_));
  return {};
}

bool OutputTemplate::has_tail(const EvalContext& context, Values& values) const {
  if (tail_field_ == nullptr) return true;
  values.clear();
  std::string value;
  if (!evaluate_shown(*tail_field_, context, values)) return false;
  append_text(*tail_field_, values, value);
  return value != tail_absent_when_;
}

bool OutputTemplate::append_token(const Token& token, const EvalContext& context, Values& values,
                                  std::string& out) {
  out += token.literal;
  if (token.operand == nullptr) return true;
  const size_t start = out.size();
  values.clear();
  const bool has_value = evaluate_shown(*token.operand, context, values);
  if (has_value) {
    append_text(*token.operand, values, out);
  } else {
    out += "<NA>";
  }
  if (token.width != 0) out.resize(start + token.width, ' ');
  return has_value;
}

bool OutputTemplate::render(const EvalContext& context, std::string& out, bool require_all) const {
  out.clear();
  Values values;
  const size_t count = has_tail(context, values) ? tokens_.size() : body_tokens_;
  for (const Token& token : std::span(tokens_).first(count))
    if (!append_token(token, context, values, out) && require_all && !starts_with_star_)
      return false;
  return true;
}

std::vector<std::string> OutputTemplate::render_pieces(const EvalContext& context) const {
  Values values;
  std::vector<std::string> pieces(has_tail(context, values) ? tokens_.size() : body_tokens_);
  for (size_t i = 0; i < pieces.size(); ++i) append_token(tokens_[i], context, values, pieces[i]);
  return pieces;
}

void OutputTemplate::refresh(const EvalContext& context, bool (*wanted)(const Operand&),
                             std::vector<std::string>& pieces) const {
  Values values;
  for (size_t i = 0; i < tokens_.size() && i < pieces.size(); ++i) {
    if (tokens_[i].operand == nullptr || !wanted(*tokens_[i].operand)) continue;
    pieces[i].clear();
    append_token(tokens_[i], context, values, pieces[i]);
  }
}

void OutputTemplate::collect(const EvalContext& context,
                             std::vector<finding::NamedValue>& out) const {
  Values values;
  const size_t count = has_tail(context, values) ? fields_.size() : body_fields_;
  for (const Named& field : std::span(fields_).first(count))
    out.push_back({field.name, show_value(*field.operand, context, values)});
}

bool evaluate_shown(const Operand& operand, const EvalContext& context, Values& out) {
  if (operand.kind == Operand::Kind::field && operand.field.info->display != nullptr)
    return operand.field.info->display(context, operand.field.arg, out);
  return evaluate(operand, context, out);
}

finding::FieldValue show_value(const Operand& operand, const EvalContext& context, Values& values) {
  values.clear();
  if (!evaluate_shown(operand, context, values)) return std::monostate();
  return to_field_value(operand, values, context);
}

std::vector<const Operand*> OutputTemplate::operands() const {
  std::vector<const Operand*> all;
  for (const Token& token : tokens_)
    if (token.operand != nullptr) all.push_back(token.operand.get());
  return all;
}

}  // namespace saker::filter
