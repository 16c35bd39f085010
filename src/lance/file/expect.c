/* Which bytes of a page are brought in before they are read.
 *
 * A mapping is read at random (store.h), so that one row does not bring in megabytes; then many
 * rows would take a fault for each 4 KiB. So reads say beforehand what they are going to touch: the
 * first few that want a few rows name just those, all others get whole windows, each brought in
 * once. A page of an ordinary file is one window. */
#include "lance/file/page_priv.h"

/* As much as read-ahead takes at most. */
#define WINDOW ((uint64_t)8 << 20)
/* A read of one such part of a window takes all of it: a long request costs less than many. */
enum { DENSE_PART = 16 };
/* Rows of a range that is taken for a batch of a scan: the next one follows. */
enum { SCAN_ROWS = 1024 };
/* Reads of a few rows, until the page is taken for one that is asked again and again. */
enum { FEW_READS = 4 };

/* The windows that were brought in last: numbers of the first and of the one behind the last. */
typedef struct windows {
    uint64_t first, end;
} windows;

static windows load_windows(const og_lance__page_info *info)
{
    uint64_t word = __atomic_load_n(&info->expected, __ATOMIC_RELAXED);
    return (windows){word >> 32, word & UINT32_MAX};
}

static void store_windows(og_lance__page_info *info, windows w)
{
    if (w.end <= UINT32_MAX)
        __atomic_store_n(&info->expected, w.first << 32 | w.end, __ATOMIC_RELAXED);
}

static windows windows_of(uint64_t start, uint64_t end)
{
    return (windows){start / WINDOW, (end + WINDOW - 1) / WINDOW};
}

static void prefetch(const og_lance__page *page, uint32_t buffer, windows w)
{
    const og_lance__buffer *b = &page->info->buffers[buffer];
    uint64_t from = w.first * WINDOW, to = w.end * WINDOW < b->size ? w.end * WINDOW : b->size;
    if (from < to)
        og_blob_prefetch(page->file->head, b->offset + from, to - from);
}

/* Bring in what is missing. Threads may do some of it twice. */
static void expect_windows(const og_lance__page *page, uint32_t buffer, windows wanted)
{
    windows have = load_windows(page->info);
    if (wanted.first >= have.first && wanted.end <= have.end)
        return;
    if (wanted.first > have.end || wanted.end < have.first)
        have = (windows){wanted.first, wanted.first};
    if (wanted.first < have.first) {
        prefetch(page, buffer, (windows){wanted.first, have.first});
        have.first = wanted.first;
    }
    if (wanted.end > have.end) {
        prefetch(page, buffer, (windows){have.end, wanted.end});
        have.end = wanted.end;
    }
    store_windows(page->info, have);
}

static bool is_dense(uint64_t size, const og_lance__rows *rows, uint64_t touched)
{
    if (rows->list == NULL && rows->count >= SCAN_ROWS)
        return true;
    return touched >= (size < WINDOW ? size : WINDOW) / DENSE_PART;
}

static bool is_asked_again(og_lance__page_info *info)
{
    return __atomic_load_n(&info->few_reads, __ATOMIC_RELAXED) >= FEW_READS ||
           __atomic_fetch_add(&info->few_reads, 1, __ATOMIC_RELAXED) >= FEW_READS;
}

bool og_lance__page_is_expected(const og_lance__page *page, uint32_t buffer)
{
    windows all = windows_of(0, page->info->buffers[buffer].size), have = load_windows(page->info);
    return !og_lance__file_is_whole(page->file) || (have.first == 0 && have.end >= all.end);
}

bool og_lance__page_expect(const og_lance__page *page, uint32_t buffer, const og_lance__rows *rows,
                           uint64_t start, uint64_t end, uint64_t touched)
{
    uint64_t size = page->info->buffers[buffer].size;
    if (start >= end || end > size)
        return true; /* damaged: the read will say so */
    if (is_dense(size, rows, touched) || (end - start <= WINDOW && is_asked_again(page->info))) {
        expect_windows(page, buffer, windows_of(start, end));
        return true;
    }
    if (rows->list == NULL)
        og_lance__page_expect_at(page, buffer, start, end);
    return rows->list == NULL;
}

void og_lance__page_expect_at(const og_lance__page *page, uint32_t buffer, uint64_t start,
                              uint64_t end)
{
    if (start < end)
        og_blob_prefetch(page->file->head, page->info->buffers[buffer].offset + start, end - start);
}
