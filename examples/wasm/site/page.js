"use strict";

const $ = id => document.getElementById(id);
const quiet = 600; // milliseconds after the last key until a screen reader hears the label
let classifier;
let timer = 0;

// say tells screen readers what the page shows, once the typing has paused.
function say() {
  clearTimeout(timer);
  timer = setTimeout(() => { $("status").textContent = $("label").textContent; }, quiet);
}

function fail(e) {
  $("text").disabled = true;
  $("scores").hidden = true;
  $("label").textContent = $("status").textContent = e.message;
}

function show() {
  const text = $("text").value;
  say();
  $("scores").hidden = !text.trim();
  if (!text.trim()) {
    $("label").textContent = "";
    return;
  }
  const r = classifier.classify(text);
  $("label").textContent = (r.label || "no label") + ", " + (100 * r.probability).toFixed(1) + " %";
  $("scores").tBodies[0].replaceChildren(...classifier.classes.map((name, k) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = name;
    const cell = document.createElement("td");
    cell.textContent = (100 * r.scores[k]).toFixed(1) + " %";
    row.append(head, cell);
    return row;
  }));
}

async function bytes(name) {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(name + ": " + answer.status);
  return answer.arrayBuffer();
}

async function start() {
  const go = new Go();
  const [program, file] = await Promise.all([bytes("linnet.wasm"), bytes("classifier.linnet")]);
  const { instance } = await WebAssembly.instantiate(program, go.importObject);
  const ready = new Promise(resolve => addEventListener("linnet", resolve, { once: true }));
  // The program runs as long as the page. If it ends, it has failed.
  const ended = go.run(instance).then(() => { throw new Error("The program has ended: load the page again."); });
  ended.catch(fail);
  await Promise.race([ready, ended]);
  classifier = linnetLoad(new Uint8Array(file));
  if (typeof classifier === "string") throw new Error(classifier);
  $("text").disabled = false;
  $("text").addEventListener("input", show);
  $("text").focus();
  show();
}

start().catch(fail);
