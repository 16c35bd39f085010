/* model - compare the engine with a plain model, seed by seed.
 *
 *   model [--seeds A..B | --seed N] [--ops N] [--jobs N] [--all-kinds] [--keep-going]
 *
 * Worker processes take seeds in turn; one that dies or hangs is a failure of its seed. A failed
 * program is shrunk by leaving out operations and printed as a shell script. Exit code 0: all seeds
 * agreed (and, with --all-kinds, every counted kind occurred). */
#include "model.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FAILURES = 64, MAX_JOBS = 64, SEED_SECONDS = 60, SHRINK_SECONDS = 40 };

typedef struct options {
    uint64_t first, last;
    int ops, jobs;
    bool all_kinds, keep_going;
} options;

/* In memory that parent and children share. */
typedef struct shared {
    uint64_t next_seed, passed;
    uint64_t current[MAX_JOBS]; /* seed + 1 of each worker; 0 = none */
    uint64_t failures[MAX_FAILURES];
    int failure_count;
    int trial_at; /* outcome of one run in a child */
    bool trial_agreed;
    char trial_what[8192];
} shared;
static shared *common;
static char root[64];

static void make_root(void)
{
    struct stat info;
    bool memory = stat("/dev/shm", &info) == 0 && access("/dev/shm", W_OK) == 0;
    snprintf(root, sizeof(root), "%s/omnigraph-model-XXXXXX", memory ? "/dev/shm" : "/tmp");
    if (mkdtemp(root) == NULL) {
        perror(root);
        exit(2);
    }
}

static void note_failure(uint64_t seed)
{
    int at = __atomic_fetch_add(&common->failure_count, 1, __ATOMIC_RELAXED);
    if (at < MAX_FAILURES)
        common->failures[at] = seed;
}

/* ---- workers ------------------------------------------------------------------------------ */

static text own_folder(int worker)
{
    text folder = text_printf("%s/%d", root, worker);
    if (mkdir(folder.ptr, 0700) != 0 && errno != EEXIST)
        abort();
    return folder;
}

static void work(const options *o, int worker)
{
    for (;;) {
        if (common->failure_count > 0 && !o->keep_going)
            return;
        uint64_t seed = __atomic_fetch_add(&common->next_seed, 1, __ATOMIC_RELAXED);
        if (seed > o->last)
            return;
        common->current[worker] = seed + 1;
        alarm(SEED_SECONDS);
        int at;
        text what;
        const program *p = generate_program(seed, o->ops);
        bool same = run_program(p, own_folder(worker).ptr, true, &at, &what);
        if (same) {
            __atomic_fetch_add(&common->passed, 1, __ATOMIC_RELAXED);
        } else {
            note_failure(seed);
            fprintf(stderr, "seed %llu, operation %d: %s\n", (unsigned long long)seed, at,
                    what.ptr);
        }
        alarm(0);
        common->current[worker] = 0;
        model_memory_reset();
    }
}

static pid_t start_worker(const options *o, int worker)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        work(o, worker);
        model_memory_reset();
        exit(0);
    }
    return pid;
}

static void remove_tree(const char *path)
{
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", path, (char *)NULL);
        _exit(127);
    }
    if (pid > 0)
        (void)waitpid(pid, NULL, 0);
}

/* Until all seeds are done; a worker that died is replaced. */
static bool run_workers(const options *o)
{
    pid_t pids[MAX_JOBS];
    for (int i = 0; i < o->jobs; i++)
        pids[i] = start_worker(o, i);
    bool clean = true;
    for (int running = o->jobs; running > 0;) {
        int status;
        pid_t pid = wait(&status);
        if (pid < 0)
            break;
        int worker = 0;
        while (worker < o->jobs && pids[worker] != pid)
            worker++;
        if (worker == o->jobs)
            continue;
        running--;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            continue;
        uint64_t seed = common->current[worker];
        common->current[worker] = 0;
        if (seed == 0) { /* at the end: memory that was never freed */
            clean = false;
            continue;
        }
        note_failure(seed - 1);
        fprintf(stderr, "seed %llu: ended by %s %d\n", (unsigned long long)seed - 1,
                WIFSIGNALED(status) ? "signal" : "exit code",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        remove_tree(text_printf("%s/%d", root, worker).ptr);
        if (common->failure_count < MAX_FAILURES) {
            pids[worker] = start_worker(o, worker);
            running++;
        }
    }
    return clean;
}

/* ---- shrinking ---------------------------------------------------------------------------- */

/* Run the program in a child, so that a crash is an outcome like any other. */
static bool agrees(const program *p, bool show_crash)
{
    common->trial_agreed = false;
    common->trial_at = -1;
    snprintf(common->trial_what, sizeof(common->trial_what), "crashed or hung");
    text folder = text_printf("%s/trial", root);
    mkdir(folder.ptr, 0700);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (!show_crash)
            (void)!freopen("/dev/null", "w", stderr);
        alarm(SEED_SECONDS);
        text what;
        int at;
        bool same = run_program(p, folder.ptr, false, &at, &what);
        common->trial_at = at;
        if (!same)
            snprintf(common->trial_what, sizeof(common->trial_what), "%s", what.ptr);
        common->trial_agreed = same;
        _exit(0);
    }
    int status = 0;
    if (pid > 0)
        (void)waitpid(pid, &status, 0);
    remove_tree(folder.ptr);
    return common->trial_agreed;
}

static program without(const program *p, int from, int count)
{
    program less = *p;
    less.op_count = 0;
    less.ops = model_alloc(sizeof(op *) * (size_t)(p->op_count + 1));
    for (int i = 0; i < p->op_count; i++)
        if (i < from || i >= from + count)
            less.ops[less.op_count++] = p->ops[i];
    return less;
}

/* Leave out halves, quarters, ... single operations, as long as a difference remains. */
static program shrink(program p)
{
    time_t until = time(NULL) + SHRINK_SECONDS;
    if (common->trial_at >= 0)
        p.op_count = common->trial_at + 1;
    for (int step = (p.op_count + 1) / 2; step > 0; step = step > 1 ? (step + 1) / 2 : 0) {
        for (int from = 0; from < p.op_count && time(NULL) < until;) {
            program less = without(&p, from, step);
            if (less.op_count > 0 && !agrees(&less, false))
                p = less;
            else
                from += step;
        }
    }
    return p;
}

static void report(const options *o, uint64_t seed)
{
    model_memory_reset();
    const program *p = generate_program(seed, o->ops);
    printf("\n==== seed %llu differs; replay: model --seed %llu --ops %d\n",
           (unsigned long long)seed, (unsigned long long)seed, o->ops);
    if (agrees(p, true)) {
        printf("it agrees when run again: it depends on time or memory\n");
        return;
    }
    printf("operation %d: %s\n", common->trial_at, common->trial_what);
    program small = shrink(*p);
    bool again = agrees(&small, false);
    printf("---- shrunk to %d operations%s\n%s\n", small.op_count,
           again ? " (which agree now)" : "", program_script(&small, small.op_count).ptr);
    printf("---- operation %d: %s\n", common->trial_at, again ? "" : common->trial_what);
}

/* ---- arguments ---------------------------------------------------------------------------- */

static void usage(void)
{
    fprintf(stderr, "usage: model [--seeds A..B | --seed N] [--ops N] [--jobs N] [--all-kinds] "
                    "[--keep-going]\n");
    exit(2);
}

static options parse(int argc, char **argv)
{
    options o = {.first = 1, .last = 100, .ops = 30};
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    o.jobs = cpus < 1 ? 1 : cpus > MAX_JOBS ? MAX_JOBS : (int)cpus;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--all-kinds") == 0) {
            o.all_kinds = true;
            continue;
        }
        if (strcmp(argv[i], "--keep-going") == 0) {
            o.keep_going = true;
            continue;
        }
        if (i + 1 == argc)
            usage();
        const char *value = argv[++i];
        char *rest = NULL;
        uint64_t number = strtoull(value, &rest, 10);
        if (strcmp(argv[i - 1], "--seed") == 0) {
            o.first = o.last = number;
        } else if (strcmp(argv[i - 1], "--seeds") == 0 && strncmp(rest, "..", 2) == 0) {
            o.first = number;
            o.last = strtoull(rest + 2, NULL, 10);
        } else if (strcmp(argv[i - 1], "--ops") == 0 && number > 0 && number < 100000) {
            o.ops = (int)number;
        } else if (strcmp(argv[i - 1], "--jobs") == 0 && number > 0 && number <= MAX_JOBS) {
            o.jobs = (int)number;
        } else {
            usage();
        }
    }
    return o;
}

int main(int argc, char **argv)
{
    options o = parse(argc, argv);
    void *memory =
        mmap(NULL, sizeof(shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return 2;
    common = memory;
    common->next_seed = o.first;
    cover_init();
    make_root();
    time_t started = time(NULL);
    bool clean = run_workers(&o);
    int missing = o.last > o.first ? cover_print() : 0;
    printf("%llu seeds of %d operations agreed in %ld s, %d failed\n",
           (unsigned long long)common->passed, o.ops, (long)(time(NULL) - started),
           common->failure_count);
    int shown = o.keep_going ? common->failure_count : common->failure_count > 0;
    for (int i = 0; i < shown && i < MAX_FAILURES; i++)
        report(&o, common->failures[i]);
    model_memory_reset();
    remove_tree(root);
    if (!clean)
        printf(
            "a worker ended with an error: memory that was not freed, or a sanitizer's report\n");
    if (o.all_kinds && missing > 0)
        printf("%d kinds never occurred, see (!)\n", missing);
    int failed = common->failure_count + !clean + (o.all_kinds && missing > 0);
    printf("model: %llu passed, %d failed\n", (unsigned long long)common->passed, failed);
    return failed > 0;
}
