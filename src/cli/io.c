/* Files, standard output and what is said to a person on standard error. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

#define READ_BYTES ((size_t)64 * 1024)

static og_status read_all(int fd, const char *path, og_buf *out, og_error *err)
{
    for (;;) {
        if (!og_buf_reserve(out, READ_BYTES))
            return og_error_nomem(err);
        ssize_t n = read(fd, out->ptr + out->len, READ_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return og_error_errno(err, errno, "can't read", path);
        if (n == 0)
            return OG_OK;
        out->len += (size_t)n;
    }
}

og_status cli_read_file(const char *path, og_buf *out, og_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return og_error_errno(err, errno, "can't read", path);
    og_status s = read_all(fd, path, out, err);
    close(fd);
    return s;
}

void cli_read_ahead(const char *path)
{
    struct stat st;
    bool is_file = stat(path, &st) == 0 && S_ISREG(st.st_mode); /* a pipe is opened but once */
    int fd = is_file ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    (void)!posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
    close(fd);
}

og_status cli_write_stdout(void *context, const uint8_t *bytes, size_t len, og_error *err)
{
    (void)context;
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return og_error_errno(err, errno, "can't write to", "standard output");
        bytes += n;
        len -= (size_t)n;
    }
    return OG_OK;
}

og_status cli_print_buf(const og_buf *buf, og_error *err)
{
    if (buf->failed)
        return og_error_nomem(err);
    return cli_write_stdout(NULL, buf->ptr, buf->len, err);
}

og_status cli_print(og_error *err, const char *fmt, ...)
{
    char text[4096];
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (len < 0 || (size_t)len >= sizeof text)
        return og_error_set(err, OG_LIMIT, "a line of output is too long");
    return cli_write_stdout(NULL, (const uint8_t *)text, (size_t)len, err);
}

bool cli_wants_colour(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(fd) && (no_color == NULL || no_color[0] == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

/* A word in bold colour ("31" red, "33" yellow, "36" cyan) and the rest plain. */
static void print_word(const char *colour, const char *word)
{
    if (cli_wants_colour(STDERR_FILENO))
        fprintf(stderr, "\033[1;%sm%s\033[0m ", colour, word);
    else
        fprintf(stderr, "%s ", word);
}

/* Messages name what files and other people's records say. */
static void print_visible(const char *text)
{
    OG_AUTO_BUF shown = OG_BUF_INIT;
    og_buf_visible(&shown, og_str_of(text), false);
    fprintf(stderr, "%s\n", og_buf_cstr(&shown));
}

void cli_print_error(const og_error *err)
{
    fflush(stdout);
    print_word("31", "Error:");
    print_visible(err->message);
    /* A syntax error brings its frame in the message already. */
    if (err->detail[0] != '\0' && strchr(err->message, '\n') == NULL)
        print_visible(err->detail);
    if (err->hint[0] != '\0') {
        print_word("36", "hint:");
        print_visible(err->hint);
    }
}

void cli_report_lenient(const og_write_result *r)
{
    const struct {
        uint64_t count;
        const char *what;
    } kinds[] = {
        {r->lenient_unknown_properties, "unknown properties were left out"},
        {r->lenient_wrong_types, "values of a wrong type became null"},
        {r->lenient_wrapped_integers, "integers out of range wrapped around"},
        {r->lenient_float_overflows, "numbers out of range became infinite"},
        {r->lenient_vector_items, "items of vectors that are no numbers became 0"},
        {r->lenient_list_items, "list items of a wrong type became null"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].count > 0)
            cli_warn("%" PRIu64 " %s", kinds[i].count, kinds[i].what);
}

og_status cli_write_error(void *context, const uint8_t *bytes, size_t len, og_error *err)
{
    (void)context;
    fflush(stdout);
    print_word("31", "Error:");
    if (fwrite(bytes, 1, len, stderr) != len)
        return og_error_errno(err, errno, "can't write to", "standard error");
    return OG_OK;
}

void cli_warn(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print_word("33", "warning:");
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}
