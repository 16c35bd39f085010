/* Changing a graph and taking it out: load, export, mutate. */
#include "api/handles_priv.h"
#include "graph/branch_ops.h"
#include "graph/load.h"
#include "graph/mutate.h"

#include <stdio.h>

static void set_commit(og_write_result *out, const og_commit_result *commit)
{
    out->committed = true;
    memcpy(out->commit_id, commit->commit_id, sizeof out->commit_id);
    out->manifest_version = commit->manifest_version;
}

/* ---- load --------------------------------------------------------------------------------- */

typedef struct load_progress {
    og_progress_fn fn;
    void *context;
    const og_session *session;
} load_progress;

static int report_progress(void *context, uint64_t bytes, uint64_t records)
{
    (void)records;
    const load_progress *p = context;
    if (__atomic_load_n(&p->session->cancelled, __ATOMIC_RELAXED) != 0)
        return 1;
    return p->fn != NULL ? p->fn(p->context, "load", bytes, 0) : 0;
}

static og_load_mode_kind load_mode(og_load_mode mode)
{
    switch (mode) {
    case OG_MODE_APPEND:
        return OG_LOAD_APPEND;
    case OG_MODE_MERGE:
        return OG_LOAD_MERGE;
    default:
        return OG_LOAD_OVERWRITE;
    }
}

static void set_lenient(og_write_result *out, const og_lenient_counts *lenient)
{
    out->lenient_unknown_properties = lenient->unknown_properties;
    out->lenient_wrong_types = lenient->wrong_types;
    out->lenient_wrapped_integers = lenient->integers_wrapped;
    out->lenient_float_overflows = lenient->float_overflows;
    out->lenient_vector_items = lenient->vector_items;
    out->lenient_list_items = lenient->list_items;
}

static void set_load_result(og_write_result *out, const og_load_output *loaded)
{
    *out = (og_write_result){.node_rows = loaded->node_rows, .edge_rows = loaded->edge_rows};
    set_lenient(out, &loaded->lenient);
    for (size_t i = 0; i < loaded->count_len; i++) {
        if (loaded->counts[i].def->is_edge)
            out->edge_types++;
        else
            out->node_types++;
    }
    set_commit(out, &loaded->commit);
}

/* Edges before nodes, as table keys sort. */
static void report_counts(const og_load_options *o, const og_load_output *loaded)
{
    for (int edges = 1; edges >= 0 && o->count != NULL; edges--) {
        for (size_t i = 0; i < loaded->count_len; i++) {
            const og_load_count *from = &loaded->counts[i];
            if (from->def->is_edge != (edges == 1))
                continue;
            og_type_count count = {.is_edge = from->def->is_edge, .rows = from->rows};
            snprintf(count.type_name, sizeof count.type_name, "%.*s", OG_FMT(from->def->name));
            o->count(o->count_context, &count);
        }
    }
}

/* Is there a branch to load into? Another process may make it at the same time: that is as good. */
static og_status ensure_branch(og_session *session, const char *from, bool *out_created,
                               og_error *err)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    og_repo *repo = session->graph->repo;
    og_status s = og_repo_snapshot(repo, session->branch, &snapshot, err);
    if (s != OG_NOT_FOUND)
        return s;
    s = og_branch_make(repo, from, session->branch, err);
    *out_created = s == OG_OK;
    return s == OG_EXISTS ? OG_OK : s;
}

og_status og_load(og_session *session, const og_load_options *options, og_source_fn source,
                  void *source_context, og_write_result *out, og_error *err)
{
    og_load_options known = OG_LOAD_OPTIONS_INIT;
    og_api__read_options(&known, sizeof known, options);
    const og_load_options *o = &known;
    load_progress progress = {o->progress, o->progress_context, session};
    og_load_input input = {
        .branch = session->branch,
        .actor = session->actor,
        .mode = load_mode(o->mode),
        .lenient = session->lenient,
        .read = source,
        .read_context = source_context,
        .progress = report_progress,
        .progress_context = &progress,
    };
    og_load_output loaded = {0};
    OG_TRY(og_api__check_writable(session, err));
    bool created = false;
    __atomic_store_n(&session->cancelled, 0, __ATOMIC_RELAXED);
    if (o->create_from != NULL)
        OG_TRY(ensure_branch(session, o->create_from, &created, err));
    OG_TRY(og_load_run(session->graph->repo, &input, &loaded, err));
    set_load_result(out, &loaded);
    out->branch_created = created;
    report_counts(o, &loaded);
    og_load_output_deinit(&loaded);
    return OG_OK;
}

/* ---- export ------------------------------------------------------------------------------- */

typedef struct export_sink {
    og_sink_fn fn;
    void *context;
    const og_session *session;
    uint64_t deadline_ns;
} export_sink;

static og_status write_export(void *context, og_bytes bytes, og_error *err)
{
    const export_sink *sink = context;
    if (__atomic_load_n(&sink->session->cancelled, __ATOMIC_RELAXED) != 0)
        return og_error_set(err, OG_CANCELLED, "the export was cancelled");
    if (sink->deadline_ns != 0 && og_monotonic_ns() > sink->deadline_ns)
        return og_error_set(err, OG_TIMEOUT, "the export ran out of time");
    return sink->fn(sink->context, bytes.ptr, bytes.len, err);
}

static og_str *copy_views(og_arena *arena, const char *const *texts, size_t count)
{
    og_str *views = og_arena_array_of(arena, og_str, count + 1);
    for (size_t i = 0; views != NULL && i < count; i++)
        views[i] = og_str_of(texts[i]);
    return views;
}

og_status og_export(og_session *session, const char *const *type_names, size_t type_count,
                    const char *const *table_keys, size_t table_count, og_sink_fn sink,
                    void *sink_context, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    OG_AUTO(og_snapshot) snapshot = NULL;
    __atomic_store_n(&session->cancelled, 0, __ATOMIC_RELAXED);
    export_sink target = {sink, sink_context, session, og_api__deadline(session)};
    if (arena == NULL)
        return og_error_nomem(err);
    og_export_input input = {
        .type_names = copy_views(arena, type_names, type_count),
        .type_count = type_count,
        .table_keys = copy_views(arena, table_keys, table_count),
        .table_count = table_count,
        .write = write_export,
        .write_context = &target,
    };
    if (input.type_names == NULL || input.table_keys == NULL)
        return og_error_nomem(err);
    OG_TRY(og_api__snapshot(session, &snapshot, err));
    return og_export_run(snapshot, &input, err);
}

/* ---- mutate ------------------------------------------------------------------------------- */

og_status og_mutate(og_session *session, const og_query *query, const og_params *params,
                    og_write_result *out, og_error *err)
{
    if (!query->ir->is_mutation)
        return og_error_set(err, OG_INVALID, "query '%s' only reads; run it as a query",
                            query->name);
    OG_TRY(og_api__check_writable(session, err));
    og_repo *repo = session->graph->repo;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    if (arena == NULL)
        return og_error_nomem(err);
    og_literal *literals;
    OG_TRY(og_api__bind(query, params, session->lenient, arena, &literals, err));
    og_mutate_input input = {
        .branch = session->branch,
        .actor = session->actor,
        .query = query->ir,
        .params = literals,
        .lenient = session->lenient,
        .now_ms = og_repo_now_us(repo) / 1000,
        .cancel = &session->cancelled,
        .deadline_ns = og_api__deadline(session),
    };
    __atomic_store_n(&session->cancelled, 0, __ATOMIC_RELAXED);
    og_mutate_output done = {0};
    OG_TRY(og_mutate_run(repo, &input, &done, err));
    *out = (og_write_result){.node_rows = done.affected_nodes, .edge_rows = done.affected_edges};
    set_lenient(out, &done.lenient);
    if (done.committed)
        set_commit(out, &done.commit);
    return OG_OK;
}
