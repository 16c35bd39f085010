#include "topo/saved.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/id.h"
#include "base/json.h"
#include "base/map.h"
#include "topo/packed.h"

#define DIRECTORY_MAGIC "OGDIR02\n"
#define LATER_MAGIC "OGLATE1\n"
#define TOPOLOGY_MAGIC "OGTOPO3\n"
#define PREAMBLE 16
#define ALIGN 64
/* Of a directory in a store that does not map objects this is read first: all that stands before
 * the places, up to three million of them. Files are not shorter. */
#define HEAD_BYTES ((size_t)16 << 10)

static void file_name(char dst[96], const char *kind, const char *path, const char *suffix)
{
    snprintf(dst, 96, "_omnigraph/%s/%016" PRIx64 "%s", kind, og_fnv1a64(og_str_of(path)), suffix);
}

static void directory_name(char dst[96], const char *path, bool is_later)
{
    file_name(dst, "directory", path, is_later ? ".later" : "");
}

void og_topo__expect_directory(og_store *store, const char *path)
{
    for (int is_later = 0; is_later < 2; is_later++) {
        char name[96];
        directory_name(name, path, is_later);
        if (store->maps_objects)
            og_store_expect(store, OG_STORE_GET, name, 0);
        else
            og_store_expect_range(store, name, 0, HEAD_BYTES);
    }
}

/* ---- container ---------------------------------------------------------------------------- */

static bool put_header(og_buf *file, const char *magic, const og_buf *json)
{
    return og_buf_append(file, magic, 8) && og_buf_u32(file, (uint32_t)json->len) &&
           og_buf_u32(file, 0) && og_buf_str(file, og_buf_view(json)) &&
           og_buf_fill(file, 0, og_align_up(file->len, ALIGN) - file->len);
}

static bool put_section(og_buf *file, const void *bytes, size_t len)
{
    return og_buf_append(file, bytes, len) &&
           og_buf_fill(file, 0, og_align_up(file->len, ALIGN) - file->len);
}

/* A file that was read, or its head: its header, and where the sections begin. */
typedef struct saved_file {
    og_store *store;
    const char *name; /* borrowed */
    bool is_head;
    og_blob *blob;
    og_arena *arena;
    og_json header;
    uint64_t offset; /* of the next section */
} saved_file;

static void close_file(saved_file *f)
{
    og_blob_unref(f->blob);
    og_arena_free(f->arena);
}

static bool is_aligned(const void *ptr)
{
    return (uintptr_t)ptr % sizeof(uint64_t) == 0;
}

static bool read_header(saved_file *f, const char *magic)
{
    f->arena = og_arena_new((size_t)1 << 20);
    const og_blob *b = f->blob;
    if (f->arena == NULL || b->len < PREAMBLE || memcmp(b->ptr, magic, 8) != 0 ||
        !is_aligned(b->ptr))
        return false;
    size_t length = og_load_u32(b->ptr + 8);
    if (length > b->len - PREAMBLE)
        return false;
    og_str text = {(const char *)b->ptr + PREAMBLE, length};
    if (og_json_parse(f->arena, text, &f->header, NULL) != OG_OK)
        return false;
    f->offset = og_align_up(PREAMBLE + length, ALIGN);
    return true;
}

/* What is read in one go is prefetched by who reads it. */
static bool open_file(og_store *store, const char *name, const char *magic, saved_file *f)
{
    *f = (saved_file){.store = store, .name = name};
    if (store->ops->get(store, name, &f->blob, NULL) != OG_OK)
        return false;
    og_blob_read_at_random(f->blob);
    return read_header(f, magic);
}

static bool open_head(og_store *store, const char *name, const char *magic, saved_file *f)
{
    *f = (saved_file){.store = store, .name = name, .is_head = true};
    return store->ops->get_range(store, name, 0, HEAD_BYTES, &f->blob, NULL) == OG_OK &&
           read_header(f, magic);
}

/* The place of the next section of `count` values; false when it would be beyond all places. */
static bool next_place(saved_file *f, uint64_t count, size_t value_bytes, uint64_t *out,
                       uint64_t *out_bytes)
{
    if (og_mul_overflow(count, value_bytes, out_bytes) || *out_bytes > INT64_MAX - f->offset)
        return false;
    *out = f->offset;
    f->offset = og_align_up(f->offset + *out_bytes, ALIGN);
    return true;
}

/* The bytes at this place as far as the file, or its head, was read; else NULL. */
static const void *bytes_at(const saved_file *f, uint64_t place, uint64_t bytes)
{
    return place <= f->blob->len && bytes <= f->blob->len - place ? f->blob->ptr + place : NULL;
}

/* The same, or bytes that are read for it: *out_blob is a reference to what holds them. */
static const void *fetch_at(const saved_file *f, uint64_t place, uint64_t bytes, og_blob **out_blob)
{
    const void *there = bytes_at(f, place, bytes);
    if (there != NULL)
        *out_blob = og_blob_ref(f->blob);
    else if (f->is_head && f->store->ops->get_range(f->store, f->name, place, (size_t)bytes,
                                                    out_blob, NULL) == OG_OK)
        there = (*out_blob)->len == bytes && is_aligned((*out_blob)->ptr) ? (*out_blob)->ptr : NULL;
    return there;
}

/* The next two sections: sums of blocks, which have this sum themselves, and the blocks. */
static bool find_summed(saved_file *f, uint64_t bytes, uint64_t sums_sum, og_topo__summed *out)
{
    uint64_t blocks = og_topo__block_count(bytes), sums_at, sums_bytes, start, size;
    if (!next_place(f, blocks, sizeof(uint64_t), &sums_at, &sums_bytes) ||
        !next_place(f, bytes, 1, &start, &size))
        return false;
    OG_AUTO(og_blob) blob = NULL;
    const uint64_t *sums = fetch_at(f, sums_at, sums_bytes, &blob);
    const uint8_t *there = bytes_at(f, start, size);
    if (sums == NULL || (there == NULL && !f->is_head) ||
        og_hash64(sums, (size_t)sums_bytes) != sums_sum)
        return false;
    if (there != NULL)
        return og_topo__summed_init(out, f->blob, there, size, sums);
    return og_topo__summed_init_far(out, f->store, f->name, start, size, blob, sums);
}

static bool get_number(const og_json *header, const char *key, uint64_t *out)
{
    const og_json *member = og_json_get(header, key);
    return member != NULL && member->kind == OG_JSON_NUMBER && og_json_to_u64(member, out);
}

static bool text_is(const og_json *header, const char *key, const char *wanted)
{
    const og_json *member = og_json_get(header, key);
    return member != NULL && member->kind == OG_JSON_STRING && og_str_is(member->text, wanted);
}

static void put_text_member(og_buf *json, const char *key, const char *value)
{
    og_buf_printf(json, "%s\"%s\":", json->len > 1 ? "," : "", key);
    og_json_write_str(json, og_str_of(value));
}

static void put_number_member(og_buf *json, const char *key, uint64_t value)
{
    og_buf_printf(json, ",\"%s\":%" PRIu64, key, value);
}

/* The named numbers of a header, and their sum. */
static void put_numbers(og_buf *json, const char *const *names, const uint64_t *n, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_number_member(json, names[i], n[i]);
    put_number_member(json, "sum", og_hash64(n, count * sizeof *n));
}

/* False when one is missing, or is not as it was written. */
static bool get_numbers(const og_json *header, const char *const *names, uint64_t *n, size_t count)
{
    uint64_t sum;
    for (size_t i = 0; i < count; i++)
        if (!get_number(header, names[i], &n[i]))
            return false;
    return get_number(header, "sum", &sum) && og_hash64(n, count * sizeof *n) == sum;
}

static void store_file(og_store *store, const char *name, const og_buf *file)
{
    if (!file->failed)
        (void)!store->ops->put(store, name, og_buf_bytes(file), NULL);
}

/* ---- directories -------------------------------------------------------------------------- */

/* What the header states as numbers, in this order, which is what its sum is of. */
enum {
    D_VERSION,
    D_NEXT_ROW_ID,
    D_FRAGMENTS,
    D_ENTRIES,
    D_PLACES,
    D_VERTEX_BITS,
    D_DUPLICATES,
    D_SUMS,
    D_FIRST, /* of rows that were added later: next_row_id of what they were added to */
    D_NUMBERS
};
static const char *const directory_names[D_NUMBERS] = {"version",    "next_row_id", "fragments",
                                                       "entries",    "places",      "vertex_bits",
                                                       "duplicates", "sums_sum",    "first_row_id"};

static size_t number_count(bool is_later)
{
    return is_later ? D_NUMBERS : D_FIRST;
}

void og_topo__save_directory(og_store *store, const og_directory *d, const og_lance_table *table)
{
    uint64_t bytes = og_topo__place_bytes(d), blocks = og_topo__block_count(bytes);
    bool is_later = d->root != NULL;
    if (is_later && d->root->saved.file == NULL)
        return;
    OG_AUTO_FREE uint64_t *sums = og_topo__sum_blocks(d->places, bytes);
    if (sums == NULL)
        return;
    const uint64_t n[D_NUMBERS] = {
        [D_VERSION] = d->version,
        [D_NEXT_ROW_ID] = d->next_row_id,
        [D_FRAGMENTS] = (uint64_t)(d->max_fragment_id + 1),
        [D_ENTRIES] = d->entry_count,
        [D_PLACES] = d->place_count,
        [D_VERTEX_BITS] = d->vertex_bits,
        [D_DUPLICATES] = d->has_duplicates,
        [D_SUMS] = og_hash64(sums, (size_t)blocks * sizeof *sums),
        [D_FIRST] = is_later ? d->root->next_row_id : 0,
    };
    char epoch[80];
    snprintf(epoch, sizeof epoch, "%.*s", OG_FMT(og_topo_epoch(table)));
    OG_AUTO_BUF json = OG_BUF_INIT;
    og_buf_byte(&json, '{');
    put_text_member(&json, "path", og_lance_table_path(table));
    put_text_member(&json, "epoch", epoch);
    put_numbers(&json, directory_names, n, number_count(is_later));
    og_buf_byte(&json, '}');

    OG_AUTO_BUF file = OG_BUF_INIT;
    char name[96];
    directory_name(name, og_lance_table_path(table), is_later);
    if (!json.failed && put_header(&file, is_later ? LATER_MAGIC : DIRECTORY_MAGIC, &json) &&
        put_section(&file, sums, (size_t)blocks * sizeof *sums) &&
        put_section(&file, d->places, (size_t)bytes) &&
        og_buf_fill(&file, 0, file.len < HEAD_BYTES ? HEAD_BYTES - file.len : 0))
        store_file(store, name, &file);
}

/* There are not more places than the table has ever had rows for. */
static bool directory_fits(const og_lance_table *table, const uint64_t n[D_NUMBERS])
{
    return n[D_VERSION] <= og_lance_table_version(table) &&
           n[D_NEXT_ROW_ID] <= og_lance_table_next_row_id(table) && n[D_FRAGMENTS] <= UINT32_MAX &&
           n[D_VERTEX_BITS] >= 1 && n[D_VERTEX_BITS] <= 32 && n[D_PLACES] > 0 &&
           n[D_PLACES] <= og_topo__places_for(og_lance_table_next_row_id(table));
}

static bool fill_directory(saved_file *f, const og_lance_table *table, og_directory *root,
                           og_directory *d)
{
    uint64_t n[D_NUMBERS];
    char epoch[80];
    snprintf(epoch, sizeof epoch, "%.*s", OG_FMT(og_topo_epoch(table)));
    if (!text_is(&f->header, "path", og_lance_table_path(table)) ||
        !text_is(&f->header, "epoch", epoch) ||
        !get_numbers(&f->header, directory_names, n, number_count(root != NULL)) ||
        !directory_fits(table, n) || (root != NULL && n[D_FIRST] != root->next_row_id))
        return false;
    d->version = n[D_VERSION];
    d->next_row_id = n[D_NEXT_ROW_ID];
    d->max_fragment_id = (int64_t)n[D_FRAGMENTS] - 1;
    d->entry_count = n[D_ENTRIES];
    d->place_count = n[D_PLACES];
    d->vertex_bits = (uint32_t)n[D_VERTEX_BITS];
    d->has_duplicates = n[D_DUPLICATES] != 0;
    d->root = root != NULL ? og_directory_ref(root) : NULL;
    return find_summed(f, og_topo__place_bytes(d), n[D_SUMS], &d->saved) &&
           (d->places = d->saved.bytes) != NULL;
}

static bool open_level(og_store *store, const og_lance_table *table, bool is_later, char name[96],
                       saved_file *f)
{
    directory_name(name, og_lance_table_path(table), is_later);
    return (store->maps_objects ? open_file : open_head)(
        store, name, is_later ? LATER_MAGIC : DIRECTORY_MAGIC, f);
}

/* `root`: of rows that were added to it; NULL: all. */
static og_directory *load_level(saved_file *f, const og_lance_table *table, og_directory *root)
{
    OG_AUTO(og_directory) d = og_calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->refs = 1;
    return fill_directory(f, table, root, d) ? OG_TAKE(d) : NULL;
}

/* Where objects are not mapped both heads travel side by side, also when the second is not needed.
 */
og_directory *og_topo__load_directory(og_store *store, const og_lance_table *table)
{
    char names[2][96];
    saved_file files[2] = {0};
    if (!store->maps_objects)
        og_topo__expect_directory(store, og_lance_table_path(table));
    bool opened = open_level(store, table, false, names[0], &files[0]);
    OG_AUTO(og_directory) d = opened ? load_level(&files[0], table, NULL) : NULL;
    bool is_all = d != NULL && d->next_row_id == og_lance_table_next_row_id(table);
    if (!store->maps_objects || (d != NULL && !is_all))
        opened = open_level(store, table, true, names[1], &files[1]);
    og_directory *later = d != NULL && !is_all && opened ? load_level(&files[1], table, d) : NULL;
    close_file(&files[0]);
    close_file(&files[1]);
    return later != NULL ? later : OG_TAKE(d);
}

/* ---- topologies --------------------------------------------------------------------------- */

/* What the header states as numbers, in this order, which is what its sum is of. */
enum {
    VERSION,
    NEXT_ROW_ID,
    FRAGMENTS,
    EDGES,
    DANGLING,
    PARALLEL,
    LOOPS,
    OUT_VERTICES,
    IN_VERTICES,
    WIDTHS, /* of the sections */
    SUMS = WIDTHS + OG_TOPO__SECTIONS,
    NUMBERS = SUMS + OG_TOPO__SECTIONS
};
static const char *const number_names[NUMBERS] = {
    "version",          "next_row_id",     "fragments",       "edges",          "dangling",
    "parallel",         "loops",           "out_vertices",    "in_vertices",    "out_degrees_bits",
    "out_targets_bits", "in_degrees_bits", "in_targets_bits", "numbers_bits",   "ids_bits",
    "out_degrees_sum",  "out_targets_sum", "in_degrees_sum",  "in_targets_sum", "numbers_sum",
    "ids_sum"};

/* Append numbers as a section behind the sums of its blocks; its width and their sum are noted. */
static bool pack_section(og_buf *file, int section, const uint32_t *values, size_t count,
                         uint64_t n[NUMBERS])
{
    OG_AUTO_BUF packed = OG_BUF_INIT;
    uint32_t width = og_topo__width_of(values, count);
    if (!og_topo__pack(values, count, width, &packed))
        return false;
    OG_AUTO_FREE uint64_t *sums = og_topo__sum_blocks(packed.ptr, packed.len);
    if (sums == NULL)
        return false;
    size_t sums_bytes = (size_t)og_topo__block_count(packed.len) * sizeof *sums;
    n[WIDTHS + section] = width;
    n[SUMS + section] = og_hash64(sums, sums_bytes);
    return put_section(file, sums, sums_bytes) && put_section(file, packed.ptr, packed.len);
}

static bool pack_side(og_buf *file, int section, const og_adjacency *side, uint32_t edge_count,
                      uint64_t n[NUMBERS])
{
    OG_AUTO_FREE uint32_t *degrees = og_reallocarray(NULL, side->vertex_count, sizeof *degrees);
    if (degrees == NULL)
        return false;
    for (uint32_t v = 0; v < side->vertex_count; v++)
        degrees[v] = side->offsets[v + 1] - side->offsets[v];
    return pack_section(file, section, degrees, side->vertex_count, n) &&
           pack_section(file, section + 1, side->targets, edge_count, n);
}

static bool pack_order(og_buf *file, const og_topo__order *order, uint32_t edge_count,
                       uint64_t n[NUMBERS])
{
    OG_AUTO_FREE uint32_t *saved = og_reallocarray(NULL, edge_count, sizeof *saved);
    if (saved == NULL)
        return false;
    for (uint32_t i = 0; i < edge_count; i++)
        saved[i] = og_topo__number_to_saved(order->numbers[i], i, edge_count);
    if (!pack_section(file, OG_TOPO__NUMBERS, saved, edge_count, n))
        return false;
    if (order->ids == NULL) /* all differences are 0: no bits each */
        return pack_section(file, OG_TOPO__IDS, NULL, 0, n);
    for (uint32_t i = 0; i < edge_count; i++)
        saved[i] = og_topo__id_to_saved(order->ids[i], i);
    return pack_section(file, OG_TOPO__IDS, saved, edge_count, n);
}

void og_topo__save_topology(og_store *store, const og_topology *t)
{
    const og_topo__backing *b = t->backing;
    uint64_t n[NUMBERS] = {[VERSION] = b->key.edge_version,
                           [NEXT_ROW_ID] = b->key.next_row_id,
                           [FRAGMENTS] = (uint64_t)(b->key.max_fragment_id + 1),
                           [EDGES] = t->edge_count,
                           [DANGLING] = t->dangling_count,
                           [PARALLEL] = t->has_parallel,
                           [LOOPS] = t->has_loops,
                           [OUT_VERTICES] = t->out.vertex_count,
                           [IN_VERTICES] = t->in.vertex_count};
    OG_AUTO_BUF sections = OG_BUF_INIT;
    if (!pack_side(&sections, OG_TOPO__OUT_DEGREES, &t->out, t->edge_count, n) ||
        !pack_side(&sections, OG_TOPO__IN_DEGREES, &t->in, t->edge_count, n) ||
        !pack_order(&sections, &b->order, t->edge_count, n))
        return;
    OG_AUTO_BUF json = OG_BUF_INIT;
    og_buf_byte(&json, '{');
    put_text_member(&json, "path", b->key.edge_path);
    put_text_member(&json, "epoch", b->key.edge_epoch);
    put_text_member(&json, "from_epoch", b->key.from_epoch);
    put_text_member(&json, "to_epoch", b->key.to_epoch);
    put_numbers(&json, number_names, n, NUMBERS);
    og_buf_byte(&json, '}');

    OG_AUTO_BUF file = OG_BUF_INIT;
    char name[96];
    file_name(name, "topology", b->key.edge_path, "");
    if (!json.failed && put_header(&file, TOPOLOGY_MAGIC, &json) &&
        og_buf_append(&file, sections.ptr, sections.len))
        store_file(store, name, &file);
}

static bool epochs_fit(const og_json *h, const og_topo__key *wanted)
{
    return text_is(h, "path", wanted->edge_path) && text_is(h, "epoch", wanted->edge_epoch) &&
           text_is(h, "from_epoch", wanted->from_epoch) && text_is(h, "to_epoch", wanted->to_epoch);
}

/* Of the version asked for or an earlier one. Counts are bounded by what the tables have given out:
 * the file's size does not bound them, as numbers without bits take no bytes. */
static bool numbers_fit(const og_topo__key *wanted, const uint64_t n[NUMBERS])
{
    bool ok = n[VERSION] <= wanted->edge_version && n[NEXT_ROW_ID] <= wanted->next_row_id &&
              n[FRAGMENTS] <= UINT32_MAX && n[EDGES] <= n[NEXT_ROW_ID] && n[EDGES] < UINT32_MAX &&
              n[OUT_VERTICES] <= wanted->from_limit && n[OUT_VERTICES] < UINT32_MAX &&
              n[IN_VERTICES] <= wanted->to_limit && n[IN_VERTICES] < UINT32_MAX;
    for (int i = 0; i < OG_TOPO__SECTIONS; i++)
        ok &= n[WIDTHS + i] <= 32;
    return ok;
}

/* Find the sections. They are read when they are asked for. */
static bool fill_topology(saved_file *f, const uint64_t n[NUMBERS], og_topology *t)
{
    og_topo__backing *b = t->backing;
    t->edge_count = (uint32_t)n[EDGES];
    t->dangling_count = n[DANGLING];
    t->has_parallel = n[PARALLEL] != 0;
    t->has_loops = n[LOOPS] != 0;
    t->out.vertex_count = (uint32_t)n[OUT_VERTICES];
    t->in.vertex_count = (uint32_t)n[IN_VERTICES];
    b->is_saved = true;
    for (int i = 0; i < OG_TOPO__SECTIONS; i++) {
        og_topo__section *s = &b->sections[i];
        s->width = (uint32_t)n[WIDTHS + i];
        uint64_t bytes = og_topo__packed_bytes(og_topo__section_count(t, i), s->width);
        if (!find_summed(f, bytes, n[SUMS + i], &s->packed))
            return false;
    }
    return true;
}

og_topology *og_topo__load_topology(og_store *store, const og_topo__key *wanted)
{
    char name[96];
    file_name(name, "topology", wanted->edge_path, "");
    saved_file f;
    uint64_t n[NUMBERS];
    OG_AUTO(og_topology) t = NULL;
    bool ok = open_file(store, name, TOPOLOGY_MAGIC, &f) && epochs_fit(&f.header, wanted) &&
              get_numbers(&f.header, number_names, n, NUMBERS) && numbers_fit(wanted, n);
    if (ok) {
        og_topo__key key = *wanted;
        key.edge_version = n[VERSION];
        key.next_row_id = n[NEXT_ROW_ID];
        key.max_fragment_id = (int64_t)n[FRAGMENTS] - 1;
        t = og_topo__topology_new(&key);
        ok = t != NULL && fill_topology(&f, n, t);
    }
    close_file(&f);
    return ok ? OG_TAKE(t) : NULL;
}
