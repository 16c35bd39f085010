/* store/file - a folder of a local file system as a store.
 *
 * put_if_absent: a temporary file beside the target, fdatasync when `durable`, link() (EEXIST =
 * taken), unlink of the temporary name. create and put make a temporary file too, which gets its
 * name at the end.
 * Temporary names are never listed; one stays only when the process is killed. Parent folders are
 * made as needed.
 *
 * Reads of 64 KiB and more map the file, smaller ones copy.
 *
 * sync: each file once (unless a durable put_if_absent did it), then each folder once, and the
 * parents of folders that are new. Four or more of these are done by several threads in any order,
 * 16 or more by one syncfs (docs/dev/commit.md section 2). Any failure is OG_UNKNOWN, also that an
 * object is gone.
 *
 * announce: the content is written to its temporary file, which a sync covers; put_if_absent then
 * only links it.
 *
 * Names: segments between single '/', none empty, "." or "..", none that begins as our temporary
 * files do (".og-tmp."); at most 1024 bytes, 255 a segment; else OG_INVALID. Errors name the path:
 * OG_DENIED without permission or on a read-only file system, OG_LIMIT when the disk is full. */
#ifndef OG_STORE_FILE_H
#define OG_STORE_FILE_H

#include "store/store.h"

/* `root`: a path, absolute or not, or a file:// URL. `create`: make it, with its parents, when it
 * does not exist. OG_NOT_FOUND when it does not exist and create is false. The folder is held open:
 * the store follows it when it is renamed. */
OG_NODISCARD og_status og_store_open_file(const char *root, bool create, og_store **out,
                                          og_error *err);

/* For tests: called before each sync of a file ('f'), of a folder ('d', "" is the root) or of the
 * whole file system ('s', name ""). An errno value other than 0 makes that sync fail with it. With
 * a probe all is done by the caller's thread, in order. */
typedef int (*og_store_sync_probe)(void *context, char kind, const char *name);
void og_store_file_probe_syncs(og_store *store, og_store_sync_probe probe, void *context);

/* ---- whole folders, for replacing a graph ------------------------------------------------- */

/* Does `root` hold nothing but entries of these names (NULL-terminated list)? OG_INVALID naming the
 * first foreign entry. */
OG_NODISCARD og_status og_store_file_only_holds(const char *root, const char *const *names,
                                                og_error *err);
/* Let two folders change names in one step, durably (renameat2 with RENAME_EXCHANGE).
 * OG_UNSUPPORTED when the file system cannot. */
OG_NODISCARD og_status og_store_file_exchange(const char *a, const char *b, og_error *err);
/* Remove a folder and all in it; symbolic links are removed, not followed. */
OG_NODISCARD og_status og_store_file_remove_tree(const char *root, og_error *err);

#endif
