/* Schemas as text: the names of types that messages and `inspect` use. */
#include "base/number.h"
#include "base/vec.h"
#include "lancetool/change.h"

#include <ctype.h>

#define MAX_DEPTH 16

typedef struct parser {
    og_arena *arena;
    const char *text, *at;
} parser;

static og_status wrong(const parser *p, const char *expected, og_error *err)
{
    return og_error_set(err, OG_INVALID, "schema '%s', character %zu: expected %s", p->text,
                        (size_t)(p->at - p->text) + 1, expected);
}

static bool take(parser *p, char c)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

static og_str take_word(parser *p)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
    const char *start = p->at;
    while (*p->at != '\0' && strchr(",:<>! \t\n", *p->at) == NULL)
        p->at++;
    return (og_str){start, (size_t)(p->at - start)};
}

/* A word, or what stands between double quotes. */
static og_str take_name(parser *p)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
    const char *end = *p->at == '"' ? strchr(p->at + 1, '"') : NULL;
    if (end == NULL)
        return take_word(p);
    og_str name = {p->at + 1, (size_t)(end - p->at - 1)};
    p->at = end + 1;
    return name;
}

static og_type_id plain_type(og_str name)
{
    for (og_type_id id = OG_TYPE_BOOL; id <= OG_TYPE_LARGE_BINARY; id++) {
        char text[64];
        og_type_name(og_type_of(id), text, sizeof text);
        if (og_str_is(name, text))
            return id;
    }
    return OG_TYPE_NULL;
}

static og_status parse_field(parser *p, unsigned depth, og_field *out, bool *out_blob,
                             og_error *err);
static og_status parse_type(parser *p, unsigned depth, const og_type **out, og_error *err);

static og_status parse_list(parser *p, unsigned depth, og_type *type, og_error *err)
{
    og_field *item = og_arena_new_of(p->arena, og_field);
    if (item == NULL)
        return og_error_nomem(err);
    *item = (og_field){OG_STR("item"), NULL, true};
    type->children = item;
    type->child_count = 1;
    if (!take(p, '<'))
        return wrong(p, "'<'", err);
    OG_TRY(parse_type(p, depth + 1, &item->type, err));
    uint64_t size = 0;
    if (type->id == OG_TYPE_FIXED_SIZE_LIST &&
        (!take(p, ',') || !og_parse_u64(take_word(p), &size) || size == 0 || size > INT32_MAX))
        return wrong(p, "the number of items", err);
    type->list_size = (int32_t)size;
    return take(p, '>') ? OG_OK : wrong(p, "'>'", err);
}

static og_status parse_struct(parser *p, unsigned depth, og_type *type, og_error *err)
{
    OG_VEC(og_field) fields = {0};
    og_status s = take(p, '<') ? OG_OK : wrong(p, "'<'", err);
    do {
        og_field field;
        bool blob;
        if (s == OG_OK)
            s = parse_field(p, depth + 1, &field, &blob, err);
        if (s == OG_OK && blob)
            s = wrong(p, "a type that is no blob", err);
        if (s == OG_OK && !og_vec_push(&fields, field))
            s = og_error_nomem(err);
    } while (s == OG_OK && take(p, ','));
    if (s == OG_OK && !take(p, '>'))
        s = wrong(p, "',' or '>'", err);
    if (s == OG_OK) {
        type->child_count = (uint32_t)fields.len;
        type->children = og_arena_copy(p->arena, fields.items, fields.len * sizeof *fields.items);
        s = type->children != NULL ? OG_OK : og_error_nomem(err);
    }
    og_vec_deinit(&fields);
    return s;
}

static og_status parse_type(parser *p, unsigned depth, const og_type **out, og_error *err)
{
    og_str name = take_word(p);
    og_type_id plain = plain_type(name);
    if (plain != OG_TYPE_NULL) {
        *out = og_type_of(plain);
        return OG_OK;
    }
    og_type *type = og_arena_new_of(p->arena, og_type);
    if (type == NULL)
        return og_error_nomem(err);
    *out = type;
    *type = (og_type){0};
    type->id = og_str_is(name, "list")              ? OG_TYPE_LIST
               : og_str_is(name, "large_list")      ? OG_TYPE_LARGE_LIST
               : og_str_is(name, "fixed_size_list") ? OG_TYPE_FIXED_SIZE_LIST
               : og_str_is(name, "struct")          ? OG_TYPE_STRUCT
                                                    : OG_TYPE_NULL;
    if (type->id == OG_TYPE_NULL || depth >= MAX_DEPTH) {
        p->at = name.ptr;
        return wrong(p, "a type (int64, utf8, list<...>, ...)", err);
    }
    return type->id == OG_TYPE_STRUCT ? parse_struct(p, depth, type, err)
                                      : parse_list(p, depth, type, err);
}

static const og_type *blob_type(void)
{
    static const og_type data = {.id = OG_TYPE_LARGE_BINARY}, uri = {.id = OG_TYPE_UTF8};
    static const og_field children[] = {{{"data", 4}, &data, true}, {{"uri", 3}, &uri, true}};
    static const og_type type = {.id = OG_TYPE_STRUCT, .child_count = 2, .children = children};
    return &type;
}

static og_status parse_field(parser *p, unsigned depth, og_field *out, bool *out_blob,
                             og_error *err)
{
    og_str name = take_name(p);
    if (name.len == 0)
        return wrong(p, "a name", err);
    if (!take(p, ':'))
        return wrong(p, "':' and a type", err);
    const char *before = p->at;
    *out_blob = og_str_is(take_word(p), "blob");
    *out = (og_field){.name = name, .type = blob_type()};
    if (!*out_blob) {
        p->at = before;
        OG_TRY(parse_type(p, depth, &out->type, err));
    }
    out->nullable = !take(p, '!');
    return OG_OK;
}

og_status tool_schema(const tool_call *call, const char *text, og_lance_new_field **out,
                      uint32_t *out_count, og_error *err)
{
    parser p = {call->arena, text, text};
    OG_VEC(og_lance_new_field) fields = {0};
    og_status s = OG_OK;
    do {
        og_lance_new_field field = {0};
        s = parse_field(&p, 0, &field.field, &field.is_blob, err);
        if (s == OG_OK && !og_vec_push(&fields, field))
            s = og_error_nomem(err);
    } while (s == OG_OK && take(&p, ','));
    if (s == OG_OK && !take(&p, '\0'))
        s = wrong(&p, "',' or the end", err);
    if (s == OG_OK) {
        *out_count = (uint32_t)fields.len;
        *out = og_arena_copy(call->arena, fields.items, fields.len * sizeof *fields.items);
        s = *out != NULL ? OG_OK : og_error_nomem(err);
    }
    og_vec_deinit(&fields);
    return s;
}
