/* Answers are the reference's (Rust's regex crate), asked pattern by pattern. */
#include "og_test.h"

#include "base/buf.h"
#include "base/regex.h"

static bool matches(const char *pattern, og_str text)
{
    OG_AUTO(og_regex) regex = NULL;
    og_error err = {0};
    bool found = false;
    if (og_regex_new(og_str_of(pattern), &regex, &err) != OG_OK ||
        og_regex_matches(regex, text, &found, &err) != OG_OK)
        fail_msg("%s: %s", pattern, err.message);
    return found;
}

#define assert_match(pattern, text)                                                                \
    do {                                                                                           \
        if (!matches(pattern, OG_STR(text)))                                                       \
            fail_msg("%s does not match \"%s\"", pattern, text);                                   \
    } while (0)
#define assert_no_match(pattern, text)                                                             \
    do {                                                                                           \
        if (matches(pattern, OG_STR(text)))                                                        \
            fail_msg("%s matches \"%s\"", pattern, text);                                          \
    } while (0)

static void assert_broken(const char *pattern, const char *message)
{
    OG_AUTO(og_regex) regex = NULL;
    og_error err = {0};
    if (og_regex_new(og_str_of(pattern), &regex, &err) != OG_INVALID)
        fail_msg("accepted %s", pattern);
    assert_string_equal(err.message, message);
}

TEST(test_regex__matches_anywhere)
{
    assert_match("b+", "abbc");
    assert_no_match("^b", "abbc");
    assert_match("", "");
    assert_match("|a", "");
    assert_match("a||b", "c");
    assert_match("(?P<year>\\d{4})-(?<month>\\d{2})$", "on 2024-02");
    assert_match("^(ab|c){2,}?$", "abc");
    assert_match("^a{ 2 , 3 }$", "aa");
    assert_match("x{0}", "y");
}

static void assert_broken_repeated(const char *part, int times, const char *end,
                                   const char *message)
{
    OG_AUTO_BUF pattern = OG_BUF_INIT;
    for (int i = 0; i < times; i++)
        og_buf_text(&pattern, part);
    og_buf_text(&pattern, end);
    assert_broken(og_buf_cstr(&pattern), message);
}

/* Told as such, not as a lack of memory. */
TEST(test_regex__too_large)
{
    const char *ours = "pattern can't be used: regular expression is too large";
    assert_broken_repeated("ab", 30000, "", ours);
    assert_broken_repeated("\\w", 60000, "",
                           "the pattern is too large (at character 5351 of the pattern)");
    assert_broken("((((a{1,200}){1,200}){1,200}){1,200})", ours);
}

TEST(test_regex__classes_are_unicode)
{
    assert_match("^\\d+$", "1\xd9\xa2\xd9\xa0");
    assert_match("^\\w+$", "e\xcc\x81_\xe2\x80\xbf"); /* a mark, a connector */
    assert_match("^\\s$", "\xc2\x85");
    assert_no_match("^\\s$", "\xe1\xa0\x8e");
    assert_match("^\\W\\D\\S$", "-a.");
    assert_match("(?i)\xc5\xbf", "S");
    assert_match("(?i)k", "\xe2\x84\xaa");
    assert_match("^.$", "\xf0\x9f\x98\x80");
    assert_no_match("^.$", "\n");
    assert_match("(?s)^.$", "\n");
    assert_match("[^a]", "\n");
    assert_match("^\\p{Greek}\\pL\\PN\\p{scx=Greek}\\p{Script=Greek}$",
                 "\xce\xb1\xce\xb1\xce\xb1\xce\xb1\xce\xb1");
    assert_match("^\\p{isGreek}\\p{Uppercase Letter}\\p{cf}\\p{sc}\\p{digit}$",
                 "\xce\xb1Q\xe2\x80\x8d$1");
    assert_match("\\p{gc!=L}", "1");
    assert_no_match("\\p{gc!=L}", "a");
    assert_no_match("\\p{Lu}", "\xc3\xa9");
    assert_match("(?i)\\p{Lu}", "\xc3\xa9");
    assert_match("(?i)\\p{Uppercase}", "\xc3\xa9");
    assert_no_match("(?:(?i)x)\\p{Lu}", "X\xc3\xa9");
    assert_match("\\p{Any}\\p{ASCII}\\P{ASCII}", "\xc3\xa9z\xc3\xa9");
    assert_no_match("\\p{Assigned}", "\xcd\xb8");
    assert_no_match("\\P{Any}", "a");
    assert_match("\\p{Emoji}\\p{Alphabetic}", "\xe2\x98\xba\xc3\xa9");
}

TEST(test_regex__sets_and_their_operators)
{
    assert_match("^[a-z&&[^aeiou]]+$", "bcd");
    assert_no_match("^[a-z&&[^aeiou]]+$", "bed");
    assert_match("^[\\w--\\d_]+$", "abc");
    assert_no_match("[\\w--\\d_]", "12_");
    assert_match("^[a-c~~b-d]+$", "ad");
    assert_no_match("[a-c~~b-d]", "bc");
    assert_match("^[^a-c&&b]$", "a");
    assert_no_match("^[^a-c&&b]$", "b");
    assert_match("^[^\\W\\d_]+$", "abc\xc3\xa9");
    assert_no_match("[^\\W\\d_]", "1_-");
    assert_match("^[\\Wa]+$", "a-");
    assert_match("^[[:alpha:]x[1-3]]+$", "bx2");
    assert_no_match("[[:alpha:]]", "\xc3\xa9");
    assert_match("[[:^alpha:]]", "\xc3\xa9");
    assert_match("^[]a]+$", "a]");
    assert_match("^[^]a]$", "b");
    assert_match("^[-a]+[a-]+[--a]$", "-a-a-");
    assert_match("^[\\-\\]\\[\\^ ]+$", "-][^ ");
    assert_no_match("[a&&]", "a");
    assert_match("[\\p{L}&&\\p{Greek}]", "\xce\xb1");
}

TEST(test_regex__anchors_and_boundaries)
{
    assert_no_match("a$", "a\n");
    assert_match("(?m)a$", "a\n");
    assert_match("(?m)^$", "a\n");
    assert_match("\\Aab\\z", "ab");
    assert_no_match("\\bfoo\\b", "e\xcc\x81"
                                 "foo");
    assert_match("\\bfoo\\b", "a foo b");
    assert_match("\\<foo\\>", "foo");
    assert_match("\\b{start}f\\Boo\\b{end}", "foo");
    assert_match("\\b{start-half}foo\\b{end-half}", " foo ");
    assert_no_match("\\b{start-half}oo", "foo");
    assert_match("^*a", "a");
}

TEST(test_regex__repetitions_stack_and_are_never_possessive)
{
    assert_match("^a*+b$", "aab");
    assert_match("^a*+a$", "aa");
    assert_match("^a{2}{3}$", "aaaaaa");
    assert_match("a+?+", "a");
    assert_match("a??", "b");
    assert_match("()*a", "a");
    assert_match("(?U)a+?$", "aa");
}

TEST(test_regex__escapes_and_literals)
{
    assert_match("^\\a\\f\\t\\n\\r\\v$", "\a\f\t\n\r\v");
    assert_match("^\\x41\\x{e9}\\u00e9\\u{e9}\\U000000e9$", "A\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
    assert_match("^\\.\\+\\*\\?\\(\\)\\|\\[\\]\\{\\}\\^\\$\\#\\&\\-\\~\\/\\ \\_\\%$",
                 ".+*?()|[]{}^$#&-~/ _%");
    assert_match("a]", "a]");
    assert_match("a}", "a}");
    assert_match("\xc3\xa9", "\xc3\xa9");
    assert_match("(?x) a b # a comment\n [ c ] \\  ", "abc ");
    assert_no_match("(?x)[ a ]", " ");
    assert_match("(?x)(?-x: )a +", " aa");
}

TEST(test_regex__what_rust_has_not_is_refused)
{
    assert_broken("a(?=b)", "look-around is not supported (at character 2 of the pattern)");
    assert_broken("(?<!b)", "look-around is not supported (at character 1 of the pattern)");
    assert_broken("(a)\\1", "backreferences are not supported (at character 4 of the pattern)");
    assert_broken("(?>a)", "a flag or kind of group is not known (at character 3 of the pattern)");
    assert_broken("(?P=n)", "a flag or kind of group is not known (at character 3 of the pattern)");
    assert_broken("(?(1)a)",
                  "a flag or kind of group is not known (at character 3 of the pattern)");
    assert_broken("(?#a)", "a flag or kind of group is not known (at character 3 of the pattern)");
    assert_broken("(?C)", "a flag or kind of group is not known (at character 3 of the pattern)");
    assert_broken("(*UTF)",
                  "a repetition has nothing before it to repeat (at character 2 of the pattern)");
    static const char *const escapes[] = {"\\K", "\\Q", "\\E", "\\G", "\\Z",
                                          "\\e", "\\h", "\\R", "\\X", "\\C",
                                          "\\N", "\\g", "\\k", "\\c", "\\\xc3\xa9"};
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
        assert_broken(escapes[i], "the escape is not known (at character 1 of the pattern)");
}

TEST(test_regex__broken_patterns_say_where)
{
    static const char *const broken[][2] = {
        {"\xc3\xa9(", "a group is not closed (at character 2 of the pattern)"},
        {"a)", "a group is closed that was not opened (at character 2 of the pattern)"},
        {"[a", "a class is not closed (at character 1 of the pattern)"},
        {"[a-", "a class is not closed (at character 1 of the pattern)"},
        {"[z-a]", "a range's end is before its start (at character 2 of the pattern)"},
        {"[a-\\d]", "a range needs a character at both ends (at character 2 of the pattern)"},
        {"[\\b]", "an assertion can't be in a class (at character 2 of the pattern)"},
        {"*a", "a repetition has nothing before it to repeat (at character 1 of the pattern)"},
        {"(?i)*", "a repetition has nothing before it to repeat (at character 5 of the pattern)"},
        {"a{", "a repetition needs a number (at character 3 of the pattern)"},
        {"a{,3}", "a repetition needs a number (at character 3 of the pattern)"},
        {"a{2", "a repetition is not closed (at character 2 of the pattern)"},
        {"a{3,2}", "a repetition's maximum is below its minimum (at character 2 of the pattern)"},
        {"a{65536}", "a repetition is above 65535 (at character 3 of the pattern)"},
        {"a\\", "the pattern ends inside an escape (at character 2 of the pattern)"},
        {"\\x4", "a hexadecimal escape is not complete (at character 3 of the pattern)"},
        {"\\x{d800}",
         "a hexadecimal escape is no Unicode character (at character 3 of the pattern)"},
        {"\\p{^Greek}", "a Unicode class is not known (at character 3 of the pattern)"},
        {"\\p{Nonsense}", "a Unicode class is not known (at character 3 of the pattern)"},
        {"\\p{L&}", "a Unicode class is not known (at character 3 of the pattern)"},
        {"\\p{gc=}", "a Unicode class is not known (at character 3 of the pattern)"},
        {"\\p{", "a Unicode class is not closed (at character 3 of the pattern)"},
        {"\\p", "the pattern ends inside an escape (at character 3 of the pattern)"},
        {"(?<n>a)(?<n>b)", "a group's name is given twice (at character 11 of the pattern)"},
        {"(?<1>x)",
         "a group's name has a character that it can't have (at character 4 of the pattern)"},
        {"(?<>x)", "a group's name is empty or not closed (at character 4 of the pattern)"},
        {"(?ii)a", "a flag is given twice (at character 4 of the pattern)"},
        {"(?i-)a", "flags are missing (at character 3 of the pattern)"},
        {"(?)a", "flags are missing (at character 3 of the pattern)"},
        {"(?i", "a group is not closed (at character 3 of the pattern)"},
        {"(?-u:a)", "switching Unicode off is not supported (at character 4 of the pattern)"},
        {"\xff", "pattern is not well-formed UTF-8 (at byte 0)"},
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_broken(broken[i][0], broken[i][1]);
}

TEST(test_regex__hostile_patterns_and_texts_end)
{
    char deep[1001];
    memset(deep, '(', 1000);
    deep[1000] = '\0';
    assert_broken(deep,
                  "groups and classes are nested too deeply (at character 251 of the pattern)");
    memset(deep, '[', 1000);
    assert_broken(deep,
                  "groups and classes are nested too deeply (at character 251 of the pattern)");

    OG_AUTO(og_regex) regex = NULL;
    og_error err = {0};
    bool found;
    assert_status(og_regex_new(OG_STR("(a+)+$"), &regex, &err), OG_OK);
    assert_int_equal(
        og_regex_matches(regex, OG_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), &found, &err),
        OG_LIMIT);
    assert_string_equal(err.message, "the pattern takes too long on a text of 37 bytes");

    /* Each ~~ doubles what is written. */
    char set[256] = "[a";
    for (size_t i = 0; i < 40; i++)
        memcpy(set + 2 + 3 * i, "~~b", 3);
    set[2 + 3 * 40] = ']';
    assert_broken(set, "a class is too large (at character 1 of the pattern)");
}

TEST(test_regex__long_texts_match)
{
    size_t len = 100000;
    char *text = test_calloc(1, len);
    memset(text, 'a', len);
    text[len - 1] = 'b';
    assert_true(matches("^(?:a|b)*b$", (og_str){text, len}));
    test_free(text);
}

TEST(test_regex__failing_allocations_are_reported)
{
    assert_match("a", "a"); /* loads the library */
    for (int countdown = 0;; countdown++) {
        OG_AUTO(og_regex) regex = NULL;
        og_alloc_fail_after(countdown, true);
        og_status status = og_regex_new(OG_STR("^(?<n>[a-z&&[^x]\\W]+)$"), &regex, NULL);
        bool found;
        if (status == OG_OK)
            status = og_regex_matches(regex, OG_STR("abc"), &found, NULL);
        og_alloc_fail_after(-1, false);
        if (status == OG_OK)
            break;
        assert_status(status, OG_NOMEM);
    }
}
