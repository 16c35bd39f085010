#include "api/handles_priv.h"

#ifndef OG_VERSION
#error "the build defines OG_VERSION"
#endif

/* Far above names, addresses and service ids, and little beside what a commit writes anyway. */
#define MAX_ACTOR_BYTES 1024

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

/* Stored with each commit and printed in lists of them, where every commit is one line. */
static og_status check_actor(og_str actor, og_error *err)
{
    if (actor.len == 0 || actor.len > MAX_ACTOR_BYTES)
        return og_error_set(err, OG_INVALID,
                            "the name of the actor has %zu bytes; 1 to %d are possible", actor.len,
                            MAX_ACTOR_BYTES);
    if (!og_utf8_valid(actor, NULL))
        return og_error_set(err, OG_INVALID, "the name of the actor is not valid UTF-8");
    for (size_t at = 0; at < actor.len;)
        if (og_utf8_is_control(og_utf8_next(actor, &at)))
            return og_error_set(err, OG_INVALID, "the name of the actor has a control character");
    return OG_OK;
}

static og_status set_target(og_session *s, const og_session_options *o, og_error *err)
{
    s->target = (og_target){.branch = s->branch};
    if (o->snapshot != NULL && o->at != NULL)
        return og_error_set(err, OG_INVALID, "a session reads a snapshot or a time, not both");
    if (o->at != NULL)
        return og_target_set_moment(&s->target, o->at, err);
    if (o->snapshot == NULL)
        return OG_OK;
    s->snapshot = og_strdup(o->snapshot);
    if (s->snapshot == NULL)
        return og_error_nomem(err);
    og_target_set_snapshot(&s->target, s->snapshot);
    return OG_OK;
}

og_status og_session_open(og_graph *graph, const og_session_options *options, og_session **out,
                          og_error *err)
{
    og_session_options known = OG_SESSION_OPTIONS_INIT;
    og_api__read_options(&known, sizeof known, options);
    const og_session_options *o = &known;
    if (o->actor != NULL)
        OG_TRY(check_actor(og_str_of(o->actor), err));
    og_session *s = og_calloc(1, sizeof *s);
    if (s == NULL)
        return og_error_nomem(err);
    s->graph = graph;
    s->branch = og_strdup(o->branch != NULL ? o->branch : "main");
    s->actor = o->actor != NULL ? og_strdup(o->actor) : NULL;
    s->memory_bytes = o->memory_bytes;
    s->timeout_ms = o->timeout_ms;
    s->lenient = o->lenient;
    bool has_texts = s->branch != NULL && (o->actor == NULL || s->actor != NULL);
    og_status status = has_texts ? set_target(s, o, err) : og_error_nomem(err);
    if (status != OG_OK) {
        og_session_close(s);
        return status;
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
    og_free(session->snapshot);
    og_free(session);
}

og_status og_api__snapshot(og_session *session, og_snapshot **out, og_error *err)
{
    return og_repo_snapshot_at(session->graph->repo, &session->target, out, err);
}

og_status og_api__check_writable(const og_session *session, og_error *err)
{
    if (session->target.kind == OG_TARGET_BRANCH)
        return OG_OK;
    return og_error_set(err, OG_INVALID, "a session on a snapshot can't write");
}

void og_session_cancel(og_session *session)
{
    __atomic_store_n(&session->cancelled, 1, __ATOMIC_RELAXED);
}
