/* The check of a whole graph, and its places. */
#include "graph/fsck.h"

#include "api/handles_priv.h"
#include "graph/relocate.h"

typedef struct taker {
    og_problem_fn take;
    void *context;
    og_progress_fn progress;
    void *progress_context;
} taker;

static og_text text_of(og_str s)
{
    return (og_text){s.ptr, s.len};
}

static og_status hand_over(void *context, const og_finding *finding, og_error *err)
{
    const taker *t = context;
    const og_finding_class *class = &og_finding_classes[finding->kind];
    const og_problem problem = {.kind = class->id,
                                .is_damage = class->level == OG_FINDING_DAMAGE,
                                .is_note = class->level == OG_FINDING_NOTE,
                                .repaired = finding->repaired,
                                .branch = text_of(finding->branch),
                                .table_key = text_of(finding->table_key),
                                .message = finding->message,
                                .advice = class->advice};
    return t->take != NULL ? t->take(t->context, &problem, err) : OG_OK;
}

static int report(void *context, uint64_t rows)
{
    const taker *t = context;
    return t->progress(t->progress_context, "check", rows, 0);
}

og_status og_fsck(const char *uri, const og_fsck_options *options, og_problem_fn take,
                  void *context, og_fsck_result *out, og_error *err)
{
    og_fsck_options known = OG_FSCK_OPTIONS_INIT;
    og_api__read_options(&known, sizeof known, options);
    taker t = {take, context, known.progress, known.progress_context};
    const og_fsck_input input = {.repair = known.repair,
                                 .found = hand_over,
                                 .progress = known.progress != NULL ? report : NULL,
                                 .context = &t};
    const og_repo_options repo = {.no_derived = !known.repair};
    og_fsck_output done;
    OG_TRY(og_fsck_run(uri, &repo, &input, &done, err));
    if (out != NULL)
        *out = (og_fsck_result){.branches = done.branches,
                                .tables = done.tables,
                                .rows = done.rows,
                                .problems = done.findings,
                                .notes = done.notes,
                                .repaired = done.repaired};
    return OG_OK;
}

og_status og_relocate(og_session *session, og_relocate_result *out, og_error *err)
{
    og_relocate_output done;
    OG_TRY(og_relocate_run(session->graph->repo, session->actor, &done, err));
    *out = (og_relocate_result){.branches = done.branches, .tables = done.tables};
    return OG_OK;
}
