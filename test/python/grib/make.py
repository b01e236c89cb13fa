"""Writes GRIB files of every packing and form that is read, with ecCodes, and what ecCodes and cfgrib make of them.

argv: a folder. Prints {name: [message]}: the values go to NAME.f64, message after message, ordered by latitude from
North to South and by longitude from West to East (float64, NaN where missing).
"""

import json
import sys
from pathlib import Path

import eccodes as ec
import numpy as np

folder = Path(sys.argv[1])
ROWS, COLUMNS = 13, 24
random = np.random.default_rng(7)
FIELD = 270 + 20 * np.cos(np.linspace(0, 3, ROWS))[:, None] + 5 * np.sin(np.linspace(0, 6.2, COLUMNS)) + random.normal(0, 2, (ROWS, COLUMNS))


def message(edition, values=FIELD, missing=False, scan=(0, 0, 0, 0), bits=16, packing="grid_simple", **keys):
    """scan: i from the East, j from the South, columns first, every second line backwards."""
    handle = ec.codes_grib_new_from_samples(f"regular_ll_sfc_grib{edition}")
    west, east = (345.0, 0.0) if scan[0] else (0.0, 345.0)
    north, south = (30.0, 60.0) if scan[1] else (60.0, 30.0)
    first = dict(Ni=COLUMNS, Nj=ROWS, iDirectionIncrementInDegrees=15, jDirectionIncrementInDegrees=2.5)
    first |= dict(latitudeOfFirstGridPointInDegrees=north, latitudeOfLastGridPointInDegrees=south)
    first |= dict(longitudeOfFirstGridPointInDegrees=west, longitudeOfLastGridPointInDegrees=east)
    first |= dict(iScansNegatively=scan[0], jScansPositively=scan[1], jPointsAreConsecutive=scan[2])
    if scan[3]:
        first["alternativeRowScanning"] = 1
    first |= dict(centre=98, dataDate=20190301, dataTime=600)
    for key, value in first.items():
        ec.codes_set(handle, key, value)
    for key, value in keys.items():
        ec.codes_set(handle, key, value)
    plane = np.array(values, dtype=float)
    if missing:
        ec.codes_set(handle, "bitmapPresent", 1)
        ec.codes_set(handle, "missingValue", 1e30)
        plane = plane.copy()
        plane[2:5, 3:9] = 1e30
        plane[-1, -1] = 1e30
    if scan[0]:
        plane = plane[:, ::-1]
    if scan[1]:
        plane = plane[::-1]
    lines = plane.T.copy() if scan[2] else plane.copy()
    if scan[3]:
        lines[1::2] = lines[1::2, ::-1]
    if bits is not None:
        ec.codes_set(handle, "bitsPerValue", bits)
    ec.codes_set_values(handle, lines.ravel())
    if packing != "grid_simple":
        ec.codes_set(handle, "packingType", packing)
    return handle


SOME = {"typeOfLevel": "isobaricInhPa", "level": 500}
PRODUCTS = {1: {"paramId": 130, **SOME}, 2: {"paramId": 130, **SOME}}
MEMBER = {1: {"localDefinitionNumber": 1}, 2: {"productDefinitionTemplateNumber": 1}}
FORMS = {}
for edition, packings in {
    1: ["grid_simple", "grid_second_order"],
    2: ["grid_simple", "grid_ieee", "grid_ccsds", "grid_complex", "grid_complex_spatial_differencing", "grid_jpeg"],
}.items():
    for packing in packings:
        for missing in (False, True):
            bits = None if packing == "grid_ieee" else 16
            FORMS[f"{packing}{'_missing' if missing else ''}_{edition}"] = [
                dict(edition=edition, packing=packing, missing=missing, bits=bits, **PRODUCTS[edition])
            ]
    for scan in [(i, j, c, a) for i in (0, 1) for j in (0, 1) for c in (0, 1) for a in (0, 1)[:edition]][1:]:
        FORMS[f"scan_{''.join(map(str, scan))}_{edition}"] = [dict(edition=edition, scan=scan, **PRODUCTS[edition])]
    for bits in (1, 7, 12, 24, 32):
        FORMS[f"bits_{bits}_{edition}"] = [dict(edition=edition, bits=bits, **PRODUCTS[edition])]
    for decimals in (-2, 1, 3, 5):
        FORMS[f"decimals_{decimals}_{edition}"] = [
            dict(edition=edition, decimalScaleFactor=decimals, bits=20, **PRODUCTS[edition])
        ]
    FORMS[f"constant_{edition}"] = [dict(edition=edition, values=np.full((ROWS, COLUMNS), 273.15), **PRODUCTS[edition])]
    FORMS[f"levels_{edition}"] = [
        dict(edition=edition, values=FIELD + level + step, paramId=131, typeOfLevel="isobaricInhPa", level=level, dataTime=step * 100)
        for level in (850, 500)
        for step in (0, 6)
    ]
    FORMS[f"hybrid_{edition}"] = [
        dict(edition=edition, values=FIELD + level, paramId=133, typeOfLevel="hybrid", level=level) for level in (96, 137)
    ]
    FORMS[f"pascal_{edition}"] = [
        dict(edition=edition, values=FIELD + level, paramId=130, typeOfLevel="isobaricInPa", level=level) for level in (50, 70)
    ]
    FORMS[f"surface_{edition}"] = [
        dict(edition=edition, paramId=paramId, values=FIELD + paramId, stepRange=step)
        for paramId in (34, 134, 151, 165, 166, 167, 168)
        for step in (0, 3)
    ]
    FORMS[f"column_{edition}"] = [
        dict(edition=edition, paramId=paramId, values=FIELD + paramId) for paramId in (59, 136, 137, 164)
    ]
    FORMS[f"accumulated_{edition}"] = [
        dict(edition=edition, values=FIELD + end, paramId=228, stepType="accum", stepRange=f"0-{end}") for end in (6, 12, 30)
    ]
    FORMS[f"members_{edition}"] = [
        dict(edition=edition, values=FIELD + number, **MEMBER[edition], **PRODUCTS[edition], number=number, numberOfForecastsInEnsemble=3)
        for number in (0, 1, 2)
    ]
    FORMS[f"member_{edition}"] = FORMS[f"members_{edition}"][1:2]
FORMS["ccsds_scan_0111_2"] = [dict(edition=2, packing="grid_ccsds", scan=(0, 1, 1, 1), **PRODUCTS[2])]
FORMS["ccsds_levels_2"] = [{**spec, "packing": "grid_ccsds"} for spec in FORMS["levels_2"]]

out = {}
for name, specs in FORMS.items():
    described = []
    planes = []
    with open(folder / f"{name}.grib", "wb") as file:
        for spec in specs:
            handle = message(**spec)
            ec.codes_write(handle, file)
            ec.codes_set(handle, "missingValue", -1e300)
            points = ec.codes_get_values(handle)
            scans = [ec.codes_get(handle, key) for key in ("jPointsAreConsecutive", "alternativeRowScanning", "iScansNegatively", "jScansPositively")]
            lines = points.reshape((COLUMNS, ROWS) if scans[0] else (ROWS, COLUMNS)).copy()
            if scans[1]:
                lines[1::2] = lines[1::2, ::-1]
            plane = lines.T if scans[0] else lines
            plane = plane[:, ::-1] if scans[2] else plane
            plane = plane[::-1] if scans[3] else plane
            planes.append(np.where(plane == -1e300, np.nan, plane))
            keys = ("shortName", "cfVarName", "units", "typeOfLevel", "level", "validityDate", "validityTime", "packingType", "number")
            described.append({key: ec.codes_get(handle, key) if ec.codes_is_defined(handle, key) else None for key in keys})
    np.array(planes, dtype="<f8").tofile(folder / f"{name}.f64")
    out[name] = described

# Grids and levels that are refused.
with open(folder / "layer.grib", "wb") as file:
    layer = dict(typeOfFirstFixedSurface=100, scaleFactorOfFirstFixedSurface=0, scaledValueOfFirstFixedSurface=50000)
    layer |= dict(typeOfSecondFixedSurface=100, scaleFactorOfSecondFixedSurface=0, scaledValueOfSecondFixedSurface=40000)
    ec.codes_write(message(2, paramId=130, **layer), file)
SAMPLES = {
    "reduced_gg": "reduced_gg_pl_32_grib2",
    "gaussian": "regular_gg_pl_grib2",
    "spectral": "sh_pl_grib2",
    "reduced_gg_1": "reduced_gg_pl_32_grib1",
    "spectral_1": "sh_pl_grib1",
}
for name, sample in SAMPLES.items():
    with open(folder / f"{name}.grib", "wb") as file:
        ec.codes_write(ec.codes_grib_new_from_samples(sample), file)

try:
    import cfgrib
    import xarray as xr

    data = xr.open_dataset(folder / "levels_2.grib", engine="cfgrib", backend_kwargs={"indexpath": ""})
    out["cfgrib"] = {
        "names": list(data.data_vars),
        "levels": [float(level) for level in np.atleast_1d(data.isobaricInhPa.values)],
        "times": [str(time)[:16] for time in np.atleast_1d(data.valid_time.values)],
        "sum": float(np.asarray(data.u.values, dtype="f8").sum()),
    }
except ImportError:
    pass
print(json.dumps(out))
