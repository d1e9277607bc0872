"""MultiHeadAttention: outputs, attention scores, and gradients of sum(output * upstream) w.r.t. inputs and weights.

    pip install tensorflow==2.20.0 keras==3.15.1 safetensors
    python make_attention.py [--seed N] [--out DIR]
"""
import common
from common import Topic, arguments, diff
import numpy as np
import keras
import tensorflow as tf
from keras.src import backend

args = arguments(__doc__).parse_args()
t = Topic("attention", args)
common.INLINE_MAX = 12  # many small arrays: they take less room in the other file
r = t.rng
f32 = lambda *s: r.randn(*s).astype(np.float32)


def run(dtype, kw, call, xs, masks, weights, up, up_scores):
    """The masks are Keras masks of the inputs, as an Embedding gives them."""
    keras.backend.clear_session()  # same weight names each time
    layer = keras.layers.MultiHeadAttention(dtype=dtype, **kw)
    xs = [tf.constant(x.astype(dtype)) for x in xs]
    layer.build(*[tuple(x.shape) for x in (xs if len(xs) > 1 else [xs[0], xs[0]])])
    if weights is None:
        weights = [(r.randn(*w.shape) * 0.5).astype(np.float32) for w in layer.weights]
    layer.set_weights(weights)
    for x, m in zip(xs, masks):
        if m is not None: backend.set_keras_mask(x, tf.constant(m.astype(bool)))
    with tf.GradientTape(persistent=True) as tape:
        for x in xs: tape.watch(x)
        y = layer(*(xs if len(xs) > 1 else [xs[0], xs[0]]), **call)
        y, scores = y if isinstance(y, (tuple, list)) else (y, None)
        if up is None: up = f32(*y.shape)
        s = tf.reduce_sum(y * tf.constant(up.astype(dtype)))
        if scores is not None:
            if up_scores is None: up_scores = f32(*scores.shape)
            s += tf.reduce_sum(scores * tf.constant(up_scores.astype(dtype)))
    zero = tf.UnconnectedGradients.ZERO
    own = lambda w: w.path.split("/", 1)[1]
    dx = [tape.gradient(s, x, unconnected_gradients=zero).numpy() for x in xs]
    dw = {own(w): tf.convert_to_tensor(tape.gradient(s, w.value, unconnected_gradients=zero)).numpy() for w in layer.trainable_variables}
    mask = backend.get_keras_mask(y)
    return {"y": y.numpy(), "scores": None if scores is None else scores.numpy(), "dx": dx, "dw": dw, "weights": weights,
            "named": {own(w): a for w, a in zip(layer.trainable_variables, weights)}, "up": up, "up_scores": up_scores,
            "mask": None if mask is None else mask.numpy()}


def add(name, shapes, masks=None, causal=False, scores=False, **kw):
    xs = [f32(*s) for s in shapes]
    masks = [None if m is None else np.array(m, np.int32) for m in (masks or [None] * len(xs))]
    call = {}
    if causal: call["use_causal_mask"] = True
    if scores: call["return_attention_scores"] = True
    a = run("float32", kw, call, xs, masks, None, None, None)
    b = run("float64", kw, call, xs, masks, a["weights"], a["up"], a["up_scores"])
    e = {"output": t.array(name + "/output", a["y"]),
         "input_grads": [t.array(f"{name}/input_grad_{i}", d) for i, d in enumerate(a["dx"])],
         "weight_grads": t.arrays(name + "/weight_grad", a["dw"])}
    if a["mask"] is not None: e["output_mask"] = t.array(name + "/output_mask", a["mask"])
    f = {"inputs": [t.array(f"{name}/input_{i}", x) for i, x in enumerate(xs)],
         "weights": t.arrays(name + "/weight", a["named"]), "upstream": t.array(name + "/upstream", a["up"])}
    noise = {"output": diff(a["y"], b["y"]), "input_grads": [diff(p, q) for p, q in zip(a["dx"], b["dx"])],
             "weight_grads": {k: diff(a["dw"][k], b["dw"][k]) for k in a["dw"]}}
    if scores:
        e["scores"] = t.array(name + "/scores", a["scores"])
        f["upstream_scores"] = t.array(name + "/upstream_scores", a["up_scores"])
        noise["scores"] = diff(a["scores"], b["scores"])
    if any(m is not None for m in masks):
        f["masks"] = {str(i): t.array(f"{name}/mask_{i}", m) for i, m in enumerate(masks) if m is not None}
    t.case(name, {**kw, **call}, layer="MultiHeadAttention", **f, expected=e, noise_float32_vs_float64=noise)


h = dict(num_heads=2, key_dim=3)
padded = [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]]  # the last row is all padding
holes = [[0, 1, 0, 1, 1], [0, 0, 0, 1, 0], [1, 1, 0, 1, 1]]
most = [[1, 1, 0, 1, 1], [1, 1, 1, 1, 0], [0, 0, 0, 0, 0]]
four = [[1, 0, 1, 1], [1, 1, 1, 1], [0, 0, 1, 0]]
q, v, k = (3, 4, 6), (3, 5, 4), (3, 5, 7)
add("self", [(3, 5, 6)], **h)
add("self_one_head", [(3, 5, 6)], num_heads=1, key_dim=2)
add("self_one_step", [(2, 1, 3)], **h)
add("self_20_steps", [(2, 20, 3)], num_heads=3, key_dim=4)
add("cross", [q, v], **h)
add("cross_key", [q, v, k], **h)
add("value_dim", [q, v, k], value_dim=5, **h)
add("output_shape", [q, v], output_shape=2, **h)
add("no_bias", [q, v], use_bias=False, **h)
add("causal", [(3, 5, 6)], causal=True, **h)
add("causal_more_queries", [(3, 6, 3), (3, 4, 2)], causal=True, **h)
add("causal_fewer_queries", [(3, 3, 3), (3, 5, 2)], causal=True, **h)
add("masked_self", [(3, 5, 6)], [padded], **h)
add("masked_self_holes", [(3, 5, 6)], [holes], **h)
add("masked_query", [q, v], [four, None], **h)
add("masked_value", [q, v], [None, padded], **h)
add("masked_value_and_key", [q, v, k], [None, holes, most], **h)
add("masked_all", [q, v, k], [four, holes, most], value_dim=2, output_shape=3, **h)
add("masked_key", [q, v, k], [None, None, padded], **h)
add("masked_causal", [(3, 5, 6)], [holes], causal=True, **h)
add("scores", [q, v], scores=True, **h)
add("scores_masked_causal", [(3, 5, 6)], [holes], causal=True, scores=True, **h)
add("scores_masked", [q, v, k], [four, most, holes], scores=True, value_dim=4, **h)
add("dropout_inference_masked", [q, v], [four, padded], dropout=0.5, **h)
t.save()
