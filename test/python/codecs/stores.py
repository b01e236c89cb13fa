"""Zarr arrays in every form that is read, and what Python reads of damaged chunks of them.

make FOLDER                   writes one group an array, FOLDER/NAME with the array `a`, its values as float64 in
                              FOLDER/NAME.bin, and FOLDER/NAME.bomb, a chunk of the same codecs that holds many times as
                              much; prints the names, and each array's first chunk file, as JSON
read FOLDER NAME CASES START  for each case (4 bytes of length, the bytes) in the file CASES, from number START on, puts it
                              in the place of the first chunk and prints the number with the checksum of the values, or -
"""
import json
import os
import shutil
import sys
import zlib

import numpy as np
import zarr

VERSION = int(zarr.__version__.split(".")[0])
SHAPE, CHUNKS = (3, 45, 60), (2, 45, 60)


def values(dtype="f4", scale=5.0):
    rng = np.random.default_rng(7)
    smooth = 280 + 10 * np.sin(np.arange(np.prod(SHAPE)).reshape(SHAPE) / 700.0)
    v = smooth + rng.normal(0, scale, SHAPE)
    if np.dtype(dtype).kind == "f":
        return v.astype(dtype)
    return np.round(v if np.dtype(dtype).itemsize > 1 else v - 280).astype(dtype)


def forms_v2():
    import numcodecs as n

    v = values()
    forms = {}

    def add(name, data=v, **kwargs):
        forms["v2-" + name] = (data, {"chunks": CHUNKS, "compressor": None, **kwargs})

    for c in ("blosclz", "lz4", "lz4hc", "zlib", "zstd"):
        for shuffle, s in enumerate(("none", "bytes", "bits")):
            add(f"blosc-{c}-{s}", compressor=n.Blosc(c, 5, shuffle))
    add("blosc-blocks", compressor=n.Blosc("lz4", 5, 1, blocksize=4096))
    add("blosc-bits-blocks", compressor=n.Blosc("zstd", 5, 2, blocksize=1000))
    add("blosc-f8", values("f8"), compressor=n.Blosc("lz4", 5, 1))
    add("blosc-i2", values("i2"), compressor=n.Blosc("lz4", 5, 1))
    add("blosc-small", v[:1, :2, :3], chunks=(1, 2, 3), compressor=n.Blosc("lz4", 5, 1))
    add("zstd", compressor=n.Zstd(3))
    if "checksum" in n.Zstd(1).get_config():
        add("zstd-checksum", compressor=n.Zstd(3, checksum=True))
    add("lz4", compressor=n.LZ4())
    add("zlib", compressor=n.Zlib(1))
    add("gzip", compressor=n.GZip(1))
    add("none")
    for c in ("CRC32", "Adler32", "Fletcher32", "CRC32C"):
        if hasattr(n, c):
            add(c.lower(), filters=[getattr(n, c)()])
            add(c.lower() + "-zlib", filters=[getattr(n, c)()], compressor=n.Zlib(1))
    if "location" in getattr(n, "CRC32")().get_config():
        add("crc32-end", filters=[n.CRC32(location="end")])
        add("crc32c-start", filters=[n.CRC32C(location="start")])
    add("shuffle", filters=[n.Shuffle(4)], compressor=n.Zlib(1))
    add("shuffle-8", values("f8"), filters=[n.Shuffle(8)], compressor=n.Zlib(1))
    add("shuffle-2-of-4", filters=[n.Shuffle(2)], compressor=n.Zlib(1))
    add("bitround", filters=[n.BitRound(8)], compressor=n.Blosc("lz4"))
    add("delta-i2", values("i2"), filters=[n.Delta("<i2")], compressor=n.Zlib(1))
    add("delta-i8", values("i8"), filters=[n.Delta("<i8", "<i4")], compressor=n.Zlib(1))
    add("delta-f4", filters=[n.Delta("<f4")], compressor=n.Zlib(1))
    add("scale-i2", filters=[n.FixedScaleOffset(280, 100, "<f4", "<i2")], compressor=n.Blosc("zstd"))
    add("scale-f4", filters=[n.FixedScaleOffset(280, 3, "<f4", "<f4")])
    add("scale-f8-i4", values("f8"), filters=[n.FixedScaleOffset(280.5, 1000.5, "<f8", "<i4")])
    add("scale-delta-crc", filters=[n.FixedScaleOffset(280, 100, "<f4", "<i2"), n.Delta("<i2"), n.CRC32()])
    add("quantize", filters=[n.Quantize(2, "<f4")], compressor=n.Zlib(1))
    add("quantize-f8", values("f8"), filters=[n.Quantize(1, "<f8", "<f4")], compressor=n.Zlib(1))
    add("astype", values("f8"), filters=[n.AsType("<f4", "<f8")], compressor=n.Zlib(1))
    for d in ("<f2", ">f2", "<f8", ">f8", ">f4", "|i1", "|u1", "<i2", ">i2", "<u2", "<i4", ">u4", "<i8", ">i8"):
        add("type-" + {"<": "le", ">": "be", "|": ""}[d[0]] + d[1:], values(d), compressor=n.Blosc("lz4"))
    add("order-f", order="F", compressor=n.Blosc("lz4"))
    add("order-f-be-delta", values(">f4"), order="F", filters=[n.Delta(">f4")], compressor=n.Zlib(1))
    return forms


def forms_v3():
    from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec
    import zarr.codecs.numcodecs as n

    v = values()
    forms = {}

    def add(name, data=v, **kwargs):
        forms["v3-" + name] = (data, {"chunks": CHUNKS, "compressors": None, **kwargs})

    for c in ("blosclz", "lz4", "lz4hc", "zlib", "zstd"):
        for s in ("noshuffle", "shuffle", "bitshuffle"):
            add(f"blosc-{c}-{s}", compressors=[BloscCodec(cname=c, clevel=5, shuffle=s, typesize=4)])
    add("zstd", compressors=[ZstdCodec(level=3)])
    add("zstd-checksum", compressors=[ZstdCodec(level=3, checksum=True)])
    add("gzip", compressors=[GzipCodec(level=1)])
    add("crc32c", compressors=[Crc32cCodec()])
    add("zstd-crc32c", compressors=[ZstdCodec(level=1), Crc32cCodec()])
    add("blosc-crc32c", compressors=[BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=4), Crc32cCodec()])
    for d in ("float16", "float64", "int8", "int16", "uint32", "int64"):
        add("type-" + d, values(d), compressors=[ZstdCodec(level=1)])
    for d in ("float16", "float32", "float64", "int16"):
        add("big-" + d, values(d), serializer=BytesCodec(endian="big"), compressors=[ZstdCodec(level=1)])
    add("transpose", filters=[TransposeCodec(order=(2, 0, 1))], compressors=[ZstdCodec(level=1)])
    add("transpose-big", filters=[TransposeCodec(order=(2, 1, 0))], serializer=BytesCodec(endian="big"))
    for name in ("Blosc", "LZ4", "Zstd", "Zlib", "GZip", "Shuffle"):
        options = {"elementsize": 4} if name == "Shuffle" else {}
        add("numcodecs-" + name.lower(), compressors=[getattr(n, name)(**options)])
    for name in ("CRC32", "CRC32C", "Adler32", "Fletcher32"):
        add("numcodecs-" + name.lower(), compressors=[n.Zlib(level=1), getattr(n, name)()])
    add("numcodecs-delta", values("i2"), filters=[n.Delta(dtype="<i2")], compressors=[n.Zlib(level=1)])
    add("numcodecs-scale", filters=[n.FixedScaleOffset(offset=280, scale=100, dtype="<f4", astype="<i2")])
    add("numcodecs-bitround", filters=[n.BitRound(keepbits=8)], compressors=[ZstdCodec(level=1)])
    add("numcodecs-quantize", filters=[n.Quantize(digits=2, dtype="<f4")], compressors=[ZstdCodec(level=1)])
    shard = {"shards": (2, 45, 60), "chunks": (1, 15, 20)}
    add("shard", **shard, compressors=[BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=4)])
    add("shard-crc", **shard, compressors=[ZstdCodec(level=1), Crc32cCodec()])
    for at in ("start", "end"):
        inner = [BytesCodec(endian="big"), ZstdCodec(level=1, checksum=True)]
        index = [BytesCodec(), Crc32cCodec()] if at == "start" else [BytesCodec()]
        codec = ShardingCodec(chunk_shape=(1, 15, 20), codecs=inner, index_codecs=index, index_location=at)
        add("shard-index-" + at, serializer=codec)
    inner = [TransposeCodec(order=(1, 0, 2)), BytesCodec()]
    add("shard-transpose", serializer=ShardingCodec(chunk_shape=(1, 15, 20), codecs=inner))
    return forms


def array(path, data, options):
    """The array `a` of a group at `path`, with its values."""
    if VERSION == 2:
        group = zarr.open_group(path, mode="w")
        a = group.create_dataset("a", shape=data.shape, dtype=data.dtype, fill_value=0, **options)
    else:
        group = zarr.open_group(path, mode="w", zarr_format=3)
        a = group.create_array("a", shape=data.shape, dtype=data.dtype.newbyteorder("="), fill_value=0, **options)
    a[...] = data
    return group["a"]


def bomb(path, data, options):
    """The file of a chunk of many times the rows, all alike."""
    times = 20 if "shard" in path else 1000
    options = dict(options)
    for key in ("chunks", "shards"):
        # the chunks of a shard stay as they are
        if key in options and not (key == "chunks" and "shards" in options):
            options[key] = (options[key][0] * times, *options[key][1:])
    shape = options.get("shards", options["chunks"])
    array(f"{path}.of", np.full(shape, 7, data.dtype), options)
    chunk = "a/0.0.0" if VERSION == 2 else "a/c/0/0/0"
    os.rename(f"{path}.of/{chunk}", f"{path}.bomb")
    shutil.rmtree(f"{path}.of")


def make(folder):
    made = {}
    for name, (data, options) in (forms_v2() if VERSION == 2 else forms_v3()).items():
        path = f"{folder}/{name}"
        try:
            array(path, data, options)[...].astype("f8").tofile(f"{path}.bin")
            bomb(path, data, options)
        except Exception as error:
            made[name] = {"error": repr(error)}
            continue
        made[name] = {"chunk": "0.0.0" if VERSION == 2 else "c/0/0/0"}
    print(json.dumps(made))


def read(folder, name, cases, start):
    path = f"{folder}/{name}"
    inside = {}
    for root, _, files in os.walk(path):
        for file in files:
            full = os.path.join(root, file)
            inside[os.path.relpath(full, path)] = open(full, "rb").read()
    key = "a/0.0.0" if VERSION == 2 else "a/c/0/0/0"
    if VERSION == 2:
        store = dict(inside)
        put = lambda b: store.__setitem__(key, b)
    else:
        from zarr.core.buffer import default_buffer_prototype

        buffer = default_buffer_prototype().buffer
        raw = {k: buffer.from_bytes(b) for k, b in inside.items()}
        store = zarr.storage.MemoryStore(raw)
        put = lambda b: store._store_dict.__setitem__(key, buffer.from_bytes(b))
    array = zarr.open_group(store, mode="r")["a"]
    data = open(cases, "rb").read()
    at = number = 0
    while at < len(data):
        n = int.from_bytes(data[at : at + 4], "little")
        if number >= start:
            put(data[at + 4 : at + 4 + n])
            print(number, end=" ", flush=True)
            try:
                got = array[: CHUNKS[0]]
                # the bits of a NaN are no value
                got = np.where(np.isnan(got.astype("f8")), np.nan, got.astype("f8"))
                print(zlib.crc32(np.ascontiguousarray(got).tobytes()), flush=True)
            except Exception:
                print("-", flush=True)
        at += 4 + n
        number += 1


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    read(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
