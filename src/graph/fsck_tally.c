/* Values that occur in too many rows, or in too few, in bounded memory.
 *
 * Tuples of values are compared by their XXH3-64. A table is gone through in as many passes as it
 * takes to hold the hashes of one pass, sorted; each pass looks at its share of the hashes. Tuples
 * whose hashes occur as often as they should not are then counted by what they are, so two
 * different ones with one hash are told apart where they would be told of; together they would hide
 * that each is too seldom, once in some 10^19 pairs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "graph/constraints_priv.h"
#include "graph/fsck_priv.h"

#define PASS_HASHES ((uint64_t)16 << 20) /* 128 MiB */

/* ---- passes over the tuples of a table ---------------------------------------------------- */

void og_graph__hashes_deinit(og_graph__hashes *h)
{
    og_vec_deinit(&h->items);
}

uint64_t og_graph__passes_for(const og_lance_table *table)
{
    return og_lance_table_row_count(table) / PASS_HASHES + 1;
}

og_status og_graph__each_batch(og_graph__fsck *f, og_lance_table *table, const uint32_t *fields,
                               uint32_t field_count, og_graph__batch_fn take, void *context,
                               og_error *err)
{
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(table, fields, field_count, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        OG_TRY(take(context, &batch, err));
        OG_TRY(og_graph__fsck_progress(f, (uint64_t)batch.row_count, err));
    }
}

typedef struct collector {
    og_graph__hashes *out;
    og_buf tuple;
} collector;

static og_status collect(void *context, const og_batch *batch, og_error *err)
{
    collector *c = context;
    og_graph__hashes *h = c->out;
    for (int64_t row = 0; row < batch->row_count; row++) {
        bool exempt;
        OG_TRY(og_graph__tuple_encode(&c->tuple, (const og_array *const *)batch->columns,
                                      batch->column_count, row, &exempt, err));
        uint64_t hash = og_graph__tuple_hash(og_buf_view(&c->tuple));
        if (!exempt && og_graph__is_of_pass(h, hash) && !og_vec_push(&h->items, hash))
            return og_error_nomem(err);
    }
    return OG_OK;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

og_status og_graph__hashes_collect(og_graph__fsck *f, og_lance_table *table, const uint32_t *fields,
                                   uint32_t field_count, og_graph__hashes *out, og_error *err)
{
    collector c = {out, OG_BUF_INIT};
    out->items.len = 0;
    og_status s = og_graph__each_batch(f, table, fields, field_count, collect, &c, err);
    og_buf_deinit(&c.tuple);
    if (s == OG_OK && out->items.len > 1)
        qsort(out->items.items, out->items.len, sizeof *out->items.items, by_value);
    return s;
}

bool og_graph__hashes_have(const og_graph__hashes *h, uint64_t hash)
{
    return h->items.len > 0 &&
           bsearch(&hash, h->items.items, h->items.len, sizeof hash, by_value) != NULL;
}

/* ---- tuples that may break the rule ------------------------------------------------------- */

/* A tuple with a suspect's hash. */
typedef struct suspect {
    uint64_t rows;
    char *text; /* as messages show it */
} suspect;

typedef struct tally {
    og_graph__fsck *f;
    const og_graph__rule *rule;
    og_lance_table *table;
    og_u64map *hashes; /* that occur too often or too seldom */
    og_strmap *tuples; /* with such a hash -> index into suspects */
    OG_VEC(suspect) suspects;
    uint64_t left_out;
    og_buf tuple, text;
} tally;

static void tally_deinit(tally *t)
{
    for (size_t i = 0; i < t->suspects.len; i++)
        og_free(t->suspects.items[i].text);
    og_vec_deinit(&t->suspects);
    og_u64map_free(t->hashes);
    og_strmap_free(t->tuples);
    og_buf_deinit(&t->tuple);
    og_buf_deinit(&t->text);
}

static bool breaks(const og_graph__rule *rule, uint64_t rows)
{
    return rows < rule->low || rows > rule->high;
}

static og_status note_hash(tally *t, uint64_t hash, uint64_t rows, og_error *err)
{
    if (!breaks(t->rule, rows))
        return OG_OK;
    if (og_u64map_len(t->hashes) >= OG_GRAPH__MAX_TOLD)
        t->left_out++;
    else if (og_u64map_put(t->hashes, hash, NULL) == NULL)
        return og_error_nomem(err);
    return OG_OK;
}

static og_status note_hashes(tally *t, const og_graph__hashes *h, og_error *err)
{
    for (size_t start = 0, end; start < h->items.len; start = end) {
        uint64_t hash = h->items.items[start];
        for (end = start + 1; end < h->items.len && h->items.items[end] == hash;)
            end++;
        OG_TRY(note_hash(t, hash, end - start, err));
    }
    return OG_OK;
}

static og_status find_suspects(tally *t, og_error *err)
{
    og_graph__hashes h = {.passes = og_graph__passes_for(t->table)};
    og_status s = OG_OK;
    for (; h.pass < h.passes && s == OG_OK; h.pass++) {
        s = og_graph__hashes_collect(t->f, t->table, t->rule->fields, t->rule->field_count, &h,
                                     err);
        if (s == OG_OK)
            s = note_hashes(t, &h, err);
    }
    og_graph__hashes_deinit(&h);
    return s;
}

/* "'x'" or "'(x, y)'", not longer than messages should be. */
static bool write_tuple(og_buf *out, const og_batch *batch, int64_t row)
{
    const char *open = batch->column_count > 1 ? "(" : "";
    og_buf_clear(out);
    og_buf_printf(out, "'%s", open);
    for (uint32_t i = 0; i < batch->column_count; i++) {
        og_buf_text(out, i > 0 ? ", " : "");
        og_graph__write_value(out, batch->columns[i], row);
    }
    size_t len = og_graph__fsck_shown(og_buf_view(out)).len;
    if (len < out->len)
        out->len = len;
    return og_buf_printf(out, "%s'", batch->column_count > 1 ? ")" : "");
}

static og_status count_tuple(tally *t, const og_batch *batch, int64_t row, og_error *err)
{
    bool is_new;
    uint64_t *index = og_strmap_put(t->tuples, og_buf_view(&t->tuple), &is_new);
    if (index == NULL || !og_vec_reserve(&t->suspects, 1))
        return og_error_nomem(err);
    if (is_new) {
        *index = t->suspects.len;
        char *text = write_tuple(&t->text, batch, row) ? og_strdup(og_buf_cstr(&t->text)) : NULL;
        if (text == NULL)
            return og_error_nomem(err);
        t->suspects.items[t->suspects.len++] = (suspect){0, text};
    }
    t->suspects.items[*index].rows++;
    return OG_OK;
}

static og_status count_batch(void *context, const og_batch *batch, og_error *err)
{
    tally *t = context;
    for (int64_t row = 0; row < batch->row_count; row++) {
        bool exempt;
        OG_TRY(og_graph__tuple_encode(&t->tuple, (const og_array *const *)batch->columns,
                                      batch->column_count, row, &exempt, err));
        uint64_t hash = og_graph__tuple_hash(og_buf_view(&t->tuple));
        if (!exempt && og_u64map_get(t->hashes, hash) != NULL)
            OG_TRY(count_tuple(t, batch, row, err));
    }
    return OG_OK;
}

/* ---- telling ------------------------------------------------------------------------------ */

static og_status tell_suspect(const tally *t, const suspect *s, og_error *err)
{
    const og_graph__rule *r = t->rule;
    if (!r->counts_edges)
        return og_graph__fsck_tell(t->f, r->kind, r->table_key, err,
                                   "%s %s stands in %" PRIu64 " rows", r->what, s->text, s->rows);
    bool is_above = s->rows > r->high;
    return og_graph__fsck_tell(t->f, r->kind, r->table_key, err,
                               "%s %s has %" PRIu64 " edges (%s %" PRIu64 ")", r->what, s->text,
                               s->rows, is_above ? "max" : "min", is_above ? r->high : r->low);
}

static og_status run(tally *t, og_error *err)
{
    OG_TRY(find_suspects(t, err));
    if (og_u64map_len(t->hashes) > 0)
        OG_TRY(og_graph__each_batch(t->f, t->table, t->rule->fields, t->rule->field_count,
                                    count_batch, t, err));
    return OG_OK;
}

static og_status tell_all(const tally *t, og_error *err)
{
    const og_graph__rule *r = t->rule;
    for (size_t i = 0; i < t->suspects.len; i++)
        if (breaks(r, t->suspects.items[i].rows))
            OG_TRY(tell_suspect(t, &t->suspects.items[i], err));
    if (t->left_out == 0)
        return OG_OK;
    return og_graph__fsck_tell(t->f, r->kind, r->table_key, err, "%s: %" PRIu64 " more like this",
                               r->what, t->left_out);
}

og_status og_graph__fsck_tally(og_graph__fsck *f, og_lance_table *table, const og_graph__rule *rule,
                               og_error *err)
{
    __attribute__((cleanup(tally_deinit))) tally t = {.f = f, .rule = rule, .table = table};
    t.hashes = og_u64map_new(16);
    t.tuples = og_strmap_new(false);
    if (t.hashes == NULL || t.tuples == NULL)
        return og_error_nomem(err);
    og_error problem;
    og_status s = run(&t, &problem);
    if (s != OG_OK)
        return og_graph__fsck_judge(f, s, OG_FINDING_CONTENT, rule->table_key, &problem, err);
    return tell_all(&t, err);
}
