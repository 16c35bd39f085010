/* lance/file/assemble_priv - arrays from the values and levels of a leaf column.
 *
 * Beside the values, a leaf column stores repetition and definition levels for all lists and
 * structs around the leaf (docs/dev/lance.md section 10). An assembly has one node for each layer
 * on the path from the field to the leaf. The levels of each page are unravelled into the nodes,
 * from the inside outwards; page by page, because the layers differ from page to page. At the end
 * the arrays of a field's leaves are merged into one. */
#ifndef OG_LANCE_FILE_ASSEMBLE_PRIV_H
#define OG_LANCE_FILE_ASSEMBLE_PRIV_H

#include "lance/file/page_priv.h"

typedef struct og_lance__node {
    const og_type *type;
    uint32_t child; /* index of the next node's field among the type's children */
    og_lance__validity validity;
    og_lance__sink offsets; /* lists: i64, where each starts in the child */
} og_lance__node;

typedef struct og_lance__assembly {
    og_lance__node nodes[OG_LANCE__MAX_LAYERS]; /* outermost first; the last is the leaf */
    uint32_t depth;
    /* Rows of the column for one row of the file: more than 1 below a fixed-size list of structs,
     * whose columns have a row for each item. */
    uint64_t spread;
    bool is_packed; /* the leaf is a packed struct: pages may have one more layer, of its fields */
    og_lance__leaf_values leaf;
    og_lance__sink marks; /* scratch for one list layer: u16, 1 = null */
} og_lance__assembly;

/* How many leaves a type has; `packed` as in og_lance_column, counted from this type.
 * A blob counts as one packed struct. */
uint32_t og_lance__leaf_count(const og_type *type, uint64_t packed);

/* Prepare to read leaf number `leaf` of a field of this type. OG_UNSUPPORTED for types that can't
 * be read. To be deinited also after an error. */
OG_NODISCARD og_status og_lance__assembly_init(og_lance__assembly *a, const og_type *type,
                                               uint64_t packed, uint32_t leaf, og_error *err);
void og_lance__assembly_deinit(og_lance__assembly *a);
#define OG_LANCE__AUTO_ASSEMBLY                                                                    \
    __attribute__((cleanup(og_lance__assembly_deinit))) og_lance__assembly

/* Decode rows of a page and append them. `rows` are rows of the column;
 * the `spread` rows that belong to one row of the file come together. */
OG_NODISCARD og_status og_lance__assembly_read(og_lance__assembly *a, const og_lance__page *page,
                                               const og_lance__rows *rows, og_error *err);
/* The field's array; struct children of other leaves are NULL in it. */
OG_NODISCARD og_status og_lance__assembly_finish(og_lance__assembly *a, og_array **out,
                                                 og_error *err);
/* Move the children that `into` lacks from `from`, an array of the same rows of another leaf. */
OG_NODISCARD og_status og_lance__merge_leaves(og_array *into, og_array *from, og_error *err);

#endif
