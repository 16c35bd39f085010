#include "lang/types.h"

static const char *const scalar_names[] = {
    [OG_SCALAR_STRING] = "String", [OG_SCALAR_BOOL] = "Bool",         [OG_SCALAR_I32] = "I32",
    [OG_SCALAR_I64] = "I64",       [OG_SCALAR_U32] = "U32",           [OG_SCALAR_U64] = "U64",
    [OG_SCALAR_F32] = "F32",       [OG_SCALAR_F64] = "F64",           [OG_SCALAR_DATE] = "Date",
    [OG_SCALAR_VECTOR] = "Vector", [OG_SCALAR_DATETIME] = "DateTime", [OG_SCALAR_BLOB] = "Blob",
};

bool og_scalar_parse(og_str name, og_scalar *out)
{
    for (int scalar = OG_SCALAR_STRING; scalar <= OG_SCALAR_BLOB; scalar++) {
        if (scalar != OG_SCALAR_VECTOR && og_str_is(name, scalar_names[scalar])) {
            *out = (og_scalar)scalar;
            return true;
        }
    }
    return false;
}

og_str og_scalar_name(og_arena *arena, og_scalar scalar, uint32_t dim)
{
    if (scalar == OG_SCALAR_VECTOR)
        return og_arena_printf(arena, "Vector(%u)", dim);
    return og_str_of(scalar_names[scalar]);
}

bool og_scalar_is_numeric(og_scalar scalar)
{
    return scalar >= OG_SCALAR_I32 && scalar <= OG_SCALAR_F64;
}

static og_str enum_name(og_arena *arena, const og_prop_type *type)
{
    size_t len = strlen("enum()");
    for (uint32_t i = 0; i < type->enum_count; i++)
        len += type->enum_values[i].len + (i > 0 ? 2 : 0);
    char *dst = og_arena_alloc(arena, len + 1);
    if (dst == NULL)
        return (og_str){NULL, 0};
    char *end = mempcpy(dst, "enum(", 5);
    for (uint32_t i = 0; i < type->enum_count; i++) {
        if (i > 0)
            end = mempcpy(end, ", ", 2);
        end = mempcpy(end, type->enum_values[i].ptr, type->enum_values[i].len);
    }
    memcpy(end, ")", 2);
    return (og_str){dst, len};
}

og_str og_prop_type_name(og_arena *arena, const og_prop_type *type)
{
    og_str base =
        type->is_enum ? enum_name(arena, type) : og_scalar_name(arena, type->scalar, type->dim);
    if (base.ptr == NULL || (!type->list && !type->nullable))
        return base;
    return og_arena_printf(arena, "%s%.*s%s%s", type->list ? "[" : "", OG_FMT(base),
                           type->list ? "]" : "", type->nullable ? "?" : "");
}

bool og_prop_type_eq(const og_prop_type *a, const og_prop_type *b)
{
    if (a->scalar != b->scalar || a->nullable != b->nullable || a->list != b->list ||
        a->is_enum != b->is_enum)
        return false;
    if (a->scalar == OG_SCALAR_VECTOR && a->dim != b->dim)
        return false;
    if (!a->is_enum)
        return true;
    if (a->enum_count != b->enum_count)
        return false;
    for (uint32_t i = 0; i < a->enum_count; i++)
        if (!og_str_eq(a->enum_values[i], b->enum_values[i]))
            return false;
    return true;
}

bool og_prop_type_has_value(const og_prop_type *type, og_str value)
{
    uint32_t low = 0, high = type->enum_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = og_str_cmp(type->enum_values[middle], value);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* ---- columns on disk ---------------------------------------------------------------------- */

static const og_type *blob_type(void)
{
    static const og_type data = {.id = OG_TYPE_LARGE_BINARY};
    static const og_type uri = {.id = OG_TYPE_UTF8};
    static const og_field fields[] = {
        {{"data", 4}, &data, true},
        {{"uri", 3}, &uri, true},
    };
    static const og_type type = {.id = OG_TYPE_STRUCT, .child_count = 2, .children = fields};
    return &type;
}

static og_type_id type_id_of(og_scalar scalar)
{
    static const og_type_id ids[] = {
        [OG_SCALAR_STRING] = OG_TYPE_UTF8,
        [OG_SCALAR_BOOL] = OG_TYPE_BOOL,
        [OG_SCALAR_I32] = OG_TYPE_I32,
        [OG_SCALAR_I64] = OG_TYPE_I64,
        [OG_SCALAR_U32] = OG_TYPE_U32,
        [OG_SCALAR_U64] = OG_TYPE_U64,
        [OG_SCALAR_F32] = OG_TYPE_F32,
        [OG_SCALAR_F64] = OG_TYPE_F64,
        [OG_SCALAR_DATE] = OG_TYPE_DATE32,
        [OG_SCALAR_DATETIME] = OG_TYPE_DATE64,
        [OG_SCALAR_VECTOR] = OG_TYPE_FIXED_SIZE_LIST,
        [OG_SCALAR_BLOB] = OG_TYPE_STRUCT,
    };
    return ids[scalar];
}

static const og_type *list_of(og_arena *arena, og_type_id id, int32_t list_size,
                              const og_type *item)
{
    og_type *type = og_arena_new_of(arena, og_type);
    og_field *child = og_arena_new_of(arena, og_field);
    if (type == NULL || child == NULL || item == NULL)
        return NULL;
    *child = (og_field){OG_STR("item"), item, true};
    *type = (og_type){id, list_size, 1, child};
    return type;
}

const og_type *og_prop_type_to_arrow(og_arena *arena, const og_prop_type *type)
{
    const og_type *scalar;
    if (type->scalar == OG_SCALAR_BLOB)
        scalar = blob_type();
    else if (type->scalar == OG_SCALAR_VECTOR)
        scalar =
            list_of(arena, OG_TYPE_FIXED_SIZE_LIST, (int32_t)type->dim, og_type_of(OG_TYPE_F32));
    else
        scalar = og_type_of(type_id_of(type->scalar));
    return type->list ? list_of(arena, OG_TYPE_LIST, 0, scalar) : scalar;
}

/* ---- operators ---------------------------------------------------------------------------- */

const char *og_cmp_op_text(og_cmp_op op)
{
    static const char *const texts[] = {
        [OG_CMP_EQ] = "=",
        [OG_CMP_NE] = "!=",
        [OG_CMP_GT] = ">",
        [OG_CMP_LT] = "<",
        [OG_CMP_GE] = ">=",
        [OG_CMP_LE] = "<=",
        [OG_CMP_CONTAINS] = "contains",
        [OG_CMP_STARTS_WITH] = "starts_with",
    };
    return texts[op];
}

const char *og_agg_name(og_agg agg)
{
    static const char *const names[] = {
        [OG_AGG_COUNT] = "count", [OG_AGG_SUM] = "sum", [OG_AGG_AVG] = "avg",
        [OG_AGG_MIN] = "min",     [OG_AGG_MAX] = "max",
    };
    return names[agg];
}
