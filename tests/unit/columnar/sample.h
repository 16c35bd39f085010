/* sample - random arrays of every kind of type, for tests that compare whole results. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "columnar/array.h"

#define SAMPLE_TYPES 25

/* The i-th type: all plain ones, then lists, structs and nestings of them. Static storage. */
const og_type *sample_type(size_t index);
/* `null_percent` of the rows, and of the items below, are null. */
og_array *sample_array(const og_type *type, int64_t length, int null_percent, uint64_t *seed);

#endif
