/* A graph as records, in the reference's form byte for byte: tables by key, rows by id, properties
 * by name, null included.
 *
 * Of a table only the ids and their order are held. Rows are read in chunks of that order and
 * turned into text by several threads, a chunk each; what they made is written in order, by the
 * caller's thread, while the others make the next ones. */
#include "graph/export_priv.h"

#include "base/json.h"
#include "base/thread.h"
#include "columnar/builder.h"
#include "columnar/sort.h"
#include "graph/diff.h"
#include "graph/repo_priv.h"

#include <pthread.h>

#define CHUNK_ROWS ((size_t)8192)
#define CHUNK_BYTES ((size_t)2 << 20) /* about, of text */
#define MIN_CHUNK_ROWS ((size_t)256)
#define BLOB_CHUNK_ROWS ((size_t)32) /* payloads are in memory, and as text beside */
#define MAX_THREADS 8

/* ---- order -------------------------------------------------------------------------------- */

/* Slots of all rows in order of id. */
typedef struct row_order {
    uint32_t *slots;
    size_t count;
    og_array *ids; /* while they are being sorted; NULL: the slots are in order as they are */
} row_order;

static void order_deinit(row_order *order)
{
    og_free(order->slots);
    og_array_unref(order->ids);
}

static og_status read_ids(const og_graph__export_table *t, row_order *out, og_error *err)
{
    size_t rows = (size_t)og_lance_table_row_count(t->table);
    OG_AUTO(og_builder) ids = og_builder_new(og_type_of(OG_TYPE_LARGE_UTF8));
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_AUTO_BUF last = OG_BUF_INIT;
    bool sorted = true;
    out->slots = og_calloc(rows, sizeof *out->slots);
    if (out->slots == NULL || ids == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lance_scan_open(t->table, t->fields, 1, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            break;
        if ((size_t)batch.row_count > rows - out->count)
            return og_error_set(err, OG_CORRUPT, "%s has more rows than it says",
                                og_lance_table_path(t->table));
        memcpy(out->slots + out->count, slots, (size_t)batch.row_count * sizeof *slots);
        out->count += (size_t)batch.row_count;
        const og_array *column = batch.columns[0];
        for (int64_t i = 0; i < batch.row_count; i++) {
            og_str before = i > 0 ? og_array_str(column, i - 1) : og_buf_view(&last);
            sorted = sorted && og_str_cmp(before, og_array_str(column, i)) <= 0;
            og_builder_str(ids, og_array_str(column, i));
        }
        og_buf_clear(&last);
        if (!og_buf_str(&last, og_array_str(column, batch.row_count - 1)))
            return og_error_nomem(err);
    }
    return sorted ? OG_OK : og_builder_finish(ids, &out->ids, err);
}

/* Put the slots in order of id; rows of equal id stay in storage order. */
static og_status sort_slots(row_order *order, og_error *err)
{
    OG_AUTO_FREE uint32_t *rows = og_calloc(order->count, sizeof *rows);
    OG_AUTO_FREE uint32_t *slots = og_calloc(order->count, sizeof *slots);
    if (rows == NULL || slots == NULL)
        return og_error_nomem(err);
    const og_sort_key key = {.column = order->ids};
    OG_TRY(og_sort_rows(&key, 1, (int64_t)order->count, rows, err));
    og_array_unref(order->ids);
    order->ids = NULL;
    for (size_t i = 0; i < order->count; i++)
        slots[i] = order->slots[rows[i]];
    og_free(order->slots);
    order->slots = OG_TAKE(slots);
    return OG_OK;
}

static og_status read_order(const og_graph__export_table *t, row_order *out, og_error *err)
{
    OG_TRY(read_ids(t, out, err));
    return out->ids != NULL ? sort_slots(out, err) : OG_OK;
}

/* ---- chunks ------------------------------------------------------------------------------- */

typedef struct chunk {
    const uint32_t *slots;
    size_t count;
    og_buf out;
} chunk;

/* A round makes chunks while those of the round before are written. */
#define ROUND_CHUNKS (2 * MAX_THREADS)
typedef struct round {
    const og_graph__export_table *table;
    const og_export_input *input;
    pthread_t caller;
    chunk chunks[2][ROUND_CHUNKS];
    chunk *making, *ready;
    size_t making_count, ready_count;
    size_t next; /* atomic: chunk to make */
    bool is_written;
} round;

static og_status make_chunk(const og_graph__export_table *t, chunk *c, og_error *err)
{
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_type_rows_read(t->def, t->table, c->slots, c->count, &batch, err));
    return og_graph__export_batch(t, &batch, c->slots, &c->out, err);
}

static og_status write_ready(round *r, og_error *err)
{
    const og_export_input *input = r->input;
    r->is_written = true;
    for (size_t i = 0; i < r->ready_count; i++) {
        OG_TRY(input->write(input->write_context, og_buf_bytes(&r->ready[i].out), err));
        og_buf_clear(&r->ready[i].out);
    }
    return OG_OK;
}

/* Every thread makes chunks until none is left; the caller's writes first, if it gets a turn. */
static og_status work(void *context, size_t index, og_error *err)
{
    round *r = context;
    (void)index;
    if (pthread_equal(pthread_self(), r->caller) && !r->is_written)
        OG_TRY(write_ready(r, err));
    for (;;) {
        size_t i = __atomic_fetch_add(&r->next, 1, __ATOMIC_RELAXED);
        if (i >= r->making_count)
            return OG_OK;
        OG_TRY(make_chunk(r->table, &r->making[i], err));
    }
}

static og_status run_round(round *r, og_pool *pool, og_error *err)
{
    r->next = 0;
    r->is_written = false;
    OG_TRY(og_pool_run(pool, og_pool_threads(pool), work, r, err));
    if (!r->is_written)
        OG_TRY(write_ready(r, err));
    chunk *written = r->ready;
    r->ready = r->making;
    r->ready_count = r->making_count;
    r->making = written;
    return OG_OK;
}

/* Rows of the next chunks, by what those at hand came to. */
static size_t chunk_rows(const round *r)
{
    size_t rows = 0, bytes = 0;
    if (r->table->has_blobs)
        return BLOB_CHUNK_ROWS;
    for (size_t i = 0; i < r->ready_count; i++) {
        rows += r->ready[i].count;
        bytes += r->ready[i].out.len;
    }
    size_t fits = rows == 0 ? MIN_CHUNK_ROWS : CHUNK_BYTES / (bytes / rows + 1);
    return fits > CHUNK_ROWS ? CHUNK_ROWS : fits > MIN_CHUNK_ROWS ? fits : MIN_CHUNK_ROWS;
}

static og_status write_chunks(const row_order *order, og_pool *pool, round *r, og_error *err)
{
    size_t most = 2 * og_pool_threads(pool);
    for (size_t at = 0; at < order->count || r->ready_count > 0;) {
        size_t rows = chunk_rows(r);
        for (r->making_count = 0; r->making_count < most && at < order->count; r->making_count++) {
            chunk *c = &r->making[r->making_count];
            c->slots = order->slots + at;
            c->count = order->count - at < rows ? order->count - at : rows;
            at += c->count;
        }
        OG_TRY(run_round(r, pool, err));
    }
    return OG_OK;
}

static og_status export_rows(const og_export_input *input, const og_graph__export_table *t,
                             const row_order *order, og_error *err)
{
    unsigned threads = og_processor_count() < MAX_THREADS ? og_processor_count() : MAX_THREADS;
    /* Without a pool everything runs here, which a small table does faster. */
    OG_AUTO(og_pool) pool = order->count > CHUNK_ROWS ? og_pool_new(threads) : NULL;
    round r = {.table = t, .input = input, .caller = pthread_self()};
    r.making = r.chunks[0];
    r.ready = r.chunks[1];
    og_status s = write_chunks(order, pool, &r, err);
    for (size_t i = 0; i < ROUND_CHUNKS; i++) {
        og_buf_deinit(&r.chunks[0][i].out);
        og_buf_deinit(&r.chunks[1][i].out);
    }
    return s;
}

/* ---- tables ------------------------------------------------------------------------------- */

/* `before"name":behind` in the arena. */
static og_status make_label(og_arena *arena, const char *before, og_str name, const char *behind,
                            og_str *out, og_error *err)
{
    OG_AUTO_BUF text = OG_BUF_INIT;
    og_buf_text(&text, before);
    og_json_write_str(&text, name);
    if (!og_buf_text(&text, behind))
        return og_error_nomem(err);
    *out = og_arena_str(arena, og_buf_view(&text));
    return out->ptr != NULL ? OG_OK : og_error_nomem(err);
}

/* Only a past state may lack a column: a property that the schema has got since. */
static og_status find_column(og_graph__export_table *t, uint32_t column, bool is_past,
                             og_error *err)
{
    const og_type_def *def = t->def;
    uint32_t first = og_type_def_first_property(def);
    og_str name = def->table_schema->fields[column].name;
    int32_t field = og_lance_table_find_field(t->table, name);
    if (field < 0 && (!is_past || column < first))
        return og_error_set(err, OG_CORRUPT, "missing column '%.*s' in %.*s", OG_FMT(name),
                            OG_FMT(def->table_key));
    t->fields[column] = field >= 0 ? (uint32_t)field : 0;
    t->columns[column].is_blob = field >= 0 && column >= first &&
                                 def->properties[column - first].type.scalar == OG_SCALAR_BLOB;
    t->has_blobs |= t->columns[column].is_blob;
    return OG_OK;
}

static og_status make_columns(og_graph__export_table *t, bool is_past, og_arena *arena,
                              og_error *err)
{
    const og_type_def *def = t->def;
    uint32_t first = og_type_def_first_property(def);
    t->column_count = first + def->property_count;
    t->columns = og_arena_array_of(arena, og_graph__export_column, t->column_count);
    t->fields = og_arena_array_of(arena, uint32_t, t->column_count);
    if (t->columns == NULL || t->fields == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < t->column_count; i++) {
        og_str name = def->table_schema->fields[i].name;
        OG_TRY(find_column(t, i, is_past, err));
        OG_TRY(make_label(arena, ",", name, ":", &t->columns[i].label, err));
    }
    if (!def->is_edge)
        return make_label(arena, "{\"type\":", def->name, ",\"data\":{\"id\":", &t->head, err);
    /* What stands behind src and dst. */
    t->columns[1].label = OG_STR(",\"to\":");
    t->columns[2].label = OG_STR(",\"data\":{\"id\":");
    return make_label(arena, "{\"edge\":", def->name, ",\"from\":", &t->head, err);
}

static og_status export_table(og_snapshot *snapshot, const og_export_input *input, og_str key,
                              og_error *err)
{
    __attribute__((cleanup(order_deinit))) row_order order = {0};
    og_graph__export_table t = {.def = og_catalog_table(snapshot->catalog, key)};
    if (t.def == NULL)
        return og_error_set(err, OG_CORRUPT, "table %.*s is of no type in the schema", OG_FMT(key));
    OG_TRY(og_snapshot_table(snapshot, t.def, &t.table, err));
    if (og_lance_table_row_count(t.table) == 0)
        return OG_OK;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(make_columns(&t, og_graph__snapshot_of(snapshot)->is_past, arena, err));
    OG_TRY(read_order(&t, &order, err));
    return export_rows(input, &t, &order, err);
}

/* ---- selection ---------------------------------------------------------------------------- */

static bool select_key(const og_table_info *infos, size_t count, const char *prefix, og_str name,
                       bool *selected)
{
    size_t skip = strlen(prefix);
    for (size_t i = 0; i < count; i++) {
        og_str key = infos[i].table_key;
        if (og_str_starts(key, og_str_of(prefix)) &&
            og_str_eq(og_str_slice(key, skip, key.len), name)) {
            selected[i] = true;
            return true;
        }
    }
    return false;
}

/* `prefixes`: what stands before the name of a node type, and of an edge type. */
static void suggest(const og_catalog *catalog, og_str type, const char *const prefixes[2],
                    og_error *err)
{
    const char *prefix = prefixes[0];
    og_str near = og_catalog_nearest_node(catalog, type);
    if (near.len == 0) {
        prefix = prefixes[1];
        near = og_catalog_nearest_edge(catalog, type);
    }
    if (near.len > 0)
        og_error_hint(err, "Did you mean '%s%.*s'?", prefix, OG_FMT(near));
    else
        og_error_hint(err, "Show the types with: omnigraph schema show --uri GRAPH");
}

static og_status unknown_type(const og_catalog *catalog, og_str name, og_error *err)
{
    og_error_set(err, OG_INVALID, "unknown export type '%.*s'", OG_FMT(name));
    suggest(catalog, name, (const char *const[]){"", ""}, err);
    return OG_INVALID;
}

static og_status unknown_table(const og_catalog *catalog, og_str key, og_error *err)
{
    size_t colon = og_str_find(key, OG_STR(":"));
    og_str type = colon != SIZE_MAX ? og_str_slice(key, colon + 1, key.len) : key;
    const og_type_def *node = og_catalog_node(catalog, type);
    const og_type_def *meant = node != NULL ? node : og_catalog_edge(catalog, type);
    og_error_set(err, OG_INVALID, "unknown export table '%.*s'", OG_FMT(key));
    if (meant != NULL)
        og_error_hint(err, "Did you mean '%.*s'?", OG_FMT(meant->table_key));
    else
        suggest(catalog, type, (const char *const[]){"node:", "edge:"}, err);
    return OG_INVALID;
}

static og_status select_tables(const og_snapshot *snapshot, const og_export_input *input,
                               const og_table_info *infos, size_t count, bool *selected,
                               og_error *err)
{
    for (size_t i = 0; i < input->table_count; i++)
        if (!select_key(infos, count, "", input->table_keys[i], selected))
            return unknown_table(snapshot->catalog, input->table_keys[i], err);
    for (size_t i = 0; i < input->type_count; i++) {
        bool is_node = select_key(infos, count, "node:", input->type_names[i], selected);
        bool is_edge = select_key(infos, count, "edge:", input->type_names[i], selected);
        if (!is_node && !is_edge)
            return unknown_type(snapshot->catalog, input->type_names[i], err);
    }
    for (size_t i = 0; input->table_count + input->type_count == 0 && i < count; i++)
        selected[i] = true;
    return OG_OK;
}

og_status og_export_run(og_snapshot *snapshot, const og_export_input *input, og_error *err)
{
    size_t count;
    const og_table_info *infos = og_snapshot_tables(snapshot, &count);
    OG_AUTO_FREE bool *selected = og_calloc(count + 1, sizeof *selected);
    if (selected == NULL)
        return og_error_nomem(err);
    OG_TRY(select_tables(snapshot, input, infos, count, selected, err));
    og_status s = OG_OK;
    for (size_t i = 0; i < count && s == OG_OK; i++)
        if (selected[i])
            s = export_table(snapshot, input, infos[i].table_key, err);
    return og_repo_read_outcome(snapshot, s, err);
}
