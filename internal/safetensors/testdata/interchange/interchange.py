"""Exchanges files with Hugging Face's implementation.

    python -m venv venv && venv/bin/pip install torch numpy safetensors==0.8.0 ml_dtypes huggingface_hub
    venv/bin/python interchange.py make     writes the files beside it, and expected.json with every value in them
    venv/bin/python interchange.py check    opens linnet-*.safetensors, which linnet wrote, compares every value with the
                                            formulas below, and writes checked.json

linnet's files come from "LINNET_UPDATE=1 go test -run TestWrittenForOthers ./internal/safetensors". The tests read all of it.
"""
import hashlib, json, os, shutil, sys

import huggingface_hub, ml_dtypes, numpy as np, safetensors, safetensors.numpy, safetensors.torch, torch

here = os.path.dirname(os.path.abspath(__file__))
versions = {m.__name__: m.__version__.split("+")[0] for m in (huggingface_hub, ml_dtypes, np, safetensors, torch)}
ODD_NAME = 'a "name" <&>\u2028 \u00e9\U0001f426\n'


def path(*names):
    return os.path.join(here, *names)


def raw(t):
    """The little-endian bytes of a contiguous array."""
    if isinstance(t, torch.Tensor):
        return t.contiguous().view(torch.uint8).numpy().tobytes() if t.dim() else t.reshape(1).view(torch.uint8).numpy().tobytes()
    return np.ascontiguousarray(t).tobytes()


def describe(tensors, names):
    """What each tensor is; float32 is what its own framework makes of the types that linnet reads so."""
    out = {}
    for name, t in tensors.items():
        d = {"dtype": names[name], "shape": list(t.shape), "bytes": raw(t).hex()}
        if names[name] in ("F32", "F16", "BF16", "I8", "F64"):
            f = t.to(torch.float32) if isinstance(t, torch.Tensor) else t.astype(np.float32)
            d["float32"] = raw(f).hex()
        out[name] = d
    return out


def make():
    expected = {}
    # NumPy: the types that it has, no elements, a scalar, names and metadata that must be escaped.
    names = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "uint64": "U64", "int32": "I32", "uint32": "U32",
             "int16": "I16", "uint16": "U16", "int8": "I8", "uint8": "U8", "bool": "BOOL", "complex64": "C64"}
    tensors, types = {}, {}
    for n, t in names.items():
        tensors[n] = (np.arange(6).reshape(2, 3) * 41 % 7 - (0 if n[0] in "ub" else 3)).astype(n)
        types[n] = t
    for n, a, t in [("scalar", np.array(-2.5, np.float32), "F32"), ("empty", np.zeros((3, 0, 2), np.float32), "F32"),
                    (ODD_NAME, np.array([1, np.inf, -0.0, np.nan], np.float32), "F32"), ("", np.array([7], np.int8), "I8")]:
        tensors[n], types[n] = a, t
    metadata = {"format": "np", 'k"\u00e9\n': '<&>\u2028"\\\t\x01\x7f'}
    safetensors.numpy.save_file(tensors, path("numpy.safetensors"), metadata)
    expected["numpy.safetensors"] = {"metadata": metadata, "tensors": describe(tensors, types)}

    # Every half-precision number of a sample that has the first and last of each exponent, with ml_dtypes for bfloat16.
    bits = np.unique(np.concatenate([np.arange(0, 65536, 97), np.arange(0, 65536, 1024), np.arange(1023, 65536, 1024),
                                     np.arange(0, 65536, 128), np.arange(127, 65536, 128), [1, 2, 0x7bff, 0x7e01]])).astype(np.uint16)
    tensors = {"f16": bits.view(np.float16), "bf16": bits.view(ml_dtypes.bfloat16)}
    spec = {n: safetensors.TensorSpec(dtype=a.dtype.name, shape=a.shape, data_ptr=a.ctypes.data, data_len=a.nbytes) for n, a in tensors.items()}
    safetensors.serialize_file(spec, path("halves.safetensors"))
    expected["halves.safetensors"] = {"metadata": None, "tensors": describe(tensors, {"f16": "F16", "bf16": "BF16"})}

    # PyTorch: its types, a view that is not contiguous until saved, no metadata but what the writer adds.
    tensors, types = {}, {}
    for t, d in safetensors.torch._TYPES.items():
        x = torch.arange(12).reshape(3, 4) % 5
        tensors[t], types[t] = (x if t[0] in "UB" and t != "BF16" else x - 2).to(d), t
    tensors["scalar"], types["scalar"] = torch.tensor(3.25), "F32"
    tensors["empty"], types["empty"] = torch.zeros(0, 5, dtype=torch.bfloat16), "BF16"
    tensors["transposed"], types["transposed"] = torch.arange(6.0).reshape(2, 3).t().contiguous(), "F32"
    safetensors.torch.save_file(tensors, path("torch.safetensors"), {"format": "pt"})
    expected["torch.safetensors"] = {"metadata": {"format": "pt"}, "tensors": describe(tensors, types)}

    # The types that only the format's own interface takes.
    block = np.arange(24, dtype=np.uint8)
    spec, tensors = {}, {}
    for n, t in [("float4_e2m1fn_x2", "F4"), ("float8_e8m0fnu", "F8_E8M0"), ("float8_e4m3fnuz", "F8_E4M3FNUZ"), ("float8_e5m2fnuz", "F8_E5M2FNUZ")]:
        spec[n] = safetensors.TensorSpec(dtype=n, shape=(24,), data_ptr=block.ctypes.data, data_len=24)
        tensors[n] = {"dtype": t, "shape": [48 if t == "F4" else 24], "bytes": block.tobytes().hex()}
    safetensors.serialize_file(spec, path("small-floats.safetensors"))
    expected["small-floats.safetensors"] = {"metadata": None, "tensors": tensors}

    # A model in several files with an index.
    shutil.rmtree(path("sharded"), ignore_errors=True)
    os.mkdir(path("sharded"))
    g = torch.Generator().manual_seed(11)
    tensors = {f"layers.{i}.{n}": torch.randn(s, generator=g) for i in range(3) for n, s in [("weight", (4, 6)), ("bias", (6,))]}
    tensors["embedding.weight"] = torch.randn((10, 4), generator=g).to(torch.bfloat16)
    huggingface_hub.save_torch_state_dict(tensors, path("sharded"), max_shard_size=200)
    types = {n: "BF16" if t.dtype == torch.bfloat16 else "F32" for n, t in tensors.items()}
    expected["sharded/model.safetensors.index.json"] = {"metadata": {"format": "pt"}, "tensors": describe(tensors, types)}
    with open(path("expected.json"), "w") as f:
        json.dump({"versions": versions, "files": expected}, f, indent=1, ensure_ascii=True)
        f.write("\n")


def linnets():
    """What linnet wrote, by the same formulas as in the test."""
    i = np.arange
    f32, u16 = np.float32, np.uint16
    return {
        "f32/matrix": ((i(15) - 7) * 0.375).astype(f32).reshape(3, 5), "f32/scalar": np.array(1.5, f32), "f32/empty": np.zeros((0, 4), f32),
        "f32/wide": (i(64) / 16).astype(f32).reshape(4, 16), ODD_NAME: np.array([-0.5], f32),
        "f16": (0x3c00 + 97 * i(7)).astype(u16).view(np.float16), "bf16": (0x3f80 + 31 * i(7)).astype(u16).view(ml_dtypes.bfloat16),
        "i8": ((i(9) - 4) * 31).astype(np.int8), "u8": (50 * i(5)).astype(np.uint8),
        "i32": ((i(6) - 3) * 100_000_007).astype(np.int32).reshape(2, 3), "i64": ((i(3) - 1) << 40).astype(np.int64),
        "u8/wide": i(128).astype(np.uint8), "bool": np.array([1, 0, 0, 1], bool), "f64": np.array([0.1, -1e300]),
        "f8": np.array([0x38, 0x7e, 0x81], np.uint8).view(ml_dtypes.float8_e4m3fn),
    }


def check():
    want = linnets()
    metadata = {"note": '\u00fc "<&>\n'}
    result = {"versions": versions, "files": {}}
    for name in ("linnet-reference.safetensors", "linnet-aligned.safetensors"):
        with open(path(name), "rb") as f:
            content = f.read()
        with safetensors.safe_open(path(name), framework="pt") as f:
            assert f.metadata() == metadata, f.metadata()
            assert set(f.keys()) == set(want), f.keys()
            for n, a in want.items():
                t = f.get_tensor(n)
                assert list(t.shape) == list(a.shape) and raw(t) == raw(a), n
                assert str(t.dtype) == "torch." + a.dtype.name, (n, t.dtype)
        if "aligned" in name:
            start = 8 + int.from_bytes(content[:8], "little")
            header = json.loads(content[8:start])
            for n, a in want.items():
                at = start + header[n]["data_offsets"][0]
                assert at % (64 if a.nbytes % 64 == 0 else a.dtype.itemsize) == 0, (n, at)
        else:
            keep = {n: np.ascontiguousarray(a) for n, a in want.items()}
            spec = {n: safetensors.TensorSpec(dtype=a.dtype.name, shape=want[n].shape, data_ptr=a.ctypes.data, data_len=a.nbytes) for n, a in keep.items()}
            assert bytes(safetensors.serialize(spec, metadata)) == content, "the reference implementation writes other bytes"
        result["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "tensors": len(want)}
    with open(path("checked.json"), "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")


{"make": make, "check": check}[sys.argv[1]]()
