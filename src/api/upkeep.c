/* optimize and cleanup. */
#include "api/handles_priv.h"
#include "graph/cleanup.h"
#include "graph/optimize.h"

static og_text key_of(const og_type_def *def)
{
    return (og_text){def->table_key.ptr, def->table_key.len};
}

og_status og_optimize(og_session *session, og_upkeep_fn take, void *context, og_error *err)
{
    og_optimize_output done;
    OG_TRY(og_optimize_run(session->graph->repo, session->branch, &done, err));
    og_status s = OG_OK;
    for (size_t i = 0; i < done.count && s == OG_OK; i++) {
        const og_optimize_table *t = &done.tables[i];
        const og_table_upkeep upkeep = {.table_key = key_of(t->def),
                                        .fragments_removed = t->fragments_removed,
                                        .fragments_added = t->fragments_added,
                                        .committed = t->committed};
        s = take(context, &upkeep, err);
    }
    og_optimize_output_deinit(&done);
    return s;
}

og_status og_cleanup(og_session *session, const og_cleanup_options *options, og_upkeep_fn take,
                     void *context, og_error *err)
{
    og_cleanup_options known = OG_CLEANUP_OPTIONS_INIT;
    og_api__read_options(&known, sizeof known, options);
    bool fits = known.older_than_s <= INT64_MAX / 1000000;
    const og_cleanup_input input = {
        .by_count = known.by_count,
        .by_age = known.by_age,
        .keep = known.keep_versions,
        .older_than_us = fits ? (int64_t)known.older_than_s * 1000000 : INT64_MAX,
    };
    og_cleanup_output done;
    OG_TRY(og_cleanup_run(session->graph->repo, &input, &done, err));
    og_status s = OG_OK;
    for (size_t i = 0; i < done.count && s == OG_OK; i++) {
        const og_cleanup_table *t = &done.tables[i];
        og_text why = {t->error, t->error != NULL ? strlen(t->error) : 0};
        const og_table_upkeep upkeep = {.table_key = key_of(t->def),
                                        .versions_removed = t->removed.versions_removed,
                                        .bytes_removed = t->removed.bytes_removed,
                                        .error = why};
        s = take(context, &upkeep, err);
    }
    og_cleanup_output_deinit(&done);
    return s;
}
