/* SPDX-License-Identifier: BSD-3-Clause */
/* weft random: the numbers of an item's random stream. */
#include "random.h"

#include "base/number.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <weft/random.h>

typedef struct request {
    uint64_t seed;
    uint64_t stream;
    uint64_t item;
    uint64_t count;
} request;

static weft_status set(uint64_t *value, const char *option)
{
    if (!number_read_uint64(optarg, value)) {
        return command_error(WEFT_ERR_USAGE, "%s: '%s' is not a whole number from 0 to %" PRIu64,
                             option, optarg, UINT64_MAX);
    }
    return WEFT_OK;
}

static weft_status read_request(int argc, char **argv, request *r)
{
    static const struct option options[] = {{"seed", required_argument, NULL, 's'},
                                            {"stream", required_argument, NULL, 't'},
                                            {"item", required_argument, NULL, 'i'},
                                            {"count", required_argument, NULL, 'n'},
                                            COMMAND_HELP,
                                            {0}};
    weft_status status = WEFT_OK;
    while (status == WEFT_OK) {
        switch (command_next_option(&random_command, argc, argv, options, &status)) {
        case 's':
            status = set(&r->seed, "--seed");
            break;
        case 't':
            status = set(&r->stream, "--stream");
            break;
        case 'i':
            status = set(&r->item, "--item");
            break;
        case 'n':
            status = set(&r->count, "--count");
            break;
        case -1:
            return command_take_nothing(&random_command, argc, argv);
        default:
            break;
        }
    }
    return status;
}

static weft_status print_numbers(int argc, char **argv)
{
    request r = {.count = 1};
    const weft_status status = read_request(argc, argv, &r);
    if (status != WEFT_OK) {
        return status;
    }
    weft_random random;
    weft_random_init(&random, r.seed, r.stream, r.item);
    for (uint64_t i = 0; i < r.count; i++) {
        if (printf("%.17g\n", weft_random_double(&random)) < 0) {
            return WEFT_ERR_SYSTEM; /* main() says why */
        }
    }
    return WEFT_OK;
}

const command random_command = {
    .name = "random",
    .summary = "prints the numbers of an item's random stream",
    .help =
        "usage: weft random [--seed S] [--stream T] [--item I] [--count N]\n"
        "\n"
        "Prints numbers of an item's random stream, uniform in [0, 1), one to a line, with 17\n"
        "significant digits: the same bits that weft_random_double() gives to a kernel, and NumPy "
        "as\n"
        "\n"
        "  Generator(Philox(key=[S, T], counter=[0, I, 0, 0])).random()\n"
        "\n"
        "options: whole numbers from 0 to 2^64 - 1\n"
        "  --seed S    the job's seed (0)\n"
        "  --stream T  which of the item's streams (0)\n"
        "  --item I    the item (0)\n"
        "  --count N   how many numbers (1)\n"
        "  --help      this text\n",
    .run = print_numbers,
};
