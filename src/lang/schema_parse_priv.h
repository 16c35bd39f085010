/* lang/schema_parse_priv - the parser of a schema, shared by its files: schema_parse.c has the
 * rules of a file and of its declarations, schema_parse_body.c those of what stands in a
 * declaration: annotations, properties and constraints.
 *
 * One function per rule of the reference's grammar (schema.pest), in its order of choices. */
#ifndef OG_LANG_SCHEMA_PARSE_PRIV_H
#define OG_LANG_SCHEMA_PARSE_PRIV_H

#include "base/vec.h"
#include "lang/scan.h"
#include "lang/schema_ast.h"

/* The grammar's rules in its order, which is the order in which errors list them. */
#define OG_LANG__SCHEMA_RULES(X)                                                                   \
    X(EOI, "EOI")                                                                                  \
    X(SCHEMA_FILE, "schema_file")                                                                  \
    X(SCHEMA_DECL, "schema_decl")                                                                  \
    X(INTERFACE_DECL, "interface_decl")                                                            \
    X(NODE_DECL, "node_decl")                                                                      \
    X(IMPLEMENTS_CLAUSE, "implements_clause")                                                      \
    X(EDGE_DECL, "edge_decl")                                                                      \
    X(CARDINALITY, "cardinality")                                                                  \
    X(PROP_DECL, "prop_decl")                                                                      \
    X(BODY_CONSTRAINT, "body_constraint")                                                          \
    X(CONSTRAINT_NAME, "constraint_name")                                                          \
    X(CONSTRAINT_ARGS, "constraint_args")                                                          \
    X(CONSTRAINT_ARG, "constraint_arg")                                                            \
    X(RANGE_BOUND, "range_bound")                                                                  \
    X(TYPE_REF, "type_ref")                                                                        \
    X(CORE_TYPE, "core_type")                                                                      \
    X(LIST_TYPE, "list_type")                                                                      \
    X(ENUM_TYPE, "enum_type")                                                                      \
    X(VECTOR_TYPE, "vector_type")                                                                  \
    X(ENUM_VALUE, "enum_value")                                                                    \
    X(BASE_TYPE, "base_type")                                                                      \
    X(ANNOTATION, "annotation")                                                                    \
    X(ANNOTATION_ARG, "annotation_arg")                                                            \
    X(LITERAL, "literal")                                                                          \
    X(STRING_LIT, "string_lit")                                                                    \
    X(FLOAT_LIT, "float_lit")                                                                      \
    X(INTEGER, "integer")                                                                          \
    X(SIGNED_FLOAT, "signed_float")                                                                \
    X(SIGNED_INTEGER, "signed_integer")                                                            \
    X(BOOL_LIT, "bool_lit")                                                                        \
    X(TYPE_NAME, "type_name")                                                                      \
    X(IDENT, "ident")

typedef enum og_lang__schema_rule {
#define OG_LANG__SCHEMA_RULE_ENUM(id, name) OG_SCHEMA_RULE_##id,
    OG_LANG__SCHEMA_RULES(OG_LANG__SCHEMA_RULE_ENUM)
#undef OG_LANG__SCHEMA_RULE_ENUM
} og_lang__schema_rule;

/* Lists grow in the vectors; a rule that is done copies its own tail into the arena, a rule that
 * fails cuts it off again. */
typedef struct og_lang__schema_parser {
    og_scan scan;
    og_arena *arena;
    bool out_of_memory;
    OG_VEC(og_lang__decl) decls;
    OG_VEC(og_lang__prop) props;
    OG_VEC(og_lang__constraint) constraints;
    OG_VEC(og_lang__annotation) annotations;
    OG_VEC(og_lang__arg) args;
    OG_VEC(og_lang__name) names;
} og_lang__schema_parser;

/* Append an item to a list. */
#define OG_LANG__PUSH(p, list, item)                                                               \
    do {                                                                                           \
        if (!og_vec_push(&(p)->list, item))                                                        \
            (p)->out_of_memory = true;                                                             \
    } while (0)

/* Move the items from `base` on to the arena; NULL when there are none, or out of memory. */
void *og_lang__schema_take_tail(og_lang__schema_parser *p, const void *items, size_t *len,
                                size_t base, size_t item_size);

/* Move list[base..] to the arena as *out_items, *out_count. */
#define OG_LANG__TAKE_TAIL(p, list, base, out_items, out_count)                                    \
    do {                                                                                           \
        *(out_count) = (uint32_t)((p)->list.len - (base));                                         \
        *(out_items) = og_lang__schema_take_tail(p, (p)->list.items, &(p)->list.len, base,         \
                                                 sizeof *(p)->list.items);                         \
        if ((p)->out_of_memory)                                                                    \
            *(out_count) = 0;                                                                      \
    } while (0)

/* ---- schema_parse_body.c ------------------------------------------------------------------ */

bool og_lang__schema_type_name(og_lang__schema_parser *p, og_lang__name *out);
bool og_lang__schema_integer(og_lang__schema_parser *p, og_span *out);
/* item ~ ("," ~ item)*, each a terminal of rule `rule`, pushed on p->names. */
bool og_lang__schema_name_list(og_lang__schema_parser *p, og_lang__schema_rule rule,
                               size_t (*match)(og_str));
/* annotation* */
void og_lang__schema_annotations(og_lang__schema_parser *p, og_lang__annotation **out,
                                 uint32_t *out_count);
/* "{" ~ (prop_decl | body_constraint)* ~ "}"; only properties for an interface. */
bool og_lang__schema_body(og_lang__schema_parser *p, og_lang__decl *decl);
/* Length of an enum value, or of any other word, at the start of `rest`. */
size_t og_lang__schema_match_word(og_str rest);
/* Names of scalar types, ended by NULL; for hints. */
extern const char *const og_lang__schema_scalars[];

#endif
