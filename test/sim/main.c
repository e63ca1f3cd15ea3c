/* SPDX-License-Identifier: Apache-2.0
 *
 * simulate --seeds N --from M: all of them, on every core;
 * simulate --seed S [--without P.C,…]: one, told call by call;
 * simulate --seeds N --hunt I: up to the first that breaks invariant I, in a program with a defect.
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHOWN 5 /* violations that are told in full */

struct total {
    _Atomic uint64_t seeds, violations, processes, calls, faults[FAULTS];
};
static struct total *total;

/* Leaves out one fault after the other as long as the same invariant breaks. */
static void minimise(uint64_t seed)
{
    int invariant = sim.violation;
    sim.off_count = 0;
    for (bool smaller = true; smaller;) {
        int64_t struck[OFF_MAX];
        smaller = false;
        job_run(seed);
        size_t count = sim.struck_count;
        memcpy(struck, sim.struck, sizeof struck);
        for (size_t i = 0; i < count && sim.off_count < OFF_MAX; i++) {
            sim.off[sim.off_count++] = struck[i];
            job_run(seed);
            if (sim.violation == invariant) {
                smaller = true;
                break;
            }
            sim.off_count--;
        }
    }
}

static void tell(uint64_t seed)
{
    minimise(seed);
    sim.trace = true;
    printf("seed %llu\n", (unsigned long long)seed);
    job_run(seed);
    sim.trace = false;
    printf("seed %llu: invariant %d: %s\nreplay: build/sim/simulate --seed %llu",
           (unsigned long long)seed, sim.violation, sim.words, (unsigned long long)seed);
    for (size_t i = 0; i < sim.off_count; i++)
        printf("%s%lld.%lld", i == 0 ? " --without " : ",", (long long)(sim.off[i] / CALLS_MAX),
               (long long)(sim.off[i] % CALLS_MAX));
    printf("\n\n");
    fflush(stdout);
    sim.off_count = 0;
}

static void some(uint64_t from, uint64_t seeds, uint64_t step)
{
    for (uint64_t seed = from; seed < from + seeds; seed += step) {
        job_run(seed);
        total->seeds++;
        total->processes += (uint64_t)sim.process;
        for (size_t i = 0; i < sim.struck_count; i++)
            total->faults[sim.struck_as[i]]++;
        if (sim.violation == 0)
            continue;
        if (++total->violations <= SHOWN)
            tell(seed);
        else
            printf("seed %llu: invariant %d: %s\n", (unsigned long long)seed, sim.violation,
                   sim.words);
    }
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int many(uint64_t from, uint64_t seeds)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t workers = cores < 1 ? 1 : (uint64_t)cores;
    double begun = seconds();
    int bad = 0, status;
    fflush(stdout);
    for (uint64_t i = 0; i < workers; i++) {
        if (fork() == 0) {
            some(from + i, seeds - i, workers);
            exit(0); /* not _exit: coverage is written then */
        }
    }
    while (wait(&status) > 0)
        bad += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    printf("faults:");
    for (int i = 1; i < FAULTS; i++)
        printf(" %s %llu%s", fault_names[i], (unsigned long long)total->faults[i],
               i + 1 < FAULTS ? "," : "\n");
    printf("%llu seeds, %llu violations, %.0f rollouts/s\n", (unsigned long long)total->seeds,
           (unsigned long long)total->violations, (double)total->seeds / (seconds() - begun));
    return total->violations > 0 || total->seeds != seeds || bad > 0;
}

static int hunt(uint64_t from, uint64_t seeds, uint64_t invariant)
{
    for (uint64_t seed = from; seed < from + seeds; seed++) {
        job_run(seed);
        if (sim.violation != 0 && (uint64_t)sim.violation == invariant) {
            printf("seed %llu: invariant %d: %s\n", (unsigned long long)seed, sim.violation,
                   sim.words);
            return 1;
        }
    }
    printf("%llu seeds, and none breaks invariant %llu\n", (unsigned long long)seeds,
           (unsigned long long)invariant);
    return 0;
}

static void leave_out(const char *list)
{
    while (*list != '\0' && sim.off_count < OFF_MAX) {
        char *end = NULL;
        long long process = strtoll(list, &end, 10);
        long long call = *end == '.' ? strtoll(end + 1, &end, 10) : 0;
        sim.off[sim.off_count++] = process * CALLS_MAX + call;
        list = *end == ',' ? end + 1 : end;
        if (list == end && *end != '\0')
            return;
    }
}

int main(int argc, char **argv)
{
    uint64_t seeds = 1000, from = 0, one = 0, hunted = 0;
    bool single = false;
    total = mmap(NULL, sizeof *total, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (total == MAP_FAILED)
        return 2;
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t number = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seeds") == 0)
            seeds = number;
        else if (strcmp(argv[i], "--from") == 0)
            from = number;
        else if (strcmp(argv[i], "--hunt") == 0)
            hunted = number;
        else if (strcmp(argv[i], "--without") == 0)
            leave_out(argv[i + 1]);
        else if (strcmp(argv[i], "--seed") == 0)
            one = number, single = true;
        else
            return fprintf(stderr, "simulate: unknown option '%s'\n", argv[i]), 2;
    }
    if (hunted > 0)
        return hunt(from, seeds, hunted);
    if (!single)
        return many(from, seeds);
    sim.trace = true;
    job_run(one);
    printf("seed %llu: invariant %d: %s\n", (unsigned long long)one, sim.violation,
           sim.violation == 0 ? "none broken" : sim.words);
    return sim.violation != 0;
}
