"""A fastText model behind FastAPI and uvicorn, as a peer of linnet serve.

usage: python serve.py MODEL PORT WORKERS     MODEL as classify.py writes it; POST /classify {"text": …} or {"texts": […]}
"""
import json, os, sys
if __name__ == "__main__": os.environ["MODEL"] = sys.argv[1]
import fasttext, fastapi, uvicorn
from pydantic import BaseModel

class Request(BaseModel):
    text: str | None = None
    texts: list[str] | None = None

app = fastapi.FastAPI()
model = fasttext.load_model(os.environ["MODEL"]).f  # without the Python wrapper, whose predict fails with this version of NumPy
with open(os.environ["MODEL"] + ".names") as f: names, _ = json.load(f)

def label(text):
    (p, l), = model.predict(" ".join(text.split()) + "\n", 1, 0.0, "strict")
    return {"label": names[int(l[len("__label__"):])], "probability": min(p, 1.0)}

# async, for a prediction takes less than a thread of the pool would.
@app.post("/v1/classify")
async def classify(r: Request): return {"results": [label(t) for t in r.texts]} if r.texts is not None else label(r.text)

@app.get("/v2/health/ready")
async def ready(): return {"ready": True, "fastapi": fastapi.__version__, "uvicorn": uvicorn.__version__}

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    os.chdir(sys.path[0])
    uvicorn.run("serve:app", host="127.0.0.1", port=int(sys.argv[2]), workers=int(sys.argv[3]), loop="uvloop", http="httptools", access_log=False, log_level="error",
                timeout_worker_healthcheck=60)  # loading the model takes longer than the usual 5 s on a busy machine
