#include "lance/table/verify.h"

#include "lance/file/look.h"
#include "lance/table/table_priv.h"

#include <inttypes.h>

/* Rows decoded at a time. */
#define STEP_ROWS ((uint32_t)OG_BATCH_ROWS * 4)

typedef struct check {
    og_lance_table *table;
    og_lance_verified *out;
    og_lance_problem_fn tell;
    void *context;
} check;

/* True for failures of this process, which end the check; others are a problem of the table's. */
static bool is_ours(og_status status)
{
    return status == OG_NOMEM || status == OG_CANCELLED || status == OG_TIMEOUT;
}

static og_status found(check *c, og_status status, og_error *problem, og_error *err)
{
    if (status == OG_OK)
        return OG_OK;
    if (is_ours(status))
        return og_error_set(err, status, "%s", problem->message);
    if (status == OG_UNSUPPORTED)
        c->out->unsupported++;
    else
        c->out->problems++;
    c->tell(c->context, problem);
    return OG_OK;
}

/* ---- rows --------------------------------------------------------------------------------- */

static og_status check_row(const og_lance_table *t, uint32_t slot, uint64_t id, uint32_t back,
                           uint64_t updated, uint64_t created, bool live, og_error *err)
{
    bool stable = (t->manifest->reader_feature_flags & OG_TABLE__FLAG_STABLE_ROW_IDS) != 0;
    uint64_t version = t->manifest->version;
    if (stable && id >= t->manifest->next_row_id)
        return og_error_set(err, OG_CORRUPT,
                            "row %u has row id %" PRIu64 ", the next one to give is %" PRIu64, slot,
                            id, t->manifest->next_row_id);
    if (live && back != slot)
        return og_error_set(err, OG_CORRUPT, "row id %" PRIu64 " leads to row %u and to row %u", id,
                            slot, back);
    if (updated > version || created > version)
        return og_error_set(err, OG_CORRUPT, "row %u is of version %" PRIu64 ", which is to come",
                            slot, updated > version ? updated : created);
    return OG_OK;
}

static og_status check_rows(check *c, uint32_t start, uint32_t count, const uint8_t *deleted,
                            og_error *problem)
{
    uint32_t slots[1024], back[1024];
    uint64_t ids[1024], updated[1024], created[1024];
    for (uint32_t i = 0; i < count; i++)
        slots[i] = start + i;
    OG_TRY(og_lance_row_ids(c->table, slots, count, ids, problem));
    OG_TRY(og_lance_slots_of(c->table, ids, count, back, problem));
    OG_TRY(og_lance_row_versions(c->table, slots, count, updated, created, problem));
    for (uint32_t i = 0; i < count; i++) {
        bool live = deleted == NULL || !og_bit_get(deleted, slots[i]);
        c->out->rows += live;
        OG_TRY(
            check_row(c->table, slots[i], ids[i], back[i], updated[i], created[i], live, problem));
    }
    return OG_OK;
}

static og_status check_all_rows(check *c, og_error *problem)
{
    const uint8_t *deleted;
    OG_TRY(og_lance_table_deleted(c->table, &deleted, problem));
    uint32_t total = (uint32_t)c->table->slot_count;
    for (uint32_t start = 0; start < total; start += 1024)
        OG_TRY(check_rows(c, start, total - start < 1024 ? total - start : 1024, deleted, problem));
    return OG_OK;
}

/* ---- values ------------------------------------------------------------------------------- */

static og_status check_blobs(check *c, uint32_t fragment, uint32_t field, uint32_t start,
                             const og_array *blobs, og_error *problem)
{
    uint32_t first = c->table->fragments[fragment].first_slot + start;
    for (int64_t row = 0; row < blobs->length; row++) {
        OG_AUTO(og_blob) blob = NULL;
        og_status status =
            og_lance_blob_read(c->table, field, first + (uint32_t)row, blobs, row, &blob, problem);
        if (status == OG_UNSUPPORTED)
            continue; /* elsewhere */
        OG_TRY(status);
        c->out->blob_bytes += blob != NULL ? blob->len : 0;
    }
    return OG_OK;
}

static og_status check_values(check *c, uint32_t fragment, uint32_t field,
                              const og_table__place *place, og_lance_file *file, og_error *problem)
{
    const og_lance_field *f = &c->table->fields[field];
    const og_lance_column column = {&f->field, place->leaves, place->leaf_count, f->is_blob,
                                    f->packed};
    uint32_t rows = c->table->fragments[fragment].physical_rows;
    for (uint32_t start = 0; start < rows; start += STEP_ROWS) {
        uint32_t count = rows - start < STEP_ROWS ? rows - start : STEP_ROWS;
        OG_AUTO(og_array) array = NULL;
        OG_TRY(og_lance_file_read(file, &column, start, count, &array, problem));
        og_status status = og_array_validate(array, true, problem);
        if (status != OG_OK)
            return og_error_context(problem, status, "%s: field '%.*s', rows from %u",
                                    og_lance_file_name(file), OG_FMT(f->field.name), start);
        if (f->is_blob)
            OG_TRY(check_blobs(c, fragment, field, start, array, problem));
    }
    return OG_OK;
}

/* ---- files -------------------------------------------------------------------------------- */

static bool is_placed(const og_table__place *places, uint32_t count, uint32_t file, uint32_t column)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; places[i].file == file && k < places[i].leaf_count; k++)
            if (places[i].leaves[k] == column)
                return true;
    return false;
}

/* The pages of a column as their metadata has them; *out_bytes what all their buffers hold. */
static og_status check_pages(check *c, og_lance_file *file, uint32_t column, bool placed,
                             uint64_t *page_bytes, og_error *problem)
{
    uint32_t pages;
    OG_TRY(og_lance_file_page_count(file, column, &pages, problem));
    OG_AUTO_BUF text = OG_BUF_INIT;
    for (uint32_t p = 0; p < pages; p++) {
        og_lance_page_look look;
        og_buf_clear(&text);
        OG_TRY(og_lance_file_page_look(file, column, p, &look, &text, problem));
        *page_bytes += look.bytes;
        if (placed) {
            c->out->structure_bytes += look.index_bytes;
            c->out->value_bytes += look.bytes - look.index_bytes;
        } else {
            c->out->unread_bytes += look.bytes;
        }
    }
    c->out->pages += pages;
    c->out->columns++;
    return OG_OK;
}

static og_status check_file(check *c, uint32_t fragment, uint32_t index,
                            const og_table__place *places, og_error *err)
{
    og_error problem;
    og_table__cached *cached = NULL;
    og_status status = og_table__open_file(c->table, fragment, index, &cached, &problem);
    if (status != OG_OK)
        return found(c, status, &problem, err);
    og_lance_file *file = og_table__cached_file(cached);
    uint64_t page_bytes = 0, blobs_before = c->out->blob_bytes;
    for (uint32_t column = 0; column < og_lance_file_column_count(file); column++) {
        bool placed = is_placed(places, c->table->field_count, index, column);
        status = check_pages(c, file, column, placed, &page_bytes, &problem);
        OG_TRY(found(c, status, &problem, err));
    }
    for (uint32_t field = 0; field < c->table->field_count; field++) {
        if (places[field].file != index)
            continue;
        status = check_values(c, fragment, field, &places[field], file, &problem);
        OG_TRY(found(c, status, &problem, err));
    }
    /* What is no page is metadata, or blobs in the file, or padding before them:
     * that is not told apart. */
    uint64_t bytes = og_lance_file_bytes(file);
    uint64_t rest = bytes > page_bytes ? bytes - page_bytes : 0; /* damaged pages may overlap */
    uint64_t inside = c->out->blob_bytes - blobs_before;
    c->out->structure_bytes += rest > inside ? rest - inside : 0;
    c->out->files++;
    return OG_OK;
}

static og_status check_fragment(check *c, uint32_t fragment, og_error *err)
{
    og_error problem;
    const og_table__place *places = NULL;
    og_status status = og_table__places(c->table, fragment, &places, &problem);
    if (status != OG_OK)
        return found(c, status, &problem, err);
    for (uint32_t i = 0; i < c->table->parts[fragment].file_count; i++)
        OG_TRY(check_file(c, fragment, i, places, err));
    const char *deletions = c->table->parts[fragment].deletion_name;
    uint64_t bytes;
    og_store *store = og_lance_env_store(c->table->env);
    if (deletions != NULL && store->ops->head(store, deletions, &bytes, &problem) == OG_OK) {
        c->out->structure_bytes += bytes;
        c->out->files++;
    }
    c->out->fragments++;
    return OG_OK;
}

og_status og_lance_table_verify(og_lance_table *table, og_lance_problem_fn tell, void *context,
                                og_lance_verified *out, og_error *err)
{
    *out = (og_lance_verified){.structure_bytes = table->manifest_bytes, .files = 1};
    check c = {table, out, tell, context};
    og_error problem;
    OG_TRY(found(&c, check_all_rows(&c, &problem), &problem, err));
    if (out->problems + out->unsupported == 0 && out->rows != og_lance_table_row_count(table))
        OG_TRY(found(&c,
                     og_error_set(&problem, OG_CORRUPT,
                                  "%" PRIu64 " rows are alive, the manifest says %" PRIu64,
                                  out->rows, og_lance_table_row_count(table)),
                     &problem, err));
    for (uint32_t i = 0; i < table->fragment_count; i++)
        OG_TRY(check_fragment(&c, i, err));
    return OG_OK;
}
