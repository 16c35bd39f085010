#include "store/memory.h"

#include "store/memory_objects.h"
#include "store/store_priv.h"

#include <inttypes.h>
#include <pthread.h>

typedef og_store__object object;

typedef struct memory_store {
    og_store base;
    pthread_mutex_t lock;
    og_store__objects objects;
    const og_clock *clock; /* NULL: times are not known */
} memory_store;

static object *find_live(memory_store *s, const char *name)
{
    bool found;
    og_store__place place = og_store__objects_seek(&s->objects, name, &found);
    object *o = found ? og_store__objects_at(&s->objects, place) : NULL;
    return o != NULL && o->live != NULL ? o : NULL;
}

/* Makes `blob` (one reference of which is taken) visible under `name`. */
static og_status publish(memory_store *s, const char *name, og_blob *blob, bool replace, bool whole,
                         og_error *err)
{
    bool found;
    og_store__place place = og_store__objects_seek(&s->objects, name, &found);
    object *o = found ? og_store__objects_at(&s->objects, place) : NULL;
    if (found && o->live != NULL && !replace)
        return og_error_set(err, OG_EXISTS, "%s exists already", name);
    if (!found)
        o = og_store__objects_insert(&s->objects, place, name);
    if (o == NULL)
        return og_error_nomem(err);
    o->unlinked = o->unlinked || (o->durable != NULL && o->live == NULL);
    o->whole = whole;
    og_blob_unref(OG_TAKE(o->under));
    o->modified_us = s->clock != NULL ? s->clock->now_us(s->clock->context) : 0;
    og_blob_unref(o->live);
    o->live = og_blob_ref(blob);
    og_store__count(&s->base.stats.bytes_written, blob->len);
    return OG_OK;
}

static og_status publish_locked(memory_store *s, const char *name, og_blob *blob, bool replace,
                                bool whole, og_error *err)
{
    pthread_mutex_lock(&s->lock);
    og_status status = publish(s, name, blob, replace, whole, err);
    pthread_mutex_unlock(&s->lock);
    return status;
}

/* ---- reads -------------------------------------------------------------------------------- */

static og_status not_found(const char *name, og_error *err)
{
    return og_error_set(err, OG_NOT_FOUND, "no object %s", name);
}

/* A reference of the object's blob; NULL when absent. */
static og_blob *look_up(memory_store *s, const char *name)
{
    pthread_mutex_lock(&s->lock);
    object *o = find_live(s, name);
    og_blob *blob = o != NULL ? og_blob_ref(o->live) : NULL;
    pthread_mutex_unlock(&s->lock);
    return blob;
}

static og_status memory_get(og_store *store, const char *name, og_blob **out, og_error *err)
{
    og_store__count(&store->stats.gets, 1);
    OG_TRY(og_store__check_name(name, err));
    og_blob *blob = look_up((memory_store *)store, name);
    if (blob == NULL)
        return not_found(name, err);
    og_store__count(&store->stats.bytes_read, blob->len);
    *out = blob;
    return OG_OK;
}

static og_status memory_get_range(og_store *store, const char *name, uint64_t offset, size_t len,
                                  og_blob **out, og_error *err)
{
    og_store__count(&store->stats.gets, 1);
    OG_TRY(og_store__check_name(name, err));
    OG_AUTO(og_blob) blob = look_up((memory_store *)store, name);
    if (blob == NULL)
        return not_found(name, err);
    if (offset > blob->len || len > blob->len - offset)
        return og_error_set(err, OG_CORRUPT,
                            "%s has %zu bytes; %zu at offset %" PRIu64 " were asked for", name,
                            blob->len, len, offset);
    /* A copy, so that the sanitizer sees a reader that goes beyond its range. */
    og_blob *part = og_blob_copy((og_bytes){blob->ptr + offset, len});
    if (part == NULL)
        return og_error_nomem(err);
    og_store__count(&store->stats.bytes_read, len);
    *out = part;
    return OG_OK;
}

static og_status memory_head(og_store *store, const char *name, uint64_t *out_bytes, og_error *err)
{
    og_store__count(&store->stats.heads, 1);
    OG_TRY(og_store__check_name(name, err));
    OG_AUTO(og_blob) blob = look_up((memory_store *)store, name);
    if (blob == NULL)
        return not_found(name, err);
    *out_bytes = blob->len;
    return OG_OK;
}

static og_status list_locked(memory_store *s, const char *prefix, bool recursive,
                             og_store__lister *lister, og_error *err)
{
    size_t prefix_len = strlen(prefix);
    const char *after = lister->start_after, *first = prefix;
    if (after != NULL && strcmp(after, prefix) > 0)
        first = after;
    bool found;
    og_store__place place = og_store__objects_seek(&s->objects, first, &found);
    while (lister->max_keys == 0 || lister->listing.len < lister->max_keys) {
        const object *o = og_store__objects_at(&s->objects, place);
        if (o == NULL || strncmp(o->name, prefix, prefix_len) != 0)
            return OG_OK;
        place = og_store__objects_next(&s->objects, place);
        if (o->live == NULL || (!recursive && strchr(o->name + prefix_len, '/') != NULL))
            continue;
        OG_TRY(og_store__list_add(lister, og_str_of(o->name), o->live->len, o->modified_us, err));
    }
    return OG_OK;
}

static og_status memory_list(og_store *store, const char *prefix, bool recursive,
                             const char *start_after, size_t max_keys, og_listing *out,
                             og_error *err)
{
    memory_store *s = (memory_store *)store;
    og_store__count(&store->stats.lists, 1);
    OG_TRY(og_store__check_prefix(prefix, err));
    og_store__lister lister;
    OG_TRY(og_store__list_begin(&lister, start_after, max_keys, err));
    pthread_mutex_lock(&s->lock);
    og_status status = list_locked(s, prefix, recursive, &lister, err);
    pthread_mutex_unlock(&s->lock);
    if (status != OG_OK) {
        og_listing_deinit(&lister.listing);
        return status;
    }
    og_store__list_end(&lister);
    *out = lister.listing;
    return OG_OK;
}

/* ---- writes ------------------------------------------------------------------------------- */

static og_status put_copy(og_store *store, const char *name, og_bytes bytes, bool replace,
                          bool whole, og_error *err)
{
    og_store__count(&store->stats.puts, 1);
    OG_TRY(og_store__check_name(name, err));
    OG_AUTO(og_blob) blob = og_blob_copy(bytes);
    if (blob == NULL)
        return og_error_nomem(err);
    return publish_locked((memory_store *)store, name, blob, replace, whole, err);
}

static og_status memory_put(og_store *store, const char *name, og_bytes bytes, og_error *err)
{
    return put_copy(store, name, bytes, true, false, err);
}

/* Where something is already, it is written over: from now on a power loss may mix both. */
static og_status memory_put_summed(og_store *store, const char *name, og_bytes bytes, og_error *err)
{
    memory_store *s = (memory_store *)store;
    OG_AUTO(og_blob) under = look_up(s, name);
    OG_TRY(put_copy(store, name, bytes, true, false, err));
    pthread_mutex_lock(&s->lock);
    object *o = find_live(s, name);
    if (o != NULL)
        o->under = OG_TAKE(under);
    pthread_mutex_unlock(&s->lock);
    return OG_OK;
}

static og_status memory_put_if_absent(og_store *store, const char *name, og_bytes bytes,
                                      bool durable, og_error *err)
{
    return put_copy(store, name, bytes, false, durable, err);
}

typedef struct memory_writer {
    og_object_writer base;
    memory_store *store;
    og_buf bytes;
    bool finished;
    char name[]; /* NUL-terminated */
} memory_writer;

static og_status writer_append(og_object_writer *base, og_bytes bytes, og_error *err)
{
    memory_writer *w = (memory_writer *)base;
    if (!og_buf_append(&w->bytes, bytes.ptr, bytes.len))
        return og_error_nomem(err);
    base->bytes += bytes.len;
    return OG_OK;
}

static og_status writer_finish(og_object_writer *base, og_error *err)
{
    memory_writer *w = (memory_writer *)base;
    if (w->bytes.failed || w->finished)
        return og_error_set(err, OG_IO, "cannot write %s: an earlier write to it failed", w->name);
    w->finished = true;
    OG_AUTO(og_blob) blob = og_blob_copy(og_buf_bytes(&w->bytes));
    if (blob == NULL)
        return og_error_nomem(err);
    return publish_locked(w->store, w->name, blob, false, false, err);
}

static void writer_close(og_object_writer *base)
{
    memory_writer *w = (memory_writer *)base;
    og_buf_deinit(&w->bytes);
    og_free(w);
}

static og_status memory_create(og_store *store, const char *name, og_object_writer **out,
                               og_error *err)
{
    static const og_object_writer_ops ops = {writer_append, writer_finish, writer_close};
    og_store__count(&store->stats.puts, 1);
    OG_TRY(og_store__check_name(name, err));
    size_t name_size = strlen(name) + 1;
    memory_writer *w = og_calloc(1, sizeof *w + name_size);
    if (w == NULL)
        return og_error_nomem(err);
    w->base.ops = &ops;
    w->store = (memory_store *)store;
    w->bytes = OG_BUF_INIT;
    memcpy(w->name, name, name_size);
    *out = &w->base;
    return OG_OK;
}

static void remove_one(memory_store *s, const char *name)
{
    bool found;
    og_store__place place = og_store__objects_seek(&s->objects, name, &found);
    if (!found)
        return;
    object *o = og_store__objects_at(&s->objects, place);
    if (o->durable == NULL) {
        og_store__objects_remove(&s->objects, place);
        return;
    }
    og_blob_unref(o->live);
    o->live = NULL;
}

static og_status memory_remove(og_store *store, const char *const *names, size_t count,
                               og_error *err)
{
    memory_store *s = (memory_store *)store;
    og_store__count(&store->stats.deletes, count);
    for (size_t i = 0; i < count; i++)
        OG_TRY(og_store__check_name(names[i], err));
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < count; i++)
        remove_one(s, names[i]);
    pthread_mutex_unlock(&s->lock);
    return OG_OK;
}

static og_status memory_remove_same(og_store *store, const char *name, og_bytes bytes,
                                    og_error *err)
{
    memory_store *s = (memory_store *)store;
    og_store__count(&store->stats.deletes, 1);
    OG_TRY(og_store__check_name(name, err));
    pthread_mutex_lock(&s->lock);
    const object *o = find_live(s, name);
    og_status status =
        o != NULL ? og_store__check_same(o->live, name, bytes, err) : not_found(name, err);
    if (status == OG_OK)
        remove_one(s, name);
    pthread_mutex_unlock(&s->lock);
    return status;
}

/* ---- durability --------------------------------------------------------------------------- */

/* From here on `o` is durable as readers see it. */
static void settle(object *o)
{
    og_blob_unref(o->durable);
    o->durable = og_blob_ref(o->live);
    o->whole = true;
    o->unlinked = false;
    og_blob_unref(OG_TAKE(o->under));
}

static og_status memory_sync(og_store *store, const char *const *names, size_t count, og_error *err)
{
    memory_store *s = (memory_store *)store;
    og_store__count(&store->stats.syncs, 1);
    for (size_t i = 0; i < count; i++)
        OG_TRY(og_store__check_name(names[i], err));
    og_status status = OG_OK;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < count && status == OG_OK; i++) {
        bool found;
        og_store__place place = og_store__objects_seek(&s->objects, names[i], &found);
        object *o = found ? og_store__objects_at(&s->objects, place) : NULL;
        if (found && o->live != NULL)
            settle(o);
        else if (found) /* removed, and power loss could bring it back */
            og_store__objects_remove(&s->objects, place);
        else
            status = og_error_set(err, OG_UNKNOWN, "cannot sync %s: no such object", names[i]);
    }
    pthread_mutex_unlock(&s->lock);
    return status;
}

static uint64_t next_random(uint64_t *state)
{
    /* splitmix64 (Steele, Lea, Flood 2014): any seed will do, also small ones. */
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* What a crash leaves of content that no sync covered: all, or a prefix. A reference of its own. */
static og_blob *torn(const object *o, uint64_t *random)
{
    if (o->whole || (next_random(random) & 1) != 0)
        return og_blob_ref(o->live);
    size_t kept = (size_t)(next_random(random) % (o->live->len + 1));
    og_blob *cut = og_blob_copy((og_bytes){o->live->ptr, kept});
    /* Without memory for the prefix the crash is kinder than it might have been. */
    return cut != NULL ? cut : og_blob_ref(o->live);
}

/* The same of content that was written over: pieces of the old and of the new one. */
static og_blob *mixed(const object *o, uint64_t *random)
{
    enum { PIECE = 64 }; /* much less than a page, since objects here are small */
    const og_blob *old = o->under, *new = o->live;
    size_t len = (next_random(random) & 1) != 0 ? old->len : new->len;
    uint8_t *dst;
    og_blob *left = og_store__blob_new(len, &dst);
    if (left == NULL)
        return og_blob_ref(o->live);
    memset(dst, 0, len);
    for (size_t at = 0; at < len; at += PIECE) {
        const og_blob *from = (next_random(random) & 1) != 0 ? old : new;
        size_t n = len - at < PIECE ? len - at : PIECE;
        if (at < from->len)
            memcpy(dst + at, from->ptr + at, n < from->len - at ? n : from->len - at);
    }
    return left;
}

/* What a crash leaves under the name; NULL: nothing. A reference of its own. */
static og_blob *survivor(const object *o, uint64_t *random)
{
    if (o->live == o->durable)
        return og_blob_ref(o->durable);
    bool name_kept = (next_random(random) & 1) != 0;
    bool removal_kept = (next_random(random) & 1) != 0;
    if (o->under != NULL && o->live != NULL && (name_kept || (o->durable != NULL && !o->unlinked)))
        return mixed(o, random);
    if (o->live != NULL && name_kept)
        return torn(o, random);
    if (o->durable == NULL || ((o->unlinked || o->live == NULL) && removal_kept))
        return NULL;
    return og_blob_ref(o->durable);
}

void og_store_memory_set_clock(og_store *store, const og_clock *clock)
{
    ((memory_store *)store)->clock = clock;
}

void og_store_memory_crash(og_store *store, uint64_t seed)
{
    memory_store *s = (memory_store *)store;
    uint64_t random = seed;
    pthread_mutex_lock(&s->lock);
    og_store__place place = {0, 0};
    object *o;
    while ((o = og_store__objects_at(&s->objects, place)) != NULL) {
        og_blob *left = survivor(o, &random);
        if (left == NULL) {
            place = og_store__objects_remove(&s->objects, place);
            continue;
        }
        og_blob_unref(o->live);
        o->live = left;
        settle(o);
        place = og_store__objects_next(&s->objects, place);
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- open and close ----------------------------------------------------------------------- */

static void memory_close(og_store *store)
{
    memory_store *s = (memory_store *)store;
    og_store__objects_deinit(&s->objects);
    pthread_mutex_destroy(&s->lock);
    og_free(s);
}

static const og_store_ops memory_ops = {
    .get = memory_get,
    .get_range = memory_get_range,
    .head = memory_head,
    .put = memory_put,
    .put_summed = memory_put_summed,
    .put_if_absent = memory_put_if_absent,
    .create = memory_create,
    .list = memory_list,
    .remove = memory_remove,
    .remove_same = memory_remove_same,
    .sync = memory_sync,
    .close = memory_close,
};

og_status og_store_open_memory(og_store **out, og_error *err)
{
    memory_store *s = og_calloc(1, sizeof *s);
    if (s == NULL)
        return og_error_nomem(err);
    s->base.ops = &memory_ops;
    s->base.root = "memory://";
    s->base.maps_objects = true;
    pthread_mutex_init(&s->lock, NULL);
    *out = &s->base;
    return OG_OK;
}
