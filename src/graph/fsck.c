#include "graph/fsck.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "graph/foreign.h"
#include "graph/fork.h"
#include "graph/fsck_priv.h"
#include "graph/head_file.h"
#include "graph/layout.h"

#define RESTORE                                                                                    \
    "Restore the files that are named from a backup, or go back to a state before it with --at."

#define MAX_SHOWN 512 /* bytes of a value */

const og_finding_class og_finding_classes[OG_FINDING_KINDS] = {
    [OG_FINDING_GRAPH] = {"graph", OG_FINDING_DAMAGE,
                          "Restore the files that are named from a backup."},
    [OG_FINDING_BRANCH] = {"branch", OG_FINDING_DAMAGE,
                           "Restore the file from a backup, or delete the branch."},
    [OG_FINDING_UNBORN] = {"unfinished-branch", OG_FINDING_LEFTOVER,
                           "It is read as what it was made of, though not by OmniGraph 0.6: the "
                           "next write on it makes it whole, and --repair does."},
    [OG_FINDING_MANIFEST] = {"manifest", OG_FINDING_DAMAGE, RESTORE},
    [OG_FINDING_HEAD_FILE] = {"head-file", OG_FINDING_LEFTOVER,
                              "It is derived: --repair removes it, the next write makes it."},
    [OG_FINDING_TABLE] = {"table", OG_FINDING_DAMAGE, RESTORE},
    [OG_FINDING_CONTENT] = {"content", OG_FINDING_DAMAGE, RESTORE},
    [OG_FINDING_ROW_COUNT] = {"row-count", OG_FINDING_DAMAGE,
                              "The next write of the table corrects it."},
    [OG_FINDING_HEAD] = {"head", OG_FINDING_LEFTOVER,
                         "The next write of the table settles it, and --repair does."},
    [OG_FINDING_INDEX] =
        {"index", OG_FINDING_LEFTOVER,
         "Only other programs search by it: in OmniGraph 0.6 an overwriting load of "
         "the type makes it anew."},
    [OG_FINDING_DUPLICATE_ID] = {"duplicate-id", OG_FINDING_DAMAGE,
                                 "Delete what has this id, and insert one of it again."},
    [OG_FINDING_MISSING_ENDPOINT] = {"missing-endpoint", OG_FINDING_DAMAGE,
                                     "Insert the node, or delete the edge."},
    [OG_FINDING_UNIQUE] = {"unique", OG_FINDING_DAMAGE,
                           "Change or delete all of these rows but one."},
    [OG_FINDING_CARDINALITY] = {"card", OG_FINDING_DAMAGE, "Insert or delete edges of the source."},
    [OG_FINDING_VALUE] = {"value", OG_FINDING_DAMAGE,
                          "Update the row with a value that the schema allows."},
    [OG_FINDING_HISTORY] =
        {"history", OG_FINDING_DAMAGE,
         "What lies before it can't be merged or read by commit. If files of the "
         "branch in __manifest or _graph_commits.lance are gone, restore them "
         "from a backup before anybody writes there: without them it goes on "
         "from the newest state that is left."},
    [OG_FINDING_COMMIT_TABLE] =
        {"commit-table", OG_FINDING_LEFTOVER,
         "Nothing of ours is lost: --repair makes it whole. Commits of OmniGraph 0.6 stand there "
         "only: those in files that are gone stay lost."},
    [OG_FINDING_SCHEMA] = {"schema", OG_FINDING_LEFTOVER,
                           "It is derived from _schema.pg: --repair writes it."},
    [OG_FINDING_SCHEMA_CHANGE] = {"schema-change", OG_FINDING_LEFTOVER,
                                  "Nobody can write until the program that began it goes on: "
                                  "open the graph with it."},
    [OG_FINDING_PLACE] = {"place", OG_FINDING_NOTE,
                          "Only other programs go by them, and would go on there: "
                          "omnigraph relocate corrects them."},
    [OG_FINDING_SIDECAR] = {"sidecar", OG_FINDING_LEFTOVER,
                            "A write is under way, or its writer died: after ten seconds without a "
                            "sign of it the next write settles it, and --repair does."},
    [OG_FINDING_NEWER_SIDECAR] = {"newer-sidecar", OG_FINDING_LEFTOVER,
                                  "Only that version can go on with it. Until then its tables can "
                                  "be read, not written."},
    [OG_FINDING_QUARANTINED] = {"quarantined", OG_FINDING_LEFTOVER,
                                "It was set aside: remove it when nothing is missing."},
};

/* ---- telling ------------------------------------------------------------------------------ */

/* Was the branch that is being checked deleted meanwhile, and perhaps made again? */
static bool is_gone(const og_graph__fsck *f)
{
    char id[OG_GRAPH__BRANCH_ID + 1];
    if (f->branch_id[0] == '\0')
        return false;
    og_status s = og_graph__branch_id(f->repo, f->life_of, id, NULL);
    return s == OG_NOT_FOUND || (s == OG_OK && strcmp(id, f->branch_id) != 0);
}

static og_status tell(og_graph__fsck *f, og_finding *finding, og_error *err, const char *fmt,
                      va_list ap)
{
    char message[sizeof((og_error *)NULL)->message];
    if (is_gone(f))
        return OG_OK;
    vsnprintf(message, sizeof message, fmt, ap);
    finding->branch = f->branch;
    finding->message = message;
    if (og_finding_classes[finding->kind].level == OG_FINDING_NOTE)
        f->out->notes++;
    else
        f->out->findings++;
    f->out->repaired += finding->repaired;
    return f->input->found(f->input->context, finding, err);
}

og_status og_graph__fsck_tell(og_graph__fsck *f, og_finding_kind kind, og_str table_key,
                              og_error *err, const char *fmt, ...)
{
    og_finding finding = {.kind = kind, .table_key = table_key};
    va_list ap;
    va_start(ap, fmt);
    og_status s = tell(f, &finding, err, fmt, ap);
    va_end(ap);
    return s;
}

og_status og_graph__fsck_tell_repaired(og_graph__fsck *f, og_finding_kind kind, og_str table_key,
                                       og_error *err, const char *fmt, ...)
{
    og_finding finding = {.kind = kind, .table_key = table_key, .repaired = true};
    va_list ap;
    va_start(ap, fmt);
    og_status s = tell(f, &finding, err, fmt, ap);
    va_end(ap);
    return s;
}

og_status og_graph__fsck_judge(og_graph__fsck *f, og_status status, og_finding_kind kind,
                               og_str table_key, const og_error *problem, og_error *err)
{
    if (status == OG_OK)
        return OG_OK;
    if (status == OG_NOMEM || status == OG_CANCELLED || status == OG_TIMEOUT)
        return og_error_set(err, status, "%s", problem->message);
    return og_graph__fsck_tell(f, kind, table_key, err, "%s", problem->message);
}

og_status og_graph__fsck_progress(og_graph__fsck *f, uint64_t rows, og_error *err)
{
    const og_fsck_input *input = f->input;
    f->rows_read += rows;
    if (input->progress == NULL || input->progress(input->context, f->rows_read) == 0)
        return OG_OK;
    return og_error_set(err, OG_CANCELLED, "the check was cancelled");
}

og_str og_graph__fsck_shown(og_str text)
{
    size_t len = text.len < MAX_SHOWN ? text.len : MAX_SHOWN;
    while (len < text.len && len > 0 && ((uint8_t)text.ptr[len] & 0xc0) == 0x80)
        len--; /* not within a character */
    return og_str_slice(text, 0, len);
}

og_status og_graph__fsck_first_time(og_graph__fsck *f, og_str what, bool *out, og_error *err)
{
    return og_strmap_put(f->seen, what, out) != NULL ? OG_OK : og_error_nomem(err);
}

/* ---- `__manifest` of a branch ------------------------------------------------------------- */

static const og_str no_table = {"", 0};

static og_status open_manifest(og_graph__fsck *f, const og_graph__branch *branch,
                               og_lance_table **out, og_error *err)
{
    uint64_t version;
    OG_TRY(og_lance_latest_version(f->repo->env, branch->manifest_path, 0, &version, err));
    return og_lance_table_open(f->repo->env, branch->manifest_path, version, 0, out, err);
}

/* Is every number and name in the head file what the rows say? */
static bool same_state(const og_graph__state *a, const og_graph__state *b)
{
    bool same = a->pin_count == b->pin_count && og_str_eq(a->commit_id, b->commit_id) &&
                a->horizon_ms == b->horizon_ms;
    for (size_t i = 0; i < a->pin_count && same; i++) {
        const og_graph__pin *x = &a->pins[i], *y = &b->pins[i];
        same = og_str_eq(x->table_key, y->table_key) && og_str_eq(x->table_path, y->table_path) &&
               og_str_eq(x->table_branch, y->table_branch) && x->version == y->version &&
               x->row_count == y->row_count;
    }
    return same;
}

/* A head file that is torn or older is passed over by readers; one that is believed must be
 * right. */
static og_status check_head_file(og_graph__fsck *f, const og_graph__branch *branch,
                                 og_lance_table *manifest, const og_graph__state *state,
                                 og_error *err)
{
    OG_AUTO_BUF bytes = OG_BUF_INIT;
    OG_AUTO(og_graph__state) claimed = NULL;
    (void)og_graph__head_hints(f->repo->store, branch->head_file, &bytes);
    OG_TRY(og_graph__state_from_head(og_buf_view(&bytes), manifest, &claimed, err));
    if (claimed == NULL || same_state(claimed, state))
        return OG_OK;
    const char *const names[] = {branch->head_file};
    if (f->input->repair && f->repo->store->ops->remove(f->repo->store, names, 1, NULL) == OG_OK)
        return og_graph__fsck_tell_repaired(f, OG_FINDING_HEAD_FILE, no_table, err,
                                            "%s says otherwise than the rows of __manifest",
                                            branch->head_file);
    return og_graph__fsck_tell(f, OG_FINDING_HEAD_FILE, no_table, err,
                               "%s says otherwise than the rows of __manifest", branch->head_file);
}

static og_status check_manifest_rows(og_graph__fsck *f, og_lance_table *manifest,
                                     const og_graph__state *state, og_error *err)
{
    int32_t field = og_lance_table_find_field(manifest, OG_STR("object_id"));
    if (field >= 0)
        OG_TRY(og_graph__fsck_unique(f, manifest, (uint32_t)field, OG_FINDING_MANIFEST, no_table,
                                     "object_id of __manifest", err));
    return og_graph__fsck_rows_lead(f, manifest, state, err);
}

static og_status check_state(og_graph__fsck *f, og_graph__branch *branch, og_lance_table *manifest,
                             og_graph__state *state, og_error *err)
{
    char id[OG_GRAPH__BRANCH_ID + 1] = "";
    og_error problem;
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_TRY(check_head_file(f, branch, manifest, state, err));
    og_status s = og_graph__branch_id(f->repo, branch, id, &problem);
    if (s != OG_OK)
        return og_graph__fsck_judge(f, s, OG_FINDING_BRANCH, no_table, &problem, err);
    OG_TRY(og_graph__snapshot_new(f->repo, branch, id, state, manifest, NULL, &snapshot, err));
    OG_TRY(og_graph__fsck_tables(f, snapshot, err));
    OG_TRY(og_graph__fsck_rows(f, snapshot, err));
    return og_graph__fsck_history(f, snapshot, err);
}

/* Has the branch no version of its own, though it was waited for? What else is wrong with it is
 * found later. */
static bool is_unborn(og_graph__fsck *f, const og_graph__branch *branch)
{
    int64_t wait_us = OG_GRAPH__FIRST_WAIT_US;
    for (int look = 1; !branch->is_main; look++, wait_us *= 2) {
        OG_AUTO(og_snapshot) snapshot = NULL;
        if (og_repo_snapshot(f->repo, branch->name, &snapshot, NULL) != OG_OK ||
            !og_graph__is_unborn(snapshot))
            return false;
        if (look == OG_GRAPH__LOOKS)
            return true;
        og_clock_sleep(f->repo->clock, wait_us);
    }
    return false;
}

/* Its creator died behind its ref. A repair gives it its first version, and then, as to all
 * branches, the commit DAG's rows. */
static og_status check_birth(og_graph__fsck *f, const og_graph__branch *branch, og_error *err)
{
    static const char message[] = "its first version was not made";
    if (!is_unborn(f, branch))
        return OG_OK;
    if (f->input->repair && og_graph__fork_complete(f->repo, branch, NULL) == OG_OK)
        return og_graph__fsck_tell_repaired(f, OG_FINDING_UNBORN, no_table, err, message);
    return og_graph__fsck_tell(f, OG_FINDING_UNBORN, no_table, err, message);
}

/* A branch without a version of its own yet is what its parent was: there is nothing else of it to
 * look at. */
static og_status check_unborn(og_graph__fsck *f, const char *name, og_error *err)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    og_error problem;
    og_status s = og_repo_snapshot(f->repo, name, &snapshot, &problem);
    return s == OG_OK ? OG_OK
                      : og_graph__fsck_judge(f, s, OG_FINDING_BRANCH, no_table, &problem, err);
}

static og_status check_living(og_graph__fsck *f, og_graph__branch *branch, og_error *err)
{
    og_error problem;
    OG_AUTO(og_lance_table) manifest = NULL;
    OG_TRY(check_birth(f, branch, err));
    og_status s = open_manifest(f, branch, &manifest, &problem);
    if (s == OG_NOT_FOUND && !branch->is_main)
        return check_unborn(f, branch->name, err);
    if (s != OG_OK)
        return og_graph__fsck_judge(f, s, OG_FINDING_MANIFEST, no_table, &problem, err);
    OG_TRY(og_graph__fsck_content(f, manifest, OG_FINDING_MANIFEST, no_table, NULL, err));
    og_graph__fsck_bases_lead(f, manifest);
    OG_AUTO(og_graph__state) state = NULL;
    s = og_graph__state_read(manifest, &state, &problem);
    if (s != OG_OK)
        return og_graph__fsck_judge(f, s, OG_FINDING_MANIFEST, no_table, &problem, err);
    OG_TRY(check_manifest_rows(f, manifest, state, err));
    return check_state(f, branch, manifest, state, err);
}

/* From here on findings are of this life of the branch. False: it was deleted since the
 * listing. That its ref can't be read is told by the look at its state. */
static bool begin_life(og_graph__fsck *f, const og_graph__branch *branch)
{
    og_status s = og_graph__branch_id(f->repo, branch, f->branch_id, NULL);
    if (s != OG_OK)
        f->branch_id[0] = '\0';
    f->life_of = branch;
    return s != OG_NOT_FOUND;
}

static og_status check_branch(og_graph__fsck *f, const char *name, og_error *err)
{
    og_graph__branch *branch;
    og_error problem;
    f->branch = og_str_of(name);
    f->branch_id[0] = '\0';
    og_status s = og_graph__branch_get(f->repo, name, &branch, &problem);
    if (s == OG_OK && !begin_life(f, branch))
        return OG_OK;
    f->out->branches++;
    if (s != OG_OK)
        return og_graph__fsck_judge(f, s, OG_FINDING_BRANCH, no_table, &problem, err);
    return check_living(f, branch, err);
}

/* ---- operations under way ----------------------------------------------------------------- */

static og_status tell_sidecar(og_graph__fsck *f, const og_graph__sidecar *sidecar, og_error *err)
{
    switch (sidecar->state) {
    case OG_GRAPH__SIDECAR_NEWER:
        return og_graph__fsck_tell(f, OG_FINDING_NEWER_SIDECAR, no_table, err,
                                   "a newer version of omnigraph has left %s, of schema version "
                                   "%" PRIu64,
                                   sidecar->name, sidecar->schema_version);
    case OG_GRAPH__SIDECAR_DAMAGED:
        return og_graph__fsck_tell(f, OG_FINDING_SIDECAR, no_table, err,
                                   "an operation has left %s, which can't be read", sidecar->name);
    default:
        return og_graph__fsck_tell(f, OG_FINDING_SIDECAR, no_table, err, "an operation has left %s",
                                   sidecar->name);
    }
}

static og_status check_recovery(og_graph__fsck *f, og_error *err)
{
    OG_GRAPH__AUTO_SIDECARS sidecars = {0};
    og_listing names = {0};
    og_store *store = f->repo->store;
    OG_TRY(og_graph__sidecars_read(f->repo, &sidecars, err));
    for (size_t i = 0; i < sidecars.count; i++)
        OG_TRY(tell_sidecar(f, &sidecars.items[i], err));
    OG_TRY(store->ops->list(store, OG_GRAPH__RECOVERY, false, NULL, 0, &names, err));
    og_status s = OG_OK;
    for (size_t i = 0; i < names.len && s == OG_OK; i++) {
        og_str name = names.items[i].name;
        if (og_str_ends(name, OG_STR(".quarantined")))
            s = og_graph__fsck_tell(f, OG_FINDING_QUARANTINED, no_table, err,
                                    "%.*s could not be read", OG_FMT(name));
    }
    og_listing_deinit(&names);
    return s;
}

static bool holds_name(const og_graph__sidecars *sidecars, const char *name)
{
    for (size_t i = 0; i < sidecars->count; i++)
        if (strcmp(sidecars->items[i].name, name) == 0)
            return true;
    return false;
}

/* Go on with operations whose writers died, before anything is looked at. What fails stays, and
 * is told. */
static og_status repair_recovery(og_graph__fsck *f, og_error *err)
{
    OG_GRAPH__AUTO_SIDECARS before = {0};
    OG_GRAPH__AUTO_SIDECARS left = {0};
    bool changed;
    OG_TRY(og_graph__sidecars_read(f->repo, &before, err));
    if (before.count == 0 || og_graph__foreign_recover(f->repo, &left, &changed, NULL) != OG_OK)
        return OG_OK;
    for (size_t i = 0; i < before.count; i++)
        if (!holds_name(&left, before.items[i].name))
            OG_TRY(og_graph__fsck_tell_repaired(f, OG_FINDING_SIDECAR, no_table, err,
                                                "an operation had left %s", before.items[i].name));
    return OG_OK;
}

/* ---- the whole graph ---------------------------------------------------------------------- */

static og_status check_graph(og_graph__fsck *f, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_str *names;
    size_t count;
    if (arena == NULL)
        return og_error_nomem(err);
    if (f->input->repair)
        OG_TRY(repair_recovery(f, err));
    OG_TRY(og_graph__fsck_schema(f, err));
    OG_TRY(og_lance_branch_list(f->repo->store, OG_GRAPH__MANIFEST, arena, &names, &count, err));
    OG_TRY(check_branch(f, OG_GRAPH__MAIN, err));
    for (size_t i = 0; i < count; i++) {
        names[i] = og_arena_str(arena, names[i]);
        if (names[i].ptr == NULL)
            return og_error_nomem(err);
        OG_TRY(check_branch(f, names[i].ptr, err));
    }
    f->branch = OG_STR("");
    f->branch_id[0] = '\0';
    OG_TRY(og_graph__fsck_actors(f, err));
    OG_TRY(check_recovery(f, err));
    return og_graph__fsck_places(f, err);
}

og_status og_fsck_run(const char *uri, const og_repo_options *options, const og_fsck_input *input,
                      og_fsck_output *out, og_error *err)
{
    OG_AUTO(og_repo) repo = NULL;
    OG_AUTO(og_strmap) seen = og_strmap_new(false);
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_error problem;
    if (seen == NULL || arena == NULL)
        return og_error_nomem(err);
    *out = (og_fsck_output){0};
    og_graph__fsck f = {
        .input = input, .out = out, .branch = OG_STR(""), .seen = seen, .arena = arena};
    og_status s = og_repo_open(uri, options, &repo, &problem);
    if (s == OG_NOT_FOUND || s == OG_UNSUPPORTED || s == OG_DENIED) {
        if (err != NULL)
            *err = problem;
        return s;
    }
    if (s != OG_OK)
        return og_graph__fsck_judge(&f, s, OG_FINDING_GRAPH, no_table, &problem, err);
    f.repo = repo;
    s = check_graph(&f, err);
    og_buf_deinit(&f.old_root);
    og_vec_deinit(&f.authored);
    return s;
}
