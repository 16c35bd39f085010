#include "lance/file/message_write.h"

enum { WIRE_VARINT = 0, WIRE_BYTES = 2, SCHEME_ZSTD = 2 };

static size_t encode_varint(uint64_t value, uint8_t out[10])
{
    size_t len = 0;
    while (value >= 0x80) {
        out[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[len++] = (uint8_t)value;
    return len;
}

static void put_varint(og_buf *out, uint64_t value)
{
    uint8_t bytes[10];
    og_buf_append(out, bytes, encode_varint(value, bytes));
}

static void put_tag(og_buf *out, uint32_t field, uint32_t wire)
{
    put_varint(out, (uint64_t)field << 3 | wire);
}

void og_lance__msg_u64(og_buf *out, uint32_t field, uint64_t value)
{
    if (value == 0)
        return;
    put_tag(out, field, WIRE_VARINT);
    put_varint(out, value);
}

void og_lance__msg_bytes(og_buf *out, uint32_t field, const void *bytes, size_t len)
{
    put_tag(out, field, WIRE_BYTES);
    put_varint(out, len);
    og_buf_append(out, bytes, len);
}

void og_lance__msg_packed(og_buf *out, uint32_t field, const uint64_t *values, size_t count)
{
    if (count == 0)
        return;
    size_t message = og_lance__msg_open(out, field);
    for (size_t i = 0; i < count; i++)
        put_varint(out, values[i]);
    og_lance__msg_close(out, message);
}

size_t og_lance__msg_open(og_buf *out, uint32_t field)
{
    put_tag(out, field, WIRE_BYTES);
    return out->len;
}

/* The length goes before the content once it is known. */
void og_lance__msg_close(og_buf *out, size_t message)
{
    if (out->failed)
        return;
    uint8_t bytes[10];
    size_t len = out->len - message, head = encode_varint(len, bytes);
    if (!og_buf_reserve(out, head))
        return;
    memmove(out->ptr + message + head, out->ptr + message, len);
    memcpy(out->ptr + message, bytes, head);
    out->len += head;
}

void og_lance__put_flat(og_buf *out, uint32_t bits)
{
    size_t flat = og_lance__msg_open(out, OG_LANCE__PB_FLAT);
    og_lance__msg_u64(out, 1, bits);
    og_lance__msg_close(out, flat);
}

void og_lance__put_variable(og_buf *out, bool wide_offsets)
{
    size_t variable = og_lance__msg_open(out, OG_LANCE__PB_VARIABLE);
    size_t offsets = og_lance__msg_open(out, 1);
    og_lance__put_flat(out, wide_offsets ? 64 : 32);
    og_lance__msg_close(out, offsets);
    og_lance__msg_close(out, variable);
}

og_lance__general og_lance__open_zstd(og_buf *out)
{
    og_lance__general g;
    g.general = og_lance__msg_open(out, OG_LANCE__PB_GENERAL);
    size_t compression = og_lance__msg_open(out, 1);
    og_lance__msg_u64(out, 1, SCHEME_ZSTD);
    og_lance__msg_close(out, compression);
    g.values = og_lance__msg_open(out, 3);
    return g;
}

void og_lance__close_zstd(og_buf *out, og_lance__general general)
{
    og_lance__msg_close(out, general.values);
    og_lance__msg_close(out, general.general);
}
