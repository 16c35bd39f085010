/* Deletion files in both forms: the first byte says which. What is accepted is ascending, and as
 * a Roaring bitmap it comes back the same. */
#include <stdint.h>
#include <stdlib.h>

#include "lance/table/deletion_priv.h"

#define ROWS 100000

static void check(bool holds)
{
    if (!holds)
        abort();
}

static og_status decode(int32_t kind, og_bytes bytes, og_table__u32s *out)
{
    if (kind == 0)
        return og_table__ipc_decode(bytes, ROWS, out, NULL);
    return og_table__roaring_decode(bytes, ROWS, out, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    og_table__u32s values = {0}, again = {0};
    OG_AUTO_BUF packed = OG_BUF_INIT;
    if (decode(data[0] & 1, (og_bytes){data + 1, size - 1}, &values) == OG_OK) {
        for (size_t i = 1; i < values.len; i++)
            check(values.items[i - 1] < values.items[i]);
        check(og_table__roaring_encode(values.items, values.len, &packed));
        check(og_table__roaring_decode(og_buf_bytes(&packed), ROWS, &again, NULL) == OG_OK);
        check(again.len == values.len);
        check(values.len == 0 ||
              memcmp(again.items, values.items, values.len * sizeof *values.items) == 0);
    }
    og_vec_deinit(&values);
    og_vec_deinit(&again);
    return 0;
}
