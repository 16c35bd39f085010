#include "columnar/array.h"

#include "base/arena.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

typedef struct type_info {
    const char *name;
    uint8_t width; /* bytes of one value; 0 when values have no fixed number of whole bytes */
} type_info;

static const type_info infos[] = {
    [OG_TYPE_NULL] = {"null", 0},
    [OG_TYPE_BOOL] = {"bool", 0},
    [OG_TYPE_I8] = {"int8", 1},
    [OG_TYPE_U8] = {"uint8", 1},
    [OG_TYPE_I16] = {"int16", 2},
    [OG_TYPE_U16] = {"uint16", 2},
    [OG_TYPE_I32] = {"int32", 4},
    [OG_TYPE_U32] = {"uint32", 4},
    [OG_TYPE_I64] = {"int64", 8},
    [OG_TYPE_U64] = {"uint64", 8},
    [OG_TYPE_F16] = {"float16", 2},
    [OG_TYPE_F32] = {"float32", 4},
    [OG_TYPE_F64] = {"float64", 8},
    [OG_TYPE_DATE32] = {"date32", 4},
    [OG_TYPE_DATE64] = {"date64", 8},
    [OG_TYPE_TIMESTAMP_US] = {"timestamp_us", 8},
    [OG_TYPE_UTF8] = {"utf8", 0},
    [OG_TYPE_BINARY] = {"binary", 0},
    [OG_TYPE_LARGE_UTF8] = {"large_utf8", 0},
    [OG_TYPE_LARGE_BINARY] = {"large_binary", 0},
    [OG_TYPE_FIXED_SIZE_LIST] = {"fixed_size_list", 0},
    [OG_TYPE_LIST] = {"list", 0},
    [OG_TYPE_LARGE_LIST] = {"large_list", 0},
    [OG_TYPE_STRUCT] = {"struct", 0},
};

static const og_type plain_types[] = {
    [OG_TYPE_NULL] = {OG_TYPE_NULL},
    [OG_TYPE_BOOL] = {OG_TYPE_BOOL},
    [OG_TYPE_I8] = {OG_TYPE_I8},
    [OG_TYPE_U8] = {OG_TYPE_U8},
    [OG_TYPE_I16] = {OG_TYPE_I16},
    [OG_TYPE_U16] = {OG_TYPE_U16},
    [OG_TYPE_I32] = {OG_TYPE_I32},
    [OG_TYPE_U32] = {OG_TYPE_U32},
    [OG_TYPE_I64] = {OG_TYPE_I64},
    [OG_TYPE_U64] = {OG_TYPE_U64},
    [OG_TYPE_F16] = {OG_TYPE_F16},
    [OG_TYPE_F32] = {OG_TYPE_F32},
    [OG_TYPE_F64] = {OG_TYPE_F64},
    [OG_TYPE_DATE32] = {OG_TYPE_DATE32},
    [OG_TYPE_DATE64] = {OG_TYPE_DATE64},
    [OG_TYPE_TIMESTAMP_US] = {OG_TYPE_TIMESTAMP_US},
    [OG_TYPE_UTF8] = {OG_TYPE_UTF8},
    [OG_TYPE_BINARY] = {OG_TYPE_BINARY},
    [OG_TYPE_LARGE_UTF8] = {OG_TYPE_LARGE_UTF8},
    [OG_TYPE_LARGE_BINARY] = {OG_TYPE_LARGE_BINARY},
};

const og_type *og_type_of(og_type_id id)
{
    assert(id <= OG_TYPE_LARGE_BINARY);
    return &plain_types[id];
}

size_t og_type_width(og_type_id id)
{
    return infos[id].width;
}

bool og_type_eq(const og_type *a, const og_type *b)
{
    if (a == b)
        return true;
    if (a->id != b->id || a->child_count != b->child_count)
        return false;
    if (a->id == OG_TYPE_FIXED_SIZE_LIST && a->list_size != b->list_size)
        return false;
    for (uint32_t i = 0; i < a->child_count; i++) {
        const og_field *x = &a->children[i], *y = &b->children[i];
        if (a->id == OG_TYPE_STRUCT && !og_str_eq(x->name, y->name))
            return false;
        if (!og_type_eq(x->type, y->type))
            return false;
    }
    return true;
}

/* Text that stops growing at its end instead of failing: it is only for people. */
typedef struct cut_text {
    char *dst;
    size_t cap, len;
} cut_text;

static void cut_put(cut_text *t, og_str s)
{
    size_t room = t->cap - 1 - t->len;
    size_t n = s.len < room ? s.len : room;
    memcpy(t->dst + t->len, s.ptr, n);
    t->len += n;
    t->dst[t->len] = '\0';
}

static void put_type(cut_text *t, const og_type *type)
{
    cut_put(t, og_str_of(infos[type->id].name));
    if (type->child_count == 0 && type->id != OG_TYPE_STRUCT)
        return;
    cut_put(t, OG_STR("<"));
    for (uint32_t i = 0; i < type->child_count; i++) {
        if (i > 0)
            cut_put(t, OG_STR(", "));
        if (type->id == OG_TYPE_STRUCT) {
            cut_put(t, type->children[i].name);
            cut_put(t, OG_STR(": "));
        }
        put_type(t, type->children[i].type);
    }
    if (type->id == OG_TYPE_FIXED_SIZE_LIST) {
        char size[16];
        snprintf(size, sizeof size, ", %" PRId32, type->list_size);
        cut_put(t, og_str_of(size));
    }
    cut_put(t, OG_STR(">"));
}

void og_type_name(const og_type *type, char *dst, size_t cap)
{
    if (cap == 0)
        return;
    dst[0] = '\0';
    put_type(&(cut_text){.dst = dst, .cap = cap}, type);
}

/* ---- schemas ------------------------------------------------------------------------------ */

static og_field *copy_fields(og_arena *arena, const og_field *fields, uint32_t count);

static const og_type *copy_type(og_arena *arena, const og_type *type)
{
    if (type->id <= OG_TYPE_LARGE_BINARY)
        return og_type_of(type->id);
    og_type *copy = og_arena_copy(arena, type, sizeof *type);
    if (copy == NULL)
        return NULL;
    copy->children = copy_fields(arena, type->children, type->child_count);
    return copy->children != NULL ? copy : NULL;
}

static og_field *copy_fields(og_arena *arena, const og_field *fields, uint32_t count)
{
    og_field *copy = og_arena_array_of(arena, og_field, count);
    if (copy == NULL)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        copy[i].nullable = fields[i].nullable;
        copy[i].name = og_arena_str(arena, fields[i].name);
        copy[i].type = copy_type(arena, fields[i].type);
        if (copy[i].name.ptr == NULL || copy[i].type == NULL)
            return NULL;
    }
    return copy;
}

og_schema *og_schema_new(const og_field *fields, uint32_t field_count)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    if (arena == NULL)
        return NULL;
    og_field *copy = copy_fields(arena, fields, field_count);
    og_schema *schema = copy != NULL ? og_malloc(sizeof *schema) : NULL;
    if (schema == NULL)
        return NULL;
    *schema =
        (og_schema){.fields = copy, .field_count = field_count, .refs = 1, .arena = OG_TAKE(arena)};
    return schema;
}

og_schema *og_schema_ref(og_schema *schema)
{
    __atomic_fetch_add(&schema->refs, 1, __ATOMIC_RELAXED);
    return schema;
}

void og_schema_unref(og_schema *schema)
{
    if (schema == NULL || __atomic_sub_fetch(&schema->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    og_arena_free(schema->arena);
    og_free(schema);
}

int32_t og_schema_find(const og_schema *schema, og_str name)
{
    for (uint32_t i = 0; i < schema->field_count; i++) {
        if (og_str_eq(schema->fields[i].name, name))
            return (int32_t)i;
    }
    return -1;
}
