"""Writes the archives beside it (NumPy 2.4): object arrays of lists and integer arrays, as numpy.save and Python 2 write them."""
import io, pickle, struct, zipfile
import numpy as np

rows = [[1, 255, 256, 65535, 65536, 70000], [], [7], list(range(1005)), [-1, 2147483647, -2147483648], [5] * 40000]
x = np.empty(len(rows), dtype=object)
x[:] = rows


def header(shape, descr="|O"):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape},), }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text.encode() + b"\n"


def integer(v):
    if 0 <= v < 256:
        return b"K" + struct.pack("<B", v)
    if 0 <= v < 65536:
        return b"M" + struct.pack("<H", v)
    return b"J" + struct.pack("<i", v)


def python2():
    """What cPickle of Python 2 writes with protocol 2: no unicode, memo entries for lists, and a long integer."""
    out = (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01bq\x03\x87Rq\x04"
           b"(K\x01K\x06\x85cnumpy\ndtype\nq\x05U\x02O8K\x00K\x01\x87Rq\x06(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb\x89](")
    for i, row in enumerate(rows):
        out += b"]q" + bytes([7 + i])
        if row == [7]:
            out += b"\x8a\x01\x07a"  # the long integer 7L, alone
        else:
            for k in range(0, len(row), 1000):
                out += b"(" + b"".join(map(integer, row[k:k + 1000])) + b"e"
    return out + b"etb."


def write(name, members):
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as z:
        for member, data in members.items():
            info = zipfile.ZipInfo(member + ".npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(info, data)


def npy(array):
    b = io.BytesIO()
    np.save(b, array)
    return b.getvalue()


write("protocol2.npz", {"x": header(6) + python2()})
for p in 3, 4, 5:
    write(f"protocol{p}.npz", {"x": header(6) + pickle.dumps(x, protocol=p)})
write("ints.npz", {t.strip("<>|=") + ("_big" if t[0] == ">" else ""): npy(np.array([0, 1, 100], dtype=t))
                   for t in ("|i1", "|u1", "<i2", ">i2", "<u2", "<i4", ">u4", "<i8", ">i8", "<u8")}
      | {"negative": npy(np.array([-1, -128], dtype="|i1")), "wide": npy(np.array([1, 2**31])), "matrix": npy(np.zeros((2, 2), dtype=int)),
         "floats": npy(np.zeros(3)), "none": npy(np.zeros(0, dtype=int))})
tiny = np.empty(2, dtype=object)
tiny[:] = [[1, 14, 300], [70000]]
np.savez_compressed("tiny.npz", x=tiny, y=np.array([1, 0]))
