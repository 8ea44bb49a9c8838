/* SPDX-License-Identifier: BSD-3-Clause */
/* Which cores the workers of a rank are pinned to. Sole owner of hwloc. */
#include "team/cores.h"

#include <hwloc.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* A hardware thread, or a core that has only one. */
typedef struct slot {
    int number; /* the system's */
    int core;
    int node;
} slot;

struct core_groups {
    slot *slot; /* those of a core lie together, and so do those of a node */
    int slots;
    int cores;
    int nodes;
};

static void add_place(int place, host_cores *allowed)
{
    const int count = omp_get_place_num_procs(place);
    int *numbers = calloc(count > 0 ? (size_t)count : 1, sizeof *numbers);
    if (numbers == NULL) {
        return;
    }
    omp_get_place_proc_ids(place, numbers);
    for (int i = 0; i < count; i++) {
        if (numbers[i] >= 0 && numbers[i] < HOST_MOST_CORES) {
            host_add_core(allowed, numbers[i]);
        }
    }
    free(numbers);
}

void cores_get_allowed(host_cores *allowed)
{
    host_get_cores(allowed);
    const int places = omp_get_num_places();
    for (int i = 0; i < places; i++) {
        add_place(i, allowed);
    }
}

bool cores_user_decides(void)
{
    static const char *const names[] = {"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY",
                                        "KMP_AFFINITY"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (getenv(names[i]) != NULL) {
            return true;
        }
    }
    return false;
}

bool cores_openmp_binds(void)
{
    return omp_get_proc_bind() != omp_proc_bind_false;
}

/* hwloc's plugins look for displays and accelerators, and to load them with all the libraries that
 * they need takes longer than all else here. A path for them that the user has set stays. */
static bool init(hwloc_topology_t *t)
{
    static const char name[] = "HWLOC_PLUGINS_PATH";
    const bool ours = getenv(name) == NULL && setenv(name, "", 0) == 0;
    const bool good = hwloc_topology_init(t) == 0;
    if (ours) {
        (void)unsetenv(name);
    }
    return good;
}

/* Looks at no more than it must: on a large machine most of the time is spent in reading what the
 * kernel says of each core. Cores with a cache in common lie side by side if the cache is known; a
 * node that is no other object's knows its cores by a group. */
static bool load(hwloc_topology_t t)
{
    static const hwloc_obj_type_t types[] = {HWLOC_OBJ_PACKAGE, HWLOC_OBJ_GROUP, HWLOC_OBJ_L3CACHE,
                                             HWLOC_OBJ_CORE};
    unsigned long flags = HWLOC_TOPOLOGY_FLAG_IS_THISSYSTEM |
                          HWLOC_TOPOLOGY_FLAG_RESTRICT_TO_CPUBINDING |
                          HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING;
#if HWLOC_API_VERSION >= 0x00020800
    flags |= HWLOC_TOPOLOGY_FLAG_NO_DISTANCES | HWLOC_TOPOLOGY_FLAG_NO_MEMATTRS |
             HWLOC_TOPOLOGY_FLAG_NO_CPUKINDS;
#endif
    bool good = hwloc_topology_set_all_types_filter(t, HWLOC_TYPE_FILTER_KEEP_NONE) == 0 &&
                hwloc_topology_set_flags(t, flags) == 0;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        good = good &&
               hwloc_topology_set_type_filter(t, types[i], HWLOC_TYPE_FILTER_KEEP_STRUCTURE) == 0;
    }
    return good && hwloc_topology_load(t) == 0;
}

static int index_of(const struct hwloc_obj *object, int otherwise)
{
    return object == NULL ? otherwise : (int)object->logical_index;
}

/* Takes what the topology says of the allowed ones, in its order, which goes by where they lie and
 * not by their numbers; how many there are. */
static int read_slots(hwloc_topology_t t, const host_cores *allowed, slot *to)
{
    int slots = 0;
    hwloc_obj_t pu = NULL;
    while ((pu = hwloc_get_next_obj_by_type(t, HWLOC_OBJ_PU, pu)) != NULL) {
        if (pu->os_index >= HOST_MOST_CORES || !host_has_core(allowed, (int)pu->os_index)) {
            continue;
        }
        /* Where a node has memory of two kinds, both cover its cores: the first stands for it. */
        const struct hwloc_obj *node =
            hwloc_get_next_obj_covering_cpuset_by_type(t, pu->cpuset, HWLOC_OBJ_NUMANODE, NULL);
        const struct hwloc_obj *core = hwloc_get_ancestor_obj_by_type(t, HWLOC_OBJ_CORE, pu);
        to[slots++] = (slot){.number = (int)pu->os_index,
                             .core = index_of(core, (int)pu->logical_index),
                             .node = index_of(node, 0)};
    }
    return slots;
}

/* Numbers cores and nodes from 0 in their order. */
static void number_anew(core_groups *c)
{
    int last_core = -1;
    int last_node = -1;
    for (int i = 0; i < c->slots; i++) {
        slot *s = &c->slot[i];
        c->cores += i == 0 || s->core != last_core;
        c->nodes += i == 0 || s->node != last_node;
        last_core = s->core;
        last_node = s->node;
        s->core = c->cores - 1;
        s->node = c->nodes - 1;
    }
}

core_groups *cores_look(const host_cores *allowed)
{
    const int count = host_count_cores(allowed);
    core_groups *c = calloc(1, sizeof *c);
    slot *slots = calloc((size_t)count + 1, sizeof *slots);
    hwloc_topology_t t = NULL;
    bool known = c != NULL && slots != NULL && init(&t);
    if (known) {
        known = load(t) && read_slots(t, allowed, slots) == count && count > 0;
        hwloc_topology_destroy(t);
    }
    if (!known) {
        free(slots);
        free(c);
        return NULL;
    }
    c->slot = slots;
    c->slots = count;
    number_anew(c);
    return c;
}

void cores_destroy(core_groups *c)
{
    if (c != NULL) {
        free(c->slot);
        free(c);
    }
}

int cores_count(const core_groups *c)
{
    return c->cores;
}

int cores_nodes(const core_groups *c)
{
    return c->nodes;
}

/* The first slot of a thread's place. Places are cores as long as there are enough of them, else
 * hardware threads. The threads are spread evenly over the places, neighbours side by side: two
 * never get the same, and every node gets its share. */
static int find_slot(const core_groups *c, int threads, int thread)
{
    if (threads > c->cores) {
        return (int)((int64_t)thread * c->slots / threads);
    }
    const int core = (int)((int64_t)thread * c->cores / threads);
    int i = 0;
    while (c->slot[i].core != core) {
        i++;
    }
    return i;
}

/* All of the place, or of its node. */
static void fill_pin(const core_groups *c, int threads, int at, cores_binding binding,
                     host_cores *pin)
{
    memset(pin, 0, sizeof *pin);
    for (int i = 0; i < c->slots; i++) {
        const bool inside =
            binding == CORES_NODE
                ? c->slot[i].node == c->slot[at].node
                : i == at || (threads <= c->cores && c->slot[i].core == c->slot[at].core);
        if (inside) {
            host_add_core(pin, c->slot[i].number);
        }
    }
}

cores_binding cores_assign(const core_groups *c, int threads, int first, int workers,
                           host_cores pin[], int *nodes)
{
    *nodes = 0;
    if (threads > c->slots || threads < 1) {
        return CORES_FREE;
    }
    const cores_binding sparse = c->nodes > 1 ? CORES_NODE : CORES_FREE;
    const cores_binding binding = threads == c->cores || threads == c->slots ? CORES_OWN : sparse;
    int last_node = -1;
    for (int i = 0; i < workers; i++) {
        const int at = find_slot(c, threads, first + i);
        *nodes += c->slot[at].node != last_node;
        last_node = c->slot[at].node;
        if (binding != CORES_FREE) {
            fill_pin(c, threads, at, binding, &pin[i]);
        }
    }
    return binding;
}
