/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "json.h"
#include "template.h"

#include <stdio.h>

static const char model_text[] =
    "{\"app\":\"shop\",\"odd\":\"a_b *c* <d> | `e`\",\"empty\":\"\",\"none\":null,\"zero\":0,"
    "\"count\":3,\"half\":0.5,\"big\":1764023962000,\"yes\":true,\"no\":false,\"nothing\":[],"
    "\"words\":[\"one\",\"two\",\"three\"],\"flags\":[true,false],"
    "\"run\":{\"id\":\"r1\",\"where\":{\"host\":\"h1\"}},\"bare\":{},"
    "\"steps\":[{\"title\":\"deploy\",\"on\":[{\"name\":\"g1\"},{\"name\":\"g2\"}]},"
    "{\"title\":\"shift\",\"on\":[],\"app\":\"inner\"}]}";

static struct json *model;
static struct error err;

static int begin(void **state)
{
    (void)state;
    return json_parse(model_text, sizeof model_text - 1, &model, &err);
}

static int end(void **state)
{
    (void)state;
    json_free(model);
    return 0;
}

static void expect(const char *text, const char *wanted)
{
    AUTO_BUF struct buf out;
    buf_init(&out, 65536);
    EXPECT_OK(template_render("report.md", text, model, &out, &err), &err);
    assert_string_equal(out.data, wanted);
}

static void refuse(const char *text, const char *wanted)
{
    AUTO_BUF struct buf out;
    buf_init(&out, 65536);
    EXPECT_ERROR(template_render("report.md", text, model, &out, &err), &err, ERROR_FORMAT, wanted);
}

static void text_is_kept(void **state)
{
    (void)state;
    expect("", "");
    expect("plain { text } }} with\n\n braces {", "plain { text } }} with\n\n braces {");
    expect("{{app}}", "shop");
    expect("a {{ app }} b {{app}}{{count}} c", "a shop b shop3 c");
}

static void values_are_shown(void **state)
{
    (void)state;
    expect("{{count}} {{half}} {{big}} {{zero}}", "3 0.5 1764023962000 0");
    expect("{{yes}} {{no}}", "true false");
    expect("[{{empty}}] [{{none}}]", "[] []");
}

/* {{name}} is only text in Markdown; {{{name}}} and {{&name}} are the author's own matter. */
static void values_are_escaped(void **state)
{
    (void)state;
    expect("{{odd}}", "a_b \\*c\\* &lt;d&gt; \\| \\`e\\`");
    expect("{{{odd}}}", "a_b *c* <d> | `e`");
    expect("{{{ odd }}} {{&odd}} {{& odd }}",
           "a_b *c* <d> | `e` a_b *c* <d> | `e` a_b *c* <d> | `e`");
}

static void what_a_value_holds_is_no_template(void **state)
{
    (void)state;
    struct json *sly = json_object();
    AUTO_BUF struct buf out;
    buf_init(&out, 65536);
    json_set_text(sly, "a", "{{b}}{{#c}}");
    json_set_text(sly, "b", "secret");
    EXPECT_OK(template_render("report.md", "{{{a}}}", sly, &out, &err), &err);
    assert_string_equal(out.data, "{{b}}{{#c}}");
    json_free(sly);
}

static void truth_opens_a_section(void **state)
{
    (void)state;
    static const char *const truths[] = {"app", "count", "half", "yes", "run", "bare", "words"};
    static const char *const lies[] = {"empty", "none", "zero", "no", "nothing"};
    char text[64];
    for (size_t i = 0; i < sizeof truths / sizeof truths[0]; i++) {
        snprintf(text, sizeof text, "{{^%s}}no{{/%s}}", truths[i], truths[i]);
        expect(text, "");
        snprintf(text, sizeof text, "<{{#%s}}{{/%s}}>", truths[i], truths[i]);
        expect(text, "<>");
    }
    expect("{{#app}}a{{/app}}{{#count}}b{{/count}}{{#half}}c{{/half}}{{#yes}}d{{/yes}}"
           "{{#bare}}e{{/bare}}",
           "abcde");
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        snprintf(text, sizeof text, "{{#%s}}yes{{/%s}}{{^%s}}no{{/%s}}", lies[i], lies[i], lies[i],
                 lies[i]);
        expect(text, "no");
    }
}

static void lists_are_walked(void **state)
{
    (void)state;
    expect("{{#words}}[{{.}}]{{/words}}", "[one][two][three]");
    expect("{{#words}}{{app}} {{.}}, {{/words}}end", "shop one, shop two, shop three, end");
    expect("{{#flags}}{{.}} {{/flags}}", "true false ");
    expect("{{#steps}}{{title}};{{/steps}}", "deploy;shift;");
    expect("{{#words}}{{#words}}{{.}}.{{/words}} {{/words}}",
           "one.two.three. one.two.three. one.two.three. ");
}

static void sections_nest(void **state)
{
    (void)state;
    expect("{{#steps}}{{title}}:{{#on}} {{name}} of {{title}}{{/on}}{{^on}} nobody{{/on}}\n"
           "{{/steps}}",
           "deploy: g1 of deploy g2 of deploy\nshift: nobody\n");
    expect("{{#no}}{{#yes}}a{{/yes}}{{^yes}}b{{/yes}}c{{/no}}d", "d");
    expect("{{^no}}{{#yes}}a{{/yes}}{{/no}}", "a");
    expect("{{#nothing}}{{#words}}{{.}}{{/words}}{{/nothing}}{{app}}", "shop");
}

/* The innermost context that has the first word wins. */
static void names_are_looked_up_outwards(void **state)
{
    (void)state;
    expect("{{#steps}}{{app}} {{/steps}}", "shop inner ");
    expect("{{#run}}{{id}} {{app}} {{where.host}}{{/run}}", "r1 shop h1");
}

static void names_may_have_dots(void **state)
{
    (void)state;
    expect("{{run.id}} {{run.where.host}}", "r1 h1");
    expect("{{#run.where}}{{host}}{{/run.where}}", "h1");
    expect("{{#run.where}}{{/run.where}}{{^run.id}}none{{/run.id}}", "");
    refuse("{{run.what}}", "report.md:1: the model has no 'run.what'");
    refuse("{{run.id.deep}}", "the model has no 'run.id.deep'");
    /* Only the first word is looked for outside. */
    refuse("{{#run}}{{where.app}}{{/run}}", "the model has no 'where.app'");
    refuse("{{run.}}", "the model has no 'run.'");
}

static void lines_of_section_tags_vanish(void **state)
{
    (void)state;
    expect("a\n{{#words}}\n- {{.}}\n{{/words}}\nb\n", "a\n- one\n- two\n- three\nb\n");
    expect("a\n  {{#yes}}\t\nb\n  {{/yes}}  \nc", "a\nb\nc");
    expect("{{#yes}}\nfirst\n{{/yes}}", "first\n");
    expect("a\n{{#no}}\nb\n{{/no}}\nc\n", "a\nc\n");
    expect("a\n\n{{#no}}\nb\n{{/no}}\n\nc\n", "a\n\n\nc\n");
    expect("a\n{{! a comment }}\nb\n", "a\nb\n");
    /* With anything beside it, the line stays. */
    expect("a {{#yes}}\nb{{/yes}}\n", "a \nb\n");
    expect("{{#yes}}{{app}}{{/yes}}\n", "shop\n");
    expect("{{app}}\n", "shop\n");
    expect("x{{! said }}y", "xy");
}

static void nested_lines_vanish_in_every_round(void **state)
{
    (void)state;
    expect("{{#steps}}\n# {{title}}\n{{#on}}\n- {{name}}\n{{/on}}\n{{^on}}\n- none\n{{/on}}\n"
           "{{/steps}}\nend\n",
           "# deploy\n- g1\n- g2\n# shift\n- none\nend\n");
}

/* A misspelled field must not vanish. */
static void unknown_names_are_errors(void **state)
{
    (void)state;
    refuse("one\ntwo {{verson}}\n", "report.md:2: the model has no 'verson'");
    refuse("{{#stages}}x{{/stages}}", "report.md:1: the model has no 'stages'");
    refuse("\n\n{{^stages}}x{{/stages}}", "report.md:3: the model has no 'stages'");
    refuse("{{#steps}}\n{{titel}}{{/steps}}", "report.md:2: the model has no 'titel'");
    /* What is not rendered is not looked up. */
    expect("{{#no}}{{verson}}{{#stages}}{{/stages}}{{/no}}", "");
}

static void wrong_tags_are_errors(void **state)
{
    (void)state;
    refuse("a\n{{app", "report.md:2: tag is not closed");
    refuse("{{{app}}", "report.md:1: tag is not closed");
    refuse("{{}}", "report.md:1: tag has no usable name");
    refuse("{{# }}x{{/ }}", "no usable name");
    refuse("{{/app}}", "report.md:1: closes a section that is not open: 'app'");
    refuse("{{#app}}{{/run}}", "closes a section that is not open: 'run'");
    refuse("{{#app}}{{#run}}{{/app}}{{/run}}", "closes a section that is not open: 'app'");
    refuse("{{#app}}\nx\n", "section is not closed: 'app'");
    refuse("{{#no}}\nx\n", "section is not closed: 'no'");
}

static void names_have_a_length(void **state)
{
    (void)state;
    char text[400];
    snprintf(text, sizeof text, "{{%0200d}}", 1);
    refuse(text, "no usable name");
    snprintf(text, sizeof text, "{{! %0300d }}{{app}}", 1);
    expect(text, "shop");
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    char text[2000] = "";
    for (int i = 0; i < 15; i++) {
        strncat(text, "{{#yes}}", sizeof text - strlen(text) - 1);
    }
    strncat(text, "x", sizeof text - strlen(text) - 1);
    for (int i = 0; i < 15; i++) {
        strncat(text, "{{/yes}}", sizeof text - strlen(text) - 1);
    }
    expect(text, "x");
    memset(text, 0, sizeof text);
    for (int i = 0; i < 40; i++) {
        strncat(text, "{{#yes}}\n", sizeof text - strlen(text) - 1);
    }
    refuse(text, "report.md:16: sections are nested too deeply at 'yes'");
}

/* Three words within three words … : 14 million rounds of nothing. */
static void repetition_has_a_limit(void **state)
{
    (void)state;
    AUTO_BUF struct buf text;
    buf_init(&text, 65536);
    for (int i = 0; i < 15; i++)
        buf_adds(&text, "{{#words}}");
    for (int i = 0; i < 15; i++)
        buf_adds(&text, "{{/words}}");
    refuse(text.data, "report.md:1: sections repeat each other too often at 'words'");
}

static void a_document_has_a_size(void **state)
{
    (void)state;
    AUTO_BUF struct buf out;
    buf_init(&out, 10);
    EXPECT_ERROR(template_render("report.md", "{{#words}}{{.}}{{/words}}", model, &out, &err), &err,
                 ERROR_FORMAT, "report.md: the document is larger than 10 bytes");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(text_is_kept),
        TEST(values_are_shown),
        TEST(values_are_escaped),
        TEST(what_a_value_holds_is_no_template),
        TEST(truth_opens_a_section),
        TEST(lists_are_walked),
        TEST(sections_nest),
        TEST(names_are_looked_up_outwards),
        TEST(names_may_have_dots),
        TEST(lines_of_section_tags_vanish),
        TEST(nested_lines_vanish_in_every_round),
        TEST(unknown_names_are_errors),
        TEST(wrong_tags_are_errors),
        TEST(names_have_a_length),
        TEST(depth_has_a_limit),
        TEST(repetition_has_a_limit),
        TEST(a_document_has_a_size),
    };
    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
