#include "lance/table/cache_priv.h"

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "lance/table/deletion_priv.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Each has a page of its own in memory. */
#define MAX_WRITE_THREADS 4
#define ENTRY_BYTES 512 /* counted for an entry beside its payload */
/* i32 offsets bound a whole column of text. */
#define COLUMN_MAX_BYTES ((uint64_t)1 << 30)

typedef struct column_cache {
    og_array *whole; /* NULL: not kept */
    size_t bytes;
    uint64_t last_used;
    uint64_t work;                  /* rows decoded so far */
    uint64_t rows_seen, bytes_seen; /* what those reads returned */
    bool busy;                      /* some thread is decoding it */
    bool refused;                   /* could not be decoded as a whole */
} column_cache;

struct og_table__cached {
    og_lance_env *env;
    int32_t refs;
    uint64_t hash;
    char *name;
    og_table__cached *next; /* in its hash chain */
    og_lance_file *file;    /* NULL: a deletion vector */
    og_table__u32s offsets;
    uint64_t file_bytes;
    _Atomic uint64_t last_used;
    _Atomic size_t charged; /* in env->used, without columns */
    pthread_mutex_t lock;   /* columns */
    column_cache *columns;
    uint32_t column_count;
};

struct og_lance_env {
    og_store *store;
    size_t max_bytes;
    pthread_mutex_t lock; /* chains, entry_count, types */
    og_table__cached **chains;
    size_t chain_count; /* a power of two */
    size_t entry_count;
    _Atomic size_t used;
    _Atomic size_t shrink_above;
    _Atomic uint64_t ticks;
    og_arena *type_arena;
    OG_VEC(const og_type *) types;
    og_shared_pool *encoding;
};

/* ---- the environment ---------------------------------------------------------------------- */

og_status og_lance_env_new(og_store *store, size_t cache_bytes, og_lance_env **out, og_error *err)
{
    og_lance_env *env = og_calloc(1, sizeof *env);
    if (env == NULL)
        return og_error_nomem(err);
    env->store = store;
    env->max_bytes = cache_bytes;
    atomic_init(&env->shrink_above, cache_bytes);
    env->chain_count = 64;
    pthread_mutex_init(&env->lock, NULL);
    env->chains = og_calloc(env->chain_count, sizeof *env->chains);
    env->type_arena = og_arena_new(0);
    unsigned processors = og_processor_count();
    env->encoding =
        og_shared_pool_new(processors < MAX_WRITE_THREADS ? processors : MAX_WRITE_THREADS);
    if (env->chains == NULL || env->type_arena == NULL || env->encoding == NULL) {
        og_lance_env_free(env);
        return og_error_nomem(err);
    }
    *out = env;
    return OG_OK;
}

static void free_entry(og_table__cached *entry)
{
    for (uint32_t i = 0; i < entry->column_count; i++)
        og_array_unref(entry->columns[i].whole);
    og_lance_file_unref(entry->file);
    og_vec_deinit(&entry->offsets);
    og_free(entry->columns);
    og_free(entry->name);
    pthread_mutex_destroy(&entry->lock);
    og_free(entry);
}

void og_lance_env_free(og_lance_env *env)
{
    if (env == NULL)
        return;
    for (size_t i = 0; env->chains != NULL && i < env->chain_count; i++)
        for (og_table__cached *entry = env->chains[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            free_entry(entry);
        }
    og_free(env->chains);
    og_vec_deinit(&env->types);
    og_arena_free(env->type_arena);
    og_shared_pool_free(env->encoding);
    pthread_mutex_destroy(&env->lock);
    og_free(env);
}

og_store *og_lance_env_store(og_lance_env *env)
{
    return env->store;
}

void og_lance_env_set_threads(og_lance_env *env, unsigned threads)
{
    og_shared_pool_set_threads(env->encoding, threads);
}

og_shared_pool *og_table__env_encoding(og_lance_env *env)
{
    return env->encoding;
}

/* ---- making room -------------------------------------------------------------------------- */

/* Something that can be dropped: an entry, or one of its columns. */
typedef struct victim {
    uint64_t last_used;
    og_table__cached *entry;
    int64_t column; /* -1: the entry */
} victim;
typedef OG_VEC(victim) victims;

static int older(const void *a, const void *b)
{
    uint64_t x = ((const victim *)a)->last_used, y = ((const victim *)b)->last_used;
    return (x > y) - (x < y);
}

static bool list_victims(og_lance_env *env, victims *list)
{
    for (size_t i = 0; i < env->chain_count; i++)
        for (og_table__cached *entry = env->chains[i]; entry != NULL; entry = entry->next) {
            if (!og_vec_push(list, (victim){atomic_load(&entry->last_used), entry, -1}))
                return false;
            pthread_mutex_lock(&entry->lock);
            bool ok = true;
            for (uint32_t c = 0; ok && c < entry->column_count; c++)
                if (entry->columns[c].whole != NULL)
                    ok = og_vec_push(list, (victim){entry->columns[c].last_used, entry, c});
            pthread_mutex_unlock(&entry->lock);
            if (!ok)
                return false;
        }
    qsort(list->items, list->len, sizeof *list->items, older);
    return true;
}

static void drop_column(og_table__cached *entry, uint32_t index)
{
    pthread_mutex_lock(&entry->lock);
    column_cache *column = &entry->columns[index];
    og_array *whole = column->whole;
    size_t bytes = column->bytes;
    column->whole = NULL;
    column->bytes = 0;
    column->work = 0;
    pthread_mutex_unlock(&entry->lock);
    if (whole != NULL)
        atomic_fetch_sub(&entry->env->used, bytes);
    og_array_unref(whole);
}

/* Count what the entry holds now. */
static void recharge(og_table__cached *entry)
{
    size_t held = ENTRY_BYTES + entry->offsets.cap * sizeof(uint32_t);
    if (entry->file != NULL)
        held += og_lance_file_cached_bytes(entry->file);
    size_t before = atomic_exchange(&entry->charged, held);
    atomic_fetch_add(&entry->env->used, held - before); /* wraps down as well as up */
}

static void drop_chunks(og_table__cached *entry)
{
    if (entry->file == NULL)
        return;
    og_lance_file_drop_chunks(entry->file, NULL);
    recharge(entry);
}

static og_table__cached **chain_of(og_lance_env *env, uint64_t hash)
{
    return &env->chains[hash & (env->chain_count - 1)];
}

/* Only the cache refers to it: nobody can get a reference while env->lock is held. */
static void drop_entry(og_lance_env *env, og_table__cached *entry)
{
    if (__atomic_load_n(&entry->refs, __ATOMIC_ACQUIRE) != 1)
        return;
    for (uint32_t i = 0; i < entry->column_count; i++)
        drop_column(entry, i);
    og_table__cached **place = chain_of(env, entry->hash);
    while (*place != entry)
        place = &(*place)->next;
    *place = entry->next;
    env->entry_count--;
    atomic_fetch_sub(&env->used, atomic_load(&entry->charged));
    free_entry(entry);
}

/* Drop the least recently used until a quarter of the limit is free. What open tables use stays, so
 * the next attempt waits until a good deal has been added. */
static void shrink(og_lance_env *env)
{
    if (atomic_load(&env->used) <= atomic_load(&env->shrink_above))
        return;
    pthread_mutex_lock(&env->lock);
    victims list = {0};
    size_t goal = env->max_bytes - env->max_bytes / 4;
    if (list_victims(env, &list)) {
        /* Columns and chunks first, entries after them: they go with all they have,
         * and a later victim of the same entry would dangle. */
        for (size_t i = 0; i < list.len && atomic_load(&env->used) > goal; i++)
            if (list.items[i].column >= 0)
                drop_column(list.items[i].entry, (uint32_t)list.items[i].column);
            else
                drop_chunks(list.items[i].entry);
        for (size_t i = 0; i < list.len && atomic_load(&env->used) > goal; i++)
            if (list.items[i].column < 0)
                drop_entry(env, list.items[i].entry);
    }
    og_vec_deinit(&list);
    size_t next = atomic_load(&env->used) + env->max_bytes / 8 + 65536;
    atomic_store(&env->shrink_above, next > env->max_bytes ? next : env->max_bytes);
    if (atomic_load(&env->used) <= goal)
        atomic_store(&env->shrink_above, env->max_bytes);
    pthread_mutex_unlock(&env->lock);
}

static uint64_t tick(og_lance_env *env)
{
    return atomic_fetch_add_explicit(&env->ticks, 1, memory_order_relaxed);
}

/* ---- entries ------------------------------------------------------------------------------ */

static og_table__cached *new_entry(og_lance_env *env, const char *name, uint64_t hash)
{
    og_table__cached *entry = og_calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->env = env;
    entry->refs = 1;
    entry->hash = hash;
    pthread_mutex_init(&entry->lock, NULL);
    entry->name = og_strdup(name);
    if (entry->name == NULL) {
        free_entry(entry);
        return NULL;
    }
    return entry;
}

static og_table__cached *find_locked(og_lance_env *env, const char *name, uint64_t hash)
{
    for (og_table__cached *entry = *chain_of(env, hash); entry != NULL; entry = entry->next)
        if (entry->hash == hash && strcmp(entry->name, name) == 0) {
            __atomic_add_fetch(&entry->refs, 1, __ATOMIC_RELAXED);
            atomic_store_explicit(&entry->last_used, tick(env), memory_order_relaxed);
            return entry;
        }
    return NULL;
}

static og_table__cached *find(og_lance_env *env, const char *name, uint64_t hash)
{
    pthread_mutex_lock(&env->lock);
    og_table__cached *entry = find_locked(env, name, hash);
    pthread_mutex_unlock(&env->lock);
    return entry;
}

/* More chains; staying with fewer when out of memory only costs time. */
static void grow_chains(og_lance_env *env)
{
    size_t count = env->chain_count * 2;
    og_table__cached **chains = og_calloc(count, sizeof *chains);
    if (chains == NULL)
        return;
    for (size_t i = 0; i < env->chain_count; i++)
        for (og_table__cached *entry = env->chains[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            entry->next = chains[entry->hash & (count - 1)];
            chains[entry->hash & (count - 1)] = entry;
        }
    og_free(env->chains);
    env->chains = chains;
    env->chain_count = count;
}

/* Put a complete entry in its chain, unless another thread was faster: then that one is used. */
static og_table__cached *publish(og_lance_env *env, og_table__cached *entry)
{
    pthread_mutex_lock(&env->lock);
    og_table__cached *other = find_locked(env, entry->name, entry->hash);
    if (other != NULL) {
        pthread_mutex_unlock(&env->lock);
        free_entry(entry);
        return other;
    }
    if (env->entry_count >= env->chain_count)
        grow_chains(env);
    og_table__cached **chain = chain_of(env, entry->hash);
    entry->next = *chain;
    *chain = entry;
    entry->refs = 2;
    env->entry_count++;
    atomic_store(&entry->last_used, tick(env));
    recharge(entry);
    pthread_mutex_unlock(&env->lock);
    shrink(env);
    return entry;
}

void og_table__cache_expect(og_lance_env *env, const char *name, uint64_t bytes)
{
    og_table__cached *entry = find(env, name, og_hash64(name, strlen(name)));
    if (entry == NULL)
        og_lance_file_expect(env->store, name, bytes);
    og_table__cached_unref(entry);
}

og_status og_table__cache_file(og_lance_env *env, const char *name, uint64_t bytes,
                               og_table__cached **out, og_error *err)
{
    uint64_t hash = og_hash64(name, strlen(name));
    if ((*out = find(env, name, hash)) != NULL)
        return OG_OK;
    og_table__cached *entry = new_entry(env, name, hash);
    if (entry == NULL)
        return og_error_nomem(err);
    og_status status = og_lance_file_open(env->store, name, bytes, &entry->file, err);
    if (status != OG_OK) {
        free_entry(entry);
        return status;
    }
    og_lance_file_keep_chunks(entry->file, env->max_bytes / 2);
    entry->file_bytes = bytes;
    entry->column_count = og_lance_file_column_count(entry->file);
    entry->columns = og_calloc((size_t)entry->column_count + 1, sizeof *entry->columns);
    if (entry->columns == NULL) {
        entry->column_count = 0;
        free_entry(entry);
        return og_error_nomem(err);
    }
    *out = publish(env, entry);
    return OG_OK;
}

og_status og_table__cache_deletions(og_lance_env *env, const char *name, int32_t kind,
                                    uint32_t rows, uint64_t count, og_table__cached **out,
                                    og_error *err)
{
    uint64_t hash = og_hash64(name, strlen(name));
    if ((*out = find(env, name, hash)) != NULL)
        return OG_OK;
    OG_AUTO(og_blob) blob = NULL;
    OG_TRY(env->store->ops->get(env->store, name, &blob, err));
    og_table__cached *entry = new_entry(env, name, hash);
    if (entry == NULL)
        return og_error_nomem(err);
    og_status status = og_table__deletion_decode(kind, (og_bytes){blob->ptr, blob->len}, rows,
                                                 count, &entry->offsets, err);
    if (status != OG_OK) {
        free_entry(entry);
        return og_error_context(err, status, "reading %s", name);
    }
    *out = publish(env, entry);
    return OG_OK;
}

void og_table__cached_unref(og_table__cached *entry)
{
    if (entry == NULL)
        return;
    og_lance_env *env = entry->env;
    __atomic_sub_fetch(&entry->refs, 1, __ATOMIC_ACQ_REL);
    shrink(env);
}

og_lance_file *og_table__cached_file(const og_table__cached *entry)
{
    return entry->file;
}

const uint32_t *og_table__cached_offsets(const og_table__cached *entry, size_t *out_count)
{
    *out_count = entry->offsets.len;
    return entry->offsets.items;
}

/* ---- columns ------------------------------------------------------------------------------ */

static const og_type *stored_type(const og_lance_column *column)
{
    return column->is_blob ? og_lance_blob_type() : column->field->type;
}

static uint64_t estimate(const og_table__cached *entry, const column_cache *c,
                         const og_lance_column *column)
{
    uint64_t rows = og_lance_file_rows(entry->file);
    uint64_t width = og_type_width(stored_type(column)->id);
    if (width != 0)
        return rows * width;
    /* Before anything was read: what the file holds, thought to be compressed four times. */
    if (c->rows_seen == 0)
        return entry->file_bytes * 4;
    return (uint64_t)((double)c->bytes_seen / (double)c->rows_seen * (double)rows);
}

static bool worth_keeping(const og_table__cached *entry, const column_cache *c,
                          const og_lance_column *column)
{
    uint64_t bytes = estimate(entry, c, column);
    return c->work >= og_lance_file_rows(entry->file) && !c->busy && !c->refused &&
           bytes <= entry->env->max_bytes / 2 && bytes < COLUMN_MAX_BYTES;
}

/* Failing to keep a column is no error: the read itself goes on without, and reports what it
 * finds. */
static og_array *decode_whole(og_table__cached *entry, column_cache *c,
                              const og_lance_column *column)
{
    og_array *whole = NULL;
    og_status status =
        og_lance_file_read(entry->file, column, 0, og_lance_file_rows(entry->file), &whole, NULL);
    size_t bytes = status == OG_OK ? og_array_bytes(whole) : 0;
    pthread_mutex_lock(&entry->lock);
    c->busy = false;
    og_array *old = NULL;
    size_t old_bytes = 0;
    if (status == OG_OK) {
        old = c->whole; /* of another type, after a renamed child */
        old_bytes = c->bytes;
        c->whole = og_array_ref(whole);
        c->bytes = bytes;
        c->last_used = tick(entry->env);
    } else {
        c->refused = status != OG_NOMEM;
        c->work = 0;
    }
    pthread_mutex_unlock(&entry->lock);
    og_array_unref(old);
    if (status == OG_OK) {
        og_lance_file_drop_chunks(entry->file, column);
        atomic_fetch_add(&entry->env->used, bytes);
        atomic_fetch_sub(&entry->env->used, old_bytes);
        recharge(entry);
        shrink(entry->env);
    }
    return whole;
}

og_array *og_table__cached_column(og_table__cached *entry, const og_lance_column *column,
                                  uint64_t work)
{
    if (column->leaf_count == 0 || column->leaves[0] >= entry->column_count)
        return NULL; /* the reader says what is wrong */
    column_cache *c = &entry->columns[column->leaves[0]];
    pthread_mutex_lock(&entry->lock);
    if (c->whole != NULL && c->whole->type == stored_type(column)) {
        og_array *whole = og_array_ref(c->whole);
        c->last_used = tick(entry->env);
        pthread_mutex_unlock(&entry->lock);
        return whole;
    }
    /* By the reads before this one: the end of a first scan must not decode all of it again. */
    bool decode = worth_keeping(entry, c, column);
    c->work += work;
    c->busy = c->busy || decode;
    pthread_mutex_unlock(&entry->lock);
    return decode ? decode_whole(entry, c, column) : NULL;
}

void og_table__cached_account(og_table__cached *entry, const og_lance_column *column,
                              const og_array *read)
{
    column_cache *c = &entry->columns[column->leaves[0]];
    size_t bytes = og_type_width(stored_type(column)->id) != 0 ? 0 : og_array_bytes(read);
    pthread_mutex_lock(&entry->lock);
    c->rows_seen += (uint64_t)read->length;
    c->bytes_seen += bytes;
    pthread_mutex_unlock(&entry->lock);
    atomic_store_explicit(&entry->last_used, tick(entry->env), memory_order_relaxed);

    if (ENTRY_BYTES + og_lance_file_cached_bytes(entry->file) != atomic_load(&entry->charged)) {
        recharge(entry);
        shrink(entry->env);
    }
}

/* ---- types -------------------------------------------------------------------------------- */

static bool same_type(const og_type *a, const og_type *b)
{
    if (a == b)
        return true;
    if (a->id != b->id || a->list_size != b->list_size || a->child_count != b->child_count)
        return false;
    for (uint32_t i = 0; i < a->child_count; i++)
        if (!og_str_eq(a->children[i].name, b->children[i].name) ||
            a->children[i].nullable != b->children[i].nullable ||
            !same_type(a->children[i].type, b->children[i].type))
            return false;
    return true;
}

static const og_type *copy_type(og_arena *arena, const og_type *type)
{
    if (type->child_count == 0 && type->id < OG_TYPE_FIXED_SIZE_LIST)
        return og_type_of(type->id);
    og_type *copy = og_arena_new_of(arena, og_type);
    og_field *children = og_arena_array_of(arena, og_field, (size_t)type->child_count + 1);
    if (copy == NULL || children == NULL)
        return NULL;
    *copy = *type;
    copy->children = children;
    for (uint32_t i = 0; i < type->child_count; i++) {
        children[i] = type->children[i];
        children[i].name = og_arena_str(arena, type->children[i].name);
        children[i].type = copy_type(arena, type->children[i].type);
        if (children[i].name.ptr == NULL || children[i].type == NULL)
            return NULL;
    }
    return copy;
}

const og_type *og_table__intern_type(og_lance_env *env, const og_type *type)
{
    if (type->child_count == 0 && type->id < OG_TYPE_FIXED_SIZE_LIST)
        return og_type_of(type->id);
    pthread_mutex_lock(&env->lock);
    const og_type *found = NULL;
    for (size_t i = 0; found == NULL && i < env->types.len; i++)
        if (same_type(env->types.items[i], type))
            found = env->types.items[i];
    if (found == NULL) {
        const og_type *copy = copy_type(env->type_arena, type);
        if (copy != NULL && og_vec_push(&env->types, copy))
            found = copy;
    }
    pthread_mutex_unlock(&env->lock);
    return found;
}
