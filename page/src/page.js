// The page around the lab: it starts Python, says how far that is, follows the address, and keeps
// what was done for a reload, a crash and the way back.

import { Widgets } from "./manager.js";
import "@fortawesome/fontawesome-free/css/fontawesome.min.css";
import "@fortawesome/fontawesome-free/css/solid.min.css";
import "@fortawesome/fontawesome-free/css/v4-shims.min.css";
import "@lumino/widgets/style/index.css";
import "@jupyter-widgets/base/css/index.css";
import "@jupyter-widgets/controls/css/labvariables.css";
import "@jupyter-widgets/controls/css/widgets-base.css";
import "../../raftlab/lab/static/stage.css";
import { roomOf } from "../../raftlab/lab/static/stage.js";
import "./common.css";
import "./page.css";

const BUSY_MS = 5000; // without an answer, after which the reader is told
const SAY = {
  starting: "Python is starting …",
  anew: "Python stopped. The lab starts anew, with its runs as they were …",
  busy: "The lab is still at work on that.",
  silent: "Python has not answered for a while: it is at work on that, or has stopped.",
  failed: "Python could not start. If the connection is not at fault, try a newer browser.",
  back: "Python had stopped. The lab has started anew, with its runs as they were.",
};
const base = location.href.split("#")[0];
const kept = window.raftlabKept; // of able.js
const el = (id) => document.getElementById(id);
const fragment = () => location.hash.slice(1);

// What the reader is told

function say(words, step = 0, choices = []) {
  el("words").textContent = words;
  el("progress").hidden = !step;
  el("progress").value = step;
  el("choices").replaceChildren(...choices.map(([label, act]) => {
    const button = document.createElement("button");
    button.textContent = label;
    button.addEventListener("click", act);
    return button;
  }));
}

// What is kept, for as long as this tab is there

function load() { // the tab's storage is open to all pages of this web server
  try {
    const { kept: runs, address } = JSON.parse(kept.get(""));
    if (typeof runs === "string" && typeof address === "string") return { kept: runs, address };
  } catch (error) { // nothing was kept, or by somebody else
    console.info(error);
  }
  return {};
}
const save = (told) => kept.set("", JSON.stringify({ kept: told.kept, address: told.address }));

window.addEventListener("pagehide", () => { // seen again while Python starts
  const stage = document.querySelector("#lab > .raftlab-lab:not(#still) .raftlab-stage");
  if (stage) kept.set(" seen", stage.innerHTML);
});

// The room of the picture: so it is drawn once, and for it

const room = () => roomOf(document.querySelector("#lab .raftlab-stage"));

// Python, in a worker

let python;
let lives = 0;

class Python {
  constructor() {
    this.number = `${kept.name} ${performance.timeOrigin} ${++lives}`; // of the lock that its worker holds
    this.sent = 0;
    this.asked = new Map(); // when what has no answer yet was asked
    this.steps = 0;
    this.shown = false;
    this.widgets = new Widgets((comm, data) => this.ask("message", { comm, data }));
    this.last = Promise.resolve(); // messages are heeded one after the other
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => {
      this.last = this.last.then(() => this.heed(data)).catch((error) => this.failed(String(error)));
    };
    this.worker.onerror = (event) => this.failed(event.message);
    const alive = this.number;
    this.worker.postMessage({ kind: "start", asked: { ...load(), fragment: fragment(), base, alive, room: room() } });
    this.clock = setInterval(() => this.look(), 500);
  }

  ask(kind, asked) {
    const id = String(++this.sent);
    this.asked.set(id, performance.now());
    this.count();
    this.worker.postMessage({ id, kind, asked: { id, ...asked } });
    return id;
  }

  count() { // whoever looks at the page from outside sees when all is answered
    document.body.dataset.unanswered = this.asked.size;
  }

  async heed(told) {
    // granted as soon as the worker has gone, however it went; an address without https has no locks
    if (told.alive) navigator.locks?.request(this.number, () => this.gone());
    if (told.step) say(told.step, ++this.steps + 1);
    if (told.failed) this.failed(told.failed);
    if (told.ended && this.shown) this.gone();
    if (told.kept && this === python) save(told);
    for (const each of told.messages ?? []) await this.widgets.heed(each);
    if (told.lab) await this.show(told.lab);
    if (told.run && told.run !== history.state?.run) history.replaceState({ run: told.run }, "");
    if (told.done) {
      this.asked.delete(told.done);
      this.count();
      this.widgets.answered(told.done);
      if (this.busy) this.busy = say("");
    }
  }

  async show(id) {
    await this.widgets.show(id, el("lab"));
    this.shown = true;
    say(lives > 1 ? SAY.back : "");
    for (const act of ["click", "keyup"]) el("lab").addEventListener(act, () => this.busy || say(""), { once: true, capture: true });
    performance.mark("raftlab shown");
    navigator.serviceWorker?.register("./service.js").catch((error) => console.info(error));
  }

  look() { // has it been at one thing for long?
    const [first] = this.asked.values();
    if (!first || this.busy || performance.now() - first < BUSY_MS) return;
    this.busy = true;
    say(navigator.locks ? SAY.busy : SAY.silent, 0, [["Stop it and start anew", () => this.gone()]]);
  }

  failed(words) {
    console.error(words);
    if (this.shown) return; // what the lab could not do it says itself; if it has gone, that is seen
    this.end();
    say(`${SAY.failed} (${words})`, 0, CHOICES);
  }

  gone() {
    if (this !== python || this.ended) return;
    if (!this.shown) return this.failed("it has stopped");
    this.end();
    begin(SAY.anew);
  }

  end() {
    this.ended = true;
    clearInterval(this.clock);
    this.worker.terminate();
    this.widgets.leave();
  }
}

function begin(words) {
  say(words, 1);
  try {
    python = new Python();
  } catch (error) { // a browser, or its owner, allows no workers
    console.error(error);
    say(`${SAY.failed} (${error})`, 0, CHOICES);
  }
}

const CHOICES = [
  ["Try again", () => location.reload()],
  ["Begin with a new cluster", () => {
    kept.forget();
    history.replaceState(null, "", base);
    location.reload();
  }],
];

// Light or dark, as the reader's system is

const dark = matchMedia("(prefers-color-scheme: dark)");
const dress = () => (document.body.dataset.jpThemeLight = String(!dark.matches));
dark.addEventListener("change", dress);
dress();

window.addEventListener("popstate", ({ state }) => python?.ask("follow", { fragment: fragment(), run: state?.run ?? 0 }));
if (!window.raftlabCannot) begin(SAY.starting);
window.raftlabRuns = true; // able.js looks for it
