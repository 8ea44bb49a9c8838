# SPDX-License-Identifier: BSD-3-Clause
"""How well weft plan predicts runs on this machine. No test: it prints a table and judges nothing.

usage: compare_plan.py BUILD [REPETITIONS]

One run of each workload, on --from's layout, is planned from; all others are made for comparison, in
turn, so that what else goes on here hits all of them alike. Medians.
"""

import json
import os
import statistics
import sys
import tempfile

from launch import run

LAYOUTS = [(1, 1), (1, 2), (2, 1), (1, 3), (3, 1), (1, 4), (2, 2), (4, 1)]
FROM = [(1, 2), (2, 2)]

WORKLOADS = {
    "uniform": ("tests/system/known", "--count", 1000, "--grain", 1, "--item-us", 4000),
    "exponential": ("tests/system/known", "--count", 1000, "--grain", 1, "--item-us", 4000,
                    "--random-us"),
    "mandelbrot": ("apps/mandelbrot/mandelbrot", "--width", 1800, "--height", 1800,
                   "--max-iter", 1500),
}


def measure(build, path, layout, words):
    """Runs it anew, and says how long it took by its own books."""
    ending = run(os.path.join(build, words[0]), "--out", path, "--fresh", *words[1:],
                 layout=layout)
    assert ending.status == 0, str(ending)
    said = json.loads(run(os.path.join(build, "src/weft"), "status", "--json", path,
                          layout=(0, None)).out)
    return said["runs"][-1]["duration_s"]


def plan(build, path, layout, cores):
    words = ["--json", "--ranks", layout[0], "--threads", layout[1]]
    said = json.loads(run(os.path.join(build, "src/weft"), "plan", path, *words,
                          layout=(0, None)).out)
    rows = said["predictions"]
    return rows[-1] if cores else rows[0]


def compare(build, folder, name, words, repetitions):
    measured = {layout: [] for layout in LAYOUTS}
    planned = {(start, layout): [] for start in FROM for layout in LAYOUTS}
    for _ in range(repetitions):
        for layout in LAYOUTS:
            path = os.path.join(folder, "run.h5")
            measured[layout].append(measure(build, path, layout, words))
            if layout in FROM:
                for other in LAYOUTS:
                    row = plan(build, path, other, True)
                    planned[layout, other].append(row["makespan_s"])
    for layout in LAYOUTS:
        real = statistics.median(measured[layout])
        line = f"{name:12} {layout[0]} x {layout[1]}  {real:7.3f} s " \
               f"({min(measured[layout]):.3f} - {max(measured[layout]):.3f})"
        for start in FROM:
            said = statistics.median(planned[start, layout])
            line += f"   from {start[0]} x {start[1]}: {said:7.3f} s {100 * (said / real - 1):+5.1f} %"
        print(line, flush=True)


def main():
    build, repetitions = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory(prefix="weft-system-") as folder:
        for name, words in WORKLOADS.items():
            compare(build, folder, name, words, repetitions)


if __name__ == "__main__":
    main()
