// What a recommended product means to the member: why it is shown, what it would cost with rewards,
// what it earns. Every figure and sentence is the engine's; the page writes them down.

import { h } from "../dom.js";
import { count, lastDay, money, points } from "../format.js";
import { icon } from "../icons.js";

/** Why it is shown, in the language of the reasons. */
export function reasonLine(item, language) {
  return item.reason && h("p", { class: "because", lang: language === "en" ? null : language }, item.reason.text);
}

/** The price with the rewards that the member could apply to it alone, beside the price without. */
export function priceLine(product, loyalty) {
  if (!product.price) return h("b", { class: "price" }, "No price");
  const after = loyalty?.priceAfterBestReward;
  if (!after || after.amount === product.price.amount) return h("b", { class: "price" }, money(product.price));
  return h(
    "span",
    { class: "price reduced", title: loyalty.bestRewards.map(rewardName).join(", ") },
    h("s", {}, h("span", { class: "visually-hidden" }, "instead of "), money(product.price)),
    h("b", {}, money(after)),
    h("span", { class: "visually-hidden" }, ` with ${loyalty.bestRewards.map(rewardName).join(", ")}`),
  );
}

function rewardName({ name, points: price }) {
  return price > 0 ? `${name} for ${points(price)}` : name;
}

/** What buying it would do, as short lines; empty where it does nothing worth saying. */
export function meaning({ loyalty, boosts }) {
  const told = [];
  if (loyalty?.liftsToTier) told.push(note("check", "lifts", `Lifts you to ${loyalty.liftsToTier.name}`));
  const covered = loyalty?.coveredByExpiringPoints;
  if (covered) told.push(note("clock", "covered", `Covered by ${points(covered.points)} that expire by ${lastDay(covered.expiresAt)}`));
  if (loyalty?.pointsEarned) told.push(note("plus", "earns", `${count(loyalty.pointsEarned)} ${loyalty.pointsEarned === 1 ? "point" : "points"}`));
  if (boosts?.length) told.push(note("shop", "boosted", `Put forward by the shop: ${boosts.join(", ")}`));
  return told.length > 0 && h("ul", { class: "meaning" }, told);
}

function note(drawing, kind, text) {
  return h("li", { class: kind }, icon(drawing), h("span", {}, text));
}
