/* Objects are written under a temporary name beside their own and get that name when complete: a
 * reader never sees a part, and a failure leaves nothing but, after a kill, a temporary file that
 * no listing shows. */
#include "store/file_priv.h"

#include "base/id.h"
#include "base/map.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Appends below this are gathered: the encoders append many small pieces. */
#define WRITE_BUFFER_BYTES (64 * 1024)
/* One write call takes at most 0x7ffff000 bytes on Linux; stay on a round number below. */
#define WRITE_MAX_BYTES ((size_t)1 << 30)

typedef og_store__temp temp_file;

static og_str folder_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return (og_str){name, slash != NULL ? (size_t)(slash - name) : 0};
}

static void name_temp(temp_file *t, const char *name)
{
    og_str folder = folder_of(name);
    uint64_t unique;
    og_system_random.fill(og_system_random.context, &unique, sizeof unique);
    snprintf(t->path, sizeof t->path, "%.*s%s" OG_STORE__TEMP_PREFIX "%016" PRIx64, OG_FMT(folder),
             folder.len > 0 ? "/" : "", unique);
}

/* After an error there is nothing to drop: the path is empty. */
static og_status open_temp(og_store__file *s, const char *name, temp_file *t, og_error *err)
{
    /* Twice for a folder that must be made (again, when another process removes it meanwhile). */
    for (int attempt = 0;; attempt++) {
        name_temp(t, name);
        t->fd = openat(s->root_fd, t->path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
        if (t->fd >= 0)
            return OG_OK;
        int errnum = errno;
        if (attempt < 4 && (errnum == EINTR || errnum == EEXIST))
            continue;
        if (attempt < 4 && errnum == ENOENT) {
            errnum = og_store__file_make_folder(s, folder_of(name));
            if (errnum == 0)
                continue;
        }
        t->path[0] = '\0';
        if (errnum == ENOENT || errnum == ENOTDIR)
            return og_error_set(err, OG_IO, "cannot create %s/%s: no folder can be made there",
                                s->root, name);
        return og_store__file_error(s, errnum, "cannot create", name, err);
    }
}

static void drop_temp(og_store__file *s, temp_file *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
    unlinkat(s->root_fd, t->path, 0);
}

static int write_all(int fd, og_bytes bytes)
{
    while (bytes.len > 0) {
        size_t part = bytes.len < WRITE_MAX_BYTES ? bytes.len : WRITE_MAX_BYTES;
        ssize_t n = write(fd, bytes.ptr, part);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        bytes.ptr += n;
        bytes.len -= (size_t)n;
    }
    return 0;
}

/* Closing is where network file systems report a write that failed late. */
static int close_temp(temp_file *t)
{
    int fd = t->fd;
    t->fd = -1;
    return close(fd) == 0 || errno == EINTR ? 0 : errno;
}

/* Gives the closed temporary file its name, unless taken. 0 or errno. */
static int link_temp(og_store__file *s, temp_file *t, const char *name)
{
    if (linkat(s->root_fd, t->path, s->root_fd, name, 0) == 0)
        return 0;
    int errnum = errno;
    struct stat st;
    /* A network file system may have done it, lost the answer and tried again. */
    if (errnum == EEXIST && fstatat(s->root_fd, t->path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_nlink == 2)
        return 0;
    /* File systems without hard links. */
    if ((errnum == EPERM || errnum == EOPNOTSUPP || errnum == ENOSYS) &&
        renameat2(s->root_fd, t->path, s->root_fd, name, RENAME_NOREPLACE) == 0)
        return 0;
    return errnum;
}

static og_status publish_new(og_store__file *s, temp_file *t, const char *name, og_error *err)
{
    int errnum = close_temp(t);
    if (errnum != 0)
        return og_store__file_error(s, errnum, "cannot write", name, err);
    errnum = link_temp(s, t, name);
    if (errnum == EEXIST)
        return og_error_set(err, OG_EXISTS, "%s/%s exists already", s->root, name);
    if (errnum != 0)
        return og_store__file_error(s, errnum, "cannot create", name, err);
    return OG_OK;
}

static og_status publish_replacing(og_store__file *s, temp_file *t, const char *name, og_error *err)
{
    int errnum = close_temp(t);
    if (errnum == 0 && renameat(s->root_fd, t->path, s->root_fd, name) != 0)
        errnum = errno;
    if (errnum != 0)
        return og_store__file_error(s, errnum, "cannot write", name, err);
    return OG_OK;
}

static og_status write_temp(og_store__file *s, temp_file *t, const char *name, og_bytes bytes,
                            bool durable, og_error *err)
{
    int errnum = write_all(t->fd, bytes);
    /* Nothing is visible yet: this failure is a plain one, not an unknown outcome. */
    if (errnum == 0 && durable)
        errnum = og_store__file_sync_fd(s, t->fd, name);
    return errnum == 0 ? OG_OK : og_store__file_error(s, errnum, "cannot write", name, err);
}

og_status og_store__file_put(og_store *store, const char *name, og_bytes bytes, og_error *err)
{
    og_store__file *s = (og_store__file *)store;
    og_store__count(&store->stats.puts, 1);
    OG_TRY(og_store__check_name(name, err));
    temp_file t;
    OG_TRY(open_temp(s, name, &t, err));
    og_status status = write_temp(s, &t, name, bytes, false, err);
    if (status == OG_OK) {
        og_store__file_take_durable(s, name);
        status = publish_replacing(s, &t, name, err);
    }
    if (status != OG_OK)
        drop_temp(s, &t);
    else
        og_store__count(&store->stats.bytes_written, bytes.len);
    return status;
}

/* Over what is there. False: there is nothing, or it has another name too and may belong to a copy
 * of the folder, or it would become shorter, which a reader's mapping does not bear. */
static bool overwrite(og_store__file *s, const char *name, og_bytes bytes)
{
    struct stat st;
    int fd = openat(s->root_fd, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
              (uint64_t)st.st_size <= bytes.len && write_all(fd, bytes) == 0;
    return close(fd) == 0 && ok;
}

og_status og_store__file_put_summed(og_store *store, const char *name, og_bytes bytes,
                                    og_error *err)
{
    og_store__file *s = (og_store__file *)store;
    OG_TRY(og_store__check_name(name, err));
    if (!overwrite(s, name, bytes))
        return og_store__file_put(store, name, bytes, err);
    og_store__file_take_durable(s, name);
    og_store__count(&store->stats.puts, 1);
    og_store__count(&store->stats.bytes_written, bytes.len);
    return OG_OK;
}

/* ---- announced ---------------------------------------------------------------------------- */

og_store__announced *og_store__file_find_announced(og_store__file *s, const char *name)
{
    og_store__announced *found = NULL;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->announced.len && found == NULL; i++) {
        og_store__announced *a = s->announced.items[i];
        if (pthread_equal(a->owner, pthread_self()) && strcmp(a->name, name) == 0)
            found = a;
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

static void take_out(og_store__file *s, const og_store__announced *announced)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->announced.len; i++) {
        if (s->announced.items[i] != announced)
            continue;
        s->announced.items[i] = og_vec_last(&s->announced);
        s->announced.len--;
        break;
    }
    pthread_mutex_unlock(&s->lock);
}

void og_store__file_drop_announced(og_store__file *s, og_store__announced *announced)
{
    drop_temp(s, &announced->temp);
    og_free(announced);
}

static og_store__announced *make_announced(og_store__file *s, const char *name, og_bytes bytes)
{
    size_t name_size = strlen(name) + 1;
    og_store__announced *a = og_calloc(1, sizeof *a + name_size);
    if (a == NULL)
        return NULL;
    if (open_temp(s, name, &a->temp, NULL) != OG_OK) {
        og_free(a);
        return NULL;
    }
    memcpy(a->name, name, name_size);
    a->owner = pthread_self();
    a->len = bytes.len;
    a->sum = og_hash64(bytes.ptr, bytes.len);
    if (write_temp(s, &a->temp, name, bytes, false, NULL) == OG_OK)
        return a;
    og_store__file_drop_announced(s, a);
    return NULL;
}

bool og_store__file_announce(og_store *store, const char *name, og_bytes bytes)
{
    og_store__file *s = (og_store__file *)store;
    og_store__announced *a = og_store__file_find_announced(s, name);
    if (a != NULL) {
        take_out(s, a);
        og_store__file_drop_announced(s, a);
    }
    if (bytes.ptr == NULL || og_store__check_name(name, NULL) != OG_OK)
        return false;
    a = make_announced(s, name, bytes);
    if (a == NULL)
        return false;
    pthread_mutex_lock(&s->lock);
    bool ok = og_vec_push(&s->announced, a);
    pthread_mutex_unlock(&s->lock);
    if (!ok)
        og_store__file_drop_announced(s, a);
    return ok;
}

/* The content in a temporary file: the announced one, if it is this very content. */
static og_status prepare_temp(og_store__file *s, const char *name, og_bytes bytes, bool durable,
                              temp_file *t, og_error *err)
{
    og_store__announced *a = og_store__file_find_announced(s, name);
    if (a != NULL)
        take_out(s, a);
    if (a != NULL && !a->failed && a->len == bytes.len &&
        a->sum == og_hash64(bytes.ptr, bytes.len)) {
        bool is_done = a->durable || !durable;
        *t = a->temp;
        og_free(a);
        return is_done ? OG_OK : write_temp(s, t, name, (og_bytes){NULL, 0}, true, err);
    }
    if (a != NULL)
        og_store__file_drop_announced(s, a);
    OG_TRY(open_temp(s, name, t, err));
    return write_temp(s, t, name, bytes, durable, err);
}

og_status og_store__file_put_if_absent(og_store *store, const char *name, og_bytes bytes,
                                       bool durable, og_error *err)
{
    og_store__file *s = (og_store__file *)store;
    og_store__count(&store->stats.puts, 1);
    OG_TRY(og_store__check_name(name, err));
    temp_file t;
    og_status status = prepare_temp(s, name, bytes, durable, &t, err);
    if (status == OG_OK)
        status = publish_new(s, &t, name, err);
    if (t.path[0] != '\0')
        drop_temp(s, &t);
    if (status == OG_OK) {
        og_store__file_take_durable(s, name);
        if (durable)
            og_store__file_note_durable(s, name);
        og_store__count(&store->stats.bytes_written, bytes.len);
    }
    return status;
}

/* ---- writers ------------------------------------------------------------------------------ */

typedef struct file_writer {
    og_object_writer base;
    og_store__file *store;
    temp_file temp;
    bool failed;   /* an append was lost: the object must not appear */
    bool finished; /* temp is gone */
    size_t used;   /* bytes in buffer */
    uint8_t *buffer;
    char name[]; /* NUL-terminated */
} file_writer;

static og_status write_out(file_writer *w, og_bytes bytes, og_error *err)
{
    int errnum = write_all(w->temp.fd, bytes);
    if (errnum == 0)
        return OG_OK;
    w->failed = true;
    return og_store__file_error(w->store, errnum, "cannot write", w->name, err);
}

static og_status flush(file_writer *w, og_error *err)
{
    size_t used = w->used;
    w->used = 0;
    return write_out(w, (og_bytes){w->buffer, used}, err);
}

static og_status refuse_failed(const file_writer *w, og_error *err)
{
    return og_error_set(err, OG_IO, "cannot write %s/%s: an earlier write to it failed",
                        w->store->root, w->name);
}

static og_status writer_append(og_object_writer *base, og_bytes bytes, og_error *err)
{
    file_writer *w = (file_writer *)base;
    if (w->failed || w->finished)
        return refuse_failed(w, err);
    if (bytes.len > WRITE_BUFFER_BYTES - w->used)
        OG_TRY(flush(w, err));
    if (bytes.len >= WRITE_BUFFER_BYTES) {
        OG_TRY(write_out(w, bytes, err));
    } else if (bytes.len > 0) {
        memcpy(w->buffer + w->used, bytes.ptr, bytes.len);
        w->used += bytes.len;
    }
    base->bytes += bytes.len;
    return OG_OK;
}

static og_status writer_finish(og_object_writer *base, og_error *err)
{
    file_writer *w = (file_writer *)base;
    if (w->failed || w->finished)
        return refuse_failed(w, err);
    OG_TRY(flush(w, err));
    og_store__file_take_durable(w->store, w->name);
    og_status status = publish_new(w->store, &w->temp, w->name, err);
    drop_temp(w->store, &w->temp);
    w->finished = true;
    if (status == OG_OK)
        og_store__count(&w->store->base.stats.bytes_written, base->bytes);
    return status;
}

static void writer_close(og_object_writer *base)
{
    file_writer *w = (file_writer *)base;
    if (!w->finished)
        drop_temp(w->store, &w->temp);
    og_free(w->buffer);
    og_free(w);
}

og_status og_store__file_create(og_store *store, const char *name, og_object_writer **out,
                                og_error *err)
{
    static const og_object_writer_ops ops = {writer_append, writer_finish, writer_close};
    og_store__file *s = (og_store__file *)store;
    og_store__count(&store->stats.puts, 1);
    OG_TRY(og_store__check_name(name, err));

    size_t name_size = strlen(name) + 1;
    OG_AUTO_FREE file_writer *w = og_calloc(1, sizeof *w + name_size);
    OG_AUTO_FREE uint8_t *buffer = og_malloc(WRITE_BUFFER_BYTES);
    if (w == NULL || buffer == NULL)
        return og_error_nomem(err);
    memcpy(w->name, name, name_size);
    w->base.ops = &ops;
    w->store = s;
    OG_TRY(open_temp(s, name, &w->temp, err));
    w->buffer = OG_TAKE(buffer);
    *out = &OG_TAKE(w)->base;
    return OG_OK;
}
