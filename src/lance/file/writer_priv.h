/* lance/file/writer_priv - between a file writer and the encoders of its pages. */
#ifndef OG_LANCE_FILE_WRITER_PRIV_H
#define OG_LANCE_FILE_WRITER_PRIV_H

#include "lance/file/encoders.h"
#include "lance/file/page_write.h"
#include "lance/file/writer.h"

/* Append a page to the writer's file. `encoded` is the status of encoding the page,
 * with its error in `err`; an error sticks to the writer. */
OG_NODISCARD og_status og_lance__writer_put(og_lance_file_writer *writer, size_t column,
                                            uint64_t rows, const og_lance__page *page,
                                            og_status encoded, og_error *err);

/* Hand over what the leaf holds (at least one row) as a page of the writer's column; the leaf is
 * empty afterwards. `side_by_side`: there is enough work for two threads. The error may be that of
 * a page handed over before. */
OG_NODISCARD og_status og_lance__encoders_add(og_lance_encoders *encoders,
                                              og_lance_file_writer *writer, size_t column,
                                              og_lance__leaf *leaf, bool side_by_side,
                                              og_error *err);
/* Is any page handed over and not yet written? */
bool og_lance__encoders_busy(const og_lance_encoders *encoders);
/* Wait until all pages of the writer are written. */
OG_NODISCARD og_status og_lance__encoders_drain(og_lance_encoders *encoders,
                                                const og_lance_file_writer *writer, og_error *err);
/* Forget the pages of a writer that is being closed. */
void og_lance__encoders_forget(og_lance_encoders *encoders, const og_lance_file_writer *writer);

/* Keep the memory of a column's leaf that is done, and lend it to a leaf of the next file:
 * faulting in fresh memory costs as much as filling it. */
void og_lance__encoders_keep(og_lance_encoders *encoders, og_lance__leaf *leaf);
void og_lance__encoders_lend(og_lance_encoders *encoders, og_lance__leaf *leaf);

#endif
