#include "lance/table/tag.h"

#include "base/json.h"
#include "lance/table/table_priv.h"

#include <ctype.h>
#include <inttypes.h>

#define MAX_NAME 200

og_status og_lance_tag_check_name(og_str name, og_error *err)
{
    bool ok = name.len > 0 && name.len <= MAX_NAME && name.ptr[0] != '.' &&
              name.ptr[name.len - 1] != '.' && !og_str_ends(name, OG_STR(".lock")) &&
              og_str_find(name, OG_STR("..")) == SIZE_MAX;
    for (size_t i = 0; ok && i < name.len; i++)
        ok = isalnum((unsigned char)name.ptr[i]) || strchr(".-_", name.ptr[i]) != NULL;
    return ok ? OG_OK
              : og_error_set(err, OG_INVALID,
                             "'%.*s' can't be a tag: letters, digits and . - _ make its name",
                             OG_FMT(name));
}

static bool object_name(og_buf *out, const char *path, og_str name)
{
    og_table__join(out, path, "_refs/tags/");
    og_buf_str(out, name);
    return og_buf_text(out, ".json");
}

og_status og_lance_tag_create(og_store *store, const char *path, og_str branch,
                              const og_lance_table *table, og_str name, og_error *err)
{
    OG_TRY(og_lance_tag_check_name(name, err));
    OG_AUTO_BUF object = OG_BUF_INIT;
    OG_AUTO_BUF json = OG_BUF_INIT;
    og_buf_text(&json, "{\"branch\":");
    if (branch.len > 0)
        og_json_write_str(&json, branch);
    else
        og_buf_text(&json, "null");
    og_buf_printf(&json, ",\"version\":%" PRIu64 ",\"manifestSize\":%" PRIu64 "}",
                  og_lance_table_version(table), og_lance_table_manifest_bytes(table));
    if (json.failed || !object_name(&object, path, name))
        return og_error_nomem(err);
    og_status s =
        store->ops->put_if_absent(store, og_buf_cstr(&object), og_buf_bytes(&json), true, err);
    return s != OG_EXISTS ? s : og_error_set(err, OG_EXISTS, "tag '%.*s' exists", OG_FMT(name));
}

og_status og_lance_tag_delete(og_store *store, const char *path, og_str name, og_error *err)
{
    OG_TRY(og_lance_tag_check_name(name, err));
    OG_AUTO_BUF object = OG_BUF_INIT;
    if (!object_name(&object, path, name))
        return og_error_nomem(err);
    const char *text = og_buf_cstr(&object);
    uint64_t bytes;
    og_status s = store->ops->head(store, text, &bytes, err);
    if (s == OG_NOT_FOUND)
        return og_error_set(err, OG_NOT_FOUND, "no tag '%.*s'", OG_FMT(name));
    OG_TRY(s);
    return store->ops->remove(store, &text, 1, err);
}
