#include "graph/retain.h"

#include <inttypes.h>

#include "base/vec.h"
#include "graph/history.h"
#include "graph/layout.h"
#include "graph/repo_priv.h"
#include "lance/table/branch.h"

/* Work that is done once for all branches. */
typedef struct survey {
    og_repo *repo;
    const og_lance_cleanup_options *bounds;
    og_graph__retained *out;
    og_arena *arena;
    og_str *branches; /* without main */
    size_t branch_count;
    OG_VEC(og_history *) histories;
} survey;

static void survey_deinit(survey *s)
{
    for (size_t i = 0; i < s->histories.len; i++)
        og_history_free(s->histories.items[i]);
    og_vec_deinit(&s->histories);
    og_arena_free(s->arena);
}

void og_graph__retained_deinit(og_graph__retained *retained)
{
    og_strmap_free(retained->versions);
    og_lance_refs_deinit(&retained->refs);
    *retained = (og_graph__retained){0};
}

og_lance_cleanup_options og_graph__cleanup_bounds(const og_cleanup_input *input, int64_t now_us)
{
    int64_t age = input->older_than_us < now_us ? input->older_than_us : now_us;
    return (og_lance_cleanup_options){.now_us = now_us,
                                      .by_age = input->by_age,
                                      .by_count = input->by_count,
                                      .before_us = now_us - age,
                                      .keep_behind = input->keep};
}

/* ---- the set -------------------------------------------------------------------------------- */

static og_status retain(og_graph__retained *r, const char *path, uint64_t version, og_error *err)
{
    OG_AUTO_BUF key = OG_BUF_INIT;
    if (!og_buf_printf(&key, "%s@%" PRIu64, path, version) ||
        og_strmap_put(r->versions, og_buf_view(&key), NULL) == NULL)
        return og_error_nomem(err);
    uint64_t *newest = og_strmap_put(r->versions, og_str_of(path), NULL);
    if (newest == NULL)
        return og_error_nomem(err);
    if (version > *newest)
        *newest = version;
    return OG_OK;
}

bool og_graph__is_retained(void *context, const char *path, uint64_t version)
{
    const og_graph__retained *r = context;
    OG_AUTO_BUF key = OG_BUF_INIT;
    /* When there is no memory to ask with, it stays. */
    return !og_buf_printf(&key, "%s@%" PRIu64, path, version) ||
           og_strmap_get(r->versions, og_buf_view(&key)) != NULL;
}

bool og_graph__must_stay(void *context, const char *path, uint64_t version)
{
    const og_graph__retained *r = context;
    const uint64_t *newest = og_strmap_get(r->versions, og_str_of(path));
    return newest == NULL || version > *newest || og_graph__is_retained(context, path, version);
}

bool og_graph__is_place_retained(const og_graph__retained *retained, const char *path)
{
    return og_strmap_get(retained->versions, og_str_of(path)) != NULL;
}

static og_status retain_on_branch(survey *s, const char *dataset, og_str branch, uint64_t version,
                                  og_error *err)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    if (!og_lance_branch_path(&path, dataset, branch))
        return og_error_nomem(err);
    return retain(s->out, og_buf_cstr(&path), version, err);
}

/* ---- where branches meet -------------------------------------------------------------------- */

static og_status open_histories(survey *s, og_error *err)
{
    for (size_t i = 0; i <= s->branch_count; i++) {
        const char *name = NULL;
        if (i > 0 && (name = og_arena_str(s->arena, s->branches[i - 1]).ptr) == NULL)
            return og_error_nomem(err);
        og_history *history;
        OG_TRY(og_history_open(s->repo, name, &history, err));
        if (!og_vec_push(&s->histories, history)) {
            og_history_free(history);
            return og_error_nomem(err);
        }
    }
    return OG_OK;
}

/* A merge of two branches needs the state at which they were last the same: as their own histories
 * know it, should other branches be deleted, and as all know it. */
static og_status retain_base_among(survey *s, og_history *const *histories, size_t count,
                                   bool *out_unknown, og_error *err)
{
    const og_commit_info *base;
    OG_TRY(og_graph__merge_base_among(histories, count, NULL, &base, out_unknown, err));
    return base == NULL
               ? OG_OK
               : retain_on_branch(s, OG_GRAPH__MANIFEST, base->branch, base->manifest_version, err);
}

static og_status retain_pair(survey *s, size_t i, size_t k, og_history **room, og_error *err)
{
    size_t n = 0;
    bool unknown;
    room[n++] = s->histories.items[i];
    room[n++] = s->histories.items[k];
    OG_TRY(retain_base_among(s, room, n, &unknown, err));
    if (!unknown)
        return OG_OK;
    for (size_t h = 0; h < s->histories.len; h++)
        if (h != i && h != k)
            room[n++] = s->histories.items[h];
    return retain_base_among(s, room, n, &unknown, err);
}

static og_status retain_merge_bases(survey *s, og_error *err)
{
    if (s->branch_count == 0)
        return OG_OK;
    OG_TRY(open_histories(s, err));
    OG_AUTO_FREE og_history **room = og_calloc(s->histories.len, sizeof *room);
    if (room == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < s->histories.len; i++)
        for (size_t k = i + 1; k < s->histories.len; k++)
            OG_TRY(retain_pair(s, i, k, room, err));
    return OG_OK;
}

static og_status retain_refs(survey *s, og_error *err)
{
    const og_lance_refs *refs = &s->out->refs;
    for (uint32_t i = 0; i < refs->tag_count; i++)
        OG_TRY(retain_on_branch(s, OG_GRAPH__MANIFEST, refs->tags[i].branch, refs->tags[i].version,
                                err));
    for (uint32_t i = 0; i < refs->branch_count; i++)
        OG_TRY(retain_on_branch(s, OG_GRAPH__MANIFEST, refs->branches[i].parent,
                                refs->branches[i].parent_version, err));
    return OG_OK;
}

/* ---- versions of `__manifest` and what they pin --------------------------------------------- */

/* By its number alone. */
static bool is_near(const og_lance_cleanup_options *o, uint64_t version, uint64_t newest)
{
    /* The newest one is the cleanup's own mark; the last commit stands before it. */
    return newest - version <= 1 || (o->by_count && newest - version - 1 <= o->keep_behind);
}

static bool is_young(const og_lance_cleanup_options *o, const og_lance_table *manifest)
{
    return o->by_age && og_lance_table_timestamp_us(manifest) >= o->before_us;
}

static og_status retain_pins(survey *s, og_lance_table *manifest, og_error *err)
{
    OG_AUTO(og_graph__state) state = NULL;
    OG_TRY(og_graph__state_read(manifest, &state, err));
    for (size_t i = 0; i < state->pin_count; i++) {
        OG_AUTO_BUF path = OG_BUF_INIT;
        if (!og_graph__pin_path(&path, &state->pins[i]))
            return og_error_nomem(err);
        OG_TRY(retain(s->out, og_buf_cstr(&path), state->pins[i].version, err));
    }
    return OG_OK;
}

static og_status retain_branch(survey *s, og_str branch, og_error *err)
{
    OG_AUTO_BUF buf = OG_BUF_INIT;
    if (!og_lance_branch_path(&buf, OG_GRAPH__MANIFEST, branch))
        return og_error_nomem(err);
    const char *path = og_buf_cstr(&buf);
    OG_AUTO_FREE uint64_t *versions = NULL;
    size_t count;
    OG_TRY(og_lance_list_versions(s->repo->env, path, &versions, &count, err));
    for (size_t i = count; i-- > 0;) {
        OG_AUTO(og_lance_table) manifest = NULL;
        bool stays = is_near(s->bounds, versions[i], versions[count - 1]) ||
                     og_graph__is_retained(s->out, path, versions[i]);
        if (!stays && !s->bounds->by_age)
            continue; /* there may be very many: they are not even opened */
        OG_TRY(og_lance_table_open(s->repo->env, path, versions[i], 0, &manifest, err));
        if (!stays && !is_young(s->bounds, manifest))
            continue;
        OG_TRY(retain(s->out, path, versions[i], err));
        OG_TRY(retain_pins(s, manifest, err));
    }
    return OG_OK;
}

static bool has_branch(const og_lance_refs *refs, const og_lance_branch *wanted)
{
    bool found = false;
    for (uint32_t i = 0; i < refs->branch_count && !found; i++)
        found = og_str_eq(refs->branches[i].name, wanted->name) &&
                refs->branches[i].parent_version == wanted->parent_version &&
                refs->branches[i].created_s == wanted->created_s;
    return found;
}

/* A branch that was made since the first look may be of a state that its source had left when that
 * was looked at. OG_NOT_FOUND: there is one. */
static og_status check_branches(const survey *s, og_error *err)
{
    og_lance_refs now;
    bool same = true;
    OG_TRY(og_lance_refs_read(s->repo->env, OG_GRAPH__MANIFEST, &now, err));
    for (uint32_t i = 0; i < now.branch_count; i++)
        same &= has_branch(&s->out->refs, &now.branches[i]);
    og_lance_refs_deinit(&now);
    return same ? OG_OK
                : og_error_set(err, OG_NOT_FOUND,
                               "branches were made while it was seen what to keep");
}

static og_status name_branches(survey *s, og_error *err)
{
    const og_lance_refs *refs = &s->out->refs;
    s->branches = og_arena_array_of(s->arena, og_str, refs->branch_count + 1);
    if (s->branches == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < refs->branch_count; i++)
        if (og_lance_branch_is_safe(refs->branches[i].name))
            s->branches[s->branch_count++] = refs->branches[i].name;
    return OG_OK;
}

static og_status run(survey *s, og_error *err)
{
    s->arena = og_arena_new(0);
    s->out->versions = og_strmap_new(false);
    if (s->arena == NULL || s->out->versions == NULL)
        return og_error_nomem(err);
    /* One look at the branches: of two, a delete that puts its ref back could be missed by one. */
    OG_TRY(og_lance_refs_read(s->repo->env, OG_GRAPH__MANIFEST, &s->out->refs, err));
    OG_TRY(name_branches(s, err));
    OG_TRY(retain_refs(s, err));
    OG_TRY(retain_merge_bases(s, err));
    OG_TRY(retain_branch(s, OG_STR(""), err));
    for (size_t i = 0; i < s->branch_count; i++)
        OG_TRY(retain_branch(s, s->branches[i], err));
    return check_branches(s, err);
}

og_status og_graph__retain(og_repo *repo, const og_lance_cleanup_options *bounds,
                           og_graph__retained *out, og_error *err)
{
    survey s = {.repo = repo, .bounds = bounds, .out = out};
    og_status status = run(&s, err);
    survey_deinit(&s);
    if (status != OG_OK)
        og_graph__retained_deinit(out);
    return status;
}
