#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Prints ziggurat.h: the layers of the two ziggurats (Marsaglia and Tsang: The ziggurat method for
generating random variables, 2000), with the bits of NumPy's tables.

NumPy's exponential layers are correctly rounded. Its normal ones were computed in double precision,
each from the one below, so that they hold the errors of that; the same steps are taken here, with a
correctly rounded logarithm and exponential. Where NumPy's exponential was not, it is said below.
"""
import decimal
import math

LAYERS = 256
# Where the tails begin, and how large each layer of the normal is.
NORMAL_TAIL = 3.6541528853610088
NORMAL_AREA = float.fromhex("0x1.43016a5a4372ep-8")
EXPONENTIAL_TAIL = decimal.Decimal("7.6971174701310497140446280481")
# The exponential at layer 38 is 0.4983 of its last digit from the lower neighbour, and was rounded
# to the upper one.
NORMAL_HEIGHTS = {38: float.fromhex("0x1.5ad29acc85c89p-1")}


def exp(x):
    return decimal.Decimal(x).exp()


def log(x):
    return decimal.Decimal(x).ln()


def normal():
    """Bounds, widths and heights; a number of 52 bits times the width is a place in the layer."""
    edge = [0.0] * LAYERS
    height = [1.0] * LAYERS
    edge[255] = NORMAL_TAIL
    height[255] = float(exp(-0.5 * NORMAL_TAIL * NORMAL_TAIL))
    edge[0] = NORMAL_AREA / height[255]
    for i in range(254, 0, -1):
        edge[i] = math.sqrt(-2 * float(log(NORMAL_AREA / edge[i + 1] + height[i + 1])))
        height[i] = NORMAL_HEIGHTS.get(i, float(exp(-0.5 * edge[i] * edge[i])))
    ratio = [edge[255] / edge[0], 0] + [edge[i - 1] / edge[i] for i in range(2, LAYERS)]
    return [round(r * 2**52) for r in ratio], [x * 2**-52 for x in edge], height


def exponential():
    """The same, for numbers of 53 bits; the bounds are even."""
    one = decimal.Decimal(1)
    edge = [one] * LAYERS
    edge[255] = EXPONENTIAL_TAIL
    area = (EXPONENTIAL_TAIL + 1) * exp(-EXPONENTIAL_TAIL)
    edge[0] = EXPONENTIAL_TAIL + 1
    for i in range(254, 0, -1):
        edge[i] = -log(area / edge[i + 1] + exp(-edge[i + 1]))
    ratio = [edge[255] / edge[0], 0] + [edge[i - 1] / edge[i] for i in range(2, LAYERS)]
    height = [1.0] + [float(exp(-x)) for x in edge[1:]]
    return [2 * int(r * 2**52) for r in ratio], [float(x / 2**53) for x in edge], height


def main():
    decimal.getcontext().prec = 50
    print("/* SPDX-License-Identifier: BSD-3-Clause */")
    print("/* The layers of the two ziggurats, from the bottom, which has the tail. Made by ziggurat.py. */")
    print("#ifndef RANDOM_ZIGGURAT_H\n#define RANDOM_ZIGGURAT_H\n\n#include <stdint.h>\n")
    print("typedef struct layer {")
    print("    uint64_t bound; /* numbers below it are under the curve at all heights of the layer */")
    print("    double width;   /* of the layer, divided by the range of the numbers */")
    print("    double height;  /* of the curve at the layer's edge */")
    print("} layer;")
    for name, table in (("normal", normal()), ("exponential", exponential())):
        print(f"\nstatic const layer {name}_layers[{LAYERS}] = {{")
        for bound, width, height in zip(*table):
            print(f"    {{0x{bound:014x}, {width.hex()}, {height.hex()}}},")
        print("};")
    print("\n#endif")


main()
