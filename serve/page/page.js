"use strict";

const $ = id => document.getElementById(id);
const wait = 150; // milliseconds after the last key until a text is sent
let batch = 256; // lines a request; fewer where the server wants that
let models = [];
let key = "";
let newest = 0; // the number of the last request for one text: older answers come too late
let timer = 0;
let running = new AbortController(); // ends the last request for one text
let labelled = []; // the rows of the table of many lines

class Problem extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

// A text cut in the middle of a character is no Unicode, and the server takes nothing else.
const wellFormed = text => (text.toWellFormed ? text.toWellFormed() : text);

async function ask(path, body, signal) {
  const headers = {};
  if (key) headers["X-API-Key"] = key;
  const request = { headers, signal, cache: "no-store" };
  if (body) {
    headers["Content-Type"] = "application/json";
    request.method = "POST";
    request.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, request);
  } catch {
    throw new Problem("The server cannot be reached.");
  }
  if (answer.status === 401) {
    $("key-form").hidden = false;
    $("work").hidden = true;
    $("key").select();
    const message = key ? "The key is wrong." : "";
    show(message, "problem-start");
    throw new Problem(message);
  }
  let value;
  try {
    value = await answer.json();
  } catch {
    throw new Problem("The answer is cut short.");
  }
  if (!answer.ok) throw new Problem(value.error + (value.hint ? ": " + value.hint : "") + ".", value.code);
  return value;
}

function element(name, text, className) {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (className) e.className = className;
  return e;
}

const percent = p => (p > 0 && p < 0.001 ? "< 0.1" : p < 1 && p > 0.999 ? "> 99.9" : (100 * p).toFixed(1)) + " %";
const signed = v => (v < 0 ? "\u2212" : "+") + Math.abs(v).toFixed(3);
const known = label => label || "no label";
const current = () => models.find(m => m.name === $("model").value);

// answered shows the version of an answer. A new one may have other classes.
async function answered(version) {
  const m = current();
  $("version").textContent = "version " + version;
  if (!m || m.version === version) return;
  try {
    models = (await ask("v1/models")).models;
  } catch {
    return; // the next answer tries again
  }
  const now = current();
  if (now && now.classes.join("\n") !== m.classes.join("\n")) showClasses(now);
}

function showClasses(m) {
  const chosen = $("class").value;
  const automatic = element("option", "the label");
  automatic.value = "";
  $("class").replaceChildren(automatic, ...m.classes.map(c => element("option", c)));
  $("class").value = m.classes.includes(chosen) ? chosen : "";
}

function show(problem, id) {
  const e = $(id);
  e.hidden = !problem;
  e.textContent = problem || "";
}

// bar is a drawing, because a policy forbids styles of an element's own.
function bar(share) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 100 10");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, width] of [["track", 100], ["bar", 100 * share]]) {
    const r = document.createElementNS(space, "rect");
    r.setAttribute("class", name);
    r.setAttribute("width", width);
    r.setAttribute("height", 10);
    svg.append(r);
  }
  return svg;
}

function bars(id, list) {
  $(id).replaceChildren(...list.map(([name, share, value, given]) => {
    const e = element("li");
    const n = element("span", name, "name" + (given ? " given" : ""));
    n.title = name;
    e.append(n, bar(share), element("span", value, "value"));
    return e;
  }));
}

// Many classes would hide the text: the most probable ones are enough.
const mostClasses = 12;

function showModel() {
  const m = current();
  $("version").textContent = "version " + m.version;
  showClasses(m);
  $("answer-many").hidden = true;
  $("copy").hidden = true;
  classifyOne();
}

// askExplained leaves out what does not fit: an explanation of a long text, or a class that a new version does not have.
async function askExplained(body, signal) {
  try {
    return await ask("v1/classify", body, signal);
  } catch (e) {
    if (e.code === "explained_too_long") return ask("v1/classify", { text: body.text, model: body.model, scores: true }, signal);
    if (e.code === "no_such_class") return ask("v1/classify", { ...body, class: undefined }, signal);
    throw e;
  }
}

async function classifyOne() {
  const text = wellFormed($("text").value);
  const number = ++newest;
  running.abort();
  running = new AbortController();
  const signal = running.signal;
  if (!text.trim()) {
    $("answer-one").hidden = true;
    show("", "problem-one");
    return;
  }
  const m = current();
  if (!m) return;
  const body = { text, model: m.name, scores: true, explain: true };
  if ($("class").value) body.class = $("class").value;
  let a;
  try {
    a = await askExplained(body, signal);
  } catch (e) {
    if (number !== newest) return;
    $("answer-one").hidden = true;
    show(e.message, "problem-one");
    return;
  }
  if (number !== newest) return;
  show("", "problem-one");
  answered(a.version);
  const labels = a.labels || (a.label ? [a.label] : []);
  $("label").textContent = labels.length ? labels.join(", ") : "No label";
  $("label").className = labels.length ? "label" : "label none";
  $("probability").textContent = a.labels && a.labels.length !== 1 ? "" : percent(a.probability);
  const scores = Object.entries(a.scores).sort((x, y) => y[1] - x[1]).slice(0, mostClasses);
  bars("scores", scores.map(([name, p]) => [name, p, percent(p), labels.includes(name)]));
  document.querySelector(".why").hidden = !a.explanation;
  if (a.explanation) explain(text, a.explanation);
  $("answer-one").hidden = false;
  $("status").textContent = labels.length ? labels.join(", ") + ", " + percent(a.probability) : "No label";
}

function explain(text, e) {
  $("why-title").textContent = "Why " + e.class;
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  const strongest = Math.max(0.05, ...e.tokens.map(t => Math.abs(t.contribution)));
  const parts = [];
  let at = 0;
  for (const t of e.tokens) {
    if (t.start > at) parts.push(decoder.decode(bytes.subarray(at, t.start)));
    const strength = Math.ceil(5 * Math.abs(t.contribution) / strongest);
    if (strength > 0 && Math.abs(t.contribution) >= strongest / 25) {
      const span = element("span", t.text, (t.contribution > 0 ? "for s" : "against s") + strength);
      span.title = signed(t.contribution);
      parts.push(span);
    } else {
      parts.push(t.text);
    }
    at = t.end;
  }
  parts.push(decoder.decode(bytes.subarray(at)));
  $("tokens").replaceChildren(...parts);
  const sorted = e.tokens.map((t, i) => [i + 1, t.text, t.contribution]).filter(t => t[2]).sort((x, y) => Math.abs(y[2]) - Math.abs(x[2])).slice(0, 100);
  $("words").replaceChildren(...sorted.map(([place, word, v]) => {
    const row = element("tr");
    row.append(element("td", place, "number"), element("td", word), element("td", signed(v), "number"));
    return row;
  }));
  $("approximate").hidden = !e.approximate;
  $("base").textContent = signed(e.base);
  $("score").textContent = signed(e.score);
}

async function classifyMany(event) {
  event.preventDefault();
  const m = current();
  const lines = [];
  $("lines").value.split(/\r?\n/).forEach((text, i) => {
    if (text.trim()) lines.push({ line: i + 1, text: wellFormed(text) });
  });
  $("answer-many").hidden = true;
  $("copy").hidden = true;
  show("", "problem-many");
  $("many-note").textContent = "";
  if (!lines.length || !m) {
    show(m ? "There is no line with a text." : "The server's classifiers are not known yet.", "problem-many");
    return;
  }
  $("run").disabled = true;
  labelled = [];
  let version = "";
  try {
    for (let i = 0; i < lines.length;) {
      const part = lines.slice(i, i + batch);
      let a;
      try {
        a = await ask("v1/classify", { texts: part.map(l => l.text), model: m.name });
      } catch (e) {
        if (part.length === 1 || !["too_many_texts", "body_too_large"].includes(e.code)) throw e;
        batch = part.length >> 1;
        continue;
      }
      i += part.length;
      if (version && version !== a.version) throw new Problem("The classifier was replaced meanwhile: label the lines again.");
      version = a.version;
      a.results.forEach((r, k) => labelled.push({ ...part[k], ...r, label: r.labels ? r.labels.join(", ") : r.label }));
      $("many-note").textContent = labelled.length + " of " + lines.length;
    }
  } catch (e) {
    $("many-note").textContent = "";
    show(e.message, "problem-many");
    return;
  } finally {
    $("run").disabled = false;
  }
  answered(version);
  const counts = new Map();
  for (const r of labelled) counts.set(known(r.label), (counts.get(known(r.label)) || 0) + 1);
  const sorted = [...counts].sort((x, y) => y[1] - x[1]).slice(0, mostClasses);
  bars("counts", sorted.map(([name, n]) => [name, n / labelled.length, String(n), false]));
  const mostRows = 1000;
  $("rows").replaceChildren(...labelled.slice(0, mostRows).map(r => {
    const row = element("tr");
    row.append(element("td", r.line, "number"), element("td", known(r.label), "tag"), element("td", percent(r.probability), "number"), element("td", r.text.length > 300 ? r.text.slice(0, 300) + "\u2026" : r.text, "text"));
    return row;
  }));
  const n = labelled.length + (labelled.length === 1 ? " text" : " texts");
  $("many-note").textContent = n + (labelled.length > mostRows ? ", the first " + mostRows + " below" : "");
  $("status").textContent = n + ": " + sorted.map(([name, k]) => k + " " + name).join(", ");
  $("answer-many").hidden = false;
  $("copy").hidden = false;
}

async function copy() {
  const clean = s => String(s).replace(/[\t\r\n]+/g, " ");
  const rows = labelled.map(r => [r.label, r.probability, r.text].map(clean).join("\t"));
  try {
    await navigator.clipboard.writeText(["label\tprobability\ttext", ...rows].join("\n") + "\n");
    $("many-note").textContent = "Copied";
  } catch {
    $("many-note").textContent = "The browser does not allow it";
  }
  $("status").textContent = $("many-note").textContent;
}

const tabs = ["one", "many"];

function choose(name, focus) {
  for (const t of tabs) {
    const is = t === name;
    $("tab-" + t).setAttribute("aria-selected", is);
    $("tab-" + t).tabIndex = is ? 0 : -1;
    $("panel-" + t).hidden = !is;
    if (is && focus) $("tab-" + t).focus();
  }
}

async function start() {
  try {
    models = (await ask("v1/models")).models;
  } catch (e) {
    show(e.message, "problem-start");
    return;
  }
  const asked = !$("key-form").hidden;
  $("key-form").hidden = true;
  $("work").hidden = false;
  if (asked) $("text").focus();
  show("", "problem-start");
  $("model").replaceChildren(...models.map(m => element("option", m.name)));
  $("model-choice").hidden = models.length < 2;
  document.title = "linnet: " + (models.length === 1 ? models[0].name : "label texts");
  showModel();
}

$("text").addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(classifyOne, wait);
});
$("class").addEventListener("change", classifyOne);
$("model").addEventListener("change", showModel);
$("many-form").addEventListener("submit", classifyMany);
$("lines").addEventListener("keydown", e => {
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) $("many-form").requestSubmit();
});
$("copy").addEventListener("click", copy);
$("key-form").addEventListener("submit", e => {
  e.preventDefault();
  key = $("key").value;
  start();
});
for (const t of tabs) {
  $("tab-" + t).addEventListener("click", () => choose(t));
  $("tab-" + t).addEventListener("keydown", e => {
    const next = { ArrowRight: "many", ArrowLeft: "one", Home: "one", End: "many" }[e.key];
    if (next) {
      e.preventDefault();
      choose(next, true);
    }
  });
}
start();
