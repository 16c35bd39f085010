#include "api/handles_priv.h"
#include "base/number.h"

/* ---- preparing ---------------------------------------------------------------------------- */

static char *dup_str(og_str text)
{
    char *copy = og_malloc(text.len + 1);
    if (copy != NULL) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
    }
    return copy;
}

/* Names as C strings, because that is what the public API gives. */
static og_status copy_names(og_query *q, og_error *err)
{
    uint32_t count = q->ir->param_count;
    q->name = dup_str(q->ir->name);
    q->param_names = og_calloc(count, sizeof *q->param_names);
    q->param_types = og_calloc(count, sizeof *q->param_types);
    if (q->name == NULL || q->param_names == NULL || q->param_types == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        q->param_names[i] = dup_str(q->ir->params[i].name);
        q->param_types[i] = dup_str(q->ir->params[i].type_name);
        if (q->param_names[i] == NULL || q->param_types[i] == NULL)
            return og_error_nomem(err);
    }
    return OG_OK;
}

og_status og_query_prepare(og_graph *graph, og_text source, const char *name, og_query **out,
                           og_error *err)
{
    og_query *q = og_calloc(1, sizeof *q);
    if (q == NULL)
        return og_error_nomem(err);
    q->graph = graph;
    og_catalog *catalog = og_repo_catalog(graph->repo);
    og_status s = og_program_compile(og_api__source(source), name, catalog, &q->program, err);
    if (s == OG_OK) {
        q->ir = og_program_query(q->program);
        s = copy_names(q, err);
    }
    /* A query that this version can't run is still a good query: it may be described. */
    if (s == OG_OK && !q->ir->is_mutation)
        q->plan_status = og_plan_new(q->ir, catalog, &q->plan, &q->plan_error);
    if (s != OG_OK) {
        og_query_free(q);
        return s;
    }
    *out = q;
    return OG_OK;
}

void og_query_free(og_query *q)
{
    if (q == NULL)
        return;
    for (uint32_t i = 0; q->ir != NULL && i < q->ir->param_count; i++) {
        if (q->param_names != NULL)
            og_free(q->param_names[i]);
        if (q->param_types != NULL)
            og_free(q->param_types[i]);
    }
    og_free(q->param_names);
    og_free(q->param_types);
    og_free(q->name);
    og_plan_free(q->plan);
    og_program_free(q->program);
    og_free(q);
}

const char *og_query_name(const og_query *query)
{
    return query->name;
}

bool og_query_is_mutation(const og_query *query)
{
    return query->ir->is_mutation;
}

size_t og_query_param_count(const og_query *query)
{
    return query->ir->param_count;
}

const char *og_query_param_name(const og_query *query, size_t index)
{
    return index < query->ir->param_count ? query->param_names[index] : NULL;
}

const char *og_query_param_type(const og_query *query, size_t index)
{
    return index < query->ir->param_count ? query->param_types[index] : NULL;
}

bool og_query_param_is_optional(const og_query *query, size_t index)
{
    return index < query->ir->param_count && query->ir->params[index].type.nullable;
}

/* ---- parameters --------------------------------------------------------------------------- */

og_status og_params_new(const og_query *query, og_params **out, og_error *err)
{
    og_params *p = og_calloc(1, sizeof *p);
    if (p == NULL)
        return og_error_nomem(err);
    p->query = query;
    p->arena = og_arena_new(0);
    p->values = og_calloc(query->ir->param_count, sizeof *p->values);
    p->given = og_calloc(query->ir->param_count, sizeof *p->given);
    if (p->arena == NULL || p->values == NULL || p->given == NULL) {
        og_params_free(p);
        return og_error_nomem(err);
    }
    *out = p;
    return OG_OK;
}

void og_params_free(og_params *params)
{
    if (params == NULL)
        return;
    og_arena_free(params->arena);
    og_free(params->values);
    og_free(params->given);
    og_free(params);
}

static int32_t find_param(const og_query *query, og_str name)
{
    for (uint32_t i = 0; i < query->ir->param_count; i++)
        if (og_str_eq(query->ir->params[i].name, name))
            return (int32_t)i;
    return -1;
}

og_status og_params_set_json(og_params *params, og_text json, og_error *err)
{
    og_str copy = og_arena_str(params->arena, og_api__str(json));
    og_json object;
    if (copy.ptr == NULL)
        return og_error_nomem(err);
    og_status s = og_json_parse(params->arena, copy, &object, err);
    if (s != OG_OK)
        return og_error_context(err, s, "params");
    if (object.kind != OG_JSON_OBJECT)
        return og_error_set(err, OG_INVALID, "params JSON must be an object");
    memset(params->given, 0, params->query->ir->param_count * sizeof *params->given);
    for (uint32_t i = 0; i < object.count; i++) {
        int32_t at = find_param(params->query, object.keys[i]);
        if (at < 0)
            continue; /* unknown names are ignored, as the reference does */
        params->values[at] = object.items[i];
        params->given[at] = true;
    }
    return OG_OK;
}

static og_status set(og_params *params, const char *name, og_json value, og_error *err)
{
    int32_t at = find_param(params->query, og_str_of(name));
    if (at < 0)
        return og_error_set(err, OG_INVALID, "query '%s' has no parameter '$%s'",
                            params->query->name, name);
    params->values[at] = value;
    params->given[at] = true;
    return OG_OK;
}

og_status og_params_set_null(og_params *params, const char *name, og_error *err)
{
    return set(params, name, (og_json){.kind = OG_JSON_NULL}, err);
}

og_status og_params_set_bool(og_params *params, const char *name, bool value, og_error *err)
{
    return set(params, name, (og_json){.kind = OG_JSON_BOOL, .boolean = value}, err);
}

static og_status set_number(og_params *params, const char *name, const og_buf *text,
                            bool is_integer, og_error *err)
{
    og_str copy = og_arena_str(params->arena, og_buf_view(text));
    if (copy.ptr == NULL || text->failed)
        return og_error_nomem(err);
    return set(params, name,
               (og_json){.kind = OG_JSON_NUMBER, .is_integer = is_integer, .text = copy}, err);
}

og_status og_params_set_i64(og_params *params, const char *name, int64_t value, og_error *err)
{
    OG_AUTO_BUF text = OG_BUF_INIT;
    og_json_write_i64(&text, value);
    return set_number(params, name, &text, true, err);
}

og_status og_params_set_u64(og_params *params, const char *name, uint64_t value, og_error *err)
{
    OG_AUTO_BUF text = OG_BUF_INIT;
    og_json_write_u64(&text, value);
    return set_number(params, name, &text, true, err);
}

og_status og_params_set_f64(og_params *params, const char *name, double value, og_error *err)
{
    if (__builtin_isnan(value) || __builtin_isinf(value))
        return og_error_set(err, OG_INVALID, "parameter '$%s' must be a finite number", name);
    OG_AUTO_BUF text = OG_BUF_INIT;
    og_json_write_f64(&text, value);
    return set_number(params, name, &text, false, err);
}

og_status og_params_set_text(og_params *params, const char *name, og_text value, og_error *err)
{
    og_str text = og_api__str(value);
    if (!og_utf8_valid(text, NULL))
        return og_error_set(err, OG_INVALID, "parameter '$%s' is not valid UTF-8", name);
    og_str copy = og_arena_str(params->arena, text);
    if (copy.ptr == NULL)
        return og_error_nomem(err);
    return set(params, name, (og_json){.kind = OG_JSON_STRING, .text = copy}, err);
}

og_status og_api__bind(const og_query *query, const og_params *params, bool lenient,
                       og_arena *arena, og_literal **out, og_error *err)
{
    uint32_t count = query->ir->param_count;
    og_json object = {.kind = OG_JSON_OBJECT};
    object.keys = og_arena_array_of(arena, og_str, count > 0 ? count : 1);
    object.items = og_arena_array_of(arena, og_json, count > 0 ? count : 1);
    if (object.keys == NULL || object.items == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; params != NULL && i < count; i++) {
        if (!params->given[i])
            continue;
        object.keys[object.count] = query->ir->params[i].name;
        object.items[object.count++] = params->values[i];
    }
    return og_params_from_json(query->ir, &object, lenient, arena, out, err);
}
