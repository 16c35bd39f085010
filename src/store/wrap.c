#include "store/wrap.h"

#include "store/store_priv.h"

#include <time.h>

typedef struct wrapped_store {
    og_store base;
    og_store *inner;
    og_store_hook hook;
    uint32_t latency_us;
    uint64_t calls; /* atomic */
    bool dead;      /* atomic; after OG_STORE_CRASH */
} wrapped_store;

/* What a call does with its fault: whether the inner store is called, and what is answered instead
 * of its answer (OG_OK: its own). */
typedef struct verdict {
    bool call;
    og_status answer;
} verdict;

static void wait_us(uint32_t us)
{
    struct timespec left = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
    while (us > 0 && nanosleep(&left, &left) != 0)
        continue;
}

static verdict judge(wrapped_store *w, const char *op, const char *name, bool is_read)
{
    uint64_t call = __atomic_fetch_add(&w->calls, 1, __ATOMIC_RELAXED);
    og_store_fault fault = OG_STORE_PASS;
    if (w->hook.before != NULL)
        fault = w->hook.before(w->hook.context, call, op, name);
    if (fault == OG_STORE_CRASH)
        __atomic_store_n(&w->dead, true, __ATOMIC_RELAXED);
    if (__atomic_load_n(&w->dead, __ATOMIC_RELAXED))
        return (verdict){false, OG_CANCELLED};
    wait_us(w->latency_us);
    switch (fault) {
    case OG_STORE_PASS:
        return (verdict){true, OG_OK};
    case OG_STORE_LOST_ACK:
        return (verdict){true, is_read ? OG_IO : OG_UNKNOWN};
    case OG_STORE_UNDONE:
        return (verdict){false, is_read ? OG_IO : OG_UNKNOWN};
    case OG_STORE_FULL:
        return (verdict){false, is_read ? OG_IO : OG_LIMIT};
    default:
        return (verdict){false, OG_IO};
    }
}

static const char *explain(og_status status)
{
    switch (status) {
    case OG_CANCELLED:
        return "the process is dead";
    case OG_UNKNOWN:
        return "the answer was lost";
    case OG_LIMIT:
        return "the disk is full";
    default:
        return "injected failure";
    }
}

static og_status injected(verdict v, const char *op, const char *name, og_error *err)
{
    return og_error_set(err, v.answer, "%s %s: %s", op, name, explain(v.answer));
}

/* The answer of a call without outputs: the inner one's, `done`, unless the fault hides it. */
static og_status answer(verdict v, og_status done, const char *op, const char *name, og_error *err)
{
    return v.answer == OG_OK ? done : injected(v, op, name, err);
}

static og_status wrap_get(og_store *s, const char *name, og_blob **out, og_error *err)
{
    wrapped_store *w = (wrapped_store *)s;
    og_store__count(&s->stats.gets, 1);
    verdict v = judge(w, "get", name, true);
    if (v.answer != OG_OK)
        return injected(v, "get", name, err);
    OG_TRY(w->inner->ops->get(w->inner, name, out, err));
    og_store__count(&s->stats.bytes_read, (*out)->len);
    return OG_OK;
}

static og_status wrap_get_range(og_store *s, const char *name, uint64_t offset, size_t len,
                                og_blob **out, og_error *err)
{
    wrapped_store *w = (wrapped_store *)s;
    og_store__count(&s->stats.gets, 1);
    verdict v = judge(w, "get_range", name, true);
    if (v.answer != OG_OK)
        return injected(v, "get_range", name, err);
    OG_TRY(w->inner->ops->get_range(w->inner, name, offset, len, out, err));
    og_store__count(&s->stats.bytes_read, len);
    return OG_OK;
}

static og_status wrap_head(og_store *s, const char *name, uint64_t *out_bytes, og_error *err)
{
    wrapped_store *w = (wrapped_store *)s;
    og_store__count(&s->stats.heads, 1);
    verdict v = judge(w, "head", name, true);
    if (v.answer != OG_OK)
        return injected(v, "head", name, err);
    return w->inner->ops->head(w->inner, name, out_bytes, err);
}

static og_status wrap_put(og_store *s, const char *name, og_bytes bytes, og_error *err)
{
    wrapped_store *w = (wrapped_store *)s;
    og_store__count(&s->stats.puts, 1);
    verdict v = judge(w, "put", name, false);
    og_status done = v.call ? w->inner->ops->put(w->inner, name, bytes, err) : OG_IO;
    if (done == OG_OK)
        og_store__count(&s->stats.bytes_written, bytes.len);
    return answer(v, done, "put", name, err);
}

/* The first half over what was there. */
static void put_half(og_store *inner, const char *name, og_bytes bytes)
{
    OG_AUTO(og_blob) old = NULL;
    OG_AUTO_BUF torn = OG_BUF_INIT;
    size_t half = bytes.len / 2;
    og_buf_append(&torn, bytes.ptr, half);
    if (inner->ops->get(inner, name, &old, NULL) == OG_OK && old->len > half)
        og_buf_append(&torn, old->ptr + half, old->len - half);
    if (!torn.failed)
        (void)!og_store_put_summed(inner, name, og_buf_bytes(&torn), NULL);
}

/* Writing over an object is not done at once: with UNDONE and CRASH half of it is. */
static og_status wrap_put_summed(og_store *s, const char *name, og_bytes bytes, og_error *err)
{
    wrapped_store *w = (wrapped_store *)s;
    og_store__count(&s->stats.puts, 1);
    bool was_dead = __atomic_load_n(&w->dead, __ATOMIC_RELAXED);
    verdict v = judge(w, "put_summed", name, false);
    og_status done = v.call ? og_store_put_summed(w->inner, name, bytes, err) : OG_IO;
    if (done == OG_OK)
        og_store__count(&s->stats.bytes_written, bytes.len);
    bool is_cut_off = v.answer == OG_UNKNOWN || (v.answer == OG_CANCELLED && !was_dead);
    if (!v.call && is_cut_off)
        put_half(w->inner, name, bytes);
    return answer(v, done, "put_summed", name, err);
}

static og_status wrap_put_if_absent(og_store *s, const char *name, og_bytes bytes, bool durable,
                                    og_error *err)
{
    wrapped_store *w = (wrapped_store *)s;
    og_store__count(&s->stats.puts, 1);
    verdict v = judge(w, "put_if_absent", name, false);
    og_status done =
        v.call ? w->inner->ops->put_if_absent(w->inner, name, bytes, durable, err) : OG_IO;
    if (done == OG_OK)
        og_store__count(&s->stats.bytes_written, bytes.len);
    return answer(v, done, "put_if_absent", name, err);
}

static og_status wrap_list(og_store *s, const char *prefix, bool recursive, const char *start_after,
                           size_t max_keys, og_listing *out, og_error *err)
{
    wrapped_store *w = (wrapped_store *)s;
    og_store__count(&s->stats.lists, 1);
    verdict v = judge(w, "list", prefix, true);
    if (v.answer != OG_OK)
        return injected(v, "list", prefix, err);
    return w->inner->ops->list(w->inner, prefix, recursive, start_after, max_keys, out, err);
}

static og_status wrap_remove(og_store *s, const char *const *names, size_t count, og_error *err)
{
    wrapped_store *w = (wrapped_store *)s;
    const char *name = count > 0 ? names[0] : "";
    og_store__count(&s->stats.deletes, count);
    verdict v = judge(w, "remove", name, false);
    og_status done = v.call ? w->inner->ops->remove(w->inner, names, count, err) : OG_IO;
    return answer(v, done, "remove", name, err);
}

static og_status wrap_remove_same(og_store *s, const char *name, og_bytes bytes, og_error *err)
{
    wrapped_store *w = (wrapped_store *)s;
    og_store__count(&s->stats.deletes, 1);
    verdict v = judge(w, "remove", name, false);
    og_status done = v.call ? og_store_remove_same(w->inner, name, bytes, err) : OG_IO;
    return answer(v, done, "remove", name, err);
}

/* Changes nothing, so it does not count, and does not fail. */
static og_turn *wrap_take_turn(og_store *s, const char *folder, uint32_t wait_us)
{
    return og_store_take_turn(((wrapped_store *)s)->inner, folder, wait_us);
}

static og_status wrap_sync(og_store *s, const char *const *names, size_t count, og_error *err)
{
    wrapped_store *w = (wrapped_store *)s;
    const char *name = count > 0 ? names[0] : "";
    og_store__count(&s->stats.syncs, 1);
    verdict v = judge(w, "sync", name, false);
    /* A sync that fails says nothing about what reached the disk. */
    if (v.answer == OG_IO || v.answer == OG_LIMIT)
        v.answer = OG_UNKNOWN;
    og_status done = v.call ? w->inner->ops->sync(w->inner, names, count, err) : OG_IO;
    return answer(v, done, "sync", name, err);
}

/* ---- writers ------------------------------------------------------------------------------ */

typedef struct wrapped_writer {
    og_object_writer base;
    wrapped_store *store;
    og_object_writer *inner;
    bool failed; /* an append was lost, so the object must not appear */
    char name[]; /* NUL-terminated */
} wrapped_writer;

static og_status writer_append(og_object_writer *base, og_bytes bytes, og_error *err)
{
    wrapped_writer *w = (wrapped_writer *)base;
    verdict v = judge(w->store, "append", w->name, false);
    /* Bytes that did not arrive are known to be missing: an append has no unknown outcome. */
    if (v.answer == OG_UNKNOWN)
        v.answer = OG_IO;
    og_status done = v.call ? w->inner->ops->append(w->inner, bytes, err) : OG_IO;
    base->bytes = w->inner->bytes;
    w->failed = w->failed || v.answer != OG_OK;
    return answer(v, done, "append", w->name, err);
}

static og_status writer_finish(og_object_writer *base, og_error *err)
{
    wrapped_writer *w = (wrapped_writer *)base;
    verdict v = judge(w->store, "finish", w->name, false);
    if (w->failed && v.answer == OG_OK)
        return og_error_set(err, OG_IO, "cannot write %s: an earlier write to it failed", w->name);
    og_status done = v.call && !w->failed ? w->inner->ops->finish(w->inner, err) : OG_IO;
    if (done == OG_OK)
        og_store__count(&w->store->base.stats.bytes_written, base->bytes);
    return answer(v, done, "finish", w->name, err);
}

static void writer_close(og_object_writer *base)
{
    wrapped_writer *w = (wrapped_writer *)base;
    og_object_writer_close(w->inner);
    og_free(w);
}

static og_status wrap_create(og_store *s, const char *name, og_object_writer **out, og_error *err)
{
    static const og_object_writer_ops ops = {writer_append, writer_finish, writer_close};
    wrapped_store *w = (wrapped_store *)s;
    og_store__count(&s->stats.puts, 1);
    verdict v = judge(w, "create", name, false);
    /* Nothing is visible before finish, so a writer that is not handed over was not made. */
    if (v.answer == OG_UNKNOWN)
        v.answer = OG_IO;
    if (v.answer != OG_OK)
        return injected(v, "create", name, err);

    size_t name_size = strlen(name) + 1;
    OG_AUTO_FREE wrapped_writer *writer = og_calloc(1, sizeof *writer + name_size);
    if (writer == NULL)
        return og_error_nomem(err);
    writer->base.ops = &ops;
    writer->store = w;
    memcpy(writer->name, name, name_size);
    OG_TRY(w->inner->ops->create(w->inner, name, &writer->inner, err));
    *out = &OG_TAKE(writer)->base;
    return OG_OK;
}

/* Nothing becomes visible and nothing can be told to have failed: no call of its own. */
static bool wrap_announce(og_store *s, const char *name, og_bytes bytes)
{
    og_store *inner = ((wrapped_store *)s)->inner;
    return inner->ops->announce != NULL && inner->ops->announce(inner, name, bytes);
}

/* ---- open and close ----------------------------------------------------------------------- */

static void wrap_close(og_store *s)
{
    og_free(s);
}

og_status og_store_wrap(og_store *inner, og_store_hook hook, uint32_t latency_us, og_store **out,
                        og_error *err)
{
    static const og_store_ops ops = {
        .get = wrap_get,
        .get_range = wrap_get_range,
        .head = wrap_head,
        .put = wrap_put,
        .put_summed = wrap_put_summed,
        .put_if_absent = wrap_put_if_absent,
        .announce = wrap_announce,
        .create = wrap_create,
        .list = wrap_list,
        .remove = wrap_remove,
        .remove_same = wrap_remove_same,
        .sync = wrap_sync,
        .take_turn = wrap_take_turn,
        .close = wrap_close,
    };
    wrapped_store *w = og_calloc(1, sizeof *w);
    if (w == NULL)
        return og_error_nomem(err);
    w->base = (og_store){.ops = &ops,
                         .maps_objects = inner->maps_objects,
                         .list_is_cheap = inner->list_is_cheap,
                         .root = inner->root};
    w->inner = inner;
    w->hook = hook;
    w->latency_us = latency_us;
    *out = &w->base;
    return OG_OK;
}

static og_store_fault fail_at(void *context, uint64_t call, const char *op, const char *name)
{
    og_store_fault_at *plan = context;
    (void)op;
    (void)name;
    __atomic_fetch_add(&plan->seen, 1, __ATOMIC_RELAXED);
    return call == plan->at ? plan->fault : OG_STORE_PASS;
}

og_store_hook og_store_hook_at(og_store_fault_at *plan)
{
    return (og_store_hook){fail_at, plan};
}
