#include "og_test.h"

#include <stdlib.h>

#define MAX_TESTS 4096

static struct CMUnitTest tests[MAX_TESTS];
static size_t test_count;

void og_test_register(const char *name, void (*run)(void **state))
{
    if (test_count == MAX_TESTS)
        abort();
    tests[test_count++] = (struct CMUnitTest){.name = name, .test_func = run};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct CMUnitTest *)a)->name, ((const struct CMUnitTest *)b)->name);
}

static void keep_matching(const char *filter)
{
    size_t kept = 0;
    for (size_t i = 0; i < test_count; i++) {
        if (strstr(tests[i].name, filter) != NULL)
            tests[kept++] = tests[i];
    }
    test_count = kept;
}

/* "1/3": every third test, from the first on. */
static bool keep_share(const char *share)
{
    char *end;
    size_t which = strtoul(share, &end, 10), of = *end == '/' ? strtoul(end + 1, &end, 10) : 0;
    if (*end != '\0' || which < 1 || which > of)
        return false;
    size_t kept = 0;
    for (size_t i = which - 1; i < test_count; i += of)
        tests[kept++] = tests[i];
    test_count = kept;
    return true;
}

int main(int argc, char **argv)
{
    qsort(tests, test_count, sizeof *tests, by_name);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--filter") == 0 && i + 1 < argc) {
            keep_matching(argv[++i]);
        } else if (strcmp(argv[i], "--share") == 0 && i + 1 < argc && keep_share(argv[i + 1])) {
            i++;
        } else if (strcmp(argv[i], "--list") == 0) {
            for (size_t t = 0; t < test_count; t++)
                puts(tests[t].name);
            return 0;
        } else {
            fprintf(stderr, "usage: %s [--filter text] [--share i/n] [--list]\n", argv[0]);
            return 2;
        }
    }
    /* cmocka's macro wants an array; the function behind it takes the count. */
    return _cmocka_run_group_tests(argv[0], tests, test_count, NULL, NULL);
}
