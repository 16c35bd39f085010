#include "graph/aftermath.h"

#include "graph/head_file.h"
#include "graph/later.h"
#include "graph/repo_priv.h"

typedef struct aftermath {
    og_repo *repo;
    og_snapshot *snapshot; /* what was published */
    og_graph__dag dag;
    og_graph__op op; /* texts that are not the snapshot's are behind */
    uint64_t version;
    char *sidecar_name, *actor;
    bool is_mark;
} aftermath;

static void write_head(og_repo *repo, const og_graph__snapshot *s)
{
    const og_graph__hints hints = {
        .commits = __atomic_load_n(&s->branch->commits_hint, __ATOMIC_RELAXED),
        .actors = __atomic_load_n(&repo->actors_hint, __ATOMIC_RELAXED),
    };
    og_graph__head_write(repo->store, s->branch->head_file, s->state,
                         og_lance_table_transaction_uuid(s->manifest), &hints);
}

static void aftermath_free(aftermath *a)
{
    og_graph__dag_deinit(&a->dag);
    og_snapshot_unref(a->snapshot);
    og_free(a->sidecar_name);
    og_free(a->actor);
    og_free(a);
}

static void clear_up(void *context)
{
    aftermath *a = context;
    const og_graph__snapshot *s = og_graph__snapshot_of(a->snapshot);
    const char *sidecar = a->sidecar_name;
    if (sidecar != NULL)
        (void)!a->repo->store->ops->remove(a->repo->store, &sidecar, 1, NULL);
    if (!a->is_mark)
        (void)!og_graph__dag_append(a->repo, &a->dag, s->manifest, &a->op, a->version, NULL);
    if (!a->repo->no_derived)
        write_head(a->repo, s);
    aftermath_free(a);
}

bool og_graph__aftermath(og_repo *repo, og_snapshot *published, const og_graph__commit *commit,
                         og_graph__dag *dag, char **sidecar_name)
{
    const og_graph__op *op = &commit->op;
    aftermath *a = og_calloc(1, sizeof *a);
    char *actor = a != NULL ? og_calloc(1, op->actor.len + 1) : NULL;
    if (actor == NULL) {
        og_free(a);
        return false;
    }
    if (op->actor.len > 0)
        memcpy(actor, op->actor.ptr, op->actor.len);
    *a = (aftermath){
        .repo = repo,
        .snapshot = og_snapshot_ref(published),
        .dag = *dag,
        .op = *op,
        .version = og_graph__listed_version(op, commit->table_count, published->manifest_version),
        .sidecar_name = OG_TAKE(*sidecar_name),
        .actor = actor,
        .is_mark = og_graph__is_mark(&commit->mark)};
    *dag = (og_graph__dag){0};
    a->op.actor = (og_str){actor, op->actor.len};
    a->op.merged_branch_id = OG_STR(""); /* rows of the DAG don't tell */
    a->op.branch_id = og_str_of(og_graph__snapshot_of(a->snapshot)->branch_id);
    og_graph__beside(repo, clear_up, a);
    return true;
}
