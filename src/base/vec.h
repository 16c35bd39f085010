/* base/vec - a typed growing array.
 *
 *     OG_VEC(uint32_t) ids = {0};
 *     if (!og_vec_push(&ids, 7)) return og_error_nomem(err);
 *     og_vec_deinit(&ids);
 *
 * Elements move when it grows; keep indices, not pointers. */
#ifndef OG_BASE_VEC_H
#define OG_BASE_VEC_H

#include "base/alloc.h"

#define OG_VEC(type)                                                                               \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t len;                                                                                \
        size_t cap;                                                                                \
    }

bool og_vec_grow_(void **items, size_t *cap, size_t need, size_t item_size);

/* Room for `extra` more; false when out of memory. */
#define og_vec_reserve(v, extra)                                                                   \
    ((v)->cap - (v)->len >= (extra) ||                                                             \
     og_vec_grow_((void **)&(v)->items, &(v)->cap, (v)->len + (extra), sizeof *(v)->items))
#define og_vec_push(v, ...)                                                                        \
    (og_vec_reserve(v, 1) ? ((v)->items[(v)->len++] = (__VA_ARGS__), true) : false)
#define og_vec_deinit(v) (og_free((v)->items), (v)->items = NULL, (v)->len = (v)->cap = 0)
#define og_vec_last(v) ((v)->items[(v)->len - 1])

#endif
