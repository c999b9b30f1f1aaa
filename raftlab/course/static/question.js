// One question: choices that are buttons, and below them the verdict, once there is one.
// The kernel judges: nothing here knows the answer before it was given.

const PATIENCE_MS = 3000; // a kernel that was interrupted may never answer: then click again
const DEAF_MS = 1000; // a kernel that has dealt with a greeting has said so before: else nothing is heard
const GONE = "The kernel of this question has stopped. Run its cell again to go on.";

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function render({ model, el }) {
  el.classList.add("jupyter-widgets", "raftlab-question"); // the first hides the still picture
  const statement = make("p", { class: "statement", tabindex: "-1" });
  const given = make("ul", { class: "given" });
  const pictures = make("div", { class: "pictures" });
  const choices = make("div", { class: "choices", role: "group", "aria-label": "Your prediction" });
  const trouble = make("p", { class: "trouble", role: "alert" });
  const verdict = make("p", { class: "verdict", role: "status" });
  const unfolded = make("div", { class: "unfolded" });
  const score = make("span", { class: "score" });
  const again = make("button", { type: "button", class: "again" }, "Ask me another");
  const foot = make("div", { class: "foot" }, again, score);
  // JupyterLab hears keys before a button does, and would edit the cell at Enter.
  const root = make(
    "section",
    { "aria-label": "Prediction", "data-lm-suppress-shortcuts": "true" },
    statement, given, pictures, choices, trouble, verdict, unfolded, foot,
  );
  el.append(root);

  let waiting = 0; // for what the kernel says to a click here: the timer that ends it

  const open = () => !waiting && !model.get("outcome").sentence;

  function tellKernel(message, callbacks) {
    try {
      model.send(message, callbacks);
      return true;
    } catch {
      trouble.textContent = GONE;
      return false;
    }
  }

  function say(message) {
    trouble.textContent = "";
    if (!tellKernel({ number: model.get("asked").number, ...message })) return;
    waiting = setTimeout(heard, PATIENCE_MS);
    root.setAttribute("aria-busy", "true");
  }

  function heard() {
    clearTimeout(waiting);
    waiting = 0;
    root.removeAttribute("aria-busy");
  }

  function choiceButton(key, says) {
    const words = says ? [make("b", {}, key), ` ${says}`] : [key];
    const button = make("button", { type: "button", class: "choice", "data-key": key }, ...words);
    if (model.get("asked").several) button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      if (!open()) return;
      if (!model.get("asked").several) return say({ answer: [key] });
      const pressed = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(pressed));
      nameSubmit();
    });
    return button;
  }

  const pressed = () => [...choices.querySelectorAll("[aria-pressed=true]")].map(b => b.dataset.key);

  function nameSubmit() {
    choices.querySelector(".submit").textContent = pressed().length
      ? "That is my prediction"
      : "None of them";
  }

  function submitButton(words, answer) {
    const button = make("button", { type: "button", class: "submit" }, words);
    button.addEventListener("click", () => open() && say({ answer: answer() }));
    return button;
  }

  function numberField() {
    const field = make("input", { type: "text", inputmode: "numeric", "aria-label": "A whole number" });
    const submit = submitButton("That is my prediction", () => [field.value]);
    field.addEventListener("keydown", event => event.key === "Enter" && submit.click());
    return [field, submit];
  }

  function ask() {
    const asked = model.get("asked");
    statement.replaceChildren(
      make("b", {}, asked.number > 1 ? `Predict (${asked.number}):` : "Predict:"),
      ` ${asked.statement}`,
      ...(asked.credit ? [make("small", {}, ` (${asked.credit})`)] : []),
    );
    given.replaceChildren(...asked.given.map(line => make("li", {}, line)));
    given.hidden = !asked.given.length;
    pictures.innerHTML = asked.pictures;
    pictures.hidden = !asked.pictures;
    choices.classList.toggle("long", asked.choices.some(([, says]) => says));
    choices.replaceChildren(
      ...asked.choices.map(([key, says]) => choiceButton(key, says)),
      ...(asked.several ? [submitButton("None of them", pressed)] : []),
      ...(asked.choices.length ? [] : numberField()),
    );
    trouble.textContent = "";
  }

  function tell() {
    const outcome = model.get("outcome");
    const told = Boolean(outcome.sentence);
    verdict.textContent = outcome.sentence ?? "";
    verdict.classList.toggle("right", outcome.right === true);
    unfolded.innerHTML = outcome.pictures ?? "";
    unfolded.append(make("ul", {}, ...(outcome.why ?? []).map(line => make("li", {}, line))));
    unfolded.hidden = !told;
    again.hidden = !outcome.again;
    for (const control of choices.querySelectorAll("button, input")) {
      if (told) control.setAttribute("aria-disabled", "true");
      if (control.matches("input")) control.readOnly = told;
    }
    choices.querySelectorAll(".submit").forEach(button => (button.hidden = told && !hasFocus(button)));
    for (const button of told ? choices.querySelectorAll(".choice") : []) mark(button, outcome);
  }

  const hasFocus = element => element === element.getRootNode().activeElement;

  function mark(button, { said, truth }) {
    const key = button.dataset.key;
    const notes = [said.includes(key) && "yours", truth.includes(key) && "right"].filter(Boolean);
    button.querySelector(".note")?.remove();
    button.classList.toggle("true", truth.includes(key));
    if (button.hasAttribute("aria-pressed")) button.setAttribute("aria-pressed", String(said.includes(key)));
    if (notes.length) button.append(make("span", { class: "note" }, `\u00a0– ${notes.join(", ")}`));
  }

  function count() {
    score.textContent = model.get("score");
  }

  again.addEventListener("click", () => !waiting && say({ again: true }));
  const onAsked = () => {
    const mine = waiting;
    heard();
    ask();
    tell();
    if (mine) statement.focus();
  };
  const onOutcome = () => {
    if (model.get("outcome").sentence) heard();
    tell();
  };
  // A widget whose code came too late can speak and hears nothing, and anywidget does not say so.
  let deaf = 0;
  const greeted = ({ content }) => {
    if (content.execution_state === "idle" && deaf === 0) {
      deaf = setTimeout(() => tellKernel({ deaf: true }), DEAF_MS);
    }
  };
  const onMessage = message => {
    if (message.here) {
      clearTimeout(deaf);
      deaf = -1;
      return;
    }
    heard();
    trouble.textContent = message.trouble ?? "";
  };
  model.on("change:asked", onAsked);
  model.on("change:outcome", onOutcome);
  model.on("change:score", count);
  model.on("msg:custom", onMessage);
  ask();
  tell();
  count();
  tellKernel({ hello: true }, { iopub: { status: greeted } });
  return () => {
    clearTimeout(waiting);
    clearTimeout(deaf);
    model.off("change:asked", onAsked);
    model.off("change:outcome", onOutcome);
    model.off("change:score", count);
    model.off("msg:custom", onMessage);
  };
}

export default { render };
