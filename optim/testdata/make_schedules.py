"""The learning rates of Keras's schedules over more settings and steps than internal/golden has.

    pip install tensorflow==2.20.0 keras==3.15.1
    python make_schedules.py > schedules.json

A case has the name of the schedule, its arguments, and the rate of each step as the float32 that Keras computes.
"""
import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np

near = list(range(0, 41))
far = [50, 63, 64, 65, 99, 100, 101, 127, 128, 255, 256, 500, 999, 1000, 1001, 9999, 10000, 10001, 99999, 100000]
cases = [
    ("ExponentialDecay", dict(initial_learning_rate=0.01, decay_steps=100, decay_rate=0.96)),
    ("ExponentialDecay", dict(initial_learning_rate=1e-3, decay_steps=30, decay_rate=0.9, staircase=True)),
    ("ExponentialDecay", dict(initial_learning_rate=1e-4, decay_steps=1000, decay_rate=1.5)),
    ("PiecewiseConstantDecay", dict(boundaries=[0], values=[0.1, 0.0])),
    ("PiecewiseConstantDecay", dict(boundaries=[10, 20, 100], values=[1e-3, 5e-4, 2.5e-4, 0.1])),
    ("PolynomialDecay", dict(initial_learning_rate=0.1, decay_steps=1000)),
    ("PolynomialDecay", dict(initial_learning_rate=0.1, decay_steps=30, end_learning_rate=0.0, power=0.5)),
    ("PolynomialDecay", dict(initial_learning_rate=0.01, decay_steps=7, end_learning_rate=0.02, power=3.0, cycle=True)),
    ("PolynomialDecay", dict(initial_learning_rate=0.01, decay_steps=1, cycle=True)),
    ("InverseTimeDecay", dict(initial_learning_rate=0.1, decay_steps=1, decay_rate=0.5)),
    ("InverseTimeDecay", dict(initial_learning_rate=1e-3, decay_steps=30, decay_rate=1.7, staircase=True)),
    ("CosineDecay", dict(initial_learning_rate=1e-3, decay_steps=1000)),
    ("CosineDecay", dict(initial_learning_rate=0.5, decay_steps=37, alpha=0.3)),
    ("CosineDecay", dict(initial_learning_rate=0.5, decay_steps=10, alpha=1.0)),
    ("CosineDecay", dict(initial_learning_rate=0.0, decay_steps=1000, warmup_target=1e-3, warmup_steps=100)),
    ("CosineDecay", dict(initial_learning_rate=0.3, decay_steps=50, warmup_target=0.1, warmup_steps=7, alpha=0.01)),
    ("CosineDecay", dict(initial_learning_rate=0.3, decay_steps=50, warmup_target=0.1)),
    ("CosineDecayRestarts", dict(initial_learning_rate=0.1, first_decay_steps=1)),
    ("CosineDecayRestarts", dict(initial_learning_rate=0.1, first_decay_steps=10, m_mul=0.8)),
    ("CosineDecayRestarts", dict(initial_learning_rate=0.1, first_decay_steps=5, t_mul=1.0, m_mul=0.9, alpha=0.1)),
    ("CosineDecayRestarts", dict(initial_learning_rate=1e-3, first_decay_steps=4, t_mul=3.0)),
    ("CosineDecayRestarts", dict(initial_learning_rate=1e-3, first_decay_steps=8, t_mul=1.5, m_mul=0.5, alpha=0.2)),
]
lines = []
for schedule, config in cases:
    s = getattr(keras.optimizers.schedules, schedule)(**config)
    steps = near + far
    rates = [float(np.float32(keras.ops.convert_to_numpy(s(np.int64(i))))) for i in steps]
    lines.append(json.dumps({"schedule": schedule, "config": config, "steps": steps, "rates": rates}))
print('{"keras": "%s", "cases": [\n%s\n]}' % (keras.__version__, ",\n".join(lines)))
