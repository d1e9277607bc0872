"""The clients of Triton and KServe ask a server for metadata and labels. Ends with 1 if an answer is not what it must be.

    pip install 'tritonclient[http]' kserve
    linnet serve reviews.linnet &
    python serve/testdata/clients.py 127.0.0.1:8080 reviews
"""
import asyncio, sys
import numpy as np
import tritonclient.http as triton
from kserve import InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig

address, model = sys.argv[1:3]
texts = ["a lovely film", "a dull film", "caf\u00e9 \u2603"]

client = triton.InferenceServerClient(address)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(model)
assert client.get_server_metadata()["name"] == "linnet"
metadata = client.get_model_metadata(model)
assert metadata["inputs"][0]["name"] == "text" and metadata["inputs"][0]["datatype"] == "BYTES", metadata

def ask(binary, outputs):
    t = triton.InferInput("text", [len(texts)], "BYTES")
    t.set_data_from_numpy(np.array([s.encode() for s in texts], dtype=np.object_), binary_data=binary)
    return client.infer(model, [t], outputs=outputs)

wanted = None
for binary in (True, False):
    for outputs in (None, [triton.InferRequestedOutput(n, binary_data=binary) for n in ("label", "probability")]):
        a = ask(binary, outputs)
        labels = [l.decode() if isinstance(l, bytes) else l for l in a.as_numpy("label")]
        probabilities = a.as_numpy("probability")
        assert len(labels) == len(texts) and probabilities.dtype == np.float32, (labels, probabilities)
        wanted = wanted or (labels, probabilities.tolist())
        assert (labels, probabilities.tolist()) == wanted, (labels, probabilities, wanted)
try:
    client.get_model_metadata("no-such-model")
    raise SystemExit("a model that is not there has metadata")
except triton.InferenceServerException if hasattr(triton, "InferenceServerException") else Exception as e:
    assert "no model" in str(e), e

async def kserve():
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    url = "http://" + address
    assert await client.is_server_live(url) and await client.is_server_ready(url) and await client.is_model_ready(url, model)
    for binary in (False, True):
        t = InferInput("text", [len(texts)], "BYTES")
        t.set_data_from_numpy(np.array([s.encode() for s in texts] if binary else texts, dtype=np.object_), binary_data=binary)
        a = await client.infer(url, InferRequest(model_name=model, infer_inputs=[t]), model_name=model)
        outputs = {o.name: o for o in a.outputs}
        labels = [l.decode() if isinstance(l, bytes) else l for l in outputs["label"].data]
        assert labels == wanted[0], (binary, labels)
        assert np.allclose(outputs["probability"].data, wanted[1], rtol=1e-6), (binary, outputs["probability"].data)
    await client.close()

asyncio.run(kserve())
print("tritonclient and kserve:", wanted)
