/* SPDX-License-Identifier: BSD-3-Clause */
/* A user's program, built outside of weft's tree: squares, computed, written and read back. */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { COUNT = 1000 };

static int square(const weft_span *span, void *context)
{
    (void)context;
    int64_t first = weft_span_first(span);
    int64_t *result = weft_span_result(span, 0);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        result[i] = (first + i) * (first + i);
    }
    return 0;
}

static weft_status compute(weft_session *session, weft_map **map)
{
    const int64_t shape[] = {COUNT};
    weft_status status = weft_map_create(session, "squares", 1, shape, map);
    if (status == WEFT_OK) {
        status = weft_map_add_field(*map, "square", WEFT_INT64, 0, NULL, NULL, NULL);
    }
    if (status == WEFT_OK) {
        status = weft_map_run(*map, square, NULL);
    }
    return status;
}

static weft_status read_back(weft_session *session, const char *path)
{
    int64_t values[COUNT];
    weft_result *result = NULL;
    weft_status status = weft_result_open(path, &result);
    if (status == WEFT_OK) {
        status = weft_result_read(result, 0, 0, COUNT, values);
    }
    if (status != WEFT_OK) {
        weft_error(session, status, "%s", weft_result_error_text(result));
    }
    weft_result_close(result);
    for (int64_t i = 0; status == WEFT_OK && i < COUNT; i++) {
        if (values[i] != i * i) {
            status = weft_error(session, WEFT_ERR_CORRUPT, "item %d has a wrong value", (int)i);
        }
    }
    return status;
}

int main(int argc, char **argv)
{
    weft_session *session = NULL;
    weft_map *map = NULL;
    weft_status status = weft_init(&argc, &argv, NULL, &session);
    if (status == WEFT_OK) {
        status = compute(session, &map);
    }
    if (status == WEFT_OK) {
        status = read_back(session, weft_map_path(map));
    }
    if (status == WEFT_OK) {
        printf("%d squares, weft %s\n", COUNT, weft_version());
    }
    weft_map_destroy(map);
    return weft_finish(session, status);
}
