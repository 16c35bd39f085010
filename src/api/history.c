/* The commits of a branch, one by one and as the command line prints them. */
#include "graph/history.h"

#include <inttypes.h>

#include "api/handles_priv.h"
#include "base/id.h"

static og_text text_of(og_str s)
{
    return (og_text){s.ptr, s.len};
}

static og_status hand_over(const og_commit_info *c, og_commit_fn take, void *context, og_error *err)
{
    const og_commit commit = {.id = text_of(c->id),
                              .parent = text_of(c->parent),
                              .merged_parent = text_of(c->merged_parent),
                              .branch = text_of(c->branch),
                              .actor = text_of(c->actor),
                              .operation = text_of(c->op),
                              .manifest_version = c->manifest_version,
                              .created_at_us = c->created_at_us};
    return take(context, &commit, err);
}

og_status og_commit_list(og_session *session, const og_commit_list_options *options,
                         og_commit_fn take, void *context, og_error *err)
{
    og_commit_list_options known = OG_COMMIT_LIST_OPTIONS_INIT;
    og_api__read_options(&known, sizeof known, options);
    OG_AUTO(og_history) history = NULL;
    OG_TRY(og_history_open(session->graph->repo, session->branch, &history, err));
    size_t count = SIZE_MAX; /* newest first, the history is read as far as it is asked for */
    const og_commit_info *commits = NULL, *c;
    if (!known.reverse)
        OG_TRY(og_history_commits(history, &commits, &count, err));
    uint64_t left = known.limit != 0 ? known.limit : UINT64_MAX;
    for (size_t i = 0; i < count && left > 0; i++) {
        if (known.reverse)
            OG_TRY(og_history_at(history, i, &c, err));
        else
            c = &commits[i];
        if (c == NULL)
            break;
        if (known.actor != NULL && !og_str_is(c->actor, known.actor))
            continue;
        OG_TRY(hand_over(c, take, context, err));
        left--;
    }
    return OG_OK;
}

og_status og_commit_show(og_session *session, const char *id, og_commit_fn take, void *context,
                         og_error *err)
{
    OG_AUTO(og_history) history = NULL;
    const og_commit_info *commit;
    og_ulid ulid;
    OG_TRY(og_history_find_any(session->graph->repo, og_ulid_canonical(og_str_of(id), &ulid),
                               &history, &commit, err));
    return hand_over(commit, take, context, err);
}

/* ---- printing ----------------------------------------------------------------------------- */

/* A listing is handed to the sink in pieces of about this size. */
#define PIECE_BYTES 65536

typedef struct printer {
    og_buf buf;
    int indent; /* of the object's braces */
    uint64_t written;
    og_sink_fn sink;
    void *sink_context;
} printer;

static void put_member(printer *p, const char *key, og_text text)
{
    og_buf_printf(&p->buf, ",\n%*s  \"%s\": ", p->indent, "", key);
    if (text.len > 0)
        og_json_write_str(&p->buf, og_api__str(text));
    else
        og_buf_text(&p->buf, "null");
}

static void write_json(printer *p, const og_commit *c)
{
    og_buf_printf(&p->buf, "{\n%*s  \"graph_commit_id\": ", p->indent, "");
    og_json_write_str(&p->buf, og_api__str(c->id));
    put_member(p, "manifest_branch", c->branch);
    og_buf_printf(&p->buf, ",\n%*s  \"manifest_version\": %" PRIu64, p->indent, "",
                  c->manifest_version);
    put_member(p, "parent_commit_id", c->parent);
    put_member(p, "merged_parent_commit_id", c->merged_parent);
    put_member(p, "actor_id", c->actor);
    og_buf_printf(&p->buf, ",\n%*s  \"created_at\": %" PRId64 "\n%*s}", p->indent, "",
                  c->created_at_us, p->indent, "");
}

static og_status flush_piece(printer *p, og_error *err)
{
    p->written++;
    if (p->buf.len < PIECE_BYTES && !p->buf.failed)
        return OG_OK;
    return og_api__flush(&p->buf, p->sink, p->sink_context, err);
}

static og_status list_json(void *context, const og_commit *c, og_error *err)
{
    printer *p = context;
    og_buf_text(&p->buf, p->written > 0 ? ",\n    " : "\n    ");
    write_json(p, c);
    return flush_piece(p, err);
}

static og_text branch_of(const og_commit *c)
{
    return c->branch.len > 0 ? c->branch : (og_text){"main", 4};
}

static og_status list_line(void *context, const og_commit *c, og_error *err)
{
    printer *p = context;
    og_text branch = branch_of(c);
    og_buf_printf(&p->buf, "%.*s branch=%.*s version=%" PRIu64, OG_FMT(c->id), OG_FMT(branch),
                  c->manifest_version);
    if (c->actor.len > 0) {
        og_buf_text(&p->buf, " actor=");
        og_buf_visible(&p->buf, og_api__str(c->actor), true);
    }
    og_buf_byte(&p->buf, '\n');
    return flush_piece(p, err);
}

og_status og_commit_list_print(og_session *session, const og_commit_list_options *options,
                               bool json, og_sink_fn sink, void *sink_context, og_error *err)
{
    printer p = {.buf = OG_BUF_INIT, .indent = 4, .sink = sink, .sink_context = sink_context};
    if (json)
        og_buf_text(&p.buf, "{\n  \"commits\": [");
    og_status s = og_commit_list(session, options, json ? list_json : list_line, &p, err);
    if (json)
        og_buf_text(&p.buf, p.written > 0 ? "\n  ]\n}\n" : "]\n}\n");
    if (s == OG_OK)
        s = og_api__flush(&p.buf, sink, sink_context, err);
    og_buf_deinit(&p.buf);
    return s;
}

static og_status show_json(void *context, const og_commit *c, og_error *err)
{
    (void)err;
    printer *p = context;
    write_json(p, c);
    og_buf_byte(&p->buf, '\n');
    return OG_OK;
}

static og_status show_lines(void *context, const og_commit *c, og_error *err)
{
    (void)err;
    printer *p = context;
    og_text branch = branch_of(c);
    og_buf_printf(&p->buf,
                  "graph_commit_id: %.*s\nmanifest_branch: %.*s\nmanifest_version: %" PRIu64 "\n",
                  OG_FMT(c->id), OG_FMT(branch), c->manifest_version);
    if (c->parent.len > 0)
        og_buf_printf(&p->buf, "parent_commit_id: %.*s\n", OG_FMT(c->parent));
    if (c->merged_parent.len > 0)
        og_buf_printf(&p->buf, "merged_parent_commit_id: %.*s\n", OG_FMT(c->merged_parent));
    if (c->actor.len > 0) {
        og_buf_text(&p->buf, "actor_id: ");
        og_buf_visible(&p->buf, og_api__str(c->actor), true);
        og_buf_byte(&p->buf, '\n');
    }
    og_buf_printf(&p->buf, "created_at: %" PRId64 "\n", c->created_at_us);
    return OG_OK;
}

og_status og_commit_show_print(og_session *session, const char *id, bool json, og_sink_fn sink,
                               void *sink_context, og_error *err)
{
    printer p = {.buf = OG_BUF_INIT};
    og_status s = og_commit_show(session, id, json ? show_json : show_lines, &p, err);
    if (s == OG_OK)
        s = og_api__flush(&p.buf, sink, sink_context, err);
    og_buf_deinit(&p.buf);
    return s;
}
