/* graph/merge: rows that share the values of a @unique only because the sides come together.
 *
 * A row that theirs brings can collide with another one that it brings, or with one that ours
 * changed since the base: any other row of ours is in theirs as well, where it would collide
 * already. Pairs that collide within ours or within theirs are left alone. */
#include <stdlib.h>

#include "graph/constraints_priv.h"
#include "graph/merge_priv.h"

/* A row with values that the merge brings to ours, or that ours has. */
typedef struct holder {
    uint32_t tuple; /* index in `tuples` */
    bool is_ours;   /* it has them in ours */
    size_t taken;   /* number of the taken row, or SIZE_MAX */
    og_str id;      /* borrowed from the changes, or in the arena */
} holder;

typedef struct search {
    og_graph__merge *m;
    og_graph__merge_table *t;
    uint32_t *columns; /* of the schema */
    uint32_t column_count;
    og_strmap *tuples;  /* encoded, of values that are new to ours -> index */
    og_u64map *changed; /* slots of ours whose values go with the merge, or are disputed */
    OG_VEC(holder) holders;
    og_buf a, b;
} search;

static og_status encode(const search *s, const og_batch *rows, int64_t row, uint32_t first,
                        og_buf *out, bool *out_exempt, og_error *err)
{
    return og_graph__tuple_encode(out, (const og_array *const *)rows->columns + first,
                                  s->column_count, row, out_exempt, err);
}

/* Note a row with the tuple in s->a: one that ours has only when the merge brings the tuple,
 * too. */
static og_status add_holder(search *s, og_str id, size_t taken, og_error *err)
{
    bool is_ours = taken == SIZE_MAX, is_new = false;
    og_str tuple = og_buf_view(&s->a);
    uint64_t *index =
        is_ours ? og_strmap_get(s->tuples, tuple) : og_strmap_put(s->tuples, tuple, &is_new);
    if (index == NULL)
        return is_ours ? OG_OK : og_error_nomem(err);
    if (is_new)
        *index = og_strmap_len(s->tuples) - 1;
    holder h = {.tuple = (uint32_t)*index, .id = id, .taken = taken, .is_ours = is_ours};
    if (is_ours && (h.id = og_arena_str(s->m->arena, id)).ptr == NULL)
        return og_error_nomem(err);
    return og_vec_push(&s->holders, h) ? OG_OK : og_error_nomem(err);
}

/* ---- values that the merge brings --------------------------------------------------------- */

/* Of a row that replaces one of ours: is its tuple, in s->a, another one than that had? */
static og_status note_replaced(search *s, const og_graph__taken *row, const og_batch *old,
                               int64_t at, bool exempt, bool *out_new, og_error *err)
{
    bool was_exempt;
    OG_TRY(encode(s, old, at, 0, &s->b, &was_exempt, err));
    bool is_same =
        exempt == was_exempt && (exempt || og_str_eq(og_buf_view(&s->a), og_buf_view(&s->b)));
    if (!is_same && og_u64map_put(s->changed, row->ours, NULL) == NULL)
        return og_error_nomem(err);
    *out_new = !is_same;
    return OG_OK;
}

/* The rows of ours that are replaced: a part of taken begins with those. */
static og_status read_replaced(search *s, const og_graph__taken *rows, size_t count, og_batch *out,
                               og_error *err)
{
    OG_AUTO_FREE uint32_t *slots = og_calloc(count, sizeof *slots);
    size_t n = 0;
    if (slots == NULL)
        return og_error_nomem(err);
    for (; n < count && rows[n].ours != OG_NO_SLOT; n++)
        slots[n] = rows[n].ours;
    return n > 0 ? og_graph__columns_read(s->t->def, s->t->ours, slots, n, s->columns,
                                          s->column_count, false, out, err)
                 : OG_OK;
}

static og_status find_new_part(search *s, size_t start, size_t count, og_error *err)
{
    const og_graph__taken *taken = s->t->taken.items + start;
    OG_AUTO_BATCH rows = {0};
    OG_AUTO_BATCH old = {0};
    OG_TRY(
        og_graph__taken_read(s->t, start, count, s->columns, s->column_count, false, &rows, err));
    OG_TRY(read_replaced(s, taken, count, &old, err));
    for (size_t i = 0; i < count; i++) {
        bool exempt, is_new = true;
        OG_TRY(encode(s, &rows, (int64_t)i, 0, &s->a, &exempt, err));
        if (taken[i].ours != OG_NO_SLOT)
            OG_TRY(note_replaced(s, &taken[i], &old, (int64_t)i, exempt, &is_new, err));
        if (is_new && !exempt)
            OG_TRY(add_holder(s, taken[i].id, start + i, err));
    }
    return OG_OK;
}

static og_status find_new(search *s, og_error *err)
{
    const og_graph__merge_table *t = s->t;
    for (size_t start = 0; start < t->taken.len; start += OG_BATCH_ROWS) {
        size_t left = t->taken.len - start, n = left < OG_BATCH_ROWS ? left : OG_BATCH_ROWS;
        OG_TRY(find_new_part(s, start, n, err));
    }
    for (size_t i = 0; i < t->gone.len; i++)
        if (og_u64map_put(s->changed, t->gone.items[i].ours, NULL) == NULL)
            return og_error_nomem(err);
    for (size_t i = 0; i < t->disputed.len; i++)
        if (og_u64map_put(s->changed, t->disputed.items[i], NULL) == NULL)
            return og_error_nomem(err);
    return OG_OK;
}

/* ---- rows that ours changed --------------------------------------------------------------- */

static og_status find_ours(search *s, og_error *err)
{
    const uint32_t *slots;
    size_t count;
    OG_AUTO_FREE uint32_t *columns = og_calloc((size_t)s->column_count + 1, sizeof *columns);
    if (columns == NULL)
        return og_error_nomem(err);
    memcpy(columns + 1, s->columns, s->column_count * sizeof *columns); /* behind the id, 0 */
    OG_TRY(og_graph__ours_changed(s->t, &slots, &count, err));
    for (size_t start = 0; start < count; start += OG_BATCH_ROWS) {
        size_t n = count - start < OG_BATCH_ROWS ? count - start : OG_BATCH_ROWS;
        OG_AUTO_BATCH rows = {0};
        OG_TRY(og_graph__columns_read(s->t->def, s->t->ours, slots + start, n, columns,
                                      s->column_count + 1, false, &rows, err));
        for (size_t i = 0; i < n; i++) {
            bool exempt;
            if (og_u64map_get(s->changed, slots[start + i]) != NULL)
                continue;
            OG_TRY(encode(s, &rows, (int64_t)i, 1, &s->a, &exempt, err));
            if (!exempt)
                OG_TRY(add_holder(s, og_array_str(rows.columns[0], (int64_t)i), SIZE_MAX, err));
        }
    }
    return OG_OK;
}

/* ---- pairs -------------------------------------------------------------------------------- */

/* The tuple of a holder as it stands in theirs; false when theirs has no such row. */
static og_status theirs_tuple(search *s, const holder *h, og_buf *out, bool *out_found,
                              og_error *err)
{
    og_lance_table *table = s->t->theirs;
    uint32_t slot = h->is_ours ? OG_NO_SLOT : s->t->taken.items[h->taken].theirs;
    bool exempt;
    *out_found = true;
    if (h->is_ours)
        OG_TRY(og_graph__theirs_row(s->t, h->id, &table, &slot, out_found, err));
    if (!*out_found)
        return OG_OK;
    OG_AUTO_BATCH row = {0};
    OG_TRY(og_graph__columns_read(s->t->def, table, &slot, 1, s->columns, s->column_count, false,
                                  &row, err));
    OG_TRY(encode(s, &row, 0, 0, out, &exempt, err));
    *out_found = !exempt;
    return OG_OK;
}

/* Do both rows share the values in theirs already? */
static og_status collide_in_theirs(search *s, const holder *x, const holder *y, og_str tuple,
                                   bool *out, og_error *err)
{
    bool x_found, y_found;
    OG_TRY(theirs_tuple(s, x, &s->a, &x_found, err));
    OG_TRY(theirs_tuple(s, y, &s->b, &y_found, err));
    *out = x_found && y_found && og_str_eq(og_buf_view(&s->a), tuple) &&
           og_str_eq(og_buf_view(&s->b), tuple);
    return OG_OK;
}

/* ["email", "name"], as the reference prints a list. */
static void describe(const search *s, og_buf *out)
{
    og_buf_byte(out, '[');
    for (uint32_t i = 0; i < s->column_count; i++)
        og_buf_printf(out, "%s\"%.*s\"", i > 0 ? ", " : "",
                      OG_FMT(s->t->def->table_schema->fields[s->columns[i]].name));
    og_buf_byte(out, ']');
}

static og_status report_pair(search *s, const holder *x, const holder *y, og_error *err)
{
    OG_AUTO_BUF names = OG_BUF_INIT;
    describe(s, &names);
    return og_graph__report(s->m, s->t->def, OG_CONFLICT_UNIQUE_VIOLATION, y->id, err,
                            "unique constraint %s violated by '%.*s' and '%.*s'",
                            og_buf_cstr(&names), OG_FMT(x->id), OG_FMT(y->id));
}

static int by_id(const void *a, const void *b)
{
    return og_str_cmp(((const holder *)a)->id, ((const holder *)b)->id);
}

static int by_tuple(const void *a, const void *b)
{
    const holder *x = a, *y = b;
    return x->tuple != y->tuple ? (x->tuple > y->tuple) - (x->tuple < y->tuple) : by_id(a, b);
}

static og_status report_pairs(search *s, og_error *err)
{
    if (s->holders.len > 1)
        qsort(s->holders.items, s->holders.len, sizeof *s->holders.items, by_tuple);
    for (size_t i = 1; i < s->holders.len; i++) {
        const holder *x = &s->holders.items[i - 1], *y = &s->holders.items[i];
        bool is_theirs;
        if (x->tuple != y->tuple || (x->is_ours && y->is_ours))
            continue;
        OG_TRY(
            collide_in_theirs(s, x, y, og_strmap_at(s->tuples, x->tuple, NULL), &is_theirs, err));
        if (!is_theirs)
            OG_TRY(report_pair(s, x, y, err));
    }
    return OG_OK;
}

/* ---- one @unique -------------------------------------------------------------------------- */

static og_status find_columns(search *s, const og_columns *unique, bool *out_nested, og_error *err)
{
    const og_schema *schema = s->t->def->table_schema;
    s->column_count = unique->count;
    s->columns = og_calloc(unique->count, sizeof *s->columns);
    if (s->columns == NULL)
        return og_error_nomem(err);
    *out_nested = false;
    for (uint32_t i = 0; i < unique->count; i++) {
        int32_t column = og_schema_find(schema, unique->names[i]);
        if (column < 0)
            return og_error_set(err, OG_CORRUPT, "@unique of %.*s names no column '%.*s'",
                                OG_FMT(s->t->def->name), OG_FMT(unique->names[i]));
        s->columns[i] = (uint32_t)column;
        *out_nested |= schema->fields[column].type->child_count > 0;
    }
    return OG_OK;
}

static og_status run_search(search *s, const og_columns *unique, og_error *err)
{
    bool is_nested = false;
    s->tuples = og_strmap_new(false);
    s->changed = og_u64map_new(s->t->taken.len + s->t->gone.len);
    if (s->tuples == NULL || s->changed == NULL)
        return og_error_nomem(err);
    OG_TRY(find_columns(s, unique, &is_nested, err));
    if (is_nested) /* lists and blobs are never compared, as elsewhere */
        return OG_OK;
    OG_TRY(find_new(s, err));
    if (s->holders.len == 0)
        return OG_OK;
    OG_TRY(find_ours(s, err));
    return report_pairs(s, err);
}

og_status og_graph__merge_check_uniques(og_graph__merge *m, og_graph__merge_table *t, og_error *err)
{
    for (uint32_t i = 0; i < t->def->unique_count && t->taken.len > 0; i++) {
        search s = {.m = m, .t = t};
        og_status status = run_search(&s, &t->def->uniques[i], err);
        og_free(s.columns);
        og_strmap_free(s.tuples);
        og_u64map_free(s.changed);
        og_vec_deinit(&s.holders);
        og_buf_deinit(&s.a);
        og_buf_deinit(&s.b);
        OG_TRY(status);
    }
    return OG_OK;
}
