// Every reward the quote considered: whether it is in use, why not, and the shopper's choice.

import { chooseObjective, toggleReward } from "../cart.js";
import { h } from "../dom.js";
import { isZero, money, points } from "../format.js";
import { get, watch } from "../store.js";
import { changeText, CREDIT, isGiftCard, OBJECTIVES, OUTCOMES, reasonText, rewardText, TENDER } from "../words.js";

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
  // Codes that open nothing are told beside the codes, ways of paying beside their controls.
  const isTold = (one) => one.kind === "unknown" || (one.outcome === "REJECTED" && get("choices").codes.includes(one.couponCode));
  const isReward = (one) => one.reward !== TENDER && one.reward !== CREDIT && !isGiftCard(one) && !isTold(one);
  const rewards = value.candidates.filter(isReward);
  if (rewards.length === 0) return h("p", { class: "muted" }, "There are no rewards for this cart.");
  const sorted = rewards.sort((one, other) => ORDER.indexOf(one.outcome) - ORDER.indexOf(other.outcome));
  return h("ul", { class: "candidates" }, sorted.map(candidateRow));
}

function candidateRow(candidate) {
  const choices = get("choices");
  const said = [reasonText(candidate), changeText(candidate)].filter((text) => text !== "");
  const { language } = get("quote").value;
  return h(
    "li",
    { class: "candidate", "data-outcome": candidate.outcome },
    h(
      "div",
      { class: "candidate-text" },
      h("b", {}, candidate.name),
      h("span", { class: "outcome" }, OUTCOMES[candidate.outcome]),
      candidate.tier && h("span", { class: "outcome" }, `${tierName(candidate.tier)} benefit`),
      candidate.couponCode && h("span", { class: "outcome" }, `Coupon ${candidate.couponCode}`),
      h("p", {}, effect(candidate)),
      said.map((text) => h("p", { class: "why", lang: language }, text)),
    ),
    h(
      "div",
      { class: "candidate-choice", role: "group", "aria-label": candidate.name },
      toggle(candidate, "pinned", choices, "Use", `Use ${candidate.name}`),
      toggle(candidate, "excluded", choices, "Leave out", `Leave out ${candidate.name}`),
    ),
  );
}

function toggle({ reward, couponCode }, list, choices, label, name) {
  // What came with a coupon is wished for by the coupon's code.
  const wish = couponCode ?? reward;
  const on = choices[list].includes(wish);
  return h("button", { class: "toggle", "aria-pressed": String(on), "aria-label": name, "data-focus": `${list}-${wish}`, onclick: () => toggleReward(wish, list) }, label);
}

function effect(candidate) {
  // What it would take off a cart that it does not fit says nothing.
  if (candidate.outcome === "REJECTED") return promise(candidate.reward);
  const takes = candidate.points > 0 ? ` for ${points(candidate.points)}` : "";
  if (isZero(candidate.discount)) return candidate.points > 0 ? `Costs ${points(candidate.points)}` : "";
  return `−${money(candidate.discount)}${takes}`;
}

/** What the program says the reward does. */
function promise(code) {
  const reward = get("program")?.rewards.find((one) => one.code === code);
  return reward ? `${rewardText(reward)}${reward.points ? ` for ${points(reward.points)}` : ""}` : "";
}

function tierName(code) {
  return get("program")?.tiers.find((tier) => tier.code === code)?.name ?? code;
}
