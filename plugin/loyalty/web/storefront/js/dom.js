// Elements without a framework. Text only ever enters the page as text nodes.

const SVG = "http://www.w3.org/2000/svg";

function isProperty(name) {
  return ["value", "checked", "disabled", "hidden", "selected"].includes(name);
}

/** One element: `h("button", {class: "primary", onclick: pay}, "Pay")`. Null children are skipped. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (isProperty(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...present(children));
  return element;
}

function present(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** One SVG drawing from `[tag, attributes]` pairs. */
export function svg(viewBox, shapes, attributes = {}) {
  const root = document.createElementNS(SVG, "svg");
  root.setAttribute("viewBox", viewBox);
  for (const [name, value] of Object.entries(attributes)) root.setAttribute(name, value);
  for (const [tag, shape] of shapes) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(shape)) element.setAttribute(name, value);
    root.append(element);
  }
  return root;
}

/**
 * Replace what is in `container`. Whoever has the focus keeps it when an element with the
 * same `data-focus` is there afterwards, so that an answer that arrives late never throws a
 * keyboard user back to the top of the page.
 */
export function fill(container, ...children) {
  const active = document.activeElement;
  const kept = container.contains(active) ? active.dataset.focus : undefined;
  container.replaceChildren(...present(children));
  if (kept === undefined) return;
  const again = [...container.querySelectorAll("[data-focus]")].find((element) => element.dataset.focus === kept);
  if (again && !again.disabled) again.focus({ preventScroll: true });
}

export function byId(id) {
  return document.getElementById(id);
}

let toastTimer = 0;

/** Say something once, to eyes and to screen readers. */
export function announce(text) {
  const toast = byId("toast");
  toast.textContent = text;
  toast.classList.add("shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.classList.remove("shown"), 3000);
}

/** Say something to screen readers that eyes see anyway. */
export function say(text) {
  byId("spoken").textContent = text;
}
