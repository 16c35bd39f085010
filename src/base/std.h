/* base/std - standard input, output and error. */
#ifndef OG_BASE_STD_H
#define OG_BASE_STD_H

#include "base/error.h"

/* Occupy the descriptors 0, 1 and 2 where they are closed. To be called before the program opens
 * anything: otherwise a data file could get descriptor 1, and printed text would be written into
 * it. Reading or writing there still fails with EBADF. */
void og_std_reserve(void);

/* Flush standard output. OG_IO when that, or any earlier write to it, failed. */
og_status og_std_flush(og_error *err);

#endif
