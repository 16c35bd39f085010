#include "graph/load_priv.h"

#include "columnar/kernels.h"

/* ---- beginning a table -------------------------------------------------------------------- */

/* Which change of the table the mode makes, and what its given ids are compared with. */
static og_status begin_write(og_graph__load *load, og_graph__load_table *t, og_error *err)
{
    const og_type_def *def = t->def;
    OG_TRY(og_txn_prepare(load->txn, &def, 1, err));
    og_lance_table *stored;
    OG_TRY(og_snapshot_table(og_txn_snapshot(load->txn), def, &stored, err));
    bool is_empty = og_lance_table_row_count(stored) == 0;
    og_lance_op op = OG_LANCE_APPEND;
    switch (load->input->mode) {
    case OG_LOAD_OVERWRITE:
        op = OG_LANCE_OVERWRITE;
        og_graph__checks_replace(load->checks, def);
        break;
    case OG_LOAD_APPEND:
        t->probes = !is_empty;
        break;
    case OG_LOAD_MERGE:
        t->probes = t->replaces = !is_empty;
        op = is_empty ? OG_LANCE_APPEND : OG_LANCE_UPDATE;
        break;
    }
    return og_txn_write(load->txn, def, op, &t->write, err);
}

og_status og_graph__load_table_of(og_graph__load *load, const og_type_def *def,
                                  og_graph__load_table **out, og_error *err)
{
    og_graph__load_table **place =
        def->is_edge ? &load->edges[def->index] : &load->nodes[def->index];
    if (*place == NULL) {
        og_graph__load_table *t = *place = og_calloc(1, sizeof *t);
        if (t == NULL)
            return og_error_nomem(err);
        t->def = def;
        t->values = og_calloc((size_t)def->property_count + 1, sizeof *t->values);
        if (t->values == NULL)
            return og_error_nomem(err);
        og_lenient_counts *lenient = load->input->lenient ? &load->lenient : NULL;
        OG_TRY(og_graph__rowset_new(def, lenient, &t->rows, err));
        OG_TRY(begin_write(load, t, err));
    }
    *out = *place;
    return OG_OK;
}

void og_graph__load_table_free(og_graph__load_table *table)
{
    if (table == NULL)
        return;
    og_graph__rowset_free(table->rows);
    og_free(table->values);
    og_vec_deinit(&table->last_members);
    og_free(table);
}

/* ---- stored rows with the ids of a chunk -------------------------------------------------- */

/* Vertices of the chunk's given ids; OG_NO_VERTEX for made ids and those not stored. */
static og_status find_stored(og_graph__load *load, og_graph__load_table *t, const og_array *ids,
                             uint32_t *out_vertices, og_error *err)
{
    og_snapshot *snapshot = og_txn_snapshot(load->txn);
    og_lance_table *stored;
    OG_AUTO(og_directory) directory = NULL;
    OG_AUTO_FREE og_str *texts = og_calloc(t->given_ids, sizeof *texts);
    OG_AUTO_FREE uint32_t *found = og_calloc(t->given_ids, sizeof *found);
    if (texts == NULL || found == NULL)
        return og_error_nomem(err);
    OG_TRY(og_snapshot_table(snapshot, t->def, &stored, err));
    OG_TRY(og_snapshot_directory(snapshot, t->def, &directory, NULL, err));
    size_t count = 0;
    for (int64_t i = 0; i < ids->length; i++)
        if (!t->made_ids[i])
            texts[count++] = og_array_str(ids, i);
    OG_TRY(og_directory_find(directory, stored, texts, count, found, err));
    count = 0;
    for (int64_t i = 0; i < ids->length; i++)
        out_vertices[i] = t->made_ids[i] ? OG_NO_VERTEX : found[count++];
    t->has_copies = og_directory_has_duplicates(directory);
    return OG_OK;
}

static og_status refuse_stored(const og_graph__load_table *t, const og_batch *batch,
                               const uint32_t *vertices, og_error *err)
{
    for (int64_t i = 0; i < batch->row_count; i++) {
        if (vertices[i] == OG_NO_VERTEX)
            continue;
        og_error_set_at(err, OG_INVALID, t->lines[i], 0,
                        "id '%.*s' is stored already in %.*s, and append adds rows only",
                        OG_FMT(og_array_str(batch->columns[0], i)), OG_FMT(t->def->name));
        og_error_hint(err, "Use merge to replace rows.");
        return OG_INVALID;
    }
    return OG_OK;
}

/* ---- merge -------------------------------------------------------------------------------- */

/* The old rows go; an edge's old source may have lost an edge. */
static og_status remove_old(og_graph__load *load, const og_graph__load_table *t,
                            const uint64_t *row_ids, uint32_t count, og_error *err)
{
    og_lance_table *stored;
    OG_AUTO_FREE uint32_t *slots = og_calloc(count, sizeof *slots);
    if (slots == NULL)
        return og_error_nomem(err);
    OG_TRY(og_snapshot_table(og_txn_snapshot(load->txn), t->def, &stored, err));
    OG_TRY(og_lance_slots_of(stored, row_ids, count, slots, err));
    OG_TRY(og_lance_write_delete(t->write, slots, count, err));
    if (!t->def->is_edge)
        return OG_OK;
    OG_AUTO_BATCH old = {0};
    uint32_t src = (uint32_t)og_lance_table_find_field(stored, OG_STR("src"));
    OG_TRY(og_lance_take(stored, &src, 1, slots, count, &old, err));
    for (uint32_t i = 0; i < count; i++)
        OG_TRY(og_graph__checks_lost(load->checks, t->def, og_array_str(old.columns[0], i), err));
    return OG_OK;
}

static og_status take_rows(const og_batch *batch, const uint32_t *rows, uint32_t count,
                           og_batch *out, og_error *err)
{
    OG_AUTO_BATCH taken = {0};
    OG_TRY(og_batch_init(&taken, batch->column_count, count, err));
    for (uint32_t i = 0; i < batch->column_count; i++)
        OG_TRY(og_take_u32(batch->columns[i], rows, count, &taken.columns[i], err));
    *out = taken;
    taken = (og_batch){0};
    return OG_OK;
}

static og_status write_some(og_graph__load_table *t, const og_batch *batch, const uint32_t *rows,
                            uint32_t count, const uint64_t *row_ids, og_error *err)
{
    if (count == 0)
        return OG_OK;
    if (count == batch->row_count)
        return og_lance_write_rows(t->write, batch, row_ids, err);
    OG_AUTO_BATCH some = {0};
    OG_TRY(take_rows(batch, rows, count, &some, err));
    return og_lance_write_rows(t->write, &some, row_ids, err);
}

/* Rows that replace keep their row ids (and with them what is known of the vertex); the rest is
 * new. */
static og_status write_merged(og_graph__load *load, og_graph__load_table *t, const og_batch *batch,
                              const uint32_t *vertices, og_error *err)
{
    uint32_t kept_count = 0, new_count = 0;
    OG_AUTO_FREE uint32_t *kept = og_calloc((size_t)batch->row_count, sizeof *kept);
    OG_AUTO_FREE uint32_t *fresh = og_calloc((size_t)batch->row_count, sizeof *fresh);
    OG_AUTO_FREE uint64_t *row_ids = og_calloc((size_t)batch->row_count, sizeof *row_ids);
    if (kept == NULL || fresh == NULL || row_ids == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < batch->row_count; i++) {
        if (vertices[i] == OG_NO_VERTEX) {
            fresh[new_count++] = i;
        } else {
            row_ids[kept_count] = vertices[i];
            kept[kept_count++] = i;
        }
    }
    if (kept_count > 0)
        OG_TRY(remove_old(load, t, row_ids, kept_count, err));
    OG_TRY(write_some(t, batch, kept, kept_count, row_ids, err));
    return write_some(t, batch, fresh, new_count, NULL, err);
}

/* ---- chunks ------------------------------------------------------------------------------- */

static og_status write_chunk(og_graph__load *load, og_graph__load_table *t, const og_batch *batch,
                             og_error *err)
{
    if (!t->probes || t->given_ids == 0)
        return og_lance_write_rows(t->write, batch, NULL, err);
    OG_AUTO_FREE uint32_t *vertices = og_calloc((size_t)batch->row_count, sizeof *vertices);
    if (vertices == NULL)
        return og_error_nomem(err);
    OG_TRY(find_stored(load, t, batch->columns[0], vertices, err));
    if (t->replaces)
        return write_merged(load, t, batch, vertices, err);
    OG_TRY(refuse_stored(t, batch, vertices, err));
    return og_lance_write_rows(t->write, batch, NULL, err);
}

static og_status flush(og_graph__load *load, og_graph__load_table *t, og_error *err)
{
    OG_AUTO_BATCH batch = {0};
    if (og_graph__rowset_rows(t->rows) == 0)
        return OG_OK;
    OG_TRY(og_graph__rowset_finish(t->rows, &batch, err));
    OG_TRY(og_graph__checks_values(load->checks, t->def, &batch, t->written, t->lines, err));
    og_status s = write_chunk(load, t, &batch, err);
    if (s != OG_OK && s != OG_INVALID)
        og_error_context(err, s, "writing %.*s", OG_FMT(t->def->table_key));
    OG_TRY(s);
    t->written += (uint32_t)batch.row_count;
    t->given_ids = 0;
    load->chunk_bytes -= t->chunk_bytes;
    t->chunk_bytes = 0;
    return OG_OK;
}

og_status og_graph__load_flush_all(og_graph__load *load, og_error *err)
{
    for (uint32_t i = 0; i < load->catalog->node_count; i++)
        if (load->nodes[i] != NULL)
            OG_TRY(flush(load, load->nodes[i], err));
    for (uint32_t i = 0; i < load->catalog->edge_count; i++)
        if (load->edges[i] != NULL)
            OG_TRY(flush(load, load->edges[i], err));
    return OG_OK;
}

/* ---- rows --------------------------------------------------------------------------------- */

og_status og_graph__load_append(og_graph__load *load, og_graph__load_table *table,
                                const og_graph__record *record, og_error *err)
{
    og_graph__load_table *t = table;
    uint32_t at = (uint32_t)og_graph__rowset_rows(t->rows);
    if (t->written > UINT32_MAX - OG_BATCH_ROWS)
        return og_error_set(err, OG_LIMIT, "too many rows of %.*s in one load",
                            OG_FMT(t->def->name));
    og_ulid made;
    og_graph__written w = {.def = t->def,
                           .id = record->id,
                           .src = record->src,
                           .dst = record->dst,
                           .row = t->written + at,
                           .line = record->line};
    if (record->id.ptr == NULL) {
        made = og_ulid_next(&load->made_ids, load->repo->clock, load->repo->random);
        w.id = (og_str){made.text, sizeof made.text - 1};
        w.id_is_new = true;
    }
    const og_graph__row row = {
        .id = w.id, .src = record->src, .dst = record->dst, .values = t->values};
    OG_TRY(og_graph__checks_write(load->checks, &w, err));
    OG_TRY(og_graph__rowset_append(t->rows, &row, err));
    t->lines[at] = record->line;
    t->made_ids[at] = w.id_is_new;
    t->given_ids += !w.id_is_new;
    t->chunk_bytes += record->bytes;
    load->chunk_bytes += record->bytes;
    if (at + 1 == OG_BATCH_ROWS || t->chunk_bytes >= OG_GRAPH__CHUNK_BYTES)
        return flush(load, t, err);
    return load->chunk_bytes >= OG_GRAPH__ALL_CHUNKS ? og_graph__load_flush_all(load, err) : OG_OK;
}

/* ---- copies ------------------------------------------------------------------------------- */

static og_status drop_copies(og_graph__load *load, const og_graph__load_table *t, og_error *err)
{
    og_lance_table *stored;
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_snapshot_table(og_txn_snapshot(load->txn), t->def, &stored, err));
    uint32_t field = (uint32_t)og_lance_table_find_field(stored, OG_STR("id"));
    OG_TRY(og_lance_scan_open(stored, &field, 1, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        for (int64_t i = 0; i < batch.row_count; i++)
            if (og_graph__checks_has_written(load->checks, t->def,
                                             og_array_str(batch.columns[0], i)))
                OG_TRY(og_lance_write_delete(t->write, &slots[i], 1, err));
    }
}

og_status og_graph__load_drop_copies(og_graph__load *load, og_error *err)
{
    for (uint32_t i = 0; i < load->catalog->node_count; i++)
        if (load->nodes[i] != NULL && load->nodes[i]->replaces && load->nodes[i]->has_copies)
            OG_TRY(drop_copies(load, load->nodes[i], err));
    for (uint32_t i = 0; i < load->catalog->edge_count; i++)
        if (load->edges[i] != NULL && load->edges[i]->replaces && load->edges[i]->has_copies)
            OG_TRY(drop_copies(load, load->edges[i], err));
    return OG_OK;
}
