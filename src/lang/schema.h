/* lang/schema - the schema language (.pg): text -> AST -> IR -> catalog.
 *
 * Grammar, checks and error texts are the reference's (omnigraph-compiler schema.pest,
 * schema/parser.rs, catalog/). The IR is the canonical form: its JSON is the file
 * `_schema.ir.json`, its SHA-256 stands in `__schema_state.json`; spacing and comments of the
 * source do not change it. Pure: no I/O, no clock. */
#ifndef OG_LANG_SCHEMA_H
#define OG_LANG_SCHEMA_H

#include "base/buf.h"
#include "lang/catalog.h"

/* Compile schema text. Errors (OG_INVALID) have the reference's message, with line and column and
 * a hint of ours. What only init refuses is not found
 * here (og_schema_check_strict). */
OG_NODISCARD og_status og_schema_compile(og_str source, og_catalog **out, og_error *err);

/* The same, and the text of `_schema.ir.json` (byte for byte the reference's) in *out_ir. The hash
 * is in the catalog. */
OG_NODISCARD og_status og_schema_compile_ir(og_str source, og_catalog **out, og_buf *out_ir,
                                            og_error *err);

/* What a new graph may not have, though the reference lets it pass: a broken @check pattern, a @default
 * that does not fit its property. OG_INVALID naming type, property and reason. */
OG_NODISCARD og_status og_schema_check_strict(const og_catalog *catalog, og_error *err);

#endif
