"""A text classifier of a peer: learned from a file of texts with labels, then asked about others. Prints one JSON line.

usage: python classify.py RECIPE train DATA MODEL        reads DATA, learns, writes MODEL: times without the imports
       python classify.py RECIPE predict MODEL TEXTS ANSWERS   TEXTS has a JSON object a line; ANSWERS gets a line with the
                                                         classes, then one for each text: labels given, probabilities

DATA is CSV or TSV with a header label,text, JSON lines with text and label or labels, or a folder of folders.
RECIPE is svc, svc-cnb, svc-chars, svc-labels, nblr (scikit-learn) or fasttext.
"""
import argparse, csv, gzip, json, os, random, sys, time
p = argparse.ArgumentParser()
p.add_argument("recipe", choices=["svc", "svc-cnb", "svc-chars", "svc-labels", "nblr", "fasttext"])
p.add_argument("what", choices=["train", "predict"]); p.add_argument("paths", nargs="+")
p.add_argument("--threads", type=int, default=1); p.add_argument("--seed", type=int, default=1)
a = p.parse_args()
csv.field_size_limit(1 << 30)

def read(path):
    """The texts, and the list of each one's labels."""
    if os.path.isdir(path):
        texts, labels = [], []
        for label in sorted(os.listdir(path)):
            for name in sorted(os.listdir(os.path.join(path, label))):
                with open(os.path.join(path, label, name), encoding="utf-8", newline="") as f: texts.append(f.read())
                labels.append([label])
        return texts, labels
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8", newline="") as f:
        if ".jsonl" in path:
            rows = [json.loads(line) for line in f]
            return [r["text"] for r in rows], [r["labels"] if "labels" in r else [r["label"]] for r in rows]
        rows = list(csv.reader(f, delimiter="\t" if ".tsv" in path else ","))
    text, label = rows[0].index("text"), rows[0].index("label")
    return [r[text] for r in rows[1:]], [[r[label]] for r in rows[1:]]

class Sklearn:
    """Each recipe is a vectoriser and a model; svc-labels has a model a label, and the others the labels in order."""
    def __init__(self):
        import joblib, numpy, sklearn
        from sklearn import feature_extraction, linear_model, multiclass, naive_bayes, preprocessing, svm
        self.np, self.joblib, self.sk = numpy, joblib, sklearn
        self.versions = {"sklearn": sklearn.__version__}

    def train(self, texts, labels, path):
        np, sk = self.np, self.sk
        Tfidf, Counts = sk.feature_extraction.text.TfidfVectorizer, sk.feature_extraction.text.CountVectorizer
        m = {}
        if a.recipe == "svc-labels":
            m["vectoriser"] = Tfidf(sublinear_tf=True, ngram_range=(1, 1))
            m["binarizer"] = sk.preprocessing.MultiLabelBinarizer()
            y = m["binarizer"].fit_transform(labels)
            m["classes"] = list(m["binarizer"].classes_)
            m["model"] = sk.multiclass.OneVsRestClassifier(sk.svm.LinearSVC(class_weight="balanced")).fit(m["vectoriser"].fit_transform(texts), y)
        else:
            y = np.array([l[0] for l in labels])
            if a.recipe == "nblr":
                m["vectoriser"] = Counts(ngram_range=(1, 3), binary=True, dtype=np.float32, token_pattern=r"\w+|[^\w\s]")
                x = m["vectoriser"].fit_transform(texts)
                names = sorted(set(y))
                if len(names) != 2: raise SystemExit("nblr is for two classes")
                sums = [np.asarray(x[y == n].sum(0)).ravel() + 1 for n in names]
                m["ratios"] = np.log(sums[1] / sums[1].sum() / (sums[0] / sums[0].sum())).astype(np.float32)
                m["model"] = sk.linear_model.LogisticRegression(solver="liblinear", dual=True, C=1.0, random_state=a.seed).fit(self.scaled(m, x), y)
            else:
                m["vectoriser"] = Tfidf(sublinear_tf=True, analyzer="char", ngram_range=(2, 4), lowercase=False) if a.recipe == "svc-chars" else Tfidf(sublinear_tf=True, ngram_range=(1, 2))
                x = m["vectoriser"].fit_transform(texts)
                m["model"] = sk.svm.LinearSVC(C=0.3 if a.recipe == "svc-cnb" else 1.0).fit(x, y)
                if a.recipe == "svc-cnb": m["second"] = sk.naive_bayes.ComplementNB(alpha=0.1).fit(x, y)
            m["classes"] = [str(c) for c in m["model"].classes_]
        self.joblib.dump(m, path)

    def scaled(self, m, x):
        x = x.copy(); x.data = m["ratios"][x.indices]
        return x

    def load(self, path): self.m = self.joblib.load(path)

    def answers(self, texts):
        """The labels of each text, and a function of their probabilities or None."""
        np, m = self.np, self.m
        x = m["vectoriser"].transform(texts)
        if "ratios" in m: x = self.scaled(m, x)
        if a.recipe == "svc-labels": return m["binarizer"].inverse_transform(m["model"].predict(x)), None
        if a.recipe == "svc-cnb":
            def standard(s): return (s - s.mean(1, keepdims=True)) / s.std(1, keepdims=True)
            s = standard(m["model"].decision_function(x)) + standard(m["second"].predict_log_proba(x))
            return [[m["classes"][i]] for i in s.argmax(1)], None
        return [[str(c)] for c in m["model"].predict(x)], (lambda: m["model"].predict_proba(x).tolist()) if a.recipe == "nblr" else None

class FastText:
    """Its own functions, without the Python wrapper, whose predict fails with this version of NumPy."""
    NONE, LABEL = "__none__", "__label__"
    def __init__(self):
        import fasttext
        from importlib.metadata import version
        self.ft = fasttext
        self.versions = {"fasttext": version("fasttext-wheel")}

    def line(self, text): return " ".join(text.split()) + "\n"

    def train(self, texts, labels, path):
        # Labels by number: they may have spaces. Texts of no label get one that means that.
        several = any(len(l) != 1 for l in labels)
        names = sorted(set(n for l in labels for n in l)) + ([self.NONE] if several else [])
        number = {n: str(i) for i, n in enumerate(names)}
        rows = [" ".join(self.LABEL + number[n] for n in (l or [self.NONE])) + " " + self.line(t) for t, l in zip(texts, labels)]
        random.Random(a.seed).shuffle(rows)
        with open(path + ".txt", "w", encoding="utf-8") as f: f.writelines(rows)
        m = self.ft.train_supervised(path + ".txt", wordNgrams=2, epoch=25, lr=0.5, dim=50, loss="ova" if several else "softmax", thread=a.threads, seed=a.seed, verbose=0)
        m.save_model(path)
        os.remove(path + ".txt")
        with open(path + ".names", "w") as f: json.dump([names, several], f)

    def load(self, path):
        self.m = self.ft.load_model(path).f
        with open(path + ".names") as f: self.names, self.several = json.load(f)

    def top(self, text, k): return [(min(p, 1.0), self.names[int(l[len(self.LABEL):])]) for p, l in self.m.predict(self.line(text), k, 0.0, "strict")]

    def answers(self, texts):
        self.m_classes = [n for n in self.names if n != self.NONE]
        if self.several: given = [[n for p, n in self.top(t, len(self.names)) if p >= 0.5 and n != self.NONE] for t in texts]
        else: given = [[n for _, n in self.top(t, 1)] for t in texts]
        def probabilities():
            rows = ({n: p for p, n in self.top(t, len(self.names))} for t in texts)
            return [[r.get(n, 0.0) for n in self.m_classes] for r in rows]
        return given, probabilities

peer = FastText() if a.recipe == "fasttext" else Sklearn()
result = dict(peer.versions)
if a.what == "train":
    data, model = a.paths
    t, cpu = time.perf_counter(), time.process_time()
    texts, labels = read(data)
    result["read_s"] = time.perf_counter() - t
    peer.train(texts, labels, model)
    result.update(train_s=time.perf_counter() - t, cpu_s=time.process_time() - cpu, rows=len(texts), bytes=os.path.getsize(model))
else:
    model, texts, answers = a.paths
    peer.load(model)
    texts, _ = read(texts)
    peer.answers(texts[:1])
    t = time.perf_counter(); given, probabilities = peer.answers(texts); result["predict_us"] = (time.perf_counter() - t) * 1e6 / len(texts)
    one = texts[:500]
    t = time.perf_counter()
    for text in one: peer.answers([text])
    result["predict_one_us"] = (time.perf_counter() - t) * 1e6 / len(one)
    table = probabilities() if probabilities else None
    classes = peer.m["classes"] if isinstance(peer, Sklearn) else peer.m_classes
    with open(answers, "w", encoding="utf-8") as f:
        f.write(json.dumps({"classes": classes, "several": bool(len(given) and isinstance(peer, FastText) and peer.several or a.recipe == "svc-labels")}) + "\n")
        for i, labels in enumerate(given): f.write(json.dumps({"given": list(labels), "probabilities": table[i] if table else None}) + "\n")
print(json.dumps(result))
