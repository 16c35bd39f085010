#include "graph/merge.h"

#include <stdlib.h>

#include "graph/branch.h"
#include "graph/commit.h"
#include "graph/history.h"
#include "graph/merge_priv.h"
#include "graph/target.h"

/* A target that others write meanwhile is merged again. */
#define MAX_ATTEMPTS 8

static void tables_free(og_graph__merge *m)
{
    for (size_t i = 0; m->tables != NULL && i < og_graph__merge_table_count(m); i++) {
        og_graph__merge_table *t = &m->tables[i];
        og_table_changes_deinit(&t->changes);
        og_vec_deinit(&t->taken);
        og_vec_deinit(&t->gone);
        og_vec_deinit(&t->disputed);
        og_u64map_free(t->touched);
        og_graph__ours_deinit(&t->mine);
    }
    og_free(m->tables);
}

static void merge_deinit(og_graph__merge *m)
{
    tables_free(m);
    og_vec_deinit(&m->conflicts);
    og_snapshot_unref(m->base);
    og_snapshot_unref(m->theirs);
    og_txn_free(m->txn);
    og_arena_free(m->arena);
}

void og_merge_output_deinit(og_merge_output *output)
{
    og_arena_free(output->arena);
    *output = (og_merge_output){0};
}

og_status og_graph__merge_check_stop(const og_graph__merge *m, og_error *err)
{
    const og_merge_input *in = m->input;
    if (in->cancel != NULL && __atomic_load_n(in->cancel, __ATOMIC_RELAXED) != 0)
        return og_error_set(err, OG_CANCELLED, "the merge was cancelled");
    if (in->deadline_ns != 0 && og_monotonic_ns() > in->deadline_ns)
        return og_error_set(err, OG_TIMEOUT, "the merge ran out of time");
    return OG_OK;
}

og_status og_graph__merge_open(og_graph__merge *m, og_graph__merge_table *t, og_error *err)
{
    OG_TRY(og_snapshot_table(m->base, t->def, &t->base, err));
    OG_TRY(og_snapshot_table(og_txn_snapshot(m->txn), t->def, &t->ours, err));
    return og_snapshot_table(m->theirs, t->def, &t->theirs, err);
}

/* ---- base, ours and theirs ---------------------------------------------------------------- */

/* Where the merge begins. The history of each side is that of the snapshot which is compared. */
typedef struct sides {
    OG_VEC(og_history *) histories; /* of the source, of the target, then of all but the target */
    const og_commit_info *base, *source_head, *target_head;
    og_graph__lives lives;
    bool is_stale; /* a side was deleted and made again: all is done anew */
} sides;

static void sides_deinit(sides *s)
{
    for (size_t i = 0; i < s->histories.len; i++)
        og_history_free(s->histories.items[i]);
    og_vec_deinit(&s->histories);
    og_graph__lives_deinit(&s->lives);
}

static og_status add_history(og_graph__merge *m, sides *s, const char *branch, og_error *err)
{
    if (!og_vec_reserve(&s->histories, 1))
        return og_error_nomem(err);
    OG_TRY(og_history_open(m->repo, branch, &s->histories.items[s->histories.len], err));
    s->histories.len++;
    return OG_OK;
}

/* Is the branch still the one that the snapshot is of? From now on what its history has is looked
 * for, even if it is deleted meanwhile. */
static og_status check_life(og_graph__merge *m, sides *s, og_snapshot *snapshot, og_error *err)
{
    og_lance_ref ref;
    const og_graph__branch *branch = og_graph__branch_of(snapshot);
    if (branch->is_main)
        return OG_OK;
    OG_TRY(og_graph__branch_ref(m->repo, branch, m->arena, &ref, err));
    s->is_stale |=
        !og_str_is(ref.forks[ref.fork_count - 1].id, og_graph__snapshot_of(snapshot)->branch_id);
    return og_graph__lives_add(&s->lives, &ref, err);
}

static og_status add_side(og_graph__merge *m, sides *s, og_snapshot *snapshot, og_error *err)
{
    if (!og_vec_reserve(&s->histories, 1))
        return og_error_nomem(err);
    OG_TRY(og_history_of(snapshot, &s->histories.items[s->histories.len], err));
    s->histories.len++;
    return check_life(m, s, snapshot, err);
}

static const char *branch_name(const char *name)
{
    return name != NULL ? name : "main";
}

static og_status head_of(og_history *history, const char *branch, const char *what,
                         const og_commit_info **out, og_error *err)
{
    OG_TRY(og_history_head(history, out, err));
    if (*out == NULL)
        return og_error_set(err, OG_CORRUPT, "%s branch '%s' has no head commit", what, branch);
    return OG_OK;
}

static og_status find_source(og_graph__merge *m, sides *s, og_error *err)
{
    const char *name = m->input->source;
    OG_TRY(og_repo_snapshot(m->repo, name, &m->theirs, err));
    OG_TRY(add_side(m, s, m->theirs, err));
    return head_of(s->histories.items[0], name, "source", &s->source_head, err);
}

static og_status begin_target(og_graph__merge *m, bool in_turn, sides *s, og_error *err)
{
    OG_AUTO_BUF merged = OG_BUF_INIT;
    const char *name = branch_name(m->input->target);
    og_buf_str(&merged, s->source_head->id);
    og_txn_options options = {.branch = m->input->target,
                              .actor = m->input->actor,
                              .kind = "BranchMerge",
                              .merged_parent = og_buf_cstr(&merged),
                              .in_turn = in_turn};
    /* Its head may be one that it inherited. */
    if (og_str_is(s->source_head->branch, og_graph__branch_of(m->theirs)->name))
        options.merged_branch_id = og_graph__snapshot_of(m->theirs)->branch_id;
    OG_TRY(og_txn_begin(m->repo, &options, &m->txn, err));
    OG_TRY(add_side(m, s, og_txn_snapshot(m->txn), err));
    return head_of(s->histories.items[1], name, "target", &s->target_head, err);
}

static og_status open_base(og_graph__merge *m, const og_commit_info *base, og_error *err)
{
    OG_AUTO_BUF branch = OG_BUF_INIT;
    og_buf_str(&branch, base->branch);
    og_target target = {.kind = OG_TARGET_VERSION,
                        .branch = base->branch.len > 0 ? og_buf_cstr(&branch) : NULL,
                        .version = base->manifest_version};
    og_status s = og_repo_snapshot_at(m->repo, &target, &m->base, err);
    if (s != OG_OK)
        og_error_context(err, s, "the commit at which the branches were last the same");
    return s;
}

/* A third branch that both sides merged leads to commits which only it knows, and the target may
 * have merged what the source got after we looked at it. What either head comes from was there
 * before the target was read, so histories that are read now know it. A branch that was deleted
 * meanwhile tells nothing. */
static og_status add_other_histories(og_graph__merge *m, sides *s, og_error *err)
{
    og_str *names;
    size_t count;
    const char *target = branch_name(m->input->target);
    OG_TRY(og_repo_branches(m->repo, m->arena, &names, &count, err));
    for (size_t i = 0; i < count; i++) {
        if (og_str_is(names[i], target))
            continue;
        og_status status = add_history(m, s, names[i].ptr, err);
        if (status != OG_OK && status != OG_NOT_FOUND)
            return status;
    }
    return OG_OK;
}

static og_status find_base(og_graph__merge *m, sides *s, og_error *err)
{
    bool unknown;
    for (int attempt = 0; attempt < 2; attempt++) {
        OG_TRY(og_graph__merge_base_among(s->histories.items, s->histories.len, &s->lives, &s->base,
                                          &unknown, err));
        if (!unknown || attempt > 0)
            break;
        OG_TRY(add_other_histories(m, s, err));
    }
    if (s->base == NULL)
        return og_error_set(err, OG_INVALID, "branches have no common ancestor");
    return OG_OK;
}

static og_status find_sides(og_graph__merge *m, bool in_turn, sides *s, og_error *err)
{
    OG_TRY(find_source(m, s, err));
    OG_TRY(begin_target(m, in_turn, s, err));
    return find_base(m, s, err);
}

/* ---- tables ------------------------------------------------------------------------------- */

static const og_table_info *info_of(og_snapshot *snapshot, og_str table_key)
{
    size_t count;
    const og_table_info *infos = og_snapshot_tables(snapshot, &count);
    for (size_t i = 0; i < count; i++)
        if (og_str_eq(infos[i].table_key, table_key))
            return &infos[i];
    return NULL;
}

/* Equal pins: equal content. */
static bool is_same_pin(const og_table_info *a, const og_table_info *b)
{
    return a != NULL && b != NULL && a->version == b->version &&
           og_str_eq(a->table_branch, b->table_branch);
}

/* Tables that may have to be written: theirs is another version than base, and than ours. */
static og_status find_candidates(og_graph__merge *m, const og_type_def **out, size_t *out_count,
                                 og_error *err)
{
    const og_catalog *c = m->catalog;
    *out_count = 0;
    for (size_t i = 0; i < og_graph__merge_table_count(m); i++) {
        const og_type_def *def = i < c->node_count ? &c->nodes[i] : &c->edges[i - c->node_count];
        m->tables[i].def = def;
        const og_table_info *theirs = info_of(m->theirs, def->table_key);
        if (theirs == NULL)
            return og_error_set(err, OG_CORRUPT, "branch '%s' has no table %.*s", m->input->source,
                                OG_FMT(def->table_key));
        bool moved = !is_same_pin(theirs, info_of(m->base, def->table_key)) &&
                     !is_same_pin(theirs, info_of(og_txn_snapshot(m->txn), def->table_key));
        if (moved)
            out[(*out_count)++] = def;
    }
    return OG_OK;
}

static int by_key(const void *a, const void *b)
{
    return og_str_cmp((*(const og_type_def *const *)a)->table_key,
                      (*(const og_type_def *const *)b)->table_key);
}

/* Heads that nobody published are settled before anything is read. If that, or another's commit,
 * moved the target, the base may be another, too: begin anew. */
static og_status prepare_tables(og_graph__merge *m, const og_type_def *const *defs, size_t count,
                                og_error *err)
{
    uint64_t was = og_txn_snapshot(m->txn)->manifest_version;
    OG_TRY(og_txn_prepare(m->txn, defs, count, err));
    if (og_txn_snapshot(m->txn)->manifest_version == was)
        return OG_OK;
    og_error_set(err, OG_CONFLICT, "the target of this merge is being written by others");
    return og_graph__retryable(err);
}

/* In the order of table keys, so that conflicts stand in it. */
static og_status plan_tables(og_graph__merge *m, og_error *err)
{
    size_t count = og_graph__merge_table_count(m);
    OG_AUTO_FREE const og_type_def **defs = og_calloc(count, sizeof *defs);
    m->tables = og_calloc(count, sizeof *m->tables);
    if (m->tables == NULL || defs == NULL)
        return og_error_nomem(err);
    OG_TRY(find_candidates(m, defs, &count, err));
    if (!m->input->preview)
        OG_TRY(prepare_tables(m, defs, count, err));
    qsort(defs, count, sizeof *defs, by_key);
    for (size_t i = 0; i < count; i++) {
        og_graph__merge_table *t = og_graph__merge_table_of(m, defs[i]);
        OG_TRY(og_graph__merge_open(m, t, err));
        OG_TRY(og_graph__merge_plan(m, t, err));
    }
    return og_graph__merge_check(m, err);
}

/* ---- the result --------------------------------------------------------------------------- */

static bool moves_rows(const og_graph__merge_table *t)
{
    return t->taken.len + t->gone.len > 0;
}

static og_graph__merge_counts counts_of(const og_graph__merge_table *t)
{
    og_graph__merge_counts counts = {.def = t->def, .deleted = t->gone.len};
    for (size_t i = 0; i < t->taken.len; i++)
        *(t->taken.items[i].ours != OG_NO_SLOT ? &counts.updated : &counts.inserted) += 1;
    if (t->changes.reason != OG_LANCE_DELTA_EXACT)
        counts.full_reason = og_lance_delta_reason_text(t->changes.reason);
    return counts;
}

static int by_table(const void *a, const void *b)
{
    const og_graph__merge_counts *x = a, *y = b;
    return og_str_cmp(x->def->table_key, y->def->table_key);
}

static og_status set_result(og_graph__merge *m, og_merge_outcome outcome, og_merge_output *out,
                            og_error *err)
{
    size_t table_count = m->tables != NULL ? og_graph__merge_table_count(m) : 0;
    og_graph__merge_counts *tables =
        og_arena_array_of(m->arena, og_graph__merge_counts, table_count + 1);
    const og_graph__conflict *conflicts =
        og_arena_copy(m->arena, m->conflicts.items, m->conflicts.len * sizeof *m->conflicts.items);
    if (tables == NULL || (m->conflicts.len > 0 && conflicts == NULL))
        return og_error_nomem(err);
    out->outcome = m->conflicts.len > 0 ? OG_MERGE_CONFLICTS : outcome;
    out->conflicts = conflicts;
    out->conflict_count = m->conflicts.len;
    out->tables = tables;
    for (size_t i = 0; i < table_count; i++)
        if (moves_rows(&m->tables[i]))
            tables[out->table_count++] = counts_of(&m->tables[i]);
    qsort(tables, out->table_count, sizeof *tables, by_table);
    return OG_OK;
}

static og_status publish(og_graph__merge *m, og_merge_output *out, og_error *err)
{
    for (size_t i = 0; i < og_graph__merge_table_count(m); i++)
        OG_TRY(og_graph__merge_apply(m, &m->tables[i], err));
    OG_TRY(og_graph__merge_check_stop(m, err));
    OG_TRY(og_txn_commit(m->txn, &out->commit, err));
    out->committed = true;
    return OG_OK;
}

static og_status merge_sides(og_graph__merge *m, const sides *s, og_merge_output *out,
                             og_error *err)
{
    if (og_str_eq(s->base->id, s->source_head->id))
        return set_result(m, OG_MERGE_ALREADY_UP_TO_DATE, out, err);
    bool is_forward = og_str_eq(s->base->id, s->target_head->id);
    OG_TRY(open_base(m, s->base, err));
    OG_TRY(plan_tables(m, err));
    OG_TRY(set_result(m, is_forward ? OG_MERGE_FAST_FORWARD : OG_MERGE_MERGED, out, err));
    return m->input->preview || out->conflict_count > 0 ? OG_OK : publish(m, out, err);
}

/* One attempt. *out_again: the target moved, nothing was written; a new one may succeed. */
static og_status attempt(og_graph__merge *m, bool in_turn, og_merge_output *out, bool *out_again,
                         og_error *err)
{
    sides s = {.lives = {.repo = m->repo}};
    *out_again = false;
    m->arena = og_arena_new(0);
    if (m->arena == NULL)
        return og_error_nomem(err);
    og_status status = find_sides(m, in_turn, &s, err);
    if (status == OG_OK && s.is_stale)
        *out_again = true;
    else if (status == OG_OK)
        status = merge_sides(m, &s, out, err);
    sides_deinit(&s);
    if (status == OG_CONFLICT)
        *out_again = true;
    return status;
}

static og_status check_distinct(og_repo *repo, const og_merge_input *input, og_error *err)
{
    og_graph__branch *source, *target;
    OG_TRY(og_graph__branch_get(repo, input->source, &source, err));
    OG_TRY(og_graph__branch_get(repo, input->target, &target, err));
    if (source != target)
        return OG_OK;
    og_error_set(err, OG_INVALID, "branch_merge requires distinct source and target branches");
    og_error_hint(err, "It would merge '%s' into itself: name another target with --into.",
                  source->name);
    return OG_INVALID;
}

og_status og_merge_run(og_repo *repo, const og_merge_input *input, og_merge_output *out,
                       og_error *err)
{
    OG_TRY(check_distinct(repo, input, err));
    og_status s = OG_OK;
    bool again = true;
    for (int i = 0; i < MAX_ATTEMPTS && again; i++) {
        og_graph__merge m = {.repo = repo, .input = input, .catalog = og_repo_catalog(repo)};
        og_merge_output result = {0};
        s = attempt(&m, i > 0 && !input->preview, &result, &again, err);
        if (s == OG_OK && !again) {
            result.source.version = m.theirs->manifest_version;
            memcpy(result.source.branch_id, og_graph__snapshot_of(m.theirs)->branch_id,
                   sizeof result.source.branch_id);
            result.arena = OG_TAKE(m.arena);
            *out = result;
        }
        merge_deinit(&m);
    }
    if (s != OG_OK || !again)
        return s;
    og_error_set(err, OG_CONFLICT, "branches of this merge are being written by others");
    return og_graph__retryable(err);
}
