/* cli/progress - a line on the terminal for work that takes longer than a second.
 *
 * A thread of its own draws it, ten times a second, on standard error when that is a terminal;
 * otherwise nothing happens at all. One at a time. */
#ifndef OG_CLI_PROGRESS_H
#define OG_CLI_PROGRESS_H

#include <stdint.h>

/* `what` is a word in front ("loading"), static. `total` 0 = unknown; then bytes and time show. */
void cli_progress_start(const char *what, uint64_t total);
/* The same for work without a known end, counted in `unit`s: "checking  1234567 rows  14 s". */
void cli_progress_count(const char *what, const char *unit);
void cli_progress_update(uint64_t done);
/* Take the line away while something is printed; harmless when none was started. */
void cli_progress_pause(void);
void cli_progress_resume(void);
/* Take the line away, and draw no more. Harmless when none was started. */
void cli_progress_stop(void);

#endif
