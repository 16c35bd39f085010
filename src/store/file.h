/* store/file - a folder of a local file system as a store.
 *
 * put_if_absent: temp file beside the target, fdatasync at sync, link() (EEXIST = taken),
 * unlink of the temp name. Parent folders are made as needed. get maps files of 64 KiB and more,
 * reads smaller ones. Names are checked: no empty, "." or ".." segment, no leading '/'.
 * sync: each file once, then each folder once (folders newly made: their parents too); above 8 files
 * one syncfs (design/commit-protocol.md section 2). No threads: measured slower. */
#ifndef OG_STORE_FILE_H
#define OG_STORE_FILE_H

#include "store/store.h"

/* `root`: a path, absolute or not, or a file:// URL; need not exist (reads then find nothing).
 * `create`: make it. OG_NOT_FOUND when it does not exist and create is false. */
OG_NODISCARD og_status og_store_open_file(const char *root, bool create, og_store **out,
                                          og_error *err);

#endif
