/* Sums of a table's files, kept beside it: what the format itself has no checksums for. A line is
 * "<XXH3 of the bytes, 16 digits> <name within the dataset>". */
#include "lancetool/tool.h"

#include "base/map.h"
#include "base/vec.h"

#include <errno.h>
#include <inttypes.h>

#define MAX_SUMS_BYTES ((size_t)1 << 30)

typedef struct sum {
    og_str name;
    uint64_t hash;
    bool seen;
} sum;

typedef struct sums {
    OG_VEC(sum) items;
    og_strmap *by_name;
    og_buf text; /* names point into it */
} sums;

static void sums_deinit(sums *s)
{
    og_vec_deinit(&s->items);
    og_strmap_free(s->by_name);
    og_buf_deinit(&s->text);
}

static void listing_auto(og_listing *listing)
{
    og_listing_deinit(listing);
}

static bool parse_hash(og_str digits, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.ptr[i];
        bool letter = c >= 'a' && c <= 'f';
        if (!letter && (c < '0' || c > '9'))
            return false;
        *out = *out << 4 | (uint64_t)(letter ? c - 'a' + 10 : c - '0');
    }
    return digits.len == 16;
}

static og_status add_line(sums *s, og_str line, const char *path, og_error *err)
{
    sum item = {.name = og_str_slice(line, line.len < 17 ? line.len : 17, line.len)};
    og_str digits = og_str_slice(line, 0, line.len < 16 ? line.len : 16);
    if (item.name.len == 0 || line.ptr[16] != ' ' || !parse_hash(digits, &item.hash))
        return og_error_set(err, OG_INVALID, "%s is no file of sums", path);
    bool is_new;
    uint64_t *place = og_strmap_put(s->by_name, item.name, &is_new);
    if (place == NULL || !og_vec_push(&s->items, item))
        return og_error_nomem(err);
    *place = s->items.len - 1;
    return OG_OK;
}

/* None when there is no such file yet. */
static og_status load(sums *s, const char *path, og_error *err)
{
    s->by_name = og_strmap_new(true);
    s->text.max = MAX_SUMS_BYTES;
    if (s->by_name == NULL)
        return og_error_nomem(err);
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return errno == ENOENT ? OG_OK : og_error_errno(err, errno, "read", path);
    char chunk[65536];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, in)) > 0;)
        og_buf_append(&s->text, chunk, n);
    bool failed = ferror(in) != 0 || s->text.failed;
    fclose(in);
    if (failed)
        return og_error_set(err, OG_IO, "%s can't be read", path);
    og_str rest = og_buf_view(&s->text);
    while (rest.len > 0) {
        size_t end = og_str_find(rest, OG_STR("\n"));
        end = end == SIZE_MAX ? rest.len : end;
        OG_TRY(add_line(s, og_str_slice(rest, 0, end), path, err));
        rest = og_str_slice(rest, end < rest.len ? end + 1 : end, rest.len);
    }
    return OG_OK;
}

static og_status compare(sums *s, og_str name, uint64_t hash, og_buf *fresh, tool_summed *out)
{
    uint64_t *found = og_strmap_get(s->by_name, name);
    if (found == NULL) {
        out->fresh++;
        og_buf_printf(fresh, "%016" PRIx64 " %.*s\n", hash, OG_FMT(name));
        return OG_OK;
    }
    sum *item = &s->items.items[*found];
    item->seen = true;
    out->same += item->hash == hash;
    if (item->hash != hash) {
        char message[1200];
        snprintf(message, sizeof message, "%.*s is not what it was when it was summed",
                 OG_FMT(name));
        tool_complain("problem: ", message);
        out->changed++;
    }
    return OG_OK;
}

static og_status sum_objects(tool_place *place, sums *s, og_buf *fresh, tool_summed *out,
                             og_error *err)
{
    OG_AUTO_BUF prefix = OG_BUF_INIT;
    og_buf_printf(&prefix, "%s/", place->dataset);
    __attribute__((cleanup(listing_auto))) og_listing names = {0};
    OG_TRY(place->store->ops->list(place->store, og_buf_cstr(&prefix), true, NULL, 0, &names, err));
    OG_AUTO_BUF name = OG_BUF_INIT;
    for (size_t i = 0; i < names.len; i++) {
        OG_AUTO(og_blob) blob = NULL;
        og_buf_clear(&name);
        og_buf_str(&name, names.items[i].name);
        OG_TRY(place->store->ops->get(place->store, og_buf_cstr(&name), &blob, err));
        out->bytes += blob->len;
        OG_TRY(compare(s, og_str_slice(names.items[i].name, prefix.len, names.items[i].name.len),
                       og_hash64(blob->ptr, blob->len), fresh, out));
    }
    return OG_OK;
}

static og_status append_lines(const char *path, const og_buf *lines, og_error *err)
{
    if (lines->failed)
        return og_error_nomem(err);
    FILE *file = fopen(path, "ab");
    if (file == NULL)
        return og_error_errno(err, errno, "write", path);
    bool ok = fwrite(lines->ptr, 1, lines->len, file) == lines->len;
    ok = fclose(file) == 0 && ok;
    return ok ? OG_OK : og_error_errno(err, errno, "write", path);
}

og_status tool_check_sums(tool_place *place, const char *path, tool_summed *out, og_error *err)
{
    __attribute__((cleanup(sums_deinit))) sums s = {0};
    OG_AUTO_BUF fresh = OG_BUF_INIT;
    *out = (tool_summed){0};
    OG_TRY(load(&s, path, err));
    OG_TRY(sum_objects(place, &s, &fresh, out, err));
    for (size_t i = 0; i < s.items.len; i++)
        out->gone += !s.items.items[i].seen;
    return fresh.len != 0 ? append_lines(path, &fresh, err) : OG_OK;
}
