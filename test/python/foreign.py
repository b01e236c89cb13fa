"""Makes the sources of test/python/foreign.test.ts, each with the values that xarray has of them.

python foreign.py FOLDER: prints {name: {place, fields: {"name level": [[time, lat, lon] in the store's order]}, times}}.
"""
import json
import os
import sys

import eccodes
import numpy as np
import pandas as pd
import xarray as xr

FOLDER = sys.argv[1]
CASES = {}
T = 6
TIMES = pd.date_range("2020-02-27", periods=T, freq="6h")
RNG = np.random.default_rng(11)


def path(name):
    return os.path.join(FOLDER, name)


def planes(array):
    """[time, lat from North to South, lon ascending], float32."""
    rename = {"latitude": "lat", "longitude": "lon", "valid_time": "time"}
    array = array.rename({old: new for old, new in rename.items() if old in array.dims})
    array = array.transpose("time", "lat", "lon").sortby("lat", ascending=False)
    array = array.assign_coords(lon=np.mod(array.lon, 360)).sortby("lon")
    return [float(v) for v in array.values.astype(np.float32).ravel()]


def expect(name, place, fields, times=TIMES):
    seconds = [int(t) for t in np.asarray(times).astype("datetime64[s]").astype(np.int64)]
    CASES[name] = {
        "place": path(place),
        "fields": {key: planes(array) for key, array in fields.items()},
        "times": seconds,
    }


def by_level(name, array, dim):
    return {f"{name} {int(level)}": array.sel({dim: level}) for level in array[dim].values}


def make(upper, flat, dim, levels, order, lats, lons, time="time", units="hPa", **attrs):
    """A data set with upper-air variables, surface variables, and one of no well-known name."""
    sizes = {time: T, dim: len(levels), "latitude": len(lats), "longitude": len(lons)}
    coords = {
        time: TIMES,
        dim: (dim, np.asarray(levels), {"units": units}),
        "latitude": ("latitude", lats, {"units": "degrees_north"}),
        "longitude": ("longitude", lons, {"units": "degrees_east"}),
    }
    dims = [time if d == "time" else dim if d == "level" else d for d in order]
    def values(axes):
        return RNG.normal(280, 10, [sizes[d] for d in axes]).astype("f4")
    data = {name: (dims, values(dims), {**attrs.get(name, {})}) for name in upper}
    no_level = [d for d in dims if d != dim]
    data |= {name: (no_level, values(no_level), {**attrs.get(name, {})}) for name in flat}
    data["soil_type"] = (no_level, values(no_level))
    return xr.Dataset(data, coords=coords)


FULL = ["time", "level", "latitude", "longitude"]
NORTH_FIRST = np.arange(67.5, -67.6, -22.5)
ROUND = np.arange(0, 360, 30.0)
HALVES = np.arange(-180, 180, 30.0)
KELVIN = {"units": "K"}
WIND = {"units": "m s**-1"}

# WeatherBench 2: Zarr 2, time, longitude, latitude from South to North
wb2 = make(
    ["temperature", "u_component_of_wind"], ["2m_temperature", "mean_sea_level_pressure"], "level", [500, 700, 850],
    ["time", "level", "longitude", "latitude"], NORTH_FIRST[::-1], ROUND,
    temperature=KELVIN, u_component_of_wind=WIND, **{"2m_temperature": KELVIN, "mean_sea_level_pressure": {"units": "Pa"}},
)
wb2_fields = {
    **by_level("temperature", wb2.temperature, "level"),
    **by_level("velocity_u", wb2.u_component_of_wind, "level"),
    "t2m 0": wb2["2m_temperature"],
    "mean_sea_level_pressure 0": wb2["mean_sea_level_pressure"],
}
wb2.to_zarr(path("wb2.zarr"), zarr_format=2, consolidated=True)
expect("WeatherBench 2", "wb2.zarr", wb2_fields)
chunks = {"temperature": {"chunks": (4, 3, 12, 7)}, "u_component_of_wind": {"chunks": (1, 1, 5, 3)}}
wb2.to_zarr(path("wb2-plain.zarr"), zarr_format=2, consolidated=False, encoding=chunks)
expect("the same, not consolidated, other chunks", "wb2-plain.zarr", wb2_fields)

# model levels along hybrid, as ARCO-ERA5 has them
hybrid = make(["temperature", "specific_humidity"], [], "hybrid", [96, 114, 137], FULL, NORTH_FIRST, ROUND, units="1",
              temperature=KELVIN, specific_humidity={"units": "kg kg**-1"})
hybrid.to_zarr(path("hybrid.zarr"), zarr_format=2, consolidated=True, encoding={"temperature": {"chunks": (1, 3, 7, 12)}})
expect("model levels along hybrid", "hybrid.zarr", {
    **by_level("temperature", hybrid.temperature, "hybrid"), **by_level("specific_humidity", hybrid.specific_humidity, "hybrid"),
})

# Earth Data Hub: Zarr 3, valid_time, isobaricInhPa, short names; with shards, in a group
edh = make(["t", "u"], ["t2m"], "isobaricInhPa", [850, 500], ["time", "level", "latitude", "longitude"], NORTH_FIRST, HALVES,
           time="valid_time", t=KELVIN, u=WIND, t2m=KELVIN)
shards = {"t": {"chunks": (1, 1, 7, 6), "shards": (4, 2, 7, 12)}}
edh_fields = {
    **by_level("temperature", edh.t, "isobaricInhPa"), **by_level("velocity_u", edh.u, "isobaricInhPa"), "t2m 0": edh.t2m,
}
edh.to_zarr(path("edh.zarr"), zarr_format=3, consolidated=True, encoding=shards)
expect("Earth Data Hub", "edh.zarr", edh_fields)
edh.to_zarr(path("groups.zarr"), group="pressure/daily", zarr_format=3, consolidated=False, encoding=shards)
expect("a group, named after #", "groups.zarr#pressure/daily", edh_fields)
expect("a group, by its path", "groups.zarr/pressure/daily", edh_fields)

# names that only CF's standard name tells
cf = make(["var130", "var131"], ["var151"], "plev", [50000.0, 85000.0], FULL, NORTH_FIRST, ROUND, units="Pa",
          var130={**KELVIN, "standard_name": "air_temperature"}, var131={**WIND, "standard_name": "eastward_wind"},
          var151={"units": "hPa", "standard_name": "air_pressure_at_mean_sea_level"})
cf_fields = {
    **{f"temperature {int(p / 100)}": cf.var130.sel(plev=p) for p in cf.plev.values},
    **{f"velocity_u {int(p / 100)}": cf.var131.sel(plev=p) for p in cf.plev.values},
    # converted to Pa in double precision
    "mean_sea_level_pressure 0": cf.var151.astype("f8") * 100,
}
os.makedirs(path("nc"))
for i, part in enumerate([slice(0, 2), slice(2, 5), slice(5, T)]):
    form = ["NETCDF4", "NETCDF3_64BIT", "NETCDF4"][i]
    cf.isel(time=part).to_netcdf(path(f"nc/era5_{i}.nc"), format=form)
expect("NetCDF-4 and NetCDF-3 by a pattern", "nc/*.nc", cf_fields)

# packed to 16 bits, as the Climate Data Store did
packed = {"t": {"dtype": "i2", "scale_factor": 0.002, "add_offset": 280.0, "_FillValue": -32767}}
edh.rename(valid_time="time").to_netcdf(path("packed.nc"), encoding=packed)
decoded = xr.open_dataset(path("packed.nc"), engine="netcdf4", decode_cf=False)
t = decoded.t.astype("f8") * 0.002 + 280.0
t = t.assign_coords(time=edh.valid_time.values)
expect("packed NetCDF", "packed.nc", {
    **by_level("temperature", t, "isobaricInhPa"), **by_level("velocity_u", edh.u, "isobaricInhPa"), "t2m 0": edh.t2m,
})


def grib(file, short_names, levels, times):
    """GRIB messages; values as ecCodes reads them again."""
    arrays = {}
    with open(path(file), "wb") as out:
        for when in times:
            for name in short_names:
                for level in levels if name in ("t", "u") else [0]:
                    handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib1" if level == 0 else "regular_ll_pl_grib1")
                    keys = {"Ni": 12, "Nj": 7, "latitudeOfFirstGridPointInDegrees": 67.5,
                            "latitudeOfLastGridPointInDegrees": -67.5, "longitudeOfFirstGridPointInDegrees": 0,
                            "longitudeOfLastGridPointInDegrees": 330, "iDirectionIncrementInDegrees": 30,
                            "jDirectionIncrementInDegrees": 22.5, "dataDate": int(when.strftime("%Y%m%d")),
                            "dataTime": int(when.strftime("%H%M")), "shortName": name, "level": level}
                    for key, value in keys.items():
                        eccodes.codes_set(handle, key, value)
                    eccodes.codes_set_values(handle, RNG.normal(280, 10, 84))
                    eccodes.codes_write(handle, out)
                    arrays.setdefault((name, level), []).append(eccodes.codes_get_values(handle).reshape(7, 12))
                    eccodes.codes_release(handle)
    return arrays


os.makedirs(path("grib"))
first = grib("grib/a.grib", ["t", "2t"], [500, 850], TIMES[:4])
second = grib("grib/b.grib", ["t", "2t"], [500, 850], TIMES[4:])
coords = {"time": TIMES, "latitude": NORTH_FIRST, "longitude": ROUND}
joined = {
    key: xr.DataArray(np.array(first[key] + second[key]), dims=("time", "latitude", "longitude"), coords=coords) for key in first
}
names = {"t": "temperature", "2t": "t2m"}
expect("GRIB by a pattern", "grib/*.grib", {f"{names[name]} {level}": array for (name, level), array in joined.items()})

print(json.dumps(CASES))
