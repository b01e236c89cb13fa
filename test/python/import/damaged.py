"""What Python reads of damaged files: NetCDF by xarray (netCDF4), GRIB by ecCodes.

python damaged.py FOLDER START: for each FOLDER/N.nc or N.grib from N = START on prints N and the checksums of its fields (values
float32, [time, lat from North to South, lon ascending], with the times in seconds), or -.
"""
import os
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
            # messages on other grids are left out, and told
            try:
                other = ec.codes_get(handle, "gridType") != "regular_ll"
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
            key = ec.codes_get(handle, "paramId"), ec.codes_get(handle, "level"), *lats[[0, -1]], *lons[[0, -1]]
            fields.setdefault(key, []).append((second, lats, lons, values))
            ec.codes_release(handle)
    return [checksum([m[0] for m in own], own[0][1], own[0][2], np.stack([m[3] for m in own])) for own in fields.values()]


folder, start = sys.argv[1], int(sys.argv[2])
number = start
while True:
    kinds = [k for k in ("nc", "grib") if os.path.exists(f"{folder}/{number}.{k}")]
    if not kinds:
        break
    print(number, end=" ", flush=True)
    try:
        print(*((netcdf if kinds[0] == "nc" else grib)(f"{folder}/{number}.{kinds[0]}")) or ["-"], flush=True)
    except Exception:
        print("-", flush=True)
    number += 1
