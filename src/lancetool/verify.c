/* verify: read all of a table. */
#include "lancetool/verbs.h"

#include "lance/index/btree.h"
#include "lance/table/verify.h"

#include <inttypes.h>

/* What was found over all versions and indexes. */
typedef struct findings {
    uint64_t problems;    /* what does not agree */
    uint64_t unsupported; /* what could not be looked into */
} findings;

static void tell(void *context, const og_error *problem)
{
    findings *f = context;
    bool unread = problem->status == OG_UNSUPPORTED;
    *(unread ? &f->unsupported : &f->problems) += 1;
    tool_complain(unread ? "not read: " : "problem: ", problem->message);
}

/* Of the table, not of this process. */
static bool is_finding(og_status status)
{
    return status == OG_CORRUPT || status == OG_NOT_FOUND || status == OG_UNSUPPORTED;
}

/* Segments of indexes. */
typedef struct indexes {
    uint32_t checked, others; /* others: kinds that are not looked into */
    uint32_t by_address;      /* of tables whose rows have no stable ids: not used */
} indexes;

static og_status check_index(og_lance_table *table, const og_lance_index *index, indexes *out,
                             findings *found, og_error *err)
{
    if (!og_str_is(index->kind, OG_LANCE_BTREE_KIND)) {
        out->others++;
        return OG_OK;
    }
    uint64_t before = found->unsupported;
    og_status s = og_lance_btree_check(table, index, tell, found, err);
    if (is_finding(s)) {
        og_error_context(err, s, "index %.*s in %s", OG_FMT(index->name), index->folder);
        tell(found, err);
        s = OG_OK;
    }
    out->checked += found->unsupported == before;
    return s;
}

/* Of a table without stable row ids, whose indexes know rows by address. */
static og_status count_unused(og_lance_table *table, og_arena *arena, indexes *out, og_error *err)
{
    const og_lance_index *unused;
    return og_lance_address_indices(table, arena, &unused, &out->by_address, err);
}

static og_status verify_indexes(og_lance_table *table, indexes *out, findings *found, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    const og_lance_index *all;
    uint32_t count = 0;
    if (arena == NULL)
        return og_error_nomem(err);
    og_status s = og_lance_indices(table, arena, &all, &count, err);
    for (uint32_t i = 0; s == OG_OK && i < count; i++)
        s = check_index(table, &all[i], out, found, err);
    if (s == OG_OK)
        s = count_unused(table, arena, out, err);
    if (!is_finding(s))
        return s;
    tell(found, err); /* the list of indexes itself */
    return OG_OK;
}

static void put_report(const og_lance_table *table, const og_lance_verified *v, const indexes *i,
                       uint64_t problems, og_buf *out)
{
    og_buf_printf(out,
                  "version %" PRIu64 ": %" PRIu64 " rows, %" PRIu64 " fragments, %" PRIu64
                  " files, %" PRIu64 " columns, %" PRIu64 " pages\n",
                  og_lance_table_version(table), v->rows, v->fragments, v->files, v->columns,
                  v->pages);
    og_buf_printf(out,
                  "  %" PRIu64 " bytes of structure: read, and agree with each other\n"
                  "  %" PRIu64 " bytes of values: decoded, but the format has no checksum of them\n"
                  "  %" PRIu64 " bytes of blobs: there, in their stated sizes\n"
                  "  %" PRIu64 " bytes of columns the table no longer has: not decoded\n",
                  v->structure_bytes, v->value_bytes, v->blob_bytes, v->unread_bytes);
    if (i->checked != 0)
        og_buf_printf(out,
                      "  %" PRIu32 " segments of BTREE indexes: read, and agree with the rows\n",
                      i->checked);
    if (i->others != 0)
        og_buf_printf(out, "  %" PRIu32 " segments of other indexes: not looked into\n", i->others);
    if (i->by_address != 0)
        og_buf_printf(out, "  %" PRIu32 " segments of indexes of row addresses: not looked into\n",
                      i->by_address);
    if (v->unsupported != 0)
        og_buf_printf(out, "  %" PRIu64 " files or columns of features not supported: not read\n",
                      v->unsupported);
    og_buf_printf(out, "%" PRIu64 " problems\n", problems);
}

static og_status verify_version(tool_place *place, uint64_t version, findings *found, og_buf *out,
                                og_error *err)
{
    OG_AUTO(og_lance_table) table = NULL;
    uint64_t before = found->problems;
    og_status status = og_lance_table_open(place->env, place->path, version, 0, &table, err);
    if (status == OG_CORRUPT || status == OG_UNSUPPORTED) {
        tell(found, err);
        return OG_OK;
    }
    OG_TRY(status);
    og_lance_verified verified;
    OG_TRY(og_lance_table_verify(table, tell, found, &verified, err));
    indexes looked = {0};
    OG_TRY(verify_indexes(table, &looked, found, err));
    put_report(table, &verified, &looked, found->problems - before, out);
    return tool_flush(out, err);
}

static og_status verify_all(const tool_call *call, tool_place *place, findings *found, og_buf *out,
                            og_error *err)
{
    OG_AUTO_FREE uint64_t *versions = NULL;
    size_t count;
    OG_TRY(og_lance_list_versions(place->env, place->path, &versions, &count, err));
    if (count == 0)
        return tool_no_table(call, place, err);
    for (size_t i = 0; i < count; i++)
        OG_TRY(verify_version(place, versions[i], found, out, err));
    return OG_OK;
}

static og_status check_sums(const tool_call *call, tool_place *place, findings *found, og_buf *out,
                            og_error *err)
{
    tool_summed summed;
    OG_TRY(tool_check_sums(place, tool_value(call, "sums"), &summed, err));
    found->problems += summed.changed;
    og_buf_printf(out,
                  "sums: %" PRIu64 " files as they were, %" PRIu64 " changed, %" PRIu64
                  " gone, %" PRIu64 " new; %" PRIu64 " bytes in all\n",
                  summed.same, summed.changed, summed.gone, summed.fresh, summed.bytes);
    return tool_flush(out, err);
}

static og_status verdict(const tool_call *call, const findings *found, og_error *err)
{
    const char *name = call->arguments[0];
    if (found->problems != 0)
        return og_error_set(err, OG_CORRUPT, "%s has %" PRIu64 " problems", name, found->problems);
    if (found->unsupported != 0)
        return og_error_set(err, OG_UNSUPPORTED,
                            "%s has no problems where it could be read, but %" PRIu64
                            " parts are of features that are not supported",
                            name, found->unsupported);
    return OG_OK;
}

static og_status run(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_TRY(tool_place_open(call, call->arguments[0], false, &place, err));
    OG_AUTO_BUF out = OG_BUF_INIT;
    findings found = {0};
    if (tool_has(call, "all")) {
        OG_TRY(verify_all(call, &place, &found, &out, err));
    } else {
        OG_AUTO(og_lance_table) table = NULL;
        OG_TRY(tool_table_open(call, &place, &table, err));
        OG_TRY(verify_version(&place, og_lance_table_version(table), &found, &out, err));
    }
    if (tool_has(call, "sums"))
        OG_TRY(check_sums(call, &place, &found, &out, err));
    return verdict(call, &found, err);
}

static const tool_option options[] = {
    TOOL_VERSION,
    TOOL_BRANCH,
    {"all", NULL, "every version that is there"},
    {"sums", "FILE", "compare all files with their sums in FILE; add those of new files"},
    {0},
};

const tool_verb tool_verify = {
    .name = "verify",
    .arguments = "TABLE",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Read every file, page, count and BTREE of a table, and say what does not agree",
    .about =
        "Lance files have no checksums: what is inside plain values can't be vouched for. The "
        "report\n"
        "says how many bytes that is. Each problem is a line on the error output. With sums taken\n"
        "while the table was good, every byte is vouched for.\n",
    .examples = "  lancetool verify people.lance\n"
                "  lancetool verify --all people.lance\n"
                "  lancetool verify --sums people.sums people.lance\n",
    .options = options,
    .run = run,
};
