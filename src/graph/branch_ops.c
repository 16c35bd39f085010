#include "graph/branch_ops.h"

#include "graph/ahead.h"
#include "graph/commit.h"
#include "graph/dag.h"
#include "graph/fence.h"
#include "graph/foreign.h"
#include "graph/fork.h"
#include "graph/head_file.h"
#include "graph/later.h"
#include "graph/layout.h"
#include "graph/restore.h"
#include "graph/schema_files.h"

#define MAX_BEGINNINGS 4
#define TURN_WAIT_US 1000000
#define FIRST_WAIT_US 10000 /* for a cleanup; then twice as long each time */
#define LAST_WAIT_US 640000

/* ---- names -------------------------------------------------------------------------------- */

static og_status check_public(og_str name, const char *operation, og_error *err)
{
    if (!og_str_is(name, OG_GRAPH__SCHEMA_LOCK))
        return OG_OK;
    return og_error_set(err, OG_INVALID, "%s does not allow internal system ref '%.*s'", operation,
                        OG_FMT(name));
}

static og_status already_exists(const og_graph__branch *branch, og_error *err)
{
    og_error_set(err, OG_EXISTS, "branch '%s' already exists", branch->name);
    return OG_EXISTS;
}

static og_status check_absent(const og_repo *repo, const og_graph__branch *branch, og_error *err)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    uint64_t bytes;
    if (!og_lance_branch_ref_name(&name, OG_GRAPH__MANIFEST, og_str_of(branch->name)))
        return og_error_nomem(err);
    og_status s = repo->store->ops->head(repo->store, og_buf_cstr(&name), &bytes, err);
    if (s == OG_NOT_FOUND)
        return OG_OK;
    return s == OG_OK ? already_exists(branch, err) : s;
}

/* ---- descendants -------------------------------------------------------------------------- */

typedef og_status (*child_fn)(og_repo *repo, const og_graph__branch *branch, og_str child,
                              const og_lance_ref *ref, og_error *err);

/* It may be of any branch. */
static og_status unreadable_ref(og_str branch, og_error *err)
{
    og_error_hint(err, "Put the file back, or delete that branch: omnigraph branch delete %.*s",
                  OG_FMT(branch));
    return OG_CORRUPT;
}

/* Call `visit` for each branch that was made of this one, by name: the reference tells the first,
 * too. Forks, not names, make descendants. */
static og_status each_child(og_repo *repo, const og_graph__branch *branch, child_fn visit,
                            og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_str *names;
    size_t count;
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lance_branch_list(repo->store, OG_GRAPH__MANIFEST, arena, &names, &count, err));
    og_graph__expect_refs(repo->store, names, count, branch->name);
    for (size_t i = 0; i < count; i++) {
        og_lance_ref ref;
        if (og_str_is(names[i], branch->name))
            continue;
        og_status s =
            og_lance_branch_read(repo->store, OG_GRAPH__MANIFEST, names[i], arena, &ref, err);
        if (s == OG_NOT_FOUND)
            continue; /* deleted since the listing */
        if (s == OG_CORRUPT)
            return unreadable_ref(names[i], err);
        OG_TRY(s);
        if (og_str_is(ref.parent, branch->name))
            OG_TRY(visit(repo, branch, names[i], &ref, err));
    }
    return OG_OK;
}

/* As long as it has no first version it is read from its source. */
static og_status complete_child(og_repo *repo, const og_graph__branch *branch, og_str child,
                                const og_lance_ref *ref, og_error *err)
{
    OG_AUTO_BUF text = OG_BUF_INIT;
    OG_AUTO_BUF first = OG_BUF_INIT;
    og_graph__branch *known;
    uint64_t bytes;
    (void)branch;
    if (!og_buf_str(&text, child))
        return og_error_nomem(err);
    OG_TRY(og_graph__branch_get(repo, og_buf_cstr(&text), &known, err));
    if (!og_lance_manifest_name(&first, known->manifest_path, ref->first_version))
        return og_error_nomem(err);
    og_status s = repo->store->ops->head(repo->store, og_buf_cstr(&first), &bytes, err);
    if (s == OG_NOT_FOUND)
        s = og_graph__fork_complete(repo, known, err);
    return s == OG_NOT_FOUND ? OG_OK : s; /* it, or what it was made of, is gone */
}

/* ---- the parts of a new branch ------------------------------------------------------------ */

typedef struct creation {
    og_repo *repo;
    og_store *store;
    og_graph__branch *from, *to;
    og_snapshot *snapshot; /* of `from` */
    og_graph__dag dag;     /* of `from` */
    og_graph__fork commits, manifest;
    bool is_overtaken; /* nothing of it is there, and a new beginning may succeed */
} creation;

static void creation_free(creation *c)
{
    og_graph__fork_deinit(&c->commits);
    og_graph__fork_deinit(&c->manifest);
    og_graph__dag_deinit(&c->dag);
    og_snapshot_unref(c->snapshot);
    og_free(c);
}

/* A data set's branch, in memory. */
static og_status stage(creation *c, const char *path, og_lance_table *source,
                       const og_lance_branch_slots *slots, og_str commit_id, og_graph__fork *out,
                       og_error *err)
{
    og_str parent = c->from->is_main ? OG_STR("") : og_str_of(c->from->name);
    return og_graph__fork_stage(c->repo, path, parent, source, og_str_of(c->to->name), slots,
                                commit_id, out, err);
}

/* Versions of an earlier branch of the name, whose ref a power loss may have taken first, or
 * which its delete could not clear away: from the moment of the new ref they would pass for the
 * new branch's, and the commits in them for its history. Those that were there before the ref
 * was seen to be absent are nobody's; whoever makes the branch meanwhile puts its first version
 * above them. */
static og_status clear_leftovers(creation *c, const char *path, og_lance_branch_slots *out_slots,
                                 og_error *err)
{
    og_str name = og_str_of(c->to->name);
    OG_TRY(og_lance_branch_survey(c->store, path, name, out_slots, err));
    if (out_slots->newest == 0)
        return OG_OK;
    /* The mark first, and above all others: a delete that is about to put the branch's ref back
     * sees it, or we its ref. */
    uint64_t used = out_slots->newest > out_slots->floor ? out_slots->newest : out_slots->floor;
    uint64_t floor = used + 1;
    OG_TRY(og_lance_branch_mark(c->store, path, name, floor, err));
    OG_TRY(check_absent(c->repo, c->to, err));
    OG_TRY(each_child(c->repo, c->to, complete_child, err));
    /* Not what came behind the look: a delete may have put the ref back, and others have written. */
    OG_TRY(og_lance_branch_clear(c->store, path, name, used, err));
    return og_lance_branch_survey(c->store, path, name, out_slots, err);
}

/* Of the newest row of the source's DAG; "" when another program wrote it, or there is none. */
static og_str newest_commit(const creation *c)
{
    return c->dag.commits != NULL ? og_graph__newest_commit(c->dag.commits) : OG_STR("");
}

static og_status stage_commits(creation *c, og_error *err)
{
    og_lance_branch_slots slots;
    OG_TRY(clear_leftovers(c, OG_GRAPH__COMMITS, &slots, err));
    if (c->dag.commits == NULL)
        return OG_OK; /* derived: the first commit on the branch makes one */
    return stage(c, OG_GRAPH__COMMITS, c->dag.commits, &slots, newest_commit(c), &c->commits, err);
}

static og_status stage_manifest(creation *c, const og_lance_branch_slots *slots, og_error *err)
{
    return stage(c, OG_GRAPH__MANIFEST, og_graph__snapshot_of(c->snapshot)->manifest, slots,
                 OG_STR(""), &c->manifest, err);
}

/* ---- putting them there ------------------------------------------------------------------- */

/* The commit DAG's branch: derived, so a ref that is there belongs to nobody and is replaced. */
static void put_commits(creation *c)
{
    if (c->commits.write == NULL || og_graph__fork_put(c->store, &c->commits, NULL, NULL) != OG_OK)
        return;
    const char *ref = og_buf_cstr(&c->commits.ref_name);
    if (c->store->ops->put(c->store, ref, og_buf_bytes(&c->commits.ref), NULL) == OG_OK)
        (void)!c->store->ops->sync(c->store, &ref, 1, NULL);
}

static og_status unknown_create(const creation *c, og_error *err)
{
    og_error_context(err, OG_UNKNOWN, "the outcome of creating branch '%s' is unknown",
                     c->to->name);
    og_error_hint(err, "Show whether it exists with: omnigraph branch list --uri GRAPH");
    if (err != NULL)
        err->status = OG_UNKNOWN;
    return OG_UNKNOWN;
}

/* From here on the branch exists. Only whoever got its name puts a first version: another's, who
 * comes late, would stand above those of a living branch. */
static og_status put_ref(creation *c, og_error *err)
{
    const char *name = og_buf_cstr(&c->manifest.ref_name);
    og_status s = og_graph__put_once(c->store, name, og_buf_bytes(&c->manifest.ref), err);
    if (s == OG_EXISTS)
        return already_exists(c->to, err);
    if (s == OG_OK)
        s = c->store->ops->sync(c->store, &name, 1, err);
    return s != OG_UNKNOWN ? s : unknown_create(c, err);
}

/* Whoever writes on the branch puts its first version, unless another's is there. So put one of no
 * life: either others find it, and with it no branch, or we find theirs. */
static og_status keep_others_off(creation *c, bool *out_in_use, og_error *err)
{
    uint64_t version = c->manifest.staged->version;
    const og_lance_branch_slots below = {.newest = version - 1};
    og_graph__fork barrier = {0};
    bool ours = false;
    og_status s = stage(c, OG_GRAPH__MANIFEST, og_graph__snapshot_of(c->snapshot)->manifest, &below,
                        OG_STR(""), &barrier, err);
    if (s == OG_OK)
        s = og_graph__fork_put(c->store, &barrier, &ours, err);
    og_graph__fork_deinit(&barrier);
    *out_in_use = false;
    if (s != OG_OK || ours)
        return s;
    OG_AUTO(og_lance_table) first = NULL;
    s = og_lance_table_open(c->repo->env, c->to->manifest_path, version, 0, &first, err);
    *out_in_use =
        s == OG_OK &&
        og_str_is(og_lance_table_transaction_property(first, OG_STR("og.fork")), c->manifest.id);
    return s == OG_NOT_FOUND ? OG_OK : s; /* cleared away, as others deleted the branch */
}

/* OG_UNKNOWN: somebody has written on the branch, who may have been told that it was done; or that
 * can't be told. */
static og_status check_unused(creation *c, bool *out_in_use, og_error *err)
{
    *out_in_use = false;
    if (keep_others_off(c, out_in_use, err) != OG_OK)
        return unknown_create(c, err);
    if (!*out_in_use)
        return OG_OK;
    og_error_set(err, OG_UNKNOWN, "others use it already, but it may not be whole");
    return unknown_create(c, err);
}

/* Ours only: meanwhile others may have deleted the branch, and made one of that name. And only
 * while nobody has written on it. */
static og_status take_back(creation *c, og_error *err)
{
    const char *name = og_buf_cstr(&c->manifest.ref_name);
    og_bytes ref = og_buf_bytes(&c->manifest.ref);
    bool in_use;
    OG_TRY(check_unused(c, &in_use, err));
    og_status s = og_store_remove_same(c->store, name, ref, err);
    if (s == OG_NOT_FOUND || s == OG_EXISTS)
        return OG_OK;
    if (s != OG_OK)
        return unknown_create(c, err);
    /* A cleanup that clears away what an earlier life of the name left may have taken what kept
     * others off. From now on the missing ref does. */
    s = check_unused(c, &in_use, err);
    if (in_use && og_graph__put_once(c->store, name, ref, NULL) == OG_OK)
        (void)!c->store->ops->sync(c->store, &name, 1, NULL);
    return s;
}

/* Was the source deleted, or made anew, since its snapshot was read? An answer that can't be had
 * is a no. */
static bool is_source_gone(const creation *c)
{
    char id[OG_GRAPH__BRANCH_ID + 1];
    og_status s = og_graph__branch_id(c->repo, c->from, id, NULL);
    return s == OG_NOT_FOUND ||
           (s == OG_OK && strcmp(id, og_graph__snapshot_of(c->snapshot)->branch_id) != 0);
}

/* The source's delete looks for branches again when the source's ref is gone, and we look for
 * that ref when ours is there: one of us sees the other. */
static og_status check_source(creation *c, og_error *err)
{
    if (!is_source_gone(c))
        return OG_OK;
    OG_TRY(take_back(c, err));
    return og_graph__branch_not_found(c->from, err);
}

/* The name of the source's version after ours. */
static bool next_of_source(const creation *c, og_buf *out)
{
    const og_graph__snapshot *from = og_graph__snapshot_of(c->snapshot);
    return og_lance_manifest_name(out, c->from->manifest_path, from->state->manifest_version + 1);
}

/* OG_NOT_FOUND: a version of a table that the source's state pins is not there. */
static og_status find_pins(const creation *c, og_error *err)
{
    const og_graph__state *state = og_graph__snapshot_of(c->snapshot)->state;
    for (size_t i = 0; i < state->pin_count; i++) {
        OG_AUTO_BUF name = OG_BUF_INIT;
        uint64_t bytes;
        if (!og_graph__slot_name(&name, &state->pins[i], state->pins[i].version))
            return og_error_nomem(err);
        OG_TRY(c->store->ops->head(c->store, og_buf_cstr(&name), &bytes, err));
    }
    return OG_OK;
}

/* Does a cleanup go on, even if it is waited for? */
static bool is_cleaned_for_long(const creation *c)
{
    int64_t wait_us = FIRST_WAIT_US;
    while (og_graph__is_cleaned(c->repo)) {
        if (wait_us > LAST_WAIT_US)
            return true;
        og_clock_sleep(c->repo->clock, wait_us);
        wait_us *= 2;
    }
    return false;
}

/* A cleanup keeps what the newest state of the source pins, and looks for branches behind its look
 * at that. So as long as the source has not left the state that we made a branch of, now that our
 * ref is there, none takes anything of it. Else one that did not see our ref may be removing what
 * the state pins, or have done so.
 * next: the name of the source's version after that state. */
static og_status check_pins(creation *c, const char *next, og_error *err)
{
    uint64_t bytes;
    if (c->store->ops->head(c->store, next, &bytes, NULL) == OG_NOT_FOUND)
        return OG_OK;
    /* In this order: what a cleanup has taken that is over by now is missing. */
    if (!is_cleaned_for_long(c) && find_pins(c, NULL) == OG_OK)
        return OG_OK;
    OG_TRY(take_back(c, err));
    c->is_overtaken = true;
    og_error_set(err, OG_CONFLICT, "branch '%s' was written and cleaned up meanwhile",
                 c->from->name);
    return og_graph__retryable(err);
}

/* Was the branch made and deleted by others between our look at its marks and our ref? Then our
 * first version would have a number that was given already. Nobody else leaves marks now that
 * the ref is ours. */
static og_status check_floor(creation *c, og_error *err)
{
    og_lance_branch_slots slots;
    og_status s =
        og_lance_branch_survey(c->store, OG_GRAPH__MANIFEST, og_str_of(c->to->name), &slots, err);
    if (s != OG_OK)
        return unknown_create(c, err);
    if (slots.floor < c->manifest.staged->version)
        return OG_OK;
    OG_TRY(take_back(c, err));
    c->is_overtaken = true;
    og_error_set(err, OG_CONFLICT, "branch '%s' was made and deleted meanwhile", c->to->name);
    return og_graph__retryable(err);
}

/* What is known of the new branch without reading it back. Derived. */
static void remember(creation *c)
{
    og_graph__snapshot *from = og_graph__snapshot_of(c->snapshot);
    OG_AUTO(og_graph__state) state = NULL;
    OG_AUTO(og_lance_table) manifest = NULL;
    OG_AUTO(og_snapshot) snapshot = NULL;
    if (og_graph__state_advance(from->state, c->manifest.staged->version, NULL, 0, OG_STR(""), 0,
                                &state, NULL) != OG_OK ||
        og_lance_write_table(c->manifest.write, &manifest, NULL) != OG_OK)
        return;
    if (og_graph__snapshot_new(c->repo, c->to, c->manifest.id, state, manifest, c->snapshot,
                               &snapshot, NULL) != OG_OK)
        return;
    og_graph__repo_advance(snapshot);
    const og_graph__hints hints = {
        .commits = newest_commit(c).len > 0 ? c->commits.staged->version : 0,
        .actors = __atomic_load_n(&c->repo->actors_hint, __ATOMIC_RELAXED),
    };
    if (!c->repo->no_derived)
        og_graph__head_write(c->store, c->to->head_file, state,
                             og_lance_table_transaction_uuid(manifest), &hints);
}

/* Who published the source's version may not have synced it yet; a branch must not outlive what
 * it is of. */
static og_status sync_source(creation *c, og_error *err)
{
    const og_lance_table *manifest = og_graph__snapshot_of(c->snapshot)->manifest;
    OG_AUTO_BUF buf = OG_BUF_INIT;
    if (!og_lance_manifest_name(&buf, og_lance_table_path(manifest),
                                og_lance_table_version(manifest)))
        return og_error_nomem(err);
    const char *name = og_buf_cstr(&buf);
    og_status s = c->store->ops->sync(c->store, &name, 1, err);
    if (s != OG_OK && is_source_gone(c)) /* a cleanup took the version with its branch */
        return og_graph__branch_not_found(c->from, err);
    if (s == OG_UNKNOWN && err != NULL)
        err->status = OG_IO; /* of the sync: nothing of the branch is there */
    return s == OG_UNKNOWN ? OG_IO : s;
}

/* What makes the branch exist is there. If the rest fails, whoever writes there first does it. */
static void complete(void *context)
{
    creation *c = context;
    bool ours;
    put_commits(c);
    if (og_graph__fork_put(c->store, &c->manifest, &ours, NULL) == OG_OK && ours)
        remember(c);
    creation_free(c);
}

static og_status create(creation *c, og_error *err)
{
    og_lance_branch_slots slots;
    OG_TRY(check_absent(c->repo, c->to, err));
    OG_TRY(og_graph__schema_idle(c->store, c->repo->catalog, err));
    /* The DAG before `__manifest`: it may lack rows of what we clone, but never has more. */
    OG_TRY(og_graph__dag_newest(c->repo, c->from, &c->dag, err));
    OG_TRY(og_repo_snapshot(c->repo, c->from->name, &c->snapshot, err));
    if (og_graph__is_unborn(c->snapshot)) {
        OG_TRY(og_graph__fork_complete(c->repo, c->from, err));
        og_snapshot_unref(OG_TAKE(c->snapshot));
        OG_TRY(og_repo_snapshot(c->repo, c->from->name, &c->snapshot, err));
    }
    if (c->dag.commits != NULL &&
        og_graph__dag_is_of_another(c->dag.commits,
                                    og_str_of(og_graph__snapshot_of(c->snapshot)->branch_id)))
        og_lance_table_unref(OG_TAKE(c->dag.commits));
    /* `__manifest` first: its mark is what a delete looks at before the branch comes back. */
    OG_TRY(clear_leftovers(c, OG_GRAPH__MANIFEST, &slots, err));
    OG_TRY(stage_commits(c, err));
    OG_TRY(stage_manifest(c, &slots, err));
    OG_TRY(sync_source(c, err));
    OG_AUTO_BUF next = OG_BUF_INIT;
    if (!next_of_source(c, &next))
        return og_error_nomem(err);
    OG_TRY(put_ref(c, err));
    og_store_expect(c->store, OG_STORE_HEAD, og_buf_cstr(&next), 0);
    OG_TRY(check_floor(c, err));
    OG_TRY(check_source(c, err));
    return check_pins(c, og_buf_cstr(&next), err);
}

static og_status create_once(og_repo *repo, og_graph__branch *from, og_graph__branch *to,
                             bool *out_overtaken, og_error *err)
{
    creation *c = og_calloc(1, sizeof *c);
    *out_overtaken = false;
    if (c == NULL)
        return og_error_nomem(err);
    *c = (creation){.repo = repo, .store = repo->store, .from = from, .to = to};
    og_graph__later_wait(repo);
    og_graph__expect_create(repo, from, to);
    og_status s = create(c, err);
    og_store_expect_no_more(repo->store);
    *out_overtaken = c->is_overtaken;
    if (s == OG_OK)
        og_graph__later(repo, complete, c);
    else
        creation_free(c);
    return s;
}

og_status og_branch_make(og_repo *repo, const char *from, const char *name, og_error *err)
{
    og_graph__branch *source, *made;
    og_str trimmed = og_str_trim(og_str_of(name));
    OG_TRY(check_public(trimmed, "branch_create", err));
    if (og_str_is(trimmed, OG_GRAPH__MAIN)) {
        og_error_set(err, OG_INVALID, "cannot create branch 'main'");
        og_error_hint(err, "Every graph has it: choose another name.");
        return OG_INVALID;
    }
    OG_TRY(og_lance_branch_check_name(trimmed, err));
    OG_TRY(og_graph__branch_get(repo, from, &source, err));
    OG_TRY(check_public(og_str_of(source->name), "branch_create", err));
    OG_TRY(og_graph__branch_get(repo, name, &made, err));
    bool again = true;
    og_status s = OG_CONFLICT;
    for (int attempt = 0; again && attempt < MAX_BEGINNINGS; attempt++)
        s = create_once(repo, source, made, &again, err);
    return s;
}

/* ---- delete ------------------------------------------------------------------------------- */

static og_status refuse_child(og_repo *repo, const og_graph__branch *branch, og_str child,
                              const og_lance_ref *ref, og_error *err)
{
    (void)repo, (void)ref;
    og_error_set(err, OG_CONFLICT,
                 "cannot delete branch '%s' because descendant branch '%.*s' still depends on it",
                 branch->name, OG_FMT(child));
    og_error_hint(err, "Delete that one first.");
    return OG_CONFLICT;
}

static og_status check_no_descendants(og_repo *repo, const og_graph__branch *branch, og_error *err)
{
    return each_child(repo, branch, refuse_child, err);
}

static void forget(og_repo *repo, og_graph__branch *branch)
{
    pthread_mutex_lock(&repo->lock);
    og_snapshot *old = branch->current;
    branch->current = NULL;
    pthread_mutex_unlock(&repo->lock);
    og_snapshot_unref(old);
    __atomic_store_n(&branch->commits_hint, 0, __ATOMIC_RELAXED);
}

static og_status unknown_delete(const og_graph__branch *branch, og_error *err)
{
    og_error_context(err, OG_UNKNOWN, "the outcome of deleting branch '%s' is unknown",
                     branch->name);
    og_error_hint(err, "Show whether it exists with: omnigraph branch list --uri GRAPH");
    if (err != NULL)
        err->status = OG_UNKNOWN;
    return OG_UNKNOWN;
}

/* A branch that is to go, and what it leaves. */
typedef struct deletion {
    og_repo *repo;
    og_store *store;
    const og_graph__branch *branch;
    og_buf ref_name;       /* in `__manifest` */
    og_blob *ref;          /* of this life of the name */
    const og_merged *only; /* what a merge has taken, above which there must be nothing; or NULL */
    uint64_t newest;       /* version of `__manifest` */
    uint64_t last;         /* version; or the one that a slow creator may still put */
    uint64_t last_commits; /* and of the DAG */
} deletion;

static void deletion_free(deletion *d)
{
    og_buf_deinit(&d->ref_name);
    og_blob_unref(d->ref);
    og_free(d);
}

static og_str name_of(const deletion *d)
{
    return og_str_of(d->branch->name);
}

static og_bytes ref_of(const deletion *d)
{
    return (og_bytes){d->ref->ptr, d->ref->len};
}

/* Its creator may have died before it did. What is known to last can be known to be gone. */
static og_status sync_ref(deletion *d, og_error *err)
{
    const char *name = og_buf_cstr(&d->ref_name);
    uint64_t bytes;
    og_status s = d->store->ops->sync(d->store, &name, 1, err);
    if (s != OG_UNKNOWN)
        return s;
    if (d->store->ops->head(d->store, name, &bytes, NULL) == OG_NOT_FOUND)
        return og_graph__branch_not_found(d->branch, err);
    return og_error_set(err, OG_IO, "can't delete branch '%s'", d->branch->name);
}

/* Of this life only. When an answer was lost and it is gone then, it was us, or somebody who
 * wanted the same. */
static og_status remove_ref(deletion *d, og_error *err)
{
    const char *name = og_buf_cstr(&d->ref_name);
    og_status s = OG_UNKNOWN;
    for (int attempt = 0; s == OG_UNKNOWN && attempt < 3; attempt++) {
        s = og_store_remove_same(d->store, name, ref_of(d), err);
        if ((s == OG_NOT_FOUND || s == OG_EXISTS) && attempt > 0)
            s = OG_OK;
    }
    if (s == OG_NOT_FOUND || s == OG_EXISTS)
        return og_graph__branch_not_found(d->branch, err);
    /* That it is gone must last before its manifests go. */
    if (s == OG_OK)
        s = d->store->ops->sync(d->store, &name, 1, err);
    return s == OG_UNKNOWN ? unknown_delete(d->branch, err) : s;
}

/* Unless somebody has used the name meanwhile, or is about to (clear_leftovers): then what the ref
 * leads to is not all there, or is going to be cleared. A mark above our own may be of such a one,
 * or of a cleanup, which did not keep what the branch had; who can't tell must not say that the
 * branch is there. */
static bool may_be_back(const deletion *d, og_lance_branch_slots *out)
{
    return og_lance_branch_survey(d->store, OG_GRAPH__MANIFEST, name_of(d), out, NULL) == OG_OK &&
           out->newest >= d->newest && out->floor <= d->last;
}

/* The branch is there again. */
static bool put_back(deletion *d)
{
    const char *name = og_buf_cstr(&d->ref_name);
    og_lance_branch_slots before, now = {0};
    /* Looked at before, too, so that nobody sees a ref that is not going to stay. */
    if (!may_be_back(d, &before) || og_graph__put_once(d->store, name, ref_of(d), NULL) != OG_OK ||
        d->store->ops->sync(d->store, &name, 1, NULL) != OG_OK)
        return false;
    /* Who wrote on it since it is back was told so; nobody clears that away (clear_leftovers). */
    if (may_be_back(d, &now) || now.newest > before.newest)
        return true;
    (void)!og_store_remove_same(d->store, name, ref_of(d), NULL);
    return false;
}

static og_status was_written(const deletion *d, og_error *err)
{
    og_error_set(err, OG_CONFLICT, "branch '%s' was written since it was merged", d->branch->name);
    og_error_hint(err, "Merge it again.");
    return OG_CONFLICT;
}

static og_status check_unwritten(const deletion *d, uint64_t newest, og_error *err)
{
    return d->only == NULL || newest <= d->only->version ? OG_OK : was_written(d, err);
}

/* Writers ask for the ref before they publish, so few come after it is gone. */
static og_status check_still_unwritten(deletion *d, og_error *err)
{
    og_lance_branch_slots slots;
    if (d->only == NULL)
        return OG_OK;
    OG_TRY(og_lance_branch_survey(d->store, OG_GRAPH__MANIFEST, name_of(d), &slots, err));
    return check_unwritten(d, slots.newest, err);
}

/* The ref goes, unless a branch is being made of this one (check_source), or somebody has written
 * on it who must not lose that; then it comes back. */
static og_status remove_branch(deletion *d, og_error *err)
{
    OG_TRY(sync_ref(d, err));
    OG_TRY(remove_ref(d, err));
    og_status s = check_no_descendants(d->repo, d->branch, err);
    if (s == OG_OK)
        s = check_still_unwritten(d, err);
    return s == OG_OK || put_back(d) ? s : unknown_delete(d->branch, err);
}

/* The version that the branch begins with; 0 when its ref can't be read, which keeps nobody from
 * deleting it. */
static og_status find_first(const deletion *d, uint64_t *out, og_error *err)
{
    char id[OG_GRAPH__BRANCH_ID + 1];
    og_status s = og_graph__branch_life(d->repo, d->branch, id, out, err);
    if (s == OG_CORRUPT && d->only == NULL) {
        *out = 0;
        return OG_OK;
    }
    OG_TRY(s);
    if (og_str_find((og_str){(const char *)d->ref->ptr, d->ref->len}, og_str_of(id)) == SIZE_MAX)
        return og_graph__branch_not_found(d->branch, err);
    if (d->only != NULL && strcmp(d->only->branch_id, id) != 0)
        return was_written(d, err); /* it was deleted and made again */
    return OG_OK;
}

/* The newest version of `__manifest` that the branch has, or may still get from a slow creator. */
static og_status find_last(deletion *d, og_error *err)
{
    og_lance_branch_slots slots;
    uint64_t first;
    OG_TRY(find_first(d, &first, err));
    OG_TRY(og_lance_branch_survey(d->store, OG_GRAPH__MANIFEST, name_of(d), &slots, err));
    d->newest = slots.newest;
    d->last = slots.newest > first ? slots.newest : first;
    OG_TRY(check_unwritten(d, slots.newest, err));
    OG_TRY(og_lance_branch_survey(d->store, OG_GRAPH__COMMITS, name_of(d), &slots, err));
    d->last_commits = slots.newest;
    return OG_OK;
}

/* Frees the name; whoever uses it again copes with what stays. */
static void clear_away(void *context)
{
    deletion *d = context;
    OG_AUTO_BUF commits = OG_BUF_INIT;
    const char *head = d->branch->head_file;
    og_graph__foreign_forget(d->repo, name_of(d));
    if (og_lance_branch_ref_name(&commits, OG_GRAPH__COMMITS, name_of(d))) {
        const char *ref = og_buf_cstr(&commits);
        (void)!d->store->ops->remove(d->store, &ref, 1, NULL);
    }
    (void)!og_lance_branch_clear(d->store, OG_GRAPH__MANIFEST, name_of(d), d->last, NULL);
    if (d->last_commits > 0 && og_lance_branch_mark(d->store, OG_GRAPH__COMMITS, name_of(d),
                                                    d->last_commits, NULL) == OG_OK)
        (void)!og_lance_branch_clear(d->store, OG_GRAPH__COMMITS, name_of(d), d->last_commits,
                                     NULL);
    (void)!d->store->ops->remove(d->store, &head, 1, NULL);
    deletion_free(d);
}

/* Until the branch is gone. */
static og_status take_away(deletion *d, og_error *err)
{
    OG_TRY(og_graph__schema_idle(d->store, d->repo->catalog, err));
    if (!og_lance_branch_ref_name(&d->ref_name, OG_GRAPH__MANIFEST, name_of(d)))
        return og_error_nomem(err);
    og_status s = d->store->ops->get(d->store, og_buf_cstr(&d->ref_name), &d->ref, err);
    OG_TRY(s == OG_NOT_FOUND ? og_graph__branch_not_found(d->branch, err) : s);
    OG_TRY(check_no_descendants(d->repo, d->branch, err));
    /* Looked for while the name is taken: what comes later may be a new branch's. */
    OG_TRY(find_last(d, err));
    s = og_lance_branch_mark(d->store, OG_GRAPH__MANIFEST, name_of(d), d->last, err);
    if (s == OG_UNKNOWN)
        return og_error_set(err, OG_IO, "can't delete branch '%s'", d->branch->name);
    OG_TRY(s);
    return remove_branch(d, err);
}

/* The branch of a name that may be one to delete. */
static og_status find_branch(og_repo *repo, const char *name, og_graph__branch **out, og_error *err)
{
    OG_TRY(check_public(og_str_trim(og_str_of(name)), "branch_delete", err));
    OG_TRY(og_graph__branch_get(repo, name, out, err));
    if (!(*out)->is_main)
        return OG_OK;
    og_error_set(err, OG_INVALID, "cannot delete branch 'main'");
    og_error_hint(err, "Every graph has it.");
    return OG_INVALID;
}

og_status og_branch_check_removable(og_repo *repo, const char *name, og_error *err)
{
    og_graph__branch *branch;
    OG_TRY(find_branch(repo, name, &branch, err));
    return check_no_descendants(repo, branch, err);
}

og_status og_branch_remove(og_repo *repo, const char *name, og_error *err)
{
    return og_branch_remove_merged(repo, name, NULL, err);
}

og_status og_branch_remove_merged(og_repo *repo, const char *name, const og_merged *only,
                                  og_error *err)
{
    og_graph__branch *branch;
    OG_TRY(find_branch(repo, name, &branch, err));
    deletion *d = og_calloc(1, sizeof *d);
    if (d == NULL)
        return og_error_nomem(err);
    *d = (deletion){.repo = repo, .store = repo->store, .branch = branch, .only = only};
    og_graph__later_wait(repo);
    og_graph__expect_delete(repo, branch);
    /* No writer is then between its look at the ref and its publication. */
    OG_AUTO(og_turn) turn = NULL;
    if (only != NULL)
        turn = og_store_take_turn(repo->store, branch->manifest_path, TURN_WAIT_US);
    og_status s = take_away(d, err);
    og_store_expect_no_more(repo->store);
    if (s != OG_OK) {
        deletion_free(d);
        return s;
    }
    forget(repo, branch);
    og_graph__later(repo, clear_away, d);
    return OG_OK;
}
