#include "graph/load_priv.h"
#include "graph/repo_priv.h"

#include <inttypes.h>

#include "base/number.h"

#define MAX_RECORD_BYTES ((size_t)256 << 20)
#define PROGRESS_RECORDS 1024

/* ---- errors ------------------------------------------------------------------------------- */

/* The line of the record, unless the error knows a better one. */
static og_status at_line(og_error *err, og_status status, uint64_t line)
{
    if (err != NULL && status == OG_INVALID && err->line == 0)
        err->line = (uint32_t)line;
    return status;
}

static og_status unknown_type(const og_graph__load *load, uint64_t number, bool is_edge,
                              og_str name, og_error *err)
{
    og_str near = is_edge ? og_catalog_nearest_edge(load->catalog, name)
                          : og_catalog_nearest_node(load->catalog, name);
    og_error_set(err, OG_INVALID, "record %" PRIu64 ": unknown %s type '%.*s'", number,
                 is_edge ? "edge" : "node", OG_FMT(name));
    if ((is_edge ? og_catalog_node : og_catalog_edge)(load->catalog, name) != NULL)
        og_error_hint(err, "'%.*s' is the name of %s type: give it as \"%s\".", OG_FMT(name),
                      is_edge ? "a node" : "an edge", is_edge ? "type" : "edge");
    else if (near.len > 0)
        og_error_hint(err, "Did you mean '%.*s'?", OG_FMT(near));
    return OG_INVALID;
}

static og_status unknown_property(const og_type_def *def, og_str name, og_error *err)
{
    og_str near = og_type_def_nearest_property(def, name);
    og_error_set(err, OG_INVALID, "unknown property '%.*s' on %s %.*s", OG_FMT(name),
                 def->is_edge ? "edge" : "node", OG_FMT(def->name));
    if (near.len > 0)
        og_error_hint(err, "Did you mean '%.*s'?", OG_FMT(near));
    return OG_INVALID;
}

/* ---- one record --------------------------------------------------------------------------- */

/* The members of a record that count; of equal keys the last. */
typedef struct members {
    const og_json *type, *edge, *from, *to, *data;
} members;

static void read_members(const og_json *record, members *out)
{
    *out = (members){0};
    if (record->kind != OG_JSON_OBJECT)
        return;
    for (uint32_t i = 0; i < record->count; i++) {
        og_str key = record->keys[i];
        const og_json *value = &record->items[i];
        if (og_str_eq(key, OG_STR("data")))
            out->data = value;
        else if (og_str_eq(key, OG_STR("from")))
            out->from = value;
        else if (og_str_eq(key, OG_STR("to")))
            out->to = value;
        else if (og_str_eq(key, OG_STR("edge")))
            out->edge = value;
        else if (og_str_eq(key, OG_STR("type")))
            out->type = value;
    }
}

static bool is_text(const og_json *value)
{
    return value != NULL && value->kind == OG_JSON_STRING;
}

/* The property of the n-th member. Records of a type tend to name their properties in one order, so
 * the one before is asked first. */
static int32_t find_property(og_graph__load_table *t, uint32_t n, og_str name)
{
    const og_type_def *def = t->def;
    if (n < t->last_members.len) {
        uint32_t guess = t->last_members.items[n];
        if (guess < def->property_count && og_str_eq(def->properties[guess].name, name))
            return (int32_t)guess;
    }
    int32_t found = og_type_def_property(def, name);
    if (n < t->last_members.len)
        t->last_members.items[n] = (uint32_t)found;
    else if (n == t->last_members.len)
        (void)og_vec_push(&t->last_members, (uint32_t)found); /* without it: only slower */
    return found;
}

/* Spread the members of `data` over t->values; *out_id is the member "id", or NULL. */
static og_status read_data(og_graph__load *load, og_graph__load_table *t, const og_json *data,
                           const og_json **out_id, og_error *err)
{
    bool lenient = load->input->lenient;
    *out_id = NULL;
    memset(t->values, 0, t->def->property_count * sizeof *t->values);
    if (data == NULL || data->kind == OG_JSON_NULL)
        return OG_OK;
    if (data->kind != OG_JSON_OBJECT) {
        if (!lenient)
            return og_error_set(err, OG_INVALID, "'data' of a record must be an object");
        load->lenient.wrong_types++;
        return OG_OK;
    }
    for (uint32_t i = 0; i < data->count; i++) {
        int32_t property = find_property(t, i, data->keys[i]);
        if (property >= 0) {
            t->values[property] =
                (og_graph__value){.kind = OG_GRAPH__JSON, .json = &data->items[i]};
        } else if (og_str_eq(data->keys[i], OG_STR("id"))) {
            *out_id = &data->items[i];
        } else if (lenient) {
            load->lenient.unknown_properties++;
        } else {
            return unknown_property(t->def, data->keys[i], err);
        }
    }
    return OG_OK;
}

/* The id a record gives itself; ptr NULL when it gives none. */
static og_status given_id(og_graph__load *load, const og_json *value, og_str *out, og_error *err)
{
    *out = (og_str){NULL, 0};
    if (value == NULL || value->kind == OG_JSON_NULL)
        return OG_OK;
    if (value->kind == OG_JSON_STRING) {
        *out = value->text;
        return OG_OK;
    }
    if (!load->input->lenient)
        return og_error_set(err, OG_INVALID, "'id' must be a text");
    load->lenient.wrong_types++;
    return OG_OK;
}

/* The reference writes into an id what an F32 was given as, which is stored rounded. */
static bool names_same_single(const og_type_def *def, og_str given, og_str id)
{
    double a, b;
    return def->properties[def->key_property].type.scalar == OG_SCALAR_F32 &&
           og_parse_f64(given, &a) && og_parse_f64(id, &b) && (float)a == (float)b;
}

static og_status node_id(og_graph__load *load, const og_graph__load_table *t, og_str given,
                         og_str *out, og_error *err)
{
    const og_type_def *def = t->def;
    *out = given;
    if (def->key_property < 0)
        return OG_OK;
    OG_TRY(og_graph__key_id(def, &t->values[def->key_property], &load->scratch, out, err));
    if (given.ptr == NULL || og_str_eq(given, *out))
        return OG_OK;
    if (names_same_single(def, given, *out)) {
        *out = given;
        return OG_OK;
    }
    return og_error_set(err, OG_INVALID,
                        "node %.*s has explicit id '%.*s' that does not match @key property "
                        "'%.*s' value '%.*s'",
                        OG_FMT(def->name), OG_FMT(given), OG_FMT(def->key.names[0]), OG_FMT(*out));
}

static og_status load_node(og_graph__load *load, const members *m, uint64_t number,
                           og_graph__record *record, og_error *err)
{
    const og_type_def *def = og_catalog_node(load->catalog, m->type->text);
    og_graph__load_table *t;
    const og_json *id;
    if (def == NULL)
        return unknown_type(load, number, false, m->type->text, err);
    OG_TRY(og_graph__load_table_of(load, def, &t, err));
    OG_TRY(read_data(load, t, m->data, &id, err));
    OG_TRY(given_id(load, id, &record->id, err));
    OG_TRY(node_id(load, t, record->id, &record->id, err));
    return og_graph__load_append(load, t, record, err);
}

static og_status missing_end(const members *m, uint64_t number, og_error *err)
{
    bool is_from = !is_text(m->from);
    const char *name = is_from ? "from" : "to";
    og_error_set(err, OG_INVALID, "record %" PRIu64 ": edge missing '%s'", number, name);
    if ((is_from ? m->from : m->to) != NULL)
        og_error_hint(err, "'%s' is the id of a node, in quotes also when its key is a number.",
                      name);
    return OG_INVALID;
}

static og_status load_edge(og_graph__load *load, const members *m, uint64_t number,
                           og_graph__record *record, og_error *err)
{
    const og_type_def *def = og_catalog_edge(load->catalog, m->edge->text);
    og_graph__load_table *t;
    const og_json *id;
    if (def == NULL)
        return unknown_type(load, number, true, m->edge->text, err);
    if (!is_text(m->from) || !is_text(m->to))
        return missing_end(m, number, err);
    OG_TRY(og_graph__load_table_of(load, def, &t, err));
    OG_TRY(read_data(load, t, m->data, &id, err));
    OG_TRY(given_id(load, id, &record->id, err));
    record->src = m->from->text;
    record->dst = m->to->text;
    return og_graph__load_append(load, t, record, err);
}

static og_status load_record(og_graph__load *load, const og_json *value, uint64_t number,
                             og_graph__record *record, og_error *err)
{
    members m;
    read_members(value, &m);
    if (is_text(m.type))
        return load_node(load, &m, number, record, err);
    if (is_text(m.edge))
        return load_edge(load, &m, number, record, err);
    return og_error_set(err, OG_INVALID, "record %" PRIu64 ": expected 'type' or 'edge' field",
                        number);
}

/* ---- all records -------------------------------------------------------------------------- */

static og_status report(const og_load_input *input, const og_json_stream *stream, uint64_t records,
                        og_error *err)
{
    if (input->progress == NULL ||
        input->progress(input->progress_context, og_json_stream_offset(stream), records) == 0)
        return OG_OK;
    return og_error_set(err, OG_CANCELLED, "the load was cancelled");
}

static og_status load_records(og_graph__load *load, og_json_stream *stream, og_arena *arena,
                              og_error *err)
{
    for (uint64_t number = 1;; number++) {
        og_json value;
        bool done;
        uint64_t line = 0, start = og_json_stream_offset(stream);
        og_arena_reset(arena);
        og_status s = og_json_stream_next(stream, arena, &value, &line, &done, err);
        if (s == OG_INVALID)
            og_error_context(err, s, "invalid JSON at record %" PRIu64, number);
        if (s == OG_LIMIT)
            og_error_context(err, s, "record %" PRIu64, number);
        OG_TRY(s);
        if (done)
            return report(load->input, stream, number - 1, err);
        og_graph__record record = {.line = line < UINT32_MAX ? (uint32_t)line : 0,
                                   .bytes = (size_t)(og_json_stream_offset(stream) - start)};
        OG_TRY(at_line(err, load_record(load, &value, number, &record, err), line));
        if (number % PROGRESS_RECORDS == 0)
            OG_TRY(report(load->input, stream, number, err));
    }
}

/* ---- the load ----------------------------------------------------------------------------- */

/* A load streams, so it can't be run again; what it decided by what is stored is in the checks. */
static og_status holds(void *context, og_snapshot *was, og_snapshot *now, og_error *err)
{
    const og_graph__load *load = context;
    return og_graph__checks_again(load->checks, was, now, err);
}

static og_status load_init(og_graph__load *load, og_repo *repo, const og_load_input *input,
                           og_error *err)
{
    const og_txn_options options = {.branch = input->branch, .actor = input->actor, .kind = "Load"};
    load->repo = repo;
    load->input = input;
    load->catalog = og_repo_catalog(repo);
    load->nodes = og_calloc((size_t)load->catalog->node_count + 1, sizeof(void *));
    load->edges = og_calloc((size_t)load->catalog->edge_count + 1, sizeof(void *));
    if (load->nodes == NULL || load->edges == NULL)
        return og_error_nomem(err);
    OG_TRY(og_graph__checks_new(load->catalog, &load->checks, err));
    OG_TRY(og_txn_begin(repo, &options, &load->txn, err));
    og_txn_on_move(load->txn, holds, load);
    return OG_OK;
}

static void load_deinit(og_graph__load *load)
{
    for (uint32_t i = 0; load->nodes != NULL && i < load->catalog->node_count; i++)
        og_graph__load_table_free(load->nodes[i]);
    for (uint32_t i = 0; load->edges != NULL && i < load->catalog->edge_count; i++)
        og_graph__load_table_free(load->edges[i]);
    og_free(load->nodes);
    og_free(load->edges);
    og_graph__checks_free(load->checks);
    og_txn_free(load->txn);
    og_buf_deinit(&load->scratch);
}

static void add_counts(og_graph__load_table *const *tables, uint32_t type_count,
                       og_load_output *out, uint64_t *out_rows)
{
    for (uint32_t i = 0; i < type_count; i++) {
        if (tables[i] == NULL)
            continue;
        uint64_t rows = og_graph__load_rows(tables[i]);
        out->counts[out->count_len++] = (og_load_count){tables[i]->def, rows};
        *out_rows += rows;
    }
}

static og_status make_output(const og_graph__load *load, og_load_output *out, og_error *err)
{
    size_t types = (size_t)load->catalog->node_count + load->catalog->edge_count;
    *out = (og_load_output){.lenient = load->lenient};
    out->counts = og_calloc(types + 1, sizeof *out->counts);
    if (out->counts == NULL)
        return og_error_nomem(err);
    add_counts(load->nodes, load->catalog->node_count, out, &out->node_rows);
    add_counts(load->edges, load->catalog->edge_count, out, &out->edge_rows);
    return OG_OK;
}

static og_status load_all(og_graph__load *load, og_error *err)
{
    OG_AUTO(og_json_stream) stream = NULL;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(og_json_stream_new(load->input->read, load->input->read_context, MAX_RECORD_BYTES,
                              &stream, err));
    OG_TRY(load_records(load, stream, arena, err));
    OG_TRY(og_graph__load_flush_all(load, err));
    OG_TRY(og_graph__load_drop_copies(load, err));
    return og_graph__checks_finish(load->checks, load->txn, err);
}

/* ---- what reads will ask for -------------------------------------------------------------- */

/* Most of the table is new, so that nothing made earlier would help. */
static bool is_mostly_new(og_graph__load_table *t, og_snapshot *snapshot, uint64_t limit)
{
    og_lance_table *table;
    if (t == NULL || og_snapshot_table(snapshot, t->def, &table, NULL) != OG_OK)
        return false;
    uint64_t rows = og_lance_table_row_count(table);
    return rows <= limit && og_graph__load_rows(t) > rows / 2;
}

/* Make and save key directories and topologies while the columns they are made of are at hand, lest
 * the first query waits for them. They are derived: failing is no error. */
static void prepare_reads(og_graph__load *load)
{
    OG_AUTO(og_snapshot) now = NULL;
    if (load->repo->no_derived ||
        og_repo_snapshot(load->repo, load->input->branch, &now, NULL) != OG_OK)
        return;
    for (uint32_t i = 0; i < load->catalog->node_count; i++) {
        OG_AUTO(og_directory) directory = NULL;
        if (is_mostly_new(load->nodes[i], now, UINT64_MAX))
            (void)!og_snapshot_directory(now, load->nodes[i]->def, &directory, NULL, NULL);
    }
    for (uint32_t i = 0; i < load->catalog->edge_count; i++) {
        OG_AUTO(og_topology) topology = NULL;
        if (is_mostly_new(load->edges[i], now, OG_TOPO_BUILD_EDGES))
            (void)!og_snapshot_topology(now, load->edges[i]->def, OG_TOPO_OUT, &topology, NULL,
                                        NULL);
    }
}

og_status og_load_run(og_repo *repo, const og_load_input *input, og_load_output *out, og_error *err)
{
    __attribute__((cleanup(load_deinit))) og_graph__load load = {0};
    OG_TRY(load_init(&load, repo, input, err));
    og_status read = load_all(&load, err);
    OG_TRY(og_repo_read_outcome(og_txn_snapshot(load.txn), read, err));
    og_load_output made;
    OG_TRY(make_output(&load, &made, err));
    og_status s = og_txn_commit(load.txn, &made.commit, err);
    if (s != OG_OK) {
        og_load_output_deinit(&made);
        return s;
    }
    *out = made;
    prepare_reads(&load);
    return OG_OK;
}

void og_load_output_deinit(og_load_output *output)
{
    og_free(output->counts);
    output->counts = NULL;
    output->count_len = 0;
}
