// The API's codes in a shopper's words.

import { money, points } from "./format.js";

export const WINDOWS = {
  NEXT_VISIT: "Next visit",
  FOR_YOU: "For you",
  BUY_AGAIN: "Buy again",
  TRENDING: "Trending",
  SIMILAR: "Similar",
  BOUGHT_TOGETHER: "Bought together",
  CART: "Goes with your cart",
  NEW_ARRIVALS: "New",
};

/** Codes of the candidates that are ways of paying, which are no rewards. */
export const TENDER = "POINTS";
export const CREDIT = "CREDIT";

export function isGiftCard(candidate) {
  return candidate.kind === "gift_card";
}

/** Languages in which the engine gives reasons, by tag, as their speakers call them. */
export const LANGUAGES = { en: "English", hu: "magyar", ru: "русский", zh: "简体中文" };

export const OUTCOMES = { APPLIED: "In use", REJECTED: "Not possible", DOMINATED: "Not needed" };

export const OBJECTIVES = {
  MOST_SAVED: "Save the most",
  FEWEST_POINTS: "Spend the fewest points",
  EXPIRING_FIRST: "Use first what expires",
  PINNED: "Only what I choose",
};

export const ORDER_STATES = {
  PAID: "Paid",
  PARTIALLY_REFUNDED: "Partly refunded",
  REFUNDED: "Refunded",
  CANCELLED: "Cancelled",
};

const ENTRIES = {
  EARN: "Points earned",
  REDEEM: "Points used",
  HOLD: "Held for a checkout",
  RELEASE: "Given back from a checkout",
  REVERSE: "Points taken back",
  RETURN: "Used points returned",
  EXPIRE: "Points expired",
  ADJUST: "Adjusted by the shop",
};

/** What an entry of the history is; an unknown kind is shown as it is, not guessed. */
export function entryName(entry) {
  return entry.description || ENTRIES[entry.kind] || sentence(entry.kind);
}

function sentence(code) {
  const text = code.toLowerCase().replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// What the control beside it says already.
const SILENT_REASONS = ["NOT_ASKED_FOR"];
const SILENT_CHANGES = ["PIN", "ALLOW"];

/** Why a candidate is not in use, or not in full, as the engine says it; empty when it is. */
export function reasonText({ reason, message }) {
  return SILENT_REASONS.includes(reason) ? "" : (message ?? "");
}

/** The smallest change that lets it apply, as the engine says it. */
export function changeText({ nearestChange }) {
  return !nearestChange || SILENT_CHANGES.includes(nearestChange.kind) ? "" : (nearestChange.message ?? "");
}

/** "$5.00 off", "10% off": what a reward does, from its settings. */
export function rewardText(reward) {
  if (reward.kind === "free_shipping") return "Free shipping";
  if (reward.kind === "free_product") return "A product for free";
  if (reward.value) return `${money(reward.value)} off`;
  if (reward.percent) return `${reward.percent.replace(/\.?0+$/, (zeros) => (zeros.startsWith(".") ? "" : zeros))}% off`;
  return sentence(reward.kind);
}

/** What to call a member, also one without a name. */
export function shownName(member) {
  return member.name || `Member ${member.externalId}`;
}

const INVENTED = { imageUrl: "picture", image_url: "picture", tiersUntil: "early access", inStock: "stock", in_stock: "stock" };

/** In words, which fields of a product are not data. */
export function inventedNames(product) {
  return [...new Set(product.invented.map((name) => INVENTED[name] ?? name))];
}

// Codes after which the shop must be asked for a new price before paying again.
export const STALE_QUOTE = ["QUOTE_EXPIRED", "QUOTE_CHANGED", "HOLD_EXPIRED", "TOTAL_MISMATCH", "INSUFFICIENT_POINTS", "OUT_OF_STOCK"];

const REFUSALS = {
  INSUFFICIENT_POINTS: "You no longer have that many points.",
  OUT_OF_STOCK: "Something in your cart has just sold out.",
  QUOTE_EXPIRED: "The price was held for a while only, and that time is over.",
  QUOTE_CHANGED: "Something the price relied on was used up meanwhile.",
  HOLD_EXPIRED: "The time to pay ran out, and your points are free again.",
  MEMBER_NOT_ACTIVE: "Your membership is not active, so no points can move.",
  TOO_MANY_ATTEMPTS: "Too many codes were tried. Take the wrong ones out, and wait a little.",
};

export function refusalText(error) {
  return REFUSALS[error.code] ?? error.message;
}
