/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

static const char *shift_reason(struct builder *b)
{
    if (b->plan->previous == NULL) {
        return "first deployment";
    }
    return arena_format(b->arena, "cutover; %s stays up for the way back", b->plan->stable_slot);
}

static const char *promote_reason(struct builder *b)
{
    if (b->plan->previous == NULL) {
        return "first deployment";
    }
    return arena_format(b->arena, "%s is standby; `deploy-action retire` may stop it after %s",
                        b->plan->stable_slot, text_of_duration(b->arena, b->config->retire_after));
}

int plan_blue_green(struct builder *b, struct error *err)
{
    if (slots_begin(b, err) != 0) {
        return -1;
    }
    if (b->plan->nothing_to_do) {
        return 0;
    }
    slots_deploy(b);
    slots_shift(b, 1, shift_reason(b));
    slots_watch(b, 1, b->config->blue_green_watch);
    slots_finish(b, promote_reason(b));
    plan_notify(b, "notify");
    return 0;
}
