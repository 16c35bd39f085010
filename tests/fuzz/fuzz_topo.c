/* Saved directories and topologies. The first byte: 'd' or 't', the rest is the file as it stands;
 * 'D' or 'T', the rest is what a directory or topology holds, which is saved with right sums and
 * read again; 'F', the same of a directory whose header is so long that its sections begin about
 * where the part ends that is read first in a store that does not map; 'L', the same of two
 * directories, of which the second was added to the first. What loads answers every
 * question, and points nowhere outside. Directories are opened in both kinds of stores. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "columnar/builder.h"
#include "lance/table/write.h"
#include "store/memory.h"
#include "topo/saved.h"

#define EXPECTED 5 /* more than a table of five rows has is refused */

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* Five rows, "a" to "e". */
static og_lance_table *make_table(og_lance_env *env)
{
    const og_lance_new_field field = {
        .field = {.name = OG_STR("id"), .type = og_type_of(OG_TYPE_UTF8)}};
    const og_lance_kv epoch = {OG_STR("og.epoch"), OG_STR("e")};
    const og_lance_write_options options = {.op = OG_LANCE_CREATE,
                                            .path = "t",
                                            .fields = &field,
                                            .field_count = 1,
                                            .min_max_fragment_id = -1,
                                            .properties = &epoch,
                                            .property_count = 1};
    OG_AUTO(og_lance_write) write = NULL;
    OG_AUTO(og_builder) ids = og_builder_new(field.field.type);
    OG_AUTO_BATCH batch = {0};
    const og_lance_staged *staged;
    og_lance_table *table;
    for (int i = 0; i < 5; i++)
        check(og_builder_str(ids, (og_str){"abcde" + i, 1}));
    check(og_batch_init(&batch, 1, 5, NULL) == OG_OK);
    check(og_builder_finish(ids, &batch.columns[0], NULL) == OG_OK);
    check(og_lance_write_new(env, NULL, &options, &write, NULL) == OG_OK);
    check(og_lance_write_rows(write, &batch, NULL, NULL) == OG_OK);
    check(og_lance_write_stage(write, &staged, NULL) == OG_OK);
    check(og_lance_staged_commit(write, false, NULL) == OG_OK);
    check(og_lance_write_table(write, &table, NULL) == OG_OK);
    return table;
}

static void put_file(og_store *store, const char *kind, const uint8_t *data, size_t size)
{
    char name[96];
    snprintf(name, sizeof name, "_omnigraph/%s/%016" PRIx64, kind, og_fnv1a64(OG_STR("t")));
    check(store->ops->put(store, name, (og_bytes){data, size}, NULL) == OG_OK);
}

/* Directories are not shorter than what is read first. */
static void put_directory(og_store *store, const uint8_t *data, size_t size)
{
    OG_AUTO_BUF file = OG_BUF_INIT;
    check(og_buf_append(&file, data, size) && og_buf_fill(&file, 0, 16384));
    put_file(store, "directory", file.ptr, file.len);
}

static og_directory *new_directory(const uint8_t *data, size_t size, uint64_t next_row_id)
{
    og_directory *d = og_topo__directory_new(EXPECTED, 5);
    check(d != NULL);
    size_t most = (size_t)og_topo__place_bytes(d);
    memcpy(d->owned, data, size < most ? size : most);
    d->version = 1;
    d->next_row_id = next_row_id;
    return d;
}

static void save_directory(og_store *store, og_lance_table *table, const uint8_t *data, size_t size)
{
    OG_AUTO(og_directory) d = new_directory(data, size, 5);
    og_topo__save_directory(store, d, table);
}

static void save_two(og_store *store, og_lance_table *table, const uint8_t *data, size_t size)
{
    OG_AUTO(og_directory) base = new_directory(data, size / 2, 3);
    OG_AUTO(og_directory) later = new_directory(data + size / 2, size - size / 2, 5);
    og_topo__save_directory(store, base, table);
    later->root = og_topo__load_directory(store, table);
    check(later->root != NULL);
    og_topo__save_directory(store, later, table);
}

/* Spaces behind the header, and a byte that differs, as the first bytes say. */
static void stretch_directory(og_store *store, const uint8_t *data, size_t size)
{
    char name[96];
    uint32_t length, spaces = 15990 + (size > 0 ? data[0] / 2 : 0);
    snprintf(name, sizeof name, "_omnigraph/directory/%016" PRIx64, og_fnv1a64(OG_STR("t")));
    OG_AUTO(og_blob) file = NULL;
    OG_AUTO_BUF out = OG_BUF_INIT;
    check(store->ops->get(store, name, &file, NULL) == OG_OK);
    memcpy(&length, file->ptr + 8, sizeof length);
    size_t header = 16 + length, sections = og_align_up(header, 64);
    check(og_buf_append(&out, file->ptr, header) && og_buf_fill(&out, ' ', spaces) &&
          og_buf_fill(&out, 0, og_align_up(out.len, 64) - out.len) &&
          og_buf_append(&out, file->ptr + sections, file->len - sections));
    length += spaces;
    memcpy(out.ptr + 8, &length, sizeof length);
    if (size > 3)
        out.ptr[(data[1] | (size_t)data[2] << 8) % out.len] ^= data[3];
    check(store->ops->put(store, name, og_buf_bytes(&out), NULL) == OG_OK);
}

static void use_directory(og_store *store, og_lance_table *table)
{
    OG_AUTO(og_directory) d = og_topo__load_directory(store, table);
    const og_str ids[] = {OG_STR("a"), OG_STR("c"), OG_STR("e"), OG_STR(""), OG_STR("x")};
    uint32_t vertices[5];
    if (d == NULL)
        return;
    check(og_directory_find(d, table, ids, 5, vertices, NULL) == OG_OK);
    check(og_directory_find(d, table, ids, 1, vertices, NULL) == OG_OK);
    for (int i = 0; i < 5; i++)
        check(vertices[i] == OG_NO_VERTEX || vertices[i] < 5);
}

static const og_topo__key key = {.edge_path = "t",
                                 .edge_version = 1,
                                 .edge_epoch = "e",
                                 .from_epoch = "f",
                                 .to_epoch = "g",
                                 .next_row_id = 4096,
                                 .from_limit = 4096,
                                 .to_limit = 4096};

static uint32_t *copy(const uint32_t *values, size_t count)
{
    uint32_t *out = og_reallocarray(NULL, count, sizeof *out);
    check(out != NULL);
    memcpy(out, values, count * sizeof *out);
    return out;
}

/* Bytes are the numbers: edges, vertices of both sides, then the arrays one after the other. */
static void save_topology(og_store *store, const uint8_t *data, size_t size)
{
    uint32_t numbers[4096] = {0};
    for (size_t i = 0; i < size && i < 4096; i++)
        numbers[i] = data[i];
    OG_AUTO(og_topology) t = og_topo__topology_new(&key);
    check(t != NULL);
    uint32_t edges = numbers[0], sources = numbers[1], targets = numbers[2], *at = numbers + 3;
    t->edge_count = edges;
    t->out = (og_adjacency){.vertex_count = sources, .offsets = at, .targets = at + 256};
    t->in = (og_adjacency){.vertex_count = targets, .offsets = at + 768, .targets = at + 1024};
    og_topo__backing_of(t)->order = (og_topo__order){copy(at + 512, edges), copy(at + 1280, edges)};
    og_topo__save_topology(store, t);
}

static void walk(const og_adjacency *a, uint32_t edge_count, uint32_t other_vertices,
                 const uint32_t *edges)
{
    uint32_t seen = 0, start, end;
    for (uint32_t v = 0; v <= a->vertex_count; v++) {
        og_adjacency_range(a, v, &start, &end);
        check(start <= end && end <= edge_count);
        for (uint32_t i = start; i < end; i++)
            check(a->targets[i] < other_vertices && (edges == NULL || edges[i] < key.next_row_id));
        seen += end - start;
    }
    check(seen == edge_count);
}

/* A few edges, found without reading the parts whole. */
static void use_incident(og_store *store, og_lance_table *table)
{
    OG_AUTO(og_topology) t = og_topo__load_topology(store, &key);
    OG_AUTO(og_directory) d = NULL;
    const og_str ids[] = {OG_STR("a"), OG_STR("c"), OG_STR("e"), OG_STR("x")};
    if (t == NULL)
        return;
    check(og_directory_build(table, &d, NULL) == OG_OK);
    for (int at_src = 0; at_src < 2; at_src++) {
        og_incident found;
        if (og_topo__incident(t, table, table, d, at_src != 0, ids, 4, &found, NULL) != OG_OK)
            continue;
        for (size_t i = 0; i < found.slot_count; i++)
            check(found.slots[i] < 5);
        og_free(found.slots);
    }
}

static void use_topology(og_store *store, unsigned parts)
{
    OG_AUTO(og_topology) t = og_topo__load_topology(store, &key);
    if (t == NULL || og_topo__complete(t, parts, NULL) != OG_OK)
        return;
    bool with_edges = (parts & OG_TOPO_IN_EDGES) != 0;
    if ((parts & (OG_TOPO_OUT | OG_TOPO_OUT_EDGES)) != 0)
        walk(&t->out, t->edge_count, t->in.vertex_count, t->out.edges);
    if (with_edges || (parts & OG_TOPO_IN) != 0)
        walk(&t->in, t->edge_count, t->out.vertex_count, t->in.edges);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_lance_env) env = NULL;
    if (size == 0)
        return 0;
    check(og_store_open_memory(&store, NULL) == OG_OK);
    check(og_lance_env_new(store, 1 << 20, &env, NULL) == OG_OK);
    OG_AUTO(og_lance_table) table = make_table(env);
    if (data[0] == 'd')
        put_directory(store, data + 1, size - 1);
    else if (data[0] == 't')
        put_file(store, "topology", data + 1, size - 1);
    else if (data[0] == 'D' || data[0] == 'F')
        save_directory(store, table, data + 1, size - 1);
    else if (data[0] == 'L')
        save_two(store, table, data + 1, size - 1);
    else
        save_topology(store, data + 1, size - 1);
    if (data[0] == 'F')
        stretch_directory(store, data + 1, size - 1);
    use_directory(store, table);
    store->maps_objects = false;
    use_directory(store, table);
    store->maps_objects = true;
    use_incident(store, table);
    use_topology(store, OG_TOPO_OUT);
    use_topology(store, OG_TOPO_IN);
    use_topology(store, OG_TOPO_OUT_EDGES);
    use_topology(store, OG_TOPO_OUT_EDGES | OG_TOPO_IN_EDGES);
    return 0;
}
