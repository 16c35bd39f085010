/* lance/file/fsst_priv - expansion of FSST-compressed strings.
 *
 * Symbol table, 2312 bytes: u64 header = 0x46535354 << 32 | on << 24 | suffix_lim << 16 |
 * terminator << 8 | n; n symbols of 8 bytes; n lengths (1..8). A code below n stands for its
 * symbol, 255 for the byte behind it. When `on` is 0 the data is not compressed. Each value is
 * compressed by itself, so any can be expanded alone. */
#ifndef OG_LANCE_FILE_FSST_PRIV_H
#define OG_LANCE_FILE_FSST_PRIV_H

#include "base/error.h"
#include "base/str.h"

typedef struct og_lance__fsst {
    bool on;
    uint64_t symbols[256]; /* first byte lowest; those without a code are empty */
    uint8_t lengths[256];  /* 0: no such code */
} og_lance__fsst;

OG_NODISCARD og_status og_lance__fsst_open(og_bytes table, og_lance__fsst *out, og_error *err);

/* Upper bound of the expanded bytes of `len`, with the slack that og_lance__fsst_expand writes. */
static inline size_t og_lance__fsst_room(size_t len)
{
    return len * 8 + 8;
}
/* Expand into dst, which has og_lance__fsst_room(bytes.len). Returns the bytes written, or SIZE_MAX
 * when a code is unknown or an escape has no byte. */
size_t og_lance__fsst_expand(const og_lance__fsst *fsst, og_bytes bytes, uint8_t *dst);

#endif
