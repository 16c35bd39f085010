/* columnar/float16 - IEEE 754 binary16 to and from double, exactly and rounded to nearest even. */
#ifndef OG_COLUMNAR_FLOAT16_H
#define OG_COLUMNAR_FLOAT16_H

#include <stdint.h>
#include <string.h>

/* Exact. */
static inline double og_f16_to_f64(uint16_t bits)
{
    uint64_t sign = (uint64_t)(bits & 0x8000) << 48;
    uint32_t exponent = (bits >> 10) & 0x1F, fraction = bits & 0x3FF;
    uint64_t wide;
    double value;
    if (exponent == 0) {
        value = (double)fraction * 0x1p-24;
        memcpy(&wide, &value, sizeof wide);
    } else if (exponent == 0x1F) {
        wide = UINT64_C(0x7FF0000000000000) | (uint64_t)fraction << 42;
    } else {
        wide = (uint64_t)(exponent + 1023 - 15) << 52 | (uint64_t)fraction << 42;
    }
    wide |= sign;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/* Nearest, ties to even; beyond the largest finite value becomes infinity. */
static inline uint16_t og_f16_from_f64(double value)
{
    uint64_t wide;
    memcpy(&wide, &value, sizeof wide);
    uint16_t sign = (uint16_t)(wide >> 48 & 0x8000);
    int32_t exponent = (int32_t)(wide >> 52 & 0x7FF) - 1023;
    uint64_t fraction = wide & UINT64_C(0xFFFFFFFFFFFFF);
    if (exponent == 1024) /* Infinity, or a NaN that must stay one. */
        return (uint16_t)(sign | 0x7C00 | (fraction != 0 ? 0x200 | fraction >> 42 : 0));
    if (exponent > 15)
        return (uint16_t)(sign | 0x7C00);
    if (exponent < -25)
        return sign;
    /* Bits dropped: 42, and one more for each step below the smallest normal exponent. */
    uint32_t drop = exponent >= -14 ? 42 : (uint32_t)(42 + (-14 - exponent));
    uint64_t significand = fraction | UINT64_C(1) << 52;
    uint64_t kept = significand >> drop, rest = significand & ((UINT64_C(1) << drop) - 1);
    uint64_t half = UINT64_C(1) << (drop - 1);
    kept += rest > half || (rest == half && (kept & 1) != 0);
    /* The implicit bit of a normal number carries into the exponent field, as does rounding up. */
    uint64_t base = exponent >= -14 ? (uint64_t)(exponent + 14) << 10 : 0;
    return (uint16_t)(sign | (base + kept));
}

#endif
