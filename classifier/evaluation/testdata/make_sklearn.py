import numpy as np, json
from sklearn import metrics as M
rng=np.random.default_rng(5)
out=[]
def probs(n,k):
    x=rng.normal(size=(n,k))*1.5; e=np.exp(x); p=(e/e.sum(1,keepdims=True)).astype(np.float32)
    return np.round(p,2)
for name,k,n in [("binary",2,40),("four",4,60)]:
    p=probs(n,k); p[:,-1]=np.float32(np.round(1-p[:,:-1].sum(1),2)); p=np.clip(p,0,1)
    y=np.array([rng.choice(k,p=(q/q.sum()).astype(float)) for q in p.astype(float)])
    g=p.argmax(1)
    c={"name":name,"classes":k,"true":y.tolist(),"given":g.tolist(),"p":[float(v) for v in p.ravel()]}
    q=np.clip(p.astype(float)[np.arange(n),y],2**-23,1-2**-23)
    c["want"]={"accuracy":M.accuracy_score(y,g),"macro_f1":M.f1_score(y,g,average="macro"),"micro_f1":M.f1_score(y,g,average="micro"),
      "precision":M.precision_score(y,g,average="macro",zero_division=0),"recall":M.recall_score(y,g,average="macro"),
      "auc": M.roc_auc_score(y,p[:,1]) if k==2 else float(np.mean([M.roc_auc_score(y==j,p[:,j]) for j in range(k)])),
      "log_loss":float(-np.log(q).mean())}
    out.append(c)
n,k=50,3
p=np.round(rng.random((n,k)).astype(np.float32),2); y=(rng.random((n,k))<p).astype(int); g=(p>=0.5).astype(int)
q=np.clip(p.astype(float),2**-23,1-2**-23)
out.append({"name":"several","classes":k,"several":True,"trueSets":[np.nonzero(r)[0].tolist() for r in y],"givenSets":[np.nonzero(r)[0].tolist() for r in g],"p":[float(v) for v in p.ravel()],
 "want":{"accuracy":M.accuracy_score(y,g),"macro_f1":M.f1_score(y,g,average="macro"),"micro_f1":M.f1_score(y,g,average="micro"),
 "precision":M.precision_score(y,g,average="macro"),"recall":M.recall_score(y,g,average="macro"),"auc":M.roc_auc_score(y,p),
 "log_loss":float(-(y*np.log(q)+(1-y)*np.log(1-q)).mean())}})
for c in out:
    c["trueSets"]=c.get("trueSets") or [[v] for v in c["true"]]; c["givenSets"]=c.get("givenSets") or [[v] for v in c["given"]]
    c.pop("true",None); c.pop("given",None)
    c["p"]=[round(v,2) for v in c["p"]]
json.dump({"scikit-learn":__import__("sklearn").__version__,"cases":out},open("testdata/sklearn.json","w"),separators=(",",":"))
