#include "graph/later.h"

#include "graph/repo_priv.h"

/* It joins the one before. Who waits goes by the numbers of those that were begun and that ended,
 * as several may wait at once; the newest one stays in its place until the last of them has ended,
 * so that whatever is handed over meanwhile comes behind it. */
struct og_graph__piece {
    pthread_t thread;
    og_repo *repo;
    struct og_graph__piece *before;
    og_graph__later_fn run;
    void *context;
};

static void join(struct og_graph__piece *piece)
{
    if (piece == NULL)
        return;
    pthread_join(piece->thread, NULL);
    og_free(piece);
}

static void *run_piece(void *context)
{
    struct og_graph__piece *piece = context;
    join(piece->before);
    piece->run(piece->context);
    og_repo *repo = piece->repo;
    pthread_mutex_lock(&repo->lock);
    repo->later_ended++;
    pthread_cond_broadcast(&repo->later_end);
    pthread_mutex_unlock(&repo->lock);
    return NULL;
}

/* Under the lock, so that pieces stand in the order of their calls. */
static bool begin_piece(og_repo *repo, og_graph__later_fn run, void *context)
{
    struct og_graph__piece *piece = og_calloc(1, sizeof *piece);
    if (piece == NULL)
        return false;
    *piece = (struct og_graph__piece){
        .repo = repo, .before = repo->later, .run = run, .context = context};
    if (pthread_create(&piece->thread, NULL, run_piece, piece) != 0) {
        og_free(piece);
        return false;
    }
    repo->later = piece;
    repo->later_begun++;
    return true;
}

static void hand_over(og_repo *repo, bool to_thread, og_graph__later_fn run, void *context)
{
    bool begun = false;
    if (to_thread) {
        pthread_mutex_lock(&repo->lock);
        begun = begin_piece(repo, run, context);
        pthread_mutex_unlock(&repo->lock);
    }
    if (begun)
        return;
    if (to_thread) /* there is no thread to be had; still one after the other */
        og_graph__later_wait(repo);
    run(context);
}

void og_graph__later(og_repo *repo, og_graph__later_fn run, void *context)
{
    hand_over(repo, og_store_is_far(repo->store), run, context);
}

void og_graph__beside(og_repo *repo, og_graph__later_fn run, void *context)
{
    bool is_near = !og_store_is_far(repo->store);
    if (is_near)
        og_graph__later_wait(repo);
    bool again = __atomic_exchange_n(&repo->has_committed, true, __ATOMIC_RELAXED);
    hand_over(repo, !is_near || (again && repo->store->waits_for_disk), run, context);
}

void og_graph__later_wait(og_repo *repo)
{
    struct og_graph__piece *piece = NULL;
    pthread_mutex_lock(&repo->lock);
    for (uint64_t last = repo->later_begun; repo->later_ended < last;)
        pthread_cond_wait(&repo->later_end, &repo->lock);
    if (repo->later_ended == repo->later_begun)
        piece = OG_TAKE(repo->later);
    pthread_mutex_unlock(&repo->lock);
    join(piece);
}
