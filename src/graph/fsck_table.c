/* Each pinned table by itself: its version, its head, its files and rows, its indices. */
#include <inttypes.h>
#include <stdio.h>

#include "graph/foreign.h"
#include "graph/fsck_priv.h"
#include "graph/resolve.h"
#include "lance/table/verify.h"

/* ---- content ------------------------------------------------------------------------------ */

typedef struct content {
    og_graph__fsck *f;
    og_finding_kind kind;
    og_str table_key;
    og_status status; /* first failure to tell */
    og_error *err;
} content;

static void tell_problem(void *context, const og_error *problem)
{
    content *c = context;
    if (c->status == OG_OK)
        c->status =
            og_graph__fsck_tell(c->f, c->kind, c->table_key, c->err, "%s", problem->message);
}

og_status og_graph__fsck_content(og_graph__fsck *f, og_lance_table *table, og_finding_kind kind,
                                 og_str table_key, uint64_t *out_problems, og_error *err)
{
    content c = {f, kind, table_key, OG_OK, err};
    og_lance_verified verified;
    og_status s = og_lance_table_verify(table, tell_problem, &c, &verified, err);
    if (s == OG_OK && out_problems != NULL)
        *out_problems = verified.problems + verified.unsupported;
    return c.status != OG_OK ? c.status : s;
}

static void name_version(const og_lance_table *table, char *dst, size_t cap)
{
    snprintf(dst, cap, "%s@%" PRIu64, og_lance_table_path(table), og_lance_table_version(table));
}

bool og_graph__fsck_is_broken(const og_graph__fsck *f, const og_lance_table *table)
{
    char name[600];
    name_version(table, name, sizeof name);
    const uint64_t *mark = og_strmap_get(f->seen, og_str_of(name));
    return mark != NULL && *mark != 0;
}

/* ---- heads -------------------------------------------------------------------------------- */

/* Who made the version above the pin, for the message. */
static void name_writer(og_graph__fsck *f, const char *path, uint64_t version, char *dst,
                        size_t cap)
{
    OG_AUTO(og_lance_table) head = NULL;
    og_str op = {NULL, 0};
    if (og_lance_table_open(f->repo->env, path, version, 0, &head, NULL) == OG_OK)
        op = og_lance_table_transaction_property(head, OG_STR("og.op"));
    if (op.ptr != NULL)
        snprintf(dst, cap, "operation %.*s", OG_FMT(op));
    else
        snprintf(dst, cap, "another program");
}

/* A branch that did not fork a table pins a version of another branch's, which goes on. */
static bool is_own(og_snapshot *snapshot, const og_graph__pin *pin)
{
    const og_graph__branch *branch = og_graph__branch_of(snapshot);
    return og_str_is(pin->table_branch, branch->is_main ? "" : branch->name);
}

/* As the next writers would; not what a sidecar of a newer version speaks of. */
static og_status settle_head(og_graph__fsck *f, const og_type_def *def, og_snapshot **snapshot)
{
    const og_graph__branch *branch = og_graph__branch_of(*snapshot);
    og_str name = branch->is_main ? OG_STR("") : og_str_of(branch->name);
    OG_GRAPH__AUTO_SIDECARS sidecars = {0};
    OG_TRY(og_graph__sidecars_read(f->repo, &sidecars, NULL));
    OG_TRY(og_graph__foreign_check(&sidecars, def->table_key, name, false, NULL));
    OG_TRY(og_graph__resolve_heads(f->repo, &def, 1, snapshot, NULL));
    return og_graph__resolve_above_hole(f->repo, def, snapshot, NULL);
}

static og_status check_head(og_graph__fsck *f, const og_type_def *def, const og_lance_table *table,
                            og_snapshot **snapshot, og_error *err)
{
    const char *path = og_lance_table_path(table);
    uint64_t pin = og_lance_table_version(table), head;
    char writer[64];
    OG_TRY(og_lance_latest_version(f->repo->env, path, pin, &head, err));
    if (head <= pin)
        return OG_OK;
    name_writer(f, path, head, writer, sizeof writer);
    bool settled = f->input->repair && settle_head(f, def, snapshot) == OG_OK;
    if (settled)
        return og_graph__fsck_tell_repaired(
            f, OG_FINDING_HEAD, def->table_key, err,
            "version %" PRIu64 " of %s is above the published %" PRIu64, head, writer, pin);
    return og_graph__fsck_tell(f, OG_FINDING_HEAD, def->table_key, err,
                               "version %" PRIu64 " of %s is above the published %" PRIu64, head,
                               writer, pin);
}

/* ---- one table ---------------------------------------------------------------------------- */

static og_status check_new_version(og_graph__fsck *f, const og_type_def *def, og_lance_table *table,
                                   og_error *err)
{
    char name[600];
    bool is_new;
    uint64_t problems;
    name_version(table, name, sizeof name);
    OG_TRY(og_graph__fsck_first_time(f, og_str_of(name), &is_new, err));
    if (!is_new)
        return OG_OK;
    f->out->tables++;
    f->out->rows += og_lance_table_row_count(table);
    OG_TRY(og_graph__fsck_content(f, table, OG_FINDING_CONTENT, def->table_key, &problems, err));
    *og_strmap_get(f->seen, og_str_of(name)) = problems;
    OG_TRY(og_graph__fsck_progress(f, og_lance_table_row_count(table), err));
    og_graph__fsck_bases_lead(f, table);
    if (problems > 0) /* what stands in it was told of */
        return OG_OK;
    return og_graph__fsck_indices(f, table, def->table_key, err);
}

/* A query takes a column that is not there for nulls, which is right for past states only; writers
 * go by the places of columns. */
static og_status check_columns(og_graph__fsck *f, const og_type_def *def,
                               const og_lance_table *table, og_error *err)
{
    for (uint32_t i = 0; i < def->table_schema->field_count; i++) {
        og_str name = def->table_schema->fields[i].name;
        int32_t at = og_lance_table_find_field(table, name);
        if (at != (int32_t)i)
            OG_TRY(og_graph__fsck_tell(f, OG_FINDING_TABLE, def->table_key, err,
                                       "version %" PRIu64 " has %s column '%.*s'",
                                       og_lance_table_version(table), at < 0 ? "no" : "a misplaced",
                                       OG_FMT(name)));
    }
    return OG_OK;
}

static og_status check_table(og_graph__fsck *f, const og_type_def *def, og_snapshot **snapshot,
                             og_error *err)
{
    const og_graph__state *state = og_graph__snapshot_of(*snapshot)->state;
    const og_graph__pin *pin = og_graph__state_pin(state, def->table_key);
    og_lance_table *opened;
    og_error problem;
    og_status s = og_snapshot_table(*snapshot, def, &opened, &problem);
    if (s != OG_OK)
        return og_graph__fsck_judge(f, s, OG_FINDING_TABLE, def->table_key, &problem, err);
    if (pin->row_count != og_lance_table_row_count(opened))
        OG_TRY(og_graph__fsck_tell(f, OG_FINDING_ROW_COUNT, def->table_key, err,
                                   "__manifest counts %" PRIu64 " rows, there are %" PRIu64,
                                   pin->row_count, og_lance_table_row_count(opened)));
    OG_AUTO(og_lance_table) table = og_lance_table_ref(opened);
    OG_TRY(check_columns(f, def, table, err));
    OG_TRY(check_new_version(f, def, table, err));
    return is_own(*snapshot, pin) ? check_head(f, def, table, snapshot, err) : OG_OK;
}

og_status og_graph__fsck_tables(og_graph__fsck *f, og_snapshot *at, og_error *err)
{
    const og_catalog *catalog = at->catalog;
    OG_AUTO(og_snapshot) snapshot = og_snapshot_ref(at); /* renewed by repairs */
    for (uint32_t i = 0; i < catalog->node_count; i++)
        OG_TRY(check_table(f, &catalog->nodes[i], &snapshot, err));
    for (uint32_t i = 0; i < catalog->edge_count; i++)
        OG_TRY(check_table(f, &catalog->edges[i], &snapshot, err));
    return OG_OK;
}
