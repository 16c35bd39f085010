/* base/std - the three files that a program is given. */
#ifndef OG_BASE_STD_H
#define OG_BASE_STD_H

#include "base/error.h"

/* Take the numbers of those of standard input, output and error that are closed, before the program opens
 * anything: else a data file could get the number 1, and what is printed would be written into it. Reads
 * and writes there go on failing with EBADF. */
void og_std_reserve(void);

/* Write out what stdio holds back for standard output. An error also when an earlier write failed. */
og_status og_std_flush(og_error *err);

#endif
