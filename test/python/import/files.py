"""Makes the files of test/python/import.test.ts, each with the values that xarray decodes.

python files.py FOLDER: prints {name: {path, options, fields: {name: {level: values}}, ...}} or {name: {path, error}}.
Values are [time, lat from North to South, lon ascending], float32 as text of repr, null where missing.
"""
import base64
import json
import os
import struct
import sys
import zipfile

import netCDF4
import numpy as np
import pandas as pd
import xarray as xr

FOLDER = sys.argv[1]
CASES = {}
T, Y, X = 4, 3, 5
LATS = np.array([52.0, 51.0, 50.0])
LONS = np.array([10.0, 11.0, 12.0, 13.0, 14.0])
TIMES = pd.date_range("2001-02-27", periods=T, freq="6h")
RNG = np.random.default_rng(7)


def values(*shape):
    return np.round(RNG.normal(280, 10, shape), 3)


def path(name):
    return os.path.join(FOLDER, name)


def seconds(times):
    return [int(t) for t in np.asarray(times).astype("datetime64[s]").astype(np.int64)]


def plane(array):
    """[time, lat, lon] in the store's order, float32, None for NaN."""
    array = array.transpose("time", "lat", "lon")
    array = array.sortby("lat", ascending=False)
    array = array.assign_coords(lon=np.mod(array.lon, 360)).sortby("lon")
    flat = array.values.astype(np.float32).ravel()
    return [None if np.isnan(v) else float(v) for v in flat]


def holds(file):
    """The variables of a file that are no coordinates, by xarray; None of a zip file."""
    if file.endswith(".zip"):
        return None
    with xr.open_dataset(path(file), engine="zarr" if file.endswith(".zarr") else None, decode_times=False, mask_and_scale=False) as d:
        return sorted(set(d.data_vars))


def expect(name, file, fields, times, **more):
    """fields: {"name level": DataArray (time, lat, lon)}"""
    first = file if isinstance(file, str) else file[0]
    CASES[name] = {
        "path": path(first),
        "paths": [path(f) for f in ([file] if isinstance(file, str) else file)],
        "holds": holds(first),
        "fields": {key.replace("v 0", "velocity_v_sfc 0"): plane(array) for key, array in fields.items()},
        "times": seconds(times),
        **more,
    }


def refuse(name, file, error, **more):
    CASES[name] = {"path": path(file), "error": error, **more}


def coords(time=TIMES, lats=LATS, lons=LONS):
    return {"time": time, "lat": ("lat", lats, {"units": "degrees_north"}), "lon": ("lon", lons, {"units": "degrees_east"})}


def raw_file(name, dtype, numbers, attrs, fill=None, fmt="NETCDF4", **kw):
    """One variable v of integers or floats as they stand in the file."""
    with netCDF4.Dataset(path(name), "w", format=fmt) as d:
        d.set_auto_maskandscale(False)
        for dim, n in [("time", T), ("lat", Y), ("lon", X)]:
            d.createDimension(dim, n)
        t = d.createVariable("time", "i4", ("time",))
        t.units = "hours since 1900-01-01 00:00:00.0"
        t[:] = [int((x - pd.Timestamp("1900-01-01")).total_seconds() // 3600) for x in TIMES]
        d.createVariable("lat", "f4", ("lat",))[:] = LATS
        d.createVariable("lon", "f4", ("lon",))[:] = LONS
        v = d.createVariable("v", dtype, ("time", "lat", "lon"), fill_value=fill, **kw)
        v.set_auto_maskandscale(False)
        v.setncatts(attrs)
        v[:] = numbers


def decoded(name, engine=None):
    with xr.open_dataset(path(name), engine=engine, mask_and_scale=True) as d:
        return d.load()


# -- packing -----------------------------------------------------------------------------------------------------
for fmt in ["NETCDF3_CLASSIC", "NETCDF4"]:
    numbers = RNG.integers(-128, 128, (T, Y, X)).astype("i1")
    numbers[0, 0, 0] = -1
    file = f"unsigned_{fmt}.nc"
    raw_file(file, "i1", numbers, {"_Unsigned": "true", "scale_factor": 0.5, "add_offset": 10.0}, np.int8(-1), fmt)
    expect(f"_Unsigned {fmt}", file, {"v 0": decoded(file).v}, TIMES)

    numbers = RNG.integers(-30000, 30000, (T, Y, X)).astype("i2")
    numbers[1, 1, 1], numbers[2, 2, 2] = -32767, -999
    file = f"packed_{fmt}.nc"
    raw_file(
        file, "i2", numbers,
        {"scale_factor": 0.0017, "add_offset": 273.15, "missing_value": np.int16(-32767)}, np.int16(-32767), fmt,
    )
    expect(f"packed {fmt}", file, {"v 0": decoded(file).v}, TIMES)

    # xarray does not know valid_range: netCDF4 masks by it.
    file = f"range_{fmt}.nc"
    raw_file(file, "i2", numbers, {"scale_factor": 0.25, "valid_range": np.array([-20000, 20000], "i2")}, np.int16(-32767), fmt)
    with netCDF4.Dataset(path(file)) as d:
        masked = np.ma.filled(d["v"][:].astype("f8"), np.nan)
    expect(f"valid_range {fmt}", file, {"v 0": xr.DataArray(masked, coords(), ("time", "lat", "lon"))}, TIMES)

    floats = values(T, Y, X).astype("f4")
    floats[0, 1, 2] = np.float32(-9999.9)
    file = f"float_{fmt}.nc"
    raw_file(file, "f4", floats, {"missing_value": -9999.9}, None, fmt)
    wanted = np.where(floats == np.float32(-9999.9), np.nan, floats)
    expect(f"missing_value in double over float {fmt}", file, {"v 0": xr.DataArray(wanted, coords(), ("time", "lat", "lon"))}, TIMES)

numbers = RNG.integers(-2000, 2000, (T, Y, X)).astype("i4")
raw_file("ints.nc", "i4", numbers, {}, None)
expect("integers", "ints.nc", {"v 0": decoded("ints.nc").v}, TIMES)
raw_file("scale.nc", "i2", numbers.astype("i2"), {"scale_factor": "0,5"}, None)
refuse("scale_factor that is no number", "scale.nc", "scale_factor cannot be followed")
raw_file("huge.nc", "f8", values(T, Y, X) * 1e60, {}, None)
refuse("values beyond float32", "huge.nc", "too large for float32")

# -- Zarr as xarray writes it --------------------------------------------------------------------------------------
data = values(T, Y, X)
data[1, 2, 3] = np.nan
ds = xr.Dataset({"v": (("time", "lat", "lon"), data)}, coords())
for form in [2, 3]:
    for label, encoding in {
        "fill": {"dtype": "f4", "_FillValue": np.float32(-9999)},
        "double fill": {"_FillValue": -9999.0},
        "packed": {"dtype": "i2", "_FillValue": -32767, "scale_factor": 0.01, "add_offset": 280.0},
    }.items():
        file = f"{label.replace(' ', '_')}_{form}.zarr"
        ds.to_zarr(path(file), encoding={"v": encoding}, zarr_format=form, consolidated=form == 2)
        expect(f"Zarr {form} {label}", file, {"v 0": xr.open_zarr(path(file)).v.load()}, TIMES)

# -- times ---------------------------------------------------------------------------------------------------------
def timed(name, units, calendar, numbers, dtype="f8"):
    with netCDF4.Dataset(path(name), "w") as d:
        for dim, n in [("time", T), ("lat", Y), ("lon", X)]:
            d.createDimension(dim, n)
        t = d.createVariable("time", dtype, ("time",))
        t.units = units
        if calendar:
            t.calendar = calendar
        t[:] = numbers
        d.createVariable("lat", "f4", ("lat",))[:] = LATS
        d.createVariable("lon", "f4", ("lon",))[:] = LONS
        d.createVariable("v", "f4", ("time", "lat", "lon"))[:] = values(T, Y, X)


for label, units, calendar, start, step, dtype in [
    ("mixed calendar from the year 1", "hours since 0001-01-01 00:00:00", "standard", 17540000, 6, "f8"),
    ("mixed calendar by default", "hours since 1-1-1 00:00:0.0", None, 17540000, 6, "f8"),
    ("proleptic from the year 1", "hours since 0001-01-01", "proleptic_gregorian", 17540000, 6, "i8"),
    ("julian days before 1582", "days since 1582-10-04", "gregorian", 152800, 0.25, "f8"),
    ("days of thirds", "days since 1900-01-01", "gregorian", 36000, 1 / 8, "f8"),
    ("a time zone", "hours since 1990-01-01 00:00:00 +02:00", "standard", 100000, 1, "i4"),
    ("microseconds", "microseconds since 2000-01-01", "proleptic_gregorian", 10**15, 3600 * 10**6, "i8"),
]:
    file = f"time_{label.replace(' ', '_')}.nc"
    numbers = [start + i * step for i in range(T)]
    timed(file, units, calendar, np.array(numbers, dtype), dtype)
    import cftime

    dates = cftime.num2date(np.array(numbers), units, calendar or "standard")
    stamps = [np.datetime64(d.isoformat()) for d in dates]
    expect(label, file, {"v 0": decoded(file, None).v.assign_coords(time=stamps)}, np.array(stamps))
for calendar in ["noleap", "360_day", "all_leap", "julian"]:
    timed(f"{calendar}.nc", "days since 2000-01-01", calendar, np.arange(T))
    refuse(calendar, f"{calendar}.nc", f"calendar {calendar}")
timed("months.nc", "months since 2000-01-01", "standard", np.arange(T))
refuse("months", "months.nc", "no fixed length")

# -- levels --------------------------------------------------------------------------------------------------------
def on_levels(levels, units, dtype="f8"):
    c = {**coords(), "level": ("level", np.array(levels, dtype), {"units": units})}
    return xr.Dataset({"u": (("time", "level", "lat", "lon"), values(T, len(levels), Y, X), {"units": "m/s"})}, c)


for units, numbers, names in [
    ("Pa", [100, 50000, 85000], [1, 500, 850]),
    ("kPa", [0.1, 50, 85], [1, 500, 850]),
    ("millibars", [1, 500, 850], [1, 500, 850]),
    ("level", [60, 100, 137], [60, 100, 137]),
]:
    file = f"levels_{units}.nc"
    ds = on_levels(numbers, units, "f4")
    ds.to_netcdf(path(file))
    expect(f"levels in {units}", file, {f"velocity_u {n}": ds.u.isel(level=i) for i, n in enumerate(names)}, TIMES, levels=names)
ds = on_levels([0.5, 1, 22.5, 500], "hPa")
ds.to_netcdf(path("fractions.nc"))
expect(
    "fractional levels", "fractions.nc", {f"velocity_u {n}": ds.u.sel(level=n) for n in [1, 500]}, TIMES,
    levels=[1, 500], notes="left out the levels 0.5, 22.5",
)
on_levels([2, 10], "m").to_netcdf(path("heights.nc"))
refuse("levels in metres", "heights.nc", "its levels (level) are in m")
ds = on_levels([500, 850], "hPa")
ds.isel(level=0).to_netcdf(path("scalar.nc"))
expect("a scalar level", "scalar.nc", {"velocity_u 500": ds.u.isel(level=0)}, TIMES, levels=[500])
ds.isel(level=0).to_zarr(path("scalar.zarr"), zarr_format=3, consolidated=False)
expect("a scalar level in Zarr", "scalar.zarr", {"velocity_u 500": ds.u.isel(level=0)}, TIMES, levels=[500])

# -- orders of dimensions, latitudes, longitudes -----------------------------------------------------------------
ds = on_levels([500, 850], "hPa")
for order in ["lat lon time level", "lon lat level time", "level time lon lat", "time lat level lon", "lat level time lon"]:
    for kind in ["nc", "cdf", "zarr"]:
        file = f"{order.replace(' ', '_')}.{kind}"
        turned = ds.transpose(*order.split()).isel(lat=slice(None, None, -1))
        if kind == "zarr":
            turned.to_zarr(path(file), encoding={"u": {"chunks": (2, 2, 2, 2)}}, zarr_format=2, consolidated=True)
        else:
            turned.to_netcdf(path(file), format="NETCDF4" if kind == "nc" else "NETCDF3_CLASSIC")
        expect(f"{order} {kind}", file, {f"velocity_u {n}": ds.u.sel(level=n) for n in [500, 850]}, TIMES, levels=[500, 850])

for label, lons in {"-180 to 180": np.arange(-180, 180, 30.0), "0 to 360": np.arange(0, 360, 30.0)}.items():
    data = values(T, Y, 12)
    ds = xr.Dataset({"v": (("time", "lat", "lon"), data)}, coords(lons=lons))
    for cyclic in [False, True]:
        file = f"globe_{lons[0]:.0f}_{cyclic}.nc"
        whole = ds.pad(lon=(0, 1), mode="wrap").assign_coords(lon=np.append(lons, lons[0] + 360)) if cyclic else ds
        whole.to_netcdf(path(file))
        expect(f"{label}{', cyclic' if cyclic else ''}", file, {"v 0": ds.v}, TIMES, is_global=True)
whole.v[1, 1, 12] += 1
whole.to_netcdf(path("cyclic_other.nc"))
refuse("a cyclic column with other values", "cyclic_other.nc", "the first one again, with another value")

# -- units -----------------------------------------------------------------------------------------------------------
for field, unit, scale, offset in [
    ("t2m", "degC", 1, 273.15), ("t2m", "K", 1, 0), ("sp", "hPa", 100, 0), ("sp", "kPa", 1000, 0), ("tp", "mm", 0.001, 0),
    ("tp", "kg m-2", 0.001, 0), ("z", "gpm", 9.80665, 0), ("z", "km", 9806.65, 0), ("u10", "km/h", 1 / 3.6, 0),
    ("tcc", "%", 0.01, 0), ("q", "g kg**-1", 0.001, 0),
]:
    name = {"t2m": "t2m", "sp": "surface_pressure", "tp": "total_precip", "z": "geopotential", "u10": "velocity_u_10m",
            "tcc": "tcc", "q": "specific_humidity"}[field]
    upper = field in ("z", "q")
    c = {**coords(), "level": 500} if upper else coords()
    ds = xr.Dataset({field: (("time", "lat", "lon"), values(T, Y, X), {"units": unit})}, c)
    file = f"unit_{field}_{unit.replace('/', '_')}.nc"
    ds.to_netcdf(path(file))
    wanted = (ds[field].astype("f8") * scale + offset).drop_vars("level", errors="ignore")
    expect(f"{field} in {unit}", file, {f"{name} {500 if upper else 0}": wanted}, TIMES)
for field, unit in [("t2m", "m s-1"), ("tp", "kg m-2 s-1"), ("sp", "atm")]:
    ds = xr.Dataset({field: (("time", "lat", "lon"), values(T, Y, X), {"units": unit})}, coords())
    ds.to_netcdf(path(f"wrong_{field}.nc"))
    refuse(f"{field} in {unit}", f"wrong_{field}.nc", "cannot be in this unit")

# -- the Climate Data Store ------------------------------------------------------------------------------------------
era = values(T, 2, Y, X)
era[:2, 1], era[2:, 0] = np.nan, np.nan
era[0, 0, 0, 0] = np.nan
ds = xr.Dataset({"sst": (("time", "expver", "lat", "lon"), era, {"units": "K"})}, {**coords(), "expver": [1, 5]})
ds.to_netcdf(path("expver.nc"))
expect("expver", "expver.nc", {"sst 0": ds.sst.sel(expver=1).combine_first(ds.sst.sel(expver=5))}, TIMES, notes="2 versions")
ds.sst[3, 0, 1, 1] = 1.0
ds.to_netcdf(path("expver_other.nc"))
refuse("expver with two values", "expver_other.nc", "two versions (expver) of a point differ")

cds = {
    "valid_time": ("valid_time", TIMES), "pressure_level": ("pressure_level", [1000.0, 500.0], {"units": "hPa"}),
    "latitude": ("latitude", LATS), "longitude": ("longitude", LONS), "number": 0,
    "expver": ("valid_time", np.array(["0001"] * T, dtype=object)),
}
new = xr.Dataset({"t": (("valid_time", "pressure_level", "latitude", "longitude"), values(T, 2, Y, X), {"units": "K"})}, cds)
sfc = xr.Dataset({"tp": (("valid_time", "latitude", "longitude"), values(T, Y, X), {"units": "m"})}, {k: v for k, v in cds.items() if k != "pressure_level"})
new.to_netcdf(path("new.nc"))
sfc.to_netcdf(path("sfc.nc"))
plain = {"valid_time": "time", "latitude": "lat", "longitude": "lon"}
upper = {f"temperature {n}": new.t.sel(pressure_level=n).rename(plain) for n in [1000, 500]}
expect("the new Climate Data Store", "new.nc", upper, TIMES, levels=[1000, 500])
for method in [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]:
    with zipfile.ZipFile(path(f"cds_{method}.zip"), "w", method) as z:
        z.write(path("new.nc"), "data_stream-oper_stepType-instant.nc")
        z.write(path("sfc.nc"), "data_stream-oper_stepType-accum.nc")
        z.writestr("README.txt", "text")
    expect(f"a zip {method}", f"cds_{method}.zip", {**upper, "total_precip 0": sfc.tp.rename(plain)}, TIMES, left_out=["README.txt"])

# forecasts: reference times and times ahead, with the time of each
reference = pd.date_range("2020-01-01", periods=2, freq="12h")
ahead = pd.to_timedelta([0, 6], unit="h")
both = xr.Dataset(
    {"t2m": (("forecast_reference_time", "forecast_period", "lat", "lon"), values(2, 2, Y, X), {"units": "K"})},
    {"forecast_reference_time": reference, "forecast_period": ahead, "lat": LATS, "lon": LONS,
     "valid_time": (("forecast_reference_time", "forecast_period"), reference.values[:, None] + ahead.values[None, :])},
)
both.to_netcdf(path("forecast.nc"))
flat = both.t2m.stack(time=("forecast_reference_time", "forecast_period")).drop_vars(["time", "forecast_reference_time", "forecast_period"])
flat = flat.assign_coords(time=both.valid_time.values.ravel()).drop_vars("valid_time", errors="ignore")
expect("forecasts", "forecast.nc", {"t2m 0": flat}, both.valid_time.values.ravel())
both.drop_vars("valid_time").to_netcdf(path("reference.nc"))
refuse("forecasts without valid_time", "reference.nc", "reference times")
members = xr.Dataset({"v": (("number", "time", "lat", "lon"), values(2, T, Y, X))}, {**coords(), "number": [0, 1]})
members.to_netcdf(path("members.nc"))
refuse("members", "members.nc", "members of an ensemble")

# -- HDF5: filters, groups -------------------------------------------------------------------------------------------
for compression, label in [("zstd", "zstd"), ("bzip2", "bzip2"), ("szip", "szip"), ("blosc_lz4", "Blosc")]:
    try:
        raw_file(f"{compression}.nc", "f4", values(T, Y, X), {}, None, compression=compression)
    except Exception as error:
        print(f"{compression}: {error}", file=sys.stderr)
        continue
    refuse(f"HDF5 {compression}", f"{compression}.nc", f"compressed with {label} (HDF5 filter")
for number, options in enumerate([{"zlib": True, "shuffle": True}, {"zlib": True, "fletcher32": True}]):
    raw_file(f"deflate{number}.nc", "f4", values(T, Y, X), {}, None, **options)
    expect(f"HDF5 {' '.join(options)}", f"deflate{number}.nc", {"v 0": decoded(f"deflate{number}.nc").v}, TIMES)
raw_file("group.nc", "f4", values(T, Y, X), {}, None)
with netCDF4.Dataset(path("group.nc"), "a") as d:
    d.createGroup("forecast").createVariable("w", "f4", ("time", "lat", "lon"))[:] = 1
    d.createVariable("area", "f4", ("lat", "lon"))[:] = 1
    d.createVariable("crs", "i4", ())[:] = 1
expect("groups and the rest", "group.nc", {"v 0": decoded("group.nc").v}, TIMES, left_out=["forecast", "area", "crs"])

# -- types of numbers, containers and layouts --------------------------------------------------------------------------
for dtype in ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", ">f4", ">f8", ">i2", ">i4"]:
    kind = np.dtype(dtype)
    numbers = (RNG.normal(20, 10, (T, Y, X)) if kind.kind == "f" else RNG.integers(0, 100, (T, Y, X))).astype(kind)
    file = f"type_{dtype.replace('>', 'be')}.nc"
    raw_file(file, kind, numbers, {})
    expect(f"HDF5 {dtype.replace('>', 'big ')}", file, {"v 0": xr.DataArray(numbers.astype("f8"), coords(), ("time", "lat", "lon"))}, TIMES)
for fmt, types in {
    "NETCDF3_CLASSIC": ["i1", "i2", "i4", "f4", "f8"],
    "NETCDF3_64BIT_OFFSET": ["i2", "f4"],
    "NETCDF3_64BIT_DATA": ["u1", "u2", "u4", "i8", "u8", "f4", "f8"],
}.items():
    for dtype in types:
        numbers = RNG.integers(0, 100, (T, Y, X)).astype(dtype)
        file = f"type_{fmt}_{dtype}.nc"
        raw_file(file, dtype, numbers, {}, fmt=fmt)
        expect(f"{fmt} {dtype}", file, {"v 0": xr.DataArray(numbers.astype("f8"), coords(), ("time", "lat", "lon"))}, TIMES)
# NetCDF's own fill values, where the file names none: netCDF4 masks them
for dtype in ["i2", "i4", "f4", "f8"]:
    numbers = RNG.integers(0, 100, (T, Y, X)).astype(dtype)
    numbers[1, 1, 1] = netCDF4.default_fillvals[dtype]
    file = f"default_fill_{dtype}.nc"
    raw_file(file, dtype, numbers, {})
    with netCDF4.Dataset(path(file)) as d:
        masked = np.ma.filled(d["v"][:].astype("f8"), np.nan)
    expect(f"the default fill of {dtype}", file, {"v 0": xr.DataArray(masked, coords(), ("time", "lat", "lon"))}, TIMES)
for label, attrs in {
    "valid_min": {"valid_min": np.float32(270)},
    "valid_max": {"valid_max": np.float32(290)},
    "several missing values": {"missing_value": np.array([1, 2], "f4")},
}.items():
    floats = values(T, Y, X).astype("f4")
    floats[0, 0, 0], floats[0, 0, 1] = 1, 2
    file = f"{label.replace(' ', '_')}.nc"
    raw_file(file, "f4", floats, attrs)
    with netCDF4.Dataset(path(file)) as d:
        masked = np.ma.filled(d["v"][:].astype("f8"), np.nan)
    expect(label, file, {"v 0": xr.DataArray(masked, coords(), ("time", "lat", "lon"))}, TIMES)
for label, layout in {
    "contiguous": {"contiguous": True},
    "chunks across time": {"chunksizes": (T, 2, 2), "zlib": True},
    "chunks of a row": {"chunksizes": (1, 1, X), "zlib": True, "shuffle": False},
    "chunks larger than a plane": {"chunksizes": (3, Y, X), "zlib": True},
}.items():
    file = f"layout_{label.replace(' ', '_')}.nc"
    raw_file(file, "f4", values(T, Y, X), {}, None, **layout)
    expect(f"HDF5 {label}", file, {"v 0": decoded(file).v}, TIMES)

# coordinates that are packed
with netCDF4.Dataset(path("packed_axes.nc"), "w") as d:
    for dim, n in [("time", T), ("lat", Y), ("lon", X)]:
        d.createDimension(dim, n)
    t = d.createVariable("time", "i2", ("time",))
    t.units, t.scale_factor, t.add_offset = "hours since 2000-01-01", 0.5, 100.0
    lat = d.createVariable("lat", "i2", ("lat",))
    lat.units, lat.scale_factor = "degrees_north", 0.25
    lon = d.createVariable("lon", "i2", ("lon",))
    lon.units, lon.scale_factor, lon.add_offset = "degrees_east", 0.25, 5.0
    for variable in (t, lat, lon):
        variable.set_auto_maskandscale(False)
    t[:], lat[:], lon[:] = [2, 4, 6, 8], [208, 204, 200], [20, 24, 28, 32, 36]
    d.createVariable("v", "f4", ("time", "lat", "lon"))[:] = values(T, Y, X)
packed = decoded("packed_axes.nc")
expect("packed coordinates", "packed_axes.nc", {"v 0": packed.v}, packed.time.values)

# Zarr in every form that xarray writes
many = xr.Dataset({"v": (("time", "lat", "lon"), values(T, Y, X))}, coords())
for form in [2, 3]:
    for dtype in ["f2", "f4", "f8", "i2", "i4", "u1"]:
        file = f"zarr_{form}_{dtype}.zarr"
        small = many if dtype.startswith("f") else (many - 250).round()
        small.astype({"v": dtype}).to_zarr(path(file), zarr_format=form, consolidated=False)
        wanted = xr.open_zarr(path(file), consolidated=False, mask_and_scale=form == 3).v.load().astype("f8")
        # 0 is a value, which xarray takes for missing where the array says that chunks which were not written hold 0
        expect(f"Zarr {form} {dtype}", file, {"v 0": wanted}, TIMES)
many.to_zarr(path("shards.zarr"), zarr_format=3, consolidated=False, encoding={"v": {"shards": (2, 4, 6), "chunks": (1, 2, 3)}})
expect("Zarr 3 in shards", "shards.zarr", {"v 0": many.v}, TIMES)

# -- files that overlap ---------------------------------------------------------------------------------------------
later = xr.Dataset({"v": (("time", "lat", "lon"), values(T, Y, X))}, coords(TIMES + pd.Timedelta("12h")))
many.to_netcdf(path("earlier.nc"))
later.to_netcdf(path("later.nc"))
both_times = sorted(set(many.time.values) | set(later.time.values))
pair = ["earlier.nc", "later.nc"]
expect("an overlap, the first", pair, {"v 0": many.v.combine_first(later.v)}, both_times, combine="first")
expect("an overlap, the last", pair, {"v 0": later.v.combine_first(many.v)}, both_times, combine="last")
refuse("an overlap of other values", "earlier.nc", "with other values", paths=[path(f) for f in pair])
same = xr.concat([many.isel(time=slice(2, None)), later.isel(time=slice(2, None))], "time")
same.to_netcdf(path("same.nc"))
expect("an overlap of equal values", ["earlier.nc", "same.nc"], {"v 0": many.v.combine_first(same.v)}, both_times)

# -- orders of times ------------------------------------------------------------------------------------------------
many.isel(time=[2, 0, 3, 1]).to_netcdf(path("unsorted.nc"))
expect("times in disorder", "unsorted.nc", {"v 0": many.v}, TIMES)

json.dump(CASES, sys.stdout)
