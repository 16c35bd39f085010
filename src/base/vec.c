#include "base/vec.h"

#define MIN_CAP ((size_t)8)

bool og_vec_grow_(void **items, size_t *cap, size_t need, size_t item_size)
{
    /* Called only for need > cap; anything else is a sum that wrapped around. */
    if (need <= *cap)
        return false;
    size_t new_cap = *cap <= SIZE_MAX / 2 ? *cap * 2 : SIZE_MAX;
    if (new_cap < MIN_CAP)
        new_cap = MIN_CAP;
    if (new_cap < need)
        new_cap = need;
    void *grown = og_reallocarray(*items, new_cap, item_size);
    if (grown == NULL)
        return false;
    *items = grown;
    *cap = new_cap;
    return true;
}
