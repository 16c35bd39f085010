#include "lancetool/change.h"

#include "base/timeval.h"

#include <inttypes.h>

og_lance_write_options tool_write_options(og_lance_op op)
{
    return (og_lance_write_options){.op = op,
                                    .min_max_fragment_id = -1,
                                    .now_us = og_system_clock.now_us(og_system_clock.context)};
}

static og_status sync_files(og_store *store, const og_lance_staged *staged, og_error *err)
{
    OG_TRY(
        store->ops->put(store, staged->transaction_name, og_buf_bytes(&staged->transaction), err));
    return staged->file_count == 0
               ? OG_OK
               : store->ops->sync(store, staged->file_names, staged->file_count, err);
}

og_status tool_commit(const tool_place *place, og_lance_write *write, og_error *err)
{
    const og_lance_staged *staged;
    OG_TRY(og_lance_write_stage(write, &staged, err));
    OG_TRY(sync_files(place->store, staged, err));
    og_status s = og_lance_staged_commit(write, true, err);
    if (s == OG_EXISTS)
        return og_error_set(err, OG_CONFLICT, "another writer made version %" PRIu64 " first",
                            staged->version);
    OG_TRY(s);
    const char *name = staged->manifest_name;
    OG_TRY(place->store->ops->sync(place->store, &name, 1, err));
    printf("version %" PRIu64 ": %" PRIu64 " rows\n", staged->version, staged->row_count);
    return OG_OK;
}

og_status tool_begin(const tool_call *call, og_lance_op op, tool_place *place,
                     og_lance_table **out_table, og_lance_write **out, og_error *err)
{
    OG_TRY(tool_place_open(call, call->arguments[0], false, place, err));
    og_status s = og_lance_table_open(place->env, place->path, 0, 0, out_table, err);
    if (s == OG_NOT_FOUND)
        return og_error_set(err, OG_INVALID, "no table at '%s'", call->arguments[0]);
    OG_TRY(s);
    const og_lance_write_options options = tool_write_options(op);
    return og_lance_write_new(place->env, *out_table, &options, out, err);
}
