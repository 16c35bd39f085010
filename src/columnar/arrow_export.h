/* columnar/arrow_export - arrays out to and in from the Arrow C data interface.
 *
 * The two structs are those of the specification (arrow.apache.org, "The Arrow C data interface"),
 * guarded by its macro, so that another header may define them too. Export shares the buffers: the
 * ArrowArray holds a reference of the og_array until it is released. Import moves the ArrowArray
 * and shares its buffers too, but copies what our arrays keep differently: bitmaps that do not
 * begin at a byte, offsets that do not begin at 0.
 *
 * Whoever holds a struct whose `release` is not NULL must call it once. */
#ifndef OG_COLUMNAR_ARROW_EXPORT_H
#define OG_COLUMNAR_ARROW_EXPORT_H

#include "columnar/array.h"

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif

/* The caller owns *out on OG_OK and may move it (copy the struct, set the old release to NULL). */
OG_NODISCARD og_status og_arrow_export_field(const og_field *field, struct ArrowSchema *out,
                                             og_error *err);
/* A struct of the fields, as streams of record batches have it. */
OG_NODISCARD og_status og_arrow_export_schema(const og_schema *schema, struct ArrowSchema *out,
                                              og_error *err);
OG_NODISCARD og_status og_arrow_export_array(const og_array *array, struct ArrowArray *out,
                                             og_error *err);
/* A struct of the columns. */
OG_NODISCARD og_status og_arrow_export_batch(const og_batch *batch, struct ArrowArray *out,
                                             og_error *err);

/* The fields of a struct schema. Leaves `schema` to the caller. OG_UNSUPPORTED for types that
 * og_type has not, dictionaries included; OG_INVALID when it breaks the specification. */
OG_NODISCARD og_status og_arrow_import_schema(const struct ArrowSchema *schema, og_schema **out,
                                              og_error *err);
/* An array of `type`, which must outlive it. Takes `array` (its release is NULL afterwards, also on
 * failure). OG_INVALID when its shape is not the type's. Buffers are trusted as the specification
 * says; call og_array_validate on what comes from strangers. */
OG_NODISCARD og_status og_arrow_import_array(struct ArrowArray *array, const og_type *type,
                                             og_array **out, og_error *err);
/* The columns of a struct array without nulls. */
OG_NODISCARD og_status og_arrow_import_batch(struct ArrowArray *array, const og_schema *schema,
                                             og_batch *out, og_error *err);

#endif
