/* Patterns: whatever Rust's syntax accepts compiles in the engine or is refused with a reason, and
 * the match ends. Pattern and text are separated by the first newline. */
#include <stdint.h>
#include <stdlib.h>

#include "base/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    og_str input = {(const char *)data, size};
    size_t newline = og_str_find(input, OG_STR("\n"));
    og_str pattern = og_str_slice(input, 0, newline != SIZE_MAX ? newline : size);
    og_str text = newline != SIZE_MAX ? og_str_slice(input, newline + 1, size) : OG_STR("");
    OG_AUTO(og_regex) regex = NULL;
    og_error err;
    bool found;
    if (og_regex_new(pattern, &regex, &err) != OG_OK) {
        if (err.message[0] == '\0')
            abort();
        return 0;
    }
    if (!og_utf8_valid(text, NULL))
        return 0;
    og_status status = og_regex_matches(regex, text, &found, &err);
    if (status != OG_OK && status != OG_LIMIT)
        abort();
    return 0;
}
