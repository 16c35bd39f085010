/* Rows of base into new fragments, with their ids and versions: what folding and compaction do. */
#include "columnar/kernels.h"
#include "lance/table/write_priv.h"

#define BATCH_BYTES (8u << 20) /* of values held in memory at once, about */
#define FIRST_ROWS 256         /* of a copy: their size says how many rows come next */
#define BLOB_SIZE_CHILD 2      /* of a descriptor: kind, position, size, blob_id, uri */

static og_status gather_facts(og_lance_write *write, const uint32_t *slots, uint32_t count,
                              og_table__row_facts *facts, og_error *err)
{
    uint64_t ids[512], updated[512], created[512];
    facts->kept_rows = count;
    for (uint32_t start = 0; start < count; start += 512) {
        uint32_t n = count - start < 512 ? count - start : 512;
        OG_TRY(og_lance_row_ids(write->base, slots + start, n, ids, err));
        OG_TRY(og_lance_row_versions(write->base, slots + start, n, updated, created, err));
        for (uint32_t i = 0; i < n; i++)
            if (!og_table__id_runs_add(&facts->ids, start + i, 1, ids[i]) ||
                !og_table__version_runs_add(&facts->updated, start + i, 1, updated[i]) ||
                !og_table__version_runs_add(&facts->created, start + i, 1, created[i]))
                return og_error_nomem(err);
    }
    return OG_OK;
}

static og_status add_batch(og_lance_write *write, const uint32_t *slots, const og_batch *batch,
                           og_error *err)
{
    __attribute__((cleanup(og_table__row_facts_deinit))) og_table__row_facts facts = {0};
    OG_TRY(gather_facts(write, slots, (uint32_t)batch->row_count, &facts, err));
    return og_table__rows_add(&write->folded, batch, &facts, err);
}

/* ---- blobs: read as descriptors, written as payloads ----------------------------------------- */

static bool has_blobs(const og_lance_write *write)
{
    for (uint32_t i = 0; i < write->field_count; i++)
        if (write->fields[i].is_blob)
            return true;
    return false;
}

static uint64_t payload_bytes(const og_lance_write *write, const og_batch *batch, int64_t row)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < write->field_count; i++) {
        const og_array *column = batch->columns[i];
        if (!write->fields[i].is_blob || og_array_is_null(column, row))
            continue;
        uint64_t size = og_array_u64(column->children[BLOB_SIZE_CHILD], row);
        bytes = size < UINT64_MAX - bytes ? bytes + size : UINT64_MAX;
    }
    return bytes;
}

/* Rows [start, start + count) of a batch, with the payloads of their blobs. */
static og_status load_piece(og_lance_write *write, const uint32_t *slots, const og_batch *batch,
                            int64_t start, int64_t count, og_batch *out, og_error *err)
{
    OG_AUTO_BATCH piece = {0};
    OG_TRY(og_batch_init(&piece, batch->column_count, count, err));
    for (uint32_t i = 0; i < batch->column_count; i++) {
        OG_AUTO(og_array) values = NULL;
        OG_TRY(og_slice(batch->columns[i], start, count, &values, err));
        if (write->fields[i].is_blob)
            OG_TRY(og_lance_blob_materialize(write->base, i, slots + start, values,
                                             &piece.columns[i], err));
        else
            piece.columns[i] = OG_TAKE(values);
    }
    *out = piece;
    piece = (og_batch){0};
    return OG_OK;
}

static og_status add_with_blobs(og_lance_write *write, const uint32_t *slots, const og_batch *batch,
                                og_error *err)
{
    for (int64_t start = 0; start < batch->row_count;) {
        uint64_t bytes = payload_bytes(write, batch, start);
        int64_t end = start + 1;
        for (; end < batch->row_count; end++) {
            uint64_t more = payload_bytes(write, batch, end);
            if (bytes > BATCH_BYTES || more > BATCH_BYTES - bytes)
                break;
            bytes += more;
        }
        OG_AUTO_BATCH piece = {0};
        OG_TRY(load_piece(write, slots, batch, start, end - start, &piece, err));
        OG_TRY(add_batch(write, slots + start, &piece, err));
        start = end;
    }
    return OG_OK;
}

/* ---- groups --------------------------------------------------------------------------------- */

/* How many rows of about the size of these make a batch. */
static uint32_t rows_of_batch(const og_batch *batch)
{
    uint64_t bytes = 1;
    for (uint32_t i = 0; i < batch->column_count; i++)
        bytes += og_array_bytes(batch->columns[i]);
    uint64_t rows = (uint64_t)batch->row_count * BATCH_BYTES / bytes;
    return rows < 1 ? 1 : rows > OG_BATCH_ROWS ? OG_BATCH_ROWS : (uint32_t)rows;
}

static og_status copy_rows(og_lance_write *write, const uint32_t *fields, const uint32_t *slots,
                           uint32_t count, uint32_t *out_next_rows, og_error *err)
{
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_lance_take(write->base, fields, write->field_count, slots, count, &batch, err));
    *out_next_rows = rows_of_batch(&batch);
    return has_blobs(write) ? add_with_blobs(write, slots, &batch, err)
                            : add_batch(write, slots, &batch, err);
}

static og_status copy_fragments(og_lance_write *write, uint32_t start, uint32_t end, og_error *err)
{
    const og_lance_fragment *first = &write->base->fragments[start];
    const og_lance_fragment *last = &write->base->fragments[end - 1];
    const uint8_t *before;
    OG_TRY(og_lance_table_deleted(write->base, &before, err));
    OG_AUTO_FREE uint32_t *slots = og_malloc(OG_BATCH_ROWS * sizeof *slots);
    OG_AUTO_FREE uint32_t *fields = og_malloc(((size_t)write->field_count + 1) * sizeof *fields);
    if (slots == NULL || fields == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < write->field_count; i++)
        fields[i] = i;
    og_table__expect_files(write->base, start, end);
    uint32_t n = 0, batch_rows = FIRST_ROWS, stop = last->first_slot + last->physical_rows;
    for (uint32_t slot = first->first_slot; slot < stop; slot++) {
        if (!og_table__dead(write, before, slot))
            slots[n++] = slot;
        if (n >= batch_rows || (n != 0 && slot + 1 == stop)) {
            OG_TRY(copy_rows(write, fields, slots, n, &batch_rows, err));
            n = 0;
        }
    }
    return og_table__rows_cut(&write->folded, err);
}

bool og_table__is_plain(const og_lance_table *table, uint32_t fragment)
{
    const OgPb__DataFragment *m = table->parts[fragment].message;
    bool plain = m->base.n_unknown_fields == 0;
    for (size_t i = 0; i < m->n_files; i++)
        plain = plain && m->files[i]->base.n_unknown_fields == 0;
    return plain;
}

og_status og_table__copy_group(og_lance_write *write, uint32_t start, uint32_t end, og_error *err)
{
    og_table__group group = {start, end, (uint32_t)write->folded.fragments.len, 0};
    OG_TRY(copy_fragments(write, start, end, err));
    group.new_count = (uint32_t)write->folded.fragments.len - group.first_new;
    return og_vec_push(&write->groups, group) ? OG_OK : og_error_nomem(err);
}
