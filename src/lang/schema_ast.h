/* lang/schema_ast - a schema between its text and its catalog; private to the schema files.
 *
 * It is made in steps, each its own file, all working on the same tree in one arena:
 *
 *   schema_parse.c    text -> declarations; values are still places in the text
 *   schema_decode.c   those places -> types, columns, bounds, strings; @key, @unique and @index of
 *                     a property become constraints; nodes get the properties of interfaces
 *   schema_check.c    what annotations and constraints may stand where
 *   schema_ir.c       canonical order, ids, `_schema.ir.json` and its hash
 *   schema_catalog.c  the catalog
 *   schema_strict.c   what a new graph may not have
 *
 * The order of the steps, and of the checks within each, decides which of several errors is told;
 * it is the reference's. */
#ifndef OG_LANG_SCHEMA_AST_H
#define OG_LANG_SCHEMA_AST_H

#include "base/arena.h"
#include "base/buf.h"
#include "lang/catalog.h"
#include "lang/frame.h"

/* A name and its place in the text. */
typedef struct og_lang__name {
    og_str text;
    og_span span;
} og_lang__name;

typedef struct og_lang__annotation {
    og_lang__name name;
    bool has_value;
    og_span value_span;
    og_str value; /* decoded; a name or a number as written */
} og_lang__annotation;

typedef enum og_lang__type_form {
    OG_LANG__TYPE_SCALAR,
    OG_LANG__TYPE_LIST,
    OG_LANG__TYPE_VECTOR,
    OG_LANG__TYPE_ENUM,
} og_lang__type_form;

typedef struct og_lang__prop {
    og_lang__name name;
    og_lang__type_form form;
    bool nullable;
    og_span type_span;
    og_span core; /* name of the scalar or list item, or digits of the vector's dimension */
    const og_lang__name *enum_values;
    uint32_t enum_value_count;
    og_lang__annotation *annotations;
    uint32_t annotation_count;
    og_prop_type type;
    uint32_t prop_id;
} og_lang__prop;

typedef enum og_lang__constraint_kind {
    OG_LANG__KEY,
    OG_LANG__UNIQUE,
    OG_LANG__INDEX,
    OG_LANG__RANGE,
    OG_LANG__CHECK,
} og_lang__constraint_kind;

typedef enum og_lang__arg_kind {
    OG_LANG__ARG_NAME,
    OG_LANG__ARG_STRING,
    OG_LANG__ARG_RANGE,
    OG_LANG__ARG_OTHER, /* number or boolean */
} og_lang__arg_kind;

typedef struct og_lang__arg {
    og_lang__arg_kind kind;
    og_span span;
    bool has_min, has_max; /* RANGE: is there a number before, and behind, the ".."? */
    og_span min, max;
} og_lang__arg;

typedef struct og_lang__constraint {
    og_lang__constraint_kind kind;
    og_span span;
    const og_lang__arg *args;
    uint32_t arg_count;
    og_lang__name *columns; /* RANGE, CHECK: one */
    uint32_t column_count;
    bool has_min, has_max;
    og_literal min, max; /* INTEGER or FLOAT */
    og_str pattern;
    og_str sort_key;
} og_lang__constraint;

typedef enum og_lang__decl_kind {
    OG_LANG__INTERFACE,
    OG_LANG__NODE,
    OG_LANG__EDGE,
} og_lang__decl_kind;

typedef struct og_lang__decl {
    og_lang__decl_kind kind;
    og_lang__name name;
    og_lang__annotation *annotations;
    uint32_t annotation_count;
    og_lang__name *implements;
    uint32_t implements_count;
    og_lang__prop *props;
    uint32_t prop_count;
    og_lang__constraint *constraints;
    uint32_t constraint_count;
    og_lang__name from, to;
    bool has_card, has_card_max;
    og_span card_min_span, card_max_span;
    uint32_t card_min, card_max; /* UINT32_MAX = unbounded */
    uint32_t type_id;
} og_lang__decl;

typedef struct og_lang__schema {
    og_str source;
    og_arena *arena;
    og_lang__decl *decls; /* as written; after og_lang__schema_canonical by kind and name */
    uint32_t decl_count;
    const char *error_kind; /* how messages of the current step begin: "catalog error: " */
} og_lang__schema;

/* Check the text's encoding and size, then take the steps up to og_lang__schema_canonical. */
og_status og_lang__schema_read(og_lang__schema *schema, og_str source, og_arena *arena,
                               og_error *err);

og_status og_lang__schema_parse(og_lang__schema *schema, og_error *err);
og_status og_lang__schema_decode(og_lang__schema *schema, og_error *err);
og_status og_lang__schema_check(const og_lang__schema *schema, og_error *err);
og_status og_lang__schema_canonical(og_lang__schema *schema, og_error *err);
/* Append the IR of a canonical schema as serde_json writes it. False when out of memory. */
bool og_lang__schema_write_ir(const og_lang__schema *schema, bool pretty, og_buf *out);
/* Fill a catalog whose arena is the schema's. */
og_status og_lang__schema_catalog(const og_lang__schema *schema, og_catalog *catalog,
                                  og_error *err);

/* Compare names without regard to ASCII case: the order of edges_by_folded_name. */
int og_lang__cmp_folded(og_str a, og_str b);

/* "node", "edge", "interface". */
const char *og_lang__decl_word(og_lang__decl_kind kind);
/* OG_INVALID with message (behind schema->error_kind), place and excerpt. */
og_status og_lang__schema_fail(const og_lang__schema *schema, og_span span, og_error *err,
                               const char *fmt, ...) OG_PRINTF(4, 5);
/* The first annotation of that name, or NULL. */
const og_lang__annotation *og_lang__annotation_find(const og_lang__annotation *annotations,
                                                    uint32_t count, const char *name);

/* The value that @default(text) stands for: for a text property the text itself, else its value as
 * JSON, lists and vectors included ("[1, 2]"). `what` names it in messages. OG_INVALID (without a
 * place) when it does not fit. */
og_status og_lang__default_value(const og_prop_type *type, og_str text, og_str what,
                                 og_arena *arena, og_literal *out, og_error *err);

#endif
