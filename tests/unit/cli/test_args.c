#include "og_test.h"

#include "cli/args.h"

/* Parse a line given as words; stderr and stdout are left to the transcripts in tests/cli. */
#define PARSE(...)                                                                                 \
    parse((const char *[]){"omnigraph", __VA_ARGS__, NULL},                                        \
          sizeof((const char *[]){"omnigraph", __VA_ARGS__}) / sizeof(char *))

static cli_args args;
static int exit_code;

static bool parse(const char **argv, size_t count)
{
    cli_args_deinit(&args);
    args = (cli_args){0};
    exit_code = -1;
    return cli_parse((int)count, (char **)argv, &args, &exit_code);
}

TEST(test_args__options_in_any_order)
{
    assert_true(PARSE("load", "g", "--data", "d", "--mode=merge", "--json"));
    assert_string_equal(args.verb->name, "load");
    assert_string_equal(cli_value(&args, CLI_DATA), "d");
    assert_string_equal(cli_value(&args, CLI_MODE), "merge");
    assert_true(cli_has(&args, CLI_JSON));
    assert_false(cli_has(&args, CLI_BRANCH));
    assert_int_equal(args.arguments.len, 1);
    assert_true(PARSE("--as", "me", "load", "--data=d"));
    assert_string_equal(cli_value(&args, CLI_AS), "me");
    assert_int_equal(args.arguments.len, 0);
}

TEST(test_args__forms_of_a_value)
{
    assert_true(PARSE("query", "-e", "text"));
    assert_string_equal(cli_value(&args, CLI_QUERY_STRING), "text");
    assert_true(PARSE("query", "-etext"));
    assert_string_equal(cli_value(&args, CLI_QUERY_STRING), "text");
    assert_true(PARSE("query", "-e=text"));
    assert_string_equal(cli_value(&args, CLI_QUERY_STRING), "text");
    assert_true(PARSE("query", "--query-string=a=b"));
    assert_string_equal(cli_value(&args, CLI_QUERY_STRING), "a=b");
    assert_true(PARSE("load", "--data", "-"));
    assert_string_equal(cli_value(&args, CLI_DATA), "-");
    assert_true(PARSE("load", "--data="));
    assert_string_equal(cli_value(&args, CLI_DATA), "");
}

TEST(test_args__optional_value_only_behind_equals)
{
    assert_true(PARSE("query", "--explain", "run"));
    assert_string_equal(cli_value(&args, CLI_EXPLAIN), "");
    assert_string_equal(args.arguments.items[0], "run");
    assert_true(PARSE("query", "--explain=run"));
    assert_string_equal(cli_value(&args, CLI_EXPLAIN), "run");
}

TEST(test_args__arguments_after_two_dashes)
{
    assert_true(PARSE("query", "--", "-1", "--json"));
    assert_int_equal(args.arguments.len, 2);
    assert_string_equal(args.arguments.items[1], "--json");
    assert_false(cli_has(&args, CLI_JSON));
}

TEST(test_args__repeated_options_keep_their_order)
{
    assert_true(PARSE("export", "--type", "A", "--type=B"));
    assert_int_equal(args.given[CLI_TYPE].len, 2);
    assert_string_equal(args.given[CLI_TYPE].items[1], "B");
}

TEST(test_args__commands_of_two_words)
{
    assert_true(PARSE("schema", "show", "g"));
    assert_string_equal(args.verb->name, "schema show");
    assert_string_equal(args.arguments.items[0], "g");
    assert_true(PARSE("schema", "get"));
    assert_string_equal(args.verb->name, "schema show");
    assert_true(PARSE("read"));
    assert_string_equal(args.verb->name, "query");
}

TEST(test_args__every_option_is_of_some_command_and_says_what_it_does)
{
    uint64_t all = 0;
    for (size_t i = 0; i < cli_verb_count; i++) {
        all |= cli_verbs[i].options;
        assert_int_equal(cli_verbs[i].required & ~cli_verbs[i].options, 0);
        assert_true(strlen(cli_verbs[i].summary) > 0 && strlen(cli_verbs[i].examples) > 0);
        assert_non_null(cli_verbs[i].run);
    }
    assert_int_equal(all, CLI_BIT(CLI_OPTION_COUNT) - 1);
    for (cli_option_id id = 0; id < CLI_OPTION_COUNT; id++)
        assert_true(strlen(cli_options[id].name) > 0 && strlen(cli_options[id].help) > 0);
    cli_args_deinit(&args);
}
