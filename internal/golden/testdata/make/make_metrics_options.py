"""Options of metrics that make_metrics.py does not record: lists of thresholds, label weights, infinite outputs, sequences.

    pip install tensorflow==2.20.0 keras==3.15.1 safetensors
    python make_metrics_options.py [--seed N] [--out DIR]
"""
from common import Topic, arguments
import numpy as np
import keras

args = arguments(__doc__).parse_args()
t = Topic("metrics_options", args)
r = t.rng
M = keras.metrics
SIZES = [4, 1, 7]
N = sum(SIZES)


def add(name, cls, kw, yt, yp, weights=None):
    """yt/yp: whole arrays, split into batches of SIZES."""
    yp, yt = np.asarray(yp, np.float32), np.asarray(yt)
    yt = yt.astype(np.float32) if yt.dtype.kind == "f" else yt.astype(np.int32)
    m = cls(**kw)
    key = f"{cls.__name__}/{name}"
    cut = np.cumsum([0] + SIZES)
    res = []
    for a, b in zip(cut, cut[1:]):
        m.update_state(yt[a:b], yp[a:b], None if weights is None else weights[a:b])
        v = np.asarray(keras.ops.convert_to_numpy(m.result()), np.float32)
        res.append([float(q) for q in v] if v.ndim else float(v))
    f = dict(y_true=t.array(key + "/y_true", yt), y_pred=t.array(key + "/y_pred", yp))
    if weights is not None:
        f["sample_weight"] = t.array(key + "/sample_weight", weights)
    t.case(key, kw, metric=cls.__name__, batch_sizes=SIZES, **f, expected={"name": m.name, "after_each_batch": res})


w = r.uniform(0.25, 2, N).astype(np.float32); w[::5] = 0
lab = lambda *s: r.randint(0, 2, s).astype(np.float32)
grid = lambda *s: (r.randint(0, 21, s) / 20.0).astype(np.float32)
logits = lambda *s: (r.randn(*s) * 2).astype(np.float32)
def near(n):
    """Tenths in float32 and their neighbours; not those of 0, which TensorFlow takes for 0."""
    v = (r.randint(0, 11, n) / 10.0).astype(np.float32)
    k = r.randint(-1, 2, n) * (v > 0)
    v = np.where(k < 0, np.nextafter(v, np.float32(-1)), np.where(k > 0, np.nextafter(v, np.float32(2)), v))
    return v.astype(np.float32)[:, None]
tenths = [i / 10 for i in range(11)]

for cls in [M.Precision, M.Recall, M.TruePositives, M.FalsePositives, M.TrueNegatives, M.FalseNegatives]:
    add("tenths", cls, {"thresholds": tenths}, lab(N, 1), near(N), w)
    add("tenths_outside", cls, {"thresholds": tenths}, lab(N, 1), logits(N, 1))
    add("unsorted", cls, {"thresholds": [0.7, 0.2, 0.2, 1.0, 0.0]}, lab(N, 2), grid(N, 2), w)
    add("two", cls, {"thresholds": [0.9, 0.1]}, lab(N, 1), logits(N, 1))
    add("labels_not_0_or_1", cls, {}, r.randint(-1, 4, (N, 2)), grid(N, 2))
    add("rank_1", cls, {"thresholds": 0.0}, lab(N), logits(N, 1))
for cls in [M.Precision, M.Recall]:
    add("top_k_thresholds", cls, {"top_k": 2, "thresholds": [0.8, 0.3]}, lab(N, 4), grid(N, 4), w)
    add("top_k_class_id", cls, {"top_k": 2, "class_id": 2}, lab(N, 4), grid(N, 4), w)
    add("top_k_logits", cls, {"top_k": 3}, lab(N, 5), logits(N, 5))
    add("top_k_all", cls, {"top_k": 3}, lab(N, 3), grid(N, 3))
    add("class_id_weighted", cls, {"class_id": 0, "thresholds": 0.25}, lab(N, 3), grid(N, 3), w)
for curve in ["ROC", "PR"]:
    for sm in ["interpolation", "minoring", "majoring"]:
        for name, kw in [("uneven", {"thresholds": [0.9, 0.2, 0.55]}), ("tenths", {"thresholds": tenths[1:-1]}), ("two", {"num_thresholds": 2}), ("three", {"num_thresholds": 3})]:
            add(f"{curve}_{sm}_{name}", M.AUC, {"curve": curve, "summation_method": sm, **kw}, lab(N, 1), near(N), w)
    add(f"{curve}_columns", M.AUC, {"curve": curve}, lab(N, 3), r.rand(N, 3), w)
    add(f"{curve}_label_weights", M.AUC, {"curve": curve, "label_weights": [0.5, 0.0, 3.0]}, lab(N, 3), r.rand(N, 3), w)
    add(f"{curve}_multi_label", M.AUC, {"curve": curve, "multi_label": True}, lab(N, 3), r.rand(N, 3), w)
    add(f"{curve}_multi_label_weights", M.AUC, {"curve": curve, "multi_label": True, "label_weights": [0.5, 0.0, 3.0]}, lab(N, 3), r.rand(N, 3), w)
    add(f"{curve}_multi_label_logits", M.AUC, {"curve": curve, "multi_label": True, "from_logits": True}, lab(N, 2), logits(N, 2))
    add(f"{curve}_outside", M.AUC, {"curve": curve}, lab(N, 1), logits(N, 1))
for avg in [None, "micro", "macro", "weighted"]:
    for beta in [0.5, 2.0]:
        add(f"{avg}_{beta}", M.FBetaScore, {"average": avg, "beta": beta, "threshold": 0.35}, lab(N, 3), grid(N, 3), w)
    add(f"{avg}_ties", M.FBetaScore, {"average": avg}, lab(N, 3), r.randint(0, 2, (N, 3)), w)
    add(f"{avg}_negative", M.F1Score, {"average": avg}, lab(N, 3), -np.abs(logits(N, 3)))
    add(f"{avg}_soft_labels", M.F1Score, {"average": avg, "threshold": 0.5}, r.rand(N, 3), grid(N, 3), w)
    add(f"{avg}_one_output", M.F1Score, {"average": avg, "threshold": 0.5}, lab(N, 1), grid(N, 1), w)
p = logits(N, 6); p[2, 1] = np.nan; p[3, 0] = np.inf; p[5, 4] = -np.inf
i = r.randint(0, 6, N)
add("not_finite", M.TopKCategoricalAccuracy, {"k": 3}, np.eye(6)[i], p, w)
add("not_finite", M.SparseTopKCategoricalAccuracy, {"k": 3}, i, p, w)
add("no_class", M.SparseTopKCategoricalAccuracy, {"k": 3}, np.where(np.arange(N) % 3, i, 6), logits(N, 6))
add("default", M.SparseTopKCategoricalAccuracy, {}, i, logits(N, 6))
add("default", M.TopKCategoricalAccuracy, {}, np.eye(6)[i], logits(N, 6))
i = r.randint(0, 6, (N, 2))
add("steps", M.SparseTopKCategoricalAccuracy, {"k": 2}, i, logits(N, 2, 6), w)
add("steps", M.TopKCategoricalAccuracy, {"k": 2}, np.eye(6)[i], logits(N, 2, 6), w)
for cls in [M.MeanSquaredError, M.MeanAbsoluteError, M.RootMeanSquaredError]:
    add("steps", cls, {}, logits(N, 2, 3), logits(N, 2, 3), w)
    add("rank_1", cls, {}, logits(N), logits(N, 1), w)
for kw in [{"from_logits": True}, {"label_smoothing": 0.2}, {"from_logits": True, "label_smoothing": 0.3}]:
    name = "_".join(kw)
    x = logits(N, 3)
    q = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    add(name, M.BinaryCrossentropy, kw, lab(N, 3), x if "from_logits" in kw else r.rand(N, 3), w)
    add(name, M.CategoricalCrossentropy, kw, np.eye(3)[r.randint(0, 3, N)], x if "from_logits" in kw else q, w)
    if "label_smoothing" not in kw:
        add(name, M.SparseCategoricalCrossentropy, kw, r.randint(0, 3, (N, 1)), x, w)
t.save()
