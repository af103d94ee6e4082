// Exceptions of rules: checked when read, and turned into condition text before it is parsed.
#pragma once

#include "rules/definitions.h"

namespace saker::rules {

// Fills in the default operators and checks that fields, operators and their numbers fit. The
// fields are only checked when `source_known`.
Status check_exception(ExceptionDef& exception, const RuleDef& rule, bool source_known,
                       const filter::FieldCatalog& catalog, const Trail& rule_trail,
                       Reporter& reporter);

// The condition of a rule with its exceptions: "(C) and not (...)".
Result<SourceText> condition_with_exceptions(const RuleDef& rule, const Trail& rule_trail,
                                             Reporter& reporter);

}  // namespace saker::rules
