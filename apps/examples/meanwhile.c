/* SPDX-License-Identifier: BSD-3-Clause */
/* A map that is computed while the program does something else. */
#include <stdio.h>
#include <weft/weft.h>

static double noise(int64_t item, weft_random *random, void *context)
{
    return weft_random_normal(random);
}

int main(int argc, char **argv)
{
    weft_session *session;
    weft_map *map;
    double sum = 0;
    weft_init(&argc, &argv, NULL, &session);
    weft_map_create(session, "noise", 1, (int64_t[]){10000}, &map);
    weft_map_add_field(map, "noise", WEFT_FLOAT64, 0, NULL, "1", "white noise");
    const weft_status status = weft_map_start_each(map, noise, NULL);
    for (int i = 1; i <= 1000000; i++)
        sum += 1 / ((double)i * i);
    if (!status && weft_session_rank(session) == 0) printf("%.6f\n", sum);
    return weft_finish(session, status); /* waits for the map */
}
