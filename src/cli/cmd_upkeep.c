/* optimize and cleanup: what keeps a graph small. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/number.h"
#include "cli/cli.h"

#define KEY_COLUMN 40 /* width of table keys in the plain text, in characters */

static void begin_json(const cli *c, og_buf *out)
{
    og_buf_text(out, "{\n  \"uri\": ");
    og_json_write_str(out, og_str_of(c->uri));
}

/* The objects of `tables` stand one after the other, each with a comma before it. */
static void end_json(og_buf *out, const og_buf *tables)
{
    og_buf_text(out, ",\n  \"tables\": [");
    if (tables->len > 0)
        og_buf_append(out, tables->ptr + 1, tables->len - 1);
    og_buf_text(out, tables->len > 0 ? "\n  ]\n}\n" : "]\n}\n");
    out->failed |= tables->failed;
}

/* ---- optimize ------------------------------------------------------------------------------- */

typedef struct listing {
    bool json;
    og_buf tables;
    size_t count;
    uint64_t versions, bytes;
    og_buf failed_keys;
    size_t failed;
} listing;

static void listing_deinit(listing *l)
{
    og_buf_deinit(&l->tables);
    og_buf_deinit(&l->failed_keys);
}

static void put_key(og_buf *out, og_text key)
{
    og_buf_text(out, ",\n    {\n      \"table_key\": ");
    og_json_write_str(out, (og_str){key.ptr, key.len});
}

static void put_padded(og_buf *out, og_text key)
{
    size_t width = 0;
    og_buf_append(out, key.ptr, key.len);
    for (size_t i = 0; i < key.len; i++)
        width += (key.ptr[i] & 0xC0) != 0x80;
    for (; width < KEY_COLUMN; width++)
        og_buf_byte(out, ' ');
}

static og_status list_optimized(void *context, const og_table_upkeep *t, og_error *err)
{
    listing *l = context;
    l->count++;
    if (l->json) {
        put_key(&l->tables, t->table_key);
        og_buf_printf(&l->tables,
                      ",\n      \"fragments_removed\": %" PRIu64
                      ",\n      \"fragments_added\": %" PRIu64
                      ",\n      \"committed\": %s,\n      \"skipped\": null\n    }",
                      t->fragments_removed, t->fragments_added, t->committed ? "true" : "false");
    } else {
        og_buf_text(&l->tables, "  ");
        put_padded(&l->tables, t->table_key);
        if (t->committed)
            og_buf_printf(&l->tables, " frags %" PRIu64 " \xe2\x86\x92 %" PRIu64 " \xe2\x9c\x93\n",
                          t->fragments_removed, t->fragments_added);
        else
            og_buf_text(&l->tables, " no-op\n");
    }
    return l->tables.failed ? og_error_nomem(err) : OG_OK;
}

og_status cli_run_optimize(cli *c, og_error *err)
{
    OG_TRY(cli_load_config(c, err));
    OG_TRY(cli_open(c, NULL, err));
    __attribute__((cleanup(listing_deinit))) listing l = {.json = cli_has(&c->args, CLI_JSON)};
    OG_TRY(og_optimize(c->session, list_optimized, &l, err));
    c->has_changed = true;
    OG_AUTO_BUF out = OG_BUF_INIT;
    if (l.json) {
        begin_json(c, &out);
        end_json(&out, &l.tables);
    } else {
        og_buf_printf(&out, "optimize %s \xe2\x80\x94 %zu tables\n", c->uri, l.count);
        og_buf_str(&out, og_buf_view(&l.tables));
    }
    return cli_print_buf(&out, err);
}

/* ---- cleanup -------------------------------------------------------------------------------- */

/* A number with a unit: "7d", "24h", "90m"; without one, seconds. */
static og_status parse_duration(const char *text, uint64_t *out, og_error *err)
{
    static const struct {
        const char *name;
        uint64_t seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}};
    og_str whole = og_str_trim(og_str_of(text));
    if (whole.len == 0)
        return og_error_set(err, OG_INVALID, "duration is empty");
    size_t at = whole.len;
    for (size_t i = 0; i < whole.len; i++)
        if (isalpha((unsigned char)whole.ptr[i]))
            at = i;
    og_str number = og_str_slice(whole, 0, at), unit = og_str_slice(whole, at, whole.len);
    uint64_t n;
    if (number.len == 0)
        return og_error_set(err, OG_INVALID, "invalid duration '%.*s': it has no number",
                            OG_FMT(whole));
    if (!og_parse_u64(number, &n))
        return og_error_set(err, OG_INVALID, "invalid duration '%.*s': '%.*s' is not a number",
                            OG_FMT(whole), OG_FMT(number));
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!og_str_is(unit, units[i].name))
            continue;
        if (n > UINT64_MAX / units[i].seconds)
            return og_error_set(err, OG_INVALID, "duration '%.*s' is too long", OG_FMT(whole));
        *out = n * units[i].seconds;
        return OG_OK;
    }
    return og_error_set(err, OG_INVALID, "unknown duration unit '%.*s'. Supported: s, m, h, d, w",
                        OG_FMT(unit));
}

static og_status read_policy(const cli *c, og_cleanup_options *out, og_error *err)
{
    const char *older_than = cli_value(&c->args, CLI_OLDER_THAN);
    out->by_count = cli_number(&c->args, CLI_KEEP, &out->keep_versions);
    out->by_age = older_than != NULL;
    if (older_than != NULL && parse_duration(older_than, &out->older_than_s, err) != OG_OK) {
        og_error_context(err, OG_INVALID, "--older-than");
        og_error_hint(err, "Give a number and a unit: 90s, 90m, 24h, 7d, 2w.");
        return OG_INVALID;
    }
    if (!out->by_count && !out->by_age)
        return og_error_set(err, OG_INVALID,
                            "cleanup requires at least one of --keep or --older-than");
    return OG_OK;
}

static void describe(const og_cleanup_options *o, og_buf *out)
{
    if (o->by_count)
        og_buf_printf(out, "keep %" PRIu64 " versions", o->keep_versions);
    if (!o->by_age)
        return;
    og_buf_text(out, o->by_count ? ", remove anything older than " : "remove anything older than ");
    if (o->older_than_s == 0)
        og_buf_text(out, "0ns"); /* as the reference says it */
    else
        og_buf_printf(out, "%" PRIu64 "s", o->older_than_s);
}

static og_status list_cleaned(void *context, const og_table_upkeep *t, og_error *err)
{
    listing *l = context;
    bool failed = t->error.len > 0;
    put_key(&l->tables, t->table_key);
    og_buf_printf(&l->tables,
                  ",\n      \"bytes_removed\": %" PRIu64
                  ",\n      \"old_versions_removed\": %" PRIu64 ",\n      \"error\": ",
                  t->bytes_removed, t->versions_removed);
    if (failed) {
        og_json_write_str(&l->tables, (og_str){t->error.ptr, t->error.len});
        og_buf_text(&l->failed_keys, l->failed > 0 ? ", " : "");
        og_buf_append(&l->failed_keys, t->table_key.ptr, t->table_key.len);
        cli_warn("%.*s: %.*s", (int)t->table_key.len, t->table_key.ptr, (int)t->error.len,
                 t->error.ptr);
    } else {
        og_buf_text(&l->tables, "null");
    }
    og_buf_text(&l->tables, "\n    }");
    l->count++;
    l->failed += failed;
    l->versions += t->versions_removed;
    l->bytes += t->bytes_removed;
    return l->tables.failed || l->failed_keys.failed ? og_error_nomem(err) : OG_OK;
}

static void put_number_or_null(og_buf *out, const char *name, bool present, uint64_t value)
{
    og_buf_printf(out, ",\n  \"%s\": ", name);
    if (present)
        og_buf_printf(out, "%" PRIu64, value);
    else
        og_buf_text(out, "null");
}

static og_status print_cleaned(const cli *c, const og_cleanup_options *o, const char *policy,
                               const listing *l, og_error *err)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    if (cli_has(&c->args, CLI_JSON)) {
        begin_json(c, &out);
        put_number_or_null(&out, "keep_versions", o->by_count, o->keep_versions);
        put_number_or_null(&out, "older_than_secs", o->by_age, o->older_than_s);
        end_json(&out, &l->tables);
        return cli_print_buf(&out, err);
    }
    og_buf_printf(&out,
                  "cleanup %s (%s) \xe2\x80\x94 removed %" PRIu64 " versions (%" PRIu64
                  " bytes) across %zu tables\n",
                  c->uri, policy, l->versions, l->bytes, l->count - l->failed);
    if (l->failed > 0)
        og_buf_printf(&out, "  %zu table(s) failed and will be retried on the next cleanup: %.*s\n",
                      l->failed, OG_FMT(og_buf_view(&l->failed_keys)));
    return cli_print_buf(&out, err);
}

og_status cli_run_cleanup(cli *c, og_error *err)
{
    og_cleanup_options options = OG_CLEANUP_OPTIONS_INIT;
    OG_TRY(cli_load_config(c, err));
    OG_TRY(read_policy(c, &options, err));
    OG_AUTO_BUF policy = OG_BUF_INIT;
    describe(&options, &policy);
    if (policy.failed)
        return og_error_nomem(err);
    if (!cli_has(&c->args, CLI_CONFIRM)) {
        OG_TRY(cli_resolve(c, NULL, err));
        fprintf(stderr,
                "cleanup is destructive \xe2\x80\x94 rerun with --confirm. Policy for %s: %s\n",
                c->uri, og_buf_cstr(&policy));
        return OG_OK;
    }
    OG_TRY(cli_open(c, NULL, err));
    __attribute__((cleanup(listing_deinit))) listing l = {0};
    OG_TRY(og_cleanup(c->session, &options, list_cleaned, &l, err));
    c->has_changed = true;
    return print_cleaned(c, &options, og_buf_cstr(&policy), &l, err);
}
