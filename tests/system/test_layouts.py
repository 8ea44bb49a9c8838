# SPDX-License-Identifier: BSD-3-Clause
"""The same bytes on every layout, and every item once (promises P1 and P2)."""

import itertools
import math
import struct

import numpy as np

import results
from launch import COAST, KNOWN, MANDELBROT, SystemTest, main, needs, schedules

LAYOUTS = ((1, 1), (1, 3), (2, 2), (3, 1), (4, 3), (2, 0))
SCHEDULES = schedules()
GRAINS = (1, 7, None)


def variants():
    """Every layout with every technique, the grains in turn; the command line's words for both."""
    for i, (layout, schedule) in enumerate(itertools.product(LAYOUTS, SCHEDULES)):
        grain = GRAINS[(i + i // len(SCHEDULES)) % len(GRAINS)]
        words = ["--schedule", schedule] + (["--grain", str(grain)] if grain else [])
        yield layout, words


class Layouts(SystemTest):
    def assert_complete(self, path, count):
        self.assertTrue(results.done_items(path).all())
        self.assertEqual(len(results.done_items(path)), count)
        self.assertEqual(results.runs(path)[-1]["items"], count)
        self.assertEqual(results.runs(path)[-1]["outcome"], b"complete")

    def test_known(self):
        """Each layout and each technique with several of the others; mpi.layouts has all pairs."""
        count, expected = 1009, results.known_bytes(1009, flavour=3, seed=11)
        some = list(variants())[::4]
        self.assertEqual({layout for layout, _ in some}, set(LAYOUTS))
        self.assertEqual({words[1] for _, words in some}, set(SCHEDULES))
        for layout, words in some:
            with self.subTest(layout=layout, words=words):
                self.run_well(KNOWN, "--fresh", "--out", self.path(), "--count", count,
                              "--flavour", 3, "--seed", 11, *words, layout=layout)
                self.assertEqual(results.all_bytes(self.path()), expected)
                self.assertEqual(results.runs(self.path())[-1]["technique"], words[1].encode())
                self.assert_complete(self.path(), count)

    def test_counts(self):
        for count, layout in itertools.product((0, 1, 2, 3, 5, 13), LAYOUTS):
            grain = ("1", "7", "2")[(count + layout[0]) % 3]
            with self.subTest(count=count, layout=layout, grain=grain):
                path = self.path(f"{count}-{layout[0]}-{layout[1]}.h5")
                schedule = SCHEDULES[(count + layout[1]) % len(SCHEDULES)]
                self.run_well(KNOWN, "--out", path, "--count", count, "--grain", grain,
                              "--schedule", schedule, layout=layout)
                self.assertEqual(results.all_bytes(path), results.known_bytes(count))
                self.assert_complete(path, count)
                self.assertIsNone(results.opens_everywhere(path))

    def test_impure_kernel_is_called_once_per_item(self):
        for layout in LAYOUTS:
            with self.subTest(layout=layout):
                calls = self.path("calls-%d-%d" % layout)
                self.run_well(KNOWN, "--fresh", "--out", self.path(), "--count", 211, "--impure",
                              "--item-us", 200, "--calls", calls, layout=layout)
                self.assertEqual(sorted(results.calls(calls)), list(range(211)))

    def test_what_moves_between_ranks_is_computed_once(self):
        """Items so uneven that ranks give back what they have been handed out, and blocks are cut."""
        slow = ",".join(map(str, (5, *range(900, 903), 1400, 1995)))
        layouts = itertools.cycle(((2, 1), (3, 2), (4, 3)))
        for layout, schedule in zip(layouts, SCHEDULES):
            with self.subTest(layout=layout, schedule=schedule):
                calls = self.path("calls-%d-%d-%s" % (*layout, schedule))
                self.run_well(KNOWN, "--fresh", "--out", self.path(), "--count", 2000, "--grain", 1,
                              "--impure", "--item-us", 100, "--slow", slow, "--slow-s", 0.1,
                              "--schedule", schedule, "--calls", calls, layout=layout)
                self.assertEqual(sorted(results.calls(calls)), list(range(2000)))
                self.assertEqual(results.runs(self.path())[-1]["duplicates"], 0)

    def test_two_maps_of_one_process(self):
        for layout in ((0, 2), (2, 1)):
            with self.subTest(layout=layout):
                self.run_well(KNOWN, "--fresh", "--count", 101, "--second-map", layout=layout,
                              cwd=self.folder)
                for name in ("known.h5", "known-again.h5"):
                    self.assertEqual(results.all_bytes(self.path(name)), results.known_bytes(101))

    @needs(MANDELBROT, "mandelbrot")
    def test_mandelbrot(self):
        steps = results.mandelbrot(97, 61, 300)
        self.assertGreater(len(np.unique(steps)), 50)
        some = list(variants())[::5]
        self.assertEqual({layout for layout, _ in some}, set(LAYOUTS))
        self.assertEqual({words[1] for _, words in some}, set(SCHEDULES))
        for layout, words in some:
            with self.subTest(layout=layout, words=words):
                self.run_well(MANDELBROT, "--fresh", "--out", self.path(), "--width", 97,
                              "--height", 61, "--max-iter", 300, *words, layout=layout)
                found = results.raw_bytes(self.path(), "mandelbrot/iterations")
                self.assertEqual(found, steps.astype("<u4").tobytes())
        with results.open_result(self.path()) as file:
            self.assertEqual(file["mandelbrot/iterations"].shape, (61, 97))
            self.assertEqual(file["mandelbrot/iterations"].dtype, np.uint32)

    @needs(MANDELBROT, "mandelbrot")
    def test_mandelbrot_elsewhere(self):
        self.run_well(MANDELBROT, "--out", self.path(), "--width", 64, "--height", 33, "--max-iter",
                      1000, "--centre", "-0.7436,0.1318", "--span", "0.01", layout=(2, 2))
        steps = results.mandelbrot(64, 33, 1000, (-0.7436, 0.1318), 0.01)
        self.assertEqual(results.raw_bytes(self.path(), "mandelbrot/iterations"), steps.tobytes())

    def coast_bytes(self, name="result.h5"):
        return {each: results.all_bytes(self.path(name), each) for each in ("coast", "bands")}

    @needs(COAST, "coast")
    def test_coast(self):
        base = ["--resolution", "c", "--step", 6]
        alone = self.run_well(COAST, *base, "--out", self.path("alone.h5"), layout=(0, 0))
        expected = self.coast_bytes("alone.h5")
        self.assertEqual(set(expected["coast"]), {"distance", "nearest", "land", "lat", "lon"})
        self.assertEqual(set(expected["bands"]), {"land", "mean", "largest", "areas", "lat"})
        for i, layout in enumerate(LAYOUTS):
            words = ["--schedule", SCHEDULES[i % len(SCHEDULES)]]
            words += ["--grain", GRAINS[i % 3]] if GRAINS[i % 3] else []
            with self.subTest(layout=layout, words=words):
                ending = self.run_well(COAST, *base, "--fresh", "--out", self.path(), *words,
                                       layout=layout)
                self.assertEqual(self.coast_bytes(), expected)
                self.assertEqual(results.runs(self.path())[-1]["technique"], words[1].encode())
                self.assertEqual(ending.out, alone.out)

    @needs(COAST, "coast")
    def test_coast_bands(self):
        """What the second map says of the first, by NumPy."""
        for step, bands in (3, 36), (1.5, 36), (18, 10):
            ending = self.run_well(COAST, "--fresh", "--resolution", "c", "--step", step, "--out",
                                   self.path(), "--image", self.path("map.png"))
            with results.open_result(self.path()) as file:
                distance, land = file["coast/distance"][()], file["coast/land"][()] == 1
                found = {name: file["bands"][name][()]
                         for name in ("land", "mean", "largest", "areas", "lat")}
            rows = len(distance)
            edges = np.radians(90 - np.arange(rows + 1) * step)
            area = (6371.0072 ** 2 * math.radians(step) *
                    -np.diff(np.sin(edges)))[:, None] * np.ones(2 * rows)
            self.assertEqual(len(found["land"]), bands)
            cut = 90 - np.arange(bands + 1) * rows // bands * step
            np.testing.assert_allclose(found["lat"], (cut[1:] + cut[:-1]) / 2, atol=1e-12)
            for band in range(bands):
                part = slice(band * rows // bands, (band + 1) * rows // bands)
                np.testing.assert_allclose(
                    found["land"][band], (area * land)[part].sum() / area[part].sum(), rtol=1e-12)
                for side, inside in enumerate((~land[part], land[part])):
                    told = found["mean"][band, side], found["largest"][band, side]
                    wanted = (math.nan, math.nan) if not inside.any() else (
                        np.average(distance[part][inside], weights=area[part][inside]),
                        distance[part][inside].max())
                    np.testing.assert_allclose(told, wanted, rtol=1e-12)
            bins = np.append(np.arange(28) * 100.0, math.inf)
            for side, inside in enumerate((~land, land)):
                wanted = np.histogram(distance[inside], bins, weights=area[inside])[0]
                np.testing.assert_allclose(found["areas"][side], wanted, rtol=1e-9)
            share = 100 * found["areas"][1].sum() / found["areas"].sum()
            self.assertIn(f"{share:.2f} % of the earth", ending.out)
            with open(self.path("map.png"), "rb") as file:
                size = struct.unpack(">II", file.read(24)[16:])
            self.assertEqual(size, (2904, 1510))


if __name__ == "__main__":
    main()
