"""Makes the Icechunk repository of test/python/icechunk.test.ts, in FOLDER: two commits on main, the first one tagged v1,
the second one with other values and more times, a branch, and a group. python icechunk.py FOLDER prints

{snapshots: {v1, main}, values: {version: {"name level": [time, lat, lon], times}}, group: {"name level": ...}}
"""
import json
import sys

import icechunk
import numpy as np
import pandas as pd
import xarray as xr
import zarr

icechunk.set_logs_filter("error")
storage = icechunk.local_filesystem_storage(sys.argv[1])
repo = icechunk.Repository.create(storage)
RNG = np.random.default_rng(3)
LATS, LONS, LEVELS = np.linspace(90, -90, 12), np.arange(24) * 15.0, [500, 850]


def dataset(times):
    t = np.arange(times)
    wave = 250 + 20 * np.sin(t / 7)[:, None, None] + RNG.normal(0, 3, (times, len(LATS), len(LONS)))
    flat = wave.astype("f4")
    upper = np.stack([flat + 5, flat - 5], axis=1)
    return xr.Dataset(
        {
            "temperature": (("time", "level", "latitude", "longitude"), upper, {"units": "K"}),
            "2m_temperature": (("time", "latitude", "longitude"), flat, {"units": "K"}),
        },
        {
            "time": pd.date_range("2020-01-01", periods=times, freq="6h"),
            "level": ("level", LEVELS, {"units": "hPa"}),
            "latitude": ("latitude", LATS, {"units": "degrees_north"}),
            "longitude": ("longitude", LONS, {"units": "degrees_east"}),
        },
    )


def write(message, branch="main", group=None, times=80):
    ds = dataset(times)
    session = repo.writable_session(branch)
    encoding = {name: {"chunks": (4, *ds[name].shape[1:])} for name in ds.data_vars}
    ds.to_zarr(session.store, group=group, mode="w", consolidated=False, zarr_format=3, encoding=encoding)
    return session.commit(message)


def values(group=None, **version):
    """What xarray has of a version."""
    ds = xr.open_zarr(repo.readonly_session(**version).store, group=group, consolidated=False)
    def of(array):
        return [float(v) for v in array.values.astype("f4").ravel()]
    out = {f"temperature {level}": of(ds.temperature.sel(level=level)) for level in LEVELS}
    return {**out, "t2m 0": of(ds["2m_temperature"]), "times": ds.sizes["time"]}


first = write("first")
repo.create_tag("v1", snapshot_id=first)
repo.create_branch("work", first)
second = write("second", times=84)


def write_layout():
    """A store of the AtmoRep layout, on a branch of its own."""
    repo.create_branch("layout", first)
    session = repo.writable_session("layout")
    attrs = {"fields": ["t"], "fields_sfc": [], "levels": [500], "res": [1, 1], "is_global": 0}
    root = zarr.open_group(session.store, mode="w", zarr_format=3, attributes=attrs)
    root.create_group("normalization")
    root.create_array("data", data=RNG.normal(size=(4, 1, 1, 3, 4)).astype("f4"), chunks=(1, 1, 1, 3, 4))
    root.create_array("lats", data=np.arange(40, 43, dtype="f4"))
    root.create_array("lons", data=np.arange(10, 14, dtype="f4"))
    root.create_array("time", data=np.arange(4), attributes={"units": "hours since 2020-01-01"})
    session.commit("layout")


write_layout()
work = write("of the branch", branch="work", group="daily/means", times=40)
print(
    json.dumps(
        {
            "snapshots": {"v1": first, "main": second},
            "values": {
                "": values(branch="main"),
                "branch=main": values(branch="main"),
                "tag=v1": values(tag="v1"),
                f"snapshot={first}": values(snapshot_id=first),
                "branch=work&group=daily/means": values("daily/means", branch="work"),
            },
        }
    )
)
