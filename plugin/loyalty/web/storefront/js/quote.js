// The live quote: asked for a moment after the last change; an answer to an older cart is dropped.

import { CallFailed } from "./api.js";
import { quoteInput } from "./cart.js";
import { QUOTE } from "./documents.js";
import { ask } from "./session.js";
import { get, isGuest, set, watch } from "./store.js";

const QUIET_MS = 250;
const AGAIN_MS = 4_000;
const NOTHING = { status: "empty", value: null, refusals: [], failed: null };

let timer = 0;
let asked = null;

async function refresh() {
  const mine = new AbortController();
  asked = mine;
  try {
    const { checkoutQuote } = await ask(QUOTE, { input: quoteInput() }, mine.signal);
    if (asked !== mine) return;
    const { quote, userErrors } = checkoutQuote;
    set({ quote: { status: quote ? "ready" : "refused", value: quote, refusals: userErrors, failed: null } });
  } catch (error) {
    if (asked !== mine) return;
    if (!(error instanceof CallFailed)) throw error;
    set({ quote: { ...get("quote"), status: "failed", failed: error } });
    // A quote moves nothing, so nobody has to press a button for the next try.
    if (error.canRetry) timer = setTimeout(refresh, AGAIN_MS);
  }
}

/** Ask again soon. What is shown stays, marked as being updated. */
export function requote(wait = QUIET_MS) {
  clearTimeout(timer);
  asked?.abort();
  asked = null;
  const lines = get("cart")?.lines ?? [];
  // Only who signed in gets a quote; a guest's is the shop's own matter.
  if (lines.length === 0 || isGuest()) {
    set({ quote: NOTHING });
    return;
  }
  set({ quote: { ...get("quote"), status: "loading" } });
  timer = setTimeout(refresh, wait);
}

/** Quote whenever the cart, a choice, or what the member has changes. */
export function follow() {
  watch(["cart", "choices", "locale"], () => requote());
  let version = null;
  watch(["member"], () => {
    const now = get("member")?.version ?? null;
    if (version !== null && now !== version) requote();
    version = now;
  });
}
