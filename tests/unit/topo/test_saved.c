/* Saved topologies: every part comes back as it was,
 * and what is damaged is found by the part that needs it. */
#include "og_test.h"

#include "base/id.h"
#include "store/memory.h"
#include "topo/saved.h"

#define EDGES 6

static const og_topo__key key = {.edge_path = "edges/e",
                                 .edge_version = 3,
                                 .edge_epoch = "e",
                                 .from_epoch = "f",
                                 .to_epoch = "t",
                                 .next_row_id = 100,
                                 .max_fragment_id = 2,
                                 .from_limit = 10,
                                 .to_limit = 10};

/* Edges in order of their slots. */
static const uint32_t sources[EDGES] = {2, 0, 2, 5, 0, 2};
static const uint32_t targets[EDGES] = {1, 1, 3, 1, 0, 1};
static const uint32_t out_offsets[7] = {0, 2, 2, 5, 5, 5, 6},
                      out_targets[EDGES] = {1, 0, 1, 3, 1, 1};
static const uint32_t in_offsets[5] = {0, 1, 5, 5, 6}, in_targets[EDGES] = {0, 2, 0, 5, 2, 2};
static const uint32_t some_ids[EDGES] = {0, 1, 9, 3, 77, 2};

/* Numbers of the edges behind each target and source, by hand. */
static const uint32_t out_edge[EDGES] = {1, 4, 0, 2, 5, 3}, in_edge[EDGES] = {4, 0, 1, 3, 5, 2};

static uint32_t *copy(const uint32_t *values)
{
    uint32_t *out = og_reallocarray(NULL, EDGES, sizeof *out);
    assert_non_null(out);
    memcpy(out, values, EDGES * sizeof *out);
    return out;
}

static og_store *new_store(void)
{
    og_store *store;
    assert_ok(og_store_open_memory(&store, err));
    return store;
}

/* ids: NULL when every edge has its number as row id. */
static void save(og_store *store, const uint32_t *ids)
{
    OG_AUTO(og_topology) t = og_topo__topology_new(&key);
    assert_non_null(t);
    t->edge_count = EDGES;
    t->dangling_count = 4;
    t->has_parallel = true;
    t->out = (og_adjacency){.vertex_count = 6, .offsets = out_offsets, .targets = out_targets};
    t->in = (og_adjacency){.vertex_count = 4, .offsets = in_offsets, .targets = in_targets};
    og_topo__backing_of(t)->order =
        (og_topo__order){copy(out_edge), ids != NULL ? copy(ids) : NULL};
    og_topo__save_topology(store, t);
}

static void file_name(char dst[64])
{
    snprintf(dst, 64, "_omnigraph/topology/%016llx",
             (unsigned long long)og_fnv1a64(OG_STR("edges/e")));
}

static uint64_t file_bytes(og_store *store)
{
    char name[64];
    uint64_t bytes;
    file_name(name);
    assert_ok(store->ops->head(store, name, &bytes, err));
    return bytes;
}

/* Change one byte of the saved file. */
static void damage(og_store *store, size_t at)
{
    char name[64];
    file_name(name);
    OG_AUTO(og_blob) old = NULL;
    assert_ok(store->ops->get(store, name, &old, err));
    assert_true(at < old->len);
    OG_AUTO_BUF bytes = OG_BUF_INIT;
    assert_true(og_buf_append(&bytes, old->ptr, old->len));
    bytes.ptr[at] ^= 1;
    assert_ok(store->ops->put(store, name, og_buf_bytes(&bytes), err));
}

static void check_side(const og_adjacency *side, uint32_t vertices, const uint32_t *offsets,
                       const uint32_t *others)
{
    assert_int_equal(side->vertex_count, vertices);
    assert_memory_equal(side->offsets, offsets, (vertices + 1) * sizeof *offsets);
    assert_memory_equal(side->targets, others, EDGES * sizeof *others);
}

static void check_edges(const og_topology *t, const uint32_t *ids)
{
    for (uint32_t i = 0; i < EDGES; i++) {
        assert_int_equal(t->out.edges[i], ids != NULL ? ids[out_edge[i]] : out_edge[i]);
        assert_int_equal(t->in.edges[i], ids != NULL ? ids[in_edge[i]] : in_edge[i]);
    }
}

TEST(test_saved__parts_come_as_they_are_asked_for)
{
    OG_AUTO(og_store) store = new_store();
    save(store, NULL);
    OG_AUTO(og_topology) t = og_topo__load_topology(store, &key);
    assert_non_null(t);
    assert_int_equal(t->edge_count, EDGES);
    assert_int_equal(t->dangling_count, 4);
    assert_true(t->has_parallel && !t->has_loops);
    assert_null(t->out.targets);
    size_t bytes = og_topology_bytes(t);
    assert_true(bytes > file_bytes(store)); /* which this store can't map */
    assert_ok(og_topo__complete(t, OG_TOPO_OUT, err));
    check_side(&t->out, 6, out_offsets, out_targets);
    assert_null(t->in.targets);
    assert_ok(og_topo__complete(t, OG_TOPO_IN, err));
    check_side(&t->in, 4, in_offsets, in_targets);
    assert_null(t->in.edges);
    assert_ok(og_topo__complete(t, OG_TOPO_OUT_EDGES | OG_TOPO_IN_EDGES, err));
    check_edges(t, NULL);
    uint32_t by_number[2][EDGES];
    assert_ok(og_topo__ends_by_number(t, by_number[0], by_number[1], err));
    assert_memory_equal(by_number[0], sources, sizeof sources);
    assert_memory_equal(by_number[1], targets, sizeof targets);
    /* Offsets, targets and row ids of both directions, and numbers. */
    assert_int_equal(og_topology_bytes(t) - bytes, (7 + 5 + 5 * EDGES) * sizeof(uint32_t));
}

TEST(test_saved__without_edges)
{
    const uint32_t none[1] = {0};
    OG_AUTO(og_store) store = new_store();
    OG_AUTO(og_topology) built = og_topo__topology_new(&key);
    assert_non_null(built);
    built->out = built->in = (og_adjacency){.offsets = none};
    assert_ok(og_topo__complete(built, OG_TOPO_OUT_EDGES | OG_TOPO_IN_EDGES, err));
    og_topo__save_topology(store, built);
    OG_AUTO(og_topology) t = og_topo__load_topology(store, &key);
    assert_non_null(t);
    assert_ok(og_topo__complete(t, OG_TOPO_OUT_EDGES | OG_TOPO_IN_EDGES, err));
    assert_int_equal(t->edge_count, 0);
}

TEST(test_saved__row_ids_that_are_not_the_numbers)
{
    OG_AUTO(og_store) store = new_store();
    save(store, some_ids);
    OG_AUTO(og_topology) t = og_topo__load_topology(store, &key);
    assert_non_null(t);
    assert_ok(og_topo__complete(t, OG_TOPO_OUT_EDGES | OG_TOPO_IN_EDGES, err));
    check_edges(t, some_ids);
}

TEST(test_saved__row_ids_never_given_out_are_damage)
{
    const uint32_t ids[EDGES] = {0, 1, 2, 3, 4, 100};
    OG_AUTO(og_store) store = new_store();
    save(store, ids);
    OG_AUTO(og_topology) t = og_topo__load_topology(store, &key);
    assert_non_null(t);
    assert_status(og_topo__complete(t, OG_TOPO_OUT_EDGES | OG_TOPO_IN_EDGES, NULL), OG_CORRUPT);
}

TEST(test_saved__another_graph_or_version_is_ignored)
{
    OG_AUTO(og_store) store = new_store();
    save(store, NULL);
    og_topo__key wanted[7];
    for (int i = 0; i < 7; i++)
        wanted[i] = key;
    wanted[0].edge_epoch = "other";
    wanted[1].from_epoch = "other";
    wanted[2].to_epoch = "other";
    wanted[3].edge_version = 2;
    wanted[4].next_row_id = 99;
    wanted[5].from_limit = 5; /* more sources than rows were given out: not of this table */
    wanted[6].to_limit = 3;
    for (int i = 0; i < 7; i++)
        assert_null(og_topo__load_topology(store, &wanted[i]));
    og_topo__key later = key;
    later.edge_version = 8;
    later.next_row_id = 200;
    OG_AUTO(og_topology) t = og_topo__load_topology(store, &later);
    assert_non_null(t);
    assert_int_equal(og_topo__backing_of(t)->key.edge_version, 3);
    assert_int_equal(og_topo__backing_of(t)->key.next_row_id, 100);
    assert_int_equal(og_topo__backing_of(t)->key.max_fragment_id, 2);
}

/* A flipped bit anywhere changes nothing, or is found: no part is ever wrong. */
TEST(test_saved__no_damage_goes_unnoticed)
{
    OG_AUTO(og_store) store = new_store();
    save(store, some_ids);
    char name[64];
    file_name(name);
    uint64_t size;
    assert_ok(store->ops->head(store, name, &size, err));
    int refused = 0, used = 0;
    for (size_t at = 0; at < size; at++) {
        damage(store, at);
        OG_AUTO(og_topology) t = og_topo__load_topology(store, &key);
        if (t == NULL ||
            og_topo__complete(t, OG_TOPO_OUT_EDGES | OG_TOPO_IN_EDGES, NULL) != OG_OK) {
            refused++;
        } else {
            check_side(&t->out, 6, out_offsets, out_targets);
            check_side(&t->in, 4, in_offsets, in_targets);
            check_edges(t, some_ids);
            used++;
        }
        damage(store, at);
    }
    assert_true(refused > 500 && used > 0); /* of the padding nothing is used */
}

TEST(test_saved__a_direction_does_not_need_the_other)
{
    OG_AUTO(og_store) store = new_store();
    save(store, NULL);
    char name[64];
    file_name(name);
    uint64_t size;
    assert_ok(store->ops->head(store, name, &size, err));
    damage(store,
           size -
               11 * 64); /* degrees of the out side: the first of six sections, behind their sums */
    OG_AUTO(og_topology) t = og_topo__load_topology(store, &key);
    assert_non_null(t);
    assert_ok(og_topo__complete(t, OG_TOPO_IN, err));
    assert_status(og_topo__complete(t, OG_TOPO_OUT, NULL), OG_CORRUPT);
    assert_status(og_topo__complete(t, OG_TOPO_OUT_EDGES | OG_TOPO_IN_EDGES, NULL), OG_CORRUPT);
}

TEST(test_saved__a_file_of_an_earlier_format_is_ignored)
{
    OG_AUTO(og_store) store = new_store();
    save(store, NULL);
    damage(store, 6); /* "OGTOPO3" -> "OGTOPO2" */
    assert_null(og_topo__load_topology(store, &key));
}
