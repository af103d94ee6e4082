// The recursive-descent parser of conditions. One function a grammar rule; each returns false after
// it has noted an error. Depth is bounded, so that no input can exhaust the stack.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "filter/ast.h"

namespace saker::filter {

class Parser {
 public:
  Parser(std::string_view text, uint32_t max_depth) : text_(text), max_depth_(max_depth) {}

  // A whole condition, to the end of the text.
  bool condition(Node& out);
  // A field or a transformer at the front of the text.
  bool operand(OperandAst& out);

  [[nodiscard]] size_t position() const { return pos_; }
  [[nodiscard]] Error take_error() { return std::move(error_); }

 private:
  // Grammar.
  bool disjunction(Node& out);
  bool conjunction(Node& out);
  bool negation(Node& out);
  bool check(Node& out);
  bool parenthesised(Node& out);
  bool sequence(Node& out, Node::Kind kind, std::string_view word);
  bool comparison(Node& out);
  bool number_comparison(Node& out);
  bool text_comparison(Node& out);
  bool list_comparison(Node& out);
  bool modifier(Node& out);
  bool list(std::vector<std::string>& out);
  bool text_value(std::string& out);
  bool right_side(Node& out, TransformerKind kind);
  bool field(OperandAst& out, size_t length);
  bool transformer(OperandAst& out, TransformerKind kind);
  bool argument(OperandAst& out);
  bool argument_list(OperandAst& out, bool nested_lists);
  bool bracket_argument(std::string& raw);

  // Lexemes. Lengths count from the cursor; 0 means that there is none.
  [[nodiscard]] size_t identifier_length(size_t from) const;
  [[nodiscard]] size_t field_name_length() const;
  [[nodiscard]] size_t number_length() const;
  [[nodiscard]] size_t quoted_length() const;
  [[nodiscard]] bool transformer_name(TransformerKind& kind, bool with_val) const;

  // Cursor.
  [[nodiscard]] bool at_end() const { return pos_ >= text_.size(); }
  [[nodiscard]] char peek(size_t ahead = 0) const {
    return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0';
  }
  [[nodiscard]] std::string_view rest() const { return text_.substr(pos_); }
  bool accept(std::string_view token);
  bool skip_blanks();  // whether there were any
  Place place();
  bool fail(std::string_view message);
  bool enter();

  // Counts one call of a grammar function while it lives.
  struct Depth {
    explicit Depth(Parser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Depth() { --parser_.depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    Parser& parser_;
  };

  std::string_view text_;
  size_t pos_ = 0;
  size_t last_token_ = 0;  // where the last complete check or word began, for messages
  uint32_t depth_ = 0;
  uint32_t max_depth_;
  uint32_t checks_ = 0;
  Error error_;

  // Lines are counted on from the last place asked for.
  size_t line_seen_ = 0;
  size_t line_start_ = 0;
  uint32_t line_ = 1;
};

}  // namespace saker::filter
