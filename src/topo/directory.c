#include "topo/directory.h"

#include <string.h>

#include "base/map.h"
#include "base/vec.h"
#include "topo/saved.h"

/* Deltas that hold more than this share of the directory at the bottom together make a new one of
 * all. */
#define MERGE_SHARE 8
/* A delta takes in the one below it while that has at most so many times its rows: so few lie above
 * one another, and a row is added again as often as there are such, however many commits bring one
 * each. */
#define LEVEL_SHARE 4
/* Ids looked up together. */
#define BATCH 1024

og_str og_topo_epoch(const og_lance_table *table)
{
    og_str epoch = og_lance_table_transaction_property(table, OG_STR("og.epoch"));
    return epoch.ptr != NULL && epoch.len > 0 ? epoch : og_lance_table_transaction_uuid(table);
}

og_directory *og_directory_ref(og_directory *directory)
{
    __atomic_add_fetch(&directory->refs, 1, __ATOMIC_RELAXED);
    return directory;
}

void og_directory_unref(og_directory *d)
{
    if (d == NULL || __atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    og_directory_unref(d->root);
    og_directory_unref(d->mended);
    og_topo__summed_deinit(&d->saved);
    og_free(d->owned);
    og_free(d);
}

bool og_directory_has_duplicates(const og_directory *d)
{
    for (const og_directory *m; (m = __atomic_load_n(&d->mended, __ATOMIC_ACQUIRE)) != NULL;)
        d = m;
    return __atomic_load_n(&d->has_duplicates, __ATOMIC_RELAXED);
}

uint64_t og_directory_version(const og_directory *d)
{
    return d->version;
}

uint64_t og_directory_next_row_id(const og_directory *d)
{
    return d->next_row_id;
}

size_t og_directory_bytes(const og_directory *d)
{
    size_t own = sizeof *d + (size_t)og_topo__place_bytes(d);
    return own + (d->root != NULL ? og_directory_bytes(d->root) : 0);
}

static uint32_t bits_of(uint64_t value)
{
    return value != 0 ? 64 - (uint32_t)__builtin_clzll(value) : 1;
}

og_directory *og_topo__directory_new(uint64_t expected, uint64_t next_row_id)
{
    og_directory *d = og_calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->refs = 1;
    d->place_count = og_topo__places_for(expected);
    d->vertex_bits = bits_of(next_row_id);
    size_t bytes = (size_t)og_topo__place_bytes(d);
    d->owned = og_malloc(bytes);
    if (d->owned == NULL) {
        og_free(d);
        return NULL;
    }
    memset(d->owned, 0xFF, bytes);
    d->places = d->owned;
    return d;
}

/* ---- probing ------------------------------------------------------------------------------ */

/* The upper bits of the hash choose the place, the lower ones are the tag. */
static inline uint64_t first_place(const og_directory *d, uint64_t hash)
{
    return (uint64_t)((unsigned __int128)hash * d->place_count >> 64);
}

static inline uint64_t tag_of(uint64_t hash)
{
    return hash & (((uint64_t)1 << OG_TOPO__TAG_BITS) - 1);
}

static inline uint64_t entry_at(const og_directory *d, uint64_t place)
{
    return og_topo__packed_at(d->places, d->vertex_bits + OG_TOPO__TAG_BITS, place);
}

static inline uint64_t empty_entry(const og_directory *d)
{
    return ((uint64_t)1 << (d->vertex_bits + OG_TOPO__TAG_BITS)) - 1;
}

static inline uint64_t next_place(const og_directory *d, uint64_t place)
{
    return place + 1 < d->place_count ? place + 1 : 0;
}

static bool place_is_good(og_directory *d, uint64_t place)
{
    if (d->owned != NULL ||
        og_topo__number_is_good(&d->saved, d->vertex_bits + OG_TOPO__TAG_BITS, place))
        return true;
    __atomic_store_n(&d->is_damaged, 1, __ATOMIC_RELAXED);
    return false;
}

/* The next vertex with this hash from *place on, or OG_NO_VERTEX; *place moves past it. A table
 * that is full of other things is a damaged file: the walk ends after one round. */
static uint32_t next_candidate(og_directory *d, uint64_t hash, uint64_t *place, uint64_t *steps)
{
    uint64_t tag = tag_of(hash), empty = empty_entry(d);
    for (; *steps < d->place_count; (*steps)++) {
        if (!place_is_good(d, *place))
            return OG_NO_VERTEX;
        uint64_t entry = entry_at(d, *place);
        *place = next_place(d, *place);
        if (entry == empty)
            return OG_NO_VERTEX;
        if (entry >> d->vertex_bits == tag) {
            (*steps)++;
            return (uint32_t)(entry & (((uint64_t)1 << d->vertex_bits) - 1));
        }
    }
    return OG_NO_VERTEX;
}

/* A walk over the candidates of one id: the newest delta first, then what lies below it. */
typedef struct walk {
    og_directory *at, *end; /* not entered; NULL: none */
    uint64_t hash, place, steps;
} walk;

static walk walk_start(og_directory *d, og_directory *end, uint64_t hash)
{
    return (walk){.at = d, .end = end, .hash = hash, .place = first_place(d, hash)};
}

/* Leave what is left of a level. */
static void walk_down(walk *w)
{
    w->at = w->at->root;
    if (w->at != NULL) {
        w->place = first_place(w->at, w->hash);
        w->steps = 0;
    }
}

static uint32_t walk_next(walk *w)
{
    for (; w->at != w->end; walk_down(w)) {
        uint32_t vertex = next_candidate(w->at, w->hash, &w->place, &w->steps);
        if (vertex != OG_NO_VERTEX)
            return vertex;
    }
    return OG_NO_VERTEX;
}

/* ---- far blocks --------------------------------------------------------------------------- */

/* Bytes that a walk looks at; few take more. */
#define WALK_BYTES 128
/* Ids whose blocks are announced before the ids themselves are looked for. */
#define FEW_IDS 4
/* A saved directory, and what was saved beside it. */
#define FAR_LEVELS 2
/* A walk may look at two blocks of a level. */
#define SCRATCH_SHARE (2 * FAR_LEVELS)

static size_t missing_blocks(const og_directory *d, const uint64_t *hashes, size_t count,
                             uint64_t *out)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t width = d->vertex_bits + OG_TOPO__TAG_BITS;
        out[2 * i] = first_place(d, hashes[i]) * width / 8;
        out[2 * i + 1] = out[2 * i] + WALK_BYTES;
    }
    return og_topo__missing(&d->saved, out, 2 * count);
}

static void expect_blocks(const og_directory *d, const uint64_t *hashes, size_t count,
                          uint64_t *scratch)
{
    for (; d != NULL; d = d->root)
        if (d->saved.far != NULL)
            og_topo__expect_missing(&d->saved, scratch, missing_blocks(d, hashes, count, scratch));
}

void og_topo__expect_ids(og_directory *d, const og_str *ids, size_t count)
{
    uint64_t hashes[FEW_IDS], scratch[2 * FEW_IDS];
    if (count > FEW_IDS)
        return;
    for (size_t i = 0; i < count; i++)
        hashes[i] = og_hash64(ids[i].ptr, ids[i].len);
    expect_blocks(d, hashes, count, scratch);
}

/* Where a walk would wait for one block after the other, bring in those of all ids and levels side
 * by side. What was announced is asked for, also when another thread has brought it in meanwhile.
 * `scratch` holds SCRATCH_SHARE numbers for each hash. */
static void bring_blocks(og_directory *top, const uint64_t *hashes, size_t count, uint64_t *scratch)
{
    size_t missing[FAR_LEVELS], announced = 0, brought = 0;
    for (og_directory *d = top; d != NULL && announced < FAR_LEVELS; d = d->root) {
        uint64_t *blocks = scratch + announced * 2 * count;
        if (d->saved.far == NULL)
            continue;
        missing[announced] = missing_blocks(d, hashes, count, blocks);
        og_topo__expect_missing(&d->saved, blocks, missing[announced++]);
    }
    for (og_directory *d = top; brought < announced; d = d->root) {
        if (d->saved.far == NULL)
            continue;
        og_topo__bring(&d->saved, scratch + brought * 2 * count, missing[brought]);
        brought++;
    }
}

static bool has_far_blocks(const og_directory *d)
{
    for (; d != NULL; d = d->root)
        if (d->saved.far != NULL)
            return true;
    return false;
}

/* ---- finding ------------------------------------------------------------------------------ */

/* Ids of a round whose candidate is still to be compared. */
typedef struct round_state {
    uint64_t row_ids[BATCH];
    uint32_t slots[BATCH];
    uint32_t live_slots[BATCH];
    uint32_t which[BATCH]; /* index of the id */
    uint32_t live_which[BATCH];
    walk walks[BATCH];
    uint64_t hashes[BATCH];
    uint64_t scratch[SCRATCH_SHARE * BATCH];
} round_state;

static og_status id_field(const og_lance_table *table, uint32_t *out, og_error *err)
{
    int32_t field = og_lance_table_find_field(table, OG_STR("id"));
    if (field < 0)
        return og_error_set(err, OG_CORRUPT, "table %s has no column 'id'",
                            og_lance_table_path(table));
    *out = (uint32_t)field;
    return OG_OK;
}

/* A row with this very id was found. The ids of a level differ, but the levels were not compared
 * with one another when they were made: so look below, too. */
static void take_vertex(og_directory *d, walk *w, uint32_t vertex, uint32_t *out)
{
    if (*out == OG_NO_VERTEX)
        *out = vertex;
    else
        __atomic_store_n(&d->has_duplicates, 1, __ATOMIC_RELAXED);
    walk_down(w);
}

/* Compare one candidate of each id, then ask its walk for the next one. */
static og_status compare_round(og_directory *d, og_lance_table *table, uint32_t field,
                               const og_str *ids, round_state *r, size_t *inout_count,
                               uint32_t *out, og_error *err)
{
    size_t count = *inout_count, live = 0, left = 0;
    OG_TRY(og_lance_slots_of(table, r->row_ids, count, r->slots, err));
    for (size_t i = 0; i < count; i++) {
        if (r->slots[i] == UINT32_MAX)
            continue;
        r->live_slots[live] = r->slots[i];
        r->live_which[live++] = (uint32_t)i;
    }
    OG_AUTO_BATCH texts = {0};
    if (live > 0)
        OG_TRY(og_lance_take(table, &field, 1, r->live_slots, live, &texts, err));
    for (size_t i = 0; i < live; i++) {
        uint32_t at = r->live_which[i], which = r->which[at];
        if (og_str_eq(og_array_str(texts.columns[0], (int64_t)i), ids[which]))
            take_vertex(d, &r->walks[at], (uint32_t)r->row_ids[at], &out[which]);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t vertex = walk_next(&r->walks[i]);
        if (vertex == OG_NO_VERTEX)
            continue;
        r->row_ids[left] = vertex;
        r->which[left] = r->which[i];
        r->walks[left++] = r->walks[i];
    }
    *inout_count = left;
    return OG_OK;
}

static bool is_damaged(const og_directory *d)
{
    for (; d != NULL; d = d->root)
        if (__atomic_load_n(&d->is_damaged, __ATOMIC_RELAXED))
            return true;
    return false;
}

static og_status find_batch(og_directory *d, og_lance_table *table, uint32_t field,
                            const og_str *ids, size_t count, round_state *r, uint32_t *out,
                            og_error *err)
{
    size_t open = 0;
    for (size_t i = 0; i < count; i++)
        r->hashes[i] = og_hash64(ids[i].ptr, ids[i].len);
    if (has_far_blocks(d))
        bring_blocks(d, r->hashes, count, r->scratch);
    for (size_t i = 0; i < count; i++) {
        out[i] = OG_NO_VERTEX;
        walk w = walk_start(d, NULL, r->hashes[i]);
        uint32_t vertex = walk_next(&w);
        if (vertex == OG_NO_VERTEX)
            continue;
        r->row_ids[open] = vertex;
        r->which[open] = (uint32_t)i;
        r->walks[open++] = w;
    }
    while (open > 0)
        OG_TRY(compare_round(d, table, field, ids, r, &open, out, err));
    return OG_OK;
}

/* The live row of one id among the candidates of a walk; is the point lookup, so without any
 * buffer. */
static og_status find_on_walk(og_directory *d, walk w, og_lance_table *table, uint32_t field,
                              og_str id, uint32_t *out, og_error *err)
{
    *out = OG_NO_VERTEX;
    for (uint32_t vertex; (vertex = walk_next(&w)) != OG_NO_VERTEX;) {
        uint64_t row_id = vertex;
        uint32_t slot;
        OG_TRY(og_lance_slots_of(table, &row_id, 1, &slot, err));
        if (slot == UINT32_MAX)
            continue;
        OG_AUTO_BATCH text = {0};
        OG_TRY(og_lance_take(table, &field, 1, &slot, 1, &text, err));
        if (og_str_eq(og_array_str(text.columns[0], 0), id))
            take_vertex(d, &w, vertex, out);
    }
    return OG_OK;
}

static og_status find_one(og_directory *d, og_lance_table *table, uint32_t field, og_str id,
                          uint32_t *out, og_error *err)
{
    uint64_t hash = og_hash64(id.ptr, id.len), scratch[SCRATCH_SHARE];
    if (has_far_blocks(d))
        bring_blocks(d, &hash, 1, scratch);
    return find_on_walk(d, walk_start(d, NULL, hash), table, field, id, out, err);
}

static og_status find(og_directory *d, og_lance_table *table, uint32_t field, const og_str *ids,
                      size_t count, uint32_t *out, og_error *err)
{
    if (count == 1)
        return find_one(d, table, field, ids[0], out, err);
    OG_AUTO_FREE round_state *r = og_malloc(sizeof *r);
    if (r == NULL)
        return og_error_nomem(err);
    for (size_t start = 0; start < count; start += BATCH) {
        size_t n = count - start < BATCH ? count - start : BATCH;
        OG_TRY(find_batch(d, table, field, ids + start, n, r, out + start, err));
    }
    return OG_OK;
}

/* A far file that does not fit its sums any more may have been replaced by a newer one, which is
 * tried once. */
static og_status remake(og_directory *d, og_lance_table *table, og_directory **out, og_error *err)
{
    OG_AUTO(og_directory) again = NULL;
    if (has_far_blocks(d) && !d->is_second)
        again = og_topo__load_directory(og_lance_env_store(og_lance_table_env(table)), table);
    if (again == NULL)
        return og_directory_build(table, out, err);
    again->is_second = true;
    OG_TRY(og_directory_extend(again, table, out, err));
    (*out)->is_second = true;
    return OG_OK;
}

/* What stands in for a directory whose file is damaged. Two threads may make it; one is kept. */
static og_status mend(og_directory *d, og_lance_table *table, og_directory **out, og_error *err)
{
    *out = __atomic_load_n(&d->mended, __ATOMIC_ACQUIRE);
    if (*out != NULL)
        return OG_OK;
    OG_AUTO(og_directory) fresh = NULL;
    OG_TRY(remake(d, table, &fresh, err));
    og_directory *none = NULL;
    bool is_first = __atomic_compare_exchange_n(&d->mended, &none, fresh, false, __ATOMIC_ACQ_REL,
                                                __ATOMIC_ACQUIRE);
    *out = is_first ? OG_TAKE(fresh) : none;
    return OG_OK;
}

og_status og_directory_find(og_directory *d, og_lance_table *table, const og_str *ids, size_t count,
                            uint32_t *out_vertices, og_error *err)
{
    uint32_t field = 0;
    OG_TRY(id_field(table, &field, err));
    if (!is_damaged(d))
        OG_TRY(find(d, table, field, ids, count, out_vertices, err));
    if (!is_damaged(d))
        return OG_OK;
    og_directory *mended;
    OG_TRY(mend(d, table, &mended, err));
    return og_directory_find(mended, table, ids, count, out_vertices, err);
}

og_directory *og_topo__bottom_of(og_directory *d)
{
    while (d->root != NULL)
        d = d->root;
    return d;
}

/* ---- building ----------------------------------------------------------------------------- */

/* Does this level have a live row with this very id already? Equal tags are rare, so texts are read
 * singly. Levels below are not asked: of a saved one that would touch every block. */
static og_status is_known(og_directory *d, og_lance_table *table, uint32_t field, og_str id,
                          uint64_t hash, bool *out, og_error *err)
{
    uint32_t vertex;
    OG_TRY(find_on_walk(d, walk_start(d, d->root, hash), table, field, id, &vertex, err));
    *out = vertex != OG_NO_VERTEX;
    return OG_OK;
}

/* One place stays empty, so that walks end. */
static og_status insert(og_directory *d, const og_lance_table *table, uint64_t hash,
                        uint64_t row_id, og_error *err)
{
    if (d->entry_count + 1 >= d->place_count || bits_of(row_id) > d->vertex_bits)
        return og_error_set(err, OG_CORRUPT, "table %s has other rows than its manifest says",
                            og_lance_table_path(table));
    uint64_t place = first_place(d, hash), empty = empty_entry(d);
    while (entry_at(d, place) != empty)
        place = next_place(d, place);
    og_topo__packed_put(d->owned, d->vertex_bits + OG_TOPO__TAG_BITS, place,
                        tag_of(hash) << d->vertex_bits | row_id);
    d->entry_count++;
    return OG_OK;
}

static og_status add_batch(og_directory *d, og_lance_table *table, uint32_t field,
                           const og_array *ids, const uint64_t *row_ids, uint64_t min_row_id,
                           og_error *err)
{
    for (int64_t i = 0; i < ids->length; i++) {
        if (row_ids[i] < min_row_id)
            continue;
        og_str id = og_array_str(ids, i);
        uint64_t hash = og_hash64(id.ptr, id.len);
        bool known;
        OG_TRY(is_known(d, table, field, id, hash, &known, err));
        d->has_duplicates |= known;
        OG_TRY(insert(d, table, hash, row_ids[i], err));
    }
    return OG_OK;
}

/* Add the live rows of slots [start, end) whose row ids are at least min_row_id. */
static og_status add_rows(og_directory *d, og_lance_table *table, uint32_t start, uint32_t end,
                          uint64_t min_row_id, og_error *err)
{
    uint32_t field = 0;
    OG_TRY(id_field(table, &field, err));
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(table, &field, 1, start, end, &scan, err));
    OG_AUTO_FREE uint64_t *row_ids = og_malloc(OG_BATCH_ROWS * sizeof *row_ids);
    if (row_ids == NULL)
        return og_error_nomem(err);
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        OG_TRY(og_lance_row_ids(table, slots, (size_t)batch.row_count, row_ids, err));
        OG_TRY(add_batch(d, table, field, batch.columns[0], row_ids, min_row_id, err));
    }
}

static og_status check_vertices_fit(const og_lance_table *table, og_error *err)
{
    if (og_lance_table_next_row_id(table) < UINT32_MAX)
        return OG_OK;
    return og_error_set(err, OG_UNSUPPORTED, "table %s has given out more than 2^32 row ids",
                        og_lance_table_path(table));
}

static void stamp(og_directory *d, const og_lance_table *table)
{
    d->version = og_lance_table_version(table);
    d->next_row_id = og_lance_table_next_row_id(table);
    d->max_fragment_id = og_lance_table_max_fragment_id(table);
}

og_status og_directory_build(og_lance_table *table, og_directory **out, og_error *err)
{
    OG_TRY(check_vertices_fit(table, err));
    OG_AUTO(og_directory) d =
        og_topo__directory_new(og_lance_table_row_count(table), og_lance_table_next_row_id(table));
    if (d == NULL)
        return og_error_nomem(err);
    OG_TRY(add_rows(d, table, 0, UINT32_MAX, 0, err));
    stamp(d, table);
    *out = OG_TAKE(d);
    return OG_OK;
}

/* Live rows in fragments that are newer than the directory; their number bounds its delta. */
static uint64_t newer_rows(const og_lance_table *table, int64_t max_fragment_id,
                           uint32_t *out_first_slot)
{
    uint32_t count;
    const og_lance_fragment *fragments = og_lance_table_fragments(table, &count);
    uint64_t rows = 0;
    *out_first_slot = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if ((int64_t)fragments[i].id <= max_fragment_id)
            continue;
        if (*out_first_slot == UINT32_MAX)
            *out_first_slot = fragments[i].first_slot;
        rows += fragments[i].physical_rows - fragments[i].deleted_rows;
    }
    return rows;
}

/* What a delta of the rows that came since `base` is laid upon. */
static og_directory *level_below(og_directory *base, uint64_t next_row_id)
{
    while (base->root != NULL && base->entry_count / LEVEL_SHARE <= next_row_id - base->next_row_id)
        base = base->root;
    return base;
}

/* Slots from the first to the last of live rows with ids from `first_id` on: *out_start is
 * UINT32_MAX without one. A fold joins new rows to older ones, which are not to be read again. */
static og_status newer_slots(og_lance_table *table, uint64_t first_id, uint32_t *out_start,
                             uint32_t *out_end, og_error *err)
{
    uint64_t ids[BATCH], end = og_lance_table_next_row_id(table);
    uint32_t slots[BATCH];
    *out_start = UINT32_MAX;
    *out_end = 0;
    for (uint64_t id = first_id; id < end;) {
        size_t count = 0;
        for (; id < end && count < BATCH; id++)
            ids[count++] = id;
        OG_TRY(og_lance_slots_of(table, ids, count, slots, err));
        for (size_t i = 0; i < count; i++) {
            if (slots[i] == UINT32_MAX)
                continue;
            *out_start = slots[i] < *out_start ? slots[i] : *out_start;
            *out_end = slots[i] >= *out_end ? slots[i] + 1 : *out_end;
        }
    }
    return OG_OK;
}

/* So many ids for each row that may have one of them are too many to ask where each is. */
#define IDS_PER_ROW 8

/* The rows that came since `below`, of which there are at most so many, in a level of their own. */
static og_status lay_upon(og_directory *below, og_lance_table *table, uint64_t rows,
                          uint32_t first_slot, og_directory **out, og_error *err)
{
    uint64_t next_row_id = og_lance_table_next_row_id(table);
    uint64_t ids = next_row_id - below->next_row_id; /* rows may be older ones that were folded */
    OG_AUTO(og_directory) d = og_topo__directory_new(rows < ids ? rows : ids, next_row_id);
    if (d == NULL)
        return og_error_nomem(err);
    d->root = og_directory_ref(below);
    d->has_duplicates = __atomic_load_n(&below->has_duplicates, __ATOMIC_RELAXED);
    uint32_t start = first_slot, end = UINT32_MAX;
    if (start != UINT32_MAX && ids / IDS_PER_ROW <= rows)
        OG_TRY(newer_slots(table, below->next_row_id, &start, &end, err));
    if (start != UINT32_MAX)
        OG_TRY(add_rows(d, table, start, end, below->next_row_id, err));
    stamp(d, table);
    *out = OG_TAKE(d);
    return OG_OK;
}

og_status og_directory_extend(og_directory *base, og_lance_table *table, og_directory **out,
                              og_error *err)
{
    OG_TRY(check_vertices_fit(table, err));
    uint64_t next_row_id = og_lance_table_next_row_id(table);
    if (base->next_row_id == next_row_id) {
        *out = og_directory_ref(base); /* no id was added, and removed rows have no slot */
        return OG_OK;
    }
    og_directory *bottom = og_topo__bottom_of(base), *below = level_below(base, next_row_id);
    uint32_t first_slot;
    uint64_t rows = newer_rows(table, bottom->max_fragment_id, &first_slot);
    uint64_t ids = next_row_id - bottom->next_row_id;
    if ((rows < ids ? rows : ids) > bottom->entry_count / MERGE_SHARE + 1024)
        return og_directory_build(table, out, err);
    rows = newer_rows(table, below->max_fragment_id, &first_slot);
    return lay_upon(below, table, rows, first_slot, out, err);
}
