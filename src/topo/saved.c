#include "topo/saved.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/id.h"
#include "base/json.h"
#include "base/map.h"

#define DIRECTORY_MAGIC "OGDIR01\n"
#define TOPOLOGY_MAGIC "OGTOPO1\n"
#define PREAMBLE 16
#define ALIGN 64

static void file_name(char dst[96], const char *kind, const char *path)
{
    snprintf(dst, 96, "_omnigraph/%s/%016" PRIx64, kind, og_fnv1a64(og_str_of(path)));
}

void og_topo__expect_directory(og_store *store, const char *path)
{
    char name[96];
    file_name(name, "directory", path);
    og_store_expect(store, OG_STORE_GET, name, 0);
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

/* A file that was read: its header, and where the sections begin. */
typedef struct saved_file {
    og_blob *blob;
    og_arena *arena;
    og_json header;
    size_t offset; /* of the next section */
} saved_file;

static void close_file(saved_file *f)
{
    og_blob_unref(f->blob);
    og_arena_free(f->arena);
}

/* at_random: what is read later says so; else all of it is going to be read. */
static bool open_file(og_store *store, const char *name, const char *magic, bool at_random,
                      saved_file *f)
{
    *f = (saved_file){0};
    if (store->ops->get(store, name, &f->blob, NULL) != OG_OK)
        return false;
    f->arena = og_arena_new((size_t)1 << 20);
    const og_blob *b = f->blob;
    if (at_random)
        og_blob_read_at_random(b);
    else
        og_blob_prefetch(b, 0, b->len);
    if (f->arena == NULL || b->len < PREAMBLE || memcmp(b->ptr, magic, 8) != 0 ||
        (uintptr_t)b->ptr % sizeof(uint64_t) != 0)
        return false;
    size_t length = og_load_u32(b->ptr + 8);
    if (length > b->len - PREAMBLE)
        return false;
    og_str text = {(const char *)b->ptr + PREAMBLE, length};
    if (og_json_parse(f->arena, text, &f->header, NULL) != OG_OK)
        return false;
    f->offset = (size_t)og_align_up(PREAMBLE + length, ALIGN);
    return true;
}

/* The next section of `count` values; NULL when the file is shorter. */
static const void *next_section(saved_file *f, uint64_t count, size_t value_bytes)
{
    uint64_t bytes;
    if (og_mul_overflow(count, value_bytes, &bytes) || f->offset > f->blob->len ||
        bytes > f->blob->len - f->offset)
        return NULL;
    const void *section = f->blob->ptr + f->offset;
    f->offset = (size_t)og_align_up(f->offset + bytes, ALIGN);
    return section;
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

static void store_file(og_store *store, const char *name, const og_buf *file)
{
    if (!file->failed)
        (void)!store->ops->put(store, name, og_buf_bytes(file), NULL);
}

/* ---- directories -------------------------------------------------------------------------- */

static uint64_t block_count(uint64_t places)
{
    return (places + OG_TOPO__BLOCK_ENTRIES - 1) / OG_TOPO__BLOCK_ENTRIES;
}

void og_topo__save_directory(og_store *store, const og_directory *d, const og_lance_table *table)
{
    uint64_t places = d->mask + 1, blocks = block_count(places);
    OG_AUTO_FREE uint64_t *sums = og_calloc(blocks, sizeof *sums);
    if (sums == NULL || d->root != NULL)
        return;
    for (uint64_t i = 0; i < blocks; i++) {
        uint64_t start = i * OG_TOPO__BLOCK_ENTRIES, left = places - start;
        uint64_t count = left < OG_TOPO__BLOCK_ENTRIES ? left : OG_TOPO__BLOCK_ENTRIES;
        sums[i] = og_hash64(d->places + start, (size_t)count * sizeof *d->places);
    }
    char epoch[80];
    snprintf(epoch, sizeof epoch, "%.*s", OG_FMT(og_topo_epoch(table)));
    OG_AUTO_BUF json = OG_BUF_INIT;
    og_buf_byte(&json, '{');
    put_text_member(&json, "path", og_lance_table_path(table));
    put_text_member(&json, "epoch", epoch);
    put_number_member(&json, "version", d->version);
    put_number_member(&json, "next_row_id", d->next_row_id);
    put_number_member(&json, "fragments", (uint64_t)(d->max_fragment_id + 1));
    put_number_member(&json, "entries", d->entry_count);
    put_number_member(&json, "places", places);
    put_number_member(&json, "duplicates", d->has_duplicates);
    put_number_member(&json, "sums_sum", og_hash64(sums, (size_t)blocks * sizeof *sums));
    og_buf_byte(&json, '}');

    OG_AUTO_BUF file = OG_BUF_INIT;
    char name[96];
    file_name(name, "directory", og_lance_table_path(table));
    if (!json.failed && put_header(&file, DIRECTORY_MAGIC, &json) &&
        put_section(&file, sums, (size_t)blocks * sizeof *sums) &&
        put_section(&file, d->places, (size_t)places * sizeof *d->places))
        store_file(store, name, &file);
}

static bool fill_directory(saved_file *f, const og_lance_table *table, og_directory *d)
{
    uint64_t places, fragments, duplicates, sums_sum;
    char epoch[80];
    snprintf(epoch, sizeof epoch, "%.*s", OG_FMT(og_topo_epoch(table)));
    if (!text_is(&f->header, "path", og_lance_table_path(table)) ||
        !text_is(&f->header, "epoch", epoch) || !get_number(&f->header, "version", &d->version) ||
        d->version > og_lance_table_version(table) ||
        !get_number(&f->header, "next_row_id", &d->next_row_id) ||
        !get_number(&f->header, "fragments", &fragments) ||
        !get_number(&f->header, "entries", &d->entry_count) ||
        !get_number(&f->header, "places", &places) ||
        !get_number(&f->header, "duplicates", &duplicates) ||
        !get_number(&f->header, "sums_sum", &sums_sum))
        return false;
    if (places == 0 || (places & (places - 1)) != 0 || fragments > UINT32_MAX)
        return false;
    uint64_t blocks = block_count(places);
    d->block_sums = next_section(f, blocks, sizeof *d->block_sums);
    d->places = next_section(f, places, sizeof *d->places);
    if (d->block_sums == NULL || d->places == NULL ||
        og_hash64(d->block_sums, (size_t)blocks * sizeof *d->block_sums) != sums_sum)
        return false;
    d->block_checked = og_calloc(blocks, 1);
    d->window_is_in = og_calloc(blocks / OG_TOPO__WINDOW_BLOCKS + 1, 1);
    d->max_fragment_id = (int64_t)fragments - 1;
    d->has_duplicates = duplicates != 0;
    d->mask = places - 1;
    d->file = og_blob_ref(f->blob);
    return d->block_checked != NULL && d->window_is_in != NULL;
}

og_directory *og_topo__load_directory(og_store *store, const og_lance_table *table)
{
    char name[96];
    file_name(name, "directory", og_lance_table_path(table));
    saved_file f;
    OG_AUTO(og_directory) d = og_calloc(1, sizeof *d);
    if (d != NULL)
        d->refs = 1;
    bool ok = d != NULL && open_file(store, name, DIRECTORY_MAGIC, true, &f);
    if (ok)
        ok = fill_directory(&f, table, d);
    if (d != NULL)
        close_file(&f);
    return ok ? OG_TAKE(d) : NULL;
}

/* ---- topologies --------------------------------------------------------------------------- */

/* Sections in the order they stand in the file. */
enum { OUT_OFFSETS, IN_OFFSETS, OUT_TARGETS, OUT_EDGES, IN_TARGETS, IN_EDGES, SECTIONS };

static void sections_of(const og_topology *t, const uint32_t *out[SECTIONS],
                        uint64_t counts[SECTIONS])
{
    const uint32_t *arrays[SECTIONS] = {t->out.offsets, t->in.offsets, t->out.targets,
                                        t->out.edges,   t->in.targets, t->in.edges};
    for (int i = 0; i < SECTIONS; i++) {
        out[i] = arrays[i];
        counts[i] = t->edge_count;
    }
    counts[OUT_OFFSETS] = (uint64_t)t->out.vertex_count + 1;
    counts[IN_OFFSETS] = (uint64_t)t->in.vertex_count + 1;
}

/* One sum over the sums of all sections and the shape that the header states. */
static uint64_t sum_sections(const og_topology *t, const uint32_t *const arrays[SECTIONS],
                             const uint64_t counts[SECTIONS])
{
    uint64_t sums[SECTIONS + 1];
    sums[SECTIONS] = (uint64_t)t->has_parallel | (uint64_t)t->has_loops << 1;
    for (int i = 0; i < SECTIONS; i++)
        sums[i] = og_hash64(arrays[i], (size_t)counts[i] * sizeof(uint32_t));
    return og_hash64(sums, sizeof sums);
}

void og_topo__save_topology(og_store *store, const og_topology *t)
{
    const og_topo__key *key = &og_topo__backing_of(t)->key;
    const uint32_t *arrays[SECTIONS];
    uint64_t counts[SECTIONS];
    sections_of(t, arrays, counts);
    OG_AUTO_BUF json = OG_BUF_INIT;
    og_buf_byte(&json, '{');
    put_text_member(&json, "path", key->edge_path);
    put_text_member(&json, "epoch", key->edge_epoch);
    put_text_member(&json, "from_epoch", key->from_epoch);
    put_text_member(&json, "to_epoch", key->to_epoch);
    put_number_member(&json, "version", key->edge_version);
    put_number_member(&json, "next_row_id", key->next_row_id);
    put_number_member(&json, "fragments", (uint64_t)(key->max_fragment_id + 1));
    put_number_member(&json, "edges", t->edge_count);
    put_number_member(&json, "dangling", t->dangling_count);
    put_number_member(&json, "parallel", t->has_parallel);
    put_number_member(&json, "loops", t->has_loops);
    put_number_member(&json, "out_vertices", t->out.vertex_count);
    put_number_member(&json, "in_vertices", t->in.vertex_count);
    put_number_member(&json, "sum", sum_sections(t, arrays, counts));
    og_buf_byte(&json, '}');

    OG_AUTO_BUF file = OG_BUF_INIT;
    bool ok = !json.failed && put_header(&file, TOPOLOGY_MAGIC, &json);
    for (int i = 0; i < SECTIONS && ok; i++)
        ok = put_section(&file, arrays[i], (size_t)counts[i] * sizeof(uint32_t));
    char name[96];
    file_name(name, "topology", key->edge_path);
    if (ok)
        store_file(store, name, &file);
}

/* Offsets rise from 0 to the number of edges, targets name vertices of the other side. */
static bool adjacency_is_sound(const og_adjacency *a, uint32_t edge_count,
                               uint32_t other_vertex_count)
{
    if (a->offsets[0] != 0 || a->offsets[a->vertex_count] != edge_count)
        return false;
    bool ok = true;
    for (uint32_t v = 0; v < a->vertex_count; v++)
        ok &= a->offsets[v] <= a->offsets[v + 1];
    for (uint32_t i = 0; i < edge_count; i++)
        ok &= a->targets[i] < other_vertex_count;
    return ok;
}

static bool key_fits(const og_json *h, const og_topo__key *wanted, og_topo__key *out)
{
    uint64_t fragments;
    *out = *wanted;
    bool ok =
        text_is(h, "path", wanted->edge_path) && text_is(h, "epoch", wanted->edge_epoch) &&
        text_is(h, "from_epoch", wanted->from_epoch) && text_is(h, "to_epoch", wanted->to_epoch) &&
        get_number(h, "version", &out->edge_version) && out->edge_version <= wanted->edge_version &&
        get_number(h, "next_row_id", &out->next_row_id) && get_number(h, "fragments", &fragments) &&
        fragments <= UINT32_MAX;
    if (ok)
        out->max_fragment_id = (int64_t)fragments - 1;
    return ok;
}

static bool fill_topology(saved_file *f, og_topology *t)
{
    uint64_t edges, out_vertices, in_vertices, parallel, loops, sum;
    if (!get_number(&f->header, "edges", &edges) || edges >= UINT32_MAX ||
        !get_number(&f->header, "out_vertices", &out_vertices) || out_vertices >= UINT32_MAX ||
        !get_number(&f->header, "in_vertices", &in_vertices) || in_vertices >= UINT32_MAX ||
        !get_number(&f->header, "dangling", &t->dangling_count) ||
        !get_number(&f->header, "parallel", &parallel) ||
        !get_number(&f->header, "loops", &loops) || !get_number(&f->header, "sum", &sum))
        return false;
    t->edge_count = (uint32_t)edges;
    t->has_parallel = parallel != 0;
    t->has_loops = loops != 0;
    t->out.vertex_count = (uint32_t)out_vertices;
    t->in.vertex_count = (uint32_t)in_vertices;
    const uint32_t *arrays[SECTIONS];
    uint64_t counts[SECTIONS];
    sections_of(t, arrays, counts);
    for (int i = 0; i < SECTIONS; i++)
        if ((arrays[i] = next_section(f, counts[i], sizeof(uint32_t))) == NULL)
            return false;
    t->out = (og_adjacency){t->out.vertex_count, arrays[OUT_OFFSETS], arrays[OUT_TARGETS],
                            arrays[OUT_EDGES]};
    t->in = (og_adjacency){t->in.vertex_count, arrays[IN_OFFSETS], arrays[IN_TARGETS],
                           arrays[IN_EDGES]};
    return sum_sections(t, arrays, counts) == sum &&
           adjacency_is_sound(&t->out, t->edge_count, t->in.vertex_count) &&
           adjacency_is_sound(&t->in, t->edge_count, t->out.vertex_count);
}

og_topology *og_topo__load_topology(og_store *store, const og_topo__key *wanted)
{
    char name[96];
    file_name(name, "topology", wanted->edge_path);
    saved_file f;
    og_topo__key key;
    OG_AUTO(og_topology) t = NULL;
    if (open_file(store, name, TOPOLOGY_MAGIC, false, &f) && key_fits(&f.header, wanted, &key) &&
        (t = og_topo__topology_new(&key)) != NULL) {
        og_topo__backing_of(t)->file = og_blob_ref(f.blob);
        if (!fill_topology(&f, t)) {
            og_topology_unref(t);
            t = NULL;
        }
    }
    close_file(&f);
    return OG_TAKE(t);
}
