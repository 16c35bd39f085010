#include "lancetool/tool.h"

#include <errno.h>

#define FULL_BYTES ((size_t)64 << 10)

og_status tool_flush(og_buf *text, og_error *err)
{
    if (text->failed)
        return og_error_nomem(err);
    if (fwrite(text->ptr, 1, text->len, stdout) != text->len || fflush(stdout) != 0)
        return og_error_errno(err, errno, "write", "standard output");
    og_buf_clear(text);
    return OG_OK;
}

void tool_complain(const char *label, const char *text)
{
    fprintf(stderr, "%s", label);
    og_str rest = og_str_of(text);
    for (size_t at = 0; at < rest.len;) {
        char bytes[4];
        uint32_t code = og_utf8_next(rest, &at);
        bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
        size_t len = og_utf8_encode(control ? 0xfffd : code, bytes);
        fwrite(bytes, 1, len, stderr);
    }
    fputc('\n', stderr);
}

og_status tool_flush_full(og_buf *text, og_error *err)
{
    return text->len >= FULL_BYTES || text->failed ? tool_flush(text, err) : OG_OK;
}
