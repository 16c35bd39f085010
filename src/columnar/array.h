/* columnar/array - typed columns in memory, in Arrow's layout.
 *
 * An array is immutable and counted once built; builders (builder.h) make them, kernels
 * (kernels.h) make new ones of old. Buffers are Arrow's: validity LSB first (1 = valid, NULL = all
 * valid), offsets from 0, data contiguous. Every array starts at row 0: a slice is a copy, which
 * is cheap at our batch sizes and keeps each kernel a plain loop. Exported to the Arrow C data
 * interface without a copy (arrow_export.h).
 *
 * A batch holds at most OG_BATCH_ROWS rows: large enough that per-batch work vanishes, small
 * enough that a batch of a few columns stays in the L2 cache. */
#ifndef OG_COLUMNAR_ARRAY_H
#define OG_COLUMNAR_ARRAY_H

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "base/str.h"

#define OG_BATCH_ROWS 8192

typedef enum og_type_id {
    OG_TYPE_NULL = 0, /* no values at all; only as the type of an untyped null */
    OG_TYPE_BOOL,     /* bitmap */
    OG_TYPE_I8,
    OG_TYPE_U8,
    OG_TYPE_I16,
    OG_TYPE_U16,
    OG_TYPE_I32,
    OG_TYPE_U32,
    OG_TYPE_I64,
    OG_TYPE_U64,
    OG_TYPE_F16,
    OG_TYPE_F32,
    OG_TYPE_F64,
    OG_TYPE_DATE32,       /* i32 days */
    OG_TYPE_DATE64,       /* i64 milliseconds */
    OG_TYPE_TIMESTAMP_US, /* i64 microseconds, no zone: times of the commit tables */
    OG_TYPE_UTF8,         /* i32 offsets[rows + 1], bytes */
    OG_TYPE_BINARY,
    OG_TYPE_LARGE_UTF8, /* i64 offsets */
    OG_TYPE_LARGE_BINARY,
    OG_TYPE_FIXED_SIZE_LIST, /* child of rows * list_size items */
    OG_TYPE_LIST,            /* i32 offsets, one child */
    OG_TYPE_LARGE_LIST,      /* i64 offsets, one child */
    OG_TYPE_STRUCT,          /* n children of `rows` rows */
} og_type_id;

typedef struct og_field og_field;

/* A type; immutable. Lives in an arena or in static storage, or is owned by a og_schema. */
typedef struct og_type {
    og_type_id id;
    int32_t list_size;    /* FIXED_SIZE_LIST */
    uint32_t child_count; /* lists 1, struct n */
    const og_field *children;
} og_type;

struct og_field {
    og_str name;
    const og_type *type;
    bool nullable;
};

/* Types without parameters: og_type_of(OG_TYPE_UTF8). Static storage. */
const og_type *og_type_of(og_type_id id);
/* Bytes of one value; 0 for bool, variable-width and nested types. */
size_t og_type_width(og_type_id id);
/* Are two types equal? Struct field names count; names of list items and nullability do not. */
bool og_type_eq(const og_type *a, const og_type *b);
/* "utf8", "fixed_size_list<float32, 4>"; for messages. Writes at most cap bytes with a NUL. */
void og_type_name(const og_type *type, char *dst, size_t cap);

typedef struct og_array og_array;
struct og_array {
    const og_type *type; /* borrowed: outlives the array (schema, catalog or static) */
    int64_t length;
    int64_t null_count;
    const uint8_t *validity; /* NULL when and only when null_count is 0 */
    const void *data;        /* values; bytes of variable-width types; NULL for nested and null */
    const void *offsets;     /* i32 or i64; NULL when the type has none */
    og_array **children;
    uint32_t child_count;
    int32_t refs;   /* atomic */
    void *owned[3]; /* blocks freed with og_free when refs reaches 0; may be NULL */
    void (*on_release)(void *context); /* for buffers that live elsewhere; may be NULL */
    void *release_context;
};

og_array *og_array_ref(og_array *array);
void og_array_unref(og_array *array);
OG_DEFINE_AUTO(og_array, og_array_unref)

/* An empty shell, with one reference, for builders and decoders to fill; there is room for the
 * type's children, which are NULL yet. Whoever fills it must set all buffers that the type has,
 * also at length 0. NULL when out of memory. */
og_array *og_array_new(const og_type *type, int64_t length);
/* All null; NULL when out of memory. */
og_array *og_array_new_null(const og_type *type, int64_t length);

static inline bool og_array_is_null(const og_array *a, int64_t row)
{
    return a->validity != NULL && !og_bit_get(a->validity, (size_t)row);
}
/* Values by row; the row must be valid and the type must fit (asserted in debug builds). */
static inline bool og_array_bool(const og_array *a, int64_t row)
{
    return og_bit_get((const uint8_t *)a->data, (size_t)row);
}
static inline int32_t og_array_i32(const og_array *a, int64_t row)
{
    return ((const int32_t *)a->data)[row];
}
static inline uint32_t og_array_u32(const og_array *a, int64_t row)
{
    return ((const uint32_t *)a->data)[row];
}
static inline int64_t og_array_i64(const og_array *a, int64_t row)
{
    return ((const int64_t *)a->data)[row];
}
static inline uint64_t og_array_u64(const og_array *a, int64_t row)
{
    return ((const uint64_t *)a->data)[row];
}
static inline float og_array_f32(const og_array *a, int64_t row)
{
    return ((const float *)a->data)[row];
}
static inline double og_array_f64(const og_array *a, int64_t row)
{
    return ((const double *)a->data)[row];
}
/* Text or bytes of utf8, binary and their large kinds; borrowed from the array. */
static inline og_str og_array_str(const og_array *a, int64_t row)
{
    if (a->type->id == OG_TYPE_UTF8 || a->type->id == OG_TYPE_BINARY) {
        const int32_t *o = a->offsets;
        return (og_str){(const char *)a->data + o[row], (size_t)(o[row + 1] - o[row])};
    }
    const int64_t *o = a->offsets;
    return (og_str){(const char *)a->data + o[row], (size_t)(o[row + 1] - o[row])};
}
/* Item range of a list row in children[0]. */
static inline void og_array_list(const og_array *a, int64_t row, int64_t *out_start,
                                 int64_t *out_end)
{
    if (a->type->id == OG_TYPE_FIXED_SIZE_LIST) {
        *out_start = row * a->type->list_size;
        *out_end = *out_start + a->type->list_size;
    } else if (a->type->id == OG_TYPE_LIST) {
        *out_start = ((const int32_t *)a->offsets)[row];
        *out_end = ((const int32_t *)a->offsets)[row + 1];
    } else {
        *out_start = ((const int64_t *)a->offsets)[row];
        *out_end = ((const int64_t *)a->offsets)[row + 1];
    }
}
/* Bytes of all buffers, children included. */
size_t og_array_bytes(const og_array *array);
/* Check every invariant above (lengths, monotone offsets, valid UTF-8 when `deep`).
 * OG_CORRUPT with the reason. */
OG_NODISCARD og_status og_array_validate(const og_array *array, bool deep, og_error *err);

/* A schema: fields in order. Owns its fields, types and names (one arena); counted. */
typedef struct og_schema {
    const og_field *fields;
    uint32_t field_count;
    int32_t refs;
    struct og_arena *arena;
} og_schema;
og_schema *og_schema_ref(og_schema *schema);
void og_schema_unref(og_schema *schema);
OG_DEFINE_AUTO(og_schema, og_schema_unref)
/* Deep copy of `fields`; NULL when out of memory. */
og_schema *og_schema_new(const og_field *fields, uint32_t field_count);
/* Index of the field, or -1. */
int32_t og_schema_find(const og_schema *schema, og_str name);

/* Columns of equal length. Owns one reference of each. Plain struct: move it, then clear. */
typedef struct og_batch {
    og_array **columns;
    uint32_t column_count;
    int64_t row_count;
} og_batch;
/* Room for column_count columns, all NULL. */
OG_NODISCARD og_status og_batch_init(og_batch *batch, uint32_t column_count, int64_t row_count,
                                     og_error *err);
void og_batch_deinit(og_batch *batch);
static inline void og_batch_auto_(og_batch *b)
{
    og_batch_deinit(b);
}
#define OG_AUTO_BATCH __attribute__((cleanup(og_batch_auto_))) og_batch

#endif
