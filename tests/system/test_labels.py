# SPDX-License-Identifier: BSD-3-Clause
"""What other people's programs find of the axes of a result: xarray, netCDF, h5py."""

import importlib.util
import os
import shutil
import subprocess
import unittest

import h5py
import numpy as np

import results
from launch import COAST, KNOWN, MANDELBROT, WEFT, SystemTest, main, needs

XARRAY = all(importlib.util.find_spec(name) for name in ("xarray", "h5netcdf"))
COUNT = 300


def open_map(path, name):
    import xarray  # pylint: disable=import-outside-toplevel
    return xarray.open_dataset(path, group=name, engine="h5netcdf")


class Labels(SystemTest):
    def make_coast(self, step=15):
        self.run_well(COAST, "--out", self.path(), "--step", step, "--resolution", "c",
                      "--progress", "never", layout=(2, 1))
        return self.path()

    @needs(COAST, "coast")
    @unittest.skipUnless(XARRAY, "xarray and h5netcdf are not here")
    def test_xarray_knows_where_things_are(self):
        with open_map(self.make_coast(), "coast") as data:
            self.assertEqual(data.distance.dims, ("lat", "lon"))
            np.testing.assert_array_equal(data.lat, 90 - 15 * (np.arange(12) + 0.5))
            np.testing.assert_array_equal(data.lon, -180 + 15 * (np.arange(24) + 0.5))
            self.assertEqual(data.lat.attrs, {"units": "degrees_north", "axis": "Y",
                                              "standard_name": "latitude"})
            self.assertEqual(data.lon.attrs["standard_name"], "longitude")
            self.assertEqual(data.distance.attrs["units"], "km")
            self.assertEqual(data.distance.attrs["long_name"],
                             "geodesic distance to the ocean's shoreline")
            self.assertTrue(np.isnan(data.distance.encoding["_FillValue"]))
            # The two numbers of a field's own have no coordinates, but are a dimension.
            self.assertEqual(data.nearest.dims, ("lat", "lon", "nearest_dim_0"))
            self.assertNotIn("nearest_dim_0", data.variables)
            # Here and in the Sahara, whatever the fill value of an integer is.
            self.assertEqual(int(data.land.sel(lat=20, lon=20, method="nearest")), 1)
            self.assertEqual(int(data.land.sel(lat=0, lon=-30, method="nearest")), 0)
            self.assertFalse(np.isnan(data.land).any())
            if importlib.util.find_spec("matplotlib"):
                os.environ["MPLBACKEND"] = "Agg"
                drawn = data.distance.plot()
                self.assertIn("latitude", drawn.axes.get_ylabel())
                self.assertIn("longitude", drawn.axes.get_xlabel())

    @needs(COAST, "coast")
    @unittest.skipUnless(shutil.which("ncdump"), "netCDF's ncdump is not here")
    def test_netcdf_reads_it(self):
        dump = subprocess.run(["ncdump", "-c", self.make_coast()], capture_output=True, text=True,
                              check=True).stdout
        for line in ("lat = 12 ;", "lon = 24 ;", "nearest_dim_0 = 2 ;", "double lat(lat) ;",
                     "double distance(lat, lon) ;", "double nearest(lat, lon, nearest_dim_0) ;",
                     "ubyte land(lat, lon) ;", 'string lat:units = "degrees_north" ;',
                     "distance:_FillValue = NaN ;", "land:_FillValue = 255UB ;",
                     "lat = 82.5, 67.5, 52.5,"):
            self.assertIn(line, dump)

    @needs(MANDELBROT, "mandelbrot")
    def test_h5py_follows_the_scales(self):
        self.run_well(MANDELBROT, "--out", self.path(), "--width", 30, "--height", 20,
                      "--progress", "never")
        with results.open_result(self.path()) as file:
            field = file["mandelbrot/iterations"]
            imaginary, real = (dimension[0] for dimension in field.dims)
            self.assertEqual((imaginary.name, real.name),
                             ("/mandelbrot/imaginary", "/mandelbrot/real"))
            self.assertTrue(h5py.h5ds.is_scale(real.id) and h5py.h5ds.is_scale(imaginary.id))
            step = 4.2 / 30
            np.testing.assert_allclose(real, -0.5 + (np.arange(30) - 14.5) * step, atol=1e-14)
            np.testing.assert_allclose(imaginary, (9.5 - np.arange(20)) * step, atol=1e-14)
            self.assertEqual(real.attrs["REFERENCE_LIST"][0]["dimension"], 1)
            self.assertEqual(file[real.attrs["REFERENCE_LIST"][0]["dataset"]], field)

    @unittest.skipUnless(XARRAY, "xarray and h5netcdf are not here")
    def test_what_nobody_has_labelled(self):
        """Opens, too."""
        self.run_well(KNOWN, "--out", self.path(), "--count", COUNT, "--maps", 2)
        for name in ("known-0", "known-1"):
            with open_map(self.path(), name) as data:
                self.assertEqual(dict(data.sizes), {"dim_0": COUNT, "pair_dim_0": 2})
                self.assertEqual(list(data.coords), [])
                expected = results.known_values(COUNT)
                np.testing.assert_array_equal(data.pair, expected["pair"])

    def words(self, *more):
        return ["--out", self.path(), "--count", COUNT, "--progress", "never", *more]

    def test_same_on_every_layout(self):
        """Also where another run goes on with the file."""
        expected = results.known_bytes(COUNT)
        expected["place"] = (0.25 * np.arange(COUNT)).tobytes()
        for layout in ((0, 1), (2, 2), (3, 1), (2, 0)):
            self.run_well(KNOWN, *self.words("--axis", 0.25, "--error", COUNT - 1), layout=layout,
                          status=3)
            self.assertEqual(results.raw_bytes(self.path(), "known/place"), expected["place"])
            self.run_well(KNOWN, *self.words("--axis", 0.25, "--retry-failed"), layout=layout)
            self.assertEqual(results.all_bytes(self.path()), expected)
            self.assertIsNone(results.opens_everywhere(self.path()))
            self.run_well(WEFT, "verify", self.path(), layout=(0, None))
            os.unlink(self.path())

    def test_other_coordinates_are_refused(self):
        self.run_well(KNOWN, *self.words("--axis", 0.5))
        before = results.all_bytes(self.path())
        for axis, says in ((0.25, "300 coordinates from 0 to 149.5 (checksum "),
                           (0, "dimension 0 is 'place' in the file and absent in this run")):
            ending = self.run_well(KNOWN, *self.words("--axis", axis), status=2)
            self.assertIn("belongs to another job", ending.err)
            self.assertIn(says, ending.err)
            self.assertEqual(results.all_bytes(self.path()), before)
        # What has no index is compared by HDF5's metadata.
        with open(self.path(), "r+b") as file:
            file.seek(-16, os.SEEK_END)
            file.write(bytes(16))
        self.run_well(KNOWN, *self.words("--axis", 0.5))
        ending = self.run_well(KNOWN, *self.words("--axis", 0.25), status=2)
        self.assertIn("to 74.75 (checksum ", ending.err)

    @needs(WEFT, "weft")
    def test_damaged_coordinates(self):
        self.run_well(KNOWN, *self.words("--axis", 0.5))
        with results.open_result(self.path()) as file:
            place = file["known/place"].id.get_offset()
        with open(self.path(), "r+b") as file:
            file.seek(place + 8 * 17)
            file.write(np.float64(8.25).tobytes())
        ending = self.run_well(WEFT, "verify", self.path(), status=1, layout=(0, None))
        self.assertIn("coordinates of dimension 'place' are damaged", ending.err)
        self.assertIn("--fresh", ending.err)

    def test_repacked_and_back(self):
        """HDF5's own tools know what a scale is."""
        self.run_well(KNOWN, *self.words("--axis", 0.5))
        for name, more in (("chunks.h5", ["-l", "CHUNK=10"]), ("back.h5", ["-l", "CONTI"])):
            subprocess.run(["h5repack", *more, "-f", "NONE", self.path(), self.path(name)],
                           check=True, capture_output=True)
        with h5py.File(self.path("back.h5")) as file:
            self.assertEqual(file["known/pair"].dims[0][0].name, "/known/place")
        ending = self.run_well(KNOWN, "--out", self.path("chunks.h5"), "--count", COUNT, "--axis",
                               0.5, status=2)
        self.assertIn("repacked", ending.err)


if __name__ == "__main__":
    main()
