/* Arrow IPC streams: schema and batches. What is accepted is valid,
 * and can be hashed and sliced. */
#include <stdint.h>
#include <stdlib.h>

#include "columnar/arrow_ipc.h"
#include "columnar/kernels.h"

typedef struct input {
    const uint8_t *at;
    size_t left;
} input;

static og_status read_input(void *context, uint8_t *dst, size_t cap, size_t *out_len, og_error *err)
{
    (void)err;
    input *in = context;
    *out_len = in->left < cap ? in->left : cap;
    memcpy(dst, in->at, *out_len);
    in->at += *out_len;
    in->left -= *out_len;
    return OG_OK;
}

static void use(const og_array *column)
{
    if (og_array_validate(column, true, NULL) != OG_OK)
        abort();
    OG_AUTO(og_array) half = NULL;
    int64_t rows = column->length < 1000 ? column->length : 1000;
    uint64_t hash = 0;
    for (int64_t row = 0; row < rows; row++)
        hash ^= og_hash_row(column, row, 0);
    if (og_slice(column, rows / 2, rows - rows / 2, &half, NULL) == OG_OK)
        for (int64_t row = 0; row < half->length; row++)
            hash ^= og_hash_row(half, row, 0);
    if (hash == 1)
        abort(); /* keeps the work */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    OG_AUTO(og_ipc_reader) reader = NULL;
    if (og_ipc_open(read_input, &in, &reader, NULL) != OG_OK)
        return 0;
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        if (og_ipc_next(reader, &batch, NULL) != OG_OK || batch.row_count == 0)
            return 0;
        for (uint32_t i = 0; i < batch.column_count; i++)
            use(batch.columns[i]);
    }
}
