"""What Python reads of damaged files: NetCDF by xarray (netCDF4), GRIB by ecCodes.

python damaged.py FOLDER START: for each FOLDER/N.nc or N.grib from N = START on prints N and the checksums of its fields (values
float32, [time, lat from North to South, lon ascending], with the times in seconds), or -. A file that a library reads for
ever ends the process.
"""
import os
import signal
import sys
import zlib

import numpy as np


def checksum(times, lats, lons, values):
    """values [time, lat, lon]"""
    order = np.argsort(times, kind="stable")
    rows = np.argsort(-np.asarray(lats, "f8"), kind="stable")
    columns = np.argsort(np.mod(np.asarray(lons, "f8"), 360), kind="stable")
    with np.errstate(all="ignore"):
        plane = np.asarray(values)[order][:, rows][:, :, columns].astype("<f4")
    plane = np.where(np.isnan(plane), np.float32(np.nan), plane).astype("<f4")
    seconds = np.asarray(times)[order].astype("<i8")
    return zlib.crc32(seconds.tobytes() + np.ascontiguousarray(plane).tobytes())


def netcdf(path):
    import xarray as xr

    sums = []
    with xr.open_dataset(path, engine="netcdf4") as d:
        d = d.load()
        for name, variable in d.variables.items():
            if variable.ndim != 3:
                continue
            time, lat, lon = (d.variables[dim] for dim in variable.dims)
            seconds = time.values.astype("datetime64[s]").astype("i8")
            sums.append(checksum(seconds, lat.values, lon.values, variable.values))
    return sums


def grib(path):
    import eccodes as ec

    fields = {}
    with open(path, "rb") as file:
        while (handle := ec.codes_grib_new_from_file(file)) is not None:
            # messages on other grids, at levels that have no name, or of times in no unit are left out, and told
            try:
                other = (
                    ec.codes_get(handle, "gridType") != "regular_ll"
                    or ec.codes_get(handle, "typeOfLevel") == "unknown"
                    or ec.codes_get(handle, "indicatorOfUnitOfTimeRange", int) == 255
                )
            except ec.CodesInternalError:
                other = True
            if other:
                continue
            ec.codes_set(handle, "missingValue", -1e300)
            shape = ec.codes_get(handle, "Nj"), ec.codes_get(handle, "Ni")
            date, clock = ec.codes_get(handle, "validityDate"), ec.codes_get(handle, "validityTime")
            text = f"{date // 10000:04}-{date // 100 % 100:02}-{date % 100:02}T{clock // 100:02}:{clock % 100:02}"
            second = int(np.datetime64(text, "s").astype("i8"))
            values = ec.codes_get_values(handle).reshape(shape)
            values = np.where(values == -1e300, np.nan, values)
            # the increments of a grid may be 0: then the corners tell
            ends = lambda axis: [ec.codes_get(handle, f"{axis}Of{end}GridPointInDegrees") for end in ("First", "Last")]
            lats, lons = np.linspace(*ends("latitude"), shape[0]), np.linspace(*ends("longitude"), shape[1])
            kind = ec.codes_get(handle, "typeOfLevel")
            key = ec.codes_get(handle, "paramId"), kind, *lats[[0, -1]], *lons[[0, -1]], *shape
            level = ec.codes_get(handle, "level")
            fields.setdefault(key, {}).setdefault(level, {})[second] = values, lats, lons
            ec.codes_release(handle)
    sums = []
    for levels in fields.values():
        # a level that is absent at some times is missing there, and told
        times = sorted({second for planes in levels.values() for second in planes})
        for planes in levels.values():
            values, lats, lons = next(iter(planes.values()))
            absent = np.full(values.shape, np.nan)
            sums.append(checksum(times, lats, lons, np.stack([planes.get(t, (absent,))[0] for t in times])))
    return sums


SECONDS = 60

folder, start = sys.argv[1], int(sys.argv[2])
number = start
while True:
    kinds = [k for k in ("nc", "grib") if os.path.exists(f"{folder}/{number}.{k}")]
    if not kinds:
        break
    print(number, end=" ", flush=True)
    # not handled, so that it ends loops in C as well
    signal.alarm(SECONDS)
    try:
        print(*((netcdf if kinds[0] == "nc" else grib)(f"{folder}/{number}.{kinds[0]}")) or ["-"], flush=True)
    except Exception:
        print("-", flush=True)
    number += 1
