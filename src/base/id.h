/* base/id - ULIDs and UUIDs, and the digests that name things. */
#ifndef OG_BASE_ID_H
#define OG_BASE_ID_H

#include "base/buf.h"
#include "base/str.h"
#include "base/timeval.h"

/* Where random bytes come from (getrandom, or a seed in tests). */
typedef struct og_random {
    void (*fill)(void *context, void *dst, size_t len);
    void *context;
} og_random;
extern const og_random og_system_random;

/* 26 characters of Crockford base 32 and a NUL: 48 bits of milliseconds, 80 random bits
 * (github.com/ulid/spec). Not monotonic within a millisecond. */
typedef struct og_ulid {
    char text[27];
} og_ulid;
og_ulid og_ulid_new(const og_clock *clock, const og_random *random);
/* Many ULIDs, each greater than the one before, as the specification has it: within a millisecond,
 * and when the clock goes back, the random bits of the last one plus 1. Such ids are stored in a
 * fraction of the bytes. Starts zeroed. */
typedef struct og_ulid_series {
    uint64_t ms;
    uint8_t entropy[10];
    bool has_begun;
} og_ulid_series;
og_ulid og_ulid_next(og_ulid_series *series, const og_clock *clock, const og_random *random);
/* In capitals or small letters, as Crockford base 32 is read. */
bool og_ulid_valid(og_str text);
/* A valid ULID in the capitals in which ids are stored: *out, borrowed. Any other text as it is. */
og_str og_ulid_canonical(og_str text, og_ulid *out);
/* The milliseconds in a valid ULID's text. */
uint64_t og_ulid_ms(og_str text);

typedef struct og_uuid {
    uint8_t bytes[16];
} og_uuid;
/* Version 4 (RFC 9562 section 5.4). */
og_uuid og_uuid_new(const og_random *random);
/* 36 characters, lower case, and a NUL. */
void og_uuid_format(og_uuid uuid, char dst[37]);

/* FNV-1a, 64 bits: names the folders of types. */
uint64_t og_fnv1a64(og_str text);
/* SHA-256 as 64 lower-case hex digits and a NUL. */
void og_sha256_hex(og_bytes bytes, char dst[65]);

/* Standard base 64 with padding (RFC 4648 section 4). */
bool og_base64_encode(og_buf *out, og_bytes bytes);
/* False on a bad character, length or padding. */
bool og_base64_decode(og_buf *out, og_str text);

#endif
