#include "lance/table/commit.h"

#include "lance/table/rebase.h"
#include "lance/table/write_priv.h"

#include <inttypes.h>

#define MAX_ATTEMPTS 20 /* to go behind others, as in Lance */

static og_status sync_files(og_store *store, const og_lance_staged *staged, og_error *err)
{
    OG_TRY(
        store->ops->put(store, staged->transaction_name, og_buf_bytes(&staged->transaction), err));
    return staged->file_count == 0
               ? OG_OK
               : store->ops->sync(store, staged->file_names, staged->file_count, err);
}

static og_status was_first(uint64_t version, og_error *err)
{
    return og_error_set(err, OG_CONFLICT, "another writer made version %" PRIu64 " first", version);
}

/* Another took the slot: build on its version, where that changes nothing of what was asked for. */
static og_status go_behind(og_lance_write *write, og_error *err)
{
    OG_AUTO(og_lance_table) newest = NULL;
    og_lance_verdict verdict;
    OG_TRY(og_lance_table_open(write->env, write->options.path, 0, 0, &newest, err));
    OG_TRY(og_lance_write_rebase(write, newest, &verdict, err));
    uint64_t version = og_lance_table_version(newest);
    if (verdict == OG_LANCE_FITS)
        return OG_OK;
    if (verdict == OG_LANCE_INCOMPATIBLE)
        return og_error_set(err, OG_CONFLICT,
                            "another writer replaced the table by version %" PRIu64, version);
    return og_error_set(err, OG_CONFLICT,
                        "another writer made version %" PRIu64 " first, and changed the same",
                        version);
}

og_status og_lance_write_commit(og_lance_write *write, bool may_follow, const og_lance_staged **out,
                                og_error *err)
{
    og_store *store = og_lance_env_store(write->env);
    const og_lance_staged *staged;
    for (int attempt = 0;; attempt++) {
        OG_TRY(og_lance_write_stage(write, &staged, err));
        OG_TRY(sync_files(store, staged, err));
        og_status s = og_lance_staged_commit(write, true, err);
        if (s == OG_OK)
            break;
        if (s != OG_EXISTS)
            return s;
        if (!may_follow || attempt == MAX_ATTEMPTS)
            return was_first(staged->version, err);
        const char *lost = staged->transaction_name;
        (void)store->ops->remove(store, &lost, 1, NULL);
        OG_TRY(go_behind(write, err));
    }
    if (out != NULL)
        *out = staged;
    const char *name = staged->manifest_name;
    return store->ops->sync(store, &name, 1, err);
}
