/* Candidates between two versions (delta.h): equal fragments go first, then rows that only moved.
 *
 * What is left of a side after the first step is kept as pieces, runs of live rows with consecutive
 * row ids and one stamp. Both sides' pieces in order of row ids are walked side by side, so a
 * fragment of a million rows that was folded costs a handful of comparisons. */
#include "lance/table/delta.h"

#include "base/number.h"
#include "lance/table/deletion_priv.h"
#include "lance/table/delta_priv.h"

#include <stdlib.h>

#define FIRST_TRUSTED_MAJOR 4 /* of Lance: from here on stamps follow every kind of write */

typedef struct slot_range {
    uint32_t start, count;
} slot_range;
typedef OG_VEC(slot_range) slot_ranges;

typedef struct piece {
    uint64_t first_id;
    uint64_t stamp; /* last updated at */
    uint32_t first_slot;
    uint32_t count;
} piece;

/* One of the two versions. */
typedef struct side {
    og_lance_table *table;
    og_table__matches matches;
    OG_VEC(piece) pieces; /* rows that the other version may have, too */
    slot_ranges changed;  /* rows that it does not have */
    uint64_t rows;        /* in pieces and in changed */
} side;

typedef struct comparison {
    side from, to;
    og_lance_common past;
    og_lance_delta_reason reason;
    uint64_t common; /* row ids found on both sides */
} comparison;

static void side_deinit(side *s)
{
    og_table__matches_deinit(&s->matches);
    og_vec_deinit(&s->pieces);
    og_vec_deinit(&s->changed);
}

static void comparison_deinit(comparison *c)
{
    side_deinit(&c->from);
    side_deinit(&c->to);
}

/* ---- rows of unequal fragments ------------------------------------------------------------ */

/* Deleted offsets of a fragment, ascending; a reference in *out_owner,
 * NULL when none is deleted. */
static og_status deleted_offsets(const og_lance_table *table, uint32_t index,
                                 og_table__cached **out_owner, const uint32_t **out,
                                 size_t *out_count, og_error *err)
{
    const og_lance_fragment *f = &table->fragments[index];
    const og_table__fragment *part = &table->parts[index];
    *out_owner = NULL;
    *out = NULL;
    *out_count = 0;
    if (f->deleted_rows == 0)
        return OG_OK;
    OG_TRY(og_table__cache_deletions(table->env, part->deletion_name,
                                     part->message->deletion_file->file_type, f->physical_rows,
                                     f->deleted_rows, out_owner, err));
    *out = og_table__cached_offsets(*out_owner, out_count);
    if (*out_count == 0 || (*out)[*out_count - 1] < f->physical_rows)
        return OG_OK;
    og_table__cached_unref(*out_owner);
    *out_owner = NULL;
    return og_error_set(err, OG_CORRUPT, "%s does not fit its fragment", part->deletion_name);
}

static bool add_range(slot_ranges *ranges, uint32_t start, uint32_t count)
{
    if (count == 0)
        return true;
    if (ranges->len != 0 && og_vec_last(ranges).start + og_vec_last(ranges).count == start) {
        og_vec_last(ranges).count += count;
        return true;
    }
    return og_vec_push(ranges, (slot_range){start, count});
}

/* Live rows of a fragment. */
static og_status live_ranges(const og_lance_table *table, uint32_t index, slot_ranges *out,
                             og_error *err)
{
    const og_lance_fragment *f = &table->fragments[index];
    og_table__cached *owner;
    const uint32_t *deleted;
    size_t count;
    OG_TRY(deleted_offsets(table, index, &owner, &deleted, &count, err));
    uint32_t next = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        ok = add_range(out, f->first_slot + next, deleted[i] - next);
        next = deleted[i] + 1;
    }
    ok = ok && add_range(out, f->first_slot + next, f->physical_rows - next);
    og_table__cached_unref(owner);
    return ok ? OG_OK : og_error_nomem(err);
}

/* Rows deleted in `b` that are not in `a`, both ascending, as slots from `first_slot` on. */
static bool only_in_second(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count,
                           uint32_t first_slot, slot_ranges *out)
{
    size_t k = 0;
    for (size_t i = 0; i < b_count; i++) {
        while (k < a_count && a[k] < b[i])
            k++;
        bool in_both = k < a_count && a[k] == b[i];
        if (!in_both && !add_range(out, first_slot + b[i], 1))
            return false;
    }
    return true;
}

/* Rows that one of two fragments with equal files has, and the other has deleted. */
static og_status deletion_ranges(const comparison *c, uint32_t from, uint32_t to,
                                 slot_ranges *out_from, slot_ranges *out_to, og_error *err)
{
    const og_table__fragment *a = &c->from.table->parts[from], *b = &c->to.table->parts[to];
    if (a->deletion_name == b->deletion_name ||
        (a->deletion_name != NULL && b->deletion_name != NULL &&
         strcmp(a->deletion_name, b->deletion_name) == 0))
        return OG_OK;
    og_table__cached *from_owner, *to_owner = NULL;
    const uint32_t *from_dead, *to_dead = NULL;
    size_t from_count, to_count = 0;
    OG_TRY(deleted_offsets(c->from.table, from, &from_owner, &from_dead, &from_count, err));
    og_status status = deleted_offsets(c->to.table, to, &to_owner, &to_dead, &to_count, err);
    if (status == OG_OK && (!only_in_second(from_dead, from_count, to_dead, to_count,
                                            c->from.table->fragments[from].first_slot, out_from) ||
                            !only_in_second(to_dead, to_count, from_dead, from_count,
                                            c->to.table->fragments[to].first_slot, out_to)))
        status = og_error_nomem(err);
    og_table__cached_unref(from_owner);
    og_table__cached_unref(to_owner);
    return status;
}

/* ---- pieces ------------------------------------------------------------------------------- */

/* Row ids and stamps of one fragment. */
typedef struct fragment_rows {
    og_table__id_runs ids;
    og_table__version_runs stamps;
} fragment_rows;

static void fragment_rows_deinit(fragment_rows *rows)
{
    og_vec_deinit(&rows->ids);
    og_vec_deinit(&rows->stamps);
}

static og_status decode_rows(const og_lance_table *table, uint32_t index, fragment_rows *out,
                             og_error *err)
{
    const og_lance_fragment *f = &table->fragments[index];
    const OgPb__DataFragment *m = table->parts[index].message;
    og_status status = og_table__row_ids_decode(og_table__bytes(m->inline_row_ids), f->first_slot,
                                                f->physical_rows, &out->ids, err);
    if (status == OG_OK)
        status = og_table__versions_decode(og_table__bytes(m->inline_last_updated), f->first_slot,
                                           f->physical_rows, &out->stamps, err);
    if (status != OG_OK)
        return og_error_context(err, status, "%s version %llu, fragment %llu", table->path,
                                (unsigned long long)table->manifest->version,
                                (unsigned long long)f->id);
    return OG_OK;
}

static uint32_t smaller(uint32_t a, uint64_t b)
{
    return b < a ? (uint32_t)b : a;
}

/* Rows from before the fork are pieces, later ones can't be in the other version (delta.h (2)). */
static bool add_piece(side *s, const og_lance_common *past, piece p)
{
    s->rows += p.count;
    uint32_t old = 0;
    if (p.stamp <= past->version && p.first_id < past->next_row_id)
        old = smaller(p.count, past->next_row_id - p.first_id);
    if (old != 0 && !og_vec_push(&s->pieces, (piece){p.first_id, p.stamp, p.first_slot, old}))
        return false;
    return add_range(&s->changed, p.first_slot + old, p.count - old);
}

static og_status split_ranges(side *s, const og_lance_common *past, const slot_ranges *ranges,
                              const fragment_rows *rows, og_error *err)
{
    size_t id_at = 0, stamp_at = 0;
    for (size_t i = 0; i < ranges->len; i++) {
        uint32_t slot = ranges->items[i].start, end = slot + ranges->items[i].count;
        while (slot < end) {
            id_at = og_table__run_of(rows->ids.items, rows->ids.len, slot, id_at);
            stamp_at = og_table__run_of(rows->stamps.items, rows->stamps.len, slot, stamp_at);
            const og_table__id_run *id = &rows->ids.items[id_at];
            const og_table__version_run *stamp = &rows->stamps.items[stamp_at];
            uint32_t count = smaller(end - slot, (uint64_t)id->first_slot + id->count - slot);
            count = smaller(count, (uint64_t)stamp->first_slot + stamp->count - slot);
            piece p = {id->first_id + (slot - id->first_slot), stamp->version, slot, count};
            if (!add_piece(s, past, p))
                return og_error_nomem(err);
            slot += count;
        }
    }
    return OG_OK;
}

/* Rows of a fragment that nothing is known of are changed, whatever the other side has. */
static og_status add_unknown(side *s, const slot_ranges *ranges, og_error *err)
{
    for (size_t i = 0; i < ranges->len; i++) {
        if (!add_range(&s->changed, ranges->items[i].start, ranges->items[i].count))
            return og_error_nomem(err);
        s->rows += ranges->items[i].count;
    }
    return OG_OK;
}

static og_status add_rows(comparison *c, side *s, uint32_t index, const slot_ranges *ranges,
                          og_error *err)
{
    const og_table__fragment *part = &s->table->parts[index];
    if (ranges->len == 0)
        return OG_OK;
    bool alien = s->matches.is_alien[index];
    if (alien || !part->message->has_inline_last_updated || !part->message->has_inline_row_ids) {
        c->reason = alien ? OG_LANCE_DELTA_SCHEMA : OG_LANCE_DELTA_NO_STAMPS;
        return add_unknown(s, ranges, err);
    }
    fragment_rows rows = {0};
    og_status status = decode_rows(s->table, index, &rows, err);
    if (status == OG_OK)
        status = split_ranges(s, &c->past, ranges, &rows, err);
    fragment_rows_deinit(&rows);
    return status;
}

static og_status add_fragment(comparison *c, side *s, uint32_t index, og_error *err)
{
    slot_ranges ranges = {0};
    og_status status = live_ranges(s->table, index, &ranges, err);
    if (status == OG_OK)
        status = add_rows(c, s, index, &ranges, err);
    og_vec_deinit(&ranges);
    return status;
}

static og_status add_pair(comparison *c, uint32_t from, uint32_t to, og_error *err)
{
    slot_ranges gone = {0}, come = {0};
    og_status status = deletion_ranges(c, from, to, &gone, &come, err);
    if (status == OG_OK)
        status = add_rows(c, &c->from, from, &gone, err);
    if (status == OG_OK)
        status = add_rows(c, &c->to, to, &come, err);
    og_vec_deinit(&gone);
    og_vec_deinit(&come);
    return status;
}

static og_status collect(comparison *c, og_error *err)
{
    for (uint32_t i = 0; i < c->from.table->fragment_count; i++) {
        if (c->from.matches.partner[i] == OG_TABLE__NO_MATCH)
            OG_TRY(add_fragment(c, &c->from, i, err));
        else
            OG_TRY(add_pair(c, i, c->from.matches.partner[i], err));
    }
    for (uint32_t i = 0; i < c->to.table->fragment_count; i++)
        if (c->to.matches.partner[i] == OG_TABLE__NO_MATCH)
            OG_TRY(add_fragment(c, &c->to, i, err));
    return OG_OK;
}

/* ---- moved rows --------------------------------------------------------------------------- */

static int by_first_id(const void *a, const void *b)
{
    uint64_t x = ((const piece *)a)->first_id, y = ((const piece *)b)->first_id;
    return (x > y) - (x < y);
}

/* In order of row ids; false when two rows have one id. */
static bool sort_pieces(side *s)
{
    if (s->pieces.len != 0)
        qsort(s->pieces.items, s->pieces.len, sizeof *s->pieces.items, by_first_id);
    for (size_t i = 1; i < s->pieces.len; i++) {
        const piece *before = &s->pieces.items[i - 1], *p = &s->pieces.items[i];
        if (p->first_id - before->first_id < before->count)
            return false;
    }
    return true;
}

/* Take `count` rows off the front of a piece; they are changed unless `same`. */
static bool consume(side *s, piece *p, uint32_t count, bool same)
{
    if (!same && !add_range(&s->changed, p->first_slot, count))
        return false;
    p->first_id += count;
    p->first_slot += count;
    p->count -= count;
    return true;
}

/* Forget the first pieces. */
static void drop_pieces(side *s, size_t count)
{
    s->pieces.len -= count;
    if (s->pieces.len != 0)
        memmove(s->pieces.items, s->pieces.items + count, s->pieces.len * sizeof *s->pieces.items);
}

static bool drop_moved(comparison *c)
{
    side *a = &c->from, *b = &c->to;
    size_t i = 0, k = 0;
    while (i < a->pieces.len && k < b->pieces.len) {
        piece *p = &a->pieces.items[i], *q = &b->pieces.items[k];
        bool ok;
        if (p->first_id < q->first_id) {
            ok = consume(a, p, smaller(p->count, q->first_id - p->first_id), false);
        } else if (q->first_id < p->first_id) {
            ok = consume(b, q, smaller(q->count, p->first_id - q->first_id), false);
        } else {
            uint32_t both = smaller(p->count, q->count);
            bool same = p->stamp == q->stamp;
            c->common += both;
            ok = consume(a, p, both, same) && consume(b, q, both, same);
        }
        if (!ok)
            return false;
        i += p->count == 0;
        k += q->count == 0;
    }
    drop_pieces(a, i); /* what is left is on one side only */
    drop_pieces(b, k);
    return true;
}

static bool change_all_pieces(side *s)
{
    for (size_t i = 0; i < s->pieces.len; i++)
        if (!add_range(&s->changed, s->pieces.items[i].first_slot, s->pieces.items[i].count))
            return false;
    return true;
}

/* ---- what can be relied on ---------------------------------------------------------------- */

static bool is_trusted(const og_lance_table *table)
{
    const OgPb__WriterVersion *writer = table->manifest->writer_version;
    if (writer == NULL || !og_str_is(og_table__text(writer->library), "lance"))
        return false;
    og_str version = og_table__text(writer->version);
    const char *dot = version.len != 0 ? memchr(version.ptr, '.', version.len) : NULL;
    uint64_t major;
    return dot != NULL &&
           og_parse_u64((og_str){version.ptr, (size_t)(dot - version.ptr)}, &major) &&
           major >= FIRST_TRUSTED_MAJOR;
}

/* All rows differ, although some of them might have been recognized: by one lineage,
 * or as older than the fork. */
static bool is_overwritten(const comparison *c, bool had_pieces)
{
    return had_pieces && c->common == 0 && c->from.rows != 0 && c->to.rows != 0 &&
           c->from.rows == og_lance_table_row_count(c->from.table) &&
           c->to.rows == og_lance_table_row_count(c->to.table);
}

static og_status compare_pieces(comparison *c, og_error *err)
{
    bool had_pieces = c->from.pieces.len + c->to.pieces.len != 0;
    bool sorted = sort_pieces(&c->from);
    if (!sort_pieces(&c->to) || !sorted)
        c->reason = OG_LANCE_DELTA_REPEATED_IDS;
    else if (!is_trusted(c->from.table) || !is_trusted(c->to.table))
        c->reason = OG_LANCE_DELTA_WRITER;
    else if (!drop_moved(c))
        return og_error_nomem(err);
    if (!change_all_pieces(&c->from) || !change_all_pieces(&c->to))
        return og_error_nomem(err);

    if (c->from.rows == 0 || c->to.rows == 0)
        c->reason = OG_LANCE_DELTA_EXACT; /* nothing was there that might have been left out */
    else if (c->past.version == 0)
        c->reason = OG_LANCE_DELTA_NO_COMMON;
    else if (c->reason == OG_LANCE_DELTA_EXACT && is_overwritten(c, had_pieces))
        c->reason = OG_LANCE_DELTA_OVERWRITTEN;
    return OG_OK;
}

/* ---- the result --------------------------------------------------------------------------- */

static int by_start(const void *a, const void *b)
{
    uint32_t x = ((const slot_range *)a)->start, y = ((const slot_range *)b)->start;
    return (x > y) - (x < y);
}

static og_status expand(slot_ranges *ranges, uint32_t **out, size_t *out_count, og_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < ranges->len; i++)
        count += ranges->items[i].count;
    uint32_t *slots = og_malloc((count + 1) * sizeof *slots);
    if (slots == NULL)
        return og_error_nomem(err);
    if (ranges->len != 0)
        qsort(ranges->items, ranges->len, sizeof *ranges->items, by_start);
    size_t n = 0;
    for (size_t i = 0; i < ranges->len; i++)
        for (uint32_t k = 0; k < ranges->items[i].count; k++)
            slots[n++] = ranges->items[i].start + k;
    *out = slots;
    *out_count = count;
    return OG_OK;
}

static og_status find(comparison *c, og_lance_delta *out, og_error *err)
{
    OG_TRY(og_table__match_fragments(c->from.table, c->to.table, &c->from.matches, &c->to.matches,
                                     err));
    OG_TRY(collect(c, err));
    OG_TRY(compare_pieces(c, err));
    OG_TRY(expand(&c->from.changed, &out->from_slots, &out->from_count, err));
    OG_TRY(expand(&c->to.changed, &out->to_slots, &out->to_count, err));
    out->reason = c->reason;
    return OG_OK;
}

og_status og_lance_delta_find(og_lance_table *from, og_lance_table *to, og_lance_common common,
                              og_lance_delta *out, og_error *err)
{
    comparison c = {.from.table = from, .to.table = to, .past = common};
    og_lance_delta delta = {0};
    og_status status = find(&c, &delta, err);
    comparison_deinit(&c);
    if (status != OG_OK)
        og_lance_delta_deinit(&delta);
    *out = delta;
    return status;
}

void og_lance_delta_deinit(og_lance_delta *delta)
{
    og_free(delta->from_slots);
    og_free(delta->to_slots);
    *delta = (og_lance_delta){0};
}

const char *og_lance_delta_reason_text(og_lance_delta_reason reason)
{
    switch (reason) {
    case OG_LANCE_DELTA_EXACT:
        return "";
    case OG_LANCE_DELTA_NO_COMMON:
        return "the tables have no common history";
    case OG_LANCE_DELTA_NO_STAMPS:
        return "rows have no record of their last change";
    case OG_LANCE_DELTA_WRITER:
        return "an unknown program wrote the table";
    case OG_LANCE_DELTA_SCHEMA:
        return "columns changed";
    case OG_LANCE_DELTA_REPEATED_IDS:
        return "row ids are not unique";
    case OG_LANCE_DELTA_OVERWRITTEN:
        return "no row in common, as after an overwrite";
    }
    return "";
}
