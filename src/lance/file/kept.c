#include "lance/file/kept_priv.h"

/* Chunks of any writer are smaller; a damaged one may claim to be a bomb. */
#define MAX_KEPT_BYTES ((size_t)1 << 20)

/* Of a page; guarded by the file's kept_lock. */
struct og_lance__kept {
    uint32_t chunk_count;
    uint32_t noted_count;         /* groups */
    uint8_t *noted;               /* a byte for each group */
    og_lance__expanded *chunks[]; /* NULL: not kept */
};

static uint32_t group_count(uint32_t chunk_count)
{
    return (chunk_count + OG_LANCE__KEPT_GROUP - 1) / OG_LANCE__KEPT_GROUP;
}

static size_t cost_of(const og_lance__expanded *expanded)
{
    return sizeof *expanded + expanded->len;
}

void og_lance__expanded_unref(og_lance__expanded *expanded)
{
    if (expanded == NULL || __atomic_sub_fetch(&expanded->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    og_free(expanded->bytes);
    og_free(expanded);
}

static og_lance__expanded *expanded_ref(og_lance__expanded *expanded)
{
    if (expanded != NULL)
        __atomic_add_fetch(&expanded->refs, 1, __ATOMIC_RELAXED);
    return expanded;
}

/* ---- of one page -------------------------------------------------------------------------- */

static size_t table_bytes(uint32_t chunk_count)
{
    const og_lance__kept *kept;
    return sizeof *kept + (size_t)chunk_count * sizeof *kept->chunks + group_count(chunk_count);
}

static void count_bytes(og_lance_file *file, size_t bytes)
{
    file->kept_bytes += bytes;
    og_lance__file_count(file, bytes);
}

/* Under the lock: what the page keeps, made at first use.
 * NULL when there is no room for it, or no memory. */
static og_lance__kept *kept_of(const og_lance__page *page)
{
    if (page->info->kept != NULL)
        return page->info->kept;
    og_lance_file *file = page->file;
    uint32_t count = page->mini.chunk_count;
    size_t bytes = table_bytes(count);
    og_lance__kept *kept =
        bytes <= file->kept_limit - file->kept_bytes ? og_calloc(1, bytes) : NULL;
    if (kept != NULL) {
        kept->chunk_count = count;
        kept->noted = (uint8_t *)&kept->chunks[count];
        count_bytes(file, bytes);
    }
    return page->info->kept = kept;
}

size_t og_lance__kept_free(og_lance__kept *kept)
{
    size_t bytes = kept != NULL ? table_bytes(kept->chunk_count) : 0;
    for (uint32_t i = 0; kept != NULL && i < kept->chunk_count; i++) {
        if (kept->chunks[i] == NULL)
            continue;
        bytes += cost_of(kept->chunks[i]);
        og_lance__expanded_unref(kept->chunks[i]);
    }
    og_free(kept);
    return bytes;
}

og_lance__expanded *og_lance__kept_get(const og_lance__page *page, uint32_t chunk)
{
    og_lance_file *file = page->file;
    pthread_mutex_lock(&file->kept_lock);
    og_lance__kept *kept = page->info->kept;
    og_lance__expanded *expanded = expanded_ref(kept != NULL ? kept->chunks[chunk] : NULL);
    pthread_mutex_unlock(&file->kept_lock);
    return expanded;
}

/* Under the lock. */
static bool note(og_lance__kept *kept, uint32_t group)
{
    if (kept->noted[group])
        return true;
    bool most_are = kept->noted_count >= group_count(kept->chunk_count) / 2;
    kept->noted[group] = 1;
    kept->noted_count++;
    return most_are && kept->noted_count > 1;
}

bool og_lance__kept_note(const og_lance__page *page, uint32_t chunk)
{
    og_lance_file *file = page->file;
    pthread_mutex_lock(&file->kept_lock);
    og_lance__kept *kept = kept_of(page);
    bool is_busy = kept != NULL && note(kept, chunk / OG_LANCE__KEPT_GROUP);
    pthread_mutex_unlock(&file->kept_lock);
    return is_busy;
}

/* ---- of the file -------------------------------------------------------------------------- */

/* Under the lock. */
static void drop_column(og_lance_file *file, uint32_t index)
{
    og_lance__column *column = __atomic_load_n(&file->columns[index], __ATOMIC_ACQUIRE);
    size_t bytes = 0;
    for (uint32_t i = 0; column != NULL && i < column->page_count; i++) {
        bytes += og_lance__kept_free(column->pages[i].kept);
        column->pages[i].kept = NULL;
    }
    count_bytes(file, -bytes); /* wraps */
}

static void drop_all(og_lance_file *file)
{
    for (uint32_t i = 0; i < file->column_count; i++)
        drop_column(file, i);
}

void og_lance_file_drop_chunks(og_lance_file *file, const og_lance_column *column)
{
    pthread_mutex_lock(&file->kept_lock);
    if (column == NULL)
        drop_all(file);
    for (uint32_t i = 0; column != NULL && i < column->leaf_count; i++)
        if (column->leaves[i] < file->column_count)
            drop_column(file, column->leaves[i]);
    pthread_mutex_unlock(&file->kept_lock);
}

void og_lance_file_keep_chunks(og_lance_file *file, size_t max_bytes)
{
    file->kept_limit = max_bytes;
}

/* Under the lock: the chunk's place gets `mine`, if there is room and none is there;
 * returns what is there then, or `mine`. */
static og_lance__expanded *keep(const og_lance__page *page, uint32_t chunk,
                                og_lance__expanded *mine)
{
    og_lance_file *file = page->file;
    size_t cost = cost_of(mine);
    if (mine->len > MAX_KEPT_BYTES || cost > file->kept_limit)
        return mine;
    if (file->kept_bytes > file->kept_limit - cost)
        drop_all(file);
    og_lance__kept *kept = kept_of(page);
    if (kept == NULL)
        return mine;
    if (kept->chunks[chunk] != NULL)
        return kept->chunks[chunk];
    if (file->kept_bytes > file->kept_limit - cost)
        return mine;
    count_bytes(file, cost);
    return kept->chunks[chunk] = expanded_ref(mine);
}

og_status og_lance__kept_put(const og_lance__page *page, uint32_t chunk, uint8_t *bytes, size_t len,
                             og_lance__expanded **out, og_error *err)
{
    OG_AUTO(og_lance__expanded) mine = og_malloc(sizeof *mine);
    if (mine == NULL) {
        og_free(bytes);
        return og_error_nomem(err);
    }
    *mine = (og_lance__expanded){.refs = 1, .len = len, .bytes = bytes};
    pthread_mutex_lock(&page->file->kept_lock);
    *out = expanded_ref(keep(page, chunk, mine));
    pthread_mutex_unlock(&page->file->kept_lock);
    return OG_OK;
}
