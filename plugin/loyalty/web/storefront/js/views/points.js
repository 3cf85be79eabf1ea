// How many points to pay with: none, all that fit, or an exact number by slider or by typing.

import { choosePoints } from "../cart.js";
import { fill, h } from "../dom.js";
import { count, money, points } from "../format.js";
import { get, watch } from "../store.js";
import { reasonText, TENDER } from "../words.js";

const MODES = { none: "None", all: "All that fit", exact: "Choose" };

export function pointsControl() {
  const note = h("p", { class: "muted", "aria-live": "polite" });
  const radios = Object.entries(MODES).map(([mode, label]) =>
    h("label", {}, h("input", { type: "radio", name: "points", value: mode, onchange: () => choosePoints({ ...get("choices").points, mode }) }), h("span", {}, label)),
  );
  const slider = h("input", { type: "range", id: "points-slider", min: 0, step: 1, "aria-label": "Points to use" });
  const number = h("input", { type: "number", id: "points-number", min: 0, step: 1, inputmode: "numeric", "aria-label": "Points to use, exact number" });
  const exact = h("div", { class: "exact" }, slider, number);
  const box = h("fieldset", { class: "panel points-control" }, h("legend", {}, "Pay with points"), h("div", { class: "segments" }, radios), exact, note);

  const take = (input) => {
    const wanted = Math.min(Math.max(Math.trunc(Number(input.value)) || 0, 0), available());
    choosePoints({ mode: "exact", exact: wanted });
    for (const other of [slider, number]) if (other !== input) other.value = String(wanted);
  };
  slider.addEventListener("input", () => take(slider));
  number.addEventListener("input", () => take(number));
  number.addEventListener("blur", () => {
    number.value = String(get("choices").points.exact);
  });

  watch(["choices", "member", "program"], () => {
    const choices = get("choices");
    if (!choices) return;
    // Points are a means of payment only where the program says so.
    box.hidden = !get("program")?.pointValue;
    for (const input of box.querySelectorAll("[type=radio]")) input.checked = input.value === choices.points.mode;
    exact.hidden = choices.points.mode !== "exact";
    for (const input of [slider, number]) {
      input.max = String(available());
      if (input !== document.activeElement) input.value = String(choices.points.exact);
    }
  });
  watch(["quote", "member", "choices"], () => fill(note, used()));
  return box;
}

function available() {
  return get("member")?.balance.available ?? 0;
}

function used() {
  const { value, status } = get("quote");
  const left = `You have ${points(available())}.`;
  const tender = value?.tender;
  const wanted = get("choices")?.points;
  if (!tender || tender.points === 0) {
    const refused = value?.candidates.find((candidate) => candidate.reward === TENDER && candidate.outcome === "REJECTED");
    return [left, refused && wanted?.mode !== "none" && h("span", { class: "why", lang: value.language }, ` ${reasonText(refused)}`)];
  }
  const fewer = status === "ready" && wanted.mode === "exact" && tender.points < wanted.exact;
  return [left, " ", h("b", {}, `${count(tender.points)} pay ${money(tender.value)}`), fewer && "; more cannot be used on this cart", "."];
}
