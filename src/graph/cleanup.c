#include "graph/cleanup.h"

#include <stdio.h>
#include <stdlib.h>

#include "graph/fence.h"
#include "graph/layout.h"
#include "graph/repo_priv.h"
#include "graph/retain.h"

/* Longer than it takes to create a branch, of whose refs that of the DAG comes first. */
#define BRANCH_CREATION_S 600
#define MAX_BEGINNINGS 4
#define MAX_LOOKS 16 /* at all branches, which others make and delete as fast as they can */
#define DAY_US (INT64_C(24) * 3600 * 1000000)

void og_cleanup_output_deinit(og_cleanup_output *output)
{
    for (size_t i = 0; i < output->count; i++)
        og_free(output->tables[i].error);
    og_free(output->tables);
    *output = (og_cleanup_output){0};
}

static int by_key(const void *a, const void *b)
{
    return og_str_cmp(((const og_cleanup_table *)a)->def->table_key,
                      ((const og_cleanup_table *)b)->def->table_key);
}

static og_status list_tables(og_repo *repo, og_cleanup_output *out, og_error *err)
{
    const og_catalog *catalog = og_repo_catalog(repo);
    size_t count = (size_t)catalog->node_count + catalog->edge_count;
    out->tables = og_calloc(count + 1, sizeof *out->tables);
    if (out->tables == NULL)
        return og_error_nomem(err);
    out->count = count;
    for (uint32_t i = 0; i < catalog->node_count; i++)
        out->tables[i].def = &catalog->nodes[i];
    for (uint32_t i = 0; i < catalog->edge_count; i++)
        out->tables[catalog->node_count + i].def = &catalog->edges[i];
    qsort(out->tables, count, sizeof *out->tables, by_key);
    return OG_OK;
}

/* ---- cleaning -------------------------------------------------------------------------------- */

typedef struct cleaning {
    og_repo *repo;
    og_lance_cleanup_options options; /* pins what is retained */
    og_graph__retained retained;
    og_graph__cleanup_mark mark;
    og_arena *arena;
    int64_t orphan_age_s;
} cleaning;

static void cleaning_deinit(cleaning *c)
{
    og_graph__retained_deinit(&c->retained);
    og_arena_free(c->arena);
}

/* A branch of a dataset that the graph does not have, and that no retained version pins. */
static bool is_orphan(const cleaning *c, const char *dataset, const og_lance_branch *branch)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    int64_t age_s = og_repo_now_us(c->repo) / 1000000 - branch->created_s;
    return og_lance_branch_path(&path, dataset, branch->name) &&
           og_lance_refs_branch(&c->retained.refs, branch->name) == NULL &&
           age_s >= c->orphan_age_s &&
           !og_graph__is_place_retained(&c->retained, og_buf_cstr(&path));
}

static og_status exists(cleaning *c, og_str branch, bool *out, og_error *err)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    uint64_t bytes;
    if (!og_lance_branch_ref_name(&name, OG_GRAPH__MANIFEST, branch))
        return og_error_nomem(err);
    og_status s = c->repo->store->ops->head(c->repo->store, og_buf_cstr(&name), &bytes, err);
    *out = s == OG_OK;
    return s == OG_NOT_FOUND ? OG_OK : s;
}

/* The branch is gone, and the delete that took its ref does not put it back: it marked the versions
 * first, so one that is not at its end is seen here, and it finds our mark above its own, or we its
 * ref (put_back in branch_ops.c). *out false: somebody has the name. */
static og_status end_branch(cleaning *c, og_str branch, og_lance_branch_slots *out_slots,
                            bool *out_is_gone, og_error *err)
{
    og_store *store = c->repo->store;
    bool is_there;
    *out_slots = (og_lance_branch_slots){0};
    OG_TRY(exists(c, branch, &is_there, err));
    if (!is_there) {
        OG_TRY(og_lance_branch_survey(store, OG_GRAPH__MANIFEST, branch, out_slots, err));
        uint64_t newest = out_slots->newest, floor = out_slots->floor;
        if (newest > 0 && floor > 0) {
            out_slots->floor = (newest > floor ? newest : floor) + 1;
            OG_TRY(og_lance_branch_mark(store, OG_GRAPH__MANIFEST, branch, out_slots->floor, err));
            OG_TRY(exists(c, branch, &is_there, err));
        }
    }
    *out_is_gone = !is_there;
    return OG_OK;
}

/* Of a branch of a dataset. Whoever uses the name again must not use the numbers of its versions
 * again: what is derived from them goes by their numbers. */
typedef struct farewell {
    cleaning *c;
    const char *dataset;
} farewell;

static og_status say_farewell(void *context, og_str branch, bool *out_is_gone, og_error *err)
{
    const farewell *f = context;
    og_lance_branch_slots slots;
    OG_TRY(end_branch(f->c, branch, &slots, out_is_gone, err));
    if (!*out_is_gone)
        return OG_OK;
    OG_TRY(og_lance_branch_survey(f->c->repo->store, f->dataset, branch, &slots, err));
    return slots.newest > 0
               ? og_lance_branch_mark(f->c->repo->store, f->dataset, branch, slots.newest, err)
               : OG_OK;
}

static og_status drop_branch(cleaning *c, const char *dataset, og_str branch, og_error *err)
{
    farewell f = {c, dataset};
    const og_lance_last_look look = {say_farewell, &f};
    return og_lance_cleanup_branch(c->repo->env, dataset, branch, &look, err);
}

static og_status drop_orphans(cleaning *c, const char *dataset, og_error *err)
{
    og_lance_refs refs;
    OG_TRY(og_lance_refs_read(c->repo->env, dataset, &refs, err));
    og_status s = OG_OK;
    for (uint32_t i = 0; i < refs.branch_count && s == OG_OK; i++)
        if (is_orphan(c, dataset, &refs.branches[i]))
            s = drop_branch(c, dataset, refs.branches[i].name, err);
    og_lance_refs_deinit(&refs);
    return s;
}

/* A version that is gone when it is looked at, after it was listed, went with a branch that
 * somebody deleted: look again. What the first look had removed counts. */
static og_status sweep(og_repo *repo, const char *dataset, const og_lance_cleanup_options *options,
                       og_lance_cleanup_stats *out, og_error *err)
{
    og_status s = OG_NOT_FOUND;
    *out = (og_lance_cleanup_stats){0};
    for (int attempt = 0; s == OG_NOT_FOUND && attempt < MAX_BEGINNINGS; attempt++) {
        og_lance_cleanup_stats removed;
        s = og_lance_cleanup(repo->env, dataset, options, &removed, err);
        out->versions_removed += removed.versions_removed;
        out->files_removed += removed.files_removed;
        out->bytes_removed += removed.bytes_removed;
    }
    return s;
}

static og_status clean(cleaning *c, const char *dataset, og_lance_cleanup_stats *out, og_error *err)
{
    OG_TRY(og_graph__cleanup_lives(c->repo, &c->mark, err));
    OG_TRY(drop_orphans(c, dataset, err));
    return sweep(c->repo, dataset, &c->options, out, err);
}

static og_status clean_table(cleaning *c, og_cleanup_table *t, og_error *err)
{
    const char *path = og_arena_str(c->arena, t->def->table_path).ptr;
    if (path == NULL)
        return og_error_nomem(err);
    og_error why;
    og_status s = clean(c, path, &t->removed, &why);
    if (s == OG_OK || s == OG_NOT_FOUND) /* nothing is left of it to be cleaned */
        return OG_OK;
    t->error = og_strdup(why.message);
    return t->error != NULL ? OG_OK : og_error_nomem(err);
}

/* Nobody who began when files that nothing names were young enough to be left alone, and slept
 * since, may publish them now. A horizon a day is enough, so the time that counts is midnight. */
static og_status fence(cleaning *c, og_error *err)
{
    c->options.now_us -= c->options.now_us % DAY_US;
    int64_t horizon_ms = (c->options.now_us - OG_LANCE_STRAY_US) / 1000;
    og_str *names;
    size_t count;
    OG_TRY(og_repo_branches(c->repo, c->arena, &names, &count, err));
    for (size_t i = 0; i < count && horizon_ms > 0; i++) {
        const char *name = og_arena_str(c->arena, names[i]).ptr;
        og_graph__branch *branch;
        if (name == NULL)
            return og_error_nomem(err);
        OG_TRY(og_graph__branch_get(c->repo, name, &branch, err));
        OG_TRY(og_graph__gc_publish(c->repo, branch, (uint64_t)horizon_ms, err));
    }
    return OG_OK;
}

static bool is_parent(const og_lance_refs *refs, og_str branch)
{
    bool found = false;
    for (uint32_t i = 0; i < refs->branch_count && !found; i++)
        found = og_str_eq(refs->branches[i].parent, branch);
    return found;
}

/* Branches that were not among those looked at, and of which there still are versions: deletes that
 * are under way, or died, after the ref was gone. What they had is not kept, so they must not come
 * back. OG_NOT_FOUND: one has. */
static og_status end_deletes(cleaning *c, og_error *err)
{
    const og_lance_refs *refs = &c->retained.refs;
    og_store *store = c->repo->store;
    int64_t before_us = og_repo_now_us(c->repo) - BRANCH_CREATION_S * INT64_C(1000000);
    og_str *names;
    size_t count;
    OG_TRY(og_lance_branch_remains(store, OG_GRAPH__MANIFEST, c->arena, &names, &count, err));
    for (size_t i = 0; i < count; i++) {
        og_lance_branch_slots slots;
        bool is_gone;
        if (og_lance_refs_branch(refs, names[i]) != NULL)
            continue;
        OG_TRY(end_branch(c, names[i], &slots, &is_gone, err));
        if (!is_gone)
            return og_error_set(err, OG_NOT_FOUND, "branch '%.*s' came back", OG_FMT(names[i]));
        /* Other programs put a branch's first version before its ref, and a branch that was made of
         * it may need its versions. */
        if (slots.newest > 0 && slots.floor > slots.newest && slots.newest_put_us != 0 &&
            slots.newest_put_us < before_us && !is_parent(refs, names[i]))
            OG_TRY(og_lance_branch_clear(store, OG_GRAPH__MANIFEST, names[i], slots.floor, err));
    }
    return OG_OK;
}

static og_status begin(cleaning *c, const og_cleanup_input *input, og_error *err)
{
    c->arena = og_arena_new(0);
    if (c->arena == NULL)
        return og_error_nomem(err);
    c->options = og_graph__cleanup_bounds(input, og_repo_now_us(c->repo));
    OG_TRY(fence(c, err));
    OG_TRY(og_graph__retain(c->repo, &c->options, &c->retained, err));
    OG_TRY(end_deletes(c, err));
    c->options.is_pinned = og_graph__must_stay;
    c->options.context = &c->retained;
    return OG_OK;
}

/* A branch that is made or deleted while all are looked at means: look again. */
static og_status begin_anew(cleaning *c, const og_cleanup_input *input, og_error *err)
{
    og_status s = OG_NOT_FOUND;
    for (int attempt = 0; s == OG_NOT_FOUND && attempt < MAX_LOOKS; attempt++) {
        cleaning_deinit(c);
        *c = (cleaning){.repo = c->repo, .mark = c->mark};
        s = begin(c, input, err);
    }
    if (s == OG_NOT_FOUND && err != NULL && err->hint[0] == '\0')
        og_error_hint(err, "Others make and delete branches all the time; run it again.");
    return s;
}

static og_status run(cleaning *c, const og_cleanup_input *input, og_cleanup_output *out,
                     og_error *err)
{
    og_lance_cleanup_stats control;
    OG_TRY(begin_anew(c, input, err));
    OG_TRY(list_tables(c->repo, out, err));
    /* Its versions stay, every one: a slot that was free again could be taken by a writer that
     * slept since it built its version, and that would hold for published what nobody sees. */
    og_lance_cleanup_options strays = c->options;
    strays.by_age = strays.by_count = false;
    OG_TRY(sweep(c->repo, OG_GRAPH__MANIFEST, &strays, &control, err));
    for (size_t i = 0; i < out->count; i++)
        OG_TRY(clean_table(c, &out->tables[i], err));
    /* Derived: what is wrong with them never matters. A new branch begins here. */
    c->orphan_age_s = BRANCH_CREATION_S;
    c->options.is_pinned = og_graph__is_retained;
    (void)!clean(c, OG_GRAPH__COMMITS, &control, NULL);
    (void)!clean(c, OG_GRAPH__ACTORS, &control, NULL);
    return OG_OK;
}

og_status og_cleanup_run(og_repo *repo, const og_cleanup_input *input, og_cleanup_output *out,
                         og_error *err)
{
    *out = (og_cleanup_output){0};
    if (!input->by_count && !input->by_age)
        return og_error_set(err, OG_INVALID,
                            "cleanup requires at least one of --keep or --older-than");
    cleaning c = {.repo = repo};
    og_status s = og_graph__cleanup_begin(repo, &c.mark, err);
    if (s == OG_OK)
        s = run(&c, input, out, err);
    og_graph__cleanup_end(repo, &c.mark);
    cleaning_deinit(&c);
    if (s != OG_OK)
        og_cleanup_output_deinit(out);
    return s;
}
