/* cli/stop - Ctrl-C asks the running operation to stop; a second one ends the program. */
#ifndef OG_CLI_STOP_H
#define OG_CLI_STOP_H

#include "omnigraph.h"

/* The session that an interrupt cancels from now on; NULL = none. */
void cli_stop_on_interrupt(og_session *session);

#endif
