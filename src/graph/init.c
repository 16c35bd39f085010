/* Making a new graph.
 *
 * A graph exists when `__schema_state.json` does: it is written last, after everything it
 * needs is durable. Until then a marker says that an init is under way, so that one that died
 * can be told from a damaged graph: with the marker, what is there is swept and made again;
 * without it, nothing is touched. Of several inits that find a dead one, the one that puts its
 * name behind it first goes on. With `force` the new graph is made beside the old one and
 * takes its name in one rename. */
#include <inttypes.h>
#include <stdio.h>

#include "base/vec.h"
#include "graph/dag.h"
#include "graph/layout.h"
#include "graph/publish.h"
#include "graph/schema_files.h"
#include "lang/schema.h"
#include "store/file.h"

/* A marker this young belongs to a living process. */
#define INIT_GRACE_MS 10000
#define MAX_DEAD_INITS 64

typedef struct init {
    og_store *store;
    og_lance_env *env;
    const char *place; /* where the graph will be, for manifest_path */
    const og_catalog *catalog;
    og_str source, ir;
    const og_random *random;
    og_graph__op op;
    og_graph__move *moves;
    OG_VEC(char *) names; /* manifests to sync */
} init;

/* ---- tables ------------------------------------------------------------------------------- */

static og_status table_fields(const og_type_def *def, og_lance_new_field **out, og_error *err)
{
    uint32_t count = def->table_schema->field_count, first = og_type_def_first_property(def);
    og_lance_new_field *fields = og_calloc(count, sizeof *fields);
    if (fields == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        fields[i].field = def->table_schema->fields[i];
        fields[i].is_blob = i >= first && def->properties[i - first].type.scalar == OG_SCALAR_BLOB;
    }
    *out = fields;
    return OG_OK;
}

static og_status remember_move(init *in, const og_type_def *def, size_t index,
                               const og_lance_staged *staged, og_error *err)
{
    char *name = og_strdup(staged->manifest_name);
    if (name == NULL || !og_vec_push(&in->names, name)) {
        og_free(name);
        return og_error_nomem(err);
    }
    in->moves[index] = (og_graph__move){.pin = {.table_key = def->table_key,
                                                .table_path = def->table_path,
                                                .table_branch = OG_STR(""),
                                                .version = staged->version,
                                                .manifest_bytes = staged->manifest.len},
                                        .manifest_name = name,
                                        .is_registration = true};
    return OG_OK;
}

static og_status create_table(init *in, const og_type_def *def, size_t index, og_error *err)
{
    OG_AUTO_FREE og_lance_new_field *fields = NULL;
    OG_TRY(table_fields(def, &fields, err));
    const og_lance_kv properties[] = {{OG_STR("og.op"), og_str_of(in->op.id)},
                                      {OG_STR("og.epoch"), og_str_of(in->op.id)}};
    char path[512];
    snprintf(path, sizeof path, "%.*s", OG_FMT(def->table_path));
    og_lance_write_options options = {.op = OG_LANCE_CREATE,
                                      .path = path,
                                      .fields = fields,
                                      .field_count = def->table_schema->field_count,
                                      .min_max_fragment_id = -1,
                                      .properties = properties,
                                      .property_count = 2,
                                      .now_us = in->op.at_us,
                                      .random = in->random};
    OG_AUTO(og_lance_write) write = NULL;
    const og_lance_staged *staged;
    OG_TRY(og_lance_write_new(in->env, NULL, &options, &write, err));
    OG_TRY(og_lance_write_stage(write, &staged, err));
    OG_TRY(og_lance_staged_commit(write, true, err));
    return remember_move(in, def, index, staged, err);
}

static og_status create_tables(init *in, og_error *err)
{
    size_t count = (size_t)in->catalog->node_count + in->catalog->edge_count;
    in->moves = og_calloc(count, sizeof *in->moves);
    if (in->moves == NULL)
        return og_error_nomem(err);
    size_t index = 0;
    for (uint32_t i = 0; i < in->catalog->node_count; i++)
        OG_TRY(create_table(in, &in->catalog->nodes[i], index++, err));
    for (uint32_t i = 0; i < in->catalog->edge_count; i++)
        OG_TRY(create_table(in, &in->catalog->edges[i], index++, err));
    return in->store->ops->sync(in->store, (const char *const *)in->names.items, in->names.len,
                                err);
}

static og_status create_manifest(init *in, og_error *err)
{
    size_t count = (size_t)in->catalog->node_count + in->catalog->edge_count;
    const og_lance_kv config = {OG_STR("table_version_management"), OG_STR("true")};
    const og_lance_kv stamp = {OG_STR(OG_GRAPH__STAMP_KEY), OG_STR("3")};
    const og_lance_kv property = {OG_STR("og.op"), og_str_of(in->op.id)};
    og_lance_write_options options = {.op = OG_LANCE_CREATE,
                                      .path = OG_GRAPH__MANIFEST,
                                      .fields = og_graph__manifest_fields(),
                                      .field_count = OG_GRAPH__COL_COUNT,
                                      .min_max_fragment_id = -1,
                                      .properties = &property,
                                      .property_count = 1,
                                      .config = &config,
                                      .config_count = 1,
                                      .schema_metadata = &stamp,
                                      .schema_metadata_count = 1,
                                      .now_us = in->op.at_us,
                                      .random = in->random};
    const og_graph__mark no_mark = {0};
    OG_AUTO(og_lance_write) write = NULL;
    const og_lance_staged *staged;
    OG_TRY(og_lance_write_new(in->env, NULL, &options, &write, err));
    OG_TRY(og_graph__publish_rows(write, in->place, 1, &in->op, in->moves, count, &no_mark, err));
    OG_TRY(og_lance_write_stage(write, &staged, err));
    OG_TRY(in->store->ops->sync(in->store, staged->file_names, staged->file_count, err));
    OG_TRY(og_lance_staged_commit(write, true, err));
    const char *name = staged->manifest_name;
    return in->store->ops->sync(in->store, &name, 1, err);
}

/* Everything of a graph but the schema files, the last of which makes it exist,
 * in a store where nothing of it is. */
static og_status build_tables(init *in, og_error *err)
{
    OG_TRY(og_lance_env_new(in->store, 0, &in->env, err));
    OG_TRY(create_tables(in, err));
    OG_TRY(og_graph__dag_create(in->env, &in->op, 1, in->random, err));
    return create_manifest(in, err);
}

static void init_deinit(init *in)
{
    for (size_t i = 0; i < in->names.len; i++)
        og_free(in->names.items[i]);
    og_vec_deinit(&in->names);
    og_free(in->moves);
    og_lance_env_free(in->env);
}

/* ---- claiming the place ------------------------------------------------------------------- */

static og_status exists(og_store *store, const char *name, bool *out, og_error *err)
{
    uint64_t bytes;
    og_status s = store->ops->head(store, name, &bytes, err);
    *out = s == OG_OK;
    return s == OG_NOT_FOUND ? OG_OK : s;
}

static og_status already_there(const og_store *store, og_error *err)
{
    og_error_set(err, OG_EXISTS, "graph already initialized at '%s'; pass --force to overwrite",
                 store->root);
    return OG_EXISTS;
}

/* What an init that died may have left; nothing else is removed. */
static og_status sweep(og_store *store, og_error *err)
{
    static const char *const prefixes[] = {OG_GRAPH__MANIFEST "/", OG_GRAPH__COMMITS "/",
                                           OG_GRAPH__ACTORS "/", "nodes/", "edges/"};
    static const char *const files[] = {OG_GRAPH__SCHEMA_SOURCE, OG_GRAPH__SCHEMA_IR};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        og_listing listing = {0};
        OG_TRY(store->ops->list(store, prefixes[i], true, NULL, 0, &listing, err));
        og_status s = OG_OK;
        for (size_t k = 0; k < listing.len && s == OG_OK; k++) {
            OG_AUTO_BUF name = OG_BUF_INIT;
            og_buf_str(&name, listing.items[k].name);
            const char *text = og_buf_cstr(&name);
            s = store->ops->remove(store, &text, 1, err);
        }
        og_listing_deinit(&listing);
        OG_TRY(s);
    }
    return store->ops->remove(store, files, 2, err);
}

/* Is there a part of a graph that no interrupted init explains? */
static og_status refuse_parts(og_store *store, og_error *err)
{
    static const char *const files[] = {OG_GRAPH__SCHEMA_SOURCE, OG_GRAPH__SCHEMA_IR,
                                        OG_GRAPH__SCHEMA_STATE};
    for (int i = 0; i < 3; i++) {
        bool is_there;
        OG_TRY(exists(store, files[i], &is_there, err));
        if (is_there)
            return already_there(store, err);
    }
    return OG_OK;
}

/* Who holds the place. The marker names an init; one that died is followed by the init that was
 * first to put `init-<its ULID>.json`, which may die too. The last of the chain holds it: names are
 * put only where there are none, so there is one. */
typedef struct chain {
    OG_VEC(char *) names; /* of the marker and those that follow */
    char last[27];        /* ULID of the last; "" = there is no marker */
} chain;

static void chain_deinit(chain *c)
{
    for (size_t i = 0; i < c->names.len; i++)
        og_free(c->names.items[i]);
    og_vec_deinit(&c->names);
}
#define AUTO_CHAIN __attribute__((cleanup(chain_deinit))) chain

static og_status chain_add(chain *c, const char *name, og_error *err)
{
    char *copy = og_strdup(name);
    if (copy != NULL && og_vec_push(&c->names, copy))
        return OG_OK;
    og_free(copy);
    return og_error_nomem(err);
}

/* The name by which an init follows the last of the chain, or begins one. */
static void next_name(const chain *c, char *dst, size_t size)
{
    if (c->names.len == 0)
        snprintf(dst, size, "%s", OG_GRAPH__INIT_MARKER);
    else
        snprintf(dst, size, OG_GRAPH__INIT_FOLLOWER "%s.json", c->last);
}

static og_status chain_read(og_store *store, chain *out, og_error *err)
{
    for (;;) {
        char name[128];
        OG_AUTO(og_blob) blob = NULL;
        next_name(out, name, sizeof name);
        og_status s = store->ops->get(store, name, &blob, err);
        if (s == OG_NOT_FOUND)
            return OG_OK;
        OG_TRY(s);
        og_str id = {(const char *)blob->ptr, blob->len};
        /* Without a ULID it can't be told how old it is; it is taken for a dead one. */
        snprintf(out->last, sizeof out->last, "%.*s",
                 OG_FMT(og_ulid_valid(id) ? id : OG_STR("damaged")));
        OG_TRY(chain_add(out, name, err));
        if (out->names.len > MAX_DEAD_INITS)
            return og_error_set(err, OG_CORRUPT, "%s: too many inits died", store->root);
    }
}

static og_status under_way(const og_store *store, og_error *err)
{
    og_error_set(err, OG_CONFLICT, "another init of '%s' is under way", store->root);
    og_error_hint(err, "If it was interrupted, try again in ten seconds.");
    return OG_CONFLICT;
}

static bool is_young(const chain *c, const og_repo *clock)
{
    og_str id = og_str_of(c->last);
    return og_ulid_valid(id) &&
           og_repo_now_us(clock) / 1000 - (int64_t)og_ulid_ms(id) < INIT_GRACE_MS;
}

/* Become the last of the chain; what an init before us left is swept. */
static og_status claim(og_store *store, const og_repo *clock, const char *op, chain *out,
                       og_error *err)
{
    bool is_there;
    OG_TRY(chain_read(store, out, err));
    bool is_first = out->names.len == 0;
    if (is_first) {
        OG_TRY(refuse_parts(store, err));
    } else {
        OG_TRY(exists(store, OG_GRAPH__SCHEMA_STATE, &is_there, err));
        if (is_there) /* it died after its last step: the graph is whole */
            return already_there(store, err);
        if (is_young(out, clock))
            return under_way(store, err);
    }
    char name[128];
    next_name(out, name, sizeof name);
    og_status s = store->ops->put_if_absent(store, name,
                                            (og_bytes){(const uint8_t *)op, strlen(op)}, true, err);
    if (s == OG_EXISTS)
        return under_way(store, err);
    OG_TRY(s);
    OG_TRY(chain_add(out, name, err));
    snprintf(out->last, sizeof out->last, "%s", op);
    OG_TRY(exists(store, OG_GRAPH__SCHEMA_STATE, &is_there, err));
    return is_first || is_there ? OG_OK : sweep(store, err);
}

/* Has nobody taken us for dead? */
static og_status still_holds(og_store *store, const chain *mine, og_error *err)
{
    char name[128];
    bool is_followed;
    next_name(mine, name, sizeof name);
    OG_TRY(exists(store, name, &is_followed, err));
    return is_followed ? under_way(store, err) : OG_OK;
}

/* The marker goes first: what follows it means nothing without. */
static void release(og_store *store, const chain *mine)
{
    for (size_t i = 0; i < mine->names.len; i++)
        (void)!store->ops->remove(store, (const char *const *)&mine->names.items[i], 1, NULL);
}

/* Best effort; if it fails, the marker lets the next init do it. Whose place it is not any more,
 * or that failed after the graph existed, sweeps nothing. */
static void give_up(og_store *store, const chain *mine)
{
    bool is_there;
    if (still_holds(store, mine, NULL) == OG_OK &&
        exists(store, OG_GRAPH__SCHEMA_STATE, &is_there, NULL) == OG_OK &&
        (is_there || sweep(store, NULL) == OG_OK))
        release(store, mine);
}

static og_status build_as_holder(init *in, const chain *mine, og_error *err)
{
    bool is_there; /* made while we looked for a marker, which is gone again */
    OG_TRY(exists(in->store, OG_GRAPH__SCHEMA_STATE, &is_there, err));
    if (is_there)
        return already_there(in->store, err);
    OG_TRY(build_tables(in, err));
    OG_TRY(still_holds(in->store, mine, err));
    return og_graph__schema_write(in->store, in->source, in->ir, in->catalog, err);
}

static og_status init_in_place(init *in, const og_repo *clock, og_error *err)
{
    AUTO_CHAIN mine = {0};
    OG_TRY(claim(in->store, clock, in->op.id, &mine, err));
    in->place = in->store->root;
    og_status s = build_as_holder(in, &mine, err);
    if (s == OG_OK)
        release(in->store, &mine);
    else
        give_up(in->store, &mine);
    return s;
}

/* What may stand in a graph's folder; a folder that holds anything else is not replaced. */
static const char *const graph_entries[] = {OG_GRAPH__SCHEMA_SOURCE,
                                            OG_GRAPH__SCHEMA_IR,
                                            OG_GRAPH__SCHEMA_STATE,
                                            OG_GRAPH__MANIFEST,
                                            OG_GRAPH__COMMITS,
                                            OG_GRAPH__ACTORS,
                                            "_graph_commit_recoveries.lance",
                                            "__recovery",
                                            "_refs",
                                            "_omnigraph",
                                            "nodes",
                                            "edges",
                                            NULL};

/* Make the new graph in a folder beside, then let both change names at once. */
static og_status replace(init *in, og_error *err)
{
    OG_AUTO_BUF beside = OG_BUF_INIT;
    if (!og_buf_printf(&beside, "%s.init-%s", in->store->root, in->op.id))
        return og_error_nomem(err);
    const char *root = in->store->root, *folder = og_buf_cstr(&beside);
    OG_TRY(og_store_file_only_holds(root, graph_entries, err));
    OG_AUTO(og_store) fresh = NULL;
    OG_TRY(og_store_open_file(folder, true, &fresh, err));
    init beside_init = *in;
    beside_init.store = fresh;
    beside_init.place = root;
    og_status s = build_tables(&beside_init, err);
    if (s == OG_OK)
        s = og_graph__schema_write(fresh, in->source, in->ir, in->catalog, err);
    in->names.items = beside_init.names.items; /* one owner for what build allocated */
    in->names.len = beside_init.names.len;
    in->names.cap = beside_init.names.cap;
    in->moves = beside_init.moves;
    in->env = beside_init.env;
    if (s == OG_OK)
        s = og_store_file_exchange(folder, root, err);
    (void)!og_store_file_remove_tree(folder, NULL);
    return s;
}

static og_status run(init *in, const og_repo *clock, bool force, const og_repo_options *o,
                     og_error *err)
{
    bool is_there;
    OG_TRY(exists(in->store, OG_GRAPH__SCHEMA_STATE, &is_there, err));
    if (!is_there)
        return init_in_place(in, clock, err);
    if (!force)
        return already_there(in->store, err);
    if (o->store != NULL)
        return og_error_set(err, OG_UNSUPPORTED, "--force needs a graph in a local folder");
    return replace(in, err);
}

og_status og_repo_init(const char *uri, og_str schema_source, bool force,
                       const og_repo_options *options, og_error *err)
{
    const og_repo_options defaults = {0};
    const og_repo_options *o = options != NULL ? options : &defaults;
    OG_AUTO(og_catalog) catalog = NULL;
    OG_AUTO_BUF ir = OG_BUF_INIT;
    OG_TRY(og_schema_compile_ir(schema_source, &catalog, &ir, err));
    OG_TRY(og_schema_check_strict(schema_source, err));

    OG_AUTO(og_store) owned = NULL;
    if (o->store == NULL)
        OG_TRY(og_store_open_file(uri, true, &owned, err));
    /* Only its clock and randomness are used, by og_graph__op_init. */
    og_repo clock = {.clock = o->clock != NULL ? o->clock : &og_system_clock,
                     .random = o->random != NULL ? o->random : &og_system_random};
    init in = {.store = o->store != NULL ? o->store : owned,
               .catalog = catalog,
               .source = schema_source,
               .ir = og_buf_view(&ir),
               .random = clock.random};
    og_graph__op_init(&in.op, &clock, OG_STR(""), OG_STR("Init"));
    og_status s = run(&in, &clock, force, o, err);
    init_deinit(&in);
    return s;
}
