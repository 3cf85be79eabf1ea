// Every reward the quote considered: whether it is in use, why not, and the shopper's choice.

import { chooseObjective, toggleReward } from "../cart.js";
import { h } from "../dom.js";
import { isZero, money, points } from "../format.js";
import { get, watch } from "../store.js";
import { changeText, OBJECTIVES, OUTCOMES, reasonText, rewardText, TENDER } from "../words.js";

const ORDER = ["APPLIED", "DOMINATED", "REJECTED"];

export function objectiveControl() {
  const select = h(
    "select",
    { id: "objective", onchange: () => chooseObjective(select.value) },
    Object.entries(OBJECTIVES).map(([value, label]) => h("option", { value }, label)),
  );
  watch(["choices"], () => {
    if (get("choices")) select.value = get("choices").objective;
  });
  return h("p", { class: "objective" }, h("label", { for: "objective" }, "Choose for me"), select);
}

export function rewardList() {
  const { value } = get("quote");
  if (!value || !get("choices")) return null;
  const rewards = value.candidates.filter((candidate) => candidate.reward !== TENDER);
  if (rewards.length === 0) return h("p", { class: "muted" }, "There are no rewards for this cart.");
  const sorted = rewards.sort((one, other) => ORDER.indexOf(one.outcome) - ORDER.indexOf(other.outcome));
  return h("ul", { class: "candidates" }, sorted.map(candidateRow));
}

function candidateRow(candidate) {
  const choices = get("choices");
  const why = reasonText(candidate, tierName);
  const change = changeText(candidate);
  return h(
    "li",
    { class: "candidate", "data-outcome": candidate.outcome },
    h(
      "div",
      { class: "candidate-text" },
      h("b", {}, candidate.name),
      h("span", { class: "outcome" }, OUTCOMES[candidate.outcome]),
      h("p", {}, effect(candidate)),
      why && h("p", { class: "why" }, why),
      change && h("p", { class: "why" }, change),
    ),
    h(
      "div",
      { class: "candidate-choice", role: "group", "aria-label": candidate.name },
      toggle(candidate, "pinned", choices, "Use", `Use ${candidate.name}`),
      toggle(candidate, "excluded", choices, "Leave out", `Leave out ${candidate.name}`),
    ),
  );
}

function toggle({ reward }, list, choices, label, name) {
  const on = choices[list].includes(reward);
  return h("button", { class: "toggle", "aria-pressed": String(on), "aria-label": name, "data-focus": `${list}-${reward}`, onclick: () => toggleReward(reward, list) }, label);
}

function effect(candidate) {
  // What it would take off a cart that it does not fit says nothing.
  if (candidate.outcome === "REJECTED") return promise(candidate.reward);
  const takes = candidate.points > 0 ? ` for ${points(candidate.points)}` : "";
  if (isZero(candidate.discount)) return candidate.points > 0 ? `Costs ${points(candidate.points)}` : "";
  const cut = !candidate.cut || isZero(candidate.cut) ? "" : ` (${money(candidate.cut)} less than its full value: a limit of the shop applies)`;
  return `−${money(candidate.discount)}${takes}${cut}`;
}

/** What the program says the reward does. */
function promise(code) {
  const reward = get("program")?.rewards.find((one) => one.code === code);
  return reward ? `${rewardText(reward)}${reward.points ? ` for ${points(reward.points)}` : ""}` : "";
}

function tierName(code) {
  return get("program")?.tiers.find((tier) => tier.code === code)?.name ?? code;
}
