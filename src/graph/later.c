#include "graph/later.h"

#include "graph/repo_priv.h"

/* The newest piece; it waits for the one before. */
struct og_graph__piece {
    pthread_t thread;
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
    return NULL;
}

/* Under the lock, so that pieces stand in the order of their calls. */
static bool begin_piece(og_repo *repo, og_graph__later_fn run, void *context)
{
    struct og_graph__piece *piece = og_calloc(1, sizeof *piece);
    if (piece == NULL)
        return false;
    *piece = (struct og_graph__piece){.before = repo->later, .run = run, .context = context};
    if (pthread_create(&piece->thread, NULL, run_piece, piece) != 0) {
        og_free(piece);
        return false;
    }
    repo->later = piece;
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
    if (!begun)
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
    pthread_mutex_lock(&repo->lock);
    struct og_graph__piece *piece = OG_TAKE(repo->later);
    pthread_mutex_unlock(&repo->lock);
    join(piece);
}
