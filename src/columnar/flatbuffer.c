#include "columnar/flatbuffer_priv.h"

#include "base/bits.h"

/* The position of a table's field of `width` bytes. False: damaged. */
static bool field_at(og_bytes flat, uint32_t table, unsigned slot, unsigned width, uint32_t *out)
{
    *out = 0;
    if (!og_columnar__flat_fits(flat, table, 4))
        return false;
    int64_t vtable = (int64_t)table - (int32_t)og_load_u32(flat.ptr + table);
    if (vtable < 0 || !og_columnar__flat_fits(flat, (uint64_t)vtable, 4))
        return false;
    uint32_t size = og_load_u16(flat.ptr + vtable);
    if (!og_columnar__flat_fits(flat, (uint64_t)vtable, size) || 6 + 2 * slot > size)
        return og_columnar__flat_fits(flat, (uint64_t)vtable, size);
    uint32_t offset = og_load_u16(flat.ptr + vtable + 4 + 2 * slot);
    if (offset == 0)
        return true;
    *out = table + offset;
    return og_columnar__flat_fits(flat, (uint64_t)table + offset, width);
}

bool og_columnar__flat_target(og_bytes flat, uint32_t table, unsigned slot, uint32_t *out)
{
    uint32_t at;
    if (!field_at(flat, table, slot, 4, &at))
        return false;
    *out = 0;
    if (at == 0)
        return true;
    uint64_t target = (uint64_t)at + og_load_u32(flat.ptr + at);
    *out = (uint32_t)target;
    return og_columnar__flat_fits(flat, target, 4);
}

bool og_columnar__flat_vector(og_bytes flat, uint32_t table, unsigned slot, unsigned item,
                              uint32_t *out, uint32_t *out_count)
{
    uint32_t at;
    *out_count = 0;
    if (!og_columnar__flat_target(flat, table, slot, &at))
        return false;
    if (at == 0)
        return true;
    *out_count = og_load_u32(flat.ptr + at);
    *out = at + 4;
    return og_columnar__flat_fits(flat, (uint64_t)at + 4, (uint64_t)*out_count * item);
}

int64_t og_columnar__flat_number(og_bytes flat, uint32_t table, unsigned slot, unsigned width,
                                 int64_t fallback, bool *ok)
{
    uint32_t at;
    *ok = field_at(flat, table, slot, width, &at) && *ok;
    if (!*ok || at == 0)
        return fallback;
    const uint8_t *p = flat.ptr + at;
    switch (width) {
    case 1:
        return *p;
    case 2:
        return (int16_t)og_load_u16(p);
    case 4:
        return (int32_t)og_load_u32(p);
    default:
        return (int64_t)og_load_u64(p);
    }
}
