"""Writes modules.zip: small text modules whose graphs differ, and what TensorFlow makes of a few texts with each.

usage: python make_modules.py modules.zip
needs: pip install tensorflow-cpu==2.19.1
"""
import json, os, sys, tempfile, zipfile
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np, tensorflow as tf
from tensorflow.python.ops import lookup_ops

OUT = os.path.abspath(sys.argv[1])
WORDS = ["the", "movie", "was", "a", "great", "The", "movie,"]
TEXTS = ["the movie, was great!", "", "great  the", "unknown words here", "a\tb the", "THE Movie", " was ", "great great great"]
FOLDER = tempfile.mkdtemp()
DIM = 4


class Module(tf.train.Checkpoint):
    def __init__(self, oov=3, hasher="fast", table="index", words="\n".join(WORDS) + "\n", clean="static", split="v2", fill=True,
                 embed="safe", combiner="sqrtn", parts=0, nested=True, init=None):
        super().__init__()
        self.o = dict(clean=clean, split=split, fill=fill, embed=embed, combiner=combiner, nested=nested)
        os.chdir(tempfile.mkdtemp())
        with open("tokens.txt", "w") as f: f.write(words)
        self._file = tf.saved_model.Asset("tokens.txt")
        n = len(words.splitlines())
        if table == "index":
            spec = lookup_ops.StrongHashSpec([1, 2]) if hasher == "strong" else lookup_ops.FastHashSpec
            self._table = lookup_ops.index_table_from_file(self._file, num_oov_buckets=oov, hasher_spec=spec)
        else:
            init = tf.lookup.TextFileInitializer(self._file, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64,
                                                 tf.lookup.TextFileIndex.LINE_NUMBER, vocab_size=n)
            self._table = tf.lookup.StaticVocabularyTable(init, num_oov_buckets=oov)
        values = np.random.RandomState(1).uniform(-1, 1, (n + oov, DIM)).astype(np.float32)
        if parts:
            self.embeddings = [tf.Variable(v, name="part") for v in np.array_split(values, parts)]
        else:
            self.embeddings = tf.Variable(values)
        self.values = values

    def tokens(self, s):
        o = self.o
        if o["clean"] == "static": s = tf.strings.regex_replace(s, r"\pP", "")
        if o["clean"] == "lower": s = tf.strings.lower(tf.strings.regex_replace(s, r"\p{P}+", ""))
        if o["clean"] == "utf8": s = tf.strings.lower(tf.strings.regex_replace(s, r"\pP", ""), encoding="utf-8")
        if o["clean"] == "tensor": s = tf.strings.regex_replace(s, tf.constant(r"\pP"), tf.constant(""))
        if o["clean"] == "other": s = tf.strings.regex_replace(s, r"[!,.]", "")
        if o["split"] == "v2": t = tf.strings.split(tf.reshape(s, [-1]), " ").to_sparse()
        if o["split"] == "white": t = tf.strings.split(s).to_sparse()
        if o["split"] == "limit": t = tf.strings.split(s, " ", maxsplit=2).to_sparse()
        if o["split"] == "v1": t = tf.SparseTensor(*tf.raw_ops.StringSplit(input=s, delimiter=" ", skip_empty=False))
        if o["split"] == "skip": t = tf.compat.v1.string_split(s, " ")
        if o["fill"]: t, _ = tf.sparse.fill_empty_rows(t, tf.constant(""))
        t = tf.sparse.reset_shape(t)
        return t.indices, self._table.lookup(t.values), t.dense_shape

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def _tokenize(self, s): return self.tokens(s)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, s):
        o = self.o
        ids = tf.SparseTensor(*(self._tokenize(s) if o["nested"] else self.tokens(s)))
        row = ids.indices[:, 0]
        if o["embed"] == "safe": return tf.nn.safe_embedding_lookup_sparse(self.embeddings, ids, combiner=o["combiner"])
        if o["embed"] == "plain": return tf.nn.embedding_lookup_sparse(self.embeddings, ids, None, combiner=o["combiner"])
        if o["embed"] == "mod":
            return tf.compat.v1.nn.embedding_lookup_sparse(self.embeddings, ids, None, combiner=o["combiner"], partition_strategy="mod")
        if o["embed"] == "norm": return tf.nn.embedding_lookup_sparse(self.embeddings, ids, None, combiner=o["combiner"], max_norm=1.0)
        if o["embed"] == "scaled": return 2 * tf.nn.embedding_lookup_sparse(self.embeddings, ids, None, combiner=o["combiner"])
        if o["embed"] == "max": return tf.math.segment_max(tf.gather(self.embeddings, ids.values), row)
        if o["embed"] == "divided":
            n = tf.math.segment_sum(tf.ones_like(ids.values, tf.float32), row)
            n = tf.sqrt(n) if o["combiner"] == "sqrtn" else n
            return tf.math.segment_sum(tf.gather(self.embeddings, ids.values), row) / tf.expand_dims(n, 1)


expected = {}
for name, options in {
    "index": {}, "static": dict(table="static", nested=False), "mean": dict(combiner="mean", clean="none"), "sum": dict(embed="plain", combiner="sum"),
    "lower": dict(clean="lower"), "tensor": dict(clean="tensor", oov=1), "v1": dict(split="v1"), "no-fill": dict(fill=False),
    "divided": dict(embed="divided"), "divided-mean": dict(embed="divided", combiner="mean"), "parts": dict(parts=3, oov=4),
    "bad-strong": dict(hasher="strong"), "bad-utf8": dict(clean="utf8"), "bad-pattern": dict(clean="other"), "bad-white": dict(split="white"),
    "bad-limit": dict(split="limit"), "bad-skip": dict(split="skip"), "bad-v1-no-fill": dict(split="v1", fill=False),
    "bad-mod": dict(embed="mod", parts=3), "bad-norm": dict(embed="norm"), "bad-scaled": dict(embed="scaled"), "bad-max": dict(embed="max"),
    "bad-no-oov": dict(oov=0), 
}.items():
    m = Module(**options)
    tf.saved_model.save(m, os.path.join(FOLDER, name))
    v = tf.saved_model.load(os.path.join(FOLDER, name))(tf.constant(TEXTS)).numpy()
    expected[name] = dict(vectors=v.tolist(), table=m.values.tolist())

# A module of TensorFlow 1: no objects, a table in four parts that the checkpoint holds as slices of one tensor.
with tf.compat.v1.Graph().as_default() as g:
    v1 = tf.compat.v1
    os.chdir(tempfile.mkdtemp())
    with open("tokens.txt", "w") as f: f.write("\n".join(WORDS) + "\n")
    path = tf.constant("tokens.txt")
    v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, path)
    table = lookup_ops.index_table_from_file(path, num_oov_buckets=3, hasher_spec=lookup_ops.FastHashSpec)
    values = np.random.RandomState(1).uniform(-1, 1, (len(WORDS) + 3, DIM)).astype(np.float32)
    var = v1.get_variable("embeddings", initializer=tf.constant(values), partitioner=v1.fixed_size_partitioner(4))
    s = v1.placeholder(tf.string, [None])
    t = tf.SparseTensor(*tf.raw_ops.StringSplit(input=tf.strings.regex_replace(s, r"\pP", ""), delimiter=" ", skip_empty=False))
    t, _ = tf.sparse.fill_empty_rows(t, tf.constant(""))
    t = tf.sparse.reset_shape(t)
    out = v1.nn.safe_embedding_lookup_sparse(var, tf.SparseTensor(t.indices, table.lookup(t.values), t.dense_shape), combiner="sqrtn")
    with v1.Session() as session:
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        b = v1.saved_model.Builder(os.path.join(FOLDER, "tf1"))
        b.add_meta_graph_and_variables(session, [], {"default": v1.saved_model.predict_signature_def({"default": s}, {"default": out})},
                                       assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS), main_op=v1.tables_initializer(), strip_default_attrs=True)
        b.save()
        expected["tf1"] = dict(vectors=session.run(out, {s: TEXTS}).tolist(), table=values.tolist())

with zipfile.ZipFile(OUT, "w", zipfile.ZIP_DEFLATED) as z:
    def add(name, data): z.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    add("expected.json", json.dumps(dict(texts=TEXTS, modules=expected)))
    for root, _, files in sorted(os.walk(FOLDER)):
        for f in sorted(files):
            if f == "fingerprint.pb": continue
            full = os.path.join(root, f)
            add(os.path.relpath(full, FOLDER).replace(os.sep, "/"), open(full, "rb").read())
