/* Sixteen numbers are `width` vectors. Where byte b of number v stands is an index of four bits of
 * v and log2(width) bits of b; interleaving the first half of the vectors with the second rotates
 * the bits of every index by one, so four rounds bring b to the front, and log2(width) more v. */
#include "lance/file/byte_split.h"

#include <string.h>

#define LANES 16
#define MAX_WIDTH 8

typedef uint8_t vector __attribute__((vector_size(LANES)));

static inline __attribute__((always_inline)) void interleave(vector *v, size_t width)
{
    vector out[MAX_WIDTH];
    for (size_t i = 0; i < width / 2; i++) {
        vector a = v[i], b = v[i + width / 2];
        out[2 * i] =
            __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        out[2 * i + 1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,
                                                 14, 30, 15, 31);
    }
    memcpy(v, out, width * sizeof *v);
}

/* ---- to streams --------------------------------------------------------------------------- */

static void split_tail(const uint8_t *numbers, size_t start, size_t count, size_t width,
                       uint8_t *streams)
{
    for (size_t b = 0; b < width; b++) {
        for (size_t i = start; i < count; i++)
            streams[b * count + i] = numbers[i * width + b];
    }
}

static inline __attribute__((always_inline)) void split(const uint8_t *numbers, size_t count,
                                                        size_t width, uint8_t *streams)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        vector v[MAX_WIDTH];
        memcpy(v, numbers + i * width, LANES * width);
        for (int round = 0; round < 4; round++)
            interleave(v, width);
        for (size_t b = 0; b < width; b++)
            memcpy(streams + b * count + i, &v[b], LANES);
    }
    split_tail(numbers, i, count, width, streams);
}

void og_lance__split_bytes(const uint8_t *numbers, size_t count, size_t width, uint8_t *streams)
{
    if (width == 8)
        split(numbers, count, 8, streams);
    else if (width == 4)
        split(numbers, count, 4, streams);
    else
        split_tail(numbers, 0, count, width, streams);
}

/* ---- to numbers --------------------------------------------------------------------------- */

static void join_tail(const uint8_t *streams, size_t stride, size_t start, size_t count,
                      size_t width, uint8_t *numbers)
{
    for (size_t b = 0; b < width; b++) {
        for (size_t i = start; i < count; i++)
            numbers[i * width + b] = streams[b * stride + i];
    }
}

static inline __attribute__((always_inline)) void join(const uint8_t *streams, size_t stride,
                                                       size_t count, size_t width, int rounds,
                                                       uint8_t *numbers)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        vector v[MAX_WIDTH];
        for (size_t b = 0; b < width; b++)
            memcpy(&v[b], streams + b * stride + i, LANES);
        for (int round = 0; round < rounds; round++)
            interleave(v, width);
        memcpy(numbers + i * width, v, LANES * width);
    }
    join_tail(streams, stride, i, count, width, numbers);
}

void og_lance__join_bytes(const uint8_t *streams, size_t stride, size_t count, size_t width,
                          uint8_t *numbers)
{
    if (width == 8)
        join(streams, stride, count, 8, 3, numbers);
    else if (width == 4)
        join(streams, stride, count, 4, 2, numbers);
    else
        join_tail(streams, stride, 0, count, width, numbers);
}
