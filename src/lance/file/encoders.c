#include "lance/file/encoders.h"

#include "base/vec.h"
#include "lance/file/writer_priv.h"
#include <assert.h>

/* However many threads there are: what bounds them is memory. */
#define MAX_PAGES 9
/* Smaller columns get memory anew. */
#define KEEP_BYTES ((size_t)1 << 20)

/* A page in line. Its memory serves one page after the other. */
typedef struct place {
    og_task task;
    og_lance__encoder encoder;
    og_lance__leaf leaf;
    og_lance__page page;
    og_lance_file_writer *writer; /* NULL: it was closed */
    size_t column;
    uint64_t rows;
} place;

struct og_lance_encoders {
    og_shared_pool *threads;
    og_pool *pool;            /* taken from it, at the first work for two */
    place *places[MAX_PAGES]; /* a ring of `room`; made when they are needed */
    size_t room, first, count;
    OG_VEC(og_lance__leaf) spares; /* no rows, only memory */
};

og_lance_encoders *og_lance_encoders_new(og_shared_pool *threads)
{
    og_lance_encoders *e = og_calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->threads = threads;
    e->room = 1;
    return e;
}

static void free_place(place *p)
{
    if (p == NULL)
        return;
    og_lance__leaf_deinit(&p->leaf);
    og_lance__encoder_deinit(&p->encoder);
    og_lance__page_deinit(&p->page);
    og_free(p);
}

/* ---- work --------------------------------------------------------------------------------- */

static og_status encode(void *context, og_error *err)
{
    place *p = context;
    return og_lance__page_encode(&p->encoder, &p->leaf, &p->page, err);
}

static og_status make_place(place **out, og_error *err)
{
    place *p = og_calloc(1, sizeof *p);
    if (p == NULL)
        return og_error_nomem(err);
    p->task.run = encode;
    p->task.context = p;
    *out = p;
    return OG_OK;
}

static void use_threads(og_lance_encoders *e)
{
    if (e->pool != NULL || e->threads == NULL)
        return;
    assert(e->count == 0);
    e->pool = og_shared_pool_take(e->threads);
    if (e->pool == NULL)
        return;
    e->room = og_pool_threads(e->pool) + 1;
    if (e->room > MAX_PAGES)
        e->room = MAX_PAGES;
}

/* Encode the oldest page that no thread has begun. */
static bool help(og_lance_encoders *e)
{
    for (size_t i = 0; i < e->count; i++)
        if (og_pool_help(e->pool, &e->places[(e->first + i) % e->room]->task))
            return true;
    return false;
}

/* Wait for the oldest page, not idly, and put it. */
static og_status put_oldest(og_lance_encoders *e, og_error *err)
{
    place *p = e->places[e->first];
    while (!og_pool_is_done(e->pool, &p->task) && help(e))
        continue;
    og_lance_file_writer *writer = OG_TAKE(p->writer);
    og_status status = og_pool_finish(e->pool, &p->task, writer != NULL ? err : NULL);
    e->first = (e->first + 1) % e->room;
    e->count--;
    og_lance__leaf_clear(&p->leaf);
    return writer == NULL ? OG_OK
                          : og_lance__writer_put(writer, p->column, p->rows, &p->page, status, err);
}

og_status og_lance__encoders_add(og_lance_encoders *e, og_lance_file_writer *writer, size_t column,
                                 og_lance__leaf *leaf, bool side_by_side, og_error *err)
{
    if (side_by_side)
        use_threads(e);
    while (e->count == e->room)
        OG_TRY(put_oldest(e, err));
    place **at = &e->places[(e->first + e->count) % e->room];
    if (*at == NULL)
        OG_TRY(make_place(at, err));
    place *p = *at;
    p->writer = writer;
    p->column = column;
    p->rows = leaf->row_count;
    og_lance__leaf_move(leaf, &p->leaf);
    e->count++;
    og_pool_start(side_by_side ? e->pool : NULL, &p->task);
    while (e->count > 0 && og_pool_is_done(e->pool, &e->places[e->first]->task))
        OG_TRY(put_oldest(e, err));
    if (e->count == 0) /* the same memory again, which is warm */
        og_lance__leaf_swap_memory(leaf, &p->leaf);
    return OG_OK;
}

bool og_lance__encoders_busy(const og_lance_encoders *e)
{
    return e->count > 0;
}

static bool holds(const og_lance_encoders *e, const og_lance_file_writer *writer)
{
    for (size_t i = 0; i < e->count; i++)
        if (e->places[(e->first + i) % e->room]->writer == writer)
            return true;
    return false;
}

og_status og_lance__encoders_drain(og_lance_encoders *e, const og_lance_file_writer *writer,
                                   og_error *err)
{
    while (holds(e, writer))
        OG_TRY(put_oldest(e, err));
    return OG_OK;
}

void og_lance__encoders_forget(og_lance_encoders *e, const og_lance_file_writer *writer)
{
    for (size_t i = 0; i < e->count; i++) {
        place *p = e->places[(e->first + i) % e->room];
        if (p->writer == writer)
            p->writer = NULL;
    }
}

/* ---- memory ------------------------------------------------------------------------------- */

void og_lance__encoders_keep(og_lance_encoders *e, og_lance__leaf *leaf)
{
    assert(leaf->row_count == 0);
    if (leaf->values.cap < KEEP_BYTES || !og_vec_push(&e->spares, (og_lance__leaf){0}))
        return;
    og_lance__leaf_swap_memory(leaf, &og_vec_last(&e->spares));
}

void og_lance__encoders_lend(og_lance_encoders *e, og_lance__leaf *leaf)
{
    if (e->spares.len == 0)
        return;
    og_lance__leaf_swap_memory(leaf, &og_vec_last(&e->spares));
    og_lance__leaf_deinit(&e->spares.items[--e->spares.len]);
}

void og_lance_encoders_free(og_lance_encoders *e)
{
    if (e == NULL)
        return;
    while (e->count > 0) {
        assert(e->places[e->first]->writer == NULL);
        og_status nobodys = put_oldest(e, NULL);
        assert(nobodys == OG_OK);
    }
    if (e->pool != NULL)
        og_shared_pool_give(e->threads);
    for (size_t i = 0; i < MAX_PAGES; i++)
        free_place(e->places[i]);
    while (e->spares.len > 0)
        og_lance__leaf_deinit(&e->spares.items[--e->spares.len]);
    og_vec_deinit(&e->spares);
    og_free(e);
}
