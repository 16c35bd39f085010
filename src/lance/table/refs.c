#include "lance/table/refs.h"

#include "base/arena.h"
#include "base/json.h"
#include "lance/table/table_priv.h"

#define TAGS_FOLDER "_refs/tags/"
#define BRANCHES_FOLDER "_refs/branches/"
#define SUFFIX ".json"
#define MAX_REF_BYTES ((uint64_t)16 << 20)

static void listing_auto(og_listing *listing)
{
    og_listing_deinit(listing);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The ref that the object `file` describes, with %xx taken back; ptr NULL when it is no ref. */
static og_str ref_name(og_arena *arena, og_str file)
{
    if (!og_str_ends(file, OG_STR(SUFFIX)) || file.len == strlen(SUFFIX))
        return (og_str){NULL, 0};
    file.len -= strlen(SUFFIX);
    char *name = og_arena_alloc(arena, file.len + 1);
    size_t len = 0;
    for (size_t i = 0; name != NULL && i < file.len; i++) {
        int high = i + 2 < file.len ? digit_of(file.ptr[i + 1]) : -1;
        int low = high >= 0 ? digit_of(file.ptr[i + 2]) : -1;
        bool escaped = file.ptr[i] == '%' && low >= 0;
        name[len++] = escaped ? (char)(high << 4 | low) : file.ptr[i];
        i += escaped ? 2 : 0;
    }
    return (og_str){name, len};
}

static og_status number_of(const og_json *object, const char *key, bool required, uint64_t *out,
                           og_error *err)
{
    const og_json *value = og_json_get(object, key);
    *out = 0;
    if (value == NULL || value->kind == OG_JSON_NULL)
        return !required ? OG_OK : og_error_set(err, OG_CORRUPT, "'%s' is missing", key);
    if (value->kind != OG_JSON_NUMBER || !og_json_to_u64(value, out))
        return og_error_set(err, OG_CORRUPT, "'%s' is not a whole number", key);
    return OG_OK;
}

static og_status read_tag(og_lance_refs *refs, og_str name, const og_json *from, og_error *err)
{
    og_lance_tag *tag = &refs->tags[refs->tag_count];
    *tag = (og_lance_tag){name, og_json_get_str(from, "branch", (og_str){NULL, 0}), 0, 0};
    OG_TRY(number_of(from, "version", true, &tag->version, err));
    OG_TRY(number_of(from, "manifestSize", false, &tag->manifest_bytes, err));
    refs->tag_count++;
    return OG_OK;
}

static og_status read_branch(og_lance_refs *refs, og_str name, const og_json *from, og_error *err)
{
    og_lance_branch *branch = &refs->branches[refs->branch_count];
    uint64_t created;
    *branch =
        (og_lance_branch){name, og_json_get_str(from, "parentBranch", (og_str){NULL, 0}), 0, 0};
    OG_TRY(number_of(from, "parentVersion", true, &branch->parent_version, err));
    OG_TRY(number_of(from, "createAt", false, &created, err));
    branch->created_s = created <= INT64_MAX ? (int64_t)created : 0;
    refs->branch_count++;
    return OG_OK;
}

typedef og_status (*read_fn)(og_lance_refs *refs, og_str name, const og_json *from, og_error *err);

static og_status read_object(og_lance_env *env, og_lance_refs *refs, const og_object_info *object,
                             og_str name, read_fn read, og_error *err)
{
    if (object->bytes > MAX_REF_BYTES)
        return og_error_set(err, OG_CORRUPT, "%zu bytes are too many", (size_t)object->bytes);
    og_store *store = og_lance_env_store(env);
    OG_AUTO(og_blob) blob = NULL;
    const char *object_name = og_arena_str(refs->arena, object->name).ptr;
    if (object_name == NULL)
        return og_error_nomem(err);
    OG_TRY(store->ops->get(store, object_name, &blob, err));
    /* The tree may point into its input. */
    og_str text = og_arena_str(refs->arena, (og_str){(const char *)blob->ptr, blob->len});
    if (text.ptr == NULL)
        return og_error_nomem(err);
    og_json json;
    og_status status = og_json_parse(refs->arena, text, &json, err);
    if (status != OG_OK)
        return status == OG_INVALID ? og_error_set(err, OG_CORRUPT, "not JSON") : status;
    return read(refs, name, &json, err);
}

static og_status read_folder(og_lance_env *env, const char *path, const char *folder,
                             og_lance_refs *refs, size_t item_bytes, void **items, read_fn read,
                             og_error *err)
{
    OG_AUTO_BUF prefix = OG_BUF_INIT;
    if (!og_table__join(&prefix, path, folder))
        return og_error_nomem(err);
    og_store *store = og_lance_env_store(env);
    __attribute__((cleanup(listing_auto))) og_listing names = {0};
    OG_TRY(store->ops->list(store, og_buf_cstr(&prefix), false, NULL, 0, &names, err));
    *items = og_arena_calloc(refs->arena, names.len + 1, item_bytes);
    if (*items == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < names.len; i++) {
        og_str file = og_str_slice(names.items[i].name, prefix.len, names.items[i].name.len);
        og_str name = ref_name(refs->arena, file);
        if (name.ptr == NULL)
            continue;
        og_status status = read_object(env, refs, &names.items[i], name, read, err);
        if (status != OG_OK)
            return og_error_context(err, status, "%.*s", OG_FMT(names.items[i].name));
    }
    return OG_OK;
}

og_status og_lance_refs_read(og_lance_env *env, const char *path, og_lance_refs *out, og_error *err)
{
    og_lance_refs refs = {.arena = og_arena_new(0)};
    if (refs.arena == NULL)
        return og_error_nomem(err);
    og_status status = read_folder(env, path, BRANCHES_FOLDER, &refs, sizeof *refs.branches,
                                   (void **)&refs.branches, read_branch, err);
    if (status == OG_OK)
        status = read_folder(env, path, TAGS_FOLDER, &refs, sizeof *refs.tags, (void **)&refs.tags,
                             read_tag, err);
    if (status != OG_OK)
        og_lance_refs_deinit(&refs);
    else
        *out = refs;
    return status;
}

void og_lance_refs_deinit(og_lance_refs *refs)
{
    og_arena_free(refs->arena);
    *refs = (og_lance_refs){0};
}

const og_lance_tag *og_lance_refs_tag(const og_lance_refs *refs, og_str name)
{
    for (uint32_t i = 0; i < refs->tag_count; i++)
        if (og_str_eq(refs->tags[i].name, name))
            return &refs->tags[i];
    return NULL;
}

const og_lance_branch *og_lance_refs_branch(const og_lance_refs *refs, og_str name)
{
    for (uint32_t i = 0; i < refs->branch_count; i++)
        if (og_str_eq(refs->branches[i].name, name))
            return &refs->branches[i];
    return NULL;
}

bool og_lance_branch_path(og_buf *out, const char *path, og_str branch)
{
    if (branch.len == 0)
        return og_buf_text(out, path);
    og_table__join(out, path, "tree/");
    return og_buf_str(out, branch);
}
