"""Writes imdb.npz and imdb_word_index.json with invented reviews, and what Keras makes of them (NumPy 2.4).

load_data below follows keras/src/datasets/imdb.py step by step.
"""
import json
import numpy as np

words = "the film was good bad plot actors and but great awful ending".split()
train = [[1, 2, 3, 4], [1, 6, 3, 11, 9, 1, 7, 10], [5], [1, 12, 3, 4, 8, 10], [2, 5, 8, 11], [1, 2, 2, 2, 2, 2, 2, 9, 10]]
test = [[10, 2], [11, 6, 8, 5, 12], [1, 7, 3, 4], [4, 4, 4]]


def ragged(rows):
    a = np.empty(len(rows), dtype=object)
    a[:] = rows
    return a


x = {"x_train": ragged(train), "y_train": np.array([1, 1, 0, 1, 0, 1]), "x_test": ragged(test), "y_test": np.array([1, 0, 1, 1])}
np.savez_compressed("imdb.npz", **x)
with open("imdb_word_index.json", "w") as f:
    json.dump({w: i + 1 for i, w in enumerate(words)}, f)


def load_data(num_words=None, skip_top=0, maxlen=None, seed=113, start_char=1, oov_char=2, index_from=3):
    rng = np.random.RandomState(seed)
    rows, labels = [], []
    for name in "train", "test":
        order = np.arange(len(x["x_" + name]))
        rng.shuffle(order)
        r, l = x["x_" + name][order], x["y_" + name][order]
        if start_char is not None:
            r = [[start_char] + [w + index_from for w in row] for row in r]
        else:
            r = [[w + index_from for w in row] for row in r]
        if maxlen:
            kept = [(a, b) for a, b in zip(r, l) if len(a) < maxlen]
            r, l = [a for a, _ in kept], [b for _, b in kept]
            if not r:
                raise ValueError
        rows.append(r)
        labels.append([int(v) for v in l])
    if not num_words:
        num_words = max(max(row) for part in rows for row in part)
    inside = lambda w: skip_top <= w < num_words
    if oov_char is not None:
        rows = [[[int(w) if inside(w) else oov_char for w in row] for row in part] for part in rows]
    else:
        rows = [[[int(w) for w in row if inside(w)] for row in part] for part in rows]
    return {"train": rows[0], "train_labels": labels[0], "test": rows[1], "test_labels": labels[1]}


cases = {
    "defaults": {}, "num_words": dict(num_words=10), "skip_top": dict(skip_top=2), "skip_top_5": dict(skip_top=5), "maxlen": dict(maxlen=6),
    "maxlen_6_none": dict(maxlen=6, start_char=None), "seed_0": dict(seed=0), "seed_2147483647": dict(seed=2**31 - 1), "start_char_0": dict(start_char=0),
    "start_char_99": dict(start_char=99), "start_char_none": dict(start_char=None), "oov_char_0": dict(num_words=10, oov_char=0),
    "oov_char_none": dict(num_words=7, oov_char=None), "index_from_0": dict(index_from=0), "index_from_10": dict(index_from=10),
    "index_from_0_none": dict(index_from=0, start_char=None), "index_from_minus_1": dict(index_from=-1, start_char=None, oov_char=None),
    "maxlen_and_largest": dict(maxlen=5), "all": dict(num_words=12, skip_top=6, maxlen=8, seed=7, start_char=3, oov_char=4, index_from=1),
}
with open("expected.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps({"name": n, "config": c} | load_data(**c)) for n, c in cases.items()) + "\n]\n")
