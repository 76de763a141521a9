/* Making elements, and remembering a few words in the browser. */

export const root = document.documentElement;

/** An element of HTML; attributes of null are left out. */
export function make(tag, name = "", attributes = {}) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  for (const [key, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(key, value);
  return element;
}

/** An element of HTML with a text, which is put there as text. */
export function say(tag, name, text, attributes = {}) {
  return Object.assign(make(tag, name, attributes), { textContent: text });
}

/** An element of SVG, such as a line of a chart. */
export function draw(tag, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** The element with an id, where it can be seen. */
export function visible(id) {
  const element = document.getElementById(id);
  return element?.offsetParent ? element : null;
}

export function stored(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}
export function store(name, value) {
  try { localStorage.setItem(name, value); } catch { /* private mode: not remembered */ }
}
