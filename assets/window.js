/*
 * What the window does in the browser by itself: light and dark, the open tab, keys, menus, and drawing charts.
 * It holds no data of its own; what it shows comes from the server as text, and is put on the page as text.
 */
window.ticketTuner = (() => {
  "use strict";
  const root = document.documentElement;
  const THEME = "ticket-tuner-theme";
  const TAB = "ticket-tuner-tab";
  const stored = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const store = (name, value) => { try { localStorage.setItem(name, value); } catch { /* private mode: not remembered */ } };

  // ---- Gradio 6.31 shows a clock while it loads, and lets it tick on when it is gone: 60 frames a second that nobody
  // sees. A clock of Gradio's ticks once a second here; it takes its requestAnimationFrame when its scripts begin.

  const CLOCK = /^\(\) ?=> ?\{[^{}]*performance\.now\(\) ?-[^{}]*\/ ?1e3[^{}]*\}$/;
  const nextFrame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) =>
    CLOCK.test(draw) ? setTimeout(() => nextFrame(draw), 1000) : nextFrame(draw);

  // ---- light and dark

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => stored(THEME) || (dark.matches ? "dark" : "light");
  function paint() {
    root.dataset.theme = root.style.colorScheme = theme();
    const on = theme() === "dark";
    if (document.body && document.body.classList.contains("dark") !== on) document.body.classList.toggle("dark", on);
  }
  paint();
  dark.addEventListener("change", paint);
  addEventListener("storage", (event) => event.key === THEME && paint());
  function begin() {
    paint();
    new MutationObserver(paint).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    restoreTab();
  }
  document.addEventListener("DOMContentLoaded", begin);

  function header(element) {
    const person = window.gradio_config?.username;
    if (person) {
      const out = make("a", "log-out", { href: "./logout", title: `Log out ${person}` });
      out.append(Object.assign(make("span"), { textContent: `${person} · Log out` }));
      const icon = draw("svg", { class: "icon", width: 16, height: 16, viewBox: "0 0 16 16", "aria-hidden": "true" });
      icon.append(draw("path", { d: "M6.5 3H3v10h3.5M7 8h6.5M11 5l3 3-3 3" }));
      out.append(icon);
      element.querySelector(".top-buttons")?.prepend(out);
    }
    element.addEventListener("click", (event) => {
      if (event.target.closest("#theme-button")) { store(THEME, theme() === "dark" ? "light" : "dark"); paint(); }
      if (event.target.closest("#help-button")) document.getElementById("help").showModal();
    });
  }

  // ---- in a narrow window the sidebar lies over the page: a button opens it, and what was chosen in it closes it

  const LEADS_AWAY = "[data-do=pick], [data-do=bring], [data-palette]";
  const listsShown = () => document.getElementById("shell")?.hasAttribute("data-lists") ?? false;
  function showLists(open) {
    document.getElementById("shell")?.toggleAttribute("data-lists", open);
    document.getElementById("lists-button")?.setAttribute("aria-expanded", String(open));
  }
  document.addEventListener("click", ({ target }) => {
    if (target.closest("#lists-button")) showLists(!listsShown());
    else if (!target.closest("#sidebar, .menu") || target.closest(LEADS_AWAY)) showLists(false);
  });

  // ---- the open tab: in the address, so that it can be linked to, and in the browser, so that a new window begins there

  const tabButton = (name) => document.getElementById(`tab-${name}-button`);
  function restoreTab(tries = 200) {
    const first = tabButton("tickets");
    if (!first) { if (tries) setTimeout(() => restoreTab(tries - 1), 50); return; }
    const wanted = tabButton(openTab());
    if (wanted && wanted.getAttribute("aria-selected") !== "true") wanted.click();
    const remember = () => {
      const open = document.querySelector('#tabs [role="tab"][aria-selected="true"]');
      if (!open || location.hash === `#${open.dataset.tabId}`) return;
      if (root.dataset.ready) scrollTo(0, 0);
      store(TAB, open.dataset.tabId);
      history.replaceState(null, "", `#${open.dataset.tabId}`);
    };
    new MutationObserver(remember).observe(first.parentElement, { subtree: true, attributes: true, attributeFilter: ["aria-selected"] });
    addEventListener("hashchange", () => tabButton(location.hash.slice(1))?.click());
    setTimeout(remember, 60);
    setTimeout(() => root.dataset.ready || ready("late"), 8000);
  }

  /** The tab that the page begins with; it may not have been clicked yet. */
  const openTab = () => [location.hash.slice(1), stored(TAB)].find((name) => name && tabButton(name)) ?? "tickets";

  /** Show the page, now that it knows what it had selected; called by the first answer of the server. */
  function ready(how = "yes") { root.dataset.ready = how; }

  // ---- keys

  document.addEventListener("keydown", (event) => {
    const visible = (id) => { const found = document.querySelector(`#${id}`); return found && found.offsetParent ? found : null; };
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest("#question")) {
      event.preventDefault();
      visible("send")?.click();
    }
    if (event.key === "Escape" && !document.querySelector("dialog[open], .menu")) {
      if (listsShown()) { showLists(false); visible("lists-button")?.focus(); } else visible("stop-answer")?.click();
    }
  });

  // ---- the fields of the recipe: what is typed is looked at when the field is left; arrows take steps that make sense

  function fields(element, left) {
    const known = JSON.parse(element.querySelector("[data-fields]").dataset.fields);
    const nameOf = (input) => input.closest?.(".field")?.id.slice("field-".length) ?? "";
    let resting = 0, stepping = null;
    const rest = () => { clearTimeout(resting); if (stepping) left(stepping); stepping = null; };
    document.addEventListener("change", ({ target }) => {
      const name = nameOf(target);
      if (!(name in known)) return;
      if (stepping?.name === name) stepping = null;
      rest();
      left({ name, value: target.value });
    });
    document.addEventListener("focusout", rest);
    document.addEventListener("keydown", (event) => {
      const input = event.target, name = nameOf(input), field = known[name];
      if (!field?.step || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
      event.preventDefault();
      const next = stepped(input.value, field, event.key === "ArrowUp");
      if (next === null || next === input.value) return;
      input.value = next;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      clearTimeout(resting);
      stepping = { name, value: next };
      resting = setTimeout(rest, 500);  // a key that is held down is one change
    });
    const panel = element.closest("#advanced") ?? document.body;
    let drawn = 0;
    const dressed = () => { drawn ||= requestAnimationFrame(() => { drawn = 0; for (const name in known) dress(name, known[name]); }); };
    new MutationObserver(dressed).observe(panel, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
    dressed();
  }
  /** The text of a number one step up or down, within its range; null where the text is no number. */
  function stepped(text, { step, low, high, whole }, up) {
    const value = Number(text.trim().replace(",", "."));
    if (!text.trim() || !Number.isFinite(value)) return null;
    const next = step === "double" ? (up ? value * 2 : value / 2) : value + (up ? step : -step);
    const kept = Math.min(high, Math.max(low, whole ? Math.round(next) : +next.toPrecision(6)));
    return kept.toFixed(10).replace(/\.?0+$/, "");
  }
  /** Tell readers of the screen what belongs to a field, and give it its unit. */
  function dress(name, { unit, step }) {
    const box = document.getElementById(`field-${name}`), input = box?.querySelector("input, textarea");
    if (!input) return;
    const help = box.querySelector(".info-text, [class*=info]:not([data-testid])");
    if (help) { help.id = `help-${name}`; input.setAttribute("aria-describedby", help.id); }
    input.setAttribute("aria-invalid", String(box.classList.contains("wrong")));
    if (step) input.inputMode = "decimal";
    if (unit) box.dataset.unit = unit;
  }

  // ---- a button that makes or takes away something takes no second press before the first has had its effect

  const MAKES = new Set(["again", "agent", "allow", "drop", "forget", "resume", "tag", "undo"]);
  const done = (id) => release(document.getElementById(id));
  function release(button) { delete button?.dataset.busy; button?.removeAttribute("aria-busy"); }
  function work(button, longest) {
    button.dataset.busy = "yes";
    button.setAttribute("aria-busy", "true");
    setTimeout(release, longest, button);
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button.once");
    if (!button) return;
    if ("busy" in button.dataset) { event.stopImmediatePropagation(); event.preventDefault(); return; }
    work(button, 60000);
  }, true);

  // ---- buttons inside HTML: data-do names the event, the other data-* go with it

  function actions(element, trigger, watch, events) {
    const raise = (name, data) => events.includes(name) && trigger(name, data);
    element.addEventListener("click", (event) => {
      const menu = event.target.closest("[data-menu]");
      if (menu) { openMenu(menu, menu.getBoundingClientRect(), raise); return; }
      const button = event.target.closest("[data-do]");
      if (!button || button.disabled || "busy" in button.dataset) return;
      const data = { ...button.dataset };
      if (MAKES.has(data.do)) work(button, 3000);  // until it is drawn anew, or the message that it failed has been read
      raise(data.do, data);
    });
    element.addEventListener("contextmenu", (event) => {
      const menu = event.target.closest(".side-row, tr")?.querySelector("[data-menu]");
      if (!menu) return;
      event.preventDefault();
      openMenu(menu, { left: event.clientX, bottom: event.clientY, right: event.clientX, top: event.clientY }, raise);
    });
  }

  // ---- the menu of a row: rename, delete

  function openMenu(button, place, raise) {
    closeMenu();
    const menu = make("div", "menu", { role: "menu", "aria-label": button.getAttribute("aria-label") });
    const item = (text, danger) => menu.appendChild(Object.assign(make("button", danger ? "danger" : "", { role: "menuitem", type: "button" }), { textContent: text }));
    const { kind, id, name } = button.dataset;
    item("Rename").onclick = () => renameIn(menu, name, (value) => { raise("rename", { kind, id, name: value }); closeMenu(); });
    const remove = item("Delete", true);
    if ("fixed" in button.dataset) { remove.disabled = true; remove.title = "In progress: stop it first"; }
    remove.onclick = () => {
      if (!remove.dataset.sure) { remove.dataset.sure = "yes"; remove.textContent = "Really delete?"; return; }
      raise("delete", { kind, id }); closeMenu();
    };
    document.querySelector(".gradio-container").appendChild(menu);
    const box = menu.getBoundingClientRect();
    menu.style.left = `${Math.max(8, Math.min(place.left, innerWidth - box.width - 8))}px`;
    menu.style.top = `${place.bottom + box.height + 8 > innerHeight ? place.top - box.height - 4 : place.bottom + 4}px`;
    menu.querySelector("button").focus();
    menu.onkeydown = (event) => {
      if (event.key === "Escape") { event.stopPropagation(); closeMenu(); button.focus(); }
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        const items = [...menu.querySelectorAll("button:not(:disabled)")];
        items[(items.indexOf(document.activeElement) + 1) % items.length]?.focus();
        event.preventDefault(); event.stopPropagation();
      }
    };
    setTimeout(() => document.addEventListener("pointerdown", closeOutside));
  }
  function renameIn(menu, name, done) {
    const form = make("form", "menu-form");
    const input = Object.assign(make("input", "", { "aria-label": "New name", maxlength: 80 }), { value: name });
    form.append(input, Object.assign(make("button", "button small", { type: "submit" }), { textContent: "Rename" }));
    form.onsubmit = (event) => { event.preventDefault(); if (input.value.trim()) done(input.value.trim()); };
    menu.replaceChildren(form);
    input.select();
  }
  const closeOutside = (event) => { if (!event.target.closest(".menu")) closeMenu(); };
  function closeMenu() {
    document.querySelector(".menu")?.remove();
    document.removeEventListener("pointerdown", closeOutside);
  }

  // ---- small things

  function make(tag, name = "", attributes = {}) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    for (const [key, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(key, value);
    return element;
  }

  /** Keep the panes of the playground at their end while words arrive, unless somebody has scrolled up. */
  function follow(element, watch) {
    const away = new Map();
    element.addEventListener("scroll", (event) => {
      const pane = event.target;
      away.set(pane.closest("[data-voice]")?.dataset.voice, pane.scrollHeight - pane.scrollTop - pane.clientHeight > 40);
    }, true);
    const down = () => element.querySelectorAll("[data-scroll]").forEach((pane) => {
      if (!away.get(pane.closest("[data-voice]")?.dataset.voice)) pane.scrollTop = pane.scrollHeight;
    });
    watch("value", down);
    setTimeout(down);
  }

  /** Press a hidden download button as soon as its link is on the page. */
  function download(id) {
    setTimeout(() => document.querySelector(`#${id} a, a#${id}`)?.click() ?? document.getElementById(id)?.click(), 150);
  }

  document.addEventListener("click", (event) => {
    const text = event.target.closest("[data-copy]");
    if (!text || String(getSelection())) return;
    navigator.clipboard?.writeText(text.textContent).then(() => {
      text.dataset.copied = "yes";
      setTimeout(() => delete text.dataset.copied, 1500);
    });
  });

  document.addEventListener("click", (event) => {
    const there = document.getElementById(event.target.closest("[data-scroll-to]")?.dataset.scrollTo);
    there?.scrollIntoView({ behavior: "smooth", block: "center" });
  });

  /** Name the press of a button: clicks within a second of each other, as a double click makes them, are one. */
  const pressed = { at: -Infinity, name: "" };
  function press() {
    const now = performance.now();
    if (now - pressed.at > 1000) pressed.name = `${Date.now()}-${Math.random()}`;
    pressed.at = now;
    return pressed.name;
  }

  // ---- the pulse: ask what goes on, past Gradio, whose every event costs the browser half a second of a core;
  // ---- and say when the program has ended, and begin again when it is back

  const pieces = new Map();
  /** Let the pulse set a piece of HTML, or a chart, by its id. */
  function live(id, element, props, redraw) { pieces.set(id, { element, props, redraw, mark: "", value: null }); }

  function pulse(server, changed) {
    let version = null, program = null, page = null, begun = false, looks = 0, missed = 0;
    const shown = () => document.querySelector("#run-title [data-run]")?.dataset ?? {};
    async function look() {
      if (document.hidden && looks) { document.addEventListener("visibilitychange", look, { once: true }); return; }
      const answer = root.dataset.ended ? null : await ask();
      if (answer) missed = 0; else if (await isThere()) { if (root.dataset.ended) location.reload(); } else missed += 1;
      if (missed === 2) sayEnded();
      setTimeout(look, answer ? answer.wait * 1000 : 1500);
    }
    async function ask() {
      const seen = [...pieces].filter(([, piece]) => piece.element.isConnected && piece.element.getClientRects().length);
      const marks = Object.fromEntries(seen.map(([id, piece]) => [id, piece.props.value === piece.value ? piece.mark : ""]));
      const { run = "", overlays = "" } = shown();
      let answer;
      try {
        const question = { run, overlays: overlays.split(" ").filter(Boolean), marks, looks: ++looks };
        const asked = page ? askLive({ ...question, page }) : server.glance(question);
        answer = await Promise.race([asked, new Promise((_, fail) => setTimeout(fail, 15000))]);
      } catch { return null; }
      if (!answer?.values) return null;  // Gradio hands a failure over as if it were an answer
      const forgotten = begun && !answer.begun;  // it was away for longer than the server remembers a page
      if (forgotten || (program !== null && program !== answer.program)) { location.reload(); return answer; }
      program = answer.program;
      page = answer.page;
      begun = answer.begun;
      for (const [id, value] of Object.entries(answer.values)) if (id === "status-bar" || (shown().run ?? "") === run) put(pieces.get(id), value, answer.marks[id]);
      version ??= document.querySelector("#pulse [data-version]")?.dataset.version ?? answer.version;
      if (version !== answer.version) changed();
      version = answer.version;
      return answer;
    }
    /** Ask past Gradio, which knows the page's name since the first question; where that fails, through it again. */
    async function askLive(question) {
      const headers = { "Content-Type": "application/json" };
      const response = await fetch("./live", { method: "POST", headers, body: JSON.stringify(question), cache: "no-store" });
      if (!response.ok) page = null;
      return response.ok ? response.json() : null;
    }
    setTimeout(look, 2000);
  }
  /** Set a piece, and leave the keyboard where it is. */
  function put(piece, value, mark) {
    const key = piece.element.contains(document.activeElement) && document.activeElement.closest("[data-key]")?.dataset.key;
    Object.assign(piece, { value, mark });
    piece.props.value = value;
    piece.redraw?.();
    if (key) setTimeout(() => piece.element.querySelector(`[data-key="${key}"]`)?.focus());
  }
  async function isThere() {
    try {
      const { status } = await fetch("./manifest.json", { cache: "no-store", signal: AbortSignal.timeout(15000) });
      if (status === 401) location.reload();  // the key is another one now: the page that says how to get in
      return status < 500;
    } catch { return false; }
  }
  function sayEnded() {
    root.dataset.ended = "yes";
    const note = make("div", "ended", { role: "alert" });
    note.append(Object.assign(make("strong"), { textContent: "Ticket Tuner has ended." }),
      " Start it again, and this page comes back by itself. Nothing was lost: a run goes on from its last checkpoint.");
    document.querySelector(".gradio-container").append(note);
  }

  // ---- charts

  const SVG = "http://www.w3.org/2000/svg";
  const draw = (tag, attributes, text) => {
    const element = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  function nice(low, high, wanted) {
    const raw = (high - low || 1) / wanted, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw * 0.999);
    const ticks = [];
    for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + step * 1e-9; tick += step) ticks.push(+tick.toPrecision(10));
    return ticks;
  }
  const short = (value) => {
    const size = Math.abs(value);
    if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
    if (size > 0 && size < 1e-2) return value.toExponential(value.toExponential(1).includes(".0") ? 0 : 1).replace("e-", "e−");
    return String(+value.toPrecision(3));
  };

  function chart(element, props, watch, id) {
    const plot = () => element.querySelector(".plot") || element;
    const redraw = () => paintChart(plot(), props.value);
    if (id) live(id, element, props, redraw);
    watch("value", redraw);
    new ResizeObserver(redraw).observe(plot());
    redraw();
  }

  function paintChart(plot, value) {
    plot.replaceChildren();
    const spec = value ? JSON.parse(value) : null;
    plot.classList.toggle("plot-empty", !spec);
    const width = plot.clientWidth, height = plot.clientHeight;
    if (!spec || width < 40) return;
    const small = spec.small, left = small ? 46 : 46, right = small ? 8 : 16, top = small ? 6 : 14, bottom = small ? 18 : 30;
    const bars = spec.kind === "bars";
    const points = bars ? [] : spec.series.flatMap((line) => line.points);
    const xs = bars ? [spec.bars[0].from, spec.bars.at(-1).to] : points.map((point) => point[0]);
    const ys = bars ? [0, ...spec.bars.map((bar) => bar.count)] : [...points.map((point) => point[1]), ...spec.levels.map((level) => level.y)];
    const x0 = Math.min(...xs, bars ? Infinity : 0), x1 = Math.max(...xs, spec.end || -Infinity, x0 + 1);
    let y0 = bars || spec.zero ? 0 : Math.min(...ys), y1 = Math.max(...ys);
    if (!bars) {  // a curve of one height, or nearly, still gets a scale whose labels differ
      const pad = Math.max((y1 - y0) * 0.08, Math.abs(y1) * 0.01 || 0.08); y1 += pad; y0 = y0 >= 0 ? Math.max(0, y0 - pad) : y0 - pad; }
    const X = (x) => left + (x - x0) / (x1 - x0) * (width - left - right);
    const Y = (y) => height - bottom - (y - y0) / (y1 - y0 || 1) * (height - top - bottom);
    const svg = draw("svg", { width, height, role: "img", "aria-label": spec.label });
    for (const tick of nice(y0, y1, small ? 3 : Math.max(3, height / 60))) {
      svg.append(draw("line", { class: "grid", x1: left, x2: width - right, y1: Y(tick), y2: Y(tick) }));
      svg.append(draw("text", { class: "tick", x: left - 6, y: Y(tick) + 4, "text-anchor": "end" }, short(tick)));
    }
    for (const tick of nice(x0, x1, small ? 3 : Math.max(4, width / 110))) {
      if (!bars && tick % 1) continue;
      svg.append(draw("text", { class: "tick", x: X(tick), y: height - bottom + 15, "text-anchor": "middle" }, short(tick)));
    }
    if (!small) {
      svg.append(draw("text", { class: "axis", x: width - right, y: height - 2, "text-anchor": "end" }, spec.x));
      svg.append(draw("text", { class: "axis", x: left - 6, y: 9, "text-anchor": "end" }, spec.y.length < 8 ? spec.y : ""));
    }
    bars ? paintBars(svg, spec, X, Y, height - bottom, top) : paintLines(svg, spec, X, Y, width - right, left);
    plot.append(svg);
    if (!bars && !small) plot.append(legend(spec));
    hover(plot, svg, spec, X, Y, { left, right: width - right, top, bottom: height - bottom });
  }

  function paintBars(svg, spec, X, Y, floor, top) {
    for (const bar of spec.bars) {
      const wide = Math.max(1, X(bar.to) - X(bar.from) - 2), beyond = spec.line && bar.from >= spec.line.x;
      svg.append(draw("rect", { class: beyond ? "column beyond" : "column", x: X(bar.from) + 1, y: Y(bar.count), width: wide, height: Math.max(0, floor - Y(bar.count)), rx: 1 }));
    }
    const line = spec.line;
    if (line && X(line.x) <= X(spec.bars.at(-1).to)) {
      svg.append(draw("line", { class: "limit", x1: X(line.x), x2: X(line.x), y1: top, y2: floor }));
      const near = X(line.x) < 200;
      svg.append(draw("text", { class: "limit-text", x: X(line.x) + (near ? 6 : -6), y: top + 10, "text-anchor": near ? "start" : "end" }, line.text));
    }
  }

  function paintLines(svg, spec, X, Y, edge, left) {
    for (const level of spec.levels) {
      svg.append(draw("line", { class: "level", x1: left, x2: edge, y1: Y(level.y), y2: Y(level.y) }));
      svg.append(draw("text", { class: "level-text", x: edge, y: Y(level.y) - 5, "text-anchor": "end" }, level.text));
    }
    for (const line of spec.series) {
      const path = line.points.map(([x, y], index) => `${index ? "L" : "M"}${X(x).toFixed(1)},${Y(y).toFixed(1)}`).join("");
      svg.append(draw("path", { class: `line part-${line.part}`, d: path }));
      if (line.dots) for (const [x, y] of line.points) svg.append(draw("circle", { class: `dot part-${line.part}`, cx: X(x), cy: Y(y), r: 3 }));
      if (line.points.length === 1 && !line.dots) svg.append(draw("circle", { class: `dot part-${line.part}`, cx: X(line.points[0][0]), cy: Y(line.points[0][1]), r: 2 }));
    }
    for (const mark of spec.marks) {
      const x = X(mark.x), y = Y(mark.y), end = x > edge - 90;
      svg.append(draw("circle", { class: "best", cx: x, cy: y, r: 7 }));
      svg.append(draw("text", { class: "best-text", x: end ? x - 12 : x + 12, y: y + 16, "text-anchor": end ? "end" : "start" }, mark.text));
    }
  }

  function legend(spec) {
    const list = make("ul", "plot-legend");
    for (const line of spec.series) {
      const item = list.appendChild(make("li"));
      const sample = draw("svg", { width: 26, height: 10, "aria-hidden": "true" });
      sample.append(draw("line", { class: `line part-${line.part}`, x1: 1, x2: 25, y1: 5, y2: 5 }));
      if (line.dots) sample.append(draw("circle", { class: `dot part-${line.part}`, cx: 13, cy: 5, r: 3 }));
      item.append(sample, document.createTextNode(line.name));
    }
    return list;
  }

  /** The values under the pointer. */
  function hover(plot, svg, spec, X, Y, box) {
    const rule = draw("line", { class: "rule", y1: box.top, y2: box.bottom, visibility: "hidden" });
    svg.append(rule);
    const note = plot.appendChild(make("div", "plot-note"));
    const clear = () => { rule.setAttribute("visibility", "hidden"); note.classList.remove("seen"); };
    svg.addEventListener("pointerleave", clear);
    svg.addEventListener("pointermove", (event) => {
      const at = event.clientX - svg.getBoundingClientRect().left;
      const [x, rows] = spec.kind === "bars" ? underBar(spec, X, at) : underLines(spec, X, at);
      if (x === null || at < box.left - 4 || at > box.right + 4) { clear(); return; }
      rule.setAttribute("x1", X(x)); rule.setAttribute("x2", X(x)); rule.setAttribute("visibility", "visible");
      note.replaceChildren(...rows.map((row) => Object.assign(make("div"), { textContent: row })));
      note.classList.add("seen");
      const wide = note.offsetWidth, beyond = X(x) + 12 + wide > svg.clientWidth;
      note.style.left = `${beyond ? Math.max(0, X(x) - wide - 12) : X(x) + 12}px`;
      note.style.top = `${box.top + 4}px`;
    });
  }
  function underBar(spec, X, at) {
    const bar = spec.bars.find((candidate) => at >= X(candidate.from) && at < X(candidate.to));
    return bar ? [(bar.from + bar.to) / 2, [`${bar.from} to ${bar.to} ${spec.x}`, `${bar.count} ${spec.y}`]] : [null, []];
  }
  function underLines(spec, X, at) {
    const all = spec.series.flatMap((line) => line.points.map((point) => point[0]));
    if (!all.length) return [null, []];
    const x = all.reduce((best, candidate) => Math.abs(X(candidate) - at) < Math.abs(X(best) - at) ? candidate : best);
    const rows = spec.series.map((line) => [line.name, line.points.find((point) => point[0] === x)]).filter(([, point]) => point);
    return [x, [`${spec.x} ${x}`, ...rows.map(([name, point]) => `${name} ${short(point[1])}`)]];
  }

  return { header, actions, fields, done, follow, download, chart, live, openTab, pulse, press, ready };
})();
