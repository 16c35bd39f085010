#include <inttypes.h>

#include "graph/commit_priv.h"

/* Whose manifest stands in a slot: that of the operation, or of the fork? OG_NOT_FOUND: free. */
static og_status slot_is_ours(og_graph__run *r, const char *path, uint64_t version,
                              const og_graph__fork *fork, bool *out_ours, og_error *err)
{
    OG_AUTO(og_lance_table) there = NULL;
    OG_TRY(og_lance_table_open(r->repo->env, path, version, 0, &there, err));
    og_str id = og_lance_table_transaction_property(there, fork != NULL ? OG_STR("og.fork")
                                                                        : OG_STR("og.op"));
    *out_ours = id.ptr != NULL && og_str_is(id, fork != NULL ? fork->id : r->commit->op.id);
    return OG_OK;
}

/* Is the operation's version of `__manifest` the one that we staged? A helper's names other files,
 * and what is remembered of ours would not be what is stored. Who can't tell must not say no: ours
 * may be the one that stands, with our files. */
static og_status stands_as_staged(og_graph__run *r, bool *out, og_error *err)
{
    const og_lance_staged *staged = r->publish_staged;
    OG_AUTO(og_blob) there = NULL;
    if (r->store->ops->get(r->store, staged->manifest_name, &there, err) != OG_OK)
        return OG_UNKNOWN;
    *out = there->len == staged->manifest.len &&
           memcmp(there->ptr, staged->manifest.ptr, there->len) == 0;
    return OG_OK;
}

og_status og_graph__take_slot(og_graph__run *r, og_lance_write *write, const char *path,
                              const og_graph__fork *fork, og_error *err)
{
    uint64_t version = og_lance_write_version(write);
    for (int attempt = 0;; attempt++) {
        og_status s = og_lance_staged_commit(write, true, err);
        if (s != OG_EXISTS && s != OG_UNKNOWN)
            return s;
        bool ours = false;
        og_status seen = slot_is_ours(r, path, version, fork, &ours, err);
        if (seen == OG_OK && ours && write == r->publish)
            seen = stands_as_staged(r, &ours, err);
        if (seen == OG_OK) {
            og_lance_write_settle(write, ours);
            return ours ? OG_OK : OG_EXISTS;
        }
        if (seen != OG_NOT_FOUND || attempt == 2) {
            og_lance_write_settle(write, true); /* its files may be named */
            return og_error_set(err, OG_UNKNOWN,
                                "the outcome of operation %s is unknown: no answer about version "
                                "%" PRIu64 " of %s",
                                r->commit->op.id, version, path);
        }
        og_lance_write_settle(write, false);
    }
}

og_status og_graph__sync_names(og_graph__run *r, og_error *err)
{
    if (r->names.len == 0)
        return OG_OK;
    og_status s = r->store->ops->sync(r->store, r->names.items, r->names.len, err);
    r->names.len = 0;
    return s;
}

/* ---- having names last -------------------------------------------------------------------- */

/* The version that is built on goes to disk with what is staged, in case its writer died before it
 * synced: none may be missing below one that lasts. */
static og_status add_base(og_graph__run *r, og_error *err)
{
    if (r->base_is_synced ||
        og_lance_table_transaction_property(r->manifest, OG_STR("og.op")).ptr == NULL)
        return OG_OK;
    og_buf_clear(&r->base_name);
    if (!og_lance_manifest_name(&r->base_name, og_lance_table_path(r->manifest),
                                og_lance_table_version(r->manifest)) ||
        !og_vec_push(&r->names, og_buf_cstr(&r->base_name)))
        return og_error_nomem(err);
    return OG_OK;
}

og_status og_graph__check_branch(og_graph__run *r, og_error *err)
{
    char id[OG_GRAPH__BRANCH_ID + 1];
    og_status s = og_graph__branch_id(r->repo, r->branch, id, err);
    if (s == OG_NOT_FOUND || (s == OG_OK && !og_str_is(r->commit->op.branch_id, id)))
        return og_graph__branch_gone(err, r->branch->name);
    return s;
}

/* Has a cleanup freed a slot that a restore was to go above? */
static bool is_below_freed(const og_graph__run *r)
{
    uint64_t bytes;
    bool freed = false;
    for (size_t i = 0; i < r->commit->below_count && !freed; i++)
        freed = r->store->ops->head(r->store, r->commit->below[i], &bytes, NULL) == OG_NOT_FOUND;
    return freed;
}

og_status og_graph__sync_staged(og_graph__run *r, og_error *err)
{
    OG_TRY(add_base(r, err));
    og_status s = og_graph__sync_names(r, err);
    if (s != OG_UNKNOWN || r->commit->slots_held > 0)
        return s;
    /* Did the version that is built on go with its branch? */
    if (og_graph__check_branch(r, NULL) == OG_CONFLICT)
        return og_graph__branch_gone(err, r->branch->name);
    if (is_below_freed(r)) {
        og_error_set(err, OG_CONFLICT, "versions were cleaned up meanwhile");
        return og_graph__retryable(err);
    }
    if (err != NULL)
        err->status = OG_IO;
    return OG_IO;
}
