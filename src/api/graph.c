#include "api/handles_priv.h"

#ifndef OG_VERSION
#error "the build defines OG_VERSION"
#endif

const char *og_version(void)
{
    return OG_VERSION;
}

og_status og_graph_init(const char *uri, og_text schema, bool force, og_error *err)
{
    return og_repo_init(uri, og_api__source(schema), force, NULL, err);
}

og_status og_graph_open(const char *uri, const og_open_options *options, og_graph **out,
                        og_error *err)
{
    og_open_options known = OG_OPEN_OPTIONS_INIT;
    og_api__read_options(&known, sizeof known, options);
    const og_repo_options o = {.cache_bytes = known.cache_bytes,
                               .topology_bytes = known.topology_bytes,
                               .no_derived = known.no_derived};
    og_graph *graph = og_calloc(1, sizeof *graph);
    if (graph == NULL)
        return og_error_nomem(err);
    og_status s = og_repo_open(uri, &o, &graph->repo, err);
    if (s != OG_OK) {
        og_free(graph);
        return s;
    }
    *out = graph;
    return OG_OK;
}

void og_graph_close(og_graph *graph)
{
    if (graph == NULL)
        return;
    og_repo_close(graph->repo);
    og_free(graph);
}

og_text og_graph_schema(const og_graph *graph)
{
    og_str source = og_repo_schema_source(graph->repo);
    return (og_text){source.ptr, source.len};
}

void og_graph_io_stats(const og_graph *graph, og_io_stats *out)
{
    const og_store_stats *s = &og_lance_env_store(og_repo_env(graph->repo))->stats;
    *out = (og_io_stats){.gets = s->gets,
                         .puts = s->puts,
                         .heads = s->heads,
                         .lists = s->lists,
                         .deletes = s->deletes,
                         .syncs = s->syncs,
                         .bytes_read = s->bytes_read,
                         .bytes_written = s->bytes_written};
}

/* ---- sessions ----------------------------------------------------------------------------- */

og_status og_session_open(og_graph *graph, const og_session_options *options, og_session **out,
                          og_error *err)
{
    og_session_options known = OG_SESSION_OPTIONS_INIT;
    og_api__read_options(&known, sizeof known, options);
    const og_session_options *o = &known;
    og_session *s = og_calloc(1, sizeof *s);
    if (s == NULL)
        return og_error_nomem(err);
    s->graph = graph;
    s->branch = og_strdup(o->branch != NULL ? o->branch : "main");
    s->actor = o->actor != NULL ? og_strdup(o->actor) : NULL;
    s->memory_bytes = o->memory_bytes;
    s->timeout_ms = o->timeout_ms;
    s->lenient = o->lenient;
    if (s->branch == NULL || (o->actor != NULL && s->actor == NULL)) {
        og_session_close(s);
        return og_error_nomem(err);
    }
    *out = s;
    return OG_OK;
}

void og_session_close(og_session *session)
{
    if (session == NULL)
        return;
    og_free(session->actor);
    og_free(session->branch);
    og_free(session);
}

void og_session_cancel(og_session *session)
{
    __atomic_store_n(&session->cancelled, 1, __ATOMIC_RELAXED);
}
