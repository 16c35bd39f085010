/* Tables by their place in the file system. */
#include "lancetool/tool.h"

#include "base/number.h"
#include "lance/table/branch.h"
#include "lance/table/refs.h"
#include "store/file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void tool_place_deinit(tool_place *place)
{
    og_lance_env_free(place->env);
    og_store_close(place->store);
    *place = (tool_place){0};
}

/* `argument` as an absolute path without "." and "..". One that does not exist is taken as it is
 * below the folder it would be made in. */
static og_status resolve(const tool_call *call, const char *argument, bool create, og_str *out,
                         og_error *err)
{
    og_str text = og_str_of(argument), name = {NULL, 0};
    while (text.len > 1 && text.ptr[text.len - 1] == '/')
        text.len--;
    char buffer[PATH_MAX];
    const char *real = realpath(og_arena_str(call->arena, text).ptr, buffer);
    if (real == NULL && errno == ENOENT) {
        size_t slash = text.len;
        while (slash > 0 && text.ptr[slash - 1] != '/')
            slash--;
        name = og_str_slice(text, slash, text.len);
        og_str folder = slash > 0 ? og_str_slice(text, 0, slash) : OG_STR(".");
        real = realpath(og_arena_str(call->arena, folder).ptr, buffer);
    }
    if (real == NULL && errno != ENOENT && errno != ENOTDIR)
        return og_error_errno(err, errno, "can't look at", argument);
    if (real == NULL && create)
        return og_error_set(err, OG_INVALID, "there is no folder to make '%s' in", argument);
    if (real == NULL)
        return og_error_set(err, OG_INVALID, "no table at '%s'", argument);
    if (name.ptr == NULL)
        *out = og_arena_str(call->arena, og_str_of(real));
    else
        *out = og_arena_printf(call->arena, "%s%s%.*s", real, real[1] != '\0' ? "/" : "",
                               OG_FMT(name));
    return out->ptr != NULL ? OG_OK : og_error_nomem(err);
}

/* Bytes of `path` up to the end of the dataset: all of it,
 * or what stands before "/tree/<branch>". */
static size_t dataset_end(const tool_call *call, og_str path)
{
    for (size_t at = 1; at + 6 < path.len; at++) {
        og_str rest = og_str_slice(path, at, path.len);
        if (!og_str_starts(rest, OG_STR("/tree/")))
            continue;
        og_str versions = og_arena_printf(call->arena, "%.*s/_versions", (int)at, path.ptr);
        if (versions.ptr != NULL && access(versions.ptr, F_OK) == 0)
            return at;
    }
    return path.len;
}

static og_status open_store(const tool_call *call, og_str path, bool create, tool_place *out,
                            og_error *err)
{
    size_t end = dataset_end(call, path), slash = end;
    while (slash > 0 && path.ptr[slash - 1] != '/')
        slash--;
    og_str root = og_arena_str(call->arena, og_str_slice(path, 0, slash > 1 ? slash - 1 : slash));
    out->dataset = og_arena_str(call->arena, og_str_slice(path, slash, end)).ptr;
    out->folder = root.ptr;
    out->path = path.ptr + slash;
    if (root.ptr == NULL || out->dataset == NULL)
        return og_error_nomem(err);
    OG_TRY(og_store_open_file(root.ptr, create, &out->store, err));
    return og_lance_env_new(out->store, 0, &out->env, err);
}

static og_status go_to_branch(const tool_call *call, tool_place *place, og_str branch,
                              og_error *err)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    og_lance_branch_path(&path, place->dataset, branch);
    place->path = og_arena_str(call->arena, og_buf_view(&path)).ptr;
    return !path.failed && place->path != NULL ? OG_OK : og_error_nomem(err);
}

/* Whether there is the folder, or file, at `path` within the place, and `name` in it. */
static bool has(const tool_call *call, const tool_place *place, const char *path, const char *name)
{
    og_str full = og_arena_printf(call->arena, "%s/%s%s", place->folder, path, name);
    return full.ptr != NULL && access(full.ptr, F_OK) == 0;
}

static void hint_branch(const og_lance_refs *refs, og_str wanted, og_error *err)
{
    og_str best = {NULL, 0};
    size_t limit = 1 + wanted.len / 5; /* as many edits are taken for a slip */
    for (uint32_t i = 0; i < refs->branch_count; i++) {
        size_t distance = og_str_distance(wanted, refs->branches[i].name, limit);
        if (distance > limit || (best.ptr != NULL && distance == limit))
            continue;
        best = refs->branches[i].name;
        limit = distance;
    }
    if (best.ptr != NULL)
        og_error_hint(err, "Did you mean '%.*s'?", OG_FMT(best));
    else if (refs->branch_count > 0)
        og_error_hint(err, "Show the branches with: lancetool branch list TABLE");
    else
        og_error_hint(err, "The table has no branches but main.");
}

/* OG_INVALID when the table has no such branch. Without the table
 * that is for the opening to say. */
static og_status check_branch(const tool_call *call, const tool_place *place, og_str branch,
                              og_error *err)
{
    bool safe = og_lance_branch_is_safe(branch);
    if ((safe && has(call, place, place->path, "/_versions")) ||
        !has(call, place, place->dataset, "/_versions"))
        return OG_OK;
    og_lance_refs refs;
    OG_TRY(og_lance_refs_read(place->env, place->dataset, &refs, err));
    og_status s = OG_OK;
    if (og_lance_refs_branch(&refs, branch) == NULL) {
        s = og_error_set(err, OG_INVALID, "'%s' has no branch '%.*s'", place->dataset,
                         OG_FMT(branch));
        hint_branch(&refs, branch, err);
    }
    og_lance_refs_deinit(&refs);
    return s;
}

og_status tool_place_open(const tool_call *call, const char *argument, bool create, tool_place *out,
                          og_error *err)
{
    og_str path;
    OG_TRY(resolve(call, argument, create, &path, err));
    TOOL_AUTO_PLACE place = {0};
    OG_TRY(open_store(call, path, create, &place, err));
    const char *branch = tool_value(call, "branch");
    if (branch != NULL) {
        bool is_main = strcmp(branch, "main") == 0;
        OG_TRY(go_to_branch(call, &place, is_main ? (og_str){NULL, 0} : og_str_of(branch), err));
        if (!is_main)
            OG_TRY(check_branch(call, &place, og_str_of(branch), err));
    }
    *out = place;
    place = (tool_place){0};
    return OG_OK;
}

/* Of --version; 0 = the newest. */
static og_status find_version(const tool_call *call, tool_place *place, uint64_t *out,
                              og_error *err)
{
    const char *text = tool_value(call, "version");
    *out = 0;
    if (text == NULL || (og_parse_u64(og_str_of(text), out) && *out != 0))
        return OG_OK;
    og_lance_refs refs;
    OG_TRY(og_lance_refs_read(place->env, place->dataset, &refs, err));
    const og_lance_tag *tag = og_lance_refs_tag(&refs, og_str_of(text));
    og_status status;
    if (tag == NULL) {
        status = og_error_set(err, OG_INVALID, "no version or tag '%s'", text);
    } else {
        *out = tag->version;
        status = go_to_branch(call, place, tag->branch, err);
    }
    og_lance_refs_deinit(&refs);
    return status;
}

og_status tool_no_table(const tool_call *call, const tool_place *place, og_error *err)
{
    struct stat about;
    og_str path = og_arena_printf(call->arena, "%s/%s", place->folder, place->path);
    if (path.ptr == NULL)
        return og_error_nomem(err);
    if (stat(path.ptr, &about) != 0 || !S_ISREG(about.st_mode))
        return og_error_set(err, OG_INVALID, "no table at '%s'", path.ptr);
    og_error_set(err, OG_INVALID, "'%s' is a file, and no table", path.ptr);
    og_error_hint(
        err, "A table is the folder with `_versions` in it. What a data file is made of shows: "
             "lancetool inspect FILE");
    return OG_INVALID;
}

og_status tool_table_open(const tool_call *call, tool_place *place, og_lance_table **out,
                          og_error *err)
{
    uint64_t version;
    OG_TRY(find_version(call, place, &version, err));
    og_status status = og_lance_table_open(place->env, place->path, version, 0, out, err);
    if (status != OG_NOT_FOUND)
        return status;
    if (!has(call, place, place->path, "/_versions"))
        return tool_no_table(call, place, err);
    return og_error_set(err, OG_INVALID, "%s",
                        err != NULL ? og_arena_str(call->arena, og_str_of(err->message)).ptr : "");
}
