/* lang/query - the query language (.gq): text -> AST -> checked IR, lint, parameters.
 *
 * Grammar, type checks (T codes), lint rules and error texts are the reference's
 * (omnigraph-compiler query.pest, query/parser.rs, typecheck.rs, lint.rs, ir/lower.rs,
 * query_input.rs), plus: edge variables `$a $e:edge $b`, undirected `$a <edge> $b`, starts_with,
 * contains on text, negative numbers, exponents, null, now() in a return, min/max of dates.
 * Pure: no I/O, no clock. */
#ifndef OG_LANG_QUERY_H
#define OG_LANG_QUERY_H

#include "base/buf.h"
#include "base/json.h"
#include "lang/ir.h"

/* A parsed and checked query file. */
typedef struct og_program og_program;

/* Parse `source` and check the query called `name` (NULL: the only one) against the catalog. The
 * program keeps a reference to the catalog and a copy of the source. OG_INVALID with the
 * reference's message, line, column, the source line with a caret as detail, and a hint; also when
 * there is no such query, or `name` is NULL and there is not exactly one. */
OG_NODISCARD og_status og_program_compile(og_str source, const char *name, og_catalog *catalog,
                                          og_program **out, og_error *err);
void og_program_free(og_program *program);
OG_DEFINE_AUTO(og_program, og_program_free)
const og_ir_query *og_program_query(const og_program *program);

/* The names of all queries of a file, in order; types are not checked. Text lives in the arena. */
OG_NODISCARD og_status og_query_names(og_str source, og_arena *arena, const og_str **out_names,
                                      size_t *out_count, og_error *err);

/* Check parameter values given as a JSON object against the query's declaration: values[i] is the
 * value of params[i]. Omitted optional ones are null; omitted required ones, values of the wrong
 * type or out of range are OG_INVALID with the reference's text. Integers may be decimal strings,
 * unknown names are ignored, texts of an enum are not compared with its values. `lenient` keeps an
 * F32 that overflows, as the reference does. */
OG_NODISCARD og_status og_params_from_json(const og_ir_query *query, const og_json *object,
                                           bool lenient, og_arena *arena, og_literal **out_values,
                                           og_error *err);

/* Convert one JSON value to a literal of a type, strictly, as load has it: dates may be numbers of
 * days or milliseconds, integers may not be text. `what` names the value in messages
 * ("property 'age'"). Whether a text is one of an enum's values is not checked here. Texts are
 * copied into the arena. */
OG_NODISCARD og_status og_literal_from_json(const og_prop_type *type, const og_json *value,
                                            og_str what, og_arena *arena, og_literal *out,
                                            og_error *err);
/* Convert a literal of a query to a property's type (text to date, integer to float, ...).
 * OG_INVALID says why it can't be. `lenient` lets a number that is not an item of a list pass even
 * when it is out of the range of an I32, U32 or F32; whoever stores it then changes it. Enum values
 * are not checked. `out` may be `value`. */
OG_NODISCARD og_status og_literal_coerce(const og_prop_type *type, const og_literal *value,
                                         og_str what, bool lenient, og_arena *arena,
                                         og_literal *out, og_error *err);

#endif
