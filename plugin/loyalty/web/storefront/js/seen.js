// Tells the engine what became of its recommendations: shown, opened, put into the cart. What was
// bought it finds in the orders. Nothing on the page waits for it, and nothing fails with it.

import { CallFailed } from "./api.js";
import { RECOMMENDATION_EVENTS } from "./documents.js";
import { ask } from "./session.js";

async function tell(events) {
  if (events.length === 0) return;
  try {
    await ask(RECOMMENDATION_EVENTS, { input: { events } });
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
  }
}

/** For one answer, by the id it came with. */
export function reporter(recommendationId) {
  const event = (type, item) => ({ recommendationId, type, product: item.product.externalId, position: item.rank });
  return {
    shown: (items) => tell(items.map((item) => event("IMPRESSION", item))),
    of: (item) => ({
      onOpen: () => tell([event("CLICK", item)]),
      onAdd: () => tell([event("CART", item)]),
    }),
  };
}
