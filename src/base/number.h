/* base/number - numbers from and to text, exactly and without locale. */
#ifndef OG_BASE_NUMBER_H
#define OG_BASE_NUMBER_H

#include "base/buf.h"
#include "base/str.h"

/* Decimal integers with optional '-' (and nothing else around). False on any other text or when
 * out of range. */
bool og_parse_i64(og_str text, int64_t *out);
bool og_parse_u64(og_str text, uint64_t *out);
/* Decimal floats as JSON writes them; correctly rounded (round half to even). */
bool og_parse_f64(og_str text, double *out);

/* Shortest decimal digits that read back as `value` (finite, > 0): value = 0.d1d2d3... x 10^exponent.
 * digits has room for 17. Returns the digit count. Source: shortest round-trip search over
 * 15..17 significant digits is a valid method; Ryu (Adams, PLDI 2018) or Grisu-exact faster ones. */
int og_f64_shortest(double value, char digits[17], int *out_exponent);
int og_f32_shortest(float value, char digits[9], int *out_exponent);

#endif
