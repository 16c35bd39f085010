#include "graph.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/json.h"
#include "columnar/builder.h"
#include "lance/table/write.h"
#include "lang/schema.h"
#include "store/memory.h"

#include "../lance/lance_text.h"

struct graph {
    og_snapshot snapshot; /* first, so that the ops find the graph */
    og_store *store;
    og_lance_env *env;
    og_catalog *catalog;
    og_lance_table **nodes, **edges;
    og_arena *arena;
    unsigned next_id;
    og_buf text;
};

/* ---- tables ------------------------------------------------------------------------------- */

static og_lance_table **table_place(graph *g, const og_type_def *def)
{
    return def->is_edge ? &g->edges[def->index] : &g->nodes[def->index];
}

static og_status give_table(og_snapshot *snapshot, const og_type_def *def, og_lance_table **out,
                            og_error *err)
{
    (void)err;
    *out = *table_place((graph *)snapshot, def);
    return OG_OK;
}

static void keep_snapshot(og_snapshot *snapshot)
{
    (void)snapshot;
}

static const og_snapshot_ops snapshot_ops = {give_table, keep_snapshot};

static void commit(graph *g, og_lance_write *write, const og_type_def *def)
{
    const og_lance_staged *staged;
    og_lance_table *table;
    assert_ok(og_lance_write_stage(write, &staged, err));
    assert_ok(og_lance_staged_commit(write, true, err));
    assert_ok(og_lance_write_table(write, &table, err));
    og_lance_table_unref(*table_place(g, def));
    *table_place(g, def) = table;
}

static const og_lance_kv epoch = {{"og.epoch", 8}, {"one", 3}};

static og_lance_write *begin(graph *g, const og_type_def *def, og_lance_op op)
{
    char path[256];
    snprintf(path, sizeof path, "%.*s", OG_FMT(def->table_path));
    const og_schema *schema = def->table_schema;
    og_lance_new_field *fields = calloc(schema->field_count, sizeof *fields);
    for (uint32_t i = 0; i < schema->field_count; i++)
        fields[i].field = schema->fields[i];
    for (uint32_t i = 0; i < def->property_count; i++)
        fields[og_type_def_first_property(def) + i].is_blob =
            def->properties[i].type.scalar == OG_SCALAR_BLOB;
    og_lance_write_options options = {.op = op,
                                      .path = path,
                                      .min_max_fragment_id = -1,
                                      .properties = &epoch,
                                      .property_count = 1,
                                      .now_us = 1};
    if (op == OG_LANCE_CREATE) {
        options.fields = fields;
        options.field_count = schema->field_count;
    }
    og_lance_write *write;
    assert_ok(og_lance_write_new(g->env, *table_place(g, def), &options, &write, err));
    free(fields);
    return write;
}

static void create(graph *g, const og_type_def *def)
{
    og_lance_write *write = begin(g, def, OG_LANCE_CREATE);
    commit(g, write, def);
    og_lance_write_free(write);
}

graph *graph_new(const char *schema)
{
    graph *g = calloc(1, sizeof *g);
    g->arena = og_arena_new(0);
    assert_ok(og_schema_compile(og_str_of(schema), &g->catalog, err));
    assert_ok(og_store_open_memory(&g->store, err));
    assert_ok(og_lance_env_new(g->store, 64u << 20, &g->env, err));
    g->nodes = calloc(g->catalog->node_count, sizeof(og_lance_table *));
    g->edges = calloc(g->catalog->edge_count + 1, sizeof(og_lance_table *));
    for (uint32_t i = 0; i < g->catalog->node_count; i++)
        create(g, &g->catalog->nodes[i]);
    for (uint32_t i = 0; i < g->catalog->edge_count; i++)
        create(g, &g->catalog->edges[i]);
    g->snapshot.ops = &snapshot_ops;
    g->snapshot.catalog = g->catalog;
    g->snapshot.store = g->store;
    g->snapshot.branch = "main";
    g->snapshot.manifest_version = 7;
    g->snapshot.refs = 1;
    graph_forget(g);
    return g;
}

static void new_cache(graph *g, const og_clock *save_clock)
{
    og_topo_cache_free(g->snapshot.topo);
    assert_ok(og_topo_cache_new(g->env, 64u << 20, save_clock, &g->snapshot.topo, err));
}

void graph_forget(graph *g)
{
    new_cache(g, NULL);
}

/* All that is made takes a second. */
static int64_t leaping_us(void *context)
{
    int64_t *now = context;
    return *now += 1000000;
}

void graph_save_derived(graph *g)
{
    static int64_t now;
    static const og_clock clock = {.now_us = leaping_us, .context = &now};
    new_cache(g, &clock);
}

void graph_free(graph *g)
{
    assert_int_equal(g->snapshot.refs, 1);
    og_topo_cache_free(g->snapshot.topo);
    for (uint32_t i = 0; i < g->catalog->node_count; i++)
        og_lance_table_unref(g->nodes[i]);
    for (uint32_t i = 0; i < g->catalog->edge_count; i++)
        og_lance_table_unref(g->edges[i]);
    og_lance_env_free(g->env);
    og_store_close(g->store);
    og_catalog_unref(g->catalog);
    og_arena_free(g->arena);
    og_buf_deinit(&g->text);
    free(g->nodes);
    free(g->edges);
    free(g);
}

og_snapshot *graph_snapshot(graph *g)
{
    return &g->snapshot;
}

const og_catalog *graph_catalog(graph *g)
{
    return g->catalog;
}

/* ---- rows --------------------------------------------------------------------------------- */

/* Builders of one table's columns. */
typedef struct columns {
    const og_type_def *def;
    og_builder **builders;
} columns;

static void append(og_builder *b, const og_type *type, const og_literal *v)
{
    if (v->kind == OG_LIT_NULL) {
        assert_true(og_builder_null(b));
    } else if (v->kind == OG_LIT_LIST) {
        for (uint32_t i = 0; i < v->count; i++)
            append(og_builder_child(b, 0), type->children[0].type, &v->items[i]);
        assert_true(og_builder_end_row(b));
    } else if (type->id == OG_TYPE_STRUCT) { /* a blob */
        assert_true(og_builder_str(og_builder_child(b, 0), v->text));
        assert_true(og_builder_null(og_builder_child(b, 1)));
        assert_true(og_builder_end_row(b));
    } else if (type->id == OG_TYPE_UTF8) {
        assert_true(og_builder_str(b, v->text));
    } else if (type->id == OG_TYPE_BOOL) {
        assert_true(og_builder_bool(b, v->boolean));
    } else if (type->id == OG_TYPE_U32 || type->id == OG_TYPE_U64) {
        assert_true(og_builder_u64(b, (uint64_t)v->integer));
    } else if (type->id == OG_TYPE_F32 || type->id == OG_TYPE_F64) {
        assert_true(og_builder_f64(b, v->kind == OG_LIT_FLOAT ? v->real : (double)v->integer));
    } else {
        assert_true(og_builder_i64(b, v->integer));
    }
}

static og_literal property_value(graph *g, const og_property *p, const og_json *data)
{
    const og_json *value = og_json_get(data, NULL);
    char name[128];
    snprintf(name, sizeof name, "%.*s", OG_FMT(p->name));
    value = og_json_get(data, name);
    og_literal literal = {.kind = OG_LIT_NULL};
    if (value == NULL || value->kind == OG_JSON_NULL)
        return literal;
    if (p->type.scalar == OG_SCALAR_BLOB)
        return (og_literal){.kind = OG_LIT_STRING, .text = value->text};
    assert_ok(og_literal_from_json(&p->type, value, p->name, g->arena, &literal, err));
    return literal;
}

static og_str row_id(graph *g, const og_type_def *def, const og_json *data)
{
    if (def->key_property >= 0) {
        og_literal key = property_value(g, &def->properties[def->key_property], data);
        return key.kind == OG_LIT_STRING ? key.text
                                         : og_arena_printf(g->arena, "%" PRId64, key.integer);
    }
    og_str given = og_json_get_str(data, "id", OG_STR(""));
    return given.len > 0 ? given : og_arena_printf(g->arena, "#%u", g->next_id++);
}

static void add_row(graph *g, columns *c, const og_json *row)
{
    const og_json *data = og_json_get(row, "data");
    const og_type_def *def = c->def;
    uint32_t first = og_type_def_first_property(def);
    assert_true(og_builder_str(c->builders[0], row_id(g, def, data)));
    if (def->is_edge) {
        assert_true(og_builder_str(c->builders[1], og_json_get_str(row, "from", OG_STR(""))));
        assert_true(og_builder_str(c->builders[2], og_json_get_str(row, "to", OG_STR(""))));
    }
    for (uint32_t i = 0; i < def->property_count; i++) {
        og_literal value = property_value(g, &def->properties[i], data);
        append(c->builders[first + i], def->table_schema->fields[first + i].type, &value);
    }
}

static columns columns_new(const og_type_def *def)
{
    columns c = {def, calloc(def->table_schema->field_count, sizeof(og_builder *))};
    for (uint32_t i = 0; i < def->table_schema->field_count; i++)
        c.builders[i] = og_builder_new(def->table_schema->fields[i].type);
    return c;
}

static void columns_finish(columns *c, og_batch *out)
{
    int64_t rows = og_builder_length(c->builders[0]);
    uint32_t count = c->def->table_schema->field_count;
    assert_ok(og_batch_init(out, count, rows, err));
    for (uint32_t i = 0; i < count; i++) {
        assert_ok(og_builder_finish(c->builders[i], &out->columns[i], err));
        og_builder_free(c->builders[i]);
    }
    free(c->builders);
}

static const og_type_def *type_of(graph *g, const og_json *row)
{
    og_str node = og_json_get_str(row, "type", OG_STR(""));
    const og_type_def *def =
        node.len > 0 ? og_catalog_node(g->catalog, node)
                     : og_catalog_edge(g->catalog, og_json_get_str(row, "edge", OG_STR("")));
    assert_non_null(def);
    return def;
}

/* The rows as one JSON array in the arena. */
static og_json parse_rows(graph *g, const char *rows)
{
    og_buf list = OG_BUF_INIT;
    og_json parsed;
    og_buf_byte(&list, '[');
    int depth = 0;
    bool text = false, first = true;
    for (const char *p = rows; *p != '\0'; p++) {
        if (!text && *p == '{' && depth++ == 0 && !first)
            og_buf_byte(&list, ',');
        if (*p == '"' && (p == rows || p[-1] != '\\'))
            text = !text;
        if (!text && *p == '}' && --depth == 0)
            first = false;
        og_buf_byte(&list, (uint8_t)*p);
    }
    og_buf_byte(&list, ']');
    og_str copy = og_arena_str(g->arena, og_buf_view(&list));
    og_buf_deinit(&list);
    assert_ok(og_json_parse(g->arena, copy, &parsed, err));
    return parsed;
}

static void load_type(graph *g, const og_type_def *def, const og_json *rows)
{
    columns c = columns_new(def);
    for (uint32_t i = 0; i < rows->count; i++) {
        if (type_of(g, &rows->items[i]) == def)
            add_row(g, &c, &rows->items[i]);
    }
    OG_AUTO_BATCH all = {0};
    columns_finish(&c, &all);
    if (all.row_count == 0)
        return;
    og_lance_write *write = begin(g, def, OG_LANCE_APPEND);
    assert_ok(og_lance_write_rows(write, &all, NULL, err));
    commit(g, write, def);
    og_lance_write_free(write);
}

void graph_load(graph *g, const char *rows)
{
    og_json list = parse_rows(g, rows);
    for (uint32_t i = 0; i < g->catalog->node_count; i++)
        load_type(g, &g->catalog->nodes[i], &list);
    for (uint32_t i = 0; i < g->catalog->edge_count; i++)
        load_type(g, &g->catalog->edges[i], &list);
}

static const og_type_def *find_type(graph *g, const char *type)
{
    const og_type_def *def = og_catalog_node(g->catalog, og_str_of(type));
    return def != NULL ? def : og_catalog_edge(g->catalog, og_str_of(type));
}

static uint32_t slot_of(graph *g, const og_type_def *def, const char *id)
{
    uint32_t *slots, slot;
    size_t count;
    og_literal value = {.kind = OG_LIT_STRING, .text = og_str_of(id)};
    assert_ok(og_exec_find_slots(&g->snapshot, def, -1, OG_STR("id"), OG_CMP_EQ, &value, &slots,
                                 &count, err));
    assert_int_equal(count, 1);
    slot = slots[0];
    og_free(slots);
    return slot;
}

void graph_update(graph *g, const char *type, const char *id, const char *data)
{
    const og_type_def *def = find_type(g, type);
    uint32_t slot = slot_of(g, def, id);
    uint64_t row = 0;
    char text[2048];
    snprintf(text, sizeof text, "{\"type\":\"%s\",\"data\":%s}", type, data);
    og_json list = parse_rows(g, text);
    columns c = columns_new(def);
    add_row(g, &c, &list.items[0]);
    OG_AUTO_BATCH batch = {0};
    columns_finish(&c, &batch);
    assert_ok(og_lance_row_ids(*table_place(g, def), &slot, 1, &row, err));
    og_lance_write *write = begin(g, def, OG_LANCE_UPDATE);
    assert_ok(og_lance_write_delete(write, &slot, 1, err));
    assert_ok(og_lance_write_rows(write, &batch, &row, err));
    commit(g, write, def);
    og_lance_write_free(write);
}

void graph_delete(graph *g, const char *type, const char *id)
{
    const og_type_def *def = find_type(g, type);
    uint32_t slot = slot_of(g, def, id);
    og_lance_write *write = begin(g, def, OG_LANCE_DELETE);
    assert_ok(og_lance_write_delete(write, &slot, 1, err));
    commit(g, write, def);
    og_lance_write_free(write);
}

/* ---- queries ------------------------------------------------------------------------------ */

static void append_batch(og_buf *out, const og_batch *batch)
{
    for (int64_t row = 0; row < batch->row_count; row++) {
        og_buf_byte(out, '[');
        for (uint32_t i = 0; i < batch->column_count; i++) {
            if (i > 0)
                og_buf_byte(out, ',');
            assert_int_equal(batch->columns[i]->length, batch->row_count);
            lance_text_value(batch->columns[i], row, out);
        }
        og_buf_text(out, "]\n");
    }
}

static og_status pull_all(og_exec *exec, og_buf *out, og_error *err)
{
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        OG_TRY(og_exec_next(exec, &batch, err));
        if (batch.row_count == 0)
            return OG_OK;
        assert_true(batch.row_count <= OG_BATCH_ROWS);
        for (uint32_t i = 0; i < batch.column_count; i++)
            OG_TRY(og_array_validate(batch.columns[i], true, err));
        append_batch(out, &batch);
    }
}

/* What is done with an open run. */
typedef struct job {
    const og_exec_options *options;
    bool run, explain, json;
    int64_t fail_after; /* allocations; 0 = none fails */
} job;

static og_status do_job(graph *g, const og_ir_query *query, const og_literal *params, const job *j,
                        og_error *err)
{
    if (j->fail_after > 0)
        og_alloc_fail_after(j->fail_after - 1, false);
    OG_AUTO(og_plan) plan = NULL;
    OG_AUTO(og_exec) exec = NULL;
    OG_AUTO_BUF rows = OG_BUF_INIT;
    OG_TRY(og_plan_new(query, g->catalog, &plan, err));
    OG_TRY(og_exec_open(plan, params, &g->snapshot, j->options, &exec, err));
    if (j->run)
        OG_TRY(pull_all(exec, j->explain ? &rows : &g->text, err));
    return j->explain ? og_exec_explain(exec, j->json, &g->text, err) : OG_OK;
}

static og_status run_text(graph *g, const char *text, const char *params, const job *j,
                          og_error *err)
{
    OG_AUTO(og_program) program = NULL;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_json object;
    og_literal *values;
    OG_TRY(og_program_compile(og_str_of(text), NULL, g->catalog, &program, err));
    OG_TRY(og_json_parse(arena, og_str_of(params != NULL ? params : "{}"), &object, err));
    const og_ir_query *query = og_program_query(program);
    OG_TRY(og_params_from_json(query, &object, false, arena, &values, err));
    return do_job(g, query, values, j, err);
}

static const char *run_job(graph *g, const char *query, const char *params, const job *j)
{
    og_error err = {0};
    og_buf_clear(&g->text);
    assert_true(og_buf_reserve(&g->text, 4096)); /* so that a failure is the engine's */
    if (run_text(g, query, params, j, &err) != OG_OK) {
        og_buf_clear(&g->text);
        og_buf_printf(&g->text, "error: %s", err.message);
    }
    return og_buf_cstr(&g->text);
}

const char *graph_run(graph *g, const char *query, const char *params,
                      const og_exec_options *options)
{
    og_exec_options plain = {.now_ms = NOW_MS};
    return run_job(g, query, params,
                   &(job){.options = options != NULL ? options : &plain, .run = true});
}

const char *graph_run_failing(graph *g, const char *query, int64_t countdown)
{
    og_exec_options plain = {.now_ms = NOW_MS};
    const char *text = run_job(g, query, NULL,
                               &(job){.options = &plain, .run = true, .fail_after = countdown + 1});
    og_alloc_fail_after(-1, false);
    return text;
}

const char *graph_explain(graph *g, const char *query, const char *params, bool run, bool json)
{
    og_exec_options options = {.now_ms = NOW_MS, .analyze = run};
    return run_job(g, query, params,
                   &(job){.options = &options, .run = run, .explain = true, .json = json});
}

void graph_expect(graph *g, const char *query, const char *params, const char *rows)
{
    for (int method = OG_HOP_AUTO; method <= OG_HOP_SCAN; method++) {
        og_exec_options options = {.now_ms = NOW_MS, .hop_method = (og_hop_method)method};
        for (int again = 0; again < 2; again++) {
            const char *got = graph_run(g, query, params, &options);
            if (strcmp(got, rows) != 0)
                fail_msg("method %d: %s\nexpected:\n%s\ngot:\n%s", method, query, rows, got);
        }
    }
}
