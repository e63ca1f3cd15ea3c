/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs.h"

#include "arena.h"
#include "text.h"

#include <string.h>

const char *const guidance_questions[6] = {
    "What are your top priorities for this activity?",
    "What are your biggest constraints?",
    "What risks concern you most for this workflow?",
    "What's your team's experience level with this type of activity?",
    "What's your target timeline?",
    "Are there compliance or regulatory requirements?",
};

static const char *const security_words[] = {"security", "secure", "audit", NULL};
static const char *const performance_words[] = {"performance", "latency", "speed", "throughput",
                                                NULL};
static const char *const compliance_words[] = {"compliance", "regulatory", "gdpr", "hipaa",
                                               "sox",        "pci",        NULL};
static const char *const tight_words[] = {"tight", "urgent", "deadline", "crisis", NULL};

static const char *const security_reviewers[] = {"security-architect", "privacy-officer", NULL};
static const char *const performance_reviewers[] = {"reliability-engineer", NULL};
static const char *const compliance_reviewers[] = {"legal-liaison", "privacy-officer", NULL};

static bool says(const char *guidance, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        if (strcasestr(guidance, words[i])) {
            return true;
        }
    }
    return false;
}

static void add_reviewers(struct focus *focus, const char *const *names)
{
    for (size_t i = 0; names[i]; i++) {
        bool there = false;
        for (size_t k = 0; k < focus->reviewers.count; k++) {
            there = there || text_equal(focus->reviewers.items[k], names[i]);
        }
        if (!there) {
            focus->reviewers.items[focus->reviewers.count++] = names[i];
        }
    }
}

void guidance_focus(struct arena *arena, const char *guidance, struct focus *out)
{
    const char *text = guidance ? guidance : "";
    *out = (struct focus){
        .security = says(text, security_words),
        .performance = says(text, performance_words),
        .compliance = says(text, compliance_words),
        .tight = says(text, tight_words),
    };
    out->reviewers.items = arena_array(arena, 8, sizeof *out->reviewers.items);
    if (out->security) {
        add_reviewers(out, security_reviewers);
    }
    if (out->performance) {
        add_reviewers(out, performance_reviewers);
    }
    if (out->compliance) {
        add_reviewers(out, compliance_reviewers);
    }
}

const char *guidance_of_answers(struct arena *arena, const char *const answers[6])
{
    const char *given[6];
    for (size_t i = 0; i < 6; i++) {
        given[i] = answers[i] ? answers[i] : "";
    }
    const char *text =
        arena_format(arena, "Priorities: %s. Constraints: %s. Risks: %s. Team: %s. Timeline: %s.",
                     given[0], given[1], given[2], given[3], given[4]);
    return text_blank(given[5]) ? text : arena_format(arena, "%s Compliance: %s.", text, given[5]);
}
