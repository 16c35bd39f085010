/* store/file_priv - the folder store: state shared by file.c (reads, names), file_write.c (making
 * objects) and file_sync.c (durability). */
#ifndef OG_STORE_FILE_PRIV_H
#define OG_STORE_FILE_PRIV_H

#include "base/thread.h"
#include "base/vec.h"
#include "store/file.h"
#include "store/store_priv.h"

#include <pthread.h>

/* How many names with durable content, whose folder entry is not synced yet, are remembered. */
#define OG_STORE__DURABLE_SLOTS 64

/* A file that has no name of its own yet. */
typedef struct og_store__temp {
    int fd;
    char path[OG_STORE__NAME_MAX + 32]; /* relative to the root */
} og_store__temp;

/* An object whose content is written but which has no name yet
 * (og_store_ops.announce). It belongs to the thread that announced it: other threads,
 * which may announce the same name, do not see it. */
typedef struct og_store__announced {
    og_store__temp temp;
    pthread_t owner;
    size_t len;
    uint64_t sum; /* og_hash64 of the content */
    bool durable;
    bool failed; /* a sync of it failed: it is never trusted */
    char name[]; /* NUL-terminated */
} og_store__announced;

typedef struct og_store__file {
    og_store base;
    int root_fd; /* all names are opened relative to it */
    char *root;
    og_store_sync_probe probe; /* NULL unless a test looks */
    void *probe_context;

    pthread_mutex_t lock;                   /* guards what follows */
    og_pool *sync_pool;                     /* NULL until one is needed */
    OG_VEC(char *) new_folders;             /* made by us, whose own names are not yet synced */
    char *durable[OG_STORE__DURABLE_SLOTS]; /* ring; NULL = free */
    size_t durable_next;
    OG_VEC(og_store__announced *) announced;
} og_store__file;

/* og_error_errno with the full path of the object; ENOTDIR (a parent is a file) is OG_NOT_FOUND. */
og_status og_store__file_error(const og_store__file *s, int errnum, const char *what,
                               const char *name, og_error *err);

/* file_write.c */
og_status og_store__file_put(og_store *s, const char *name, og_bytes bytes, og_error *err);
og_status og_store__file_put_summed(og_store *s, const char *name, og_bytes bytes, og_error *err);
og_status og_store__file_put_if_absent(og_store *s, const char *name, og_bytes bytes, bool durable,
                                       og_error *err);
bool og_store__file_announce(og_store *s, const char *name, og_bytes bytes);
/* What this thread announced under the name; NULL: nothing. Borrowed. */
og_store__announced *og_store__file_find_announced(og_store__file *s, const char *name);
void og_store__file_drop_announced(og_store__file *s, og_store__announced *announced);
og_status og_store__file_create(og_store *s, const char *name, og_object_writer **out,
                                og_error *err);

/* file_turn.c */
og_turn *og_store__file_take_turn(og_store *s, const char *folder, uint32_t wait_us);

/* file_sync.c */
og_status og_store__file_sync(og_store *s, const char *const *names, size_t count, og_error *err);
/* fdatasync of an open file, seen by the probe. 0 or an errno value. */
int og_store__file_sync_fd(og_store__file *s, int fd, const char *name);
/* Make `path` (a folder) and the parents it lacks, and remember them for sync. 0 or errno. */
int og_store__file_make_folder(og_store__file *s, og_str path);
/* Remember that the content of `name` is on disk and only its folder entry is not.
 * When that is forgotten, sync does one fdatasync too many. */
void og_store__file_note_durable(og_store__file *s, const char *name);
/* Was it noted? Forgets the note. */
bool og_store__file_take_durable(og_store__file *s, const char *name);
void og_store__file_forget_syncs(og_store__file *s);

#endif
