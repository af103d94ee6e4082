#include "filter/parser.h"

#include <fmt/core.h>

#include <array>

#include "filter/escape.h"

namespace saker::filter {

namespace {

// A condition of more text or checks than any rule has, so that memory stays bounded.
constexpr size_t kMaxText = 32u << 20;
constexpr uint32_t kMaxChecks = 250'000;

constexpr bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_word(char c) {
  return is_letter(c) || is_digit(c) || c == '_';
}
constexpr bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

struct TransformerName {
  std::string_view name;
  TransformerKind kind;
};
constexpr std::array<TransformerName, 9> kTransformers = {{
    {"tolower", TransformerKind::tolower},
    {"toupper", TransformerKind::toupper},
    {"b64", TransformerKind::b64},
    {"basename", TransformerKind::basename},
    {"len", TransformerKind::len},
    {"join", TransformerKind::join},
    {"concat", TransformerKind::concat},
    {"getopt", TransformerKind::getopt},
    {"val", TransformerKind::val},
}};

struct Word {
  std::string_view text;
  Op op;
};
// In the order in which they are tried: a prefix comes after the longer word.
constexpr std::array<Word, 4> kNumberOps = {
    {{"<=", Op::le}, {"<", Op::lt}, {">=", Op::ge}, {">", Op::gt}}};
constexpr std::array<Word, 3> kSymbolOps = {{{"==", Op::eq}, {"=", Op::eq}, {"!=", Op::ne}}};
constexpr std::array<Word, 9> kWordOps = {{{"glob", Op::glob},
                                           {"iglob", Op::iglob},
                                           {"contains", Op::contains},
                                           {"icontains", Op::icontains},
                                           {"bcontains", Op::bcontains},
                                           {"startswith", Op::startswith},
                                           {"bstartswith", Op::bstartswith},
                                           {"endswith", Op::endswith},
                                           {"regex", Op::regex}}};
constexpr std::array<Word, 3> kListOps = {
    {{"intersects", Op::intersects}, {"in", Op::in}, {"pmatch", Op::pmatch}}};

constexpr std::string_view kExpectedOperator =
    "expected a valid check operator: one of 'exists', '<=', '<', '>=', '>', '==', '=', '!=', "
    "'glob', 'iglob', 'contains', 'icontains', 'bcontains', 'startswith', 'bstartswith', "
    "'endswith', 'regex', 'intersects', 'in', 'pmatch'";

}  // namespace

// --- cursor and lexemes

bool Parser::accept(std::string_view token) {
  if (!rest().starts_with(token)) return false;
  pos_ += token.size();
  return true;
}

bool Parser::skip_blanks() {
  const size_t start = pos_;
  while (pos_ < text_.size() && is_blank(text_[pos_])) ++pos_;
  return pos_ != start;
}

Place Parser::place() {
  if (pos_ < line_seen_) {
    line_seen_ = line_start_ = 0;
    line_ = 1;
  }
  for (; line_seen_ < pos_; ++line_seen_) {
    if (text_[line_seen_] != '\n') continue;
    line_start_ = line_seen_ + 1;
    ++line_;
  }
  return {static_cast<uint32_t>(pos_), line_, static_cast<uint32_t>(pos_ - line_start_ + 1)};
}

bool Parser::fail(std::string_view message) {
  const Place at = place();
  error_.message = message;
  error_.position = {.line = at.line, .column = at.column, .offset = at.offset};
  return false;
}

bool Parser::enter() {
  return depth_ <= max_depth_ || fail(fmt::format("exceeded max depth limit of {}", max_depth_));
}

size_t Parser::identifier_length(size_t from) const {
  size_t at = from;
  if (at >= text_.size() || !is_letter(text_[at])) return 0;
  while (at < text_.size() && is_word(text_[at])) ++at;
  return at - from;
}

size_t Parser::field_name_length() const {
  size_t length = identifier_length(pos_);
  if (length == 0) return 0;
  size_t parts = 1;
  while (peek(length) == '.') {
    const size_t next = identifier_length(pos_ + length + 1);
    if (next == 0) break;
    length += 1 + next;
    ++parts;
  }
  return parts > 1 ? length : 0;
}

size_t Parser::number_length() const {
  size_t at = 0;
  if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X') && is_hex(peek(2))) {
    at = 2;
    while (is_hex(peek(at))) ++at;
    return at;
  }
  if (peek() == '+' || peek() == '-') ++at;
  if (!is_digit(peek(at))) return 0;
  while (is_digit(peek(at))) ++at;
  if (peek(at) == '.') ++at;
  while (is_digit(peek(at))) ++at;
  if ((peek(at) == 'e' || peek(at) == 'E') && (peek(at + 1) == '+' || peek(at + 1) == '-') &&
      is_digit(peek(at + 2))) {
    at += 2;
    while (is_digit(peek(at))) ++at;
  }
  return at;
}

size_t Parser::quoted_length() const {
  const char quote = peek();
  if (at_end() || (quote != '"' && quote != '\'')) return 0;
  for (size_t at = pos_ + 1; at < text_.size(); ++at) {
    at = text_.find(quote, at);
    if (at == std::string_view::npos) return 0;
    if (text_[at - 1] != '\\') return at - pos_ + 1;
  }
  return 0;
}

bool Parser::transformer_name(TransformerKind& kind, bool with_val) const {
  const size_t length = identifier_length(pos_);
  if (length == 0 || peek(length) != '(') return false;
  const std::string_view name = text_.substr(pos_, length);
  for (const TransformerName& row : kTransformers) {
    if (row.name != name) continue;
    kind = row.kind;
    return with_val || kind != TransformerKind::val;
  }
  return false;
}

// --- and, or, not

bool Parser::condition(Node& out) {
  if (text_.size() > kMaxText) return fail("condition is too long");
  if (!disjunction(out)) return false;
  skip_blanks();
  if (at_end()) return true;
  const std::string_view token = text_.substr(last_token_, pos_ - last_token_);
  return fail(fmt::format("unexpected token after '{}', expecting 'or', 'and'",
                          token.substr(0, token.find_last_not_of(" \t\b\r\n") + 1)));
}

bool Parser::sequence(Node& out, Node::Kind kind, std::string_view word) {
  const auto part = [&](Node& node) {
    return kind == Node::Kind::any ? conjunction(node) : negation(node);
  };
  if (!part(out)) return false;
  bool is_group = false;
  for (skip_blanks(); accept(word); skip_blanks()) {
    if (!is_group) {
      Node group;
      group.kind = kind;
      group.place = out.place;
      group.children.push_back(std::move(out));
      out = std::move(group);
      is_group = true;
    }
    Node& next = out.children.emplace_back();
    if (skip_blanks()) {
      if (!part(next)) return false;
    } else if (peek() == '(') {
      if (!parenthesised(next)) return false;
    } else {
      return fail(fmt::format("expected blank or '(' after '{}'", word));
    }
  }
  return true;
}

bool Parser::disjunction(Node& out) {
  const Depth depth(*this);
  if (!enter()) return false;
  skip_blanks();
  return sequence(out, Node::Kind::any, "or");
}

bool Parser::conjunction(Node& out) {
  const Depth depth(*this);
  return enter() && sequence(out, Node::Kind::all, "and");
}

bool Parser::negation(Node& out) {
  const Depth depth(*this);
  if (!enter()) return false;
  bool negated = false;
  const Place start = place();
  while (rest().starts_with("not") && (is_blank(peek(3)) || peek(3) == '(')) {
    pos_ += 3;
    negated = !negated;
    if (!skip_blanks()) break;
  }
  if (!check(out)) return false;
  if (!negated) return true;
  Node inner = std::move(out);
  out = Node();
  out.kind = Node::Kind::negation;
  out.place = start;
  out.children.push_back(std::move(inner));
  return true;
}

bool Parser::parenthesised(Node& out) {
  const Depth depth(*this);
  if (!enter()) return false;
  const size_t open = pos_;
  ++pos_;
  if (!disjunction(out)) return false;
  skip_blanks();
  if (!accept(")")) return fail("expected a ')' token");
  last_token_ = open;
  return true;
}

// --- checks

bool Parser::check(Node& out) {
  const Depth depth(*this);
  if (!enter()) return false;
  if (peek() == '(') return parenthesised(out);
  if (++checks_ > kMaxChecks) return fail("condition has too many checks");
  last_token_ = pos_;
  out.place = place();
  TransformerKind kind{};
  if (const size_t length = field_name_length(); length != 0) {
    if (!field(out.left, length)) return false;
  } else if (transformer_name(kind, false)) {
    if (!transformer(out.left, kind)) return false;
  } else if (const size_t word = identifier_length(pos_); word != 0) {
    out.kind = Node::Kind::macro;
    out.macro = text_.substr(pos_, word);
    pos_ += word;
    return true;
  } else {
    return fail("expected a '(' token, a field check, or an identifier");
  }
  skip_blanks();
  return comparison(out);
}

bool Parser::comparison(Node& out) {
  out.kind = Node::Kind::check;
  if (accept("exists")) {
    out.op = Op::exists;
    return true;
  }
  for (const Word& word : kNumberOps) {
    if (!accept(word.text)) continue;
    out.op = word.op;
    return number_comparison(out);
  }
  for (const Word& word : kSymbolOps) {
    if (!accept(word.text)) continue;
    out.op = word.op;
    return text_comparison(out);
  }
  for (const Word& word : kWordOps) {
    if (!accept(word.text)) continue;
    if (!is_blank(peek())) return fail(fmt::format("expected blank after '{}'", word.text));
    out.op = word.op;
    return text_comparison(out);
  }
  for (const Word& word : kListOps) {
    if (!accept(word.text)) continue;
    out.op = word.op;
    return list_comparison(out);
  }
  return fail(kExpectedOperator);
}

bool Parser::right_side(Node& out, TransformerKind kind) {
  out.right = std::make_unique<OperandAst>();
  return transformer(*out.right, kind);
}

bool Parser::number_comparison(Node& out) {
  skip_blanks();
  last_token_ = pos_;
  if (TransformerKind kind{}; transformer_name(kind, true)) return right_side(out, kind);
  const size_t length = number_length();
  if (length == 0) return fail("expected a valid number value");
  out.values.emplace_back(text_.substr(pos_, length));
  pos_ += length;
  return true;
}

bool Parser::text_comparison(Node& out) {
  const bool blank = skip_blanks();
  last_token_ = pos_;
  if (blank && modifier(out)) {
    skip_blanks();
    if (peek() == '(') {
      out.is_list = true;
      return list(out.values);
    }
    const size_t length = identifier_length(pos_);
    out.values.emplace_back(text_.substr(pos_, length));
    pos_ += length;
    return true;
  }
  if (TransformerKind kind{}; transformer_name(kind, true)) return right_side(out, kind);
  return text_value(out.values.emplace_back());
}

// A modifier word counts only when a list follows, as a word of its own; "= oneof" compares with a
// text.
bool Parser::modifier(Node& out) {
  static constexpr std::array<std::pair<std::string_view, Modifier>, 3> kModifiers = {
      {{"oneof", Modifier::oneof}, {"anyof", Modifier::anyof}, {"allof", Modifier::allof}}};
  for (const auto& [word, value] : kModifiers) {
    if (!rest().starts_with(word)) continue;
    const size_t start = pos_;
    pos_ += word.size();
    if (skip_blanks()) {
      const std::string_view next = text_.substr(pos_, identifier_length(pos_));
      if (peek() == '(' || (!next.empty() && next != "and" && next != "or" && next != "not")) {
        out.modifier = value;
        return true;
      }
    }
    pos_ = start;
    return false;
  }
  return false;
}

bool Parser::list_comparison(Node& out) {
  skip_blanks();
  last_token_ = pos_;
  if (peek() == '(') {
    out.is_list = true;
    return list(out.values);
  }
  if (TransformerKind kind{}; transformer_name(kind, true)) return right_side(out, kind);
  const size_t length = identifier_length(pos_);
  if (length == 0) return fail("expected a list, a field or transformer, or an identifier");
  out.values.emplace_back(text_.substr(pos_, length));
  pos_ += length;
  return true;
}

bool Parser::list(std::vector<std::string>& out) {
  ++pos_;
  skip_blanks();
  if (accept(")")) return true;
  for (;;) {
    skip_blanks();
    if (!text_value(out.emplace_back())) return false;
    skip_blanks();
    if (accept(")")) return true;
    if (!accept(",")) return fail("expected a ')' token");
  }
}

bool Parser::text_value(std::string& out) {
  if (const size_t length = quoted_length(); length != 0) {
    Result<std::string> value = unescape(text_.substr(pos_, length));
    if (!value) {
      pos_ += value.error().position.offset;
      return fail(value.error().message);
    }
    out = std::move(*value);
    pos_ += length;
    return true;
  }
  size_t end = pos_;
  while (end < text_.size() && is_bare(text_[end])) ++end;
  if (end == pos_) return fail("expected a valid string value: a quoted string or a bare string");
  out = text_.substr(pos_, end - pos_);
  pos_ = end;
  return true;
}

// --- fields and transformers

bool Parser::operand(OperandAst& out) {
  TransformerKind kind{};
  if (const size_t length = field_name_length(); length != 0) return field(out, length);
  if (transformer_name(kind, true)) return transformer(out, kind);
  return fail("expected a field or a transformer");
}

bool Parser::field(OperandAst& out, size_t length) {
  out.kind = OperandAst::Kind::field;
  out.place = place();
  out.text = text_.substr(pos_, length);
  pos_ += length;
  if (peek() != '[') return true;
  std::string raw;
  if (!bracket_argument(raw)) return false;
  out.text += '[';
  out.text += raw;
  out.text += ']';
  return true;
}

// "[x]" or "[\"x y\"]"; raw is what stands between the brackets, quotes included.
bool Parser::bracket_argument(std::string& raw) {
  ++pos_;
  size_t length = quoted_length();
  if (length == 2 && peek() == '\'') length = 0;  // an empty argument is written ""
  if (length != 0) {
    if (Result<std::string> value = unescape(text_.substr(pos_, length)); !value) {
      pos_ += value.error().position.offset;
      return fail(value.error().message);
    }
  } else {
    const auto is_argument = [](char c) {
      return !is_blank(c) && c != '[' && c != ']' && c != '"' && c != '\'';
    };
    while (pos_ + length < text_.size() && is_argument(text_[pos_ + length])) ++length;
  }
  if (length == 0) return fail("expected a valid field argument: a quoted string or a bare string");
  raw = text_.substr(pos_, length);
  pos_ += length;
  if (!accept("]")) return fail("expected a ']' token");
  return true;
}

bool Parser::transformer(OperandAst& out, TransformerKind kind) {
  const Depth depth(*this);
  if (!enter()) return false;
  out.kind = OperandAst::Kind::transformer;
  out.place = place();
  out.transformer = kind;
  pos_ += to_string(kind).size() + 1;
  if (kind == TransformerKind::val) {
    skip_blanks();
    const size_t length = field_name_length();
    if (length == 0) return fail("expected a field within 'val'");
    if (!field(out.args.emplace_back(), length)) return false;
    skip_blanks();
    return accept(")") || fail("expected a ')' token closing the transformer");
  }
  skip_blanks();
  if (peek() == ')') return fail(fmt::format("expected an argument of '{}'", to_string(kind)));
  if (!argument_list(out, true)) return false;
  if (kind != TransformerKind::getopt || peek() != '[') return true;
  std::string raw;
  if (!bracket_argument(raw)) return false;
  out.has_selector = true;
  out.selector = raw;
  if (raw[0] == '"' || raw[0] == '\'') out.selector = *unescape(raw);
  return true;
}

// The arguments up to and with the closing parenthesis.
bool Parser::argument_list(OperandAst& out, bool nested_lists) {
  for (;;) {
    skip_blanks();
    OperandAst& next = out.args.emplace_back();
    if (nested_lists && peek() == '(') {
      next.kind = OperandAst::Kind::list;
      next.place = place();
      ++pos_;
      skip_blanks();
      if (!accept(")") && !argument_list(next, false)) return false;
    } else if (!argument(next)) {
      return false;
    }
    skip_blanks();
    if (accept(")")) return true;
    if (!accept(",")) return fail("expected a ',' or a ')' token within the arguments");
  }
}

bool Parser::argument(OperandAst& out) {
  TransformerKind kind{};
  if (const size_t length = field_name_length(); length != 0) return field(out, length);
  if (transformer_name(kind, false)) return transformer(out, kind);
  out.kind = OperandAst::Kind::literal;
  out.place = place();
  if (const size_t length = number_length(); length != 0) {
    out.text = text_.substr(pos_, length);
    pos_ += length;
    return true;
  }
  if (quoted_length() != 0) return text_value(out.text);
  return fail("expected a field, a transformer, a quoted string or a number");
}

// --- entry points

Result<Node> parse(std::string_view text, uint32_t max_depth) {
  Parser parser(text, max_depth);
  Node node;
  if (!parser.condition(node)) return parser.take_error();
  return node;
}

Result<ParsedOperand> parse_operand(std::string_view text) {
  Parser parser(text, kDefaultDepth);
  ParsedOperand parsed;
  if (!parser.operand(parsed.operand)) return parser.take_error();
  parsed.length = parser.position();
  return parsed;
}

}  // namespace saker::filter
