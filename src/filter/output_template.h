// Output templates: "shell in container (user=%user.name %proc.aname[2])".
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "filter/compile.h"
#include "finding/finding.h"

namespace saker::filter {

// Text behind a template that is left out of events whose `field` has the value `absent_when`.
struct OutputTail {
  std::string text, field, absent_when;
};

// A compiled template. Immutable; may be shared by threads.
class OutputTemplate {
 public:
  // Fails with a message containing "unknown filter: X" for a token that is no field.
  // `cache` may be null.
  static Result<OutputTemplate> compile(std::string_view text, const FieldCatalog& catalog,
                                        std::string_view source, CompileCache* cache = nullptr);

  // Appends a tail; once a template.
  Status append(const OutputTail& tail, const FieldCatalog& catalog, std::string_view source,
                CompileCache* cache = nullptr);

  // The text with every token filled in; a field without value prints "<NA>". False, with `out`
  // unspecified, when the template does not start with '*', `require_all` is set and some field has
  // no value.
  bool render(const EvalContext& context, std::string& out, bool require_all = false) const;

  // The same in pieces, one a token, for a template of which a part is known only later: refresh()
  // fills in anew the pieces whose operands are `wanted`.
  [[nodiscard]] std::vector<std::string> render_pieces(const EvalContext& context) const;
  void refresh(const EvalContext& context, bool (*wanted)(const Operand&),
               std::vector<std::string>& pieces) const;

  // One entry a distinct field of the template, under the name as written there; null where it has
  // no value. A transformer contributes the field inside it, untransformed.
  void collect(const EvalContext& context, std::vector<finding::NamedValue>& out) const;

  // Operands of the tokens, in order.
  [[nodiscard]] std::vector<const Operand*> operands() const;

 private:
  struct Token {
    std::string literal;                     // text before the operand
    std::shared_ptr<const Operand> operand;  // null: none
    uint32_t width = 0;                      // pad or cut to this many bytes; 0: as it is
  };
  // A distinct field for collect(), under its name as written.
  struct Named {
    std::string name;
    std::shared_ptr<const Operand> operand;
  };
  class Compiler;

  // False when the token's operand has no value.
  static bool append_token(const Token& token, const EvalContext& context, Values& values,
                           std::string& out);

  [[nodiscard]] bool has_tail(const EvalContext& context, Values& values) const;

  std::vector<Token> tokens_;
  std::vector<Named> fields_;
  size_t body_tokens_ = 0, body_fields_ = 0;  // before the tail
  std::shared_ptr<const Operand> tail_field_;
  std::string tail_absent_when_;
  bool starts_with_star_ = false;
};

// evaluate(), for outputs: a field whose outputs differ from what is compared gives those.
bool evaluate_shown(const Operand& operand, const EvalContext& context, Values& out);

// A field's value(s) as people read it: lists as (a,b), flags per the field's print format.
void append_text(const Operand& operand, const Values& values, std::string& out);

// The same typed for JSON.
finding::FieldValue to_field_value(const Operand& operand, const Values& values,
                                   const EvalContext& context);

// evaluate_shown() and to_field_value() in one; null when there is no value. `values` is only room
// to work in.
finding::FieldValue show_value(const Operand& operand, const EvalContext& context, Values& values);

}  // namespace saker::filter
