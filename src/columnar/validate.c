#include "columnar/array.h"

#include "columnar/layout_priv.h"

#include <inttypes.h>

static og_status check_validity(const og_array *a, og_error *err)
{
    if (a->length < 0 || a->null_count < 0 || a->null_count > a->length)
        return og_error_set(err, OG_CORRUPT, "column has %" PRId64 " nulls in %" PRId64 " rows",
                            a->null_count, a->length);
    if (a->type->id == OG_TYPE_NULL && a->null_count != a->length)
        return og_error_set(err, OG_CORRUPT, "column of type null has values");
    if ((a->validity == NULL) != (a->null_count == 0))
        return og_error_set(err, OG_CORRUPT, "column with %" PRId64 " nulls has %s validity bitmap",
                            a->null_count, a->validity == NULL ? "no" : "a");
    if (a->validity == NULL)
        return OG_OK;
    int64_t valid = (int64_t)og_bitmap_count(a->validity, (size_t)a->length);
    if (a->length - valid != a->null_count)
        return og_error_set(err, OG_CORRUPT,
                            "column says %" PRId64 " nulls, its bitmap has %" PRId64, a->null_count,
                            a->length - valid);
    return OG_OK;
}

static og_status check_offsets(const og_array *a, og_error *err)
{
    if (a->offsets == NULL)
        return og_error_set(err, OG_CORRUPT, "column has no offsets");
    if (og_columnar__offset(a, 0) != 0)
        return og_error_set(err, OG_CORRUPT, "offsets start at %" PRId64 " instead of 0",
                            og_columnar__offset(a, 0));
    for (int64_t i = 0; i < a->length; i++) {
        if (og_columnar__offset(a, i + 1) < og_columnar__offset(a, i))
            return og_error_set(err, OG_CORRUPT, "offsets fall at row %" PRId64, i);
    }
    return OG_OK;
}

static bool at_boundaries(const og_array *a)
{
    const uint8_t *bytes = a->data;
    int64_t total = og_columnar__offset(a, a->length);
    for (int64_t i = 0; i < a->length; i++) {
        int64_t at = og_columnar__offset(a, i);
        if (at < total && (bytes[at] & 0xC0) == 0x80)
            return false;
    }
    return true;
}

static og_status check_utf8(const og_array *a, og_error *err)
{
    /* One pass over all bytes is much faster than one call a row; garbage under a null is allowed
     * though, so what fails as a whole is looked at row by row. */
    og_str all = {a->data, (size_t)og_columnar__offset(a, a->length)};
    if (og_utf8_valid(all, NULL) && at_boundaries(a))
        return OG_OK;
    for (int64_t i = 0; i < a->length; i++) {
        size_t bad;
        if (!og_array_is_null(a, i) && !og_utf8_valid(og_array_str(a, i), &bad))
            return og_error_set(err, OG_CORRUPT, "text of row %" PRId64 " is not UTF-8 at byte %zu",
                                i, bad);
    }
    return OG_OK;
}

static og_status check_children(const og_array *a, bool deep, og_error *err)
{
    if (a->child_count != a->type->child_count)
        return og_error_set(err, OG_CORRUPT, "column has %u children, its type %u", a->child_count,
                            a->type->child_count);
    for (uint32_t i = 0; i < a->child_count; i++) {
        const og_array *child = a->children[i];
        if (child == NULL || !og_type_eq(child->type, a->type->children[i].type))
            return og_error_set(err, OG_CORRUPT, "child %u is not of its field's type", i);
        int64_t want = a->length;
        if (a->type->id == OG_TYPE_FIXED_SIZE_LIST) {
            if (a->type->list_size < 0 ||
                og_mul_overflow(a->length, (int64_t)a->type->list_size, &want))
                return og_error_set(err, OG_CORRUPT, "fixed-size list of %" PRId32 " items",
                                    a->type->list_size);
        } else if (og_columnar__is_list(a->type->id)) {
            want = og_columnar__offset(a, a->length);
        }
        if (child->length != want)
            return og_error_set(err, OG_CORRUPT,
                                "child %u has %" PRId64 " rows instead of %" PRId64, i,
                                child->length, want);
        OG_TRY(og_array_validate(child, deep, err));
    }
    return OG_OK;
}

og_status og_array_validate(const og_array *array, bool deep, og_error *err)
{
    og_type_id id = array->type->id;
    OG_TRY(check_validity(array, err));
    if (og_columnar__offset_width(id) > 0)
        OG_TRY(check_offsets(array, err));
    if (!og_columnar__is_nested(id) && id != OG_TYPE_NULL && array->data == NULL)
        return og_error_set(err, OG_CORRUPT, "column has no data");
    if (deep && og_columnar__is_utf8(id))
        OG_TRY(check_utf8(array, err));
    return check_children(array, deep, err);
}
