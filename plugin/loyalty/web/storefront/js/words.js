// The API's codes in a shopper's words.

import { money, points } from "./format.js";

export const WINDOWS = {
  FOR_YOU: "For you",
  BUY_AGAIN: "Buy again",
  TRENDING: "Trending",
  SIMILAR: "Similar",
  BOUGHT_TOGETHER: "Bought together",
  CART: "Goes with your cart",
  NEW_ARRIVALS: "New",
};

/** The code of the candidate "pay with points", which is no reward. */
export const TENDER = "POINTS";

export const OUTCOMES = { APPLIED: "In use", REJECTED: "Not possible", DOMINATED: "Not needed" };

export const OBJECTIVES = {
  MOST_SAVED: "Save the most",
  FEWEST_POINTS: "Spend the fewest points",
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

const REASONS = {
  NOT_A_MEMBER: () => "For members of the club.",
  MEMBER_NOT_ACTIVE: () => "Your membership is not active.",
  TIER_TOO_LOW: (gap, tierName) => (gap?.tier ? `For ${tierName(gap.tier)} members.` : "For a higher tier."),
  MINIMUM_NOT_MET: (gap) => (gap?.money ? `Add ${money(gap.money)} more to your cart.` : "Your cart is too small for it."),
  CONDITION_NOT_MET: () => "Your cart does not fit its conditions.",
  NO_MATCHING_LINES: () => "Nothing in your cart it applies to.",
  INSUFFICIENT_POINTS: (gap) => (gap?.points ? `You are ${points(gap.points)} short.` : "You have too few points."),
  MARGIN_LIMIT: () => "A limit of the shop applies to this cart.",
  NOTHING_LEFT_TO_DISCOUNT: () => "Nothing is left to take it off.",
  TOO_FEW_POINTS: (gap) => (gap?.points ? `Use at least ${points(gap.points)} more.` : "That is less than the fewest points you can pay with."),
  TENDER_LIMIT: () => "Points can pay only a part of this cart.",
  NOT_ASKED_FOR: () => "",
  NO_SUCH_REWARD: () => "There is no such reward any more.",
  EXCLUDED_BY_SHOPPER: () => "You left it out.",
  NOT_PINNED: () => "You chose to use only what you pick.",
  EXCLUSIVE_WITH_ANOTHER: () => "Cannot be combined with a reward in use.",
  ANOTHER_CHOICE_IS_BETTER: () => "What is in use suits you better.",
};

/** Why a candidate is not in use, with the measured gap; empty when it is. */
export function reasonText(candidate, tierName) {
  if (!candidate.reason) return candidate.outcome === "APPLIED" ? "" : (candidate.message ?? "");
  const words = REASONS[candidate.reason];
  return words ? words(candidate.gap, tierName) : (candidate.message ?? sentence(candidate.reason));
}

/** The smallest change that makes a reward applicable, where it is not said by the reason already. */
export function changeText(candidate) {
  const change = candidate.nearestChange;
  if (!change) return "";
  const repeats = candidate.reason === "MINIMUM_NOT_MET" || candidate.reason === "INSUFFICIENT_POINTS";
  if (change.kind === "ADD_TO_CART" && change.money && !repeats) return `It applies with ${money(change.money)} more in the cart.`;
  if (change.kind === "ADD_MATCHING" && change.money) return `It applies with ${money(change.money)} more of what it is for.`;
  if (change.kind === "PIN") return "It applies if you choose it.";
  return "";
}

/** "$5.00 off", "10% off": what a reward does, from its settings. */
export function rewardText(reward) {
  if (reward.value) return `${money(reward.value)} off`;
  if (reward.percent) return `${reward.percent.replace(/\.?0+$/, (zeros) => (zeros.startsWith(".") ? "" : zeros))}% off`;
  return sentence(reward.kind);
}

/** What to call a member, also one without a name. */
export function shownName(member) {
  return member.name || `Member ${member.externalId}`;
}

const INVENTED = { imageUrl: "picture", image_url: "picture", inStock: "stock", in_stock: "stock" };

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
};

export function refusalText(error) {
  return REFUSALS[error.code] ?? error.message;
}
