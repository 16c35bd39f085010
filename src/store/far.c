#include "store/far.h"

#include <pthread.h>
#include <string.h>

#include "store/store_priv.h"

#define MAX_TRIPS 32                    /* under way at once */
#define KEPT_BYTES ((size_t)4 << 20)    /* of own objects in memory */
#define KEPT_OBJECT ((size_t)256 << 10) /* the largest of them */

/* A call that is under way, or has come back and was not asked for yet. */
typedef struct trip {
    struct trip *next;
    og_store *inner;
    pthread_t thread, owner;
    og_store_request request;
    size_t max_keys;
    uint64_t offset; /* of a range, and its bytes */
    size_t len;
    og_status status;
    og_error err;
    og_blob *blob; /* of a get, or to upload */
    uint64_t bytes;
    og_listing listing;
    char name[];
} trip;

/* An own object, newest first. */
typedef struct kept {
    struct kept *next;
    og_blob *blob;
    char name[];
} kept;

typedef struct far_store {
    og_store base;
    og_store *inner;
    pthread_mutex_t lock; /* guards all below */
    trip *expected, *uploads;
    kept *kept;
} far_store;

/* ---- trips -------------------------------------------------------------------------------- */

static void trip_free(trip *t)
{
    og_blob_unref(t->blob);
    og_listing_deinit(&t->listing);
    og_free(t);
}

static og_status upload(trip *t)
{
    og_object_writer *writer;
    OG_TRY(t->inner->ops->create(t->inner, t->name, &writer, &t->err));
    og_status s = writer->ops->append(writer, (og_bytes){t->blob->ptr, t->blob->len}, &t->err);
    if (s == OG_OK)
        s = writer->ops->finish(writer, &t->err);
    og_object_writer_close(writer);
    return s;
}

static void *travel(void *context)
{
    trip *t = context;
    const og_store_ops *ops = t->inner->ops;
    switch (t->request) {
    case OG_STORE_GET:
        t->status = ops->get(t->inner, t->name, &t->blob, &t->err);
        break;
    case OG_STORE_RANGE:
        t->status = ops->get_range(t->inner, t->name, t->offset, t->len, &t->blob, &t->err);
        break;
    case OG_STORE_HEAD:
        t->status = ops->head(t->inner, t->name, &t->bytes, &t->err);
        break;
    case OG_STORE_LIST:
        t->status = ops->list(t->inner, t->name, false, NULL, t->max_keys, &t->listing, &t->err);
        break;
    case OG_STORE_UPLOAD:
        t->status = upload(t);
        break;
    }
    return NULL;
}

static trip *prepare(far_store *f, og_store_request request, const char *name)
{
    size_t size = strlen(name) + 1;
    trip *t = og_calloc(1, sizeof *t + size);
    if (t == NULL)
        return NULL;
    t->inner = f->inner;
    t->request = request;
    t->owner = pthread_self();
    memcpy(t->name, name, size);
    return t;
}

/* Takes a trip that was prepared. NULL when no memory or thread is left: then the call is made when
 * it is asked for. */
static trip *depart(trip *t)
{
    if (t == NULL || pthread_create(&t->thread, NULL, travel, t) == 0)
        return t;
    trip_free(t);
    return NULL;
}

static bool is_wanted(const trip *t, og_store_request request, const char *name, uint64_t offset)
{
    return pthread_equal(t->owner, pthread_self()) && t->request == request &&
           t->offset == offset && strcmp(t->name, name) == 0;
}

/* Take the first trip of this thread from a list: that of a name (of a range, with this offset), or
 * any. NULL when there is none. */
static trip *take(far_store *f, trip **list, og_store_request request, const char *name,
                  uint64_t offset)
{
    trip *found = NULL;
    pthread_t self = pthread_self();
    pthread_mutex_lock(&f->lock);
    for (trip **at = list; *at != NULL && found == NULL;) {
        trip *t = *at;
        if (name != NULL ? is_wanted(t, request, name, offset) : pthread_equal(t->owner, self)) {
            *at = t->next;
            found = t;
        } else {
            at = &t->next;
        }
    }
    pthread_mutex_unlock(&f->lock);
    if (found != NULL)
        pthread_join(found->thread, NULL);
    return found;
}

static bool add(far_store *f, trip **list, trip *t)
{
    if (t == NULL)
        return false;
    pthread_mutex_lock(&f->lock);
    while (*list != NULL)
        list = &(*list)->next;
    *list = t;
    pthread_mutex_unlock(&f->lock);
    return true;
}

static size_t under_way(far_store *f, trip *const *list)
{
    size_t count = 0;
    pthread_mutex_lock(&f->lock);
    for (const trip *t = *list; t != NULL; t = t->next)
        count++;
    pthread_mutex_unlock(&f->lock);
    return count;
}

static og_status answer_of(const trip *t, og_error *err)
{
    if (err != NULL)
        *err = t->err;
    return t->status;
}

/* Wait for what this thread has under way to the store. */
static og_status land(far_store *f, og_error *err)
{
    og_status status = OG_OK;
    for (trip *t; (t = take(f, &f->uploads, OG_STORE_UPLOAD, NULL, 0)) != NULL; trip_free(t))
        if (t->status != OG_OK && status == OG_OK)
            status = answer_of(t, err);
    return status;
}

/* ---- own objects -------------------------------------------------------------------------- */

/* Small and immutable, so they can be read from memory. NULL: not kept. */
static og_blob *find_kept(far_store *f, const char *name)
{
    og_blob *blob = NULL;
    pthread_mutex_lock(&f->lock);
    for (kept *k = f->kept; k != NULL && blob == NULL; k = k->next)
        if (strcmp(k->name, name) == 0)
            blob = og_blob_ref(k->blob);
    pthread_mutex_unlock(&f->lock);
    return blob;
}

static void free_kept(kept *k)
{
    while (k != NULL) {
        kept *next = k->next;
        og_blob_unref(k->blob);
        og_free(k);
        k = next;
    }
}

static void keep(far_store *f, const char *name, og_blob *blob)
{
    size_t size = strlen(name) + 1, bytes = blob->len;
    kept *k = blob->len <= KEPT_OBJECT ? og_calloc(1, sizeof *k + size) : NULL;
    if (k == NULL)
        return;
    memcpy(k->name, name, size);
    k->blob = og_blob_ref(blob);
    pthread_mutex_lock(&f->lock);
    k->next = f->kept;
    f->kept = k;
    for (; k->next != NULL && bytes + k->next->blob->len <= KEPT_BYTES; k = k->next)
        bytes += k->next->blob->len;
    kept *old = OG_TAKE(k->next);
    pthread_mutex_unlock(&f->lock);
    free_kept(old);
}

static void forget(far_store *f, const char *name)
{
    kept *gone = NULL;
    pthread_mutex_lock(&f->lock);
    for (kept **at = &f->kept; *at != NULL; at = &(*at)->next)
        if (strcmp((*at)->name, name) == 0) {
            gone = *at;
            *at = OG_TAKE(gone->next);
            break;
        }
    pthread_mutex_unlock(&f->lock);
    free_kept(gone);
}

/* ---- what is expected --------------------------------------------------------------------- */

static void far_expect(og_store *s, og_store_request request, const char *name, size_t max_keys)
{
    far_store *f = (far_store *)s;
    OG_AUTO(og_blob) own = request == OG_STORE_GET ? find_kept(f, name) : NULL;
    if (own != NULL || under_way(f, &f->expected) >= MAX_TRIPS)
        return;
    trip *t = prepare(f, request, name);
    if (t != NULL)
        t->max_keys = max_keys;
    (void)!add(f, &f->expected, depart(t));
}

/* Has this thread announced it already? */
static bool is_expected(far_store *f, const char *name, uint64_t offset)
{
    bool found = false;
    pthread_mutex_lock(&f->lock);
    for (const trip *t = f->expected; t != NULL && !found; t = t->next)
        found = is_wanted(t, OG_STORE_RANGE, name, offset);
    pthread_mutex_unlock(&f->lock);
    return found;
}

static void far_expect_range(og_store *s, const char *name, uint64_t offset, size_t len)
{
    far_store *f = (far_store *)s;
    OG_AUTO(og_blob) own = find_kept(f, name);
    if (own != NULL || is_expected(f, name, offset) || under_way(f, &f->expected) >= MAX_TRIPS)
        return;
    trip *t = prepare(f, OG_STORE_RANGE, name);
    if (t != NULL) {
        t->offset = offset;
        t->len = len;
    }
    (void)!add(f, &f->expected, depart(t));
}

static void far_expect_no_more(og_store *s)
{
    far_store *f = (far_store *)s;
    for (trip *t; (t = take(f, &f->expected, OG_STORE_GET, NULL, 0)) != NULL;)
        trip_free(t);
}

static trip *expected(far_store *f, og_store_request request, const char *name)
{
    return take(f, &f->expected, request, name, 0);
}

/* ---- reads -------------------------------------------------------------------------------- */

static og_status far_get(og_store *s, const char *name, og_blob **out, og_error *err)
{
    far_store *f = (far_store *)s;
    og_store__count(&s->stats.gets, 1);
    og_blob *own = find_kept(f, name);
    if (own != NULL) {
        *out = own;
        return OG_OK;
    }
    trip *t = expected(f, OG_STORE_GET, name);
    og_status status = t == NULL ? f->inner->ops->get(f->inner, name, out, err) : answer_of(t, err);
    if (t != NULL && status == OG_OK)
        *out = OG_TAKE(t->blob);
    if (t != NULL)
        trip_free(t);
    if (status == OG_OK)
        og_store__count(&s->stats.bytes_read, (*out)->len);
    return status;
}

static og_status fetch_range(far_store *f, const char *name, uint64_t offset, size_t len,
                             og_blob **out, og_error *err)
{
    trip *t = take(f, &f->expected, OG_STORE_RANGE, name, offset);
    if (t != NULL && t->len != len) {
        trip_free(t);
        t = NULL;
    }
    if (t == NULL)
        return f->inner->ops->get_range(f->inner, name, offset, len, out, err);
    og_status status = answer_of(t, err);
    if (status == OG_OK)
        *out = OG_TAKE(t->blob);
    trip_free(t);
    return status;
}

static og_status far_get_range(og_store *s, const char *name, uint64_t offset, size_t len,
                               og_blob **out, og_error *err)
{
    far_store *f = (far_store *)s;
    og_store__count(&s->stats.gets, 1);
    OG_AUTO(og_blob) own = find_kept(f, name);
    if (own == NULL) {
        og_store__count(&s->stats.bytes_read, len);
        return fetch_range(f, name, offset, len, out, err);
    }
    if (offset > own->len || len > own->len - offset)
        return og_error_set(err, OG_CORRUPT, "%s is shorter than what is read of it", name);
    *out = og_blob_copy((og_bytes){own->ptr + offset, len});
    return *out != NULL ? OG_OK : og_error_nomem(err);
}

static og_status far_head(og_store *s, const char *name, uint64_t *out_bytes, og_error *err)
{
    far_store *f = (far_store *)s;
    og_store__count(&s->stats.heads, 1);
    trip *t = expected(f, OG_STORE_HEAD, name);
    if (t == NULL)
        return f->inner->ops->head(f->inner, name, out_bytes, err);
    og_status status = answer_of(t, err);
    if (status == OG_OK)
        *out_bytes = t->bytes;
    trip_free(t);
    return status;
}

static og_status far_list(og_store *s, const char *prefix, bool recursive, const char *start_after,
                          size_t max_keys, og_listing *out, og_error *err)
{
    far_store *f = (far_store *)s;
    og_store__count(&s->stats.lists, 1);
    OG_TRY(land(f, err));
    bool is_plain = !recursive && start_after == NULL;
    trip *t = is_plain ? expected(f, OG_STORE_LIST, prefix) : NULL;
    bool fits = t != NULL && t->max_keys == max_keys;
    og_status status =
        fits ? answer_of(t, err)
             : f->inner->ops->list(f->inner, prefix, recursive, start_after, max_keys, out, err);
    if (fits && status == OG_OK) {
        *out = t->listing;
        t->listing = (og_listing){0};
    }
    if (t != NULL)
        trip_free(t);
    return status;
}

/* ---- writes ------------------------------------------------------------------------------- */

static og_status far_put(og_store *s, const char *name, og_bytes bytes, og_error *err)
{
    far_store *f = (far_store *)s;
    og_store__count(&s->stats.puts, 1);
    og_store__count(&s->stats.bytes_written, bytes.len);
    OG_TRY(land(f, err));
    return f->inner->ops->put(f->inner, name, bytes, err);
}

static og_status far_put_if_absent(og_store *s, const char *name, og_bytes bytes, bool durable,
                                   og_error *err)
{
    far_store *f = (far_store *)s;
    og_store__count(&s->stats.puts, 1);
    og_store__count(&s->stats.bytes_written, bytes.len);
    OG_TRY(land(f, err));
    return f->inner->ops->put_if_absent(f->inner, name, bytes, durable, err);
}

static og_status far_remove(og_store *s, const char *const *names, size_t count, og_error *err)
{
    far_store *f = (far_store *)s;
    og_store__count(&s->stats.deletes, count);
    OG_TRY(land(f, err));
    for (size_t i = 0; i < count; i++)
        forget(f, names[i]);
    return f->inner->ops->remove(f->inner, names, count, err);
}

static og_status far_remove_same(og_store *s, const char *name, og_bytes bytes, og_error *err)
{
    far_store *f = (far_store *)s;
    og_store__count(&s->stats.deletes, 1);
    OG_TRY(land(f, err));
    forget(f, name);
    return og_store_remove_same(f->inner, name, bytes, err);
}

static og_status far_sync(og_store *s, const char *const *names, size_t count, og_error *err)
{
    far_store *f = (far_store *)s;
    og_store__count(&s->stats.syncs, 1);
    og_status status = land(f, err);
    if (status == OG_OK)
        return f->inner->ops->sync(f->inner, names, count, err);
    if (err != NULL)
        err->status = OG_UNKNOWN;
    return OG_UNKNOWN;
}

/* ---- writers ------------------------------------------------------------------------------ */

/* Bytes are collected; an object that grows large streams through a writer of the inner store. */
typedef struct far_writer {
    og_object_writer base;
    far_store *store;
    og_buf bytes;
    og_object_writer *inner; /* NULL: all is in `bytes` */
    char name[];
} far_writer;

static og_status writer_append(og_object_writer *base, og_bytes bytes, og_error *err)
{
    far_writer *w = (far_writer *)base;
    og_store *inner = w->store->inner;
    base->bytes += bytes.len;
    if (w->inner == NULL && bytes.len <= KEPT_BYTES - w->bytes.len)
        return og_buf_append(&w->bytes, bytes.ptr, bytes.len) ? OG_OK : og_error_nomem(err);
    if (w->inner == NULL) {
        OG_TRY(inner->ops->create(inner, w->name, &w->inner, err));
        OG_TRY(w->inner->ops->append(w->inner, og_buf_bytes(&w->bytes), err));
        og_buf_clear(&w->bytes);
    }
    return w->inner->ops->append(w->inner, bytes, err);
}

static og_status writer_finish(og_object_writer *base, og_error *err)
{
    far_writer *w = (far_writer *)base;
    far_store *f = w->store;
    og_store__count(&f->base.stats.bytes_written, base->bytes);
    if (w->inner != NULL)
        return w->inner->ops->finish(w->inner, err);
    OG_AUTO(og_blob) blob = og_blob_copy(og_buf_bytes(&w->bytes));
    if (blob == NULL)
        return og_error_nomem(err);
    if (under_way(f, &f->uploads) >= MAX_TRIPS)
        OG_TRY(land(f, err));
    keep(f, w->name, blob);
    trip *t = prepare(f, OG_STORE_UPLOAD, w->name);
    if (t != NULL)
        t->blob = og_blob_ref(blob);
    if (!add(f, &f->uploads, depart(t)))
        return og_error_nomem(err);
    return OG_OK;
}

static void writer_close(og_object_writer *base)
{
    far_writer *w = (far_writer *)base;
    og_object_writer_close(w->inner);
    og_buf_deinit(&w->bytes);
    og_free(w);
}

static og_status far_create(og_store *s, const char *name, og_object_writer **out, og_error *err)
{
    static const og_object_writer_ops ops = {writer_append, writer_finish, writer_close};
    size_t size = strlen(name) + 1;
    og_store__count(&s->stats.puts, 1);
    OG_TRY(og_store__check_name(name, err));
    far_writer *w = og_calloc(1, sizeof *w + size);
    if (w == NULL)
        return og_error_nomem(err);
    w->base.ops = &ops;
    w->store = (far_store *)s;
    memcpy(w->name, name, size);
    *out = &w->base;
    return OG_OK;
}

/* ---- open and close ----------------------------------------------------------------------- */

static void drop_all(trip *t)
{
    while (t != NULL) {
        trip *next = t->next;
        pthread_join(t->thread, NULL);
        trip_free(t);
        t = next;
    }
}

static void far_close(og_store *s)
{
    far_store *f = (far_store *)s;
    drop_all(f->expected);
    drop_all(f->uploads);
    free_kept(f->kept);
    pthread_mutex_destroy(&f->lock);
    og_free(f);
}

og_status og_store_open_far(og_store *inner, og_store **out, og_error *err)
{
    static const og_store_ops ops = {
        .get = far_get,
        .get_range = far_get_range,
        .head = far_head,
        .put = far_put,
        .put_if_absent = far_put_if_absent,
        .create = far_create,
        .list = far_list,
        .remove = far_remove,
        .remove_same = far_remove_same,
        .sync = far_sync,
        .expect = far_expect,
        .expect_range = far_expect_range,
        .expect_no_more = far_expect_no_more,
        .close = far_close,
    };
    far_store *f = og_calloc(1, sizeof *f);
    if (f == NULL)
        return og_error_nomem(err);
    f->base = (og_store){.ops = &ops, .list_is_cheap = inner->list_is_cheap, .root = inner->root};
    f->inner = inner;
    pthread_mutex_init(&f->lock, NULL);
    *out = &f->base;
    return OG_OK;
}
