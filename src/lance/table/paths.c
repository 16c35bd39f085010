/* Names of a table's objects, and which versions there are (docs/dev/lance.md sections 1 and 8). */
#include "base/arena.h"
#include "base/buf.h"
#include "base/number.h"
#include "base/vec.h"
#include "lance/table/table_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#define MANIFEST_SUFFIX ".manifest"
#define MANIFEST_DIGITS 20
#define BRANCH_FOLDER "/tree/"

bool og_table__join(og_buf *out, const char *path, const char *rest)
{
    if (path[0] != '\0') {
        og_buf_text(out, path);
        og_buf_byte(out, '/');
    }
    return og_buf_text(out, rest);
}

bool og_lance_manifest_name(og_buf *out, const char *path, uint64_t version)
{
    og_table__join(out, path, "_versions/");
    return og_buf_printf(out, "%020" PRIu64 MANIFEST_SUFFIX, UINT64_MAX - version);
}

bool og_table__old_manifest_name(og_buf *out, const char *path, uint64_t version)
{
    og_table__join(out, path, "_versions/");
    return og_buf_printf(out, "%" PRIu64 MANIFEST_SUFFIX, version);
}

bool og_table__gap_name(og_buf *out, const char *path, uint64_t version)
{
    og_table__join(out, path, "_versions/");
    return og_buf_printf(out, OG_TABLE__GAP_PREFIX "%020" PRIu64, version);
}

/* Without "tree/<branch>". */
static og_str root_of(const char *path)
{
    size_t branch = og_str_find(og_str_of(path), OG_STR(BRANCH_FOLDER));
    if (og_str_starts(og_str_of(path), OG_STR("tree/"))) /* the store's root is the dataset */
        branch = 0;
    return og_str_slice(og_str_of(path), 0, branch == SIZE_MAX ? strlen(path) : branch);
}

const char *og_table__dataset_root(og_arena *arena, const char *path)
{
    return og_arena_str(arena, root_of(path)).ptr;
}

/* ---- files of other bases ----------------------------------------------------------------- */

/* Segments that could leave the dataset, or confuse a store. */
static bool safe_name(og_str name)
{
    if (name.len == 0 || name.ptr[0] == '/' || memchr(name.ptr, '\0', name.len) != NULL)
        return false;
    for (size_t start = 0; start <= name.len;) {
        const char *slash =
            start < name.len ? memchr(name.ptr + start, '/', name.len - start) : NULL;
        size_t end = slash != NULL ? (size_t)(slash - name.ptr) : name.len;
        og_str segment = og_str_slice(name, start, end);
        if (segment.len == 0 || og_str_is(segment, ".") || og_str_is(segment, ".."))
            return false;
        start = end + 1;
    }
    return true;
}

static og_str last_segment(og_str path)
{
    while (path.len > 0 && path.ptr[path.len - 1] == '/')
        path.len--;
    size_t start = path.len;
    while (start > 0 && path.ptr[start - 1] != '/')
        start--;
    return og_str_slice(path, start, path.len);
}

static const OgPb__BasePath *find_base(const og_lance_table *table, uint32_t id)
{
    for (size_t i = 0; i < table->manifest->n_base_paths; i++)
        if (table->manifest->base_paths[i]->id == id)
            return table->manifest->base_paths[i];
    return NULL;
}

/* A base is this dataset's root or one of its branches. Its stored path says where that was when it
 * was written; only what follows the dataset's own name counts, so that a graph may be moved. */
static og_status rebase(const og_lance_table *table, uint32_t base_id, og_buf *out, og_error *err)
{
    const OgPb__BasePath *base = find_base(table, base_id);
    if (base == NULL)
        return og_error_set(err, OG_CORRUPT, "base path %u is not in the manifest", base_id);
    og_str path = og_table__text(base->path);
    while (path.len > 0 && path.ptr[path.len - 1] == '/')
        path.len--;
    og_str name = last_segment(og_str_of(table->root));
    if (name.len == 0)
        name = last_segment(og_str_of(og_lance_env_store(table->env)->root));

    for (size_t at = path.len; at-- > 0;) {
        bool starts = at == 0 || path.ptr[at - 1] == '/';
        if (!starts || !og_str_starts(og_str_slice(path, at, path.len), name))
            continue;
        og_str rest = og_str_slice(path, at + name.len, path.len);
        bool is_branch = og_str_starts(rest, OG_STR(BRANCH_FOLDER)) &&
                         safe_name(og_str_slice(rest, 1, rest.len));
        if (rest.len != 0 && !is_branch)
            continue;
        og_buf_text(out, table->root);
        if (table->root[0] == '\0' && rest.len != 0)
            rest = og_str_slice(rest, 1, rest.len);
        return og_buf_str(out, rest) ? OG_OK : og_error_nomem(err);
    }
    return og_error_set(err, OG_UNSUPPORTED, "base path %.*s lies outside the dataset",
                        OG_FMT(path));
}

og_status og_table__base_place(const og_lance_table *table, uint32_t base_id, og_buf *out,
                               og_error *err)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    OG_TRY(rebase(table, base_id, &path, err));
    og_buf_text(out, og_lance_env_store(table->env)->root);
    if (path.len > 0)
        og_buf_byte(out, '/');
    og_buf_str(out, og_buf_view(&path));
    return path.failed || out->failed ? og_error_nomem(err) : OG_OK;
}

og_status og_table__object_name(const og_lance_table *table, og_arena *arena, og_str file,
                                const char **out, og_error *err)
{
    if (!safe_name(file))
        return og_error_set(err, OG_CORRUPT, "file name '%.*s' is not a plain name", OG_FMT(file));
    const char *slash = table->path[0] != '\0' ? "/" : "";
    *out = og_arena_printf(arena, "%s%s%.*s", table->path, slash, OG_FMT(file)).ptr;
    return *out != NULL ? OG_OK : og_error_nomem(err);
}

og_status og_table__file_name(const og_lance_table *table, og_arena *arena, const char *folder,
                              og_str file, bool has_base, uint32_t base_id, const char **out,
                              og_error *err)
{
    if (!safe_name(file))
        return og_error_set(err, OG_CORRUPT, "file name '%.*s' is not a plain name", OG_FMT(file));
    OG_AUTO_BUF dir = OG_BUF_INIT;
    if (has_base)
        OG_TRY(rebase(table, base_id, &dir, err));
    else
        og_buf_text(&dir, table->path);
    OG_AUTO_BUF name = OG_BUF_INIT;
    og_table__join(&name, og_buf_cstr(&dir), folder);
    og_buf_byte(&name, '/');
    og_buf_str(&name, file);
    if (dir.failed || name.failed)
        return og_error_nomem(err);
    *out = og_arena_str(arena, og_buf_view(&name)).ptr;
    return *out != NULL ? OG_OK : og_error_nomem(err);
}

/* ---- versions ----------------------------------------------------------------------------- */

uint64_t og_table__version_of_name(og_str name, bool *out_old)
{
    og_str file = last_segment(name);
    uint64_t number;
    *out_old = false;
    if (!og_str_ends(file, OG_STR(MANIFEST_SUFFIX)))
        return 0;
    file.len -= strlen(MANIFEST_SUFFIX);
    if (file.len == 0 || file.len > MANIFEST_DIGITS || !og_parse_u64(file, &number))
        return 0;
    *out_old = file.len < MANIFEST_DIGITS;
    uint64_t version = *out_old ? number : UINT64_MAX - number;
    return version >> 63 == 0 ? version : 0; /* bit 63: a detached version */
}

static void listing_auto(og_listing *listing)
{
    og_listing_deinit(listing);
}

static og_status list_names(og_lance_env *env, const char *path, size_t max, og_listing *out,
                            og_error *err)
{
    OG_AUTO_BUF prefix = OG_BUF_INIT;
    if (!og_table__join(&prefix, path, "_versions/"))
        return og_error_nomem(err);
    og_store *store = og_lance_env_store(env);
    return store->ops->list(store, og_buf_cstr(&prefix), false, NULL, max, out, err);
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

og_status og_lance_list_versions(og_lance_env *env, const char *path, uint64_t **out,
                                 size_t *out_count, og_error *err)
{
    __attribute__((cleanup(listing_auto))) og_listing names = {0};
    OG_TRY(list_names(env, path, 0, &names, err));
    uint64_t *versions = og_malloc((names.len + 1) * sizeof *versions);
    if (versions == NULL)
        return og_error_nomem(err);
    size_t count = 0, old_count = 0;
    for (size_t i = 0; i < names.len; i++) {
        bool old;
        uint64_t version = og_table__version_of_name(names.items[i].name, &old);
        if (version == 0)
            continue;
        versions[count++] = version;
        old_count += old;
    }
    if (old_count != 0 && old_count != count) {
        og_free(versions);
        return og_error_set(err, OG_CORRUPT, "table '%s' names its versions by two schemes", path);
    }
    qsort(versions, count, sizeof *versions, compare_u64);
    *out = versions;
    *out_count = count;
    return OG_OK;
}

static og_status no_versions(const char *path, og_error *err)
{
    return og_error_set(err, OG_NOT_FOUND, "no table at '%s'", path);
}

static og_status latest_by_listing(og_lance_env *env, const char *path, uint64_t *out,
                                   og_error *err)
{
    /* V2 names sort newest first; anything else in front of them makes us look at all. */
    __attribute__((cleanup(listing_auto))) og_listing first = {0};
    OG_TRY(list_names(env, path, 1, &first, err));
    if (first.len == 0)
        return no_versions(path, err);
    bool old;
    *out = og_table__version_of_name(first.items[0].name, &old);
    if (*out != 0 && !old)
        return OG_OK;
    OG_AUTO_FREE uint64_t *versions = NULL;
    size_t count;
    OG_TRY(og_lance_list_versions(env, path, &versions, &count, err));
    if (count == 0)
        return no_versions(path, err);
    *out = versions[count - 1];
    return OG_OK;
}

static og_status exists(og_lance_env *env, og_buf *name, bool *out, og_error *err)
{
    if (name->failed)
        return og_error_nomem(err);
    og_store *store = og_lance_env_store(env);
    uint64_t bytes;
    og_status status = store->ops->head(store, og_buf_cstr(name), &bytes, err);
    *out = status == OG_OK;
    return status == OG_NOT_FOUND ? OG_OK : status;
}

static og_status version_exists(og_lance_env *env, const char *path, uint64_t version, bool *out,
                                og_error *err)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    og_lance_manifest_name(&name, path, version);
    return exists(env, &name, out, err);
}

/* May versions lie above `version`, which is there while the next one is not? Every writer takes
 * the newest + 1; only a cleanup makes holes. Ours leaves a mark below a hole, others leave holes
 * above tagged versions only. Either takes the oldest first: what it removed while we looked has
 * `version` gone, too. */
static og_status may_be_below_hole(og_lance_env *env, const char *path, uint64_t version, bool *out,
                                   og_error *err)
{
    bool present;
    OG_AUTO_BUF mark = OG_BUF_INIT;
    og_table__gap_name(&mark, path, version);
    OG_TRY(exists(env, &mark, out, err));
    if (*out)
        return OG_OK;
    OG_TRY(version_exists(env, path, version, &present, err));
    if (!present) {
        *out = true;
        return OG_OK;
    }
    OG_AUTO_BUF tags = OG_BUF_INIT;
    __attribute__((cleanup(listing_auto))) og_listing listing = {0};
    og_str root = root_of(path);
    og_buf_str(&tags, root);
    if (!og_buf_text(&tags, root.len != 0 ? "/_refs/tags/" : "_refs/tags/"))
        return og_error_nomem(err);
    og_store *store = og_lance_env_store(env);
    OG_TRY(store->ops->list(store, og_buf_cstr(&tags), false, NULL, 1, &listing, err));
    *out = listing.len != 0;
    return OG_OK;
}

static og_status latest_by_probes(og_lance_env *env, const char *path, uint64_t hint, uint64_t *out,
                                  bool *out_known, og_error *err)
{
    bool present;
    *out_known = false;
    OG_TRY(version_exists(env, path, hint, &present, err));
    if (!present)
        return OG_OK;
    uint64_t low = hint, step = 1;
    for (;; step *= 2) {
        OG_TRY(version_exists(env, path, low + step, &present, err));
        if (!present)
            break;
        low += step;
    }
    uint64_t high = low + step; /* absent */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        OG_TRY(version_exists(env, path, middle, &present, err));
        if (present)
            low = middle;
        else
            high = middle;
    }
    OG_TRY(may_be_below_hole(env, path, low, &present, err));
    *out_known = !present;
    *out = low;
    return OG_OK;
}

og_status og_lance_latest_version(og_lance_env *env, const char *path, uint64_t hint,
                                  uint64_t *out_version, og_error *err)
{
    if (hint != 0 && hint < UINT64_MAX / 4 && !og_lance_env_store(env)->list_is_cheap) {
        bool known;
        OG_TRY(latest_by_probes(env, path, hint, out_version, &known, err));
        if (known)
            return OG_OK;
    }
    return latest_by_listing(env, path, out_version, err);
}

og_status og_lance_mark_holes(og_lance_env *env, const char *path, og_error *err)
{
    og_store *store = og_lance_env_store(env);
    OG_AUTO_FREE uint64_t *versions = NULL;
    size_t count;
    OG_TRY(og_lance_list_versions(env, path, &versions, &count, err));
    for (size_t i = 1; i < count; i++) {
        OG_AUTO_BUF buf = OG_BUF_INIT;
        if (versions[i] == versions[i - 1] + 1)
            continue;
        if (!og_table__gap_name(&buf, path, versions[i - 1]))
            return og_error_nomem(err);
        const char *mark = og_buf_cstr(&buf);
        OG_TRY(store->ops->put(store, mark, (og_bytes){(const uint8_t *)"", 0}, err));
        OG_TRY(store->ops->sync(store, &mark, 1, err));
    }
    return OG_OK;
}
