// Python's side of the page: Pyodide, raftlab, and comms that are messages to the page.

import { loadPyodide } from "./pyodide/pyodide.mjs";

const here = (name) => new URL(name, import.meta.url).href;
const OFTEN_MS = 1000; // how often, at most, what plays is kept, which takes a moment too
const RARELY = 20; // times as long as keeping it took

const archive = fetch(here("./raftlab.zip")).then((answer) => {
  if (!answer.ok) throw new Error(`${answer.status} for ${answer.url}`);
  return answer.arrayBuffer();
});
const booted = loadPyodide({
  indexURL: here("./pyodide/"),
  stdLibURL: here("./pyodide/python_stdlib.zip"),
  lockFileContents: { info: LOCK_INFO, packages: {} },
});
let page;
let address = ""; // what is after its "#", of which the runs are kept
let kept = 0; // when that was last done
let resting = 0; // and for how long it need not be

async function start(asked) {
  navigator.locks?.request(asked.alive, () => { // held for as long as it lives
    postMessage({ alive: true });
    return new Promise(() => {});
  });
  const python = await booted;
  postMessage({ step: "The lab is being unpacked …" });
  python.unpackArchive(await archive, "zip", { extractDir: "/lib/site" });
  python.runPython("import sys; sys.path.insert(0, '/lib/site')");
  postMessage({ step: "The lab is being loaded …" });
  python.registerJsModule("page_messages", { tell: (text) => postMessage(JSON.parse(text)) });
  page = python.pyimport("page");
  page.start(JSON.stringify(asked));
  address = asked.fragment;
}

function follow(asked) {
  page.follow(JSON.stringify(asked));
  address = asked.fragment;
}

function keep(now) {
  const began = performance.now();
  if (!now && began < kept + resting) return;
  postMessage({ kept: page.kept(), address });
  kept = performance.now();
  resting = Math.max(OFTEN_MS, RARELY * (kept - began));
}

const DO = {
  start,
  follow,
  message: ({ id, comm, data }) => page.receive(id, comm, JSON.stringify(data)),
};

// Pyodide waits for ever for a part that does not come
addEventListener("unhandledrejection", ({ reason }) => postMessage({ failed: String(reason) }));

let last = Promise.resolve();
onmessage = ({ data: { id, kind, asked } }) => {
  last = last
    .then(() => DO[kind](asked))
    .then(() => postMessage({ done: id }))
    .then(() => keep(kind !== "message" || !["next", "again"].includes(asked.data.content?.kind)))
    .catch((error) => {
      const ended = error.name !== "PythonError"; // Python itself has
      postMessage({ failed: String(error), ended });
      if (ended) self.close();
    });
};
