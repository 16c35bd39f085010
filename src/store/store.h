/* store/store - objects under names: the only way the engine touches storage.
 *
 * A store is a flat space of immutable objects under '/'-separated names relative to its root (the
 * graph's folder or prefix). No object is ever changed in place but by put_summed. Backends: a
 * folder (store/file.h), memory (store/memory.h); wrappers that count, delay and fail
 * (store/wrap.h) have this same shape, so any of them can stand around any other.
 *
 * Durability. put and put_if_absent make an object visible; it survives power loss only after a
 * sync that names it returned OG_OK. So the engine states its phases: write all, sync all, then
 * write what refers to them. An object store that is durable at put has a sync that does nothing.
 *
 * Outcomes. A write whose acknowledgement was lost returns OG_UNKNOWN: the object may
 * be there or not; the caller asks with get. OG_EXISTS: put_if_absent lost (the winner's bytes
 * are there). OG_NOT_FOUND: no such object. All functions are thread safe. */
#ifndef OG_STORE_STORE_H
#define OG_STORE_STORE_H

#include "base/alloc.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef struct og_store og_store;

/* Bytes of an object: released with og_blob_unref. May be a mapping of the file. */
typedef struct og_blob og_blob;
struct og_blob {
    const uint8_t *ptr;
    size_t len;
    void (*release)(og_blob *blob); /* frees the struct too */
    int32_t refs;
    bool is_mapped;
};
og_blob *og_blob_ref(og_blob *blob);
void og_blob_unref(og_blob *blob);
OG_DEFINE_AUTO(og_blob, og_blob_unref)
/* A hint that a mapping will be read at random: touching a byte then brings in its page only, not
 * the megabytes around it that the system would read ahead. What is read in one go should be
 * prefetched. Other blobs are not affected. */
void og_blob_read_at_random(const og_blob *blob);
/* Begin to bring a range (clipped to the blob) into memory, without waiting for it. */
void og_blob_prefetch(const og_blob *blob, uint64_t offset, uint64_t len);
/* A blob that owns a heap copy of `bytes`; NULL when out of memory. */
og_blob *og_blob_copy(og_bytes bytes);

typedef struct og_object_info {
    og_str name; /* owned by the listing */
    uint64_t bytes;
    int64_t modified_us; /* microseconds since 1970; 0 when the store does not know */
} og_object_info;

/* A listing; entries and their names are owned by it. */
typedef struct og_listing {
    og_object_info *items;
    size_t len;
    struct og_arena *arena;
} og_listing;
void og_listing_deinit(og_listing *listing);

/* Counted by every backend; a wrapper may read and reset them. */
typedef struct og_store_stats {
    uint64_t gets, puts, heads, lists, deletes, syncs;
    uint64_t bytes_read, bytes_written;
} og_store_stats;

/* Bytes of an object while they are being produced: appended, then finished or dropped. */
typedef struct og_object_writer og_object_writer;
typedef struct og_object_writer_ops {
    og_status (*append)(og_object_writer *w, og_bytes bytes, og_error *err);
    /* Make the object visible under its name (never replacing one that is there: OG_EXISTS). */
    og_status (*finish)(og_object_writer *w, og_error *err);
    /* Frees the writer; without a finish, nothing stays. */
    void (*close)(og_object_writer *w);
} og_object_writer_ops;
struct og_object_writer {
    const og_object_writer_ops *ops;
    uint64_t bytes; /* appended so far; kept by the backend */
};
static inline void og_object_writer_close(og_object_writer *w)
{
    if (w != NULL)
        w->ops->close(w);
}
OG_DEFINE_AUTO(og_object_writer, og_object_writer_close)

/* A turn at a folder, see take_turn. */
typedef struct og_turn og_turn;
struct og_turn {
    void (*end)(og_turn *turn); /* frees it, too */
};
static inline void og_turn_end(og_turn *turn)
{
    if (turn != NULL)
        turn->end(turn);
}
OG_DEFINE_AUTO(og_turn, og_turn_end)

#define OG_STORE_REMOVE_BESIDE 64

/* A call that can be announced by `expect`. */
typedef enum og_store_request {
    OG_STORE_GET,
    OG_STORE_HEAD,
    OG_STORE_LIST,   /* not recursive, from the first name */
    OG_STORE_RANGE,  /* by expect_range */
    OG_STORE_UPLOAD, /* for use inside a store: never announced */
} og_store_request;

typedef struct og_store_ops {
    /* Whole object. */
    og_status (*get)(og_store *s, const char *name, og_blob **out, og_error *err);
    /* Exactly `len` bytes from `offset`; OG_CORRUPT when the object is shorter. */
    og_status (*get_range)(og_store *s, const char *name, uint64_t offset, size_t len,
                           og_blob **out, og_error *err);
    /* Size without content. */
    og_status (*head)(og_store *s, const char *name, uint64_t *out_bytes, og_error *err);
    /* Create or replace, atomically. For derived state only. */
    og_status (*put)(og_store *s, const char *name, og_bytes bytes, og_error *err);
    /* As put, for objects that hold a checksum of themselves: an existing object may be overwritten
     * in place, so a reader, at the same time or after a crash, may find a part of it or old and
     * new bytes mixed. Readers copy a mapping before they check it. This spares the disk making a
     * new file and dropping the old one. NULL: put does it. */
    og_status (*put_summed)(og_store *s, const char *name, og_bytes bytes, og_error *err);
    /* Create; OG_EXISTS when the name is taken. `durable`: the content reaches the disk before the
     * name appears, so that the name never leads to torn content, as the slots of versions need it.
     * The name itself still needs a sync. */
    og_status (*put_if_absent)(og_store *s, const char *name, og_bytes bytes, bool durable,
                               og_error *err);
    /* Announce that this thread will call a durable put_if_absent of exactly these bytes, after its
     * next sync, so that the content can be written beforehand. True: the name may be given to that
     * sync, which then takes the content to disk together with all the rest, and put_if_absent has
     * only the name to make. `bytes.ptr` NULL takes an announcement back. NULL op: the store gains
     * nothing from it. */
    bool (*announce)(og_store *s, const char *name, og_bytes bytes);
    og_status (*create)(og_store *s, const char *name, og_object_writer **out, og_error *err);
    /* Names below `prefix` (which ends in '/' or is ""), not recursive unless `recursive`,
     * in byte order, after `start_after` (NULL = from the first), at most max_keys (0 =
     * all). Names are full names. A missing folder is an empty listing. Non-recursive
     * listings leave out folders. */
    og_status (*list)(og_store *s, const char *prefix, bool recursive, const char *start_after,
                      size_t max_keys, og_listing *out, og_error *err);
    /* Absent names are no error. Fewer than OG_STORE_REMOVE_BESIDE names go in their order, more in
     * any. */
    og_status (*remove)(og_store *s, const char *const *names, size_t count, og_error *err);
    /* Remove an object that holds exactly these bytes. OG_EXISTS: it holds others, and stays;
     * OG_NOT_FOUND: there is none. NULL: og_store_remove_same does it in two calls. */
    og_status (*remove_same)(og_store *s, const char *name, og_bytes bytes, og_error *err);
    /* Return when these objects and their names survive power loss. A name that this store has just
     * removed may be given too, alone in the call: it then stays removed. After a failed sync the
     * outcome of the writes is unknown (OG_UNKNOWN); it is never retried. */
    og_status (*sync)(og_store *s, const char *const *names, size_t count, og_error *err);
    /* Take the turn at a folder: other processes and threads that ask for it wait meanwhile. NULL
     * when somebody else keeps it for `wait_us` or longer, or when it can't be taken. A process
     * that dies gives its turn back. Correctness must not depend on turns: they only spare writers
     * work that all but one of them would have to throw away. NULL op: the store has no turns. */
    og_turn *(*take_turn)(og_store *s, const char *folder, uint32_t wait_us);
    /* Announce a call that this thread will make soon. A store that is far away sends the request
     * at once, and the call then takes its answer, which may be older than the call but not than
     * the announcement. `max_keys` is that of a listing. expect_no_more drops what this thread
     * announced and did not ask for. All three are NULL in a store that is near. */
    void (*expect)(og_store *s, og_store_request request, const char *name, size_t max_keys);
    /* The same of get_range; announced twice, it is sent once. */
    void (*expect_range)(og_store *s, const char *name, uint64_t offset, size_t len);
    void (*expect_no_more)(og_store *s);
    /* Begin to bring a small object into memory, because somebody will read it soon. NULL op:
     * the store gains nothing from it. */
    void (*read_ahead)(og_store *s, const char *name);
    void (*close)(og_store *s);
} og_store_ops;

struct og_store {
    const og_store_ops *ops;
    og_store_stats stats; /* updated with relaxed atomics */
    bool maps_objects; /* get costs no copy (a mapping): readers take whole objects, not ranges */
    /* Calls wait for a disk, so work that another thread does meanwhile costs no time. */
    bool waits_for_disk;
    bool list_is_cheap; /* a LIST with max_keys 1 is one ordered request (S3), not a folder scan */
    const char *root;   /* absolute folder or URI prefix, for messages and manifest_path; owned */
};

OG_NODISCARD static inline og_status og_store_put_summed(og_store *s, const char *name,
                                                         og_bytes bytes, og_error *err)
{
    return (s->ops->put_summed != NULL ? s->ops->put_summed : s->ops->put)(s, name, bytes, err);
}

/* See remove_same. In a store that can't do it at once, another may replace the object between the
 * look and the removal: if there are turns, only when we sleep then for longer than others wait for
 * theirs. */
OG_NODISCARD og_status og_store_remove_same(og_store *s, const char *name, og_bytes bytes,
                                            og_error *err);

static inline og_turn *og_store_take_turn(og_store *s, const char *folder, uint32_t wait_us)
{
    return s->ops->take_turn != NULL ? s->ops->take_turn(s, folder, wait_us) : NULL;
}

/* Is the store so far away that calls are worth announcing? */
static inline bool og_store_is_far(const og_store *s)
{
    return s->ops->expect != NULL;
}

static inline void og_store_expect(og_store *s, og_store_request request, const char *name,
                                   size_t max_keys)
{
    if (s->ops->expect != NULL)
        s->ops->expect(s, request, name, max_keys);
}

static inline void og_store_expect_range(og_store *s, const char *name, uint64_t offset, size_t len)
{
    if (s->ops->expect_range != NULL)
        s->ops->expect_range(s, name, offset, len);
}

static inline void og_store_read_ahead(og_store *s, const char *name)
{
    if (s->ops->read_ahead != NULL)
        s->ops->read_ahead(s, name);
}

static inline void og_store_expect_no_more(og_store *s)
{
    if (s->ops->expect_no_more != NULL)
        s->ops->expect_no_more(s);
}

static inline void og_store_close(og_store *s)
{
    if (s != NULL)
        s->ops->close(s);
}
OG_DEFINE_AUTO(og_store, og_store_close)

#endif
