/* base/number - numbers from and to text, exactly and without locale. */
#ifndef OG_BASE_NUMBER_H
#define OG_BASE_NUMBER_H

#include "base/buf.h"
#include "base/str.h"

/* Decimal integers with optional '-' (and nothing else around). False on any other text or when
 * out of range. */
bool og_parse_i64(og_str text, int64_t *out);
bool og_parse_u64(og_str text, uint64_t *out);
/* Decimal floats as JSON writes them (RFC 8259), correctly rounded (half to even). False on any
 * other text, or when no finite double is near. */
bool og_parse_f64(og_str text, double *out);

/* Shortest decimal digits that read back as `value` (finite, > 0), and of these the nearest to it:
 * value = 0.d1d2d3... x 10^exponent. Returns the digit count. Some 45 ns. */
int og_f64_shortest(double value, char digits[17], int *out_exponent);
int og_f32_shortest(float value, char digits[9], int *out_exponent);

#endif
