#include "tempdir.h"

#include "og_test.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void make_temp_folder(char path[64])
{
    snprintf(path, 64, "/tmp/og-store-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void remove_temp_folder(const char *path)
{
    assert_int_equal(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static size_t file_count;

static int count_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)path;
    (void)st;
    (void)ftw;
    file_count += kind == FTW_F;
    return 0;
}

size_t count_files(const char *path)
{
    file_count = 0;
    assert_int_equal(nftw(path, count_entry, 16, FTW_PHYS), 0);
    return file_count;
}
