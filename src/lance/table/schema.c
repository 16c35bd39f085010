#include "lance/table/schema_priv.h"

#include "base/map.h"
#include "base/number.h"
#include "base/vec.h"
#include "lance/table/table_priv.h"

#include <inttypes.h>

#define MAX_DEPTH 16 /* of nested types */
#define FIXED_LIST "fixed_size_list:"

/* Logical types without parameters. Types that share a physical form with one of ours are read as
 * that: their values are kept as stored. */
static const struct plain_type {
    const char *name;
    og_type_id id;
} plain_types[] = {
    {"bool", OG_TYPE_BOOL},
    {"int8", OG_TYPE_I8},
    {"uint8", OG_TYPE_U8},
    {"int16", OG_TYPE_I16},
    {"uint16", OG_TYPE_U16},
    {"int32", OG_TYPE_I32},
    {"uint32", OG_TYPE_U32},
    {"int64", OG_TYPE_I64},
    {"uint64", OG_TYPE_U64},
    {"halffloat", OG_TYPE_F16},
    {"float", OG_TYPE_F32},
    {"double", OG_TYPE_F64},
    {"date32:day", OG_TYPE_DATE32},
    {"date64:ms", OG_TYPE_DATE64},
    {"timestamp:us:-", OG_TYPE_TIMESTAMP_US},
    {"string", OG_TYPE_UTF8},
    {"large_string", OG_TYPE_LARGE_UTF8},
    {"binary", OG_TYPE_BINARY},
    {"large_binary", OG_TYPE_LARGE_BINARY},
    {"json", OG_TYPE_LARGE_BINARY}, /* JSONB */
    {"time32:s", OG_TYPE_I32},
    {"time32:ms", OG_TYPE_I32},
    {"time64:us", OG_TYPE_I64},
    {"time64:ns", OG_TYPE_I64},
};
#define PLAIN_COUNT (sizeof plain_types / sizeof plain_types[0])

static og_type_id plain_type_of(og_str name)
{
    for (size_t i = 0; i < PLAIN_COUNT; i++)
        if (og_str_is(name, plain_types[i].name))
            return plain_types[i].id;
    if (og_str_starts(name, OG_STR("timestamp:")) || og_str_starts(name, OG_STR("duration:")))
        return OG_TYPE_I64;
    return OG_TYPE_NULL;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* The list of field messages as a tree by index; 0 = none, others are index + 1. */
typedef struct tree {
    og_lance_env *env;
    og_arena *arena;
    OgPb__Field *const *messages;
    uint32_t *first_child, *next_sibling, *last_child;
    uint32_t first_root;
    /* Of the top-level field being built: */
    OG_VEC(int32_t) leaves;
    OG_VEC(og_str) value_types;
    uint32_t type_count;
    uint64_t packed;
} tree;

static og_status link_tree(tree *t, size_t count, og_error *err)
{
    OG_AUTO(og_u64map) index_of_id = og_u64map_new(count);
    if (index_of_id == NULL)
        return og_error_nomem(err);
    uint32_t last_root = 0;
    for (uint32_t i = 0; i < count; i++) {
        const OgPb__Field *field = t->messages[i];
        uint32_t *place;
        if (field->parent_id < 0) {
            place = last_root != 0 ? &t->next_sibling[last_root - 1] : &t->first_root;
            last_root = i + 1;
        } else {
            /* Parents come first, so there are no cycles. */
            uint64_t *found = og_u64map_get(index_of_id, (uint32_t)field->parent_id);
            if (found == NULL)
                return og_error_set(err, OG_CORRUPT, "field %d comes before its parent %d",
                                    field->id, field->parent_id);
            uint32_t *last = &t->last_child[*found];
            place = *last != 0 ? &t->next_sibling[*last - 1] : &t->first_child[*found];
            *last = i + 1;
        }
        *place = i + 1;
        bool is_new;
        uint64_t *slot = og_u64map_put(index_of_id, (uint32_t)field->id, &is_new);
        if (slot == NULL)
            return og_error_nomem(err);
        if (!is_new || field->id < 0)
            return og_error_set(err, OG_CORRUPT, "field id %d is used twice", field->id);
        *slot = i;
    }
    return OG_OK;
}

static bool has_metadata(const OgPb__Field *field, og_str key, og_str value)
{
    return og_str_eq(og_table__pairs_get(field->metadata, field->n_metadata, key), value);
}

static bool is_blob(const OgPb__Field *field)
{
    return has_metadata(field, OG_STR(OG_TABLE__EXTENSION_KEY), OG_STR(OG_TABLE__BLOB_EXTENSION)) ||
           og_str_is(og_table__text(field->extension_name), OG_TABLE__BLOB_EXTENSION);
}

/* Stored as one column by the writer's wish. (A struct without fields is always, for its nulls.) */
static bool is_packed(const OgPb__Field *field)
{
    return has_metadata(field, OG_STR("lance-encoding:packed"), OG_STR("true")) ||
           has_metadata(field, OG_STR("packed"), OG_STR("true"));
}

static og_status unknown_type(const OgPb__Field *field, og_error *err)
{
    return og_error_set(err, OG_UNSUPPORTED, "field '%.*s' has type '%.*s'",
                        OG_FMT(og_table__text(field->name)),
                        OG_FMT(og_table__text(field->logical_type)));
}

/* The part behind the last ':' of `text` as a number; *text loses it. 0 = there is none. */
static uint32_t last_number(og_str *text)
{
    size_t colon = text->len;
    while (colon > 0 && text->ptr[colon - 1] != ':')
        colon--;
    uint64_t number = 0;
    if (colon == 0 || !og_parse_u64(og_str_slice(*text, colon, text->len), &number) ||
        number > INT32_MAX)
        return 0;
    text->len = colon - 1;
    return (uint32_t)number;
}

/* A list of `size` items that have no field of their own. */
static og_status fixed_list_of(const tree *t, const og_type *item, uint32_t size, og_type *out,
                               og_error *err)
{
    og_field *child = og_arena_new_of(t->arena, og_field);
    if (child == NULL)
        return og_error_nomem(err);
    *child = (og_field){OG_STR("item"), item, true};
    *out = (og_type){OG_TYPE_FIXED_SIZE_LIST, (int32_t)size, 1, child};
    return OG_OK;
}

/* Bytes of decimal:{bits}:{precision}:{scale} and fixed_size_binary:{bytes}; 0 for other types. */
static uint32_t opaque_bytes(og_str name)
{
    if (og_str_starts(name, OG_STR("decimal:128:")))
        return 16;
    if (og_str_starts(name, OG_STR("decimal:256:")))
        return 32;
    return og_str_starts(name, OG_STR("fixed_size_binary:")) ? last_number(&name) : 0;
}

/* The value type of dict:{value}:{index}:{ordered}: a page may have a
 * dictionary, arrays have not. */
static og_str value_of_dictionary(og_str name)
{
    og_str value = og_str_slice(name, strlen("dict:"), name.len);
    for (int part = 0; part < 2; part++) {
        while (value.len > 0 && value.ptr[value.len - 1] != ':')
            value.len--;
        value.len -= value.len > 0;
    }
    return value;
}

/* A type that has no fields below it; id NULL when it is none of those. */
static og_status value_type(const tree *t, og_str name, unsigned depth, og_type *out, og_error *err)
{
    if (og_str_starts(name, OG_STR("dict:")))
        name = value_of_dictionary(name);
    *out = (og_type){.id = plain_type_of(name)};
    if (out->id != OG_TYPE_NULL)
        return OG_OK;
    uint32_t bytes = opaque_bytes(name);
    if (bytes != 0)
        return fixed_list_of(t, og_type_of(OG_TYPE_U8), bytes, out, err);
    if (!og_str_starts(name, OG_STR(FIXED_LIST)) || depth >= MAX_DEPTH)
        return OG_OK;
    og_str item_name = og_str_slice(name, strlen(FIXED_LIST), name.len);
    uint32_t size = last_number(&item_name);
    og_type item;
    OG_TRY(value_type(t, item_name, depth + 1, &item, err));
    if (size == 0 || item.id == OG_TYPE_NULL)
        return OG_OK;
    const og_type *interned = og_table__intern_type(t->env, &item);
    return interned != NULL ? fixed_list_of(t, interned, size, out, err) : og_error_nomem(err);
}

static og_status build_field(tree *t, uint32_t index, unsigned depth, bool inside, og_field *out,
                             og_error *err);

static og_status build_children(tree *t, uint32_t index, unsigned depth, bool inside, og_type *type,
                                og_error *err)
{
    uint32_t count = 0;
    for (uint32_t i = t->first_child[index]; i != 0; i = t->next_sibling[i - 1])
        count++;
    og_field *children = og_arena_array_of(t->arena, og_field, (size_t)count + 1);
    if (children == NULL)
        return og_error_nomem(err);
    type->children = children;
    type->child_count = count;
    for (uint32_t i = t->first_child[index]; i != 0; i = t->next_sibling[i - 1])
        OG_TRY(build_field(t, i - 1, depth + 1, inside, children++, err));
    return OG_OK;
}

static og_status build_type(tree *t, uint32_t index, unsigned depth, bool inside, og_type *out,
                            og_error *err)
{
    const OgPb__Field *field = t->messages[index];
    og_str logical = og_table__text(field->logical_type);
    OG_TRY(value_type(t, logical, 0, out, err));
    if (out->id != OG_TYPE_NULL || og_str_is(logical, "null"))
        return og_vec_push(&t->value_types, logical) ? OG_OK : og_error_nomem(err);
    if (og_str_is(logical, "list") || og_str_is(logical, "list.struct") ||
        og_str_is(logical, "map"))
        out->id = OG_TYPE_LIST;
    else if (og_str_is(logical, "large_list") || og_str_is(logical, "large_list.struct"))
        out->id = OG_TYPE_LARGE_LIST;
    else if (og_str_is(logical, "struct"))
        out->id = OG_TYPE_STRUCT;
    else if (og_str_starts(logical, OG_STR(FIXED_LIST "struct:")))
        *out =
            (og_type){.id = OG_TYPE_FIXED_SIZE_LIST, .list_size = (int32_t)last_number(&logical)};
    else
        return unknown_type(field, err);
    if (depth >= MAX_DEPTH)
        return og_error_set(err, OG_UNSUPPORTED, "types nest deeper than %d", MAX_DEPTH);
    OG_TRY(build_children(t, index, depth, inside, out, err));
    bool is_list = out->id != OG_TYPE_STRUCT;
    if (is_list && out->child_count != 1)
        return og_error_set(err, OG_CORRUPT, "field '%.*s' has %u children",
                            OG_FMT(og_table__text(field->name)), out->child_count);
    if (out->id == OG_TYPE_FIXED_SIZE_LIST &&
        (out->list_size == 0 || out->children[0].type->id != OG_TYPE_STRUCT))
        return unknown_type(field, err);
    return OG_OK;
}

/* A field owns a file column when it is a leaf, or a struct that is one for all of its fields
 * (`inside` such a one). */
static og_status build_field(tree *t, uint32_t index, unsigned depth, bool inside, og_field *out,
                             og_error *err)
{
    const OgPb__Field *field = t->messages[index];
    uint32_t number = t->type_count++;
    bool is_struct = og_str_is(og_table__text(field->logical_type), "struct");
    bool packed = is_struct && !inside && (is_packed(field) || t->first_child[index] == 0);
    bool whole = packed || (is_struct && is_blob(field));
    if (packed && number >= 64)
        return og_error_set(err, OG_UNSUPPORTED, "field '%.*s' is packed, below 64 other types",
                            OG_FMT(og_table__text(field->name)));
    t->packed |= packed ? UINT64_C(1) << number : 0;
    og_type type;
    OG_TRY(build_type(t, index, depth, inside || whole, &type, err));
    bool is_leaf =
        (type.child_count == 0 && !is_struct) ||
        (type.id == OG_TYPE_FIXED_SIZE_LIST && type.children[0].type->id != OG_TYPE_STRUCT);
    for (const og_type *item = &type; is_leaf && item->child_count != 0;
         item = item->children[0].type)
        t->type_count++; /* the items of fixed-size lists are types, not fields */
    if (!inside && (is_leaf || whole) && !og_vec_push(&t->leaves, field->id))
        return og_error_nomem(err);
    out->name = og_table__text(field->name);
    out->nullable = field->nullable;
    out->type = og_table__intern_type(t->env, &type);
    return out->type != NULL ? OG_OK : og_error_nomem(err);
}

static og_status build_top(tree *t, uint32_t index, og_lance_field *out, og_error *err)
{
    const OgPb__Field *message = t->messages[index];
    t->leaves.len = t->value_types.len = 0;
    t->type_count = 0;
    t->packed = 0;
    OG_TRY(build_field(t, index, 0, false, &out->field, err));
    out->id = message->id;
    out->is_blob = out->field.type->id == OG_TYPE_STRUCT && is_blob(message);
    out->is_primary_key = message->unenforced_primary_key ||
                          has_metadata(message, OG_STR(OG_TABLE__PRIMARY_KEY), OG_STR("true"));
    out->leaf_count = (uint32_t)t->leaves.len;
    out->leaf_ids = og_arena_copy(t->arena, t->leaves.items, t->leaves.len * sizeof(int32_t));
    out->packed = t->packed;
    out->value_type_count = (uint32_t)t->value_types.len;
    out->value_types =
        og_arena_copy(t->arena, t->value_types.items, t->value_types.len * sizeof(og_str));
    return out->leaf_ids != NULL && out->value_types != NULL ? OG_OK : og_error_nomem(err);
}

og_status og_table__fields_decode(og_lance_env *env, og_arena *arena, OgPb__Field *const *messages,
                                  size_t count, og_lance_field **out, uint32_t *out_count,
                                  og_error *err)
{
    tree t = {.env = env, .arena = arena, .messages = messages};
    t.first_child = og_arena_array_of(arena, uint32_t, count + 1);
    t.next_sibling = og_arena_array_of(arena, uint32_t, count + 1);
    t.last_child = og_arena_array_of(arena, uint32_t, count + 1);
    og_lance_field *fields = og_arena_array_of(arena, og_lance_field, count + 1);
    if (t.first_child == NULL || t.next_sibling == NULL || t.last_child == NULL || fields == NULL)
        return og_error_nomem(err);
    og_status status = link_tree(&t, count, err);
    uint32_t n = 0;
    for (uint32_t i = t.first_root; status == OG_OK && i != 0; i = t.next_sibling[i - 1])
        status = build_top(&t, i - 1, &fields[n++], err);
    og_vec_deinit(&t.leaves);
    og_vec_deinit(&t.value_types);
    *out = fields;
    *out_count = n;
    return status;
}

/* ---- writing ------------------------------------------------------------------------------ */

typedef struct field_list {
    og_arena *arena;
    OG_VEC(OgPb__Field *) items;
} field_list;

static og_status logical_name(og_arena *arena, const og_type *type, og_str *out, og_error *err)
{
    *out = (og_str){NULL, 0};
    for (size_t i = 0; i < PLAIN_COUNT && out->ptr == NULL; i++)
        if (plain_types[i].id == type->id)
            *out = og_str_of(plain_types[i].name);
    if (out->ptr != NULL)
        return OG_OK;
    bool of_structs = type->child_count == 1 && type->children[0].type->id == OG_TYPE_STRUCT;
    if (type->id == OG_TYPE_LIST)
        *out = of_structs ? OG_STR("list.struct") : OG_STR("list");
    else if (type->id == OG_TYPE_LARGE_LIST)
        *out = of_structs ? OG_STR("large_list.struct") : OG_STR("large_list");
    else if (type->id == OG_TYPE_STRUCT)
        *out = OG_STR("struct");
    else if (type->id == OG_TYPE_FIXED_SIZE_LIST &&
             og_type_width(type->children[0].type->id) != 0) {
        og_str item;
        OG_TRY(logical_name(arena, type->children[0].type, &item, err));
        *out =
            og_arena_printf(arena, "fixed_size_list:%.*s:%" PRId32, OG_FMT(item), type->list_size);
        return out->ptr != NULL ? OG_OK : og_error_nomem(err);
    } else {
        char name[64];
        og_type_name(type, name, sizeof name);
        return og_error_set(err, OG_UNSUPPORTED, "a table can't hold type %s", name);
    }
    return OG_OK;
}

static og_status add_metadata(og_arena *arena, OgPb__Field *field, og_str key, og_str value,
                              og_error *err)
{
    OgPb__Pair *pair = OG_PB_NEW(arena, OgPb__Pair, og_pb__pair__init);
    OgPb__Pair **pairs = og_arena_array_of(arena, OgPb__Pair *, field->n_metadata + 1);
    if (pair == NULL || pairs == NULL)
        return og_error_nomem(err);
    OG_PB_SET(pair, key, og_table__binary_str(key));
    OG_PB_SET(pair, value, og_table__binary_str(value));
    for (size_t i = 0; i < field->n_metadata; i++)
        pairs[i] = field->metadata[i];
    pairs[field->n_metadata++] = pair;
    field->metadata = pairs;
    return OG_OK;
}

static og_status named_twice(og_str name, og_error *err)
{
    return og_error_set(err, OG_INVALID, "two columns are named '%.*s'", OG_FMT(name));
}

static og_status check_children(const og_type *type, og_error *err)
{
    for (uint32_t i = 0; type->id == OG_TYPE_STRUCT && i < type->child_count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (og_str_eq(type->children[i].name, type->children[k].name))
                return named_twice(type->children[i].name, err);
    return OG_OK;
}

static og_status add_field(field_list *list, const og_field *field, int32_t parent, unsigned depth,
                           OgPb__Field **out, og_error *err)
{
    if (depth >= MAX_DEPTH)
        return og_error_set(err, OG_UNSUPPORTED, "types nest deeper than %d", MAX_DEPTH);
    OgPb__Field *message = OG_PB_NEW(list->arena, OgPb__Field, og_pb__field__init);
    og_str logical;
    OG_TRY(logical_name(list->arena, field->type, &logical, err));
    OG_TRY(check_children(field->type, err));
    og_str name = og_arena_str(list->arena, field->name);
    int32_t id = (int32_t)list->items.len;
    if (message == NULL || name.ptr == NULL || !og_vec_push(&list->items, message))
        return og_error_nomem(err);
    OG_PB_SET(message, name, og_table__binary_str(name));
    if (id != 0)
        OG_PB_SET(message, id, id);
    OG_PB_SET(message, parent_id, parent);
    OG_PB_SET(message, logical_type, og_table__binary_str(logical));
    if (field->nullable)
        OG_PB_SET(message, nullable, 1);
    if (field->type->id != OG_TYPE_FIXED_SIZE_LIST)
        for (uint32_t i = 0; i < field->type->child_count; i++)
            OG_TRY(add_field(list, &field->type->children[i], id, depth + 1, &(OgPb__Field *){NULL},
                             err));
    *out = message;
    return OG_OK;
}

static og_status add_new_field(field_list *list, const og_lance_new_field *field, og_error *err)
{
    OgPb__Field *message;
    OG_TRY(add_field(list, &field->field, -1, 0, &message, err));
    if (field->is_blob) {
        OG_TRY(add_metadata(list->arena, message, OG_STR(OG_TABLE__EXTENSION_KEY),
                            OG_STR(OG_TABLE__BLOB_EXTENSION), err));
        OG_PB_SET(message, extension_name, og_table__binary_str(OG_STR(OG_TABLE__BLOB_EXTENSION)));
    }
    if (field->is_primary_key) {
        OG_TRY(
            add_metadata(list->arena, message, OG_STR(OG_TABLE__PRIMARY_KEY), OG_STR("true"), err));
        OG_PB_SET(message, unenforced_primary_key, 1);
    }
    return OG_OK;
}

og_status og_table__fields_encode(const og_lance_new_field *fields, uint32_t count, og_arena *arena,
                                  OgPb__Field ***out, size_t *out_count, og_error *err)
{
    field_list list = {.arena = arena};
    og_status status = OG_OK;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (og_str_eq(fields[i].field.name, fields[k].field.name))
                return named_twice(fields[i].field.name, err);
    for (uint32_t i = 0; status == OG_OK && i < count; i++)
        status = add_new_field(&list, &fields[i], err);
    if (status == OG_OK) {
        *out = og_arena_copy(arena, list.items.items, list.items.len * sizeof *list.items.items);
        *out_count = list.items.len;
        if (*out == NULL)
            status = og_error_nomem(err);
    }
    og_vec_deinit(&list.items);
    return status;
}

og_status og_table__column_name_check(og_str name, og_error *err)
{
    static const char *const own[] = {"_rowid", "_rowaddr", "_rowoffset", "_row_created_at_version",
                                      "_row_last_updated_at_version"};
    if (name.len == 0)
        return og_error_set(err, OG_INVALID, "a column needs a name");
    if (memchr(name.ptr, '.', name.len) != NULL)
        return og_error_set(err, OG_INVALID, "a column's name can't have a '.': '%.*s'",
                            OG_FMT(name));
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (og_str_is(name, own[i]))
            return og_error_set(err, OG_INVALID, "'%s' is a column that Lance makes itself",
                                own[i]);
    return OG_OK;
}
