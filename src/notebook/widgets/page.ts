/** What runs in the page: sliders above a picture. All that it shows is the model's state, so that it can be drawn anew at any time. */

/** State of the page's model. */
export interface PageState {
  controls: { name: string; count: number }[];
  /** position of each slider */
  at: Record<string, number>;
  /** what each slider stands at, in words */
  texts: Record<string, string>;
  svg: string;
  alt: string;
  /** why there is no new picture; empty if there is one */
  error: string;
}

/**
 * The sliders are of use only while a kernel listens: until it has answered, they are off. When one has been let go, the kernel is asked to
 * keep the picture in the notebook; that draws the view anew, which takes the focus with it.
 */
export const SLIDERS_ESM = `
const KEEP_MS = 500;
let focused = null;

function row({ name, count }, model) {
  const label = document.createElement("label");
  const title = document.createElement("span");
  title.textContent = name;
  const input = Object.assign(document.createElement("input"), { type: "range", min: 0, max: count - 1, step: 1, disabled: true });
  input.value = model.get("at")[name];
  input.setAttribute("aria-label", name);
  const text = document.createElement("output");
  label.append(title, input, text);
  return { name, label, input, text };
}

function render({ model, el }) {
  const rows = model.get("controls").map((control) => row(control, model));
  const picture = document.createElement("img");
  const error = Object.assign(document.createElement("p"), { className: "nb-error" });
  error.setAttribute("role", "alert");
  const box = Object.assign(document.createElement("div"), { className: "nb-sliders" });
  box.append(...rows.map(({ label }) => label), picture, error);
  el.append(box);

  const draw = () => {
    picture.src = "data:image/svg+xml," + encodeURIComponent(model.get("svg"));
    picture.alt = model.get("alt");
    error.textContent = model.get("error");
    for (const { name, input, text } of rows) {
      text.textContent = model.get("texts")[name];
      input.setAttribute("aria-valuetext", text.textContent);
    }
  };
  let timer;
  const keep = () => {
    clearTimeout(timer);
    timer = setTimeout(() => model.send({ kind: "keep" }), KEEP_MS);
  };
  for (const { name, input } of rows) {
    input.addEventListener("input", () => {
      model.set("at", { ...model.get("at"), [name]: Number(input.value) });
      model.save_changes();
    });
    input.addEventListener("change", keep);
    input.addEventListener("focus", () => { focused = name; });
    input.addEventListener("blur", () => { if (input.isConnected) focused = null; });
  }
  model.on("change:svg", draw);
  model.on("change:texts", draw);
  model.on("change:error", draw);
  model.on("change:at", () => {
    for (const { name, input } of rows) input.value = model.get("at")[name];
  });
  model.on("msg:custom", ({ kind }) => {
    if (kind !== "here") return;
    for (const { name, input } of rows) {
      input.disabled = false;
      if (name === focused) input.focus();
    }
  });
  draw();
  model.send({ kind: "hello" });
  return () => clearTimeout(timer);
}

export default { render };
`;

export const SLIDERS_CSS = `
.nb-sliders label { display: flex; align-items: center; gap: 8px; max-width: 640px; }
.nb-sliders label > span { min-width: 90px; }
.nb-sliders input { flex: 1; }
.nb-sliders output { min-width: 140px; font-variant-numeric: tabular-nums; }
.nb-sliders img { max-width: 100%; }
.nb-sliders .nb-error { color: var(--jp-error-color0, #b71c1c); white-space: pre-wrap; }
.nb-sliders .nb-error:empty { display: none; }
`;

/** A picture, and a button that asks for the end of what draws it. */
export const BUTTON_ESM = `
function render({ model, el }) {
  let shown;
  const button = document.createElement("button");
  button.className = "nb-stop";
  const picture = document.createElement("div");
  const draw = () => {
    if (shown !== model.get("html")) picture.innerHTML = shown = model.get("html");
    button.textContent = model.get("stopping") ? "Stopping ..." : "Stop training";
    button.disabled = model.get("stopping");
  };
  button.addEventListener("click", () => {
    model.set("stopping", true);
    model.save_changes();
  });
  for (const key of ["html", "stopping"]) model.on("change:" + key, draw);
  draw();
  const box = document.createElement("div");
  box.append(button, picture);
  el.append(box);
}

export default { render };
`;
