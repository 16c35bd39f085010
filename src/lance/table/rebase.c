/* Moving a write onto a newer version of its table (rebase.h). */
#include "lance/table/rebase.h"

#include "lance/table/rebase_priv.h"

#define CHUNK 512

/* ---- deleted rows, found again by their ids ----------------------------------------------- */

/* The next slots of base at or after *at that this write deletes and that lived before it. */
static uint32_t next_deleted(const og_lance_write *write, const uint8_t *before, uint32_t *at,
                             uint32_t *out)
{
    uint32_t count = 0, end = (uint32_t)write->base->slot_count;
    for (; *at < end && count < CHUNK; (*at)++) {
        if (*at % 8 == 0 && write->deleted[*at / 8] == 0) {
            *at += 7;
            continue;
        }
        if (og_bit_get(write->deleted, *at) && (before == NULL || !og_bit_get(before, *at)))
            out[count++] = *at;
    }
    return count;
}

typedef struct moved_bits {
    uint8_t *deleted, *kept;
} moved_bits;

static void moved_bits_deinit(moved_bits *bits)
{
    og_free(bits->deleted);
    og_free(bits->kept);
}

static og_status move_chunk(og_lance_write *write, og_lance_table *onto, const uint32_t *slots,
                            uint32_t count, moved_bits *out, bool *out_fits, og_error *err)
{
    uint64_t ids[CHUNK];
    uint32_t now[CHUNK];
    OG_TRY(og_lance_row_ids(write->base, slots, count, ids, err));
    OG_TRY(og_lance_slots_of(onto, ids, count, now, err));
    for (uint32_t i = 0; i < count && *out_fits; i++) {
        *out_fits = now[i] != UINT32_MAX;
        if (*out_fits)
            OG_TRY(og_table__row_is_same(write->base, slots[i], onto, now[i], out_fits, err));
        if (!*out_fits)
            return OG_OK;
        og_bit_set(out->deleted, now[i]);
        if (out->kept != NULL && og_bit_get(write->kept, slots[i]))
            og_bit_set(out->kept, now[i]);
    }
    return OG_OK;
}

/* *out_fits false: a row that this write deletes or replaces was deleted or replaced by others. */
static og_status move_bits(og_lance_write *write, og_lance_table *onto, moved_bits *out,
                           bool *out_fits, og_error *err)
{
    *out_fits = true;
    if (write->deleted == NULL)
        return OG_OK;
    size_t bytes = og_bitmap_bytes((size_t)onto->slot_count) + 1;
    out->deleted = og_calloc(bytes, 1);
    out->kept = write->kept != NULL ? og_calloc(bytes, 1) : NULL;
    if (out->deleted == NULL || (write->kept != NULL && out->kept == NULL))
        return og_error_nomem(err);
    const uint8_t *before;
    OG_TRY(og_lance_table_deleted(write->base, &before, err));
    uint32_t slots[CHUNK];
    for (uint32_t at = 0;;) {
        uint32_t count = next_deleted(write, before, &at, slots);
        if (count == 0)
            return OG_OK;
        OG_TRY(move_chunk(write, onto, slots, count, out, out_fits, err));
        if (!*out_fits)
            return OG_OK;
    }
}

/* ---- rows that are written ---------------------------------------------------------------- */

/* New rows get ids from *next_id on and are of `version`;
 * kept ones keep their id and when they were made. */
static bool renumber(const og_table__new_fragment *f, uint64_t version, uint64_t *next_id,
                     og_table__row_facts *out)
{
    uint32_t kept = f->facts.kept_rows, fresh = f->rows - kept;
    out->kept_rows = kept;
    for (size_t i = 0; i < f->facts.ids.len && f->facts.ids.items[i].first_slot < kept; i++) {
        og_table__id_run run = f->facts.ids.items[i];
        uint32_t room = kept - run.first_slot;
        if (!og_table__id_runs_add(&out->ids, run.first_slot, run.count < room ? run.count : room,
                                   run.first_id))
            return false;
    }
    for (size_t i = 0; i < f->facts.created.len && f->facts.created.items[i].first_slot < kept;
         i++) {
        og_table__version_run run = f->facts.created.items[i];
        uint32_t room = kept - run.first_slot;
        if (!og_table__version_runs_add(&out->created, run.first_slot,
                                        run.count < room ? run.count : room, run.version))
            return false;
    }
    bool ok = f->rows == 0 || og_table__version_runs_add(&out->updated, 0, f->rows, version);
    if (fresh != 0)
        ok = ok && og_table__id_runs_add(&out->ids, kept, fresh, *next_id) &&
             og_table__version_runs_add(&out->created, kept, fresh, version);
    *next_id += fresh;
    return ok;
}

static og_status renumber_all(og_lance_write *write, og_error *err)
{
    for (size_t i = 0; i < write->out.fragments.len; i++) {
        og_table__new_fragment *f = &write->out.fragments.items[i];
        uint32_t fresh = f->rows - f->facts.kept_rows;
        if (write->next_row_id > UINT64_MAX - 1 - fresh)
            return og_error_set(err, OG_LIMIT, "%s has no row ids left", write->options.path);
        og_table__row_facts facts = {0};
        bool ok = renumber(f, write->version, &write->next_row_id, &facts);
        og_table__row_facts *unwanted = ok ? &f->facts : &facts;
        og_table__row_facts_deinit(unwanted);
        if (!ok)
            return og_error_nomem(err);
        f->facts = facts;
    }
    return OG_OK;
}

/* ---- what was staged ---------------------------------------------------------------------- */

/* Fold and deletion files belong to the version they were staged for. When its slot was held, that
 * version is still there and names them. */
static void drop_staged(og_lance_write *write)
{
    bool held = write->state == OG_TABLE__COMMITTED,
         compacts = write->options.op == OG_LANCE_COMPACT;
    og_store *store = og_lance_env_store(write->env);
    size_t first = write->first_staged_name;
    if (write->state != OG_TABLE__OPEN) {
        if (!held && write->names.len > first)
            (void)store->ops->remove(store, (const char *const *)write->names.items + first,
                                     write->names.len - first, NULL);
        while (write->names.len > first)
            og_free(write->names.items[--write->names.len]);
    }
    write->keep_files |= held;
    if (!compacts) { /* what a fold copied */
        og_table__rows_deinit(&write->folded);
        write->groups.len = 0;
    }
    og_buf_clear(&write->staged.manifest);
    og_buf_clear(&write->staged.transaction);
}

/* Where the fragments of a compaction are now; NULL for other writes.
 * *out_fits false: one was changed. */
static og_status move_groups(const og_lance_write *write, const og_lance_table *onto,
                             og_table__group **out, bool *out_fits, og_error *err)
{
    *out = NULL;
    *out_fits = true;
    if (write->options.op != OG_LANCE_COMPACT)
        return OG_OK;
    *out = og_calloc(write->groups.len + 1, sizeof **out);
    if (*out == NULL)
        return og_error_nomem(err);
    *out_fits = og_table__find_groups(write, onto, *out);
    return OG_OK;
}

static og_status move(og_lance_write *write, og_lance_table *onto, moved_bits *bits,
                      const og_table__group *groups, og_error *err)
{
    write->state = OG_TABLE__FAILED; /* until all of it is done */
    OG_TRY(og_table__write_build_on(write, onto, err));
    uint8_t *deleted = write->deleted, *kept = write->kept;
    write->deleted = bits->deleted;
    write->kept = bits->kept;
    *bits = (moved_bits){deleted, kept}; /* to be freed */
    for (size_t g = 0; groups != NULL && g < write->groups.len; g++)
        write->groups.items[g] = groups[g];
    OG_TRY(renumber_all(write, err));
    write->state = OG_TABLE__OPEN;
    return OG_OK;
}

og_status og_lance_write_rebase(og_lance_write *write, og_lance_table *onto, og_lance_verdict *out,
                                og_error *err)
{
    if (write->state == OG_TABLE__FAILED || write->state == OG_TABLE__IN_DOUBT)
        return og_error_set(err, OG_INVALID, "the write has failed, or its outcome is in doubt");
    OG_TRY(og_table__may_follow(write, onto, out, err));
    if (*out != OG_LANCE_FITS)
        return OG_OK;
    __attribute__((cleanup(moved_bits_deinit))) moved_bits bits = {0};
    OG_AUTO_FREE og_table__group *groups = NULL;
    bool rows_fit, groups_fit;
    OG_TRY(move_bits(write, onto, &bits, &rows_fit, err));
    OG_TRY(move_groups(write, onto, &groups, &groups_fit, err));
    if (!rows_fit || !groups_fit) {
        *out = OG_LANCE_RETRY;
        return OG_OK;
    }
    og_table__write_state before = write->state;
    write->state = OG_TABLE__FAILED;
    OG_TRY(og_table__rows_end(write, err));
    write->state = before;
    drop_staged(write);
    return move(write, onto, &bits, groups, err);
}
