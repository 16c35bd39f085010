#include "store/file.h"

#include "store/file_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads of this many bytes and more map the file instead of copying it. A mapping of a file that
 * somebody cuts short kills the process with SIGBUS when the lost part is touched. Objects never
 * change in place and are never cut, so only damage done from outside can bring that about; small
 * reads, where a mapping gains nothing, do not take even that risk. */
#define MAP_MIN_BYTES (64 * 1024)
/* A listing follows symbolic links; a cycle of them ends here. */
#define LIST_MAX_DEPTH 64

og_status og_store__file_error(const og_store__file *s, int errnum, const char *what,
                               const char *name, og_error *err)
{
    char path[4096];
    if (err == NULL)
        return og_error_errno(NULL, errnum == ENOTDIR ? ENOENT : errnum, "", "");
    snprintf(path, sizeof path, "%s%s%s", s->root, name[0] != '\0' ? "/" : "", name);
    return og_error_errno(err, errnum == ENOTDIR ? ENOENT : errnum, what, path);
}

/* ---- reads -------------------------------------------------------------------------------- */

typedef struct map_blob {
    og_blob base;
    void *map;
    size_t map_len;
} map_blob;

static void release_map(og_blob *blob)
{
    map_blob *m = (map_blob *)blob;
    munmap(m->map, m->map_len);
    og_free(m);
}

/* Opens a regular file; a folder is no object. */
static og_status open_object(og_store__file *s, const char *name, int *out_fd, uint64_t *out_bytes,
                             og_error *err)
{
    int fd;
    /* Without O_NONBLOCK a FIFO in the folder would make us wait for its writer. */
    do
        fd = openat(s->root_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return og_store__file_error(s, errno, "cannot open", name, err);
    struct stat st;
    int errnum = fstat(fd, &st) != 0 ? errno : S_ISREG(st.st_mode) ? 0 : ENOENT;
    if (errnum != 0) {
        close(fd);
        return og_store__file_error(s, errnum, "cannot open", name, err);
    }
    *out_fd = fd;
    *out_bytes = (uint64_t)st.st_size;
    return OG_OK;
}

static og_status read_copy(og_store__file *s, int fd, const char *name, uint64_t offset, size_t len,
                           og_blob **out, og_error *err)
{
    uint8_t *dst;
    OG_AUTO(og_blob) blob = og_store__blob_new(len, &dst);
    if (blob == NULL)
        return og_error_nomem(err);
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(fd, dst + done, len - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return og_store__file_error(s, errno, "cannot read", name, err);
        if (n == 0)
            return og_error_set(err, OG_CORRUPT, "%s/%s became shorter while it was read", s->root,
                                name);
        done += (size_t)n;
    }
    *out = OG_TAKE(blob);
    return OG_OK;
}

static og_status read_map(og_store__file *s, int fd, const char *name, uint64_t offset, size_t len,
                          og_blob **out, og_error *err)
{
    size_t skip = (size_t)(offset & ((uint64_t)sysconf(_SC_PAGESIZE) - 1));
    OG_AUTO_FREE map_blob *m = og_malloc(sizeof *m);
    if (m == NULL)
        return og_error_nomem(err);
    void *map = mmap(NULL, skip + len, PROT_READ, MAP_PRIVATE, fd, (off_t)(offset - skip));
    if (map == MAP_FAILED)
        return og_store__file_error(s, errno, "cannot map", name, err);
    *m = (map_blob){.base = {.ptr = (const uint8_t *)map + skip,
                             .len = len,
                             .release = release_map,
                             .refs = 1,
                             .is_mapped = true},
                    .map = map,
                    .map_len = skip + len};
    *out = &OG_TAKE(m)->base;
    return OG_OK;
}

static og_status read_range(og_store__file *s, int fd, const char *name, uint64_t offset,
                            size_t len, og_blob **out, og_error *err)
{
    if (len < MAP_MIN_BYTES)
        OG_TRY(read_copy(s, fd, name, offset, len, out, err));
    else
        OG_TRY(read_map(s, fd, name, offset, len, out, err));
    og_store__count(&s->base.stats.bytes_read, len);
    return OG_OK;
}

static og_status file_get(og_store *store, const char *name, og_blob **out, og_error *err)
{
    og_store__file *s = (og_store__file *)store;
    og_store__count(&store->stats.gets, 1);
    OG_TRY(og_store__check_name(name, err));
    int fd;
    uint64_t bytes;
    OG_TRY(open_object(s, name, &fd, &bytes, err));
    og_status status = read_range(s, fd, name, 0, (size_t)bytes, out, err);
    close(fd);
    return status;
}

static og_status file_get_range(og_store *store, const char *name, uint64_t offset, size_t len,
                                og_blob **out, og_error *err)
{
    og_store__file *s = (og_store__file *)store;
    og_store__count(&store->stats.gets, 1);
    OG_TRY(og_store__check_name(name, err));
    int fd;
    uint64_t bytes;
    OG_TRY(open_object(s, name, &fd, &bytes, err));
    og_status status;
    if (offset > bytes || len > bytes - offset)
        status =
            og_error_set(err, OG_CORRUPT,
                         "%s/%s has %" PRIu64 " bytes; %zu at offset %" PRIu64 " were asked for",
                         s->root, name, bytes, len, offset);
    else
        status = read_range(s, fd, name, offset, len, out, err);
    close(fd);
    return status;
}

static og_status file_head(og_store *store, const char *name, uint64_t *out_bytes, og_error *err)
{
    og_store__file *s = (og_store__file *)store;
    og_store__count(&store->stats.heads, 1);
    OG_TRY(og_store__check_name(name, err));
    struct stat st;
    if (fstatat(s->root_fd, name, &st, 0) != 0)
        return og_store__file_error(s, errno, "cannot open", name, err);
    if (!S_ISREG(st.st_mode))
        return og_store__file_error(s, ENOENT, "cannot open", name, err);
    *out_bytes = (uint64_t)st.st_size;
    return OG_OK;
}

/* The disk works while the caller waits for another object. */
static void file_read_ahead(og_store *store, const char *name)
{
    og_store__file *s = (og_store__file *)store;
    int fd = og_store__check_name(name, NULL) == OG_OK
                 ? openat(s->root_fd, name, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
                 : -1;
    if (fd < 0)
        return;
    (void)!posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
    close(fd);
}

/* ---- list and remove ---------------------------------------------------------------------- */

typedef struct walk {
    og_store__file *store;
    og_store__lister lister;
    bool recursive;
    int depth;
    size_t len;                        /* of path */
    char path[OG_STORE__NAME_MAX + 1]; /* the folder, with its '/' unless it is the root */
} walk;

static og_status walk_folder(walk *w, og_error *err);

static og_status walk_below(walk *w, og_error *err)
{
    if (++w->depth > LIST_MAX_DEPTH)
        return og_error_set(err, OG_LIMIT, "%s/%s: folders are nested too deep to be listed",
                            w->store->root, w->path);
    og_status status = walk_folder(w, err);
    w->depth--;
    return status;
}

static og_status walk_entry(walk *w, int folder_fd, const struct dirent *entry, og_error *err)
{
    og_str name = og_str_of(entry->d_name);
    if (og_str_is(name, ".") || og_str_is(name, "..") ||
        og_str_starts(name, OG_STR(OG_STORE__TEMP_PREFIX)))
        return OG_OK;
    if (entry->d_type == DT_DIR && !w->recursive)
        return OG_OK;
    /* A file with a longer name is not an object: no name reaches it. */
    if (name.len + 1 > OG_STORE__NAME_MAX - w->len)
        return OG_OK;
    size_t before = w->len;
    memcpy(w->path + before, name.ptr, name.len + 1);
    w->len += name.len;
    og_status status = OG_OK;
    struct stat st = {0};
    if (entry->d_type == DT_REG && !og_store__list_wants(&w->lister, (og_str){w->path, w->len})) {
        /* Nobody asks how large it is. */
    } else if (fstatat(folder_fd, entry->d_name, &st, 0) != 0) {
        if (errno != ENOENT) /* gone meanwhile, or a link to nothing */
            status = og_store__file_error(w->store, errno, "cannot list", w->path, err);
    } else if (S_ISREG(st.st_mode)) {
        int64_t modified_us = st.st_mtim.tv_sec * INT64_C(1000000) + st.st_mtim.tv_nsec / 1000;
        status = og_store__list_add(&w->lister, (og_str){w->path, w->len}, (uint64_t)st.st_size,
                                    modified_us, err);
    } else if (S_ISDIR(st.st_mode) && w->recursive) {
        w->path[w->len++] = '/';
        w->path[w->len] = '\0';
        status = walk_below(w, err);
    }
    w->len = before;
    w->path[before] = '\0';
    return status;
}

static og_status walk_folder(walk *w, og_error *err)
{
    int fd =
        openat(w->store->root_fd, w->len > 0 ? w->path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? OG_OK
                   : og_store__file_error(w->store, errno, "cannot list", w->path, err);
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        int errnum = errno;
        close(fd);
        return og_store__file_error(w->store, errnum, "cannot list", w->path, err);
    }
    og_status status = OG_OK;
    while (status == OG_OK) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            if (errno != 0)
                status = og_store__file_error(w->store, errno, "cannot list", w->path, err);
            break;
        }
        status = walk_entry(w, fd, entry, err);
    }
    closedir(dir);
    return status;
}

static og_status file_list(og_store *store, const char *prefix, bool recursive,
                           const char *start_after, size_t max_keys, og_listing *out, og_error *err)
{
    og_store__count(&store->stats.lists, 1);
    OG_TRY(og_store__check_prefix(prefix, err));
    walk w = {.store = (og_store__file *)store, .recursive = recursive, .len = strlen(prefix)};
    memcpy(w.path, prefix, w.len + 1);
    og_status status = og_store__list_begin(&w.lister, start_after, max_keys, err);
    if (status == OG_OK)
        status = walk_folder(&w, err);
    if (status != OG_OK) {
        og_listing_deinit(&w.lister.listing);
        return status;
    }
    og_store__list_end(&w.lister);
    *out = w.lister.listing;
    return OG_OK;
}

/* 0 when there is no such object any more. */
static int remove_one(og_store__file *s, const char *name)
{
    og_store__file_take_durable(s, name);
    if (unlinkat(s->root_fd, name, 0) == 0) {
        /* No content is left to sync, only the folder. */
        og_store__file_note_durable(s, name);
        return 0;
    }
    return errno == ENOENT || errno == ENOTDIR || errno == EISDIR ? 0 : errno;
}

/* Where files are given back to the disk as they go, each removal waits for it. */
#define REMOVE_THREADS 8

typedef struct removal {
    og_store__file *s;
    const char *const *names;
    int *errnums;
} removal;

static og_status remove_turn(void *context, size_t i, og_error *err)
{
    const removal *r = context;
    (void)err;
    r->errnums[i] = remove_one(r->s, r->names[i]);
    return OG_OK;
}

static og_status file_remove(og_store *store, const char *const *names, size_t count, og_error *err)
{
    og_store__file *s = (og_store__file *)store;
    bool beside = count >= OG_STORE_REMOVE_BESIDE;
    og_store__count(&store->stats.deletes, count);
    for (size_t i = 0; i < count; i++)
        OG_TRY(og_store__check_name(names[i], err));
    /* Without memory they go one by one. */
    OG_AUTO_FREE int *errnums = beside ? og_calloc(count, sizeof *errnums) : NULL;
    if (errnums != NULL) {
        OG_AUTO(og_pool) pool = og_pool_new(REMOVE_THREADS);
        removal r = {s, names, errnums};
        OG_TRY(og_pool_run(pool, count, remove_turn, &r, err));
    }
    /* One that fails does not spare the others; the first failure is the one reported. */
    og_status first = OG_OK;
    for (size_t i = 0; i < count; i++) {
        int errnum = errnums != NULL ? errnums[i] : remove_one(s, names[i]);
        if (errnum != 0 && first == OG_OK)
            first = og_store__file_error(s, errnum, "cannot remove", names[i], err);
    }
    return first;
}

/* ---- open and close ----------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The path of a file:// URL (RFC 8089), percent-decoded into `dst` of cap bytes. */
static og_status decode_url(const char *url, char *dst, size_t cap, og_error *err)
{
    const char *p = url + strlen("file://");
    if (strncmp(p, "localhost/", 10) == 0)
        p += strlen("localhost");
    if (*p != '/')
        return og_error_set(err, OG_INVALID, "%s names a host; a file URL is file:///path", url);
    size_t len = 0;
    for (; *p != '\0'; p++) {
        char c = *p;
        if (c == '%') {
            int high = hex_digit(p[1]), low = high >= 0 ? hex_digit(p[2]) : -1;
            if (low < 0 || (high == 0 && low == 0))
                return og_error_set(err, OG_INVALID, "%s has a malformed %% escape", url);
            c = (char)(high << 4 | low);
            p += 2;
        }
        if (len + 1 >= cap)
            return og_error_set(err, OG_INVALID, "path of %s is too long", url);
        dst[len++] = c;
    }
    dst[len] = '\0';
    return OG_OK;
}

/* Syncs the folder that holds `path`, which was just made in it. 0 or errno. */
static int sync_holder(char *path)
{
    char *slash = strrchr(path, '/');
    const char *holder = slash == NULL ? "." : slash == path ? "/" : path;
    if (slash != NULL && slash != path)
        *slash = '\0';
    int fd = open(holder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int errnum = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (slash != NULL)
        *slash = '/';
    return errnum;
}

/* mkdir -p, with each new folder's entry synced at once: this happens once in a graph's life. */
static og_status make_root(char *path, og_error *err)
{
    for (char *p = path + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char end = *p;
        *p = '\0';
        int errnum = 0;
        if (mkdir(path, 0777) == 0)
            errnum = sync_holder(path);
        else if (errno != EEXIST)
            errnum = errno;
        og_status status =
            errnum == 0 ? OG_OK : og_error_errno(err, errnum, "cannot create folder", path);
        *p = end;
        if (status != OG_OK || end == '\0')
            return status;
    }
}

static void file_close(og_store *store)
{
    og_store__file *s = (og_store__file *)store;
    og_store__file_forget_syncs(s);
    if (s->root_fd >= 0)
        close(s->root_fd);
    pthread_mutex_destroy(&s->lock);
    og_free(s->root);
    og_free(s);
}

static const og_store_ops file_ops = {
    .get = file_get,
    .get_range = file_get_range,
    .head = file_head,
    .put = og_store__file_put,
    .put_summed = og_store__file_put_summed,
    .put_if_absent = og_store__file_put_if_absent,
    .announce = og_store__file_announce,
    .create = og_store__file_create,
    .list = file_list,
    .remove = file_remove,
    .sync = og_store__file_sync,
    .take_turn = og_store__file_take_turn,
    .read_ahead = file_read_ahead,
    .close = file_close,
};

static og_status open_root(const char *path, og_store__file *s, og_error *err)
{
    char real[PATH_MAX];
    s->root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->root_fd < 0 || realpath(path, real) == NULL)
        return og_error_errno(err, errno, "cannot open folder", path);
    /* The file system's root is "" so that root + "/" + name is always a path. */
    s->root = og_strdup(strcmp(real, "/") == 0 ? "" : real);
    if (s->root == NULL)
        return og_error_nomem(err);
    s->base.root = s->root;
    s->base.maps_objects = true;
    s->base.waits_for_disk = true;
    return OG_OK;
}

og_status og_store_open_file(const char *root, bool create, og_store **out, og_error *err)
{
    char path[PATH_MAX];
    if (strncmp(root, "file://", 7) == 0)
        OG_TRY(decode_url(root, path, sizeof path, err));
    else if ((size_t)snprintf(path, sizeof path, "%s", root) >= sizeof path)
        return og_error_set(err, OG_INVALID, "path of a graph is too long");
    if (path[0] == '\0')
        return og_error_set(err, OG_INVALID, "path of a graph is empty");
    if (create)
        OG_TRY(make_root(path, err));

    og_store__file *s = og_calloc(1, sizeof *s);
    if (s == NULL)
        return og_error_nomem(err);
    s->base.ops = &file_ops;
    pthread_mutex_init(&s->lock, NULL);
    og_status status = open_root(path, s, err);
    if (status != OG_OK) {
        file_close(&s->base);
        return status;
    }
    *out = &s->base;
    return OG_OK;
}

void og_store_file_probe_syncs(og_store *store, og_store_sync_probe probe, void *context)
{
    og_store__file *s = (og_store__file *)store;
    s->probe = probe;
    s->probe_context = context;
}
