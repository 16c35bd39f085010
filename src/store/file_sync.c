/* Durability of the folder store.
 *
 * An object survives power loss when its content (fdatasync of the file), its name (fsync of the
 * folder) and the names of folders made for it (fsync of their parents) are on disk. Folders are
 * remembered from the moment they are made until a sync has covered them. A folder that another
 * process made needs no care: journals are written in order, so syncing what is in it takes the
 * older making of it along.
 *
 * Writes go through another descriptor than the sync here. Linux keeps a failed write-back with
 * the file until somebody has been told, so it is reported to this descriptor too. */
#include "store/file_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each sync waits for the disk a few times. So from a few on they are done side by side, by so many
 * threads; one syncfs would wait as often, but also for what other programs have written. From so
 * many on it is the better choice all the same. */
#define SYNC_BESIDE_FROM 4
#define SYNC_THREADS 4
#define SYNC_ALL_FROM 16

static int probe(og_store__file *s, char kind, const char *name)
{
    return s->probe != NULL ? s->probe(s->probe_context, kind, name) : 0;
}

int og_store__file_sync_fd(og_store__file *s, int fd, const char *name)
{
    int errnum = probe(s, 'f', name);
    if (errnum != 0)
        return errnum;
    /* Only an interruption may be tried again: it says nothing about the data. */
    while (fdatasync(fd) != 0) {
        if (errno != EINTR)
            return errno;
    }
    return 0;
}

/* ---- what is not durable yet -------------------------------------------------------------- */

static bool note_folder(og_store__file *s, const char *path)
{
    char *copy = og_strdup(path);
    if (copy == NULL)
        return false;
    pthread_mutex_lock(&s->lock);
    bool ok = og_vec_push(&s->new_folders, copy);
    pthread_mutex_unlock(&s->lock);
    if (!ok)
        og_free(copy);
    return ok;
}

static bool is_new_folder(og_store__file *s, og_str path)
{
    bool found = false;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->new_folders.len && !found; i++)
        found = og_str_is(path, s->new_folders.items[i]);
    pthread_mutex_unlock(&s->lock);
    return found;
}

static void forget_folder(og_store__file *s, og_str path)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = s->new_folders.len; i-- > 0;) {
        if (!og_str_is(path, s->new_folders.items[i]))
            continue;
        og_free(s->new_folders.items[i]);
        s->new_folders.items[i] = og_vec_last(&s->new_folders);
        s->new_folders.len--;
    }
    pthread_mutex_unlock(&s->lock);
}

int og_store__file_make_folder(og_store__file *s, og_str path)
{
    char buffer[OG_STORE__NAME_MAX + 1];
    if (path.len == 0 || path.len >= sizeof buffer)
        return ENOENT;
    memcpy(buffer, path.ptr, path.len);
    buffer[path.len] = '\0';

    /* Up from the deepest until one can be made, then down again. The note comes first: a thread
     * that finds the folder must find the note too. */
    size_t len = path.len;
    for (;;) {
        buffer[len] = '\0';
        if (!note_folder(s, buffer))
            return ENOMEM;
        if (mkdirat(s->root_fd, buffer, 0777) != 0 && errno != EEXIST) {
            int errnum = errno;
            forget_folder(s, (og_str){buffer, len});
            const char *slash = errnum == ENOENT ? strrchr(buffer, '/') : NULL;
            if (slash == NULL)
                return errnum;
            len = (size_t)(slash - buffer);
            continue;
        }
        if (len == path.len)
            return 0;
        buffer[len] = '/';
        len += strlen(buffer + len);
    }
}

void og_store__file_note_durable(og_store__file *s, const char *name)
{
    char *copy = og_strdup(name);
    pthread_mutex_lock(&s->lock);
    char **slot = &s->durable[s->durable_next++ % OG_STORE__DURABLE_SLOTS];
    og_free(*slot);
    *slot = copy;
    pthread_mutex_unlock(&s->lock);
}

bool og_store__file_take_durable(og_store__file *s, const char *name)
{
    bool found = false;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < OG_STORE__DURABLE_SLOTS; i++) {
        if (s->durable[i] == NULL || strcmp(s->durable[i], name) != 0)
            continue;
        og_free(s->durable[i]);
        s->durable[i] = NULL;
        found = true;
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

void og_store__file_forget_syncs(og_store__file *s)
{
    og_pool_free(s->sync_pool);
    for (size_t i = 0; i < s->new_folders.len; i++)
        og_free(s->new_folders.items[i]);
    og_vec_deinit(&s->new_folders);
    for (size_t i = 0; i < OG_STORE__DURABLE_SLOTS; i++)
        og_free(s->durable[i]);
    while (s->announced.len > 0)
        og_store__file_drop_announced(s, s->announced.items[--s->announced.len]);
    og_vec_deinit(&s->announced);
}

/* ---- sync --------------------------------------------------------------------------------- */

/* Folders to sync, each once, as prefixes of object names ("" = the root). */
typedef OG_VEC(og_str) folder_set;

static bool add_folder(folder_set *set, og_str folder)
{
    for (size_t i = 0; i < set->len; i++) {
        if (og_str_eq(set->items[i], folder))
            return true;
    }
    return og_vec_push(set, folder);
}

static og_str parent_of(og_str path)
{
    while (path.len > 0 && path.ptr[path.len - 1] != '/')
        path.len--;
    return path.len > 0 ? og_str_slice(path, 0, path.len - 1) : path;
}

/* The folder of the object, and the parents of those of its folders that are new. */
static bool add_folders_of(og_store__file *s, const char *name, folder_set *set)
{
    og_str folder = parent_of(og_str_of(name));
    if (!add_folder(set, folder))
        return false;
    for (; folder.len > 0; folder = parent_of(folder)) {
        if (is_new_folder(s, folder) && !add_folder(set, parent_of(folder)))
            return false;
    }
    return true;
}

static og_status unknown(og_store__file *s, int errnum, const char *name, og_error *err)
{
    og_store__file_error(s, errnum, "cannot sync", name, err);
    if (err != NULL)
        err->status = OG_UNKNOWN;
    return OG_UNKNOWN;
}

/* What a sync is of may be visible already: it failing for want of memory tells nothing else than
 * its failing by the disk. */
static og_status out_of_memory(og_error *err)
{
    og_error_nomem(err);
    if (err != NULL)
        err->status = OG_UNKNOWN;
    return OG_UNKNOWN;
}

/* An object of a sync. */
typedef struct due {
    const char *name;
    og_store__announced *announced; /* borrowed; NULL: the object has its name */
    bool content;                   /* is not on disk yet */
} due;

static og_status sync_content(og_store__file *s, const due *d, og_error *err)
{
    int fd = d->announced != NULL ? d->announced->temp.fd
                                  : openat(s->root_fd, d->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return unknown(s, errno, d->name, err);
    int errnum = og_store__file_sync_fd(s, fd, d->name);
    if (d->announced == NULL)
        close(fd);
    return errnum == 0 ? OG_OK : unknown(s, errnum, d->name, err);
}

static og_status sync_folder(og_store__file *s, og_str folder, og_error *err)
{
    char path[OG_STORE__NAME_MAX + 1];
    memcpy(path, folder.ptr, folder.len);
    path[folder.len] = '\0';
    int fd = openat(s->root_fd, folder.len > 0 ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return unknown(s, errno, path, err);
    int errnum = probe(s, 'd', path);
    while (errnum == 0 && fsync(fd) != 0) {
        if (errno != EINTR)
            errnum = errno;
    }
    close(fd);
    return errnum == 0 ? OG_OK : unknown(s, errnum, path, err);
}

/* What one sync has to do. */
typedef struct plan {
    OG_VEC(due) objects;
    folder_set folders;
    size_t content_count;
} plan;

static bool has_name(const plan *p, const char *name)
{
    for (size_t i = 0; i < p->objects.len; i++) {
        if (strcmp(p->objects.items[i].name, name) == 0)
            return true;
    }
    return false;
}

/* The folder of what is announced matters only when it has its name. */
static bool plan_name(og_store__file *s, const char *name, plan *p)
{
    og_store__announced *a = og_store__file_find_announced(s, name);
    due d = {.name = name, .announced = a};
    d.content = a != NULL ? !a->durable : !og_store__file_take_durable(s, name);
    p->content_count += d.content;
    return og_vec_push(&p->objects, d) && (a != NULL || add_folders_of(s, name, &p->folders));
}

static bool make_plan(og_store__file *s, const char *const *names, size_t count, plan *p)
{
    for (size_t i = 0; i < count; i++)
        if (!has_name(p, names[i]) && !plan_name(s, names[i], p))
            return false;
    return true;
}

static void finish_plan(plan *p, bool is_durable)
{
    for (size_t i = 0; i < p->objects.len; i++) {
        og_store__announced *a = p->objects.items[i].announced;
        if (a == NULL)
            continue;
        a->durable = is_durable;
        a->failed = !is_durable;
    }
    og_vec_deinit(&p->objects);
    og_vec_deinit(&p->folders);
}

/* The syncs of a plan, one by one: files, then folders. */
typedef struct sync_list {
    og_store__file *store;
    OG_VEC(const due *) files;
    const folder_set *folders;
} sync_list;

static og_status sync_nth(void *context, size_t index, og_error *err)
{
    const sync_list *l = context;
    return index < l->files.len
               ? sync_content(l->store, l->files.items[index], err)
               : sync_folder(l->store, l->folders->items[index - l->files.len], err);
}

/* Threads that wait for the disk, made when first needed; NULL: there are none. */
static og_pool *sync_pool(og_store__file *s)
{
    pthread_mutex_lock(&s->lock);
    if (s->sync_pool == NULL)
        s->sync_pool = og_pool_new(SYNC_THREADS);
    og_pool *pool = s->sync_pool;
    pthread_mutex_unlock(&s->lock);
    return pool;
}

static og_status sync_each(og_store__file *s, const plan *p, og_error *err)
{
    sync_list l = {.store = s, .folders = &p->folders};
    for (size_t i = 0; i < p->objects.len; i++) {
        const due *d = &p->objects.items[i];
        if (d->content && !og_vec_push(&l.files, d)) {
            og_vec_deinit(&l.files);
            return out_of_memory(err);
        }
    }
    size_t count = l.files.len + p->folders.len;
    /* A probe sees them in order. */
    og_pool *pool = count >= SYNC_BESIDE_FROM && s->probe == NULL ? sync_pool(s) : NULL;
    og_status status = og_pool_run(pool, count, sync_nth, &l, err);
    og_vec_deinit(&l.files);
    return status;
}

static og_status sync_file_system(og_store__file *s, const plan *p, og_error *err)
{
    /* syncfs does not look at names; an object that is gone must not be reported as durable. */
    for (size_t i = 0; i < p->objects.len; i++) {
        const due *d = &p->objects.items[i];
        if (d->announced == NULL && faccessat(s->root_fd, d->name, F_OK, 0) != 0)
            return unknown(s, errno, d->name, err);
    }
    int errnum = probe(s, 's', "");
    if (errnum == 0 && syncfs(s->root_fd) != 0)
        errnum = errno;
    return errnum == 0 ? OG_OK : unknown(s, errnum, "", err);
}

/* The folders of these objects are durable now, with all above them. */
static void forget_folders_of(og_store__file *s, const char *name)
{
    for (og_str f = parent_of(og_str_of(name)); f.len > 0; f = parent_of(f))
        forget_folder(s, f);
}

og_status og_store__file_sync(og_store *store, const char *const *names, size_t count,
                              og_error *err)
{
    og_store__file *s = (og_store__file *)store;
    og_store__count(&store->stats.syncs, 1);
    for (size_t i = 0; i < count; i++)
        OG_TRY(og_store__check_name(names[i], err));
    plan p = {0};
    og_status status = OG_OK;
    if (!make_plan(s, names, count, &p))
        status = out_of_memory(err);
    else
        status = p.content_count + p.folders.len >= SYNC_ALL_FROM ? sync_file_system(s, &p, err)
                                                                  : sync_each(s, &p, err);
    if (status == OG_OK) {
        for (size_t i = 0; i < p.objects.len; i++)
            if (p.objects.items[i].announced == NULL)
                forget_folders_of(s, p.objects.items[i].name);
    }
    finish_plan(&p, status == OG_OK);
    return status;
}
