#include "lance/table/branch.h"

#include <inttypes.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <wctype.h>

#include "base/json.h"
#include "base/number.h"
#include "lance/table/table_priv.h"

#define REFS_FOLDER "_refs/branches/"
#define REF_SUFFIX ".json"
/* The longest name of a file in common file systems,
 * less the suffix and what others put before it. */
#define MAX_ENCODED_BYTES 240
/* What others may have stored: without that reserve. */
#define MAX_STORED_BYTES (255 - (sizeof REF_SUFFIX - 1))
/* Forks above each other; deeper refs are damage. */
#define MAX_FORKS 4096

/* ---- names -------------------------------------------------------------------------------- */

static locale_t unicode;

static void open_unicode(void)
{
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* Letters and digits of any script. */
static bool is_alphanumeric(uint32_t code)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (code < 0x80)
        return (code >= '0' && code <= '9') || ((code | 32) >= 'a' && (code | 32) <= 'z');
    (void)pthread_once(&once, open_unicode);
    return unicode != (locale_t)0 && iswalnum_l((wint_t)code, unicode) != 0;
}

/* The next segment of a name from *at on; false behind the last. */
static bool next_segment(og_str name, size_t *at, og_str *out)
{
    if (*at > name.len)
        return false;
    size_t end = *at;
    while (end < name.len && name.ptr[end] != '/')
        end++;
    *out = og_str_slice(name, *at, end);
    *at = end + 1;
    return true;
}

static og_status check_segment(og_str segment, og_error *err)
{
    for (size_t at = 0; at < segment.len;) {
        uint32_t code = og_utf8_next(segment, &at);
        if (!is_alphanumeric(code) && code != '.' && code != '-' && code != '_')
            return og_error_set(err, OG_INVALID,
                                "branch name segment '%.*s' contains invalid characters: only "
                                "letters, digits, '.', '-' and '_' are allowed",
                                OG_FMT(segment));
    }
    return OG_OK;
}

/* Folders of a dataset: a branch below another must not take the place of one of its folders. */
static bool is_dataset_folder(og_str segment)
{
    static const char *const folders[] = {"_versions", "_transactions", "_deletions", "_indices",
                                          "_refs"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (og_str_is(segment, folders[i]))
            return true;
    return false;
}

static og_status check_segments(og_str name, og_error *err)
{
    og_str segment;
    for (size_t at = 0; next_segment(name, &at, &segment);) {
        OG_TRY(check_segment(segment, err));
        if (segment.ptr != name.ptr && is_dataset_folder(segment))
            return og_error_set(err, OG_INVALID, "branch name segment '%.*s' is reserved",
                                OG_FMT(segment));
    }
    return OG_OK;
}

static og_status check_encoded(og_str name, size_t most, og_error *err)
{
    OG_AUTO_BUF encoded = OG_BUF_INIT;
    if (!og_lance_branch_encode(&encoded, name))
        return og_error_nomem(err);
    if (encoded.len <= most)
        return OG_OK;
    og_error_set(err, OG_INVALID, "branch name is too long: %zu bytes, at most %zu", encoded.len,
                 most);
    if (encoded.len > name.len)
        og_error_hint(err, "'/' and each byte of a letter beyond ASCII count three.");
    return OG_INVALID;
}

og_status og_lance_branch_check_name(og_str name, og_error *err)
{
    if (name.len == 0)
        return og_error_set(err, OG_INVALID, "branch name cannot be empty");
    if (!og_utf8_valid(name, NULL))
        return og_error_set(err, OG_INVALID, "branch name is not UTF-8");
    if (name.ptr[0] == '/' || name.ptr[name.len - 1] == '/')
        return og_error_set(err, OG_INVALID, "branch name cannot start or end with a '/'");
    if (og_str_find(name, OG_STR("//")) != SIZE_MAX)
        return og_error_set(err, OG_INVALID, "branch name cannot contain consecutive '/'");
    if (og_str_find(name, OG_STR("..")) != SIZE_MAX)
        return og_error_set(err, OG_INVALID, "branch name cannot contain '..'");
    OG_TRY(check_segments(name, err));
    if (og_str_ends(name, OG_STR(".lock")))
        return og_error_set(err, OG_INVALID, "branch name cannot end with '.lock'");
    if (!og_lance_branch_is_safe(name))
        return og_error_set(err, OG_INVALID, "branch name segment cannot be '.'");
    return check_encoded(name, MAX_ENCODED_BYTES, err);
}

og_status og_lance_branch_check_length(og_str name, og_error *err)
{
    return check_encoded(name, MAX_STORED_BYTES, err);
}

bool og_lance_branch_is_safe(og_str name)
{
    og_str segment;
    if (name.len == 0 || memchr(name.ptr, '\0', name.len) != NULL ||
        memchr(name.ptr, '\\', name.len) != NULL)
        return false;
    for (size_t at = 0; next_segment(name, &at, &segment);)
        if (segment.len == 0 || og_str_is(segment, ".") || og_str_is(segment, ".."))
            return false;
    return true;
}

static bool is_unreserved(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '.' || c == '-' ||
           c == '_' || c == '~';
}

bool og_lance_branch_encode(og_buf *out, og_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (is_unreserved(name.ptr[i]))
            og_buf_byte(out, (uint8_t)name.ptr[i]);
        else
            og_buf_printf(out, "%%%02X", (unsigned char)name.ptr[i]);
    }
    return !out->failed;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False for what no encoder makes. */
static bool decode_name(og_buf *out, og_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '%') {
            og_buf_byte(out, (uint8_t)text.ptr[i]);
            continue;
        }
        if (text.len - i < 3 || hex_digit(text.ptr[i + 1]) < 0 || hex_digit(text.ptr[i + 2]) < 0)
            return false;
        og_buf_byte(out, (uint8_t)(hex_digit(text.ptr[i + 1]) << 4 | hex_digit(text.ptr[i + 2])));
        i += 2;
    }
    og_str name = og_buf_view(out);
    return og_lance_branch_is_safe(name) && og_utf8_valid(name, NULL);
}

bool og_lance_branch_ref_name(og_buf *out, const char *path, og_str branch)
{
    og_table__join(out, path, REFS_FOLDER);
    og_lance_branch_encode(out, branch);
    return og_buf_text(out, REF_SUFFIX);
}

/* ---- refs --------------------------------------------------------------------------------- */

static bool read_fork(og_arena *arena, const og_json *pair, og_lance_fork *out)
{
    if (pair->kind != OG_JSON_ARRAY || pair->count != 2 || pair->items[0].kind != OG_JSON_NUMBER ||
        pair->items[1].kind != OG_JSON_STRING)
        return false;
    out->id = og_arena_str(arena, pair->items[1].text);
    return og_json_to_u64(&pair->items[0], &out->version);
}

static uint64_t number_of(const og_json *ref, const char *key)
{
    const og_json *member = og_json_get(ref, key);
    uint64_t value;
    return member != NULL && member->kind == OG_JSON_NUMBER && og_json_to_u64(member, &value)
               ? value
               : 0;
}

/* False when it is no ref; ptr NULL of a text in *out: out of memory. */
static bool read_ref(og_arena *arena, const og_json *json, og_lance_ref *out)
{
    const og_json *forks = og_json_get(og_json_get(json, "identifier"), "version_mapping");
    uint64_t created = number_of(json, "createAt");
    og_str parent = og_json_get_str(json, "parentBranch", OG_STR(""));
    *out = (og_lance_ref){
        .parent = og_arena_str(arena, og_str_is(parent, "main") ? OG_STR("") : parent),
        .parent_version = number_of(json, "parentVersion"),
        .created_s = created <= INT64_MAX ? (int64_t)created : 0,
        .manifest_bytes = number_of(json, "manifestSize"),
        .first_version = number_of(og_json_get(json, "og"), "version"),
    };
    if (out->first_version == 0)
        out->first_version = out->parent_version;
    if (out->parent_version == 0 || forks == NULL || forks->kind != OG_JSON_ARRAY ||
        forks->count == 0 || forks->count > MAX_FORKS)
        return false;
    og_lance_fork *items = og_arena_array_of(arena, og_lance_fork, forks->count);
    for (uint32_t i = 0; i < forks->count && items != NULL; i++)
        if (!read_fork(arena, &forks->items[i], &items[i]))
            return false;
    out->forks = items;
    out->fork_count = forks->count;
    return true;
}

og_status og_lance_branch_read(og_store *store, const char *path, og_str branch, og_arena *arena,
                               og_lance_ref *out, og_error *err)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    OG_AUTO(og_blob) blob = NULL;
    if (!og_lance_branch_ref_name(&name, path, branch))
        return og_error_nomem(err);
    OG_TRY(store->ops->get(store, og_buf_cstr(&name), &blob, err));
    og_json json;
    og_str text = og_arena_str(arena, (og_str){(const char *)blob->ptr, blob->len});
    if (text.ptr == NULL)
        return og_error_nomem(err);
    og_status s = og_json_parse(arena, text, &json, err);
    if (s == OG_NOMEM)
        return s;
    if (s != OG_OK || !read_ref(arena, &json, out))
        return og_error_set(err, OG_CORRUPT, "%s is no branch's ref", og_buf_cstr(&name));
    bool is_whole = out->parent.ptr != NULL && out->forks != NULL;
    for (size_t i = 0; i < out->fork_count && is_whole; i++)
        is_whole = out->forks[i].id.ptr != NULL;
    return is_whole ? OG_OK : og_error_nomem(err);
}

bool og_lance_branch_encode_ref(og_buf *out, const og_lance_ref *ref)
{
    og_buf_text(out, "{\n  \"parentBranch\": ");
    if (ref->parent.len > 0)
        og_json_write_str(out, ref->parent);
    else
        og_buf_text(out, "null");
    og_buf_text(out, ",\n  \"identifier\": {\n    \"version_mapping\": [");
    for (size_t i = 0; i < ref->fork_count; i++) {
        og_buf_printf(out, "%s\n      [\n        %" PRIu64 ",\n        ", i > 0 ? "," : "",
                      ref->forks[i].version);
        og_json_write_str(out, ref->forks[i].id);
        og_buf_text(out, "\n      ]");
    }
    og_buf_printf(out,
                  "\n    ]\n  },\n  \"parentVersion\": %" PRIu64 ",\n  \"createAt\": %" PRId64
                  ",\n  \"manifestSize\": %" PRIu64,
                  ref->parent_version, ref->created_s, ref->manifest_bytes);
    if (ref->first_version != ref->parent_version)
        og_buf_printf(out, ",\n  \"og\": {\n    \"version\": %" PRIu64 "\n  }", ref->first_version);
    return og_buf_text(out, "\n}");
}

static int by_bytes(const void *a, const void *b)
{
    return og_str_cmp(*(const og_str *)a, *(const og_str *)b);
}

/* The branch that an object in the refs' folder belongs to; "" for what is no ref file. */
static og_status name_of_ref(og_str object, size_t prefix, og_arena *arena, og_str *out,
                             og_error *err)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    *out = OG_STR("");
    if (object.len < prefix || !og_str_ends(object, OG_STR(REF_SUFFIX)) ||
        object.len - prefix < strlen(REF_SUFFIX))
        return OG_OK;
    og_str encoded = og_str_slice(object, prefix, object.len - strlen(REF_SUFFIX));
    if (!decode_name(&name, encoded))
        return name.failed ? og_error_nomem(err) : OG_OK;
    *out = og_arena_str(arena, og_buf_view(&name));
    return out->ptr != NULL ? OG_OK : og_error_nomem(err);
}

og_status og_lance_branch_list(og_store *store, const char *path, og_arena *arena,
                               og_str **out_names, size_t *out_count, og_error *err)
{
    OG_AUTO_BUF folder = OG_BUF_INIT;
    og_listing listing = {0};
    if (!og_table__join(&folder, path, REFS_FOLDER))
        return og_error_nomem(err);
    OG_TRY(store->ops->list(store, og_buf_cstr(&folder), false, NULL, 0, &listing, err));
    og_str *names = og_arena_array_of(arena, og_str, listing.len + 1);
    og_status s = names != NULL ? OG_OK : og_error_nomem(err);
    size_t count = 0;
    for (size_t i = 0; i < listing.len && s == OG_OK; i++) {
        s = name_of_ref(listing.items[i].name, folder.len, arena, &names[count], err);
        count += s == OG_OK && names[count].len > 0;
    }
    og_listing_deinit(&listing);
    OG_TRY(s);
    qsort(names, count, sizeof *names, by_bytes);
    *out_names = names;
    *out_count = count;
    return OG_OK;
}

/* ---- versions without a branch ------------------------------------------------------------- */

#define FLOOR_PREFIX "og.floor-"

static void listing_auto(og_listing *listing)
{
    og_listing_deinit(listing);
}

static og_status list_slots(og_store *store, const char *path, og_str branch, og_buf *out_folder,
                            og_listing *out, og_error *err)
{
    og_lance_branch_path(out_folder, path, branch);
    if (!og_buf_text(out_folder, "/_versions/"))
        return og_error_nomem(err);
    return store->ops->list(store, og_buf_cstr(out_folder), false, NULL, 0, out, err);
}

/* The branch whose version the object is; ptr NULL: of none. */
static og_str branch_of_version(og_str object, size_t prefix)
{
    bool is_old;
    og_str folder = OG_STR("/_versions/");
    og_str rest = og_str_slice(object, prefix, object.len);
    size_t end = rest.len;
    while (end > 0 && rest.ptr[end - 1] != '/')
        end--;
    og_str place = og_str_slice(rest, 0, end);
    if (place.len <= folder.len || !og_str_ends(place, folder) ||
        og_table__version_of_name(object, &is_old) == 0)
        return (og_str){NULL, 0};
    return og_str_slice(place, 0, place.len - folder.len);
}

og_status og_lance_branch_remains(og_store *store, const char *path, og_arena *arena,
                                  og_str **out_names, size_t *out_count, og_error *err)
{
    OG_AUTO_BUF folder = OG_BUF_INIT;
    __attribute__((cleanup(listing_auto))) og_listing listing = {0};
    if (!og_table__join(&folder, path, "tree/"))
        return og_error_nomem(err);
    OG_TRY(store->ops->list(store, og_buf_cstr(&folder), true, NULL, 0, &listing, err));
    og_str *names = og_arena_array_of(arena, og_str, listing.len + 1);
    size_t count = 0;
    for (size_t i = 0; i < listing.len && names != NULL; i++) {
        og_str name = branch_of_version(listing.items[i].name, folder.len);
        /* Versions of one branch stand together. */
        if (name.ptr == NULL || (count > 0 && og_str_eq(names[count - 1], name)))
            continue;
        names[count] = og_arena_str(arena, name);
        if (names[count++].ptr == NULL)
            return og_error_nomem(err);
    }
    if (names == NULL)
        return og_error_nomem(err);
    *out_names = names;
    *out_count = count;
    return OG_OK;
}

static og_lance_branch_slots read_slots(const og_listing *listing, size_t prefix)
{
    og_lance_branch_slots slots = {0};
    for (size_t i = 0; i < listing->len; i++) {
        const og_object_info *object = &listing->items[i];
        og_str file = og_str_slice(object->name, prefix, object->name.len);
        bool is_old;
        uint64_t version = og_table__version_of_name(object->name, &is_old), floor;
        if (version > slots.newest) {
            slots.newest = version;
            slots.newest_put_us = object->modified_us;
        }
        if (og_str_starts(file, OG_STR(FLOOR_PREFIX)) &&
            og_parse_u64(og_str_slice(file, strlen(FLOOR_PREFIX), file.len), &floor) &&
            floor > slots.floor)
            slots.floor = floor;
    }
    return slots;
}

og_status og_lance_branch_survey(og_store *store, const char *path, og_str branch,
                                 og_lance_branch_slots *out, og_error *err)
{
    OG_AUTO_BUF folder = OG_BUF_INIT;
    __attribute__((cleanup(listing_auto))) og_listing listing = {0};
    OG_TRY(list_slots(store, path, branch, &folder, &listing, err));
    *out = read_slots(&listing, folder.len);
    return OG_OK;
}

/* Manifests up to the floor, and lower marks. */
static og_status remove_slots(og_store *store, const og_listing *listing, const char *mark,
                              uint64_t floor, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    const char **names =
        arena != NULL ? og_arena_array_of(arena, const char *, listing->len + 1) : NULL;
    if (names == NULL)
        return og_error_nomem(err);
    size_t count = 0;
    for (size_t i = 0; i < listing->len; i++) {
        og_str name = listing->items[i].name;
        bool is_mark = og_str_find(name, OG_STR("/" FLOOR_PREFIX)) != SIZE_MAX, is_old;
        uint64_t version = og_table__version_of_name(name, &is_old);
        bool goes =
            is_mark ? og_str_cmp(name, og_str_of(mark)) < 0 : version != 0 && version <= floor;
        if (!goes)
            continue;
        names[count] = og_arena_str(arena, name).ptr;
        if (names[count++] == NULL)
            return og_error_nomem(err);
    }
    return count > 0 ? store->ops->remove(store, names, count, err) : OG_OK;
}

static bool mark_name(og_buf *out, og_str folder, uint64_t last)
{
    return og_buf_printf(out, "%.*s" FLOOR_PREFIX "%020" PRIu64, OG_FMT(folder), last);
}

og_status og_lance_branch_mark(og_store *store, const char *path, og_str branch, uint64_t last,
                               og_error *err)
{
    OG_AUTO_BUF folder = OG_BUF_INIT;
    OG_AUTO_BUF mark = OG_BUF_INIT;
    og_lance_branch_path(&folder, path, branch);
    if (!og_buf_text(&folder, "/_versions/") || !mark_name(&mark, og_buf_view(&folder), last))
        return og_error_nomem(err);
    const char *name = og_buf_cstr(&mark);
    OG_TRY(store->ops->put(store, name, (og_bytes){(const uint8_t *)"", 0}, err));
    return store->ops->sync(store, &name, 1, err);
}

og_status og_lance_branch_clear(og_store *store, const char *path, og_str branch, uint64_t last,
                                og_error *err)
{
    OG_AUTO_BUF folder = OG_BUF_INIT;
    OG_AUTO_BUF mark = OG_BUF_INIT;
    __attribute__((cleanup(listing_auto))) og_listing listing = {0};
    OG_TRY(list_slots(store, path, branch, &folder, &listing, err));
    if (!mark_name(&mark, og_buf_view(&folder), last))
        return og_error_nomem(err);
    return remove_slots(store, &listing, og_buf_cstr(&mark), last, err);
}
