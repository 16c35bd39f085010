/* Programs on the real engine, by its public header, compared with the model step by step. */
#include "model.h"
#include "omnigraph.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct run {
    const program *p;
    const char *folder;
    bool count;
    og_graph *graph;
    og_session *session;
    state st;
    text exported; /* of the state after the last operation */
    text what;     /* how the outcome differs */
} run;

__attribute__((format(printf, 2, 3))) static bool differs(run *r, const char *format, ...)
{
    char line[6000];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    buf b = {0};
    buf_str(&b, line);
    r->what = buf_view(&b);
    return false;
}

/* ---- opening and closing ------------------------------------------------------------------ */

static int remove_entry(const char *path, const struct stat *stat, int kind, struct FTW *walk)
{
    (void)stat, (void)kind, (void)walk;
    return remove(path);
}

static void remove_folder(const char *path)
{
    (void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static bool open_graph(run *r)
{
    og_error err = {0};
    og_open_options options = OG_OPEN_OPTIONS_INIT;
    /* Half of the programs live without derived files; answers may not depend on them. */
    options.no_derived = r->p->schema.types[0].prop_count % 2 == 0;
    if (og_graph_open(r->folder, &options, &r->graph, &err) != OG_OK)
        return differs(r, "open: %s: %s", og_status_id(err.status), err.message);
    if (og_session_open(r->graph, NULL, &r->session, &err) != OG_OK)
        return differs(r, "session: %s: %s", og_status_id(err.status), err.message);
    return true;
}

static void close_graph(run *r)
{
    og_session_close(r->session);
    og_graph_close(r->graph);
    r->session = NULL;
    r->graph = NULL;
}

/* ---- bytes -------------------------------------------------------------------------------- */

typedef struct reader {
    text input;
    size_t at, step;
} reader;

static og_status read_some(void *context, uint8_t *dst, size_t cap, size_t *out_len, og_error *err)
{
    (void)err;
    reader *in = context;
    size_t left = in->input.len - in->at;
    size_t len = left < cap ? left : cap;
    if (len > in->step)
        len = in->step;
    if (len > 0)
        memcpy(dst, in->input.ptr + in->at, len);
    in->at += len;
    *out_len = len;
    return OG_OK;
}

static og_status write_some(void *context, const uint8_t *bytes, size_t len, og_error *err)
{
    (void)err;
    buf_add(context, (const char *)bytes, len);
    return OG_OK;
}

static bool export_graph(run *r, og_session *session, text *out)
{
    og_error err = {0};
    buf b = {0};
    if (og_export(session, NULL, 0, NULL, 0, write_some, &b, &err) != OG_OK)
        return differs(r, "export: %s: %s", og_status_id(err.status), err.message);
    *out = buf_view(&b);
    return true;
}

static og_status load_text(og_session *session, text input, load_mode mode, size_t step,
                           og_write_result *out, og_error *err)
{
    reader in = {.input = input, .step = step};
    og_load_options options = OG_LOAD_OPTIONS_INIT;
    options.mode = mode == L_OVERWRITE ? OG_MODE_OVERWRITE
                   : mode == L_APPEND  ? OG_MODE_APPEND
                                       : OG_MODE_MERGE;
    return og_load(session, &options, read_some, &in, out, err);
}

/* ---- comparing ---------------------------------------------------------------------------- */

static bool same_export(run *r, text expected, text found, const char *when)
{
    if (text_eq(expected, found))
        return true;
    size_t at = 0, line = 0;
    while (at < expected.len && at < found.len && expected.ptr[at] == found.ptr[at]) {
        at++;
        if (expected.ptr[at - 1] == '\n')
            line = at;
    }
    int expected_line = (int)strcspn(expected.ptr + line, "\n");
    int found_line = line <= found.len ? (int)strcspn(found.ptr + line, "\n") : 0;
    return differs(r, "export differs %s\n  expected: %.*s\n  found:    %.*s", when,
                   expected_line > 2000 ? 2000 : expected_line, expected.ptr + line,
                   found_line > 2000 ? 2000 : found_line, found.ptr + line);
}

static bool same_refusal(run *r, refusal expected, og_status status, const og_error *err)
{
    if (expected == R_NONE && status != OG_OK)
        return differs(r, "refused, but it is right: %s: %s %s", og_status_id(status), err->message,
                       err->detail);
    if (expected != R_NONE && status == OG_OK)
        return differs(r, "accepted, but it is wrong: %s", refusal_names[expected]);
    if (expected != R_NONE && status != OG_INVALID)
        return differs(r, "refused (%s) with status %s: %s", refusal_names[expected],
                       og_status_id(status), err->message);
    if (expected != R_NONE && err->message[0] == 0)
        return differs(r, "refused (%s) without a message", refusal_names[expected]);
    return true;
}

static bool same_counts(run *r, const outcome *expected, const og_write_result *found)
{
    if (expected->node_rows != found->node_rows || expected->edge_rows != found->edge_rows)
        return differs(r, "%llu node and %llu edge rows expected, %llu and %llu found",
                       (unsigned long long)expected->node_rows,
                       (unsigned long long)expected->edge_rows,
                       (unsigned long long)found->node_rows, (unsigned long long)found->edge_rows);
    if (expected->committed != found->committed)
        return differs(r, "committed: %d expected, %d found", expected->committed,
                       found->committed);
    if (found->committed != (strlen(found->commit_id) == 26))
        return differs(r, "commit id '%s' of a write that committed: %d", found->commit_id,
                       found->committed);
    return true;
}

/* After a write, refused or not: the graph's rows are those of the model. */
static bool same_rows(run *r, const state *next, bool refused)
{
    text found;
    if (!export_graph(r, r->session, &found))
        return false;
    if (refused)
        return same_export(r, r->exported, found, "after a refusal");
    r->st = *next;
    state_adopt(&r->p->schema, &r->st, found);
    if (!same_export(r, state_export(&r->p->schema, &r->st), found, "from the model"))
        return false;
    r->exported = found;
    return true;
}

/* ---- operations --------------------------------------------------------------------------- */

static bool run_load(run *r, const op *o)
{
    state next = r->st;
    outcome expected = model_load(&r->p->schema, o, &next);
    og_error err = {0};
    og_write_result found = {0};
    static const size_t steps[] = {SIZE_MAX, 7, 64};
    og_status status =
        load_text(r->session, o->input, o->mode, steps[o->input.len % 3], &found, &err);
    if (!same_refusal(r, expected.refused, status, &err))
        return false;
    if (status == OG_OK && !same_counts(r, &expected, &found))
        return false;
    if (r->count)
        cover_load(&r->p->schema, o, &r->st, &next, &expected);
    return same_rows(r, &next, status != OG_OK);
}

static og_status prepare(run *r, const op *o, og_query **out_query, og_params **out_params,
                         og_error *err)
{
    og_text source = {o->input.ptr, o->input.len};
    og_status status = og_query_prepare(r->graph, source, NULL, out_query, err);
    if (status != OG_OK)
        return status;
    status = og_params_new(*out_query, out_params, err);
    if (status != OG_OK)
        return status;
    og_text json = {o->params_json.ptr, o->params_json.len};
    return og_params_set_json(*out_params, json, err);
}

static bool run_mutation(run *r, const op *o)
{
    state next = r->st;
    outcome expected = model_mutate(&r->p->schema, o, &next);
    og_error err = {0};
    og_query *query = NULL;
    og_params *params = NULL;
    og_write_result found = {0};
    og_status status = prepare(r, o, &query, &params, &err);
    if (status == OG_OK)
        status = og_mutate(r->session, query, params, &found, &err);
    og_params_free(params);
    og_query_free(query);
    if (!same_refusal(r, expected.refused, status, &err))
        return false;
    if (status == OG_OK && !same_counts(r, &expected, &found))
        return false;
    if (r->count)
        cover_mutation(&r->p->schema, o, &r->st, &next, &expected);
    return same_rows(r, &next, status != OG_OK);
}

/* An engine's value as the model's, so that both print alike. */
static void print_cell(buf *b, const og_value *v)
{
    static const value_kind kinds[] = {
        [OG_VALUE_NULL] = V_NULL,     [OG_VALUE_BOOL] = V_BOOL,         [OG_VALUE_I64] = V_INT,
        [OG_VALUE_U64] = V_INT,       [OG_VALUE_F64] = V_FLOAT,         [OG_VALUE_TEXT] = V_TEXT,
        [OG_VALUE_DATE] = V_DATE,     [OG_VALUE_DATETIME] = V_DATETIME, [OG_VALUE_LIST] = V_LIST,
        [OG_VALUE_VECTOR] = V_VECTOR,
    };
    value as = {.kind = kinds[v->kind]};
    if (v->kind == OG_VALUE_LIST || v->kind == OG_VALUE_VECTOR) {
        buf_str(b, v->kind == OG_VALUE_LIST ? "L" : "V");
        buf_add(b, v->text.ptr, v->text.len);
        buf_str(b, " | ");
        return;
    }
    if (v->kind == OG_VALUE_BOOL)
        as.i = v->as.boolean;
    else if (v->kind == OG_VALUE_U64)
        as.i = v->as.u64;
    else if (v->kind == OG_VALUE_F64)
        as.f = v->as.f64;
    else if (v->kind == OG_VALUE_TEXT)
        as.t = (text){v->text.ptr, v->text.len};
    else if (v->kind != OG_VALUE_NULL)
        as.i = v->as.i64;
    cell_print(b, &as);
}

typedef struct rows {
    text *all;
    int count, cap;
} rows;

static og_status fetch_rows(og_cursor *cursor, rows *out, og_error *err)
{
    size_t columns = og_cursor_column_count(cursor);
    for (;;) {
        bool has_row = false;
        og_status status = og_cursor_next(cursor, &has_row, err);
        if (status != OG_OK || !has_row)
            return status;
        buf b = {0};
        for (size_t c = 0; c < columns; c++) {
            og_value v = {0};
            status = og_cursor_value(cursor, c, &v, err);
            if (status != OG_OK)
                return status;
            print_cell(&b, &v);
        }
        if (out->count == out->cap) {
            text *grown = model_alloc(sizeof(text) * (size_t)(2 * out->cap + 64));
            if (out->count > 0)
                memcpy(grown, out->all, sizeof(text) * (size_t)out->count);
            out->all = grown;
            out->cap = 2 * out->cap + 64;
        }
        out->all[out->count++] = buf_view(&b);
    }
}

static bool same_columns(run *r, const op *o, const og_cursor *cursor)
{
    size_t count = og_cursor_column_count(cursor);
    if (count != (size_t)o->query->return_count)
        return differs(r, "%d columns expected, %zu found", o->query->return_count, count);
    for (size_t c = 0; c < count; c++) {
        const char *name = og_cursor_column_name(cursor, c);
        if (!text_eq(text_of(name), o->query->returns[c].column))
            return differs(r, "column '%s' expected, '%s' found", o->query->returns[c].column.ptr,
                           name);
    }
    return true;
}

/* Run once; OG_OK with the rows, or the status. *out_same false: what is in r->what. */
static og_status ask(run *r, const op *o, const og_query *query, const og_params *params, rows *out,
                     bool *out_same, og_error *err)
{
    og_cursor *cursor = NULL;
    og_status status = og_query_run(r->session, query, params, &cursor, err);
    if (status == OG_OK) {
        *out_same = same_columns(r, o, cursor);
        status = fetch_rows(cursor, out, err);
    }
    og_cursor_close(cursor);
    return status;
}

/* What it says is not compared, but that it says something. */
static og_status explain(run *r, const op *o, const og_query *query, const og_params *params,
                         og_error *err)
{
    buf b = {0};
    bool analyze = o->input.len % 2 == 0;
    if (r->count)
        cover(G_QUERY, Q_EXPLAIN, 1);
    og_status status = og_query_explain(r->session, query, params, analyze, o->input.len % 4 > 1,
                                        write_some, &b, err);
    if (status == OG_OK && b.len == 0)
        differs(r, "an empty explanation");
    return status;
}

static bool run_query(run *r, const op *o)
{
    result expected = model_query(&r->p->schema, o, &r->st);
    og_error err = {0};
    og_query *query = NULL;
    og_params *params = NULL;
    rows found = {0}, again = {0};
    bool same = true;
    og_status status = prepare(r, o, &query, &params, &err);
    if (status == OG_OK)
        status = ask(r, o, query, params, &found, &same, &err);
    if (status == OG_OK && o->input.len % 3 == 0)
        status = ask(r, o, query, params, &again, &same, &err);
    else
        again = found;
    if (status == OG_OK && o->input.len % 7 == 0)
        status = explain(r, o, query, params, &err);
    same = same && r->what.ptr == NULL;
    og_params_free(params);
    og_query_free(query);
    if (!same || !same_refusal(r, expected.refused, status, &err))
        return false;
    if (status != OG_OK)
        return true;
    if (r->count)
        cover_query(&r->p->schema, o, &expected);
    const char *difference = result_difference(o, &expected, found.all, found.count);
    if (difference != NULL)
        return differs(r, "%s", difference);
    for (int i = 0; i < found.count; i++)
        if (i >= again.count || !text_eq(found.all[i], again.all[i]))
            return differs(r, "the same query gives other rows, or another order");
    return true;
}

/* An export loads into an empty graph, and exports the same again. */
static bool run_round_trip(run *r)
{
    text folder = text_printf("%s-copy", r->folder);
    og_text schema = {r->p->schema_text.ptr, r->p->schema_text.len};
    og_error err = {0};
    og_graph *graph = NULL;
    og_session *session = NULL;
    og_write_result found = {0};
    og_status status = og_graph_init(folder.ptr, schema, false, &err);
    if (status == OG_OK)
        status = og_graph_open(folder.ptr, NULL, &graph, &err);
    if (status == OG_OK)
        status = og_session_open(graph, NULL, &session, &err);
    if (status == OG_OK)
        status = load_text(session, r->exported, L_OVERWRITE, 4096, &found, &err);
    text copied = {0};
    bool same = status == OG_OK;
    if (!same)
        differs(r, "reloading the export: %s: %s", og_status_id(status), err.message);
    same = same && export_graph(r, session, &copied) &&
           same_export(r, r->exported, copied, "after a reload into an empty graph");
    og_session_close(session);
    og_graph_close(graph);
    remove_folder(folder.ptr);
    return same;
}

static bool run_reopen(run *r)
{
    close_graph(r);
    text found;
    return open_graph(r) && export_graph(r, r->session, &found) &&
           same_export(r, r->exported, found, "after reopening");
}

static bool run_op(run *r, const op *o)
{
    if (r->count)
        cover(G_OP, o->kind, 1);
    switch (o->kind) {
    case OP_LOAD:
        return run_load(r, o);
    case OP_MUTATE:
        return run_mutation(r, o);
    case OP_QUERY:
        return run_query(r, o);
    case OP_REOPEN:
        return run_reopen(r);
    case OP_ROUND_TRIP:
        return run_round_trip(r);
    }
    return false;
}

bool run_program(const program *p, const char *dir, bool count, int *out_at, text *out_what)
{
    text folder = text_printf("%s/graph", dir);
    run r = {.p = p, .folder = folder.ptr, .count = count, .exported = text_of("")};
    og_text schema = {p->schema_text.ptr, p->schema_text.len};
    og_error err = {0};
    *out_at = -1;
    bool same = og_graph_init(folder.ptr, schema, false, &err) == OG_OK;
    if (!same)
        differs(&r, "init: %s: %s", og_status_id(err.status), err.message);
    same = same && open_graph(&r);
    for (int i = 0; same && i < p->op_count; i++) {
        *out_at = i;
        same = run_op(&r, p->ops[i]);
    }
    close_graph(&r);
    remove_folder(folder.ptr);
    *out_what = r.what;
    return same;
}
