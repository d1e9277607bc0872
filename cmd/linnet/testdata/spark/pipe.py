"""Pipes texts through linnet in Spark and writes what came out.

usage: pipe.py MASTER LINNET MODEL TEXTS ROWS OUT

TEXTS has a text a line, ROWS objects of JSON of which one is broken, and OUT is a folder for the results.
"""

import os
import shlex
import sys

from pyspark import SparkConf, SparkContext

master, linnet, model, texts, rows, out = sys.argv[1:]
conf = SparkConf().setMaster(master).setAppName("linnet")
conf.set("spark.ui.enabled", "false").set("spark.task.maxFailures", "2")
sc = SparkContext(conf=conf)
sc.setLogLevel("OFF")


def write(name, lines):
    with open(os.path.join(out, name), "w", encoding="utf-8", newline="\n") as f:
        f.writelines(line + "\n" for line in lines)


def fault(name, rdd):
    """Writes why a job failed, or nothing if it did not."""
    try:
        rdd.collect()
        write(name, [])
    except Exception as e:
        write(name, str(e).splitlines())


predict = shlex.join([linnet, "predict", model])
lines = sc.textFile(texts, minPartitions=5)

# checkCode=True or a fault of the command is none of the job.
write("labels", lines.pipe(predict, checkCode=True).collect())

# More partitions than lines, so that some are empty.
write("empty", sc.parallelize(["lovely", "dull"], 6).pipe(predict, checkCode=True).collect())

# One of the commands writes some labels and is killed, once.
first = shlex.quote(os.path.join(out, "killed"))
killed = f"if mkdir {first} 2>/dev/null; then head -n 20 | {predict}; kill -9 $$; fi; exec {predict}"
write("again", lines.pipe(shlex.join(["sh", "-c", killed]), checkCode=True).collect())

fault("missing", lines.pipe(shlex.join([linnet, "predict", model + ".none"]), checkCode=True))
fault("broken", sc.textFile(rows, minPartitions=5).pipe(predict + " --format jsonl --text text", checkCode=True))
sc.stop()
