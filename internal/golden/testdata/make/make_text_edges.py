"""TextVectorization at its edges: bytes that are no UTF-8, given vocabularies, empty tokens, n-grams, settings refused.

    pip install tensorflow==2.20.0 keras==3.15.1 safetensors
    python make_text_edges.py [--seed N] [--out DIR]
"""
import base64

from common import Topic, arguments
import numpy as np
import keras
import tensorflow as tf

args = arguments(__doc__).parse_args()
t = Topic("text_edges", args)
TV = keras.layers.TextVectorization
PUNCTUATION = r'[!"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\']'


def add(name, kw, inputs, adapt=None, vocabulary=None, idf=None, split_at=None):
    """The inputs are a column, (rows, 1): one text a row also where nothing is split."""
    try:
        v = TV(**kw, **({"split": lambda x: tf.strings.split(x, split_at)} if split_at else {}))
        if adapt is not None: v.adapt([[q] for q in adapt])
        if vocabulary is not None: v.set_vocabulary(vocabulary, **({} if idf is None else {"idf_weights": idf}))
        y = v(tf.constant([[q] for q in inputs]))
        ragged = isinstance(y, tf.RaggedTensor)
        e = {"output": {"ragged": [[int(q) for q in row] for row in y.to_list()]} if ragged else t.array(name + "/output", y.numpy()),
             "vocabulary": [str(w) for w in v.get_vocabulary()], "words": [str(w) for w in v.get_vocabulary(include_special_tokens=False)]}
        if kw.get("output_mode") == "tf_idf":
            e["idf_weights"] = [float(q) for q in np.ravel(v._lookup_layer.idf_weights.numpy())]
    except Exception as ex:
        e = {"error": type(ex).__name__, "message": str(ex).splitlines()[0][:120]}
    t.case(name, kw, adapt=adapt, set_vocabulary=vocabulary, set_idf_weights=idf, split_at=split_at, inputs=inputs, expected=e)


probe = ["a b c", "", "zz a a"]
modes = ["int", "multi_hot", "count", "tf_idf"]
for mode in modes:
    m = dict(output_mode=mode)
    idf = lambda *w: w if mode == "tf_idf" else None
    add(f"adapt_empty_texts/{mode}", m, probe, adapt=["", ""])
    add(f"adapt_only_unk/{mode}", dict(m, standardize=None), probe, adapt=["[UNK]"])
    add(f"vocabulary_empty/{mode}", m, probe, vocabulary=[], idf=idf())
    for n in [-1, 1, 2, 3]:
        add(f"max_tokens_{n}/{mode}", dict(m, max_tokens=n), probe, adapt=["a b c a"])
    add(f"vocabulary_as_large_as_max/{mode}", dict(m, max_tokens=4 if mode == "int" else 3), probe, vocabulary=["a", "b"], idf=idf(.3, .7))
    add(f"vocabulary_too_large/{mode}", dict(m, max_tokens=3 if mode == "int" else 2), probe, vocabulary=["a", "b"], idf=idf(.3, .7))
    add(f"vocabulary_begins_with_unk/{mode}", m, probe, vocabulary=["[UNK]", "a", "b"], idf=idf(.1, .3, .7))
    add(f"vocabulary_begins_with_both/{mode}", m, probe, vocabulary=["", "[UNK]", "a", "b"], idf=idf(.1, .2, .3, .7))
    add(f"vocabulary_has_empty_word/{mode}", m, probe, vocabulary=["a", "", "b"], idf=idf(.1, .2, .3))
    add(f"vocabulary_has_unk/{mode}", dict(m, standardize=None), ["[UNK] a b"], vocabulary=["a", "[UNK]", "b"], idf=idf(.1, .2, .3))
    add(f"vocabulary_only_unk/{mode}", m, probe, vocabulary=["[UNK]"], idf=idf(.1))
    add(f"vocabulary_padded/{mode}", dict(m, max_tokens=6, pad_to_max_tokens=True), probe, vocabulary=["a", "b"], idf=idf(.3, .7))
    add(f"no_split/{mode}", dict(m, split=None), ["ab c", "a", "", "x"], adapt=["ab c", "ab c", "x", ""])
    add(f"no_split_ngrams/{mode}", dict(m, split=None, ngrams=2), ["ab c", "a", ""], adapt=["ab c"])
    add(f"empty_tokens/{mode}", dict(m, standardize=None), ["a,,b", "", "zz,,q", ",,,,"], adapt=["a,,b,a", "", "a"], split_at=",")
    add(f"empty_tokens_ngrams/{mode}", dict(m, standardize=None, ngrams=2), ["a,,b", "", ","], adapt=["a,,b,a", "", "a"], split_at=",")
    add(f"all_rows_empty/{mode}", m, ["", ""], adapt=["a b a"])
    add(f"unk_in_texts/{mode}", dict(m, standardize=None), ["[UNK] a zz"], adapt=["[UNK] a b", "a", "[UNK]"])
    add(f"character_ngrams/{mode}", dict(m, split="character", ngrams=2), ["ab", "a", "", "b  c"], adapt=["ab c", "a  b"])
    add(f"length_3/{mode}", dict(m, output_sequence_length=3), probe, adapt=["a b"])
    add(f"pad_without_max/{mode}", dict(m, pad_to_max_tokens=True), probe, adapt=["a b"])
    add(f"ragged/{mode}", dict(m, ragged=True), probe, adapt=["a b"])
add("tf_idf_without_weights", dict(output_mode="tf_idf"), probe, vocabulary=["a", "b"])
add("tf_idf_with_few_weights", dict(output_mode="tf_idf"), probe, vocabulary=["a", "b"], idf=[.3])
add("weights_of_another_mode", {}, probe, vocabulary=["a", "b"], idf=[.3, .7])
add("no_split_length", dict(split=None, output_sequence_length=3), ["ab c", "a", ""], adapt=["ab c"])
add("ragged_length", dict(ragged=True, output_sequence_length=2), ["a b c", "b", ""], adapt=["a b c"])
for n in [1, (2, 1), (2, 2), (1, 1), (3,), (4, 2, 1)]:
    add(f"ngrams_{n}", dict(ngrams=n, ragged=True), ["a b c", "", "c", "zz a b"], adapt=["a b c"])
add("ngrams_(0,)", dict(ngrams=(0,), ragged=True), ["a b c"], adapt=["a b c"])
add("ngrams_length", dict(ngrams=2, output_sequence_length=4), ["a b c", "", "c"], adapt=["a b c"])

# Bytes: pieces of characters, punctuation and white space in any order.
pieces = [b"a", b"B", b" ", b"!", b"'", b"-", b"\t", b"\x0b", b"\r", b"\0", b"\x1c", b"\x85", b"\xa0", b"\xff", b"\xe4", b"\xb8", b"\xad", b"\xf0",
          b"\x9f", b"\x98", b"\x80", b"\xc3", b"\xa9", b"\xed", b"\xf4", b"\x8f", b"\x90", b"\xc0", b"\xc2", b"\xe0", b"\xef", b"\xbf", b"\xbd", b"\xf8",
          "é".encode(), "中".encode(), "😀".encode(), b"\xc2\xa0", b"\xe2\x80\x83"]
texts = [b"".join(pieces[k] for k in t.rng.randint(0, len(pieces), t.rng.randint(1, 9))) for _ in range(400)]
x = tf.constant(texts)
b64 = lambda q: base64.b64encode(q).decode()
t.case("bytes", {}, base64=[b64(q) for q in texts], expected={
    "lower": [b64(q) for q in tf.strings.lower(x).numpy()],
    "strip_punctuation": [b64(q) for q in tf.strings.regex_replace(x, PUNCTUATION, "").numpy()],
    "whitespace": [[b64(q) for q in row] for row in tf.strings.split(x).to_list()],
    "character": [[b64(q) for q in row] for row in tf.strings.unicode_split(x, "UTF-8").to_list()]})
t.save()
