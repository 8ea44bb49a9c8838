/* SPDX-License-Identifier: BSD-3-Clause */
/* The mpirun line for Open MPI 4.1 and 5. */
#include "launch/openmpi.h"

#include "base/number.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
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
    words_add(line, "--leave-session-attached");
    words_add(line, "%s", mca);
    words_add(line, "plm");
    words_add(line, "%s", plm);
    words_add(line, "%s", mca);
    words_add(line, "plm_%s_agent", plm);
    words_add(line, "%s run --remote", self);
    words_add(line, "%s", mca);
    words_add(line, "plm_%s_no_tree_spawn", plm);
    words_add(line, "1");
    static const char *const keepalive[][2] = {{"time", "10"}, {"intvl", "5"}, {"probes", "4"}};
    for (int i = 0; i < 3; i++) {
        words_add(line, "%s", mca);
        words_add(line, "oob_tcp_keepalive_%s", keepalive[i][0]);
        words_add(line, "%s", keepalive[i][1]);
    }
    if (run->in_slurm && run->version < 5) {
        /* It would share ranks out as if a step were as large as its job. */
        words_split(line, "--mca ras ^slurm");
    }
}

/* Those that ranks on other hosts need: weft's and OpenMP's, and where libraries are. */
static bool is_exported(const char *variable, size_t length, bool has_workers)
{
    static const char *const ours[] = {"WEFT_RSH", "WEFT_DONE_FILE"};
    static const char *const wanted[] = {"WEFT_", "OMP_", "GOMP_", "KMP_"};
    for (int i = 0; i < 2; i++) {
        if (strlen(ours[i]) == length && begins_with(variable, ours[i])) {
            return false;
        }
    }
    if (has_workers && begins_with(variable, "WEFT_THREADS=")) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        if (begins_with(variable, wanted[i])) {
            return true;
        }
    }
    return begins_with(variable, "LD_LIBRARY_PATH=");
}

static void add_exports(const openmpi_run *run, words *line)
{
    for (char *const *variable = run->environment; *variable != NULL; variable++) {
        const size_t length = strcspn(*variable, "=");
        if (is_exported(*variable, length, run->workers > 0)) {
            words_add(line, "-x");
            words_add(line, "%.*s", (int)length, *variable);
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
        words_add(line, "--enable-recovery");
        if (!run->talks) {
            words_add(line, "--quiet");
        }
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
    for (int i = 0; i < run->options.count; i++) {
        words_add(line, "%s", run->options.word[i]);
    }
    words_add(line, "%s", run->self);
    words_split(line, "run --rank");
    words_add_list(line, run->program);
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
                                             "PRTE_LAUNCHED="};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        if (begins_with(variable, beginnings[i])) {
            return true;
        }
    }
    return false;
}
