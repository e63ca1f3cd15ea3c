/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparison of two runs, member by member: what the state file must bring back.
 */
#ifndef RUN_TEST_H
#define RUN_TEST_H

#include "run.h"

#include <math.h>

#define SAME_INT(member) assert_int_equal(a->member, b->member)
#define SAME_TEXT(member)                              \
    do {                                               \
        if (a->member == NULL || b->member == NULL) {  \
            assert_ptr_equal(a->member, b->member);    \
        } else {                                       \
            assert_string_equal(a->member, b->member); \
        }                                              \
    } while (0)
#define SAME_REAL(member) \
    assert_true(a->member == b->member || (isnan(a->member) && isnan(b->member)))

static void same_step(const struct step *a, const struct step *b)
{
    SAME_TEXT(id);
    SAME_INT(kind);
    SAME_INT(phase);
    SAME_TEXT(target);
    SAME_TEXT(title);
    SAME_TEXT(reason);
    SAME_TEXT(touches);
    SAME_TEXT(slot);
    SAME_INT(count);
    SAME_TEXT(version);
    SAME_TEXT(group);
    SAME_TEXT(base_url);
    SAME_REAL(weight);
    SAME_INT(state);
    SAME_INT(duration);
    SAME_INT(deadline);
    SAME_INT(production);
    for (size_t i = 0; i < a->count; i++) {
        SAME_TEXT(instances[i]);
    }
}

static void same_run_step(const struct run_step *a, const struct run_step *b)
{
    same_step(&a->step, &b->step);
    SAME_INT(status);
    SAME_INT(direction);
    SAME_INT(started);
    SAME_INT(ended);
    SAME_INT(attempts);
    SAME_TEXT(evidence);
    SAME_TEXT(error);
}

static void same_check(const struct run_check *a, const struct run_check *b)
{
    SAME_TEXT(step);
    SAME_TEXT(group);
    SAME_TEXT(name);
    SAME_TEXT(role);
    SAME_INT(verdict);
    SAME_TEXT(evidence);
    SAME_INT(at);
    SAME_INT(took_ms);
    SAME_INT(attempts);
}

static void same_metric(const struct run_metric *a, const struct run_metric *b)
{
    SAME_TEXT(slo);
    SAME_TEXT(kind);
    SAME_TEXT(unit);
    SAME_TEXT(source);
    SAME_REAL(baseline);
    SAME_REAL(value);
    SAME_REAL(worst);
    SAME_REAL(limit);
    SAME_REAL(target);
    SAME_REAL(bad);
    SAME_REAL(requests);
    SAME_REAL(baseline_requests);
    SAME_TEXT(judgement);
    SAME_TEXT(detail);
    SAME_INT(window);
}

static void same_event(const struct run_event *a, const struct run_event *b)
{
    SAME_INT(at);
    SAME_INT(kind);
    SAME_TEXT(severity);
    SAME_TEXT(text);
    SAME_INT(resolved);
    SAME_TEXT(resolution);
}

static void same_people(const struct run *x, const struct run *y)
{
    for (size_t i = 0; i < x->signature_count; i++) {
        const struct run_signature *a = &x->signatures[i], *b = &y->signatures[i];
        SAME_TEXT(role);
        SAME_TEXT(who);
        SAME_TEXT(step);
        SAME_TEXT(comment);
        SAME_INT(at);
    }
    for (size_t i = 0; i < x->attempt_count; i++) {
        const struct run_attempt *a = &x->attempts[i], *b = &y->attempts[i];
        SAME_TEXT(host);
        SAME_TEXT(how);
        SAME_INT(pid);
        SAME_INT(started);
        SAME_INT(ended);
        SAME_TEXT(outcome);
    }
}

static void same_stream(const struct run_stream *x, const struct run_stream *y)
{
    assert_string_equal(x->slo, y->slo);
    assert_int_equal(x->arm, y->arm);
    assert_int_equal(x->count, y->count);
    for (size_t i = 0; i < x->count; i++) {
        const struct run_sample *a = &x->samples[i], *b = &y->samples[i];
        SAME_INT(at);
        SAME_REAL(seconds);
        SAME_REAL(bad);
        SAME_REAL(total);
        SAME_REAL(gauge);
    }
}

static void same_watch(const struct run_watch *a, const struct run_watch *b)
{
    SAME_TEXT(step);
    SAME_INT(begun);
    SAME_INT(observed_ms);
    SAME_INT(nodata_since);
    SAME_INT(drifts);
    SAME_INT(count);
    for (size_t i = 0; i < a->count; i++) {
        same_stream(&a->streams[i], &b->streams[i]);
    }
}

static void same_scalars(const struct run *a, const struct run *b)
{
    SAME_INT(schema);
    SAME_INT(sequence);
    SAME_TEXT(id);
    SAME_TEXT(app);
    SAME_TEXT(project);
    SAME_TEXT(commit);
    SAME_TEXT(run_url);
    SAME_TEXT(run_key);
    SAME_TEXT(environment);
    SAME_INT(strategy);
    SAME_TEXT(version);
    SAME_TEXT(previous);
    SAME_TEXT(image);
    SAME_TEXT(stable_slot);
    SAME_TEXT(candidate_slot);
    SAME_TEXT(config_path);
    SAME_TEXT(config_hash);
    SAME_TEXT(plan_hash);
    SAME_TEXT(guidance);
    SAME_INT(reviewers.count);
    SAME_TEXT(reviewers.items[1]);
    SAME_INT(started);
    SAME_INT(updated);
    SAME_INT(ended);
    SAME_INT(status);
    SAME_INT(exit_code);
    SAME_INT(direction);
    SAME_TEXT(headline);
    SAME_TEXT(trigger);
    SAME_TEXT(trigger_id);
    SAME_TEXT(trigger_detail);
    SAME_INT(breached);
    SAME_INT(acted);
    SAME_INT(retire_at);
    SAME_REAL(availability_ok);
    SAME_REAL(availability_polls);
    SAME_INT(downtime_ms);
    SAME_INT(paused_ms);
    SAME_INT(step_count);
    SAME_INT(check_count);
    SAME_INT(metric_count);
    SAME_INT(event_count);
    SAME_INT(signature_count);
    SAME_INT(attempt_count);
}

static void same_run(const struct run *a, const struct run *b)
{
    same_scalars(a, b);
    for (size_t i = 0; i < a->step_count; i++) {
        same_run_step(&a->steps[i], &b->steps[i]);
    }
    for (size_t i = 0; i < a->check_count; i++) {
        same_check(&a->checks[i], &b->checks[i]);
    }
    for (size_t i = 0; i < a->metric_count; i++) {
        same_metric(&a->metrics[i], &b->metrics[i]);
    }
    for (size_t i = 0; i < a->event_count; i++) {
        same_event(&a->events[i], &b->events[i]);
    }
    same_people(a, b);
    same_watch(&a->watch, &b->watch);
}

#endif
