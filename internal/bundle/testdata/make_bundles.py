"""Writes bundles.zip: small bundles of TensorFlow, and what it reads from them.

usage: python make_bundles.py bundles.zip
needs: pip install tensorflow-cpu==2.19.1
"""
import base64, json, os, sys, tempfile, zipfile
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np, tensorflow as tf
v1 = tf.compat.v1

OUT, FOLDER = os.path.abspath(sys.argv[1]), tempfile.mkdtemp()
rng = np.random.RandomState(1)

# types: every type that the reader has to know the size of, strings of all lengths, an empty tensor, a scalar.
types = {t.name: tf.cast(rng.randint(0, 100, (2, 3)), t) for t in (
    tf.float32, tf.float64, tf.float16, tf.bfloat16, tf.int8, tf.uint8, tf.int16, tf.uint16, tf.int32, tf.uint32, tf.int64, tf.uint64, tf.bool, tf.complex64)}
types["strings"] = tf.constant([b"", b"a", b"\x00\xff", b"x" * 300, "\u00e9".encode()])
types["no strings"] = tf.zeros([0, 2], tf.string)
types["empty"] = tf.zeros([0, 4])
types["scalar"] = tf.constant(3.5)
names = sorted(types)
tf.raw_ops.SaveV2(prefix=FOLDER + "/types", tensor_names=names, shape_and_slices=[""] * len(names), tensors=[types[n] for n in names])

# many: so many long names that the index has several blocks, of which some pay to compress.
names = ["model/block_%03d/layer/with/a/long/name/kernel" % i for i in range(400)]
tf.raw_ops.SaveV2(prefix=FOLDER + "/many", tensor_names=names, shape_and_slices=[""] * 400,
                  tensors=[tf.constant(np.full((1, 2), i, np.float32)) for i in range(400)])

# shards: two data files; a tensor in three parts (of unequal size, in names that need escapes) and one cut across columns.
parts = rng.uniform(-1, 1, (200, 3)).astype(np.float32)
columns = rng.uniform(-1, 1, (4, 6)).astype(np.float32)
name = "odd\x00name\u00ff"
tf.raw_ops.SaveV2(prefix=FOLDER + "/a", tensor_names=[name, name, "columns", "one"],
                  shape_and_slices=["200 3 0,70:0,3", "200 3 70,66:0,3", "4 6 0,4:0,2", ""], tensors=[parts[:70], parts[70:136], columns[:, :2], tf.ones([2])])
tf.raw_ops.SaveV2(prefix=FOLDER + "/b", tensor_names=[name, "columns", "two"], shape_and_slices=["200 3 136,64:-", "4 6 0,4:2,4", ""],
                  tensors=[parts[136:], columns[:, 2:], tf.constant([2.0])])
tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=[FOLDER + "/a", FOLDER + "/b"], destination_prefix=FOLDER + "/shards")

expected = {}
for b in ("types", "many", "shards"):
    r = tf.train.load_checkpoint(FOLDER + "/" + b)
    entries = {}
    if b == "shards": listed = {name: parts, "columns": columns, "one": np.ones(2, np.float32), "two": np.float32([2])}
    else: listed = {k: r.get_tensor(k) for k in r.get_variable_to_shape_map()}
    for k, a in listed.items():
        a = np.asarray(a)
        e = dict(key=base64.b64encode(k.encode()).decode(), shape=list(a.shape), dtype="string" if a.dtype == object else a.dtype.name)
        if a.dtype == object: e["strings"] = [base64.b64encode(s).decode() for s in a.reshape(-1)]
        else: e["bytes"] = base64.b64encode(a.tobytes()).decode()
        entries[e["key"]] = e
    expected[b] = [entries[k] for k in sorted(entries)]

with zipfile.ZipFile(OUT, "w", zipfile.ZIP_DEFLATED) as z:
    def add(name, data): z.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    add("expected.json", json.dumps(expected))
    for f in sorted(os.listdir(FOLDER)): add(f, open(os.path.join(FOLDER, f), "rb").read())
