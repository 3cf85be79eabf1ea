// The cart and the shopper's choices for it, kept in this tab so that a reload loses nothing.

import { get, set } from "./store.js";

const QUANTITY_MAX = 99;

/** A random name; unlike randomUUID it also works where the demo is opened over plain HTTP. */
export function randomName(prefix, length = 16) {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return prefix + [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function storageKey() {
  return `journey.cart.${get("session").member?.externalId ?? ""}`;
}

function fresh() {
  return {
    cart: { id: randomName("cart-"), lines: [] },
    choices: { points: { mode: "none", exact: 0 }, objective: "MOST_SAVED", pinned: [], excluded: [], codes: [], credit: false },
  };
}

/** The cart this tab had for the member signed in, or an empty one. */
export function restore() {
  const made = fresh();
  try {
    const kept = JSON.parse(sessionStorage.getItem(storageKey()));
    // What was kept by an older page lacks what this one knows.
    set(kept ? { ...kept, choices: { ...made.choices, ...kept.choices } } : made);
  } catch {
    set(made);
  }
}

function change(changes) {
  set(changes);
  sessionStorage.setItem(storageKey(), JSON.stringify({ cart: get("cart"), choices: get("choices") }));
}

function changeLines(lines) {
  change({ cart: { ...get("cart"), lines } });
}

export function add(product) {
  const lines = get("cart").lines;
  const there = lines.find((line) => line.product.externalId === product.externalId);
  if (there) setQuantity(product.externalId, there.quantity + 1);
  else changeLines([...lines, { product, quantity: 1 }]);
}

/** Zero takes the line out. */
export function setQuantity(externalId, quantity) {
  const wanted = Math.min(quantity, QUANTITY_MAX);
  const lines = get("cart").lines;
  if (wanted < 1) changeLines(lines.filter((line) => line.product.externalId !== externalId));
  else changeLines(lines.map((line) => (line.product.externalId === externalId ? { ...line, quantity: wanted } : line)));
}

/** After an order: a new cart with a new name; a name belongs to one checkout. */
export function empty() {
  change(fresh());
}

export function choosePoints(points) {
  change({ choices: { ...get("choices"), points } });
}

export function chooseObjective(objective) {
  change({ choices: { ...get("choices"), objective } });
}

export function chooseCredit(credit) {
  change({ choices: { ...get("choices"), credit } });
}

/** What a code is compared by: as it is typed, in capitals, without spaces around it. */
export function codeOf(text) {
  return text.trim().toUpperCase();
}

/** Hand in a code, once. */
export function addCode(text) {
  const choices = get("choices");
  const code = codeOf(text);
  if (code && !choices.codes.includes(code)) change({ choices: { ...choices, codes: [...choices.codes, code] } });
}

export function removeCode(code) {
  const choices = get("choices");
  const without = (list) => list.filter((one) => one !== code);
  change({ choices: { ...choices, codes: without(choices.codes), pinned: without(choices.pinned), excluded: without(choices.excluded) } });
}

/** "pinned", "excluded", or neither; a second press takes the choice back. */
export function toggleReward(code, list) {
  const choices = get("choices");
  const other = list === "pinned" ? "excluded" : "pinned";
  const on = !choices[list].includes(code);
  change({
    choices: {
      ...choices,
      [list]: on ? [...choices[list], code] : choices[list].filter((one) => one !== code),
      [other]: choices[other].filter((one) => one !== code),
    },
  });
}

export function pieces() {
  return get("cart").lines.reduce((sum, line) => sum + line.quantity, 0);
}

function pointsChoice({ mode, exact }) {
  if (mode === "all") return { all: true };
  return mode === "exact" && exact > 0 ? { exact } : { none: true };
}

/** The cart as a CheckoutQuoteInput. Prices are repeated as the server wrote them. */
export function quoteInput() {
  const { cart, choices } = { cart: get("cart"), choices: get("choices") };
  return {
    cartId: cart.id,
    lines: cart.lines.map((line, at) => ({
      id: `line-${at + 1}`,
      product: line.product.externalId,
      quantity: line.quantity,
      unitPrice: { amount: line.product.price.amount, currencyCode: line.product.price.currencyCode },
      category: line.product.category,
    })),
    shipping: get("session").shipping,
    codes: choices.codes,
    points: pointsChoice(choices.points),
    credit: choices.credit ? { all: true } : { none: true },
    rewards: { pinned: choices.pinned, excluded: choices.excluded },
    objective: choices.objective,
    locale: get("locale"),
  };
}
