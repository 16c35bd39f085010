#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/file.h"

static bool is_listed(const char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

og_status og_store_file_only_holds(const char *root, const char *const *names, og_error *err)
{
    DIR *dir = opendir(root);
    if (dir == NULL)
        return og_error_errno(err, errno, "open", root);
    og_status s = OG_OK;
    for (struct dirent *e; s == OG_OK && (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            is_listed(e->d_name, names))
            continue;
        s = og_error_set(err, OG_INVALID, "'%s' holds '%s', which is no part of a graph", root,
                         e->d_name);
        og_error_hint(err, "Move it away, or choose another folder.");
    }
    closedir(dir);
    return s;
}

/* Make the names in the folder that holds `path` durable. */
static og_status sync_parent(const char *path, og_error *err)
{
    OG_AUTO_FREE char *copy = og_strdup(path);
    if (copy == NULL)
        return og_error_nomem(err);
    const char *parent = dirname(copy);
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return og_error_errno(err, errno, "open", parent);
    int failed = fsync(fd) != 0 ? errno : 0;
    close(fd);
    return failed != 0 ? og_error_set(err, OG_UNKNOWN, "sync %s failed", parent) : OG_OK;
}

og_status og_store_file_exchange(const char *a, const char *b, og_error *err)
{
    if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) != 0) {
        if (errno == EINVAL || errno == ENOSYS)
            return og_error_set(err, OG_UNSUPPORTED,
                                "this file system cannot replace '%s' in one step", b);
        return og_error_errno(err, errno, "replace", b);
    }
    return sync_parent(b, err);
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path) != 0 && errno != ENOENT ? errno : 0;
}

og_status og_store_file_remove_tree(const char *root, og_error *err)
{
    int failed = nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    if (failed == -1)
        failed = errno;
    return failed == 0 || failed == ENOENT ? OG_OK : og_error_errno(err, failed, "remove", root);
}
