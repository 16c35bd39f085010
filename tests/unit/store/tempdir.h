/* tempdir - a folder of the test's own, and what is in it. */
#ifndef TEMPDIR_H
#define TEMPDIR_H

#include <stddef.h>

void make_temp_folder(char path[64]);
/* With all that is in it. */
void remove_temp_folder(const char *path);
/* Files of any kind below the folder, temporary ones included; folders do not count. */
size_t count_files(const char *path);

#endif
