/* Turns: a lock of the kernel on the folder itself, so nothing is written, and nothing stays when a
 * process dies. */
#include "store/file_priv.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define FIRST_WAIT_US 50
#define LONGEST_WAIT_US 1000

typedef struct file_turn {
    og_turn base;
    int fd;
} file_turn;

static void end_turn(og_turn *turn)
{
    close(((file_turn *)turn)->fd);
    og_free(turn);
}

/* There is no lock call with a time limit: ask again and again. */
static bool lock_in_time(int fd, uint32_t wait_us)
{
    uint32_t pause_us = FIRST_WAIT_US;
    for (uint32_t waited_us = 0;; waited_us += pause_us) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (waited_us >= wait_us)
            return false;
        if (waited_us > 0 && pause_us < LONGEST_WAIT_US)
            pause_us *= 2;
        nanosleep(&(struct timespec){.tv_nsec = (long)pause_us * 1000}, NULL);
    }
}

og_turn *og_store__file_take_turn(og_store *base, const char *folder, uint32_t wait_us)
{
    og_store__file *s = (og_store__file *)base;
    int fd = openat(s->root_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    file_turn *turn = lock_in_time(fd, wait_us) ? og_malloc(sizeof *turn) : NULL;
    if (turn == NULL) {
        close(fd);
        return NULL;
    }
    *turn = (file_turn){{end_turn}, fd};
    return &turn->base;
}
