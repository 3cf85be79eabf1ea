// Windows of recommendations as tabs. Each says honestly how its products were chosen, and when
// the model behind them was trained.

import { CallFailed } from "../api.js";
import { RECOMMENDATIONS } from "../documents.js";
import { fill, h, say } from "../dom.js";
import { dayAndTime } from "../format.js";
import { ask } from "../session.js";
import { reporter, visit } from "../seen.js";
import { get, watch } from "../store.js";
import { WINDOWS } from "../words.js";
import { dagger, productCard } from "./product_card.js";

// Windows that only a member who agreed to profiling gets of their own.
const PERSONAL = ["FOR_YOU", "BUY_AGAIN", "NEXT_VISIT"];

let boxes = 0;

/**
 * `ready()` says whether to ask at all, `key()` what the answers depend on (they are asked
 * for again when it changes), `variables()` what to send besides the window.
 */
export function recommendations(place, title, windows, { ready, watches, key, variables = () => ({}), first = 8 }) {
  const prefix = `window-${(boxes += 1)}`;
  const panel = h("div", { role: "tabpanel", id: `${prefix}-panel`, "aria-busy": "true", tabindex: windows.length > 1 ? 0 : null });
  let current = windows[0];
  let shown = null;

  const tabs = windows.map((window) =>
    h("button", { role: "tab", id: `${prefix}-${window}`, "aria-controls": panel.id, onclick: () => choose(window) }, WINDOWS[window]),
  );
  const list = h("div", { class: "tablist", role: "tablist", "aria-label": title, onkeydown: byArrow }, tabs);

  function byArrow(event) {
    const at = windows.indexOf(current);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + windows.length, Home: 0, End: windows.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(windows[to % windows.length]);
    tabs[to % windows.length].focus();
  }

  function mark() {
    tabs.forEach((tab, at) => {
      const on = windows[at] === current;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `${prefix}-${current}`);
  }

  function choose(window) {
    current = window;
    mark();
    load().then(() => say(`${WINDOWS[window]}: ${panel.querySelectorAll(".product").length} products`));
  }

  async function load() {
    if (!ready()) return;
    const mine = `${current}/${key()}/${get("locale")}`;
    shown = mine;
    panel.setAttribute("aria-busy", "true");
    try {
      const answer = await ask(RECOMMENDATIONS, { window: current, first, locale: get("locale"), session: visit(), ...variables() });
      if (shown === mine) draw(answer.recommendations);
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      if (shown === mine) fill(panel, h("p", { class: "failure" }, error.message, " ", h("button", { "data-focus": "again", onclick: load }, "Try again")));
    } finally {
      if (shown === mine) panel.removeAttribute("aria-busy");
    }
  }

  function draw(answer) {
    const { items, language } = answer;
    const report = reporter(answer.recommendationId);
    fill(
      panel,
      items.length > 0
        ? h("ul", { class: "shelf" }, items.map((item) => h("li", {}, productCard(item.product, "h3", { item, language, ...report.of(item) }))))
        : h("p", { class: "muted" }, "Nothing to show here."),
      h("p", { class: "honest" }, honest(answer)),
    );
    panel.querySelectorAll(".shelf > li").forEach((place, at) => report.show(place, items[at]));
  }

  const section = h(
    "section",
    { class: "panel recommendations", "aria-labelledby": `${prefix}-title` },
    h("h2", { id: `${prefix}-title` }, title),
    windows.length > 1 && list,
    panel,
  );
  fill(place, section);
  if (windows.length > 1) mark();
  else panel.removeAttribute("role");

  let seen;
  watch([...watches, "locale"], () => {
    const now = ready() ? `${key()}/${get("locale")}` : null;
    if (now === seen) return;
    seen = now;
    section.hidden = now === null;
    if (now !== null) load();
  });
}

/** Which strategy chose, and from when what it learned is. */
function honest(answer) {
  const chosen = new Set(answer.items.map((item) => item.strategy));
  const strategies = [...new Set([answer.strategy, ...chosen])];
  return [
    "Chosen by ",
    strategies.map((strategy, at) => [at > 0 && ", ", h("code", {}, strategy)]),
    answer.trainedAt ? `, trained ${dayAndTime(answer.trainedAt)}.` : ", no trained model behind it.",
    answer.strategy === "viewed" && " It starts from what this visit opened within the last hour; nothing says whose visit it is.",
    PERSONAL.includes(answer.window) && !["popularity", "viewed"].includes(answer.strategy) && [" It looks at this household’s purchases because it agreed to profiling", dagger(), "."],
  ];
}
