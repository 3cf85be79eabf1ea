// The cart: its lines, the live quote's answer to it, and the way to pay.

import { pieces, setQuantity } from "../cart.js";
import { byId, fill, h, say } from "../dom.js";
import { count, isZero, money, points, time } from "../format.js";
import { icon, picture } from "../icons.js";
import { requote } from "../quote.js";
import { get, isGuest, viewer, watch } from "../store.js";
import { refusalText } from "../words.js";
import { codesControl } from "./codes.js";
import { earnings } from "./earnings.js";
import { languageControl } from "./language.js";
import { pointsControl } from "./points.js";
import { startPayment } from "./payment.js";
import { productName } from "./product_card.js";
import { recommendations } from "./recommendations.js";
import { objectiveControl, rewardList } from "./rewards.js";

export function showCart() {
  const lines = h("div", { class: "lines" });
  const choices = h("div", { class: "choices" });
  const candidates = h("div", {});
  const totals = h("section", { class: "totals", "aria-label": "Total" });
  const also = h("div", {});
  const heading = h("h1", {}, "Cart");

  choices.append(pointsControl(), codesControl(), h("section", { class: "panel", "aria-labelledby": "cart-rewards" }, h("h2", { id: "cart-rewards" }, "Rewards for this cart"), objectiveControl(), languageControl(), candidates));
  byId("page-cart").append(heading, lines, choices, totals, also);

  watch(["cart", "quote", "session"], () => {
    const cart = get("cart");
    const isEmpty = !cart || cart.lines.length === 0;
    choices.hidden = isEmpty || isGuest();
    totals.hidden = isEmpty;
    if (isEmpty) fill(lines, h("div", { class: "empty" }, icon("cart"), h("p", {}, "Your cart is empty."), h("a", { href: "#/shop" }, "See what the shop has")));
    else fill(lines, h("ul", {}, cart.lines.map((line) => cartLine(line, quoted(line)))));
  });
  watch(["quote", "choices", "program"], () => fill(candidates, rewardList()));
  watch(["quote", "attempt", "session"], () => {
    const { status, value } = get("quote");
    fill(totals, summary());
    if (status === "ready") say(`To pay ${money(value.payable)}`);
  });

  recommendations(also, "Goes with your cart", ["CART"], {
    first: 4,
    ready: () => viewer() !== null && (get("cart")?.lines.length ?? 0) > 0,
    watches: ["cart", "member", "session"],
    key: () => `${viewer()}/${names().join("/")}`,
    variables: () => ({ cart: names() }),
  });
}

function names() {
  return get("cart").lines.map((line) => line.product.externalId);
}

function quoted(line) {
  return get("quote").value?.lines.find((one) => one.product === line.product.externalId);
}

function cartLine({ product, quantity }, answer) {
  const step = (by, name, label, symbol) =>
    h("button", { class: "step", "data-focus": `${name}-${product.externalId}`, "aria-label": `${label} ${product.name}`, onclick: () => change(product, quantity + by) }, icon(symbol));
  return h(
    "li",
    { class: "line" },
    h("a", { class: "thumb", href: `#/product/${encodeURIComponent(product.externalId)}`, tabindex: -1, "aria-hidden": "true" }, picture(product)),
    h("div", { class: "line-name" }, h("b", {}, productName(product)), h("span", { class: "muted" }, `${money(product.price)} each`)),
    h(
      "div",
      { class: "stepper", role: "group", "aria-label": `Pieces of ${product.name}` },
      step(-1, "less", quantity === 1 ? "Remove" : "One less of", quantity === 1 ? "bin" : "minus"),
      h("output", {}, String(quantity)),
      step(1, "more", "One more of", "plus"),
    ),
    h("div", { class: "line-price" }, answer && linePrice(answer)),
    answer && answer.parts.length > 0 && h("ul", { class: "parts" }, answer.parts.map((part) => h("li", {}, icon("gift"), `${rewardName(part.reward)} −${money(part.amount)}`))),
  );
}

function change(product, quantity) {
  setQuantity(product.externalId, quantity);
  say(quantity < 1 ? `${product.name} is out of your cart.` : `${product.name}: ${quantity}`);
}

function rewardName(code) {
  return get("quote").value?.candidates.find((one) => one.reward === code)?.name ?? code;
}

function linePrice({ gross, discount, net }) {
  if (isZero(discount)) return h("b", {}, money(gross));
  return [h("s", {}, h("span", { class: "visually-hidden" }, "before "), money(gross)), h("b", {}, money(net))];
}

function row(name, value, className = "") {
  return h("div", { class: className }, h("dt", {}, name), h("dd", {}, value));
}

function discountName({ shippingLine }) {
  return isZero(shippingLine.discount) ? "Rewards" : "Rewards, shipping too";
}

function summary() {
  if (isGuest()) return [h("h2", {}, "Total"), h("p", { class: "muted" }, "Guests pay at the shop as everywhere. Choose a household above to see what the club makes of a cart.")];
  const quote = get("quote");
  const { value, status } = quote;
  const trouble = [
    ...quote.refusals.map((error) => h("p", { class: "failure" }, refusalText(error))),
    quote.failed && h("p", { class: "failure" }, quote.failed.message, " ", h("button", { "data-focus": "requote", onclick: () => requote(0) }, "Try again")),
  ];
  if (!value) return [h("h2", {}, "Total"), ...trouble, status === "loading" && h("p", { class: "muted" }, "Working out your price…")];
  const stale = status !== "ready";
  return [
    h("h2", {}, "Total"),
    ...trouble,
    h(
      "dl",
      { class: stale ? "rows stale" : "rows", "aria-busy": stale ? "true" : null },
      row(pieces() === 1 ? "1 piece" : `${count(pieces())} pieces`, money(value.subtotal)),
      !isZero(value.shipping) && row("Shipping", money(value.shipping)),
      !isZero(value.discount) && row(discountName(value), `−${money(value.discount)}`, "saved"),
      !isZero(value.tax) && row(value.taxIncluded ? "Tax, included" : "Tax", money(value.tax)),
      value.tender && value.tender.points > 0 && row(`Paid with ${points(value.tender.points)}`, `−${money(value.tender.value)}`, "saved"),
      value.giftCards.map((card) => row(`Gift card ${card.label}`, `−${money(card.amount)}`, "saved")),
      value.credit && row("Store credit", `−${money(value.credit)}`, "saved"),
      row("To pay", money(value.payable), "payable"),
    ),
    earnings(value),
    value.margin?.limited && h("p", { class: "muted" }, "A limit of the shop applies to the discounts on this cart."),
    h("button", { class: "primary pay", "data-focus": "pay", disabled: status !== "ready", onclick: startPayment }, `Pay ${money(value.payable)}`),
    h(
      "p",
      { class: "muted small" },
      h("span", { class: "tag tag-engine" }, "Loyalty"),
      value.binding ? " Binding price" : " Estimate for your browser’s cart; the shop confirms it when you pay",
      `. Good until ${time(value.validUntil)}.`,
    ),
  ];
}
