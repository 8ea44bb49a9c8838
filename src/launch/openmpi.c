/* SPDX-License-Identifier: BSD-3-Clause */
/* The mpirun line for Open MPI 4.1 and 5. */
#include "launch/openmpi.h"

#include "base/number.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool begins_with_any(const char *text, const char *const beginnings[])
{
    int i = 0;
    while (beginnings[i] != NULL && strncmp(text, beginnings[i], strlen(beginnings[i])) != 0) {
        i++;
    }
    return beginnings[i] != NULL;
}

weft_status openmpi_read_version(const char *text, int *version, error *e)
{
    static const char mark[] = "Open MPI) ";
    const char *at = strstr(text, mark);
    uint64_t major = 0;
    uint64_t minor = 0;
    at += at == NULL ? 0 : sizeof mark - 1;
    if (at == NULL || !number_take(&at, &major) || *at++ != '.' || !number_take(&at, &minor)) {
        return error_set(e, WEFT_ERR_SYSTEM, "mpirun is not Open MPI's; it says of itself: %.*s",
                         (int)strcspn(text, "\n"), text);
    }
    if (major < 4 || (major == 4 && minor != 1)) {
        return error_set(e, WEFT_ERR_SYSTEM,
                         "mpirun is of Open MPI %" PRIu64 ".%" PRIu64 "; 4.1 or 5 is needed", major,
                         minor);
    }
    *version = (int)major;
    return WEFT_OK;
}

/* The options by which daemons are started. All come from here, so that a lost host takes no other
 * along; a daemon that hears nothing of mpirun gives up after half a minute. */
static void add_daemon_options(const openmpi_run *run, words *line)
{
    const char *mca = run->version < 5 ? "--mca" : "--prtemca";
    const char *plm = run->version < 5 ? "rsh" : "ssh";
    /* mpirun splits this at spaces; then `weft` is found in $PATH. */
    const char *self = run->self[strcspn(run->self, " \t\n")] == '\0' ? run->self : "weft";
    WORDS_ADD(line, "--leave-session-attached", mca, "plm", plm, mca);
    words_add(line, "plm_%s_agent", plm);
    words_add(line, "%s run --remote", self);
    words_add(line, "%s", mca);
    words_add(line, "plm_%s_no_tree_spawn", plm);
    WORDS_ADD(line, "1", mca, "oob_tcp_keepalive_time", "10", mca, "oob_tcp_keepalive_intvl", "5",
              mca, "oob_tcp_keepalive_probes", "4");
    if (run->in_slurm && run->version < 5) {
        /* It would share ranks out as if a step were as large as its job. */
        words_split(line, "--mca ras ^slurm");
    }
}

/* Those that ranks on other hosts need: weft's and OpenMP's, and where libraries are. */
static bool is_exported(const char *variable, bool has_workers)
{
    const char *const ours[] = {
        "WEFT_RSH=", "WEFT_DONE_FILE=", has_workers ? "WEFT_THREADS=" : NULL, NULL};
    static const char *const wanted[] = {
        "WEFT_", "OMP_", "GOMP_", "KMP_", "LD_LIBRARY_PATH=", NULL};
    return begins_with_any(variable, wanted) && !begins_with_any(variable, ours);
}

static void add_exports(const openmpi_run *run, words *line)
{
    for (char *const *variable = run->environment; *variable != NULL; variable++) {
        if (is_exported(*variable, run->workers > 0)) {
            words_add(line, "-x");
            words_add(line, "%.*s", (int)strcspn(*variable, "="), *variable);
        }
    }
    if (run->workers > 0) {
        words_add(line, "-x");
        words_add(line, "WEFT_THREADS=%d", run->workers);
    }
    words_add(line, "-x");
    words_add(line, "WEFT_DONE_FILE=%s", run->done);
}

static void add_places(const openmpi_run *run, words *line)
{
    char *list = words_text("%s", "");
    for (int i = 0; i < run->hosts->count; i++) {
        const hosts_row *h = &run->hosts->row[i];
        char *longer = words_text("%s%s%s:%d", list, i > 0 ? "," : "", h->name, h->slots);
        free(list);
        list = longer;
    }
    words_add(line, "-n");
    words_add(line, "%d", run->ranks);
    words_add(line, "--host");
    words_add(line, "%s", list);
    free(list);
    words_add(line, "--map-by");
    if (run->binds) {
        words_add(line, "slot:PE=%d", run->workers);
    } else {
        words_split(line, "slot:OVERSUBSCRIBE --bind-to none");
    }
}

void openmpi_line(const openmpi_run *run, words *line)
{
    words_add(line, "mpirun");
    if (run->version >= 5) {
        words_split(line, "--with-ft ulfm");
    } else {
        words_split(line, run->talks ? "--enable-recovery" : "--enable-recovery --quiet");
    }
    if (run->as_root) {
        words_add(line, "--allow-run-as-root");
    }
    add_places(run, line);
    words_split(line, "--mca mpi_yield_when_idle 1");
    if (run->hosts->count > 1 || strcmp(run->hosts->row[0].name, "localhost") != 0) {
        add_daemon_options(run, line);
    }
    add_exports(run, line);
    if (run->options.count > 0) {
        words_add_list(line, (const char *const *)run->options.word);
    }
    WORDS_ADD(line, run->self, "run", "--rank");
    words_add_list(line, (const char *const *)run->program);
}

bool openmpi_is_identity(const char *variable)
{
    static const char *const beginnings[] = {"OMPI_COMM_WORLD_",
                                             "OMPI_UNIVERSE_SIZE=",
                                             "OMPI_MCA_ess=",
                                             "OMPI_MCA_ess_base_",
                                             "OMPI_MCA_orte_ess_",
                                             "OMPI_MCA_orte_hnp_uri=",
                                             "OMPI_MCA_orte_local_daemon_uri=",
                                             "PMI_RANK=",
                                             "PMI_SIZE=",
                                             "PMI_FD=",
                                             "PMIX_RANK=",
                                             "PMIX_NAMESPACE=",
                                             "PMIX_ID=",
                                             "PMIX_SERVER_",
                                             "PMIX_SECURITY_MODE=",
                                             "PMIX_GDS_MODULE=",
                                             "PMIX_BFROP_BUFFER_TYPE=",
                                             "PRTE_LAUNCHED=",
                                             NULL};
    return begins_with_any(variable, beginnings);
}
