/* lang/schema - the schema language (.pg): text -> AST -> IR -> catalog.
 *
 * Grammar, checks and error texts are the reference's (omnigraph-compiler schema.pest,
 * schema/parser.rs, catalog/). The IR is the canonical form: its JSON is the file
 * `_schema.ir.json`, its SHA-256 stands in `__schema_state.json`; spacing and comments of the
 * source do not change it. In one place the catalog says more than the IR: of @range(p, ..10) the
 * IR, like the reference, makes a lower bound; the catalog has the upper bound that was written.
 * Pure: no I/O, no clock. */
#ifndef OG_LANG_SCHEMA_H
#define OG_LANG_SCHEMA_H

#include "base/buf.h"
#include "lang/catalog.h"

/* Compile schema text; whatever the reference opens compiles. OG_INVALID with the reference's
 * message, line, column, the source line as detail (a syntax error has its frame as message
 * instead) and often a hint; OG_LIMIT above 4 MiB of text, 65,536 types or 262,144 properties. The
 * rules for new graphs are checked by og_schema_check_strict. */
OG_NODISCARD og_status og_schema_compile(og_str source, og_catalog **out, og_error *err);

/* The same, and the text of `_schema.ir.json` (byte for byte the reference's) in *out_ir. The hash
 * is in the catalog. */
OG_NODISCARD og_status og_schema_compile_ir(og_str source, og_catalog **out, og_buf *out_ir,
                                            og_error *err);

/* Check rules for new graphs, which the reference does not check, or only later: no @check
 * pattern that does not compile; no @default that is missing, doubled or does not fit its
 * property; no @range bound beyond the largest number; no property with the name of a system
 * column. For init and schema changes, on text that compiles. OG_INVALID names type,
 * property and reason, with a place. */
OG_NODISCARD og_status og_schema_check_strict(og_str source, og_error *err);

#endif
