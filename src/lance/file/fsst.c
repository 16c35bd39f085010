#include "lance/file/fsst_priv.h"

#include "base/bits.h"

enum { ESCAPE = 255, SYMBOL_BYTES = 8, HEADER_BYTES = 8 };
static const uint32_t magic = 0x46535354;

og_status og_lance__fsst_open(og_bytes table, og_lance__fsst *out, og_error *err)
{
    if (table.len < HEADER_BYTES || og_load_u32(table.ptr + 4) != magic)
        return og_error_set(err, OG_CORRUPT, "the FSST symbol table has no header");
    uint32_t low = og_load_u32(table.ptr);
    size_t count = low & 0xff;
    if (table.len < HEADER_BYTES + count * (SYMBOL_BYTES + 1))
        return og_error_set(err, OG_CORRUPT, "the FSST symbol table has %zu bytes for %zu symbols",
                            table.len, count);
    memset(out, 0, sizeof *out);
    out->on = (low >> 24 & 1) != 0;
    const uint8_t *lengths = table.ptr + HEADER_BYTES + count * SYMBOL_BYTES;
    for (size_t i = 0; i < count; i++) {
        if (out->on && (lengths[i] == 0 || lengths[i] > SYMBOL_BYTES))
            return og_error_set(err, OG_CORRUPT, "FSST symbol %zu has %u bytes", i, lengths[i]);
        out->symbols[i] = og_load_u64(table.ptr + HEADER_BYTES + i * SYMBOL_BYTES);
        out->lengths[i] = lengths[i];
    }
    return OG_OK;
}

/* True when one of the four bytes is ESCAPE: some byte of the complement is zero. */
static bool has_escape(uint32_t codes)
{
    uint32_t v = ~codes;
    return ((v - 0x01010101u) & ~v & 0x80808080u) != 0;
}

size_t og_lance__fsst_expand(const og_lance__fsst *fsst, og_bytes bytes, uint8_t *dst)
{
    const uint8_t *p = bytes.ptr, *end = p + bytes.len;
    uint8_t *out = dst;
    /* Unknown codes have length 0 and would be dropped silently: remember that one was met. */
    bool unknown = false;
    while (p < end) {
        if (end - p >= 4 && !has_escape(og_load_u32(p))) {
            for (int i = 0; i < 4; i++, p++) {
                memcpy(out, &fsst->symbols[*p], SYMBOL_BYTES);
                out += fsst->lengths[*p];
                unknown |= fsst->lengths[*p] == 0;
            }
        } else if (*p != ESCAPE) {
            memcpy(out, &fsst->symbols[*p], SYMBOL_BYTES);
            out += fsst->lengths[*p];
            unknown |= fsst->lengths[*p] == 0;
            p++;
        } else {
            if (end - p < 2)
                return SIZE_MAX;
            *out++ = p[1];
            p += 2;
        }
    }
    return unknown ? SIZE_MAX : (size_t)(out - dst);
}
