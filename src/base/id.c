#include "base/id.h"

#include <errno.h>
#include <sha256.h>
#include <stdlib.h>
#include <sys/random.h>

#define ULID_CHARS 26

static void fill_from_system(void *context, void *dst, size_t len)
{
    (void)context;
    uint8_t *p = dst;
    while (len > 0) {
        ssize_t got = getrandom(p, len, 0);
        if (got < 0) {
            /* Ids without randomness would collide and overwrite data; no kernel we run on
             * lacks the call. */
            if (errno != EINTR)
                abort();
            continue;
        }
        p += got;
        len -= (size_t)got;
    }
}

const og_random og_system_random = {.fill = fill_from_system};

/* ---- ULID --------------------------------------------------------------------------------- */

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static uint64_t now_ms(const og_clock *clock)
{
    return (uint64_t)(clock->now_us(clock->context) / 1000) & 0xffffffffffffu;
}

static og_ulid format_ulid(uint64_t ms, const uint8_t entropy[10])
{
    og_ulid id;
    for (int i = 9; i >= 0; i--, ms >>= 5)
        id.text[i] = crockford[ms & 31];
    /* 80 random bits are two groups of five bytes, each eight characters. */
    for (int half = 0; half < 2; half++) {
        uint64_t bits = 0;
        for (int i = 0; i < 5; i++)
            bits = bits << 8 | entropy[half * 5 + i];
        for (int i = 7; i >= 0; i--, bits >>= 5)
            id.text[10 + half * 8 + i] = crockford[bits & 31];
    }
    id.text[ULID_CHARS] = '\0';
    return id;
}

og_ulid og_ulid_new(const og_clock *clock, const og_random *random)
{
    uint8_t entropy[10];
    random->fill(random->context, entropy, sizeof entropy);
    return format_ulid(now_ms(clock), entropy);
}

og_ulid og_ulid_next(og_ulid_series *series, const og_clock *clock, const og_random *random)
{
    uint64_t ms = now_ms(clock);
    if (!series->has_begun || ms > series->ms) {
        random->fill(random->context, series->entropy, sizeof series->entropy);
        series->entropy[0] &= 0x7f; /* room to count: no carry out of 80 bits */
        series->ms = ms;
        series->has_begun = true;
    } else {
        for (int i = 9; i >= 0 && ++series->entropy[i] == 0; i--)
            continue;
    }
    return format_ulid(series->ms, series->entropy);
}

/* Value of a base 32 digit in either case, or -1. */
static int crockford_value(char c)
{
    if (c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    const char *hit = c != '\0' ? strchr(crockford, c) : NULL;
    return hit != NULL ? (int)(hit - crockford) : -1;
}

bool og_ulid_valid(og_str text)
{
    /* 26 digits are 130 bits: the first may not exceed 7. */
    if (text.len != ULID_CHARS || crockford_value(text.ptr[0]) > 7)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (crockford_value(text.ptr[i]) < 0)
            return false;
    }
    return true;
}

og_str og_ulid_canonical(og_str text, og_ulid *out)
{
    if (!og_ulid_valid(text))
        return text;
    for (size_t i = 0; i < ULID_CHARS; i++)
        out->text[i] = crockford[crockford_value(text.ptr[i])];
    out->text[ULID_CHARS] = '\0';
    return og_str_of(out->text);
}

uint64_t og_ulid_ms(og_str text)
{
    uint64_t ms = 0;
    for (size_t i = 0; i < 10; i++)
        ms = ms << 5 | (uint64_t)crockford_value(text.ptr[i]);
    return ms;
}

/* ---- UUID --------------------------------------------------------------------------------- */

static const char hex_digits[] = "0123456789abcdef";

og_uuid og_uuid_new(const og_random *random)
{
    og_uuid uuid;
    random->fill(random->context, uuid.bytes, sizeof uuid.bytes);
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x40);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
}

void og_uuid_format(og_uuid uuid, char dst[37])
{
    char *p = dst;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = hex_digits[uuid.bytes[i] >> 4];
        *p++ = hex_digits[uuid.bytes[i] & 15];
    }
    *p = '\0';
}

/* ---- digests ------------------------------------------------------------------------------ */

uint64_t og_fnv1a64(og_str text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < text.len; i++) {
        hash ^= (uint8_t)text.ptr[i];
        hash *= 0x100000001b3u;
    }
    return hash;
}

void og_sha256_hex(og_bytes bytes, char dst[65])
{
    SHA2_CTX context;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256Init(&context);
    SHA256Update(&context, bytes.ptr, bytes.len);
    SHA256Final(digest, &context);
    for (size_t i = 0; i < sizeof digest; i++) {
        dst[2 * i] = hex_digits[digest[i] >> 4];
        dst[2 * i + 1] = hex_digits[digest[i] & 15];
    }
    dst[64] = '\0';
}

/* ---- base 64 ------------------------------------------------------------------------------ */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool og_base64_encode(og_buf *out, og_bytes bytes)
{
    if (bytes.len > SIZE_MAX / 2 || !og_buf_reserve(out, (bytes.len + 2) / 3 * 4))
        return false;
    char *p = (char *)out->ptr + out->len;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t group = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t bits = (uint32_t)bytes.ptr[i] << 16;
        bits |= group > 1 ? (uint32_t)bytes.ptr[i + 1] << 8 : 0;
        bits |= group > 2 ? bytes.ptr[i + 2] : 0;
        *p++ = base64_digits[bits >> 18];
        *p++ = base64_digits[bits >> 12 & 63];
        *p++ = group > 1 ? base64_digits[bits >> 6 & 63] : '=';
        *p++ = group > 2 ? base64_digits[bits & 63] : '=';
    }
    out->len = (size_t)((uint8_t *)p - out->ptr);
    return true;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool og_base64_decode(og_buf *out, og_str text)
{
    if (text.len % 4 != 0)
        return false;
    if (!og_buf_reserve(out, text.len / 4 * 3))
        return false;
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=')
        padding++;
    uint8_t *p = out->ptr + out->len;
    for (size_t i = 0; i < text.len; i += 4) {
        size_t missing = i + 4 == text.len ? padding : 0;
        uint32_t bits = 0;
        for (size_t j = 0; j < 4; j++) {
            int value = j < 4 - missing ? base64_value(text.ptr[i + j]) : 0;
            if (value < 0)
                return false;
            bits = bits << 6 | (uint32_t)value;
        }
        /* Bits that the padding cuts off must be zero: one text per value. */
        if ((missing == 1 && (bits & 0xff) != 0) || (missing == 2 && (bits & 0xffff) != 0))
            return false;
        *p++ = (uint8_t)(bits >> 16);
        if (missing < 2)
            *p++ = (uint8_t)(bits >> 8);
        if (missing < 1)
            *p++ = (uint8_t)bits;
    }
    out->len = (size_t)(p - out->ptr);
    return true;
}
