#include "lance/table/cleanup.h"

#include "base/map.h"
#include "base/vec.h"
#include "lance/table/branch.h"
#include "lance/table/rebase_priv.h"
#include "lance/table/write_priv.h"

#include <stdlib.h>
#include <string.h>

#define REMOVE_AT_ONCE 512

/* What is known of a file, as the value of its entry in `files`. */
enum { NAMED_BY_NONE = 0, NAMED_BY_OLD = 1, NAMED_BY_KEPT = 2 };

/* A version file of the listing. */
typedef struct version_file {
    const og_object_info *object;
    og_str place; /* folder of the dataset or branch */
    uint64_t version;
    bool goes;
} version_file;

typedef struct sweep {
    og_lance_env *env;
    const char *path;
    const og_lance_cleanup_options *options;
    og_arena *arena;
    og_listing listing; /* of the whole dataset */
    og_lance_refs refs;
    OG_VEC(version_file) versions; /* by place, newest first */
    og_strmap *files; /* name of a data file, deletion file, transaction or index folder */
    OG_VEC(const char *) doomed;
    size_t at_once; /* so many are removed in one call */
    og_lance_cleanup_stats *stats;
} sweep;

static void sweep_deinit(sweep *s)
{
    og_listing_deinit(&s->listing);
    og_lance_refs_deinit(&s->refs);
    og_vec_deinit(&s->versions);
    og_vec_deinit(&s->doomed);
    og_strmap_free(s->files);
    og_arena_free(s->arena);
}

/* ---- names ---------------------------------------------------------------------------------- */

/* The position of the slash before the last segment of name[0, end);
 * SIZE_MAX when there is none. */
static size_t slash_before(og_str name, size_t end)
{
    while (end > 0 && name.ptr[end - 1] != '/')
        end--;
    return end > 0 ? end - 1 : SIZE_MAX;
}

/* The dataset's own folder, or that of one of its branches? */
static bool is_place(const sweep *s, og_str place)
{
    size_t root = strlen(s->path);
    if (place.len < root || memcmp(place.ptr, s->path, root) != 0)
        return false;
    og_str rest = og_str_slice(place, root, place.len);
    if (rest.len != 0 && root != 0)
        rest = og_str_slice(rest, 1, rest.len);
    return rest.len == 0 || og_str_starts(rest, OG_STR("tree/"));
}

/* Split "<place>/<folder>/<rest>" at the last `folder` before `end`. False: not of that form. */
static bool split_at(const sweep *s, og_str name, size_t end, const char *folder, og_str *out_place,
                     size_t *out_rest)
{
    size_t slash = slash_before(name, end);
    og_str segment = og_str_slice(name, slash == SIZE_MAX ? 0 : slash + 1, end);
    if (!og_str_is(segment, folder))
        return false;
    *out_place = og_str_slice(name, 0, slash == SIZE_MAX ? 0 : slash);
    *out_rest = end + 1;
    return is_place(s, *out_place);
}

/* The name under which manifests know a listed object: a file by its own name, a blob file by its
 * data file, a file of an index by the index's folder; the mark below a hole by its own. And its
 * place, the folder of the dataset or branch. ptr NULL: an object that is none of ours to judge. */
static og_status key_of(const sweep *s, og_str name, og_str *out, og_str *out_place, og_error *err)
{
    size_t rest, slash = slash_before(name, name.len);
    *out = (og_str){NULL, 0};
    if (slash == SIZE_MAX)
        return OG_OK;
    if (split_at(s, name, slash, "data", out_place, &rest) ||
        split_at(s, name, slash, "_deletions", out_place, &rest) ||
        split_at(s, name, slash, "_transactions", out_place, &rest)) {
        *out = name;
        return OG_OK;
    }
    if (split_at(s, name, slash, "_versions", out_place, &rest)) {
        if (og_str_starts(og_str_slice(name, rest, name.len), OG_STR(OG_TABLE__GAP_PREFIX)))
            *out = name;
        return OG_OK;
    }
    size_t outer = slash_before(name, slash);
    if (outer != SIZE_MAX && og_str_ends(name, OG_STR(".blob")) &&
        split_at(s, name, outer, "data", out_place, &rest)) {
        *out = og_arena_printf(s->arena, "%.*s.lance", (int)slash, name.ptr);
        return out->ptr != NULL ? OG_OK : og_error_nomem(err);
    }
    for (; outer != SIZE_MAX; slash = outer, outer = slash_before(name, outer))
        if (split_at(s, name, outer, "_indices", out_place, &rest)) {
            *out = og_str_slice(name, 0, slash);
            return OG_OK;
        }
    return OG_OK;
}

/* ---- versions ------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const version_file *x = a, *y = b;
    int order = og_str_cmp(x->place, y->place);
    if (order != 0)
        return order;
    return (x->version < y->version) - (x->version > y->version);
}

static og_status find_versions(sweep *s, og_error *err)
{
    for (size_t i = 0; i < s->listing.len; i++) {
        const og_object_info *o = &s->listing.items[i];
        bool old;
        version_file f = {.object = o, .version = og_table__version_of_name(o->name, &old)};
        size_t rest, slash = slash_before(o->name, o->name.len);
        if (f.version == 0 || slash == SIZE_MAX ||
            !split_at(s, o->name, slash, "_versions", &f.place, &rest))
            continue;
        if (!og_vec_push(&s->versions, f))
            return og_error_nomem(err);
    }
    if (s->versions.len > 1)
        qsort(s->versions.items, s->versions.len, sizeof *s->versions.items, by_place);
    return OG_OK;
}

static bool is_tagged(const sweep *s, const char *place, uint64_t version)
{
    for (uint32_t i = 0; i < s->refs.tag_count; i++) {
        const og_lance_tag *tag = &s->refs.tags[i];
        OG_AUTO_BUF path = OG_BUF_INIT;
        if (tag->version != version)
            continue;
        /* When there is no memory to compare with, it stays. */
        if (!og_lance_branch_path(&path, s->path, tag->branch) ||
            strcmp(og_buf_cstr(&path), place) == 0)
            return true;
    }
    return false;
}

static bool goes(const sweep *s, const char *place, const og_lance_table *table, uint64_t newest)
{
    const og_lance_cleanup_options *o = s->options;
    uint64_t version = og_lance_table_version(table);
    if (version == newest || (!o->by_age && !o->by_count))
        return false;
    if (o->by_age && og_lance_table_timestamp_us(table) >= o->before_us)
        return false;
    if (o->by_count && newest - version <= o->keep_behind)
        return false;
    return !is_tagged(s, place, version) &&
           (o->is_pinned == NULL || !o->is_pinned(o->context, place, version));
}

static og_status name_file(sweep *s, og_str name, bool kept, og_error *err)
{
    uint64_t *state = og_strmap_put(s->files, name, NULL);
    if (state == NULL)
        return og_error_nomem(err);
    if (*state != NAMED_BY_KEPT)
        *state = kept ? NAMED_BY_KEPT : NAMED_BY_OLD;
    return OG_OK;
}

static og_status name_index(sweep *s, og_lance_table *table, const OgPb__IndexMetadata *index,
                            bool kept, og_error *err)
{
    if (index->uuid == NULL || index->uuid->uuid.len != 16)
        return og_error_set(err, OG_CORRUPT, "an index of %s has no uuid", table->path);
    og_uuid uuid;
    memcpy(uuid.bytes, index->uuid->uuid.data, sizeof uuid.bytes);
    char text[37];
    og_uuid_format(uuid, text);
    const char *name;
    OG_TRY(og_table__file_name(table, s->arena, "_indices", og_str_of(text), index->has_base_id,
                               index->base_id, &name, err));
    return name_file(s, og_str_of(name), kept, err);
}

static og_status name_indices(sweep *s, og_lance_table *table, bool kept, og_error *err)
{
    og_bytes bytes = table->ids_are_slots ? table->address_indices : table->index_section;
    if (bytes.ptr == NULL)
        return OG_OK;
    OG_AUTO(og_arena) scratch = og_arena_new(0);
    OgPb__IndexSection *section;
    if (scratch == NULL)
        return og_error_nomem(err);
    OG_TRY(og_table__unpack(&og_pb__index_section__descriptor, scratch, bytes, "index section",
                            &section, err));
    for (size_t i = 0; i < section->n_indices; i++)
        OG_TRY(name_index(s, table, section->indices[i], kept, err));
    return OG_OK;
}

/* All objects that a version names. */
static og_status name_files(sweep *s, og_lance_table *table, bool kept, og_error *err)
{
    for (uint32_t i = 0; i < table->fragment_count; i++) {
        const og_table__fragment *part = &table->parts[i];
        for (uint32_t f = 0; f < part->file_count; f++)
            OG_TRY(name_file(s, og_str_of(part->files[f].name), kept, err));
        if (part->deletion_name != NULL)
            OG_TRY(name_file(s, og_str_of(part->deletion_name), kept, err));
    }
    og_str transaction = og_table__text(table->manifest->transaction_file);
    OG_AUTO_BUF name = OG_BUF_INIT;
    if (!og_table__join(&name, table->path, "_transactions/") || !og_buf_str(&name, transaction))
        return og_error_nomem(err);
    if (transaction.len != 0)
        OG_TRY(name_file(s, og_buf_view(&name), kept, err));
    return name_indices(s, table, kept, err);
}

/* Versions that a restore stepped back over may hold the work of a writer that was too
 * late and goes on with its files elsewhere: they are left as if no version named
 * them, and go when they are old. */
static og_status judge_versions(sweep *s, og_error *err)
{
    uint64_t newest = 0, undone_above = UINT64_MAX;
    for (size_t i = 0; i < s->versions.len; i++) {
        version_file *f = &s->versions.items[i];
        if (i == 0 || !og_str_eq(f->place, s->versions.items[i - 1].place)) {
            newest = f->version;
            undone_above = UINT64_MAX;
        }
        const char *place = og_arena_str(s->arena, f->place).ptr;
        if (place == NULL)
            return og_error_nomem(err);
        OG_AUTO(og_lance_table) table = NULL;
        OG_TRY(og_lance_table_open(s->env, place, f->version, 0, &table, err));
        f->goes = goes(s, place, table, newest);
        if (!f->goes || f->version <= undone_above)
            OG_TRY(name_files(s, table, !f->goes, err));
        uint64_t restored;
        OG_TRY(og_table__restored(table, &restored, err));
        if (f->version <= undone_above)
            undone_above = restored != 0 ? restored : UINT64_MAX;
    }
    return OG_OK;
}

/* ---- removing ------------------------------------------------------------------------------- */

static og_status flush(sweep *s, og_error *err)
{
    og_store *store = og_lance_env_store(s->env);
    og_status status =
        s->doomed.len != 0 ? store->ops->remove(store, s->doomed.items, s->doomed.len, err) : OG_OK;
    s->doomed.len = 0;
    return status;
}

static og_status doom(sweep *s, const og_object_info *object, uint64_t *count, og_error *err)
{
    const char *name = og_arena_str(s->arena, object->name).ptr;
    if (name == NULL || !og_vec_push(&s->doomed, name))
        return og_error_nomem(err);
    ++*count;
    if (!og_str_ends(object->name, OG_STR(".txn")))
        s->stats->bytes_removed += object->bytes;
    return s->doomed.len >= s->at_once ? flush(s, err) : OG_OK;
}

/* Is the version kept and the next one not, while there are newer ones? */
static bool is_below_hole(const sweep *s, size_t i)
{
    const version_file *f = &s->versions.items[i];
    if (f->goes || i == 0 || !og_str_eq(f[-1].place, f->place))
        return false;
    return f[-1].goes || f[-1].version != f->version + 1;
}

/* Readers go upwards from a version that they know; a mark tells those who stand below a hole to
 * look at all names (og_lance_latest_version). */
static og_status mark_holes(sweep *s, og_error *err)
{
    og_store *store = og_lance_env_store(s->env);
    const char **marks = og_arena_array_of(s->arena, const char *, s->versions.len + 1);
    size_t count = 0;
    for (size_t i = 0; marks != NULL && i < s->versions.len; i++) {
        if (!is_below_hole(s, i))
            continue;
        OG_AUTO_BUF name = OG_BUF_INIT;
        const char *place = og_arena_str(s->arena, s->versions.items[i].place).ptr;
        if (place == NULL || !og_table__gap_name(&name, place, s->versions.items[i].version))
            return og_error_nomem(err);
        OG_TRY(name_file(s, og_buf_view(&name), true, err));
        marks[count] = og_arena_str(s->arena, og_buf_view(&name)).ptr;
        if (marks[count] == NULL)
            return og_error_nomem(err);
        OG_TRY(store->ops->put(store, marks[count++], (og_bytes){(const uint8_t *)"", 0}, err));
    }
    if (marks == NULL)
        return og_error_nomem(err);
    return count != 0 ? store->ops->sync(store, marks, count, err) : OG_OK;
}

/* The oldest first, as those who look for the newest expect. */
static og_status remove_versions(sweep *s, og_error *err)
{
    s->at_once = OG_STORE_REMOVE_BESIDE - 1;
    for (size_t i = s->versions.len; i-- > 0;)
        if (s->versions.items[i].goes)
            OG_TRY(doom(s, s->versions.items[i].object, &s->stats->versions_removed, err));
    return flush(s, err);
}

static bool is_stray(const sweep *s, const og_object_info *object)
{
    return object->modified_us != 0 && object->modified_us < s->options->now_us - OG_LANCE_STRAY_US;
}

static og_status remove_files(sweep *s, og_error *err)
{
    s->at_once = REMOVE_AT_ONCE;
    for (size_t i = 0; i < s->listing.len; i++) {
        const og_object_info *o = &s->listing.items[i];
        og_str key, place;
        OG_TRY(key_of(s, o->name, &key, &place, err));
        if (key.ptr == NULL)
            continue;
        const uint64_t *state = og_strmap_get(s->files, key);
        uint64_t named = state != NULL ? *state : NAMED_BY_NONE;
        if (named == NAMED_BY_OLD || (named == NAMED_BY_NONE && is_stray(s, o)))
            OG_TRY(doom(s, o, &s->stats->files_removed, err));
    }
    return flush(s, err);
}

static og_status run(sweep *s, og_error *err)
{
    og_store *store = og_lance_env_store(s->env);
    OG_AUTO_BUF prefix = OG_BUF_INIT;
    s->arena = og_arena_new(0);
    s->files = og_strmap_new(false);
    if (s->arena == NULL || s->files == NULL || !og_table__join(&prefix, s->path, ""))
        return og_error_nomem(err);
    OG_TRY(store->ops->list(store, og_buf_cstr(&prefix), true, NULL, 0, &s->listing, err));
    OG_TRY(og_lance_refs_read(s->env, s->path, &s->refs, err));
    OG_TRY(find_versions(s, err));
    if (s->versions.len == 0)
        return og_error_set(err, OG_NOT_FOUND, "no table at '%s'", s->path);
    OG_TRY(judge_versions(s, err));
    OG_TRY(mark_holes(s, err));
    OG_TRY(remove_versions(s, err));
    return remove_files(s, err);
}

og_status og_lance_cleanup(og_lance_env *env, const char *path,
                           const og_lance_cleanup_options *options, og_lance_cleanup_stats *out,
                           og_error *err)
{
    *out = (og_lance_cleanup_stats){0};
    sweep s = {.env = env, .path = path, .options = options, .stats = out};
    og_status status = run(&s, err);
    sweep_deinit(&s);
    return status;
}

/* ---- branches ------------------------------------------------------------------------------- */

/* Does the object belong to the branch whose folder is `own`? Told by its name alone: a branch
 * below it whose first files are just being written has no ref yet. Marks of numbers that were used
 * (branch.h) stay. */
static og_status is_of_branch(const sweep *s, og_str name, og_str own, bool *out, og_error *err)
{
    og_str key, place;
    size_t rest, slash = slash_before(name, name.len);
    *out = false;
    if (slash != SIZE_MAX && split_at(s, name, slash, "_versions", &place, &rest)) {
        og_str file = og_str_slice(name, rest, name.len);
        *out = og_str_eq(place, own) && (og_str_ends(file, OG_STR(".manifest")) ||
                                         og_str_starts(file, OG_STR(OG_TABLE__GAP_PREFIX)));
        return OG_OK;
    }
    OG_TRY(key_of(s, name, &key, &place, err));
    *out = key.ptr != NULL && og_str_eq(place, own);
    return OG_OK;
}

static og_status remove_own(sweep *s, og_str own, bool versions, og_error *err)
{
    for (size_t i = 0; i < s->listing.len; i++) {
        const og_object_info *o = &s->listing.items[i];
        bool goes;
        OG_TRY(is_of_branch(s, o->name, own, &goes, err));
        if (goes && og_str_ends(o->name, OG_STR(".manifest")) == versions)
            OG_TRY(doom(s, o, &s->stats->files_removed, err));
    }
    return flush(s, err);
}

/* The ref last: a later cleanup finds by it what this one left. */
static og_status remove_listed(sweep *s, og_str own, const char *ref, const og_blob *was,
                               og_error *err)
{
    OG_TRY(remove_own(s, own, true, err));
    OG_TRY(remove_own(s, own, false, err));
    if (was == NULL)
        return OG_OK;
    og_store *store = og_lance_env_store(s->env);
    og_status status = og_store_remove_same(store, ref, (og_bytes){was->ptr, was->len}, err);
    return status == OG_NOT_FOUND || status == OG_EXISTS ? OG_OK : status;
}

static og_status remove_branch(sweep *s, og_str branch, const og_lance_last_look *look,
                               og_error *err)
{
    og_store *store = og_lance_env_store(s->env);
    OG_AUTO_BUF ref = OG_BUF_INIT;
    OG_AUTO_BUF folder = OG_BUF_INIT;
    OG_AUTO(og_blob) was = NULL;
    bool is_gone = true;
    s->arena = og_arena_new(0);
    if (s->arena == NULL || !og_lance_branch_ref_name(&ref, s->path, branch) ||
        !og_lance_branch_path(&folder, s->path, branch) || !og_buf_byte(&folder, '/'))
        return og_error_nomem(err);
    og_status got = store->ops->get(store, og_buf_cstr(&ref), &was, err);
    OG_TRY(got == OG_NOT_FOUND ? OG_OK : got);
    OG_TRY(store->ops->list(store, og_buf_cstr(&folder), true, NULL, 0, &s->listing, err));
    if (look != NULL)
        OG_TRY(look->is_gone(look->context, branch, &is_gone, err));
    og_str own = og_str_slice(og_buf_view(&folder), 0, folder.len - 1);
    return is_gone ? remove_listed(s, own, og_buf_cstr(&ref), was, err) : OG_OK;
}

og_status og_lance_cleanup_branch(og_lance_env *env, const char *path, og_str branch,
                                  const og_lance_last_look *look, og_error *err)
{
    og_lance_cleanup_stats stats = {0};
    sweep s = {.env = env, .path = path, .stats = &stats, .at_once = REMOVE_AT_ONCE};
    og_status status = remove_branch(&s, branch, look, err);
    sweep_deinit(&s);
    return status;
}
