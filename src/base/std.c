#include "base/std.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void og_std_reserve(void)
{
    /* Opened the wrong way round, so that they can't be used. open takes the lowest free number. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

og_status og_std_flush(og_error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return OG_OK;
    return og_error_errno(err, errno, "can't write to", "standard output");
}
