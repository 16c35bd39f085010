#include "cli/stop.h"

#include <signal.h>

static og_session *volatile running;

static void on_interrupt(int number)
{
    og_session *session = running;
    if (session != NULL)
        og_session_cancel(session);
    signal(number, SIG_DFL);
    if (session == NULL)
        raise(number);
}

void cli_stop_on_interrupt(og_session *session)
{
    running = session;
    signal(SIGINT, session != NULL ? on_interrupt : SIG_DFL);
}
