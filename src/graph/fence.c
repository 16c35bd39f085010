#include "graph/fence.h"

#include "graph/commit.h"
#include "graph/fork.h"

#define MAX_ATTEMPTS 8

og_status og_graph__gc_publish(og_repo *repo, og_graph__branch *branch, uint64_t horizon_ms,
                               og_error *err)
{
    og_status s = OG_OK;
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        OG_AUTO(og_snapshot) snapshot = NULL;
        og_commit_result result;
        OG_TRY(og_graph__repo_refresh(repo, branch, &snapshot, err));
        if (og_graph__is_unborn(snapshot)) {
            OG_TRY(og_graph__fork_complete(repo, branch, err));
            continue;
        }
        if (og_graph__snapshot_of(snapshot)->state->horizon_ms >= horizon_ms)
            return OG_OK;
        og_graph__commit commit = {.mark.horizon_ms = horizon_ms, .began_ms = UINT64_MAX};
        og_graph__op_init(&commit.op, repo, OG_STR(""), OG_STR("Cleanup"));
        s = og_graph__commit_run(repo, snapshot, &commit, &result, err);
        /* Lost or unknown: look again. */
        if (s != OG_CONFLICT && s != OG_UNKNOWN)
            return s;
    }
    return s;
}
