#include "topo/cache.h"

#include <pthread.h>
#include <string.h>

#include "base/map.h"
#include "base/timeval.h"
#include "base/vec.h"
#include "topo/saved.h"

/* What took longer than this to make is worth a file: reading it back costs about a tenth. */
#define SAVE_AFTER_US 1000
/* What was added to a saved directory is saved when it is as much as this: who opens the graph then
 * reads few ids, however many commits there were, and few of those who do write a file. */
#define SAVE_ROWS 512

typedef struct directory_entry {
    og_directory *directory;
    char *path, *epoch;
    uint64_t used; /* clock of the last use */
} directory_entry;

typedef struct topology_entry {
    og_topology *topology; /* its key is in its backing */
    uint64_t used;
} topology_entry;

struct og_topo_cache {
    og_lance_env *env;
    size_t max_bytes;
    const og_clock *save_clock; /* NULL: nothing is saved */
    pthread_mutex_t lock;       /* held while something is made, so that it is made once */
    uint64_t clock;
    OG_VEC(directory_entry) directories;
    OG_VEC(topology_entry) topologies;
    og_u64map *asked; /* hash of an edge table's path -> how often it was scanned instead */
};

og_status og_topo_cache_new(og_lance_env *env, size_t max_bytes, const og_clock *save_clock,
                            og_topo_cache **out, og_error *err)
{
    og_topo_cache *cache = og_calloc(1, sizeof *cache);
    if (cache == NULL)
        return og_error_nomem(err);
    cache->env = env;
    cache->max_bytes = max_bytes;
    cache->save_clock = save_clock;
    cache->asked = og_u64map_new(16);
    if (cache->asked == NULL) {
        og_free(cache);
        return og_error_nomem(err);
    }
    pthread_mutex_init(&cache->lock, NULL);
    *out = cache;
    return OG_OK;
}

static int64_t now_us(const og_topo_cache *c)
{
    return c->save_clock != NULL ? c->save_clock->now_us(c->save_clock->context) : 0;
}

static bool is_worth_saving(const og_topo_cache *c, int64_t start_us)
{
    return c->save_clock != NULL && now_us(c) - start_us > SAVE_AFTER_US;
}

static void free_directory_entry(directory_entry *e)
{
    og_directory_unref(e->directory);
    og_free(e->path);
    og_free(e->epoch);
}

void og_topo_cache_free(og_topo_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < cache->directories.len; i++)
        free_directory_entry(&cache->directories.items[i]);
    for (size_t i = 0; i < cache->topologies.len; i++)
        og_topology_unref(cache->topologies.items[i].topology);
    og_u64map_free(cache->asked);
    og_vec_deinit(&cache->directories);
    og_vec_deinit(&cache->topologies);
    pthread_mutex_destroy(&cache->lock);
    og_free(cache);
}

/* ---- eviction ----------------------------------------------------------------------------- */

static size_t total_bytes(const og_topo_cache *c)
{
    size_t bytes = 0;
    for (size_t i = 0; i < c->directories.len; i++)
        bytes += og_directory_bytes(c->directories.items[i].directory);
    for (size_t i = 0; i < c->topologies.len; i++)
        bytes += og_topology_bytes(c->topologies.items[i].topology);
    return bytes;
}

/* Drop the entry used longest ago, never the newest one. False when there is nothing to drop. */
static bool drop_oldest(og_topo_cache *c)
{
    uint64_t oldest = c->clock;
    directory_entry *d = NULL;
    topology_entry *t = NULL;
    for (size_t i = 0; i < c->directories.len; i++)
        if (c->directories.items[i].used < oldest) {
            d = &c->directories.items[i];
            oldest = d->used;
        }
    for (size_t i = 0; i < c->topologies.len; i++)
        if (c->topologies.items[i].used < oldest) {
            t = &c->topologies.items[i];
            oldest = t->used;
        }
    if (t != NULL) {
        og_topology_unref(t->topology);
        *t = c->topologies.items[--c->topologies.len];
        return true;
    }
    if (d != NULL) {
        free_directory_entry(d);
        *d = c->directories.items[--c->directories.len];
        return true;
    }
    return false;
}

static void evict(og_topo_cache *c)
{
    while (total_bytes(c) > c->max_bytes && drop_oldest(c))
        continue;
}

/* ---- directories -------------------------------------------------------------------------- */

/* The newest entry of this table and epoch that is not newer than the version asked for: a later
 * one does not know rows that were removed in between. */
static directory_entry *best_directory(og_topo_cache *c, const og_lance_table *table)
{
    directory_entry *best = NULL;
    og_str epoch = og_topo_epoch(table);
    for (size_t i = 0; i < c->directories.len; i++) {
        directory_entry *e = &c->directories.items[i];
        if (strcmp(e->path, og_lance_table_path(table)) != 0 || !og_str_is(epoch, e->epoch) ||
            og_directory_version(e->directory) > og_lance_table_version(table))
            continue;
        if (best == NULL ||
            og_directory_version(e->directory) > og_directory_version(best->directory))
            best = e;
    }
    return best;
}

/* Keep a directory; an older one of the same table and epoch makes room for it. */
static void keep_directory(og_topo_cache *c, const og_lance_table *table, og_directory *directory)
{
    directory_entry *old = best_directory(c, table);
    if (old != NULL) {
        og_directory_unref(old->directory);
        old->directory = og_directory_ref(directory);
        old->used = ++c->clock;
        return;
    }
    og_str epoch = og_topo_epoch(table);
    directory_entry e = {.path = og_strdup(og_lance_table_path(table)),
                         .epoch = og_malloc(epoch.len + 1),
                         .used = ++c->clock};
    if (e.path == NULL || e.epoch == NULL) { /* not kept: only slower */
        free_directory_entry(&e);
        return;
    }
    memcpy(e.epoch, epoch.ptr, epoch.len);
    e.epoch[epoch.len] = '\0';
    e.directory = og_directory_ref(directory);
    if (!og_vec_push(&c->directories, e))
        free_directory_entry(&e);
    evict(c);
}

static bool has_many_newer(const og_topo_cache *c, const og_directory *saved,
                           const og_lance_table *table)
{
    return c->save_clock != NULL &&
           og_lance_table_next_row_id(table) - saved->next_row_id >= SAVE_ROWS;
}

/* Ids that will be looked for in a directory; none: NULL. */
typedef struct wanted_ids {
    const og_str *ids;
    size_t count;
} wanted_ids;

static og_status make_directory(og_topo_cache *c, og_lance_table *table, const wanted_ids *ids,
                                og_directory **out, og_topo_source *source, og_error *err)
{
    og_store *store = og_lance_env_store(c->env);
    directory_entry *entry = best_directory(c, table);
    OG_AUTO(og_directory) base =
        entry != NULL ? og_directory_ref(entry->directory) : og_topo__load_directory(store, table);
    bool from_file = entry == NULL && base != NULL;
    bool has_many = from_file && has_many_newer(c, base, table);
    og_directory *below = has_many ? og_topo__bottom_of(base) : base;
    int64_t start = now_us(c);
    if (from_file && ids != NULL) /* they travel beside what the extension reads */
        og_topo__expect_ids(below, ids->ids, ids->count);
    if (base != NULL)
        OG_TRY(og_directory_extend(below, table, out, err));
    else
        OG_TRY(og_directory_build(table, out, err));
    bool is_same = *out == base;
    *source = is_same ? (from_file ? OG_TOPO_SAVED : OG_TOPO_CACHED)
                      : (base != NULL ? OG_TOPO_EXTENDED : OG_TOPO_BUILT);
    if ((*out)->root == NULL ? !is_same && is_worth_saving(c, start) : has_many)
        og_topo__save_directory(store, *out, table);
    return OG_OK;
}

static og_status get_directory(og_topo_cache *c, og_lance_table *table, const wanted_ids *ids,
                               og_directory **out, og_topo_source *source, og_error *err)
{
    directory_entry *e = best_directory(c, table);
    if (e != NULL && og_directory_next_row_id(e->directory) == og_lance_table_next_row_id(table)) {
        e->used = ++c->clock;
        *out = og_directory_ref(e->directory);
        *source = OG_TOPO_CACHED;
        return OG_OK;
    }
    OG_TRY(make_directory(c, table, ids, out, source, err));
    keep_directory(c, table, *out);
    return OG_OK;
}

void og_topo_cache_expect_directory(og_topo_cache *c, const char *path)
{
    bool is_known = false;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->directories.len; i++)
        is_known |= strcmp(c->directories.items[i].path, path) == 0;
    pthread_mutex_unlock(&c->lock);
    if (!is_known)
        og_topo__expect_directory(og_lance_env_store(c->env), path);
}

static og_status locked_directory(og_topo_cache *c, og_lance_table *table, const wanted_ids *ids,
                                  og_directory **out, og_topo_source *source, og_error *err)
{
    pthread_mutex_lock(&c->lock);
    og_status s = get_directory(c, table, ids, out, source, err);
    pthread_mutex_unlock(&c->lock);
    return s;
}

og_status og_topo_cache_directory(og_topo_cache *c, og_lance_table *table, og_directory **out,
                                  og_topo_source *out_source, og_error *err)
{
    og_topo_source source;
    OG_TRY(locked_directory(c, table, NULL, out, &source, err));
    if (out_source != NULL)
        *out_source = source;
    return OG_OK;
}

og_status og_topo_cache_find(og_topo_cache *c, og_lance_table *table, const og_str *ids,
                             size_t count, uint32_t *out_vertices, og_error *err)
{
    const wanted_ids wanted = {ids, count};
    og_topo_source ignored;
    OG_AUTO(og_directory) directory = NULL;
    OG_TRY(locked_directory(c, table, &wanted, &directory, &ignored, err));
    return og_directory_find(directory, table, ids, count, out_vertices, err);
}

/* ---- topologies --------------------------------------------------------------------------- */

static bool same_lineage(const og_topo__key *a, const og_topo__key *b)
{
    return strcmp(a->edge_path, b->edge_path) == 0 && strcmp(a->edge_epoch, b->edge_epoch) == 0 &&
           strcmp(a->from_epoch, b->from_epoch) == 0 && strcmp(a->to_epoch, b->to_epoch) == 0;
}

/* The newest entry of this lineage that is not newer than the version asked for. */
static topology_entry *best_topology(og_topo_cache *c, const og_topo__key *wanted)
{
    topology_entry *best = NULL;
    for (size_t i = 0; i < c->topologies.len; i++) {
        topology_entry *e = &c->topologies.items[i];
        const og_topo__key *key = &og_topo__backing_of(e->topology)->key;
        if (!same_lineage(key, wanted) || key->edge_version > wanted->edge_version)
            continue;
        if (best == NULL ||
            key->edge_version > og_topo__backing_of(best->topology)->key.edge_version)
            best = e;
    }
    return best;
}

static void keep_topology(og_topo_cache *c, og_topology *topology)
{
    topology_entry *old = best_topology(c, &og_topo__backing_of(topology)->key);
    if (old != NULL) {
        og_topology_unref(old->topology);
        *old = (topology_entry){og_topology_ref(topology), ++c->clock};
    } else {
        topology_entry e = {og_topology_ref(topology), ++c->clock};
        if (!og_vec_push(&c->topologies, e))
            og_topology_unref(topology);
    }
    evict(c);
}

typedef struct hop_tables {
    og_lance_table *edges, *from, *to;
} hop_tables;

static og_status make_topology(og_topo_cache *c, const hop_tables *h, og_topology *base,
                               og_topology **out, og_error *err)
{
    OG_AUTO(og_directory) from = NULL;
    OG_AUTO(og_directory) to = NULL;
    og_topo_source ignored;
    OG_TRY(get_directory(c, h->from, NULL, &from, &ignored, err));
    OG_TRY(get_directory(c, h->to, NULL, &to, &ignored, err));
    if (base != NULL)
        return og_topo__topology_extend(base, h->edges, h->from, from, h->to, to, out, err);
    return og_topology_build(h->edges, h->from, from, h->to, to, out, err);
}

/* One that is at hand and of the version asked for. */
static void use_topology(og_topo_cache *c, og_topology *topology, topology_entry *e)
{
    if (e != NULL)
        e->used = ++c->clock;
    else
        keep_topology(c, topology);
    evict(c); /* it may have grown */
}

static og_status get_topology(og_topo_cache *c, const hop_tables *h, unsigned parts,
                              og_topology **out, og_topo_source *source, og_error *err)
{
    og_topo__wanted wanted;
    og_topo__want(h->edges, h->from, h->to, &wanted);
    topology_entry *e = best_topology(c, &wanted.key);
    OG_AUTO(og_topology) base = e != NULL ? og_topology_ref(e->topology) : NULL;
    *source = OG_TOPO_CACHED;
    if (base == NULL) {
        base = og_topo__load_topology(og_lance_env_store(c->env), &wanted.key);
        *source = OG_TOPO_SAVED;
    }
    if (base != NULL && og_topo__backing_of(base)->key.edge_version == wanted.key.edge_version) {
        og_status s = og_topo__complete(base, parts, err);
        if (s == OG_OK) {
            use_topology(c, base, e);
            *out = OG_TAKE(base);
        }
        if (s != OG_CORRUPT)
            return s;
        og_topology_unref(base); /* its file is damaged: made anew, and takes its place */
        base = NULL;
    }
    int64_t start = now_us(c);
    OG_AUTO(og_topology) made = NULL;
    OG_TRY(make_topology(c, h, base, &made, err));
    *source = base != NULL ? OG_TOPO_EXTENDED : OG_TOPO_BUILT;
    if (is_worth_saving(c, start))
        og_topo__save_topology(og_lance_env_store(c->env), made);
    keep_topology(c, made);
    OG_TRY(og_topo__complete(made, parts, err));
    *out = OG_TAKE(made);
    return OG_OK;
}

og_status og_topo_cache_topology(og_topo_cache *c, og_lance_table *edges, og_lance_table *from,
                                 og_lance_table *to, unsigned parts, og_topology **out,
                                 og_topo_source *out_source, og_error *err)
{
    const hop_tables h = {edges, from, to};
    og_topo_source source;
    pthread_mutex_lock(&c->lock);
    og_status s = get_topology(c, &h, parts, out, &source, err);
    pthread_mutex_unlock(&c->lock);
    if (s == OG_OK && out_source != NULL)
        *out_source = source;
    return s;
}

/* One of this version or an earlier one, in memory or saved; NULL: none. */
static topology_entry *at_hand(og_topo_cache *c, const og_topo__key *wanted)
{
    topology_entry *e = best_topology(c, wanted);
    if (e != NULL)
        return e;
    OG_AUTO(og_topology) saved = og_topo__load_topology(og_lance_env_store(c->env), wanted);
    if (saved != NULL)
        keep_topology(c, saved);
    return best_topology(c, wanted);
}

static og_status find_incident(og_topo_cache *c, const hop_tables *h, bool at_src,
                               const og_str *ids, size_t id_count, og_incident *out, og_error *err)
{
    og_topo__wanted wanted;
    og_topo__want(h->edges, h->from, h->to, &wanted);
    topology_entry *e = at_hand(c, &wanted.key);
    if (e == NULL || e->topology->dangling_count > 0)
        return OG_OK;
    e->used = ++c->clock;
    OG_AUTO(og_topology) base = og_topology_ref(e->topology);
    OG_AUTO(og_directory) directory = NULL;
    og_lance_table *nodes = at_src ? h->from : h->to;
    og_topo_source ignored;
    OG_TRY(get_directory(c, nodes, NULL, &directory, &ignored, err));
    og_status s =
        og_topo__incident(base, h->edges, nodes, directory, at_src, ids, id_count, out, err);
    return s == OG_CORRUPT ? OG_OK : s; /* a damaged topology tells nothing */
}

og_status og_topo_cache_incident(og_topo_cache *c, og_lance_table *edges, og_lance_table *from,
                                 og_lance_table *to, bool at_src, const og_str *ids,
                                 size_t id_count, og_incident *out, og_error *err)
{
    const hop_tables h = {edges, from, to};
    *out = (og_incident){0};
    pthread_mutex_lock(&c->lock);
    og_status s = find_incident(c, &h, at_src, ids, id_count, out, err);
    pthread_mutex_unlock(&c->lock);
    return s;
}

bool og_topo_cache_prefers_topology(og_topo_cache *c, og_lance_table *edges, og_lance_table *from,
                                    og_lance_table *to)
{
    og_topo__wanted wanted;
    og_topo__want(edges, from, to, &wanted);
    uint64_t path = og_hash64(wanted.key.edge_path, strlen(wanted.key.edge_path));
    pthread_mutex_lock(&c->lock);
    bool prefers =
        at_hand(c, &wanted.key) != NULL ||
        (c->save_clock != NULL && og_lance_table_row_count(edges) <= OG_TOPO_BUILD_EDGES);
    if (!prefers) {
        uint64_t *asked = og_u64map_put(c->asked, path, NULL);
        prefers = asked != NULL && (*asked)++ > 0;
    }
    pthread_mutex_unlock(&c->lock);
    return prefers;
}
