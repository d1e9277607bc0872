"""Inference of the first tutorial's network in a peer, with the weights and reviews that bench/peers/linnet -export
wrote: prints one JSON line. Times are medians, after a first call that does not count.

usage: python inference.py keras|torch|onnxruntime FOLDER [--threads N] [--repeats N]
"""
import argparse, json, os, time
p = argparse.ArgumentParser()
p.add_argument("peer", choices=["keras", "torch", "onnxruntime"]); p.add_argument("folder")
p.add_argument("--threads", type=int, default=1); p.add_argument("--repeats", type=int, default=5)
a = p.parse_args()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np

def read(name, dtype, *shape): return np.fromfile(os.path.join(a.folder, name), dtype).reshape(shape)
x, y = read("x", "<i4", -1, 256), read("y", "<i4", -1)
E = read("embedding_embeddings", "<f4", 10000, 16)
W1, b1 = read("dense_kernel", "<f4", 16, 16), read("dense_bias", "<f4", 16)
W2, b2 = read("dense_1_kernel", "<f4", 16, 1), read("dense_1_bias", "<f4", 1)
BATCH, ROWS = 512, 1000

def keras():
    import tensorflow as tf, keras as k
    tf.config.threading.set_intra_op_parallelism_threads(a.threads)
    tf.config.threading.set_inter_op_parallelism_threads(a.threads)
    m = k.Sequential([k.layers.Input((256,), dtype="int32"), k.layers.Embedding(10000, 16), k.layers.GlobalAveragePooling1D(),
                      k.layers.Dense(16, activation="relu"), k.layers.Dense(1, activation="sigmoid")])
    m.set_weights([E, W1, b1, W2, b2])
    m.compile(loss="binary_crossentropy", metrics=["accuracy"])
    one = tf.function(lambda x: m(x, training=False))
    rows = [tf.constant(x[i:i + 1]) for i in range(ROWS)]
    return (lambda: m.evaluate(x, y, batch_size=BATCH, verbose=0), lambda: [one(r) for r in rows],
            lambda: m.predict(x, batch_size=BATCH, verbose=0), {"keras": k.__version__, "tf": tf.__version__})

def torch():
    import torch
    from torch import nn
    torch.set_num_threads(a.threads)
    bag, h, o = nn.EmbeddingBag(10000, 16, mode="mean"), nn.Linear(16, 16), nn.Linear(16, 1)
    with torch.no_grad():
        for t, v in ((bag.weight, E), (h.weight, W1.T), (h.bias, b1), (o.weight, W2.T), (o.bias, b2)): t.copy_(torch.from_numpy(np.ascontiguousarray(v)))
    net = nn.Sequential(bag, h, nn.ReLU(), o)
    xt, yt = torch.from_numpy(x), torch.from_numpy(y.astype(np.float32))[:, None]
    bce = nn.BCEWithLogitsLoss()
    rows = [xt[i:i + 1] for i in range(ROWS)]
    def logits(): return torch.cat([net(xt[i:i + BATCH]) for i in range(0, len(xt), BATCH)])
    def evaluate():
        z = logits(); return bce(z, yt).item(), ((z > 0) == (yt > 0.5)).float().mean().item()
    def quick(f):
        def g():
            with torch.inference_mode(): return f()
        return g
    return (quick(evaluate), quick(lambda: [net(r).sigmoid() for r in rows]), quick(lambda: logits().sigmoid().numpy()), {"torch": torch.__version__})

def onnxruntime():
    import onnx, onnxruntime as ort
    from onnx import helper as h, numpy_helper as nh, TensorProto as T
    g = h.make_graph([h.make_node("Gather", ["E", "x"], ["e"]), h.make_node("ReduceMean", ["e"], ["m"], axes=[1], keepdims=0),
        h.make_node("Gemm", ["m", "W1", "b1"], ["h"]), h.make_node("Relu", ["h"], ["hr"]), h.make_node("Gemm", ["hr", "W2", "b2"], ["z"]), h.make_node("Sigmoid", ["z"], ["p"])],
        "t", [h.make_tensor_value_info("x", T.INT32, ["n", 256])], [h.make_tensor_value_info("p", T.FLOAT, ["n", 1])],
        [nh.from_array(v, k) for k, v in dict(E=E, W1=W1, b1=b1, W2=W2, b2=b2).items()])
    m = h.make_model(g, opset_imports=[h.make_opsetid("", 13)]); m.ir_version = 8
    o = ort.SessionOptions(); o.intra_op_num_threads = a.threads; o.inter_op_num_threads = 1
    s = ort.InferenceSession(m.SerializeToString(), o, providers=["CPUExecutionProvider"])
    rows = [x[i:i + 1] for i in range(ROWS)]
    def batches(): return [s.run(None, {"x": x[i:i + BATCH]})[0] for i in range(0, len(x), BATCH)]
    # Its evaluation is the predictions alone, without loss and accuracy.
    return batches, lambda: [s.run(None, {"x": r}) for r in rows], lambda: np.concatenate(batches()), {"onnxruntime": ort.__version__}

evaluate, predict, everything, versions = globals()[a.peer]()
def median(f):
    f(); times = []
    for _ in range(a.repeats):
        t = time.perf_counter(); f(); times.append(time.perf_counter() - t)
    return sorted(times)[len(times) // 2]
print(json.dumps(dict(versions, evaluate_ms=median(evaluate) * 1e3, predict_us=median(predict) / ROWS * 1e6,
                      mean_prediction=float(np.asarray(everything(), np.float64).mean()))))
