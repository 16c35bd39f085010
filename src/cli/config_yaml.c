#include "cli/config_yaml.h"

#include <yaml.h>

#include "base/vec.h"

#define MAX_DEPTH 64

typedef struct anchor {
    og_str name;
    og_json value;
} anchor;

typedef struct loader {
    yaml_parser_t parser;
    og_arena *arena;
    OG_VEC(anchor) anchors;
    int depth;
} loader;

static og_status load_node(loader *l, const yaml_event_t *event, og_json *out, og_error *err);

static og_status next_event(loader *l, yaml_event_t *out, og_error *err)
{
    if (yaml_parser_parse(&l->parser, out) != 0)
        return OG_OK;
    if (l->parser.error == YAML_MEMORY_ERROR)
        return og_error_nomem(err);
    return og_error_set_at(err, OG_INVALID, (uint32_t)l->parser.problem_mark.line + 1,
                           (uint32_t)l->parser.problem_mark.column + 1, "%s",
                           l->parser.problem != NULL ? l->parser.problem : "not valid YAML");
}

static og_status fail_at(const yaml_event_t *event, const char *what, og_error *err)
{
    return og_error_set_at(err, OG_INVALID, (uint32_t)event->start_mark.line + 1,
                           (uint32_t)event->start_mark.column + 1, "%s", what);
}

static og_status load_scalar(loader *l, const yaml_event_t *event, og_json *out, og_error *err)
{
    og_str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (is_plain && (text.len == 0 || og_str_is(text, "~") || og_str_is(text, "null"))) {
        *out = (og_json){.kind = OG_JSON_NULL};
        return OG_OK;
    }
    *out = (og_json){.kind = OG_JSON_STRING, .text = og_arena_str(l->arena, text)};
    return out->text.ptr != NULL ? OG_OK : og_error_nomem(err);
}

typedef struct members {
    OG_VEC(og_str) keys;
    OG_VEC(og_json) items;
} members;

static og_status finish(loader *l, const members *m, og_json_kind kind, og_json *out, og_error *err)
{
    *out = (og_json){.kind = kind, .count = (uint32_t)m->items.len};
    out->items = og_arena_copy(l->arena, m->items.items, m->items.len * sizeof(og_json));
    out->keys = og_arena_copy(l->arena, m->keys.items, m->keys.len * sizeof(og_str));
    return out->items != NULL && out->keys != NULL ? OG_OK : og_error_nomem(err);
}

/* Children up to the end event of the collection. */
static og_status load_members(loader *l, bool is_mapping, members *m, og_error *err)
{
    for (;;) {
        yaml_event_t event;
        OG_TRY(next_event(l, &event, err));
        if (event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return OG_OK;
        }
        bool is_key = is_mapping && m->keys.len == m->items.len;
        og_json child;
        og_status s = load_node(l, &event, &child, err);
        if (s == OG_OK && is_key && child.kind != OG_JSON_STRING)
            s = fail_at(&event, "a key must be text", err);
        yaml_event_delete(&event);
        OG_TRY(s);
        if (!(is_key ? og_vec_push(&m->keys, child.text) : og_vec_push(&m->items, child)))
            return og_error_nomem(err);
    }
}

static og_status load_collection(loader *l, const yaml_event_t *event, og_json *out, og_error *err)
{
    bool is_mapping = event->type == YAML_MAPPING_START_EVENT;
    if (l->depth == MAX_DEPTH)
        return fail_at(event, "nested too deeply", err);
    members m = {0};
    l->depth++;
    og_status s = load_members(l, is_mapping, &m, err);
    l->depth--;
    if (s == OG_OK)
        s = finish(l, &m, is_mapping ? OG_JSON_OBJECT : OG_JSON_ARRAY, out, err);
    og_vec_deinit(&m.keys);
    og_vec_deinit(&m.items);
    return s;
}

static og_status load_alias(loader *l, const yaml_event_t *event, og_json *out, og_error *err)
{
    og_str name = og_str_of((const char *)event->data.alias.anchor);
    for (size_t i = l->anchors.len; i-- > 0;) {
        if (!og_str_eq(l->anchors.items[i].name, name))
            continue;
        *out = l->anchors.items[i].value;
        return OG_OK;
    }
    return fail_at(event, "an alias without its anchor", err);
}

static og_status load_node(loader *l, const yaml_event_t *event, og_json *out, og_error *err)
{
    const yaml_char_t *name = NULL;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        name = event->data.scalar.anchor;
        OG_TRY(load_scalar(l, event, out, err));
        break;
    case YAML_SEQUENCE_START_EVENT:
        name = event->data.sequence_start.anchor;
        OG_TRY(load_collection(l, event, out, err));
        break;
    case YAML_MAPPING_START_EVENT:
        name = event->data.mapping_start.anchor;
        OG_TRY(load_collection(l, event, out, err));
        break;
    case YAML_ALIAS_EVENT:
        return load_alias(l, event, out, err);
    default:
        return fail_at(event, "expected a value", err);
    }
    if (name == NULL)
        return OG_OK;
    anchor a = {og_arena_str(l->arena, og_str_of((const char *)name)), *out};
    return a.name.ptr != NULL && og_vec_push(&l->anchors, a) ? OG_OK : og_error_nomem(err);
}

static og_status load_document(loader *l, og_json *out, og_error *err)
{
    *out = (og_json){.kind = OG_JSON_NULL};
    for (;;) {
        yaml_event_t event;
        OG_TRY(next_event(l, &event, err));
        bool is_frame =
            event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT;
        bool is_end = event.type == YAML_STREAM_END_EVENT;
        og_status s = is_frame || is_end ? OG_OK : load_node(l, &event, out, err);
        yaml_event_delete(&event);
        if (!is_frame)
            return s;
    }
}

og_status cli_yaml_parse(og_arena *arena, og_str text, og_json *out, og_error *err)
{
    loader l = {.arena = arena};
    if (yaml_parser_initialize(&l.parser) == 0)
        return og_error_nomem(err);
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)text.ptr, text.len);
    og_status s = load_document(&l, out, err);
    yaml_parser_delete(&l.parser);
    og_vec_deinit(&l.anchors);
    return s;
}
