/* lang/types - the property types, operators and literals that both languages share. */
#ifndef OG_LANG_TYPES_H
#define OG_LANG_TYPES_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "columnar/array.h"

typedef enum og_scalar {
    OG_SCALAR_STRING,
    OG_SCALAR_BOOL,
    OG_SCALAR_I32,
    OG_SCALAR_I64,
    OG_SCALAR_U32,
    OG_SCALAR_U64,
    OG_SCALAR_F32,
    OG_SCALAR_F64,
    OG_SCALAR_DATE,
    OG_SCALAR_DATETIME,
    OG_SCALAR_VECTOR, /* `dim` F32 */
    OG_SCALAR_BLOB,
} og_scalar;

/* The type of a property, parameter or expression. */
typedef struct og_prop_type {
    og_scalar scalar;
    uint32_t dim; /* VECTOR */
    bool nullable;
    bool list;
    bool is_enum; /* scalar is STRING */
    uint32_t enum_count;
    const og_str *enum_values; /* sorted by bytes, unique */
} og_prop_type;

/* "String", "[I64]?", "enum(a, b)", as error texts print it. Lives in the arena. */
og_str og_prop_type_name(og_arena *arena, const og_prop_type *type);
/* The scalar alone: "Vector(4)". */
og_str og_scalar_name(og_arena *arena, og_scalar scalar, uint32_t dim);
/* The scalar called `name` in schemas, except vectors; false when there is none. */
bool og_scalar_parse(og_str name, og_scalar *out);
bool og_scalar_is_numeric(og_scalar scalar);
/* The same type in every respect. */
bool og_prop_type_eq(const og_prop_type *a, const og_prop_type *b);
/* Is the text among an enum's values? */
bool og_prop_type_has_value(const og_prop_type *type, og_str value);
/* Column type on disk: String utf8, Blob the blob struct, Bool bool, Date date32, DateTime date64,
 * Vector fixed_size_list<float32>, lists list<T>. NULL when out of memory. */
const og_type *og_prop_type_to_arrow(og_arena *arena, const og_prop_type *type);

typedef enum og_cmp_op {
    OG_CMP_EQ,
    OG_CMP_NE,
    OG_CMP_GT,
    OG_CMP_LT,
    OG_CMP_GE,
    OG_CMP_LE,
    OG_CMP_CONTAINS,    /* list membership, or substring of text */
    OG_CMP_STARTS_WITH, /* text */
} og_cmp_op;
const char *og_cmp_op_text(og_cmp_op op);

typedef enum og_agg {
    OG_AGG_COUNT,
    OG_AGG_SUM,
    OG_AGG_AVG,
    OG_AGG_MIN,
    OG_AGG_MAX,
} og_agg;
const char *og_agg_name(og_agg agg);

/* A value in a query, a parameter, or a row being written. */
typedef enum og_literal_kind {
    OG_LIT_NULL,
    OG_LIT_BOOL,
    OG_LIT_INTEGER, /* i64, or u64 when above INT64_MAX (is_unsigned) */
    OG_LIT_FLOAT,
    OG_LIT_STRING,
    OG_LIT_DATE,     /* text as written, and integer = days once checked */
    OG_LIT_DATETIME, /* text as written, and integer = milliseconds once checked */
    OG_LIT_LIST,
} og_literal_kind;

typedef struct og_literal og_literal;
struct og_literal {
    og_literal_kind kind;
    bool boolean;
    bool is_unsigned; /* integer holds the bits of a u64 above INT64_MAX */
    int64_t integer;
    double real;
    og_str text;
    uint32_t count;
    const og_literal *items;
};

/* A place in the user's text: a byte range; line and column are found when an error is made. */
typedef struct og_span {
    uint32_t start, end;
} og_span;

#endif
