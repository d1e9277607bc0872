"""Loading and saving a model in a peer, on the models that bench/peers/linnet -models wrote: prints one JSON line.

usage: python load.py PEER load FOLDER MODEL       the time until the first prediction, libraries imported before
       python load.py torch|safetensors save FOLDER   the time until a file is saved, on the disk and under its name
       python load.py PEER make FOLDER             writes what load reads

PEER is torch, torch-mmap, safetensors, keras or fasttext; MODEL is tutorial or table, for fasttext texts.
"""
import argparse, json, os, time
p = argparse.ArgumentParser()
p.add_argument("peer", choices=["torch", "torch-mmap", "safetensors", "keras", "fasttext"]); p.add_argument("what", choices=["load", "save", "make"])
p.add_argument("folder"); p.add_argument("model", nargs="?", default="table"); p.add_argument("--threads", type=int, default=1)
a = p.parse_args()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
SIZES = dict(tutorial=(10000, 16), table=(963812, 50))

def path(name): return os.path.join(a.folder, name)
def read(name): return open(path(name), encoding="utf-8").read()
def linnet(model): return path(model + ".linnet")  # which is a safetensors file

def torch_peer():
    import torch, safetensors, safetensors.torch
    from torch.nn import functional as F
    torch.set_num_threads(a.threads)
    versions = {"torch": torch.__version__, "safetensors": safetensors.__version__}
    if a.what == "make":
        for model in SIZES: torch.save(safetensors.torch.load_file(linnet(model)), path(model + ".pt"))
        return versions, None
    if a.what == "save":
        tensors = safetensors.torch.load_file(linnet("table"))
        save = safetensors.torch.save_file if a.peer == "safetensors" else torch.save
        return versions, lambda name: save(tensors, name)
    ids = torch.tensor([int(i) for i in read("ids.txt").split()])[None]
    def state():
        if a.peer == "safetensors": return safetensors.torch.load_file(linnet(a.model))
        return torch.load(path(a.model + ".pt"), mmap=a.peer == "torch-mmap")
    def first():
        s = state()
        with torch.inference_mode():  # without modules, whose initial values would cost time, as would torch.device("meta")
            x = F.embedding_bag(ids, s["embedding/embeddings"], mode="mean")
            x = F.relu(F.linear(x, s["dense/kernel"].T, s["dense/bias"]))
            return torch.sigmoid(F.linear(x, s["dense_1/kernel"].T, s["dense_1/bias"])).item()
    return versions, first

def keras_peer():
    import numpy as np, tensorflow as tf, keras as k
    tf.config.threading.set_intra_op_parallelism_threads(a.threads); tf.config.threading.set_inter_op_parallelism_threads(a.threads)
    versions = {"keras": k.__version__, "tf": tf.__version__}
    if a.what == "make":
        from safetensors.numpy import load_file
        for model, (rows, dim) in SIZES.items():
            s = load_file(linnet(model))
            m = k.Sequential([k.layers.Input((256,), dtype="int32"), k.layers.Embedding(rows, dim), k.layers.GlobalAveragePooling1D(),
                              k.layers.Dense(16, activation="relu"), k.layers.Dense(1, activation="sigmoid")])
            m.set_weights([s[n] for n in ("embedding/embeddings", "dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias")])
            m.save(path(model + ".keras"))
        return versions, None
    ids = np.array([int(i) for i in read("ids.txt").split()], np.int32)[None]
    return versions, lambda: float(k.models.load_model(path(a.model + ".keras"))(ids)[0, 0])  # predict would trace a function first

def fasttext_peer():
    import fasttext
    from importlib.metadata import version
    versions = {"fasttext": version("fasttext-wheel")}
    if a.what == "make":  # as many words and dimensions, without n-grams
        words = read("words.txt").split("\n")
        with open(path("fasttext.txt"), "w", encoding="utf-8") as f:
            for i in range(0, len(words), 50): f.write("__label__%d %s\n" % (i // 50 % 2, " ".join(words[i:i + 50])))
        m = fasttext.train_supervised(path("fasttext.txt"), dim=50, epoch=1, minCount=1, thread=1, verbose=0)
        if not len(words) * .99 < len(m.words) < len(words) * 1.01: raise SystemExit("fastText has %d words of %d" % (len(m.words), len(words)))
        m.save_model(path("texts.bin"))
        return versions, None
    text = read("review.txt").replace("\n", " ") + "\n"
    # Its own predict, without the Python wrapper, which fails with this version of NumPy.
    return versions, lambda: fasttext.load_model(path("texts.bin")).f.predict(text, 1, 0.0, "strict")[0][0]

versions, run = dict(keras=keras_peer, fasttext=fasttext_peer).get(a.peer, torch_peer)()
result = dict(versions)
if a.what == "load":
    t = time.perf_counter(); y = run(); result.update(first_ms=(time.perf_counter() - t) * 1e3, prediction=y)
elif a.what == "save":
    name = path("saved-" + a.peer)
    def durable():  # neither does it by itself
        run(name + ".new")
        f = os.open(name + ".new", os.O_RDONLY); os.fsync(f); os.close(f)
        os.rename(name + ".new", name)
        d = os.open(a.folder, os.O_RDONLY); os.fsync(d); os.close(d)
    durable()
    t = time.perf_counter(); durable(); s = time.perf_counter() - t
    result.update(save_ms=s * 1e3, save_mbs=os.path.getsize(name) / 1e6 / s)
    os.remove(name)
print(json.dumps(result))
