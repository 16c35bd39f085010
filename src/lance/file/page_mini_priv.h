/* lance/file/page_mini_priv - the parts of the mini-block layout, which page_mini.c describes.
 *
 *     page_mini_open.c    chunk table, repetition index, dictionary
 *     page_mini.c         chunks, values, rows without lists
 *     page_mini_lists.c   rows with lists
 *     page_codes.c        rows as codes of few values */
#ifndef OG_LANCE_FILE_PAGE_MINI_PRIV_H
#define OG_LANCE_FILE_PAGE_MINI_PRIV_H

#include "lance/file/page_priv.h"

/* Most rows that are picked from a chunk at a time, so that the pick fits on the stack. */
enum { OG_LANCE__PICK_ROWS = 1024 };
/* Readable bytes behind dictionary data and text, so that a short text
 * can be copied as one vector. */
enum { OG_LANCE__SHORT_TEXT = 16 };

OG_NODISCARD og_status og_lance__mini_open(og_lance__page *page,
                                           const Og__Lance__File__PageLayout *layout,
                                           og_error *err);
void og_lance__mini_close(og_lance__page *page);

/* ---- chunks ------------------------------------------------------------------------------- */

/* The parts of one chunk; borrowed from the window. */
typedef struct og_lance__chunk_parts {
    uint64_t items;
    uint32_t levels;
    og_bytes rep, def;
    og_bytes buffers[OG_LANCE__MAX_BUFFERS];
} og_lance__chunk_parts;

/* The part of a page's data buffer that is in memory; all of it, when the file is mapped. */
typedef struct og_lance__window {
    og_lance__span span;
    uint64_t offset; /* of span.ptr, in the data buffer */
} og_lance__window;

void og_lance__window_deinit(og_lance__window *w);
#define OG_LANCE__AUTO_WINDOW __attribute__((cleanup(og_lance__window_deinit))) og_lance__window

/* Tell expect.c which bytes a read of these rows will touch. */
void og_lance__mini_expect(const og_lance__page *page, const og_lance__rows *rows);
/* Index of the last chunk with first_row <= row. The search starts at chunk `from`,
 * where the row before was, and looks at its neighbours first, because rows ascend. */
uint32_t og_lance__mini_find(const og_lance__mini_block *m, uint32_t from, uint64_t row);
/* Which items of `chunk` the rows from rows[done] on name;
 * of listed rows at most OG_LANCE__PICK_ROWS, in `items`. */
og_lance__pick og_lance__mini_pick(const og_lance__chunk *chunk, const og_lance__rows *rows,
                                   uint64_t done, uint32_t items[OG_LANCE__PICK_ROWS]);
/* Find the parts of chunk `c`, which holds rows[from]; the window is moved there when needed. */
OG_NODISCARD og_status og_lance__mini_load(const og_lance__page *page, uint32_t c,
                                           const og_lance__rows *rows, uint64_t from,
                                           og_lance__window *w, og_lance__chunk_parts *parts,
                                           og_error *err);
/* Add the page and chunk `c` to an error. Returns `status`. */
og_status og_lance__mini_context(const og_lance__page *page, uint32_t c, og_status status,
                                 og_error *err);

/* ---- values and levels of a chunk ----------------------------------------------------------- */

OG_NODISCARD og_status og_lance__mini_read_values(const og_lance__page *page,
                                                  const og_lance__chunk_parts *parts,
                                                  const og_lance__pick *pick, og_lance__sink *sink,
                                                  og_error *err);
/* Append the picked levels and check them. */
OG_NODISCARD og_status og_lance__mini_levels(const og_lance__codec *codec, og_bytes bytes,
                                             uint64_t levels, const og_lance__pick *pick,
                                             uint16_t max, og_lance__sink *sink, og_error *err);
/* Definition levels of a chunk without lists. */
OG_NODISCARD og_status og_lance__mini_defs(const og_lance__page *page,
                                           const og_lance__chunk_parts *parts,
                                           const og_lance__pick *pick, og_lance__sink *sink,
                                           og_error *err);
/* Dictionary indices as u32, checked to be below `limit`. *out points at them in the sink or,
 * when they have another width there, at a copy in *widened, which the caller frees. */
OG_NODISCARD og_status og_lance__mini_indices(const og_lance__sink *indices, uint64_t limit,
                                              uint32_t **widened, const uint32_t **out,
                                              og_error *err);

/* Rows of a page with lists. */
OG_NODISCARD og_status og_lance__mini_read_lists(const og_lance__page *page,
                                                 const og_lance__rows *rows, og_lance__window *w,
                                                 og_lance__leaf_values *leaf, og_error *err);

#endif
