// The stage: paints marks, and moves each from where it is to where it shall be.
//
// It knows discs, boxes, arcs, paths and words, and nothing of what they stand for.
// The geometry is that of raftlab/view/geometry.py and the strokes those of view/svg.py;
// a browser test compares the two.

const SVG = "http://www.w3.org/2000/svg";
const MONO = "'DejaVu Sans Mono', 'Bitstream Vera Sans Mono', Menlo, Consolas, monospace";
const NECK = 7;
const LOW = window.matchMedia("(max-height: 500px)"); // as in stage.css
const PATIENCE = 3000; // ms without an answer, after which a moment is asked for again
const DEAF = 4000; // ms: anywidget hears nothing of a widget whose code took it 2 s to load
const LATE = 0.62; // what happens, happens when the messages have come almost all their way

// Geometry

const short = (value) => String(Math.round(value * 100) / 100 + 0);
const at = ([x, y]) => `${short(x)} ${short(y)}`;

function pointOn([x0, y0], [x1, y1], curve, share) {
  const dx = x1 - x0, dy = y1 - y0;
  if (!curve) return [x0 + dx * share, y0 + dy * share];
  const quarter = Math.atan(2 * curve);
  const reach = Math.sin(2 * quarter * share) / Math.sin(2 * quarter);
  const turn = 2 * quarter * (1 - share);
  const along = reach * Math.cos(turn), across = reach * Math.sin(turn);
  return [x0 + dx * along + dy * across, y0 + dy * along - dx * across];
}

function endDirection([x0, y0], [x1, y1], curve) {
  const dx = x1 - x0, dy = y1 - y0, length = Math.hypot(dx, dy) || 1;
  const turn = 2 * Math.atan(2 * curve);
  const c = Math.cos(turn) / length, s = Math.sin(turn) / length;
  return [dx * c - dy * s, dx * s + dy * c];
}

function arrowHead([x1, y1], [dx, dy], width) {
  const size = 0.75 + 0.125 * Math.min(width, 4);
  const back = 10 * size, side = 4 * size;
  const x = x1 - dx * back, y = y1 - dy * back;
  return [[x + dy * side, y - dx * side], [x1, y1], [x - dy * side, y + dx * side]];
}

function shortened(start, end, curve, by) {
  const length = Math.hypot(end[0] - start[0], end[1] - start[1]);
  if (by >= length) return [start, curve];
  const share = 1 - by / length;
  const bend = Math.tan(share * Math.atan(2 * curve)) / 2;
  return [pointOn(start, end, curve, share), bend];
}

function route(points, curve, closed) {
  const [start, end] = points;
  if (points.length === 2 && curve && (start[0] !== end[0] || start[1] !== end[1])) {
    const length = Math.hypot(end[0] - start[0], end[1] - start[1]);
    const r = short((length * (1 + 4 * curve * curve)) / (8 * Math.abs(curve)));
    const large = Math.abs(curve) > 0.5 ? 1 : 0;
    return `M${at(start)}A${r} ${r} 0 ${large} ${curve > 0 ? 1 : 0} ${at(end)}`;
  }
  return `M${points.map(at).join("L")}${closed ? "Z" : ""}`;
}

function arcRoute([x, y, r, from, to]) {
  const place = (turns) => {
    const angle = 2 * Math.PI * turns;
    return [x + r * Math.sin(angle), y - r * Math.cos(angle)];
  };
  const end = Math.min(to, from + 0.9999); // a whole circle would begin where it ends
  const large = end - from > 0.5 ? 1 : 0;
  return `M${at(place(from))}A${short(r)} ${short(r)} 0 ${large} 1 ${at(place(end))}`;
}

function hatchRoute([x, y, w, h], gap) {
  let steps = "";
  for (let reach = gap; reach < w + h; reach += gap) {
    const [left, down] = reach <= h ? [0, reach] : [reach - h, h];
    const [right, up] = reach <= w ? [reach, 0] : [w, reach - w];
    steps += `M${at([x + left, y + down])}L${at([x + right, y + up])}`;
  }
  return steps;
}

function pairs(values) {
  const points = [];
  for (let i = 0; i + 1 < values.length; i += 2) points.push([values[i], values[i + 1]]);
  return points;
}

// Marks: a packed row becomes {id, shape, look, v, …}; `v` are the numbers that move

const READ = {
  d: (row) => ({ v: row.slice(3, 6), title: row[6] }),
  b: (row) => ({ v: row.slice(3, 8), title: row[8] }),
  a: (row) => ({ v: row.slice(3, 8), title: row[8] }),
  p: (row) => ({ v: [...row[3], row[4]], head: row[5], closed: row[6], title: row[7] }),
  t: (row) => ({ v: row.slice(3, 5), text: row[5] }),
};

function read(row, looks) {
  const [kind, id, number] = row;
  const mark = { kind, id, look: looks[number], ...READ[kind](row) };
  mark.shape = `${kind}${mark.v.length}${mark.head ?? ""}${mark.closed ?? ""}${mark.look.h ?? ""}`;
  return mark;
}

function element(tag, attributes, parent) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes ?? {})) made.setAttribute(name, value);
  parent?.append(made);
  return made;
}

function build(mark) {
  const tag = { d: "circle", a: "path", t: "text", p: mark.head === "n" ? "path" : "g" };
  const el = element(tag[mark.kind] ?? (mark.look.h ? "g" : "rect"), { "data-id": mark.id });
  mark.el = mark.line = el;
  if (mark.kind === "p" && mark.head !== "n") {
    mark.line = element("path", {}, el);
    mark.tip = element("path", { class: "head" }, el);
    mark.hit = element("path", { class: "hit" }, el);
  }
  if (mark.kind === "b" && mark.look.h) {
    mark.line = element("rect", {}, el);
    const [, width, color] = mark.look.h;
    mark.hatch = element("path", { fill: "none", stroke: color, "stroke-width": width }, el);
  }
  dress(mark);
}

function put(el, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) el.removeAttribute(name);
    else el.setAttribute(name, value);
  }
}

function dress(mark) {
  const { look, el } = mark;
  put(el, { class: [look.c, mark.title ? "told" : ""].filter(Boolean).join(" ") || null });
  if (mark.kind === "t") {
    put(el, {
      "font-size": look.z, fill: look.f, "text-anchor": look.a,
      "font-weight": look.b && "bold", "font-family": look.mono && MONO,
      "paint-order": look.halo && "stroke", stroke: look.halo && "#FFFFFF",
      "stroke-width": look.halo && 3,
    });
    if (el.textContent !== mark.text) el.textContent = mark.text;
    return;
  }
  put(mark.line, {
    fill: look.f ?? "none", stroke: look.s, "stroke-width": look.w, "stroke-dasharray": look.d,
    opacity: look.o,
  });
  if (mark.tip) {
    const open = mark.head === "o";
    put(mark.tip, {
      fill: open ? "none" : look.s, stroke: open ? look.s : null, opacity: look.o,
      "stroke-width": open ? Math.max(look.w, 1.4) : null,
    });
  }
  tell(mark);
}

function tell(mark) {
  const old = mark.el.querySelector(":scope > title");
  if (!mark.title) old?.remove();
  else (old ?? mark.el.insertBefore(element("title"), mark.el.firstChild)).textContent = mark.title;
}

const PLACE = {
  d: ({ el }, [cx, cy, r]) => put(el, { cx: short(cx), cy: short(cy), r: short(Math.max(r, 0)) }),
  b: ({ line, hatch, look }, v) => {
    const [x, y, width, height, r] = v.map(short);
    put(line, { x, y, width, height, rx: r === "0" ? null : r });
    if (hatch) hatch.setAttribute("d", hatchRoute(v, look.h[0]));
  },
  a: ({ el }, v) => el.setAttribute("d", arcRoute(v)),
  t: ({ el }, [x, y]) => put(el, { x: short(x), y: short(y) }),
  p: (mark, v) => {
    const points = pairs(v), bend = points.length === 2 ? v.at(-1) : 0;
    if (!mark.tip) return mark.el.setAttribute("d", route(points, bend, mark.closed));
    const [start, end] = points.slice(-2);
    const head = arrowHead(end, endDirection(start, end, bend), mark.look.w);
    const [neck, bent] = mark.head === "f" ? shortened(start, end, bend, NECK) : [end, bend];
    mark.line.setAttribute("d", route([...points.slice(0, -1), neck], bent, false));
    mark.tip.setAttribute("d", `M${head.map(at).join("L")}${mark.head === "f" ? "Z" : ""}`);
    mark.hit.setAttribute("d", route(points, bend, false));
  },
};

function place(mark, v) {
  mark.v = v;
  PLACE[mark.kind](mark, v);
}

function show(mark, share) {
  mark.share = share;
  mark.el.style.opacity = share >= 1 ? "" : share * (mark.look.o ?? 1);
}

// One picture: its marks by id, and how they come from one scene to the next

const part = (t, from, to) => Math.min(Math.max((t - from) / (to - from), 0), 1);
const ease = (t) => (t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) * (1 - t));
const same = (one, other) => one.every((value, i) => value === other[i]);

class Picture {
  constructor(parent, name) {
    this.svg = element("svg", { class: `raftlab ${name}`, role: "img" }, parent);
    this.wide = 0;
    this.title = element("title", {}, this.svg);
    this.desc = element("desc", {}, this.svg);
    this.paper = element("rect", { class: "paper", fill: "#FFFFFF" }, this.svg);
    this.group = element("g", {}, this.svg);
    this.marks = new Map();
    this.leaving = [];
    this.moves = [];
  }

  aim(scene) {
    if (scene === this.scene || !scene?.marks) return;
    this.scene = scene;
    this.settle();
    this.frame(scene);
    const before = this.marks, next = new Map();
    for (const row of scene.marks) {
      const mark = read(row, scene.looks);
      next.set(mark.id, this.meet(before.get(mark.id), mark));
      before.delete(mark.id);
    }
    const endings = new Map(scene.gone.map((row) => [row[1], read(row, scene.looks)]));
    for (const mark of before.values()) this.dismiss(mark, endings.get(mark.id));
    this.marks = next;
    this.order();
  }

  frame({ w, h, title, desc }) {
    if (this.title.textContent !== title) this.wide = 0;
    w = this.wide = Math.max(this.wide, w); // so that nothing jumps when a scene gets narrower
    put(this.svg, { viewBox: `0 0 ${w} ${h}`, "aria-label": title });
    const pane = this.svg.parentNode; // never narrower than its scene, or letters would shrink
    pane.style.setProperty("--natural", `${w}px`);
    pane.style.setProperty("--height", `${h}px`);
    pane.style.setProperty("--share", w);
    this.svg.style.aspectRatio = `${w} / ${h}`;
    put(this.paper, { width: w, height: h });
    if (this.title.textContent !== title) this.title.textContent = title;
    this.desc.textContent = desc;
  }

  meet(old, mark) {
    if (old && old.shape === mark.shape) {
      const dressed = JSON.stringify(old.look) === JSON.stringify(mark.look)
        && old.text === mark.text && old.title === mark.title;
      if (!dressed) old.next = { look: mark.look, text: mark.text, title: mark.title };
      const moved = !same(old.v, mark.v);
      const late = !mark.look.m || (mark.kind === "a" && mark.v[3] < old.v[3]);
      if (moved || !dressed || old.share < 1) {
        this.moves.push({ mark: old, from: old.v, to: mark.v, late, moved, in: old.share < 1 });
      }
      return old;
    }
    if (old) this.dismiss(old);
    build(mark);
    place(mark, mark.v);
    show(mark, 0);
    this.moves.push({ mark, from: mark.v, to: mark.v, moved: false, in: true });
    return mark;
  }

  dismiss(mark, ending) {
    this.leaving.push(mark);
    mark.el.classList.add("leaving");
    const flies = ending?.shape === mark.shape;
    this.moves.push({ mark, from: mark.v, to: flies ? ending.v : mark.v, moved: flies, out: true });
  }

  order() {
    let cursor = this.group.firstChild;
    for (const { el } of this.marks.values()) {
      while (cursor && cursor.classList.contains("leaving")) cursor = cursor.nextSibling;
      if (el === cursor) cursor = cursor.nextSibling;
      else this.group.insertBefore(el, cursor);
    }
  }

  step(t, steady) {
    for (const move of this.moves) {
      const { mark } = move;
      if (move.moved) {
        const share = move.late ? ease(part(t, LATE, 1)) : steady ? t : ease(part(t, 0, 0.9));
        place(mark, move.from.map((value, i) => value + (move.to[i] - value) * share));
      }
      if (mark.next && t >= LATE) {
        Object.assign(mark, mark.next, { next: null });
        dress(mark);
      }
      if (move.in) show(mark, Math.max(mark.share, part(t, LATE, 1)));
      if (move.out) show(mark, Math.min(mark.share, 1 - part(t, move.moved ? 0.88 : LATE, 1)));
    }
  }

  settle() { // stop where everything is now
    for (const { mark } of this.moves) if (mark.next) {
      Object.assign(mark, mark.next, { next: null });
      dress(mark);
    }
    for (const mark of this.leaving) mark.el.remove();
    this.leaving = [];
    this.moves = [];
  }
}

export function roomOf(stage) { // for its picture, and whether the page is low
  const width = Math.floor(stage.clientWidth - 2 * parseFloat(getComputedStyle(stage).paddingLeft));
  return { width, low: LOW.matches };
}

// The show: moments come from the kernel, one after the other

class Show {
  constructor(model, root, spoken) {
    Object.assign(this, { model, root, spoken });
    const cluster = box("raftlab-cluster", root), logs = box("raftlab-logs", root);
    this.pictures = { cluster: new Picture(cluster, "cluster"), logs: new Picture(logs, "logs") };
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.room = "";
    this.seen = true; // nobody plays to an empty house: out of sight no next moment is asked for
    this.watch = new IntersectionObserver((all) => this.see(all.at(-1).isIntersecting));
    this.watch.observe(root);
    this.measure = new ResizeObserver(() => this.fit());
    this.measure.observe(root);
    const panes = [cluster, logs];
    this.scrolling = new ResizeObserver(() => panes.forEach(reach));
    for (const pane of panes) this.scrolling.observe(pane), this.scrolling.observe(pane.firstChild);
    this.trip = 60; // ms from asking for a moment to having it
    this.asked = null;
    this.take();
    if (this.still.matches && this.moment.playing) report(model, root, { kind: "still" });
  }

  fit() { // how much room there is decides what is shown
    const { width, low } = roomOf(this.root), room = `${width} ${low}`;
    if (width <= 0 || room === this.room) return;
    this.room = room;
    this.root.toggleAttribute("data-settling", true); // until the picture has this room
    report(this.model, this.root, { kind: "room", width, low });
    this.deaf ??= setTimeout(() => report(this.model, this.root, { kind: "deaf" }), DEAF);
  }

  see(seen) {
    const back = seen && !this.seen;
    this.seen = seen;
    if (back && this.moment.playing && !this.asked && !this.waiting) this.ask();
  }

  take() { // a moment has come
    clearTimeout(this.deaf);
    const motion = this.model.get("motion");
    if (this.asked) {
      this.trip += 0.3 * (performance.now() - this.askedAt - this.trip);
      this.asked = null;
      clearTimeout(this.reminder);
    }
    const moment = { ...motion };
    for (const name of ["cluster", "logs", "words", "heard", "room"]) moment[name] = this.model.get(name);
    if (this.moment && motion.steady && this.busy) this.waiting = moment;
    else this.start(moment);
  }

  start(moment) {
    const first = !this.moment;
    cancelAnimationFrame(this.raf);
    this.tell(); // what was under way is over
    this.moment = moment;
    if (first) this.tell();
    this.waiting = null;
    this.busy = true;
    if (moment.room !== this.drawnFor) { // the first picture for this room, be it narrower
      for (const picture of Object.values(this.pictures)) picture.wide = 0;
      this.drawnFor = moment.room;
    }
    this.pictures.cluster.aim(moment.cluster);
    this.pictures.logs.aim(moment.logs);
    this.began = performance.now();
    this.length = first && !moment.playing ? 0 : moment.ms;
    this.drawn = this.still.matches || !this.length;
    this.root.toggleAttribute("data-settling", !this.drawn && !moment.playing);
    if (this.drawn) this.draw(1);
    if (this.length || moment.playing) this.raf = requestAnimationFrame(() => this.go());
    else this.end();
  }

  go() {
    const passed = performance.now() - this.began;
    if (!this.drawn) this.draw(Math.min(passed / this.length, 1));
    const lead = Math.min(Math.max(this.trip * 1.25, 30), 500);
    if (this.moment.playing && this.seen && !this.asked && !this.waiting && passed >= this.length - lead) this.ask();
    if (passed < this.length) this.raf = requestAnimationFrame(() => this.go());
    else this.end();
  }

  draw(t) {
    for (const picture of Object.values(this.pictures)) picture.step(t, this.moment.steady);
    if (t >= LATE) this.tell();
  }

  tell() { // words, seen or heard, say what the picture shows, and no sooner
    if (!this.moment) return;
    const { words, heard } = this.moment, lab = this.root.closest(".raftlab-lab");
    if (lab) write(words, lab);
    if (this.heard !== undefined && this.heard !== heard) this.spoken.textContent = heard;
    this.heard = heard;
  }

  end() {
    this.busy = false;
    this.root.removeAttribute("data-settling");
    for (const picture of Object.values(this.pictures)) picture.settle();
    if (this.waiting) this.start(this.waiting);
  }

  ask() {
    this.asked = this.moment.seq;
    this.askedAt = performance.now();
    report(this.model, this.root, { kind: "next", seq: this.moment.seq });
    this.remind(PATIENCE + 4 * this.trip);
  }

  remind(ms) { // an interrupt of the kernel may have swallowed the question, or its answer
    this.reminder = setTimeout(() => {
      report(this.model, this.root, { kind: "again", seq: this.asked });
      this.remind(2 * ms); // a cell that runs for long may be all that it is
    }, ms);
  }

  stop() {
    cancelAnimationFrame(this.raf);
    clearTimeout(this.reminder);
    clearTimeout(this.deaf);
    this.watch.disconnect();
    this.measure.disconnect();
    this.scrolling.disconnect();
  }
}

function reach(pane) { // what can be scrolled can be scrolled by keys, too
  const scrolls = pane.scrollHeight > pane.clientHeight || pane.scrollWidth > pane.clientWidth;
  put(pane, { tabindex: scrolls ? 0 : null });
}

function box(name, parent) {
  const made = document.createElement("div");
  made.className = name;
  parent.append(made);
  return made;
}

// To the kernel; when it has gone, the reader is told, once

function report(model, root, content) {
  if (!["next", "again", "room", "deaf", "still"].includes(content.kind)) {
    const chosen = root.closest(".raftlab-lab")?.querySelectorAll("[data-chosen]") ?? [];
    for (const list of chosen) delete list.dataset.chosen;
  }
  try {
    model.send(content);
  } catch {
    if (root.querySelector(".raftlab-gone")) return;
    const words = box("raftlab-gone", root);
    words.setAttribute("role", "alert");
    words.textContent = model.get("gone");
  }
}

// Hands: clicks and keys are reported; the kernel knows what they mean

function listen(model, root, signal) {
  let unanswered = false; // a key that is held down waits for the answer to its last report
  const menu = new Menu(model, root);
  model.on("change:motion", () => (unanswered = false));
  root.addEventListener("click", (event) => {
    if (menu.has(event.target)) return;
    menu.close();
    root.focus({ preventScroll: true });
    const mark = event.target.closest("[data-id]");
    if (!mark) return;
    report(model, root, { kind: "click", id: mark.dataset.id });
    menu.open(mark, event);
  }, { signal });
  root.addEventListener("keydown", (event) => {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (menu.takes(event) || !plain || !model.get("hotkeys").includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat && unanswered) return;
    unanswered = true;
    menu.close();
    report(model, root, { kind: "key", key: event.key });
  }, { signal });
  document.addEventListener("pointerdown", (event) => {
    if (!menu.has(event.target)) menu.close();
  }, { signal });
}

class Menu { // what can be done with a mark, where it was clicked
  constructor(model, root) {
    Object.assign(this, { model, root, el: null });
  }

  open(mark, { clientX, clientY }) {
    const menus = this.model.get("menus");
    const items = menus[mark.dataset.id] ?? menus[mark.classList[0]];
    if (!items) return;
    this.el = box("raftlab-menu", this.root);
    this.el.setAttribute("role", "menu");
    this.el.setAttribute("aria-label", mark.dataset.id);
    for (const [key, words] of items) this.add(key, words);
    const frame = this.root.getBoundingClientRect(), own = this.el.getBoundingClientRect();
    const left = Math.min(clientX - frame.left + 8, frame.width - own.width - 4);
    const top = Math.min(clientY - frame.top + 8, frame.height - own.height - 4);
    Object.assign(this.el.style, { left: `${left}px`, top: `${Math.max(top, 2)}px` });
    this.el.firstChild.focus({ preventScroll: true });
  }

  add(key, words) {
    const item = document.createElement("button");
    item.type = "button";
    item.setAttribute("role", "menuitem");
    item.textContent = words;
    item.addEventListener("click", () => {
      this.close();
      report(this.model, this.root, { kind: "key", key });
    });
    this.el.append(item);
  }

  has(target) {
    return Boolean(this.el?.contains(target));
  }

  takes(event) { // the keys that move within an open menu
    if (!this.has(event.target)) return false;
    const items = [...this.el.children], here = items.indexOf(event.target);
    const by = { ArrowDown: 1, ArrowUp: items.length - 1 }[event.key];
    if (by) items[(here + by) % items.length].focus();
    else if (event.key === "Escape") this.close();
    else return event.key === "Enter" || event.key === " " || event.key === "Tab";
    event.preventDefault();
    return true;
  }

  close() {
    if (!this.el) return;
    const inside = this.el.contains(document.activeElement);
    this.el.remove();
    this.el = null;
    if (inside) this.root.focus({ preventScroll: true });
  }
}

// The text of a run goes to the clipboard; where a page may not do that, it is there, selected.
// It may still be on its way from Python: then what was pressed is done when it comes.

function toldIn(panel) {
  const told = () => panel.querySelector(".raftlab-shared :is(textarea, .raftlab-empty)");
  return told() ?? new Promise((tell) => {
    const watch = new MutationObserver(() => {
      if (!told()) return;
      watch.disconnect();
      tell(told());
    });
    watch.observe(panel, { childList: true, subtree: true });
  });
}

async function copy(button, asLink) {
  const panel = button.closest(".raftlab-sharing");
  const text = await toldIn(panel);
  if (!text.matches("textarea")) return; // but why the run cannot be shared
  text.value = (asLink ? text.dataset.before : "") + text.defaultValue;
  text.focus();
  text.select();
  let done = true;
  try {
    await navigator.clipboard.writeText(text.value);
  } catch {
    done = document.execCommand("copy");
  }
  panel.querySelector(".raftlab-copied").textContent = done ? "Copied." : "Selected: press Ctrl+C.";
}

// The controls around the stage are ordinary widgets. But messages of different widgets may
// overtake each other, so a press of a button is reported here, with what the fields hold.
// A list may show what is outdated, since a click in the picture also chooses; it is reported
// only if the reader has chosen in it after the last report.

const LONGEST = 200_001; // letters in a field: what is pasted must pass through the connection

const PLAY = ".raftlab-transport .raftlab-button-play_button";
const NAMED = (kind) => `[class*="raftlab-${kind}-"]`;

function nameOf(el, kind) {
  return [...el.classList].find((each) => each.startsWith(`raftlab-${kind}-`))?.split("-").at(-1);
}

function fields(lab) {
  const held = {};
  for (const el of lab.querySelectorAll(NAMED("field"))) {
    const field = el.querySelector("input, select");
    if (!field || (field.tagName === "SELECT" && !el.dataset.chosen)) continue;
    const chosen = field.selectedOptions?.[0]?.textContent.replaceAll("\u00a0", " ");
    if (field.type === "checkbox") held[nameOf(el, "field")] = field.checked;
    else if (field.tagName !== "SELECT") held[nameOf(el, "field")] = field.value;
    else if (chosen !== undefined) held[nameOf(el, "field")] = chosen;
  }
  return held;
}

function nameHandles(slider, signal) { // of one with two of them, the ends
  const words = slider.closest(":has(> .widget-label)")?.querySelector(":scope > .widget-label").textContent;
  if (!words) return;
  const handles = [...slider.querySelectorAll(".noUi-handle")];
  const ends = handles.length > 1 ? [", at least", ", at most"] : [""];
  handles.forEach((handle, i) => handle.setAttribute("aria-label", words + ends[i]));
  if (handles.length > 1) sayOptions(handles, signal);
}

function sayOptions(handles, signal) { // not their numbers in the list of options
  const slider = handles[0].closest(":has(> .widget-readout)");
  if (!slider) return;
  const readout = slider.querySelector(":scope > .widget-readout");
  const say = () => {
    const options = readout.textContent.split("-");
    if (options.length !== handles.length) return;
    handles.forEach((handle, i) => {
      if (handle.ariaValueText !== options[i]) handle.ariaValueText = options[i];
    });
  };
  const watch = new MutationObserver(say);
  watch.observe(slider, { attributeFilter: ["aria-valuetext"], childList: true, subtree: true });
  signal.addEventListener("abort", () => watch.disconnect());
  say();
}

function adopt(model, root, stage, signal) {
  const lab = root.closest(".raftlab-lab");
  if (!lab) return false;
  const slots = Object.keys(model.get("words")).map((name) => `.raftlab-words-${name} > *`);
  if (![PLAY, ...slots].every((each) => lab.querySelector(each))) return false; // not all is there
  lab.dataset.lmSuppressShortcuts = "true"; // the notebook's own keys stay out of the lab …
  lab.querySelector(".raftlab-note")?.setAttribute("aria-live", "polite");
  for (const slider of lab.querySelectorAll(".noUi-target")) nameHandles(slider, signal);
  toolbar(lab.querySelector(".raftlab-transport"), signal);
  const shade = () => grey(model, lab);
  model.on("change:cannot", shade);
  signal.addEventListener("abort", () => model.off("change:cannot", shade));
  shade();
  stage.tell();
  const press = (name) => {
    keep();
    report(model, root, { kind: "press", name, fields: fields(lab) });
  };
  const keep = inSight(lab, signal);
  lab.addEventListener("click", (event) => {
    const button = event.target.closest(NAMED("button"));
    if (!button) return;
    event.stopPropagation();
    press(nameOf(button, "button"));
  }, { signal, capture: true });
  lab.addEventListener("click", (event) => {
    const button = event.target.closest(".raftlab-copy, .raftlab-copy-link");
    if (button) copy(button, button.matches(".raftlab-copy-link"));
  }, { signal });
  lab.addEventListener("focusin", (event) => {
    if (event.target.matches("input[type=text]")) event.target.maxLength = LONGEST;
  }, { signal });
  lab.addEventListener("change", (event) => {
    const list = event.target.closest(NAMED("field"));
    if (list) list.dataset.chosen = "true";
  }, { signal, capture: true });
  lab.addEventListener("keydown", (event) => { // … though it looks at the focus first
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  }, { signal });
  lab.addEventListener("keydown", (event) => { // by itself it goes to the end that it began with
    if (event.key !== "End" || !event.target.matches(".raftlab-transport .noUi-handle")) return;
    event.preventDefault();
    event.stopPropagation();
    report(model, root, { kind: "key", key: "End" });
  }, { signal, capture: true });
  lab.addEventListener("keydown", (event) => {
    const field = event.key === "Enter" && event.target.closest(NAMED("enter"));
    if (!field) return;
    event.preventDefault();
    press(nameOf(field, "enter"));
  }, { signal, capture: true });
  return true;
}

// What a press brings (a refusal, a row) does not push the control out of the window

function inSight(lab, signal) {
  let pressed;
  const resized = new ResizeObserver(() => {
    if (pressed && pressed === document.activeElement) pressed.scrollIntoView({ block: "nearest" });
    pressed = undefined;
  });
  resized.observe(lab);
  signal.addEventListener("abort", () => resized.disconnect());
  lab.addEventListener("wheel", () => pressed = undefined, { signal, passive: true });
  return () => pressed = document.activeElement;
}

// What changes with every moment comes with the picture, and is put where its widget stands

function write(words, lab) {
  for (const [name, html] of Object.entries(words)) {
    const slot = lab.querySelector(`.raftlab-words-${name} > .widget-html-content`);
    if (slot && slot.told !== html) slot.innerHTML = slot.told = html;
  }
}

// What cannot be done now is greyed, and its tip says why. It still hears a click: the kernel
// then says the same at greater length.

function grey(model, lab) {
  const cannot = model.get("cannot");
  for (const el of lab.querySelectorAll(NAMED("button"))) {
    const reason = cannot[nameOf(el, "button")];
    if (el.dataset.tip === undefined || (el.title !== el.dataset.why && el.title !== el.dataset.tip)) {
      el.dataset.tip = el.title;
    }
    el.dataset.why = reason ?? "";
    el.title = reason ?? el.dataset.tip;
    if (reason) el.setAttribute("aria-disabled", "true");
    else el.removeAttribute("aria-disabled");
  }
}

// The buttons of time are one stop of the Tab key: arrows move among them

function toolbar(row, signal) {
  const buttons = () => [...row.querySelectorAll("button")].filter((each) => each.offsetParent);
  const settle = (chosen) => {
    for (const each of row.querySelectorAll("button")) each.tabIndex = each === chosen ? 0 : -1;
  };
  row.setAttribute("role", "toolbar");
  row.setAttribute("aria-label", "Time");
  const resized = new ResizeObserver(() => { // the button of the Tab key may have been hidden
    if (!row.querySelector("button[tabindex='0']")?.offsetParent) settle(row.querySelector(PLAY));
  });
  for (const each of row.querySelectorAll("button")) resized.observe(each);
  signal.addEventListener("abort", () => resized.disconnect());
  settle(row.querySelector(PLAY));
  row.addEventListener("focusin", (event) => {
    if (event.target.matches("button")) settle(event.target);
  }, { signal });
  row.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key], all = buttons();
    const here = all.indexOf(event.target);
    if (!by || here < 0) return;
    event.preventDefault();
    all[(here + by + all.length) % all.length].focus();
  }, { signal });
}

export default {
  render({ model, el }) {
    const root = box("raftlab-stage", el);
    root.tabIndex = 0;
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", "The cluster and its logs. Press ? for the keys.");
    const leave = new AbortController();
    const spoken = box("raftlab-spoken", el); // read out; a line above shows the same
    spoken.setAttribute("role", "status");
    const stage = new Show(model, root, spoken);
    const take = () => stage.take();
    model.on("change:motion", take);
    listen(model, root, leave.signal);
    let tries = 0;
    const settle = () => adopt(model, root, stage, leave.signal) || (tries++ < 100 && setTimeout(settle, 50));
    settle();
    return () => {
      stage.stop();
      leave.abort();
      model.off("change:motion", take);
    };
  },
};
