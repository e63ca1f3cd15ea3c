/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "arena.h"
#include "inputs.h"
#include "text.h"

static const char *reviewers_of(struct arena *arena, const struct focus *focus)
{
    const char *text = "";
    for (size_t i = 0; i < focus->reviewers.count; i++) {
        text = arena_format(arena, "%s%s%s", text, i ? " " : "", focus->reviewers.items[i]);
    }
    return text;
}

/* S-055…S-060 and D-04: which words set what, whatever their case, and nobody twice. */
static void words_set_the_focus(void **state)
{
    static const struct {
        const char *guidance, *flags, *reviewers;
    } rows[] = {
        {"", "", ""},
        {NULL, "", ""},
        {"nothing in particular", "", ""},
        {"Security first", "s", "security-architect privacy-officer"},
        {"be SECURE", "s", "security-architect privacy-officer"},
        {"an audit", "s", "security-architect privacy-officer"},
        {"Performance", "p", "reliability-engineer"},
        {"low latency", "p", "reliability-engineer"},
        {"SPEED", "p", "reliability-engineer"},
        {"throughput", "p", "reliability-engineer"},
        {"compliance", "c", "legal-liaison privacy-officer"},
        {"regulatory", "c", "legal-liaison privacy-officer"},
        {"GDPR", "c", "legal-liaison privacy-officer"},
        {"hipaa", "c", "legal-liaison privacy-officer"},
        {"SOX", "c", "legal-liaison privacy-officer"},
        {"pci-dss", "c", "legal-liaison privacy-officer"},
        {"tight", "t", ""},
        {"urgent", "t", ""},
        {"a deadline", "t", ""},
        {"Crisis", "t", ""},
        {"security and GDPR", "sc", "security-architect privacy-officer legal-liaison"},
        {"urgent security audit, latency, pci", "spct",
         "security-architect privacy-officer reliability-engineer legal-liaison"},
    };
    struct arena arena;
    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct focus focus;
        guidance_focus(&arena, rows[i].guidance, &focus);
        const char *flags = arena_format(&arena, "%s%s%s%s", focus.security ? "s" : "",
                                         focus.performance ? "p" : "", focus.compliance ? "c" : "",
                                         focus.tight ? "t" : "");
        assert_string_equal(flags, rows[i].flags);
        assert_string_equal(reviewers_of(&arena, &focus), rows[i].reviewers);
    }
    arena_release(&arena);
}

/* S-053 and D-02: five sentences as they always were, the sixth answer appended. */
static void answers_become_guidance(void **state)
{
    static const char *const all[6] = {"speed", "budget", "data loss", "senior", "May", "GDPR"};
    static const char *const five[6] = {"speed", "budget", "data loss", "senior", "May", " "};
    static const char *const none[6] = {NULL};
    struct arena arena;
    struct focus focus;
    (void)state;
    arena_init(&arena);
    assert_string_equal(guidance_of_answers(&arena, all),
                        "Priorities: speed. Constraints: budget. Risks: data loss. Team: senior. "
                        "Timeline: May. Compliance: GDPR.");
    assert_string_equal(guidance_of_answers(&arena, five),
                        "Priorities: speed. Constraints: budget. Risks: data loss. Team: senior. "
                        "Timeline: May.");
    assert_string_equal(guidance_of_answers(&arena, none),
                        "Priorities: . Constraints: . Risks: . Team: . Timeline: .");
    guidance_focus(&arena, guidance_of_answers(&arena, all), &focus);
    assert_true(focus.compliance);
    guidance_focus(&arena, guidance_of_answers(&arena, none), &focus);
    assert_false(focus.compliance || focus.security || focus.performance || focus.tight);
    arena_release(&arena);
}

/* S-044…S-049, word for word. */
static void six_questions(void **state)
{
    (void)state;
    assert_string_equal(guidance_questions[0], "What are your top priorities for this activity?");
    assert_string_equal(guidance_questions[1], "What are your biggest constraints?");
    assert_string_equal(guidance_questions[2], "What risks concern you most for this workflow?");
    assert_string_equal(guidance_questions[3],
                        "What's your team's experience level with this type of activity?");
    assert_string_equal(guidance_questions[4], "What's your target timeline?");
    assert_string_equal(guidance_questions[5], "Are there compliance or regulatory requirements?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_set_the_focus),
        cmocka_unit_test(answers_become_guidance),
        cmocka_unit_test(six_questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
