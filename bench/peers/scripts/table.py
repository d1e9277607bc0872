"""Training with the second tutorial's large table (963,812 x 50) in Keras, on the whole reviews and all their words that
bench/peers/linnet -export wrote: prints one JSON line with the median step of epoch 2.

usage: python table.py FOLDER [--threads N]
"""
import argparse, json, os, resource, time
p = argparse.ArgumentParser(); p.add_argument("folder"); p.add_argument("--threads", type=int, default=1); a = p.parse_args()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np, tensorflow as tf, keras
tf.config.threading.set_intra_op_parallelism_threads(a.threads); tf.config.threading.set_inter_op_parallelism_threads(a.threads)
keras.utils.set_random_seed(1)
def read(name): return np.fromfile(os.path.join(a.folder, name), "<i4")
x = tf.RaggedTensor.from_row_lengths(read("ids"), read("lengths")); y = read("labels").astype(np.float32)

class MeanEmbedding(keras.layers.Layer):
    """The mean of the words' rows, as a text embedding of TF-Hub combines them: no padding, no (batch, words, 50) array."""
    def build(self, _): self.table = self.add_weight(shape=(963812, 50), initializer=keras.initializers.RandomUniform(-0.05, 0.05))
    def call(self, x): return tf.nn.embedding_lookup_sparse(self.table.value, x.to_sparse(), None, combiner="mean")

class Network(keras.Model):
    def __init__(self):
        super().__init__()
        self.table, self.h, self.o = MeanEmbedding(), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1, activation="sigmoid")
    def call(self, x): return self.o(self.h(self.table(x)))

class Steps(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None): self.times = []
    def on_train_batch_begin(self, batch, logs=None): self.t = time.perf_counter()
    def on_train_batch_end(self, batch, logs=None): self.times.append(time.perf_counter() - self.t)

def resident():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS"): return int(line.split()[1]) / 1024
before = resident(); steps = Steps(); m = Network()
m.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"], jit_compile=False)
m.fit(tf.data.Dataset.from_tensor_slices((x, y)).shuffle(15000).batch(512), epochs=2, verbose=0, callbacks=[steps])
t = sorted(steps.times)
print(json.dumps(dict(keras=keras.__version__, tf=tf.__version__, step_ms=t[len(t) // 2] * 1e3,
                      peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before)))
