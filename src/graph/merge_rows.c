/* graph/merge: what happens with each row that differs between base and theirs. */
#include <stdlib.h>

#include "graph/merge_priv.h"

/* Columns 1 and 2 of an edge, src and dst: what it connects is one property. */
#define ENDS ((uint64_t)6)

/* ---- one row ------------------------------------------------------------------------------ */

static bool any_bit(const uint64_t *set, size_t words)
{
    for (size_t i = 0; i < words; i++)
        if (set[i] != 0)
            return true;
    return false;
}

/* Were there two rows, and equal ones, or none? */
static bool is_same(bool in_a, bool in_b, const uint64_t *differ, size_t words)
{
    return in_a == in_b && (!in_a || !any_bit(differ, words));
}

/* Each property was changed on one side only, or to the same value. */
static bool can_combine(const og_graph__row_sides *s)
{
    for (size_t i = 0; i < s->words; i++) {
        uint64_t ours = s->ours_changed[i], theirs = s->theirs_changed[i], differ = s->differ[i];
        if ((ours & theirs & differ) != 0)
            return false;
        if (i == 0 && s->is_edge && (ours & ENDS) != 0 && (theirs & ENDS) != 0 &&
            (differ & ENDS) != 0)
            return false;
    }
    return true;
}

/* Do both edits together leave ours as it is? What differs, ours changed; and theirs did not, or
 * the two could not be combined. */
static bool ours_has_all(const og_graph__row_sides *s)
{
    for (size_t i = 0; i < s->words; i++)
        if ((s->differ[i] & ~s->ours_changed[i]) != 0)
            return false;
    return true;
}

og_graph__verdict og_graph__merge_decide(const og_graph__row_sides *s, bool property_level)
{
    if (is_same(s->in_base, s->in_theirs, s->theirs_changed, s->words) ||
        is_same(s->in_ours, s->in_theirs, s->differ, s->words))
        return OG_GRAPH__KEEP_OURS;
    if (is_same(s->in_base, s->in_ours, s->ours_changed, s->words))
        return OG_GRAPH__TAKE_THEIRS;
    bool in_all = s->in_base && s->in_ours && s->in_theirs;
    if (!property_level || !in_all || !can_combine(s))
        return OG_GRAPH__DISPUTE;
    return ours_has_all(s) ? OG_GRAPH__KEEP_OURS : OG_GRAPH__COMBINE;
}

og_merge_conflict_kind og_graph__dispute_kind(const og_graph__row_sides *s)
{
    if (!s->in_base)
        return OG_CONFLICT_DIVERGENT_INSERT;
    return s->in_ours && s->in_theirs ? OG_CONFLICT_DIVERGENT_UPDATE : OG_CONFLICT_DELETE_VS_UPDATE;
}

/* ---- a part of a table's changes ---------------------------------------------------------- */

/* Comparisons of at most OG_BATCH_ROWS changes. Rows of the sets are by change. */
typedef struct part {
    const og_row_change *changes;
    size_t count, words;
    uint32_t *ours; /* slots */
    bool *is_as_base;
    uint64_t *ours_changed, *differ;
    uint32_t *a, *b; /* slots to compare, */
    size_t *which;   /* of which change, */
    uint64_t *found; /* and the answer */
    og_graph__dispute *disputes;
    size_t dispute_count;
} part;

static void part_deinit(part *p)
{
    og_free(p->ours);
    og_free(p->is_as_base);
    og_free(p->ours_changed);
    og_free(p->differ);
    og_free(p->a);
    og_free(p->b);
    og_free(p->which);
    og_free(p->found);
    og_free(p->disputes);
}

static og_status part_init(part *p, size_t room, size_t words, og_error *err)
{
    *p = (part){.words = words};
    p->ours = og_calloc(room, sizeof *p->ours);
    p->is_as_base = og_calloc(room, sizeof *p->is_as_base);
    p->ours_changed = og_calloc(room, words * sizeof *p->ours_changed);
    p->differ = og_calloc(room, words * sizeof *p->differ);
    p->a = og_calloc(room, sizeof *p->a);
    p->b = og_calloc(room, sizeof *p->b);
    p->which = og_calloc(room, sizeof *p->which);
    p->found = og_calloc(room, words * sizeof *p->found);
    p->disputes = og_calloc(room, sizeof *p->disputes);
    bool ok = p->ours != NULL && p->is_as_base != NULL && p->ours_changed != NULL &&
              p->differ != NULL && p->a != NULL && p->b != NULL && p->which != NULL &&
              p->found != NULL && p->disputes != NULL;
    if (!ok)
        part_deinit(p);
    return ok ? OG_OK : og_error_nomem(err);
}

/* Compare ours with `other` where both have the row and ours is not known to be as in the base. */
static og_status compare(const og_graph__merge_table *t, part *p, og_lance_table *other,
                         bool with_theirs, uint64_t *out, og_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++) {
        const og_row_change *c = &p->changes[i];
        uint32_t slot = with_theirs ? c->to_slot : c->from_slot;
        if (p->is_as_base[i] || p->ours[i] == OG_NO_SLOT || slot == OG_NO_SLOT)
            continue;
        p->a[count] = slot;
        p->b[count] = p->ours[i];
        p->which[count++] = i;
    }
    memset(out, 0, p->count * p->words * sizeof *out);
    if (count == 0)
        return OG_OK;
    OG_TRY(og_type_rows_compare(t->def, other, p->a, t->ours, p->b, count, p->found, err));
    for (size_t i = 0; i < count; i++)
        memcpy(out + p->which[i] * p->words, p->found + i * p->words, p->words * sizeof *out);
    return OG_OK;
}

static og_graph__row_sides sides_of(const og_graph__merge_table *t, const part *p, size_t i)
{
    const og_row_change *c = &p->changes[i];
    bool is_as_base = p->is_as_base[i];
    return (og_graph__row_sides){
        .in_base = c->from_slot != OG_NO_SLOT,
        .in_ours = p->ours[i] != OG_NO_SLOT,
        .in_theirs = c->to_slot != OG_NO_SLOT,
        .is_edge = t->def->is_edge,
        .theirs_changed = c->columns,
        .ours_changed = p->ours_changed + i * p->words,
        .differ = is_as_base ? c->columns : p->differ + i * p->words,
        .words = p->words,
    };
}

/* ---- what is done with them --------------------------------------------------------------- */

static og_status take(og_graph__merge_table *t, const part *p, size_t i, const uint64_t *from_ours,
                      og_error *err)
{
    const og_row_change *c = &p->changes[i];
    bool ok =
        c->to_slot == OG_NO_SLOT
            ? og_vec_push(&t->gone, (og_graph__gone){c->id, p->ours[i]})
            : og_vec_push(&t->taken, (og_graph__taken){c->id, c->to_slot, p->ours[i], from_ours});
    return ok ? OG_OK : og_error_nomem(err);
}

/* The properties to show: those that both sides changed, and differently, if there are such; else
 * those in which the sides differ, or in which the one that has the row changed it. In arena. */
static const uint64_t *shown_columns(og_graph__merge *m, const og_graph__row_sides *s)
{
    if (!s->in_ours || !s->in_theirs)
        return s->in_ours ? s->ours_changed : s->theirs_changed;
    uint64_t *clash = og_arena_array_of(m->arena, uint64_t, s->words);
    for (size_t i = 0; clash != NULL && s->in_base && i < s->words; i++)
        clash[i] = s->ours_changed[i] & s->theirs_changed[i] & s->differ[i];
    return clash == NULL || any_bit(clash, s->words) ? clash : s->differ;
}

static og_status dispute(og_graph__merge *m, og_graph__merge_table *t, part *p, size_t i,
                         const og_graph__row_sides *sides, og_error *err)
{
    const og_row_change *c = &p->changes[i];
    const uint64_t *shown = shown_columns(m, sides);
    if (shown == NULL || (sides->in_ours && !og_vec_push(&t->disputed, p->ours[i])))
        return og_error_nomem(err);
    p->disputes[p->dispute_count++] = (og_graph__dispute){.kind = og_graph__dispute_kind(sides),
                                                          .id = c->id,
                                                          .base = c->from_slot,
                                                          .ours = p->ours[i],
                                                          .theirs = c->to_slot,
                                                          .columns = shown};
    return OG_OK;
}

static og_status settle(og_graph__merge *m, og_graph__merge_table *t, part *p, size_t i,
                        og_error *err)
{
    og_graph__row_sides sides = sides_of(t, p, i);
    switch (og_graph__merge_decide(&sides, m->input->property_level)) {
    case OG_GRAPH__KEEP_OURS:
        return OG_OK;
    case OG_GRAPH__TAKE_THEIRS:
        return take(t, p, i, NULL, err);
    case OG_GRAPH__COMBINE: {
        const uint64_t *mine = og_arena_copy(m->arena, sides.ours_changed, p->words * sizeof *mine);
        return mine != NULL ? take(t, p, i, mine, err) : og_error_nomem(err);
    }
    default:
        return dispute(m, t, p, i, &sides, err);
    }
}

static og_status plan_part(og_graph__merge *m, og_graph__merge_table *t, part *p, og_error *err)
{
    OG_TRY(og_graph__merge_check_stop(m, err));
    OG_TRY(og_graph__ours_find(t, p->changes, p->count, p->ours, p->is_as_base, err));
    OG_TRY(compare(t, p, t->base, false, p->ours_changed, err));
    OG_TRY(compare(t, p, t->theirs, true, p->differ, err));
    p->dispute_count = 0;
    for (size_t i = 0; i < p->count; i++)
        OG_TRY(settle(m, t, p, i, err));
    return og_graph__report_disputes(m, t, p->disputes, p->dispute_count, err);
}

/* Rows that replace others first, as a write asks; else in theirs' order, so that new rows stand in
 * the order in which they were made. */
static int by_writing(const void *a, const void *b)
{
    const og_graph__taken *x = a, *y = b;
    bool x_new = x->ours == OG_NO_SLOT, y_new = y->ours == OG_NO_SLOT;
    return x_new != y_new ? x_new - y_new : (x->theirs > y->theirs) - (x->theirs < y->theirs);
}

static og_status plan_parts(og_graph__merge *m, og_graph__merge_table *t, og_error *err)
{
    part p;
    size_t rows = t->changes.row_count, room = rows < OG_BATCH_ROWS ? rows : OG_BATCH_ROWS;
    OG_TRY(part_init(&p, room, og_type_column_words(t->def), err));
    og_status s = OG_OK;
    for (size_t start = 0; start < rows && s == OG_OK; start += p.count) {
        p.changes = t->changes.rows + start;
        p.count = rows - start < room ? rows - start : room;
        s = plan_part(m, t, &p, err);
    }
    part_deinit(&p);
    return s;
}

og_status og_graph__merge_plan(og_graph__merge *m, og_graph__merge_table *t, og_error *err)
{
    OG_TRY(og_table_changes_between(t->def, m->base, m->theirs, &t->changes, err));
    t->is_planned = t->changes.row_count > 0;
    if (!t->is_planned)
        return OG_OK;
    OG_TRY(plan_parts(m, t, err));
    if (t->taken.len > 1)
        qsort(t->taken.items, t->taken.len, sizeof *t->taken.items, by_writing);
    return og_txn_reads(m->txn, t->def, err);
}

/* ---- looking rows up ---------------------------------------------------------------------- */

og_status og_graph__merge_index(og_graph__merge_table *t, og_error *err)
{
    t->touched = og_u64map_new(t->taken.len + t->gone.len + t->disputed.len);
    bool ok = t->touched != NULL;
    for (size_t i = 0; i < t->taken.len && ok; i++)
        if (t->taken.items[i].ours != OG_NO_SLOT)
            ok = og_u64map_put(t->touched, t->taken.items[i].ours, NULL) != NULL;
    for (size_t i = 0; i < t->gone.len && ok; i++)
        ok = og_u64map_put(t->touched, t->gone.items[i].ours, NULL) != NULL;
    for (size_t i = 0; i < t->disputed.len && ok; i++)
        ok = og_u64map_put(t->touched, t->disputed.items[i], NULL) != NULL;
    return ok ? OG_OK : og_error_nomem(err);
}

const og_row_change *og_graph__merge_change_of(const og_graph__merge_table *t, og_str id)
{
    const og_row_change *rows = t->changes.rows;
    size_t low = 0, high = t->changes.row_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (og_str_cmp(rows[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->changes.row_count && og_str_eq(rows[low].id, id) ? &rows[low] : NULL;
}
