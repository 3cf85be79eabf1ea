// Codes of coupons and gift cards: handing one in, and what became of each.

import { addCode, chooseCredit, codeOf, removeCode } from "../cart.js";
import { announce, fill, h } from "../dom.js";
import { isZero, money } from "../format.js";
import { icon } from "../icons.js";
import { get, watch } from "../store.js";
import { changeText, CREDIT, isGiftCard, reasonText } from "../words.js";

const CODE_MAX = 64;

export function codesControl() {
  const input = h("input", { type: "text", id: "code", maxlength: CODE_MAX, autocomplete: "off", autocapitalize: "characters", spellcheck: "false", enterkeyhint: "done" });
  const list = h("ul", { class: "codes", "aria-label": "Codes handed in" });
  const credit = h("div", { class: "credit" });
  const hand = (event) => {
    event.preventDefault();
    const code = codeOf(input.value);
    if (!code) return;
    addCode(code);
    input.value = "";
    announce("Code handed in.");
  };
  const form = h("form", { class: "code-form", onsubmit: hand }, h("label", { for: "code" }, "Code of a coupon or gift card"), input, h("button", {}, "Hand in"));
  const offered = h("details", { class: "offered", "aria-label": "Codes to try in this demo" });
  watch(["session"], () => {
    const codes = get("session")?.codes ?? [];
    offered.hidden = codes.length === 0;
    fill(offered, h("summary", {}, "Codes to try in this demo"), h("ul", {}, codes.map(offer)));
  });
  watch(["quote", "choices"], () => {
    fill(list, (get("choices")?.codes ?? []).map(codeRow));
    fill(credit, creditControl());
  });
  return h("section", { class: "panel codes-panel", "aria-labelledby": "cart-codes" }, h("h2", { id: "cart-codes" }, "Coupons, gift cards and credit"), form, list, offered, credit);
}

function offer({ code, label }) {
  return h("li", {}, h("button", { class: "toggle", "data-focus": `offer-${code}`, onclick: () => addCode(code) }, code), h("span", { class: "muted small" }, label));
}

function candidates() {
  return get("quote").value?.candidates ?? [];
}

/** What the quote says of a code; undefined while it has not said anything. */
function answerTo(code) {
  // A card is told by its last characters alone; spaces and dashes are for people.
  const bare = code.replace(/[\s-]/g, "");
  const isIt = (one) => one.couponCode === code || (one.kind === "unknown" && one.reward === code);
  return candidates().find(isIt) ?? candidates().find((one) => isGiftCard(one) && bare.endsWith(one.name.replace("…", "")));
}

function codeRow(code) {
  const answer = answerTo(code);
  const outcome = !answer ? "" : answer.outcome;
  return h(
    "li",
    { class: "code-row", "data-outcome": outcome },
    h("div", { class: "candidate-text" }, h("b", {}, answer && isGiftCard(answer) ? `Gift card ${answer.name}` : code), h("span", { class: "outcome" }, answer ? outcomeText(answer) : "…"), answer && verdict(answer)),
    h("button", { class: "toggle", "data-focus": `remove-${code}`, "aria-label": `Take out ${code}`, onclick: () => removeCode(code) }, icon("bin")),
  );
}

function outcomeText({ outcome }) {
  return { APPLIED: "In use", REJECTED: "Not possible", DOMINATED: "Not needed" }[outcome];
}

function verdict(answer) {
  const language = get("quote").value.language;
  const what = isGiftCard(answer) ? `pays ${money(answer.discount)}` : answer.kind !== "unknown" && `${answer.name}: −${money(answer.discount)}`;
  return [
    answer.outcome === "APPLIED" && h("p", {}, what),
    [reasonText(answer), changeText(answer)].map((text) => text && h("p", { class: "why", lang: language }, text)),
  ];
}

/** Shown where the member has credit; null otherwise. */
function creditControl() {
  const choices = get("choices");
  const answer = candidates().find((one) => one.reward === CREDIT);
  const isUseful = answer && (answer.outcome === "APPLIED" || !isZero(answer.discount));
  if (!choices || (!isUseful && !choices.credit)) return null;
  const why = answer && answer.outcome !== "APPLIED" && reasonText(answer);
  return [
    h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", "data-focus": "credit", checked: choices.credit, onchange: (event) => chooseCredit(event.target.checked) }),
      h("span", {}, answer && !isZero(answer.discount) ? `Pay ${money(answer.discount)} with your store credit` : "Pay with your store credit"),
    ),
    why && choices.credit && h("p", { class: "why", lang: get("quote").value.language }, why),
  ];
}
