#include "graph/repo_priv.h"

#include <inttypes.h>
#include <stdio.h>

/* Tables are numbered nodes first, then edges, as the catalog lists them. */
static size_t table_index(const og_catalog *catalog, const og_type_def *def)
{
    return def->is_edge ? catalog->node_count + def->index : def->index;
}

/* Columns that are there have the types of the schema, so that nobody above needs to ask again; the
 * ids must be there. */
static og_status check_columns(const og_lance_table *table, const og_type_def *def, og_error *err)
{
    uint32_t count, first = og_type_def_first_property(def);
    const og_lance_field *fields = og_lance_table_fields(table, &count);
    for (uint32_t i = 0; i < def->table_schema->field_count; i++) {
        const og_field *wanted = &def->table_schema->fields[i];
        int32_t at = og_lance_table_find_field(table, wanted->name);
        if (at < 0 && i >= first)
            continue;
        if (at < 0)
            return og_error_set(err, OG_CORRUPT, "missing column '%.*s'", OG_FMT(wanted->name));
        bool is_blob = i >= first && def->properties[i - first].type.scalar == OG_SCALAR_BLOB;
        if (fields[at].is_blob == is_blob &&
            (is_blob || og_type_eq(fields[at].field.type, wanted->type)))
            continue;
        char stored[128], schema[128];
        og_type_name(fields[at].field.type, stored, sizeof stored);
        og_type_name(wanted->type, schema, sizeof schema);
        return og_error_set(err, OG_CORRUPT, "column '%.*s' is %s, the schema says %s",
                            OG_FMT(wanted->name), stored, schema);
    }
    return OG_OK;
}

og_status og_graph__check_places(const og_lance_table *table, const og_type_def *def, og_error *err)
{
    for (uint32_t i = 0; i < def->table_schema->field_count; i++) {
        og_str name = def->table_schema->fields[i].name;
        int32_t at = og_lance_table_find_field(table, name);
        if (at == (int32_t)i)
            continue;
        og_error_set(err, OG_CORRUPT, "%s column '%.*s' in %.*s", at < 0 ? "missing" : "misplaced",
                     OG_FMT(name), OG_FMT(def->table_key));
        og_error_hint(err, "Nothing was written; omnigraph fsck tells what is damaged.");
        return OG_CORRUPT;
    }
    return OG_OK;
}

static bool is_of_another(og_lance_table *there, const og_graph__pin *pin)
{
    og_str op = og_lance_table_transaction_property(there, OG_STR("og.op"));
    return op.ptr != NULL && pin->op[0] != '\0' && !og_str_is(op, pin->op);
}

/* A version that a cleanup has taken leaves its slot free, and a writer that slept for long may
 * have put its own there, which was never published: of another size, or of another operation than
 * the pin's row names. `table`: what was opened by the pin's size, or NULL. */
static bool is_another(const og_graph__snapshot *s, const char *path, const og_graph__pin *pin,
                       og_lance_table *table)
{
    OG_AUTO(og_lance_table) there = NULL;
    if (table != NULL && !s->is_past)
        return is_of_another(table, pin);
    if (pin->manifest_bytes == 0 ||
        og_lance_table_open(s->repo->env, path, pin->version, 0, &there, NULL) != OG_OK)
        return false;
    return og_lance_table_manifest_bytes(there) != pin->manifest_bytes || is_of_another(there, pin);
}

/* Was the branch deleted since? */
static bool is_deleted(const og_graph__snapshot *s)
{
    char id[OG_GRAPH__BRANCH_ID + 1];
    og_status status = og_graph__branch_id(s->repo, s->branch, id, NULL);
    return status == OG_NOT_FOUND || (status == OG_OK && strcmp(id, s->branch_id) != 0);
}

/* Is there a newer version of `__manifest`, or none any more, so that a cleanup may have taken what
 * this one names? Whoever took the snapshot has slept for long. */
static bool is_superseded(const og_graph__snapshot *s)
{
    OG_AUTO_BUF next = OG_BUF_INIT;
    uint64_t bytes;
    og_store *store = s->repo->store;
    return (og_lance_manifest_name(&next, s->branch->manifest_path,
                                   s->state->manifest_version + 1) &&
            store->ops->head(store, og_buf_cstr(&next), &bytes, NULL) == OG_OK) ||
           is_deleted(s);
}

og_status og_repo_read_outcome(og_snapshot *snapshot, og_status status, og_error *err)
{
    const og_graph__snapshot *s = og_graph__snapshot_of(snapshot);
    if (status != OG_NOT_FOUND || s->is_past || !is_superseded(s))
        return status;
    og_error_set(err, OG_CONFLICT,
                 "version %" PRIu64 " of branch '%s' was cleaned away while it was read",
                 s->state->manifest_version, s->base.branch);
    og_error_hint(err, "Run the operation again.");
    return OG_CONFLICT;
}

void og_graph__hint_cleaned(og_error *err)
{
    og_error_hint(err, "cleanup has removed this state for good; later ones can be read.");
}

static og_status open_table(og_graph__snapshot *s, const og_type_def *def, og_lance_table **out,
                            og_error *err)
{
    const og_graph__pin *pin = og_graph__state_pin(s->state, def->table_key);
    if (pin == NULL)
        return og_error_set(err, OG_CORRUPT, "table %.*s is not in __manifest version %" PRIu64,
                            OG_FMT(def->table_key), s->state->manifest_version);
    OG_AUTO_BUF path = OG_BUF_INIT;
    if (!og_graph__pin_path(&path, pin))
        return og_error_nomem(err);
    OG_AUTO(og_lance_table) table = NULL;
    og_status status = og_lance_table_open(s->repo->env, og_buf_cstr(&path), pin->version,
                                           pin->manifest_bytes, &table, err);
    /* A writer that slept over the cleanup, too, may have taken the slot that it freed. */
    bool is_gone = status == OG_NOT_FOUND || ((status == OG_OK || status == OG_CORRUPT) &&
                                              is_another(s, og_buf_cstr(&path), pin, table));
    if (s->is_past && is_gone) {
        og_error_set(err, OG_NOT_FOUND,
                     "table %.*s: version %" PRIu64 ", which version %" PRIu64
                     " of branch '%s' needs, was cleaned away",
                     OG_FMT(def->table_key), pin->version, s->state->manifest_version,
                     s->base.branch);
        og_graph__hint_cleaned(err);
        return OG_NOT_FOUND;
    }
    if (is_gone && is_superseded(s)) {
        og_error_set(err, OG_CONFLICT,
                     "table %.*s: version %" PRIu64 " was cleaned away while it was to be read",
                     OG_FMT(def->table_key), pin->version);
        og_error_hint(err, "Run the operation again.");
        return OG_CONFLICT;
    }
    if (status == OG_NOT_FOUND) {
        og_error_set(err, OG_CORRUPT,
                     "table %.*s: version %" PRIu64 " that __manifest names is missing",
                     OG_FMT(def->table_key), pin->version);
        return OG_CORRUPT;
    }
    if (status == OG_OK)
        status = check_columns(table, def, err);
    if (status != OG_OK)
        return og_error_context(err, status, "table %.*s", OG_FMT(def->table_key));
    *out = OG_TAKE(table);
    return OG_OK;
}

static og_status snapshot_table(og_snapshot *base, const og_type_def *def, og_lance_table **out,
                                og_error *err)
{
    og_graph__snapshot *s = og_graph__snapshot_of(base);
    og_lance_table **place = &s->tables[table_index(base->catalog, def)];
    og_lance_table *table = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (table == NULL) {
        pthread_mutex_lock(&s->lock);
        og_status status = *place == NULL ? open_table(s, def, &table, err) : OG_OK;
        if (status == OG_OK && *place == NULL)
            __atomic_store_n(place, table, __ATOMIC_RELEASE);
        table = *place;
        pthread_mutex_unlock(&s->lock);
        OG_TRY(status);
    }
    *out = table;
    return OG_OK;
}

static void snapshot_release(og_snapshot *base)
{
    og_graph__snapshot *s = og_graph__snapshot_of(base);
    if (s->tables != NULL)
        for (size_t i = 0; i < (size_t)base->catalog->node_count + base->catalog->edge_count; i++)
            og_lance_table_unref(s->tables[i]);
    og_free(s->tables);
    og_free(s->infos);
    og_lance_table_unref(s->manifest);
    og_graph__state_unref(s->state);
    og_catalog_unref(base->catalog);
    pthread_mutex_destroy(&s->lock);
    og_free(s);
}

/* Share what an earlier snapshot has open at the same version. */
static void share_tables(og_graph__snapshot *s, og_snapshot *previous)
{
    if (previous == NULL || previous->catalog != s->base.catalog)
        return;
    og_graph__snapshot *old = og_graph__snapshot_of(previous);
    size_t count = (size_t)s->base.catalog->node_count + s->base.catalog->edge_count;
    pthread_mutex_lock(&old->lock);
    for (size_t i = 0; i < count; i++) {
        const og_type_def *def = i < s->base.catalog->node_count
                                     ? &s->base.catalog->nodes[i]
                                     : &s->base.catalog->edges[i - s->base.catalog->node_count];
        const og_graph__pin *pin = og_graph__state_pin(s->state, def->table_key);
        const og_graph__pin *was = og_graph__state_pin(old->state, def->table_key);
        if (old->tables[i] != NULL && pin != NULL && was != NULL && was->version == pin->version &&
            og_str_eq(was->table_branch, pin->table_branch))
            s->tables[i] = og_lance_table_ref(old->tables[i]);
    }
    pthread_mutex_unlock(&old->lock);
}

void og_graph__snapshot_put(og_snapshot *snapshot, og_str table_key, og_lance_table *table)
{
    og_graph__snapshot *s = og_graph__snapshot_of(snapshot);
    const og_graph__pin *pin = og_graph__state_pin(s->state, table_key);
    const og_type_def *def = og_catalog_table(snapshot->catalog, table_key);
    if (pin == NULL || def == NULL || pin->version != og_lance_table_version(table))
        return;
    og_lance_table **place = &s->tables[table_index(snapshot->catalog, def)];
    og_lance_table_unref(*place);
    *place = og_lance_table_ref(table);
}

bool og_graph__snapshot_has(og_snapshot *snapshot, const og_type_def *def)
{
    og_lance_table **place =
        &og_graph__snapshot_of(snapshot)->tables[table_index(snapshot->catalog, def)];
    return __atomic_load_n(place, __ATOMIC_ACQUIRE) != NULL;
}

static void fill_infos(og_graph__snapshot *s)
{
    for (size_t i = 0; i < s->state->pin_count; i++) {
        const og_graph__pin *pin = &s->state->pins[i];
        s->infos[i] = (og_table_info){.table_key = pin->table_key,
                                      .table_path = pin->table_path,
                                      .table_branch = pin->table_branch,
                                      .version = pin->version,
                                      .row_count = pin->row_count};
    }
}

og_status og_graph__snapshot_new(og_repo *repo, og_graph__branch *branch, const char *branch_id,
                                 og_graph__state *state, og_lance_table *manifest,
                                 og_snapshot *previous, og_snapshot **out, og_error *err)
{
    static const og_snapshot_ops ops = {.table = snapshot_table, .release = snapshot_release};
    og_graph__snapshot *s = og_calloc(1, sizeof *s);
    if (s == NULL)
        return og_error_nomem(err);
    s->base = (og_snapshot){.ops = &ops,
                            .catalog = og_catalog_ref(repo->catalog),
                            .topo = repo->topo,
                            .store = repo->store,
                            .branch = branch->name,
                            .manifest_version = state->manifest_version,
                            .refs = 1};
    s->repo = repo;
    s->branch = branch;
    memcpy(s->branch_id, branch_id, strlen(branch_id) + 1);
    s->state = og_graph__state_ref(state);
    s->manifest = og_lance_table_ref(manifest);
    pthread_mutex_init(&s->lock, NULL);
    size_t count = (size_t)repo->catalog->node_count + repo->catalog->edge_count;
    s->tables = og_calloc(count, sizeof *s->tables);
    s->infos = og_calloc(state->pin_count, sizeof *s->infos);
    if (s->tables == NULL || s->infos == NULL) {
        snapshot_release(&s->base);
        return og_error_nomem(err);
    }
    fill_infos(s);
    share_tables(s, previous);
    *out = &s->base;
    return OG_OK;
}

const og_table_info *og_snapshot_tables(const og_snapshot *snapshot, size_t *out_count)
{
    const og_graph__snapshot *s = (const og_graph__snapshot *)snapshot;
    *out_count = s->state->pin_count;
    return s->infos;
}

const char *og_snapshot_commit(const og_snapshot *snapshot)
{
    return ((const og_graph__snapshot *)snapshot)->commit_id;
}
